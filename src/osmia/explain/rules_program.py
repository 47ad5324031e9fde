"""Words for refusals of a whole program: size, loops, shape of the code, BTF, maps, attach points, capabilities."""

from __future__ import annotations

from osmia.explain.rule import Rule, rule

TOOL = "This is not compiler output: fix the tool that wrote the program."
STALE = "Let the compiler and the loader write this section; don't edit instructions without it."
CHECK_NAME = (
    "Check the name in the section, and that the target kernel has it: bpftool btf dump file /sys/kernel/btf/vmlinux"
)
GPL = 'char LICENSE[] SEC("license") = "GPL";'

RULES: dict[str, Rule] = {
    # how much of it
    "insn-count": rule(
        "the program has {insns} instructions, more than this loader may load",
        "A program has 1,000,000 instructions at most; 4,096 for loaders without CAP_BPF.",
    ),
    "too-many-insns": rule(
        "the verifier gave up: it looked at 1,000,000 instructions and was not done",
        "The verifier walks every path, and each turn of a loop is a part of a path; together they may take 1,000,000 "
        "instructions.",
    ),
    "too-many-jumps": rule(
        "the verifier gave up: too many branches wait to be walked",
        "At most 8,192 branches may wait while one path is walked.",
    ),
    "infinite-loop": rule(
        "the loop never ends, as far as the verifier can see",
        "Every loop must come to an end: in each turn something must change that its condition depends on.",
    ),
    "back-edge": rule(
        "the program contains a loop, and this loader may not load loops",
        "Loops take CAP_BPF (and a kernel from 5.3 on).",
        "Load with CAP_BPF, or unroll it: #pragma unroll.",
    ),
    "unreachable": rule(
        "some instructions can never be reached",
        "Every instruction must be reached by some jump: dead code is refused at once, before any path is walked.",
        "Remove them. Compilers leave such code only behind calls that they take for returning.",
    ),
    "too-many-maps": rule(
        "the program uses too many maps",
        "64 maps at most.",
        "Put several tables into one map, or use a map of maps.",
    ),
    "may-goto": rule(
        "the may_goto instruction has a wrong immediate",
        "Its imm is 0.",
        "Use the macros cond_break and can_loop.",
    ),
    # the shape of the code
    "jump-target": rule(
        "a jump leaves its function",
        "Jumps stay inside their function.",
        TOOL,
    ),
    "jump-into-load": rule(
        "a jump goes into the middle of a 64-bit constant",
        "A 64-bit load takes two slots, and only the first is an instruction.",
        TOOL + " Jump distances count slots, not instructions.",
    ),
    "jump-opcode": rule("the jump is of a kind that does not exist", "Jumps are listed in the instruction set.", TOOL),
    "no-end": rule(
        "a function does not end in exit or a jump",
        "A path must not run out of its function.",
        "Return on every path; in assembly, put exit at the end. C code that ends in __builtin_unreachable(), an "
        "endless loop or undefined behaviour compiles to this.",
    ),
    "insn-index": rule("a path leaves the program", "Every path ends with exit.", TOOL),
    "opcode": rule(
        "the program has an instruction that this kernel does not know",
        "Newer instructions (-mcpu=v4) need newer kernels (6.6 and later).",
        "Compile for an older processor: -mcpu=v3 or v2.",
    ),
    "unknown-opcode": rule(
        "the program has an arithmetic instruction that does not exist",
        "Operations are listed in the instruction set.",
        TOOL,
    ),
    "reserved-fields": rule(
        "fields of the instruction are set that its kind does not use",
        "Unused fields must be 0; in newer kernels some of them mean something (-mcpu=v4).",
        "If a compiler made it, compile for an older processor: -mcpu=v3. Otherwise fix the tool that wrote it.",
    ),
    "reserved-jump-field": rule("unused fields of a jump are set", "Unused fields must be 0.", TOOL),
    "ldx-reserved": rule(
        "fields of a load are set that it does not use",
        "Unused fields must be 0; sign-extending loads need -mcpu=v4 and a kernel from 6.6 on.",
        "Compile for an older processor: -mcpu=v3.",
    ),
    "stx-reserved": rule("fields of a store are set that it does not use", "Unused fields must be 0.", TOOL),
    "ld-imm": rule("the 64-bit load is malformed", "It takes two slots; the second holds the upper half.", TOOL),
    "ld-imm64": rule("the 64-bit load is malformed", "It takes two slots; the second holds the upper half.", TOOL),
    "ld-imm64-kind": rule(
        "the 64-bit load is of a kind that this kernel does not know",
        "It loads a number, a map, a place in a map's value, a kernel variable or a function.",
        TOOL,
    ),
    "ld-mode": rule("the load is of a kind that does not exist", "Loads are listed in the instruction set.", TOOL),
    "ld-abs-type": rule(
        "programs of type {type} have no classic packet loads",
        "BPF_LD_ABS and BPF_LD_IND are for socket filters, tc and cgroup_skb.",
        "Read the packet through data and data_end.",
    ),
    "ld-abs-ctx": rule(
        "a classic packet load needs the context in R6",
        "BPF_LD_ABS and BPF_LD_IND take the skb from R6.",
        "In assembly: r6 = r1 at the beginning.",
    ),
    "ld-abs-return": rule(
        "a function with classic packet loads must return int",
        "Such a load may end the function.",
        "Declare the function to return int.",
    ),
    "ld-abs-subprog": rule(
        "a function has classic packet loads, but the program has no BTF",
        "The function must be known to return int.",
        "Compile with -g.",
    ),
    # BTF
    "btf": rule(
        "the kernel does not take the program's BTF",
        "BTF is checked when it is loaded; newer kinds need newer kernels.",
        "Compile with an older compiler or strip what is too new: pahole --btf_features, or without -g.",
    ),
    "btf-capability": rule(
        "loading BTF takes CAP_BPF",
        "Loaders without CAP_BPF can't load BTF.",
        "Load with CAP_BPF; without it the program has to do without BTF: compile without -g.",
    ),
    "no-btf": rule(
        "the program has function or line information, but no BTF",
        "Both refer to types and strings of the BTF.",
        STALE,
    ),
    "no-vmlinux-btf": rule(
        "the kernel has no BTF of its own",
        "Typed access to kernel objects needs CONFIG_DEBUG_INFO_BTF=y.",
        "Use a kernel with BTF, or bpf_probe_read_kernel().",
    ),
    "btf-id": rule(
        "the kernel variable or function that the program refers to is not there",
        "It is referred to by its BTF id, which differs from kernel to kernel.",
        "Let the loader resolve the name; mark it __weak and test its address if it may be missing.",
    ),
    "btf-id-kind": rule(
        "what the program refers to is no kernel variable and no function",
        "Typed kernel symbols are variables or functions.",
        "Check the name of the extern … __ksym.",
    ),
    "var-size": rule(
        "the size of the kernel variable is not known",
        "Its type must be complete in the kernel's BTF.",
        "Use another variable.",
    ),
    "ksym-address": rule(
        "the kernel has no address for the variable",
        "Variables must stand in the kernel's symbol table (CONFIG_KALLSYMS_ALL for data).",
        "Use a kernel with CONFIG_KALLSYMS_ALL=y, or mark the symbol __weak.",
    ),
    "module-btf-fd": rule(
        "the module of the kernel function or variable is not given as it should be",
        "Symbols of modules are named by the module's BTF descriptor.",
        "Load the module, and let the loader resolve the name.",
    ),
    "fd-array": rule(
        "the program refers to maps by their place in a list, and there is no list",
        "Loads by index take the fd_array of BPF_PROG_LOAD.",
        "Let libbpf, or the light skeleton, load it.",
    ),
    "func-info-count": rule("function information does not fit the program", "One row for each function.", STALE),
    "func-info-layout": rule("function information does not fit the program", "One row where each begins.", STALE),
    "func-info-order": rule("function information is not in order", "Rows go by instruction.", STALE),
    "func-info-start": rule("function information does not begin at 0", "The first row is the main function's.", STALE),
    "func-info-type": rule("function information names what is no function", "Its types are functions.", STALE),
    "func-info-proto": rule("function information has a wrong prototype", "Its types are functions.", STALE),
    "line-info-count": rule("line information is too long", "At most a row for each instruction.", STALE),
    "line-info-order": rule("line information is not in order", "Rows go by instruction.", STALE),
    "line-info-insn": rule("line information points between instructions", "A row belongs to an instruction.", STALE),
    "line-info-string": rule("line information names strings that are not there", "Strings lie in the BTF.", STALE),
    "line-info-func": rule("a function has no line information", "Each function needs a row where it begins.", STALE),
    "line-info-funcs": rule("functions have no line information", "Each function needs a row where it begins.", STALE),
    "ctx-arg": rule(
        "the parameter that is tagged as context is not of this program type's context",
        "__arg_ctx parameters are void * or the type's own struct.",
        "Use void *, or the struct that the program itself is given.",
    ),
    "func-arg-candidates": rule(
        "the type of a global function's parameter can't be found in the kernel, or is there twice",
        "__arg_trusted and __arg_untrusted parameters point to kernel types.",
        "Use a struct of the kernel (from vmlinux.h) and compile with -g.",
    ),
    "func-arg-untrusted": rule(
        "the type of an __arg_untrusted parameter is not possible",
        "Untrusted parameters point to kernel structs or plain numbers.",
        "Use such a type.",
    ),
    # maps
    "map-create": rule(
        "the map {map} can't be made",
        "BPF_MAP_CREATE checks sizes, flags and value types before any program is loaded.",
    ),
    "map-fd": rule("the program refers to a map that is not there", "Maps are made first.", "Let the loader make it."),
    "map-value-access": rule(
        "the program takes an address outside a map's value",
        "Addresses of global variables lie inside their section's map.",
        "An array index in a constant address is too large: check it.",
    ),
    "map-value-offset": rule(
        "the program takes an address too far inside a map's value",
        "Offsets go to 2^29.",
        "Use a smaller array.",
    ),
    "map-value-type": rule(
        "values of this type of map have no address that a program could load",
        "Only arrays of one element (global variables) and arenas do.",
        "Use bpf_map_lookup_elem().",
    ),
    "two-cgroup-storages": rule(
        "the program uses two cgroup storage maps of one type",
        "One shared and one per-CPU storage at most.",
        "Put both structs into one.",
    ),
    "sleepable-map": rule(
        "a sleepable program uses a map that is not for such programs",
        "Sleepable programs use arrays, hash maps, ring buffers, local storage, and a few more.",
        "Use a hash map in place of a queue, stack, trie or perf event array.",
    ),
    "struct-ops-map": rule(
        "the program uses a struct_ops map as data",
        "struct_ops maps are for registering.",
        "Don't refer to it from programs.",
    ),
    "two-arenas": rule("the program uses two arenas", "One arena for each program.", "Use one."),
    "arena-caps": rule(
        "arenas take CAP_BPF and CAP_PERFMON", "Arena memory is shared with the process.", "Load with both."
    ),
    "arena-address": rule(
        "the arena has no address in the process yet",
        "An arena is mapped before programs that use it are loaded.",
        "Let libbpf map it, or set map_extra.",
    ),
    # what it attaches to
    "prog-flags": rule("the load has flags that this kernel does not know", "", "Drop them."),
    "prog-capability": rule(
        "this loader may not load programs of type {type}",
        "Each type takes capabilities: CAP_BPF for all, CAP_PERFMON for tracing, CAP_NET_ADMIN for networking.",
    ),
    "prog-type": rule(
        "programs of type {type} can't be loaded with this attach type",
        "Some types need an expected attach type, and each knows certain ones.",
        'Check the section name: SEC("…") decides both.',
    ),
    "attach-type": rule(
        "programs of type {type} can't be attached like this",
        "Tracing programs are fentry, fexit, fmod_ret, tp_btf or iter.",
        'Check the section name: SEC("fentry/…"), SEC("tp_btf/…") …',
    ),
    "no-attach-btf-id": rule(
        "what the program attaches to does not exist in this kernel",
        "Tracing, LSM and struct_ops programs name a function, tracepoint or struct of the kernel's BTF.",
        CHECK_NAME,
    ),
    "iterator": rule(
        "this kernel has no such iterator",
        "Iterators are named in the kernel's BTF.",
        CHECK_NAME,
    ),
    "tracepoint-kind": rule("the target is no tracepoint", "tp_btf programs name a raw tracepoint.", CHECK_NAME),
    "tracepoint-name": rule("the target is no tracepoint", "tp_btf programs name a raw tracepoint.", CHECK_NAME),
    "tracepoint-proto": rule("the tracepoint's arguments are not known", "Its BTF must name a function.", CHECK_NAME),
    "target-kind": rule("the target is no function", "fentry, fexit and fmod_ret name a function.", CHECK_NAME),
    "target-proto": rule("the target's signature is not known", "Its BTF must have a prototype.", CHECK_NAME),
    "denied-function": rule(
        "this kernel function can't be traced like this",
        "Some functions are called by the tracing code itself.",
        "Attach to a caller of it.",
    ),
    "noreturn-function": rule(
        "the target never returns",
        "fexit and fmod_ret wait for a return that does not come.",
        "Use fentry, or a tracepoint such as sched_process_exit.",
    ),
    "ext-kernel": rule(
        "a program of type ext replaces functions of another BPF program, not of the kernel",
        "freplace names a loaded program and a global function of it.",
        "Load the target first and name it.",
    ),
    "lsm-license": rule("LSM programs must be under a GPL-compatible licence", "The kernel asks for it.", GPL),
    "lsm-hook": rule(
        "the target is no LSM hook",
        "LSM programs attach to the hooks named bpf_lsm_….",
        'SEC("lsm/file_open"): a hook from include/linux/lsm_hook_defs.h of the target kernel.',
    ),
    "struct-ops-license": rule(
        "struct_ops programs must be under a GPL-compatible licence", "The kernel asks for it.", GPL
    ),
    "struct-ops-target": rule(
        "the kernel has no such struct of functions", "struct_ops stands in for structs of the kernel's.", CHECK_NAME
    ),
    "struct-ops-struct": rule(
        "the struct can't be implemented by programs",
        "Only some do: tcp_congestion_ops, sched_ext_ops, Qdisc_ops, hid_bpf_ops …",
        "Use one of those.",
    ),
    "struct-ops-member": rule(
        "the struct has no such member", "The program names a member by its number.", "Let the loader number it."
    ),
    "struct-ops-function": rule(
        "the struct's member is no function", "Programs stand in for functions.", "Set data members in the map."
    ),
    "struct-ops-unsupported": rule(
        "this member can't be implemented by a program",
        "The kernel leaves some functions of the struct to modules, and lets few of them sleep.",
        "Leave the member empty, or make the program not sleepable.",
    ),
    "sleepable": rule(
        "programs of this type can't be sleepable",
        "fentry, fexit, fmod_ret, LSM, iter, uprobe and struct_ops programs can.",
        "Drop the .s from the section name.",
    ),
    "syscall-sleepable": rule(
        "syscall programs must be sleepable",
        "They run in a process's context.",
        'SEC("syscall") sets the flag; let the loader do it.',
    ),
    # exceptions
    "exception-cb-call": rule(
        "the exception callback is called like a function", "It is called by bpf_throw() only.", "Don't call it."
    ),
    "exception-cb-func-info": rule(
        "the exception callback has no function information", "It is named by BTF.", "Compile with -g."
    ),
    "exception-cb-linkage": rule(
        "the exception callback is static", "It must be global.", "Drop static and give it __weak."
    ),
    "exception-cb-main": rule(
        "the program itself is named as its exception callback", "It must be another function.", "Write one."
    ),
    "exception-cb-missing": rule(
        "the exception callback that is named does not exist",
        "__exception_cb(name) names a global function of the program.",
        "Define it.",
    ),
    "exception-cb-tags": rule("two exception callbacks are named", "One for each program.", "Drop one."),
    "exception-cb-tail-call": rule(
        "the exception callback makes a tail call", "It ends the program.", "Return a number."
    ),
    "throw-in-callback": rule(
        "a callback throws an exception", "Exceptions don't pass through the kernel.", "Return 1 and throw behind it."
    ),
    "async-cb-tail-call": rule(
        "an asynchronous callback makes a tail call", "It has no program to leave.", "Call a function."
    ),
    # other
    "verifier-bug": rule(
        "the verifier contradicts itself",
        "This is a check of the verifier's own: the program is not to blame for sure.",
        "Change the code around it a little (another order of checks), and report it to bpf@vger.kernel.org.",
    ),
    "log-attributes": rule(
        "the log's level or size is not possible",
        "A level is a mask of 1, 2, 4, 8; a buffer needs a level.",
        "Change --log-level or --log-size.",
    ),
    "log-buffer": rule(
        "the log's buffer is too small",
        "A load whose log does not fit fails, whatever the verdict.",
        "Use a larger buffer, level 1, or none.",
    ),
}
