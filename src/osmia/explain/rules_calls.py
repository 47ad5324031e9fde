"""Words for refusals of calls: helpers, kernel functions, the program's own functions, callbacks, tail calls."""

from __future__ import annotations

from osmia.explain.rule import Rule, rule

GPL = 'char LICENSE[] SEC("license") = "GPL"; (or "Dual BSD/GPL", "Dual MIT/GPL", if that fits your source).'
PASS_OBJECT = (
    "Pass what {call}() expects, as it was returned; look at its declaration in bpf_helper_defs.h or vmlinux.h."
)

RULES: dict[str, Rule] = {
    "unknown-helper": rule(
        "helper number {number} does not exist in this kernel",
        "Helpers are called by number, and every kernel has those up to some number.",
        "Use a helper that this kernel has, or load on a newer one; guard the call with "
        "bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_…).",
    ),
    "helper-not-offered": rule(
        "programs of type {type} can't call {call}()",
        "Each program type has its own set of helpers.",
    ),
    "helper-gpl": rule(
        "{call}() is for programs under a GPL-compatible licence only",
        "Some helpers (most tracing ones) may be called by GPL-compatible programs only.",
        GPL,
    ),
    "helper-refused": rule(
        "{call}() is not allowed for this program",
        "The helper looks at the program itself before it lets it in.",
        "Call it from a program of another type.",
    ),
    "helper-sleeps": rule(
        "{call}() may sleep, and this program may not",
        "A helper that may sleep is called from sleepable programs only, and not inside RCU, preempt-off or IRQ-off "
        "sections.",
        'Make the program sleepable (SEC("fentry.s/…"), SEC("lsm.s/…"), SEC("uprobe.s"), SEC("syscall")), or use the '
        "variant that does not sleep.",
    ),
    "call-sleeps": rule(
        "a global function that may sleep is called where sleeping is not possible",
        "Global functions that call sleeping helpers may be called from sleepable code only.",
        "Call it outside the RCU, preempt-off or IRQ-off section, from a sleepable program.",
    ),
    "call-under-lock": rule(
        "a function is called while a bpf_spin_lock is held",
        "Between bpf_spin_lock() and bpf_spin_unlock() no helper and no global function may be called.",
        "Do the call before the lock or after the unlock, and keep its result in a variable.",
    ),
    "get-func-ip": rule(
        "{call}() does not work for programs of type {type}",
        "It exists for probes and fentry, fexit and fmod_ret programs.",
        "Use it in such a program, or take the address from the context.",
    ),
    "local-storage-flags": rule(
        "{call}() takes 0 as its flags",
        "No flags are defined for it.",
        "Pass 0.",
    ),
    "argument-type": rule(
        "{call}() can't take {it} as argument {arg}",
        "A helper's arguments must be of the kinds that it declares.",
    ),
    "argument-struct": rule(
        "{call}() wants a pointer to another struct as argument {arg}",
        "A helper that takes a kernel object takes that type of object only.",
        PASS_OBJECT,
    ),
    "argument-maybe-null": rule(
        "{it} may be NULL and is passed to {call}()",
        "This argument must not be NULL.",
    ),
    "argument-read-only": rule(
        "{call}() would write to memory that is read-only",
        "An argument that the helper writes to must be writable memory.",
        "Pass a variable on the stack or a map value.",
    ),
    "helper-memory": rule(
        "{call}() wants memory as argument {arg}, and {it} is none",
        "The argument must point to memory that the program owns: stack, map value, packet, or a record.",
        "Pass the address of a variable (&x), not its value.",
    ),
    "packet-argument": rule(
        "{call}() can't work on packet memory",
        "Only some helpers take a pointer into the packet.",
        "Copy the bytes to the stack first (bpf_skb_load_bytes(), bpf_xdp_load_bytes() or a loop), then pass that.",
    ),
    "size-negative": rule(
        "the size {it} that is passed to {call}() may be negative",
        "A size must be known to be at least 0, as a signed number.",
    ),
    "size-unbounded": rule(
        "the size {it} that is passed to {call}() has no upper bound",
        "The verifier must know the largest size, to compare it with the memory that is passed along.",
    ),
    "size-not-constant": rule(
        "{call}() wants a constant as argument {arg}",
        "The kernel checks the memory behind the result, so this size must be one known number.",
        "Pass a constant (sizeof(struct …)).",
    ),
    "percpu-btf": rule(
        "argument {arg} of {call}() is no per-CPU variable of the kernel's",
        "The helper takes the address of a typed kernel variable (extern … __ksym) in per-CPU memory.",
        "Declare the variable with __ksym, and use one that is per-CPU.",
    ),
    "percpu-size": rule(
        "the size of the per-CPU variable is not known",
        "The kernel's BTF has to say how large it is.",
        "Use a variable of a complete type.",
    ),
    "sockmap-argument": rule(
        "the value for this socket map is no socket",
        "Values of sockmap and sockhash are sockets.",
        "Pass a socket, from a look-up or from the context.",
    ),
    "snprintf-format": rule(
        "the format string of {call}() has a specifier that it does not know, or the wrong number of arguments",
        "Formats know %d %i %u %x %ld %lld %p %pB %pK %pks %pus %ps %pS %pI4 %pI6 %s %c, and each needs its argument.",
        "Use those, and pass 8 bytes for each specifier.",
    ),
    "snprintf-data": rule(
        "the size of the data for {call}() is not right",
        "Each value takes 8 bytes.",
        "Pass an array of __u64 and its size (the macros BPF_SNPRINTF and bpf_printk do it).",
    ),
    "const-string-type": rule(
        "argument {arg} of {call}() is no constant string",
        "The string must lie in a read-only map, so that the verifier can read it.",
        'static const char fmt[] = "…"; outside the function',
    ),
    "const-string-writable": rule(
        "the string that {call}() is given lies in a map that can be written",
        "The string must be constant: in .rodata, frozen, read-only for programs.",
        'static const char fmt[] = "…"; (volatile or non-const globals don\'t work).',
    ),
    "const-string-address": rule(
        "the address of the string for {call}() is not constant",
        "The verifier reads the string, so it must know which one.",
        "Pass one string literal; no index into an array of strings.",
    ),
    "const-string-map": rule(
        "the string for {call}() can't be read from its map",
        "It must lie in a read-only array of one element, such as .rodata.",
        'static const char fmt[] = "…"; outside the function.',
    ),
    "const-string-open": rule(
        "the string for {call}() has no end",
        "Strings end in a zero byte.",
        "Don't declare the array exactly as long as its text.",
    ),
    "map-helper-mismatch": rule(
        "{call}() does not work on maps of this type",
        "Each helper works on certain map types, and each map type with certain helpers.",
    ),
    "for-each-map": rule(
        "bpf_for_each_map_elem() can't walk maps of this type",
        "It walks array and hash maps, per-CPU ones and LRU ones too.",
        "Use a hash or array map, or keep a list of keys.",
    ),
    "tail-call-map": rule(
        "the map of a tail call is not a program array, or not the same on all paths",
        "bpf_tail_call() takes one BPF_MAP_TYPE_PROG_ARRAY, known when the program is loaded.",
        "Pass &map of a program array directly.",
    ),
    "tail-call-depth": rule(
        "the stack is too deep for a tail call in a function",
        "Where a function that is called makes tail calls, the frames below it may take 256 bytes at most.",
        "Make large local variables of its callers global, or keep them in a per-CPU map.",
    ),
    "tail-call-return": rule(
        "a function that makes tail calls must return int",
        "A tail call in a function ends it with an int.",
        "Declare the function to return int.",
    ),
    "tail-call-subprog": rule(
        "a function makes a tail call, but the program has no BTF",
        "Tail calls in functions need BTF that says they return int.",
        "Compile with -g.",
    ),
    "call-depth": rule(
        "functions call each other too deeply",
        "At most 8 frames of calls, callbacks included; recursion is not possible.",
        "Inline functions (static __always_inline), or turn recursion into a loop with a stack in a map.",
    ),
    "stack-depth": rule(
        "the program needs more stack than there is",
        "All functions on a call chain share 512 bytes of stack.",
    ),
    "call-target": rule(
        "a call does not go to the beginning of a function",
        "The target of a call must be inside the program.",
        "This is not compiler output: fix the tool that linked the program.",
    ),
    "too-many-subprogs": rule(
        "the program has too many functions",
        "At most 256 functions.",
        "Inline small ones.",
    ),
    "function-calls": rule(
        "calling functions takes CAP_BPF",
        "Unprivileged programs consist of one function.",
        "Mark functions static __always_inline, or load with CAP_BPF.",
    ),
    "func-arg-type": rule(
        "argument {arg} of a global function is of another kind than the function declares",
        "Global functions are checked by themselves, with arguments as declared; so calls must fit the declaration.",
        "Pass what is declared, or make the function static: then it is checked at each call.",
    ),
    "func-arg-null": rule(
        "a pointer that may be NULL is passed to a global function that says it is not",
        "The parameter is marked __arg_nonnull.",
        "Compare it with NULL before the call.",
    ),
    "func-arg": rule(
        "a parameter of a global function has a type that is not possible",
        "Parameters of global functions are numbers, pointers to the context, to memory of known size, or marked with "
        "an __arg_ tag.",
        "Make the function static, or pass a pointer to a struct.",
    ),
    "func-arg-tag": rule(
        "the __arg_ tag of a parameter does not fit its type",
        "__arg_ctx, __arg_nonnull, __arg_trusted, __arg_nullable, __arg_arena and dynptr parameters each want certain "
        "types, and exclude each other.",
        "Use one tag that fits the type.",
    ),
    "func-arg-size": rule(
        "the size of what a global function's parameter points to is not known",
        "The verifier must know how much memory the function may touch.",
        "Use a pointer to a complete struct or to a number; or make the function static.",
    ),
    "func-args": rule(
        "a global function has too many parameters",
        "Functions take 5 parameters at most.",
        "Pass a pointer to a struct.",
    ),
    "func-return": rule(
        "a global function returns something that is no number",
        "Global functions return int or another integer.",
        "Return an int, or make the function static.",
    ),
    "func-btf": rule(
        "a global function has no usable BTF",
        "Global functions are checked by their types, so they need BTF.",
        "Compile with -g, or make the function static.",
    ),
    "func-no-btf": rule(
        "a function is called whose types are not known",
        "Calls of global functions need BTF.",
        "Compile with -g.",
    ),
    "func-unreliable-btf": rule(
        "the compiler changed a function's parameters, so that its BTF does not describe it",
        "Optimised static functions may lose parameters.",
        "Mark the function __noinline and use all its parameters.",
    ),
    "callback-return": rule(
        "the callback returns something that is no number",
        "Callbacks return a number: 0 to go on, 1 to stop.",
        "Return 0 or 1.",
    ),
    "callback-btf": rule(
        "the address of a function is taken, but the program has no function information",
        "Callbacks need BTF.",
        "Compile with -g.",
    ),
    "callback-linkage": rule(
        "the callback is a global function",
        "Callbacks must be static.",
        "Write static in front of the function.",
    ),
    "exception-cb-args": rule(
        "the exception callback has the wrong parameters",
        "It takes one u64, the cookie.",
        "int handler(__u64 cookie)",
    ),
    "return-range": rule(
        "the return value may be outside what programs of type {type} may return",
        "Each program type has its return values.",
    ),
    "return-not-scalar": rule(
        "the program returns something that is no number",
        "The return value must be a number that the verifier knows.",
        "Return a number on every path.",
    ),
    # kernel functions
    "kfunc-not-allowed": rule(
        "programs of type {type} can't call the kernel function {call}()",
        "Each kernel function is offered to certain program types, some to sleepable or certain attach points only.",
        "Look for a helper that does it, or do this part in a program of a type that has it.",
    ),
    "kfunc-license": rule(
        "kernel functions are for programs under a GPL-compatible licence only",
        "The kernel lets GPL-compatible programs call its functions.",
        GPL,
    ),
    "kfunc-sleeps": rule(
        "{call}() may sleep, and may not here",
        "Kernel functions that may sleep need a sleepable program, outside RCU, preempt-off and IRQ-off sections.",
        'Make the program sleepable (SEC("fentry.s/…"), SEC("lsm.s/…"), SEC("syscall")), or call it outside of it.',
    ),
    "kfunc-destructive": rule(
        "{call}() can take the machine down",
        "Destructive kernel functions take CAP_SYS_BOOT.",
        "Load with CAP_SYS_BOOT.",
    ),
    "kfunc-rcu": rule(
        "{call}() has to be called inside an RCU section",
        "The objects that it works on are protected by RCU.",
        "bpf_rcu_read_lock(); … bpf_rcu_read_unlock(); around it.",
    ),
    "kfunc-null": rule(
        "{it} may be NULL and is passed to {call}()",
        "This argument must not be NULL.",
        "Compare it with NULL before the call.",
    ),
    "kfunc-untrusted": rule(
        "{it} is passed to {call}(), which wants a pointer that is known to be valid",
        "Kernel functions take pointers that are referenced, trusted (arguments of tracepoints and LSM hooks, "
        "bpf_get_current_task_btf()) or protected by RCU; pointers read out of kernel structs are none of these.",
        "Acquire a reference first (bpf_task_acquire(), bpf_cgroup_acquire() …), compare the result with NULL, release "
        "it after use.",
    ),
    "kfunc-arg": rule(
        "argument {arg} of {call}() is of another kind than the function takes",
        "A kernel function's arguments must be what it declares.",
        PASS_OBJECT,
    ),
    "kfunc-args": rule(
        "{call}() has more parameters than programs can pass",
        "Five arguments are the most.",
        "Use another function.",
    ),
    "kfunc-arg-struct": rule(
        "argument {arg} of {call}() points to another struct than the function takes",
        "A kernel function that takes an object takes that type of object only.",
        PASS_OBJECT,
    ),
    "kfunc-sizes": rule(
        "{call}() names its size twice",
        "A kernel function has one size for its buffer.",
        "Use another function.",
    ),
    "kfunc-lock": rule(
        "argument {arg} of {call}() is no lock in a map value or allocated object",
        "Locks live in map values and allocated objects.",
        "Pass the address of a struct bpf_spin_lock or bpf_res_spin_lock member.",
    ),
    "kfunc-workqueue": rule(
        "argument {arg} of {call}() does not point into a map value",
        "Work queues live in map values.",
        "Put a struct bpf_wq into the map's value and pass its address.",
    ),
    "workqueue-map": rule(
        "the work queue belongs to another map than the one that is passed",
        "Both arguments must come from the same map.",
        "Pass the map that the value was found in.",
    ),
    "kfunc-return": rule(
        "what {call}() returns can't be used by programs",
        "Kernel functions return numbers, nothing, or pointers to structs.",
        "Use another function.",
    ),
    "kfunc-btf": rule(
        "the kernel's types are not there, so kernel functions can't be found",
        "Kernel functions are called by their BTF id.",
        "Use a kernel with CONFIG_DEBUG_INFO_BTF=y.",
    ),
    "kfunc-id": rule(
        "the call does not name a function of this kernel",
        "Kernel functions are called by their BTF id, which differs from kernel to kernel.",
        "Let the loader resolve the name (extern … __ksym), with the target's BTF.",
    ),
    "kfunc-proto": rule(
        "the signature of the kernel function can't be called from programs",
        "Kernel functions for programs take and return numbers and pointers.",
        "Use another function.",
    ),
    "kfunc-device": rule(
        "{call}() is for programs that are bound to a network device",
        "Metadata functions (bpf_xdp_metadata_…) ask a certain device's driver.",
        "Load with the flag BPF_F_XDP_DEV_BOUND_ONLY and an ifindex.",
    ),
    "kfunc-number": rule(
        "the kernel function could not be linked",
        "Each kernel function that is called must have its place.",
        "Report it: this should not happen.",
    ),
    "too-many-kfuncs": rule(
        "the program calls too many different kernel functions",
        "256 at most.",
        "Split the program.",
    ),
    "not-scalar": rule(
        "{it} is passed to {call}(), which wants a number",
        "This argument is a number.",
        "Pass a number.",
    ),
    "not-a-map": rule(
        "{it} is passed to {call}(), which wants a map",
        "This argument is the address of a map.",
        "Pass &map.",
    ),
    "not-ctx": rule(
        "{it} is passed to {call}(), which wants the context",
        "This argument is the program's own argument.",
        "Pass ctx as it was given.",
    ),
    "not-constant": rule(
        "{it} is passed to {call}(), which wants a constant",
        "The verifier needs to know this number when the program is loaded.",
        "Pass a constant.",
    ),
    "kernel-ctx": rule(
        "the program's context has no kernel type",
        "The cast to the kernel's context needs its BTF.",
        "Use a kernel with BTF.",
    ),
    "cast-type": rule(
        "the type that the cast names is no struct of this kernel",
        "bpf_rdonly_cast() takes the BTF id of a struct, or 0 for plain memory.",
        "bpf_rdonly_cast(p, bpf_core_type_id_kernel(struct …))",
    ),
}
