"""Words for refusals of what a program attaches to, where that is another program, and of what its target allows."""

from __future__ import annotations

from osmia.explain.rule import Rule, rule

SAME = "Declare the replacement exactly as the function that it replaces: same parameters, same return type."

RULES: dict[str, Rule] = {
    "ext-arg": rule("a parameter of the replacement is not possible", "Parameters are numbers and pointers.", SAME),
    "ext-arg-count": rule("the replacement has another number of parameters", "Both take the same ones.", SAME),
    "ext-arg-size": rule("a parameter of the replacement has another size", "Both take the same ones.", SAME),
    "ext-arg-struct": rule("a parameter of the replacement points to another struct", "Both take the same ones.", SAME),
    "ext-return": rule("the replacement returns another type", "Both return the same type.", SAME),
    "ext-btf": rule(
        "the replacement has no function information", "Replacements are compared by their BTF.", "Compile with -g."
    ),
    "ext-proto": rule("the types of the replaced function are not known", "Both need BTF.", "Compile both with -g."),
    "ext-linkage": rule("the replacement is static", "Replacements are global functions.", "Drop static."),
    "ext-static": rule(
        "the function to be replaced is static",
        "Only global functions can be replaced: static ones may be inlined or changed by the compiler.",
        "Declare the target as __noinline, without static.",
    ),
    "ext-changes-packet": rule(
        "the replacement changes the packet, and the function that it replaces does not",
        "The callers of the replaced function rely on their packet pointers behind it.",
        "Don't call helpers that change the packet, or let the replaced function call one too.",
    ),
    "ext-sleeps": rule(
        "the replacement may sleep, and the function that it replaces does not",
        "The callers of the replaced function were not checked for sleeping.",
        "Don't call what sleeps, or let the replaced function do so too.",
    ),
    "ext-of-ext": rule(
        "the target is itself a replacement", "Replacements can't be replaced.", "Replace the function in the program."
    ),
    "ext-of-fentry": rule(
        "the target is an fentry or fexit program", "Those can't be extended.", "Extend another kind of program."
    ),
    "target-function": rule(
        "the target program has no such function",
        "The section names a function of the program that is attached to.",
        'Check the name: SEC("freplace/function"), SEC("fentry/function").',
    ),
    "target-exception-cb": rule(
        "the target is an exception callback", "Nothing attaches to those.", "Attach to another function."
    ),
    "target-btf": rule(
        "the target's types are not known", "Attaching goes by BTF.", "Compile the target program with -g."
    ),
    "target-address": rule(
        "the kernel has no address for the target",
        "The function must stand in the kernel's symbol table; the compiler may have inlined or renamed it.",
        "Attach to a caller of it: grep NAME /proc/kallsyms shows what is there.",
    ),
    "target-sleepable": rule(
        "the target must not be attached to by sleepable programs",
        "Sleepable programs attach where the kernel may sleep: system calls, some LSM hooks and some functions.",
        "Drop the .s from the section name, or attach elsewhere.",
    ),
    "modify-program": rule(
        "fmod_ret can't change what a BPF program returns", "It changes kernel functions.", "Use freplace."
    ),
    "not-modifiable": rule(
        "the return value of this function can't be changed",
        "fmod_ret is for functions that allow error injection, and for security_… hooks.",
        "Use one of those, or only look with fexit.",
    ),
    "tracepoint-prog": rule(
        "a program can't be the target of a tracepoint program", "tp_btf names a tracepoint.", "Use fentry or fexit."
    ),
    "lsm-disabled": rule(
        "this LSM hook is not open to programs",
        "The kernel keeps some hooks to itself.",
        "Use another hook: those of include/linux/lsm_hook_defs.h, but for a few.",
    ),
    "set-retval-void": rule(
        "bpf_set_retval() is called where the hook returns nothing",
        "Only hooks that return a value have one to set.",
        "Drop the call, or attach to a hook that returns int.",
    ),
    "struct-ops-tail-call": rule(
        "a struct_ops program that owns a reference argument makes a tail call",
        "The reference would be lost.",
        "Call a function instead.",
    ),
    "removed-callback": rule(
        "a callback is never reached", "The verifier can't prepare what it did not walk.", "Remove the callback."
    ),
    "recursion": rule(
        "a function calls itself, directly or through others",
        "The call graph has no cycles: the stack that a program may need has to be known.",
        "Turn the recursion into a loop with a stack of its own, in an array on the stack or in a map.",
    ),
    "lock-sleepable": rule(
        "a sleepable program uses a map with a bpf_spin_lock",
        "On this kernel programs that may sleep can't take locks: whoever waits for one would wait for ever.",
        "Use atomic operations (__sync_fetch_and_add), or make the program not sleepable.",
    ),
    "stack-use-complexity": rule(
        "working out which stack slots are read takes too long",
        "The verifier follows pointers into the stack through all functions, within limits.",
        "Pass fewer pointers into the stack down to functions, or make functions smaller.",
    ),
    "prog-fd-array": rule(
        "the list of descriptors that the load brings along is not possible",
        "Its entries are maps and BTF objects, a limited number of them.",
        "Let the loader make it.",
    ),
    "btf-write-size": rule(
        "a member of a kernel object is written with another size than it has",
        "The few members that may be written are written whole.",
        "Assign to the member with its own type.",
    ),
    "ctx-released": rule(
        "an argument is read whose reference was released",
        "After its release the argument is gone.",
        "Read it before, and keep what you need.",
    ),
    "ctx-store": rule(
        "a constant is stored directly into the context",
        "Older kernels take only values from registers there.",
        "Compile with -mcpu=v3 or older, or store a variable.",
    ),
    "kfunc-address": rule(
        "the kernel has no address for the kernel function",
        "It must stand in the kernel's symbol table.",
        "Declare it __weak, and call it only where bpf_ksym_exists() says that it is there.",
    ),
    "kfunc-no-btf": rule(
        "the kernel has no BTF, so that kernel functions can't be called",
        "Kernel functions are called by their BTF id.",
        "Use a kernel with CONFIG_DEBUG_INFO_BTF=y.",
    ),
}
