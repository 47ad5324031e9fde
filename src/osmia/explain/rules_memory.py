"""Words for refusals of loads, stores and pointer arithmetic: what memory may be touched, and how."""

from __future__ import annotations

from osmia.explain.rule import Rule, rule

RULES: dict[str, Rule] = {
    "uninit-register": rule(
        "{it} is read, but nothing was written to it on this path",
        "A register may be read only after every path to that point has written to it.",
        "Give the variable a value where it is declared, or in every branch that leads here.",
    ),
    "bad-register": rule(
        "the instruction names a register that does not exist",
        "eBPF has registers R0 to R10.",
        "This is not compiler output: fix the tool that wrote the instructions.",
    ),
    "frame-pointer-write": rule(
        "the program writes to R10, the frame pointer",
        "R10 always points to the end of the stack and can't be changed.",
        "Copy R10 to another register and change that one.",
    ),
    "invalid-mem-access": rule(
        "{it} is no pointer that can be read or written through",
        "Memory is reached only through pointers that the verifier knows: context, stack, packet, map values, and "
        "what helpers return.",
    ),
    "read-only": rule(
        "the program writes to memory that it may only read",
        "What {it} points to belongs to the kernel or is constant; programs may read it.",
        "Write to a copy: a variable on the stack, or a map value.",
    ),
    "out-of-bounds": rule(
        "the access may reach outside the memory that {it} points to",
        "Every access has to stay inside the object that the pointer belongs to, whatever values the path allows.",
    ),
    "unbounded-access": rule(
        "{it} is used as an offset, but nothing says how large it can be",
        "An offset that is not constant needs an upper bound that keeps the access inside the object.",
    ),
    "negative-offset": rule(
        "{it} is used as an offset and may be negative",
        "An offset must be known to be at least 0.",
    ),
    "packet-range": rule(
        "the packet is read where it has ended",
        "On this path the pointer was compared with data_end and lies at or behind it.",
        "Turn the comparison round, or move the access into the other branch.",
    ),
    "ctx-access": rule(
        "the context has nothing of that size at that offset for a program of type {type}",
        "Each program type may read certain fields of its context, write a few, and only in certain sizes.",
        "Use the context's struct and a field that exists for {type} programs, and read the whole field.",
    ),
    "ctx-conversion": rule(
        "the access to the context can't be turned into an access to the kernel's own struct",
        "The kernel rewrites accesses to the context; this one has no counterpart.",
        "Read the field as it is declared.",
    ),
    "misaligned": rule(
        "{size} are accessed at an address that is not a multiple of {bytes}",
        "Stack accesses, atomic operations and (in strict mode) all others have to be aligned to their size.",
        "Align the variable or member to its size (no packed struct on the stack), or access it byte by byte.",
    ),
    "stack-read": rule(
        "bytes of the stack are read that were never written on this path",
        "The stack holds what the program wrote there, and nothing else may be read.",
        "Initialise the whole variable where it is declared, padding included.",
    ),
    "stack-bounds": rule(
        "the access lies outside the stack",
        "A function has the 512 bytes below R10 (fp-512 to fp-1) at most.",
        "Move large variables to a per-CPU array map, or keep the index inside the array.",
    ),
    "stack-unbounded": rule(
        "the stack is accessed at an offset that has no bounds",
        "A variable offset into the stack needs a lower and an upper bound.",
        "Check the index against the size of the array before it is used.",
    ),
    "stack-var-off-helper": rule(
        "a helper would be given stack memory at an offset that is not constant, and may hold pointers",
        "Where saved pointers may lie, the stack is read at constant offsets.",
        "Pass a variable at a fixed place on the stack.",
    ),
    "stack-var-off-unpriv": rule(
        "the stack is accessed at an offset that is not constant, by a loader without CAP_PERFMON",
        "Without CAP_PERFMON stack offsets have to be constant, because of speculative execution.",
        "Load with CAP_PERFMON, or unroll the loop over the array, or keep the array in a map.",
    ),
    "variable-stack-access": rule(
        "a pointer into the stack is moved by an unknown amount, by a loader without CAP_PERFMON",
        "Without CAP_PERFMON stack offsets have to be constant, because of speculative execution.",
        "Load with CAP_PERFMON, or keep the array in a map.",
    ),
    "stack-corrupt-spill": rule(
        "part of a saved register would be overwritten",
        "Without CAP_PERFMON what was saved on the stack (on some kernels numbers too) is overwritten as a whole.",
        "Write all 8 bytes of the slot.",
    ),
    "stack-spill-size": rule(
        "only part of a pointer would be saved",
        "Pointers are stored with all their 8 bytes.",
        "Store the pointer as a 64-bit value.",
    ),
    "stack-fill-size": rule(
        "only part of a saved pointer would be read back",
        "Pointers are read with all their 8 bytes.",
        "Read the pointer as a 64-bit value.",
    ),
    "stack-spill-to-caller": rule(
        "a pointer into this function's stack would be stored in the caller's frame",
        "The frame is gone when the function returns, so pointers into it may not outlive it.",
        "Let the caller own the buffer and pass its address down.",
    ),
    "stack-var-write-spill": rule(
        "a store at a variable offset could overwrite a saved pointer",
        "Without CAP_PERFMON a store at an unknown place may not touch slots that hold pointers.",
        "Keep the array apart from the pointers, or load with CAP_PERFMON.",
    ),
    "stack-var-write-uninit": rule(
        "a store at a variable offset could leave bytes of the stack unwritten",
        "Without CAP_PERFMON the whole range has to be written before.",
        "Zero the array first.",
    ),
    "stack-leak": rule(
        "a pointer on the stack would be handed out as data",
        "Without CAP_PERFMON kernel addresses may not get out of the program.",
        "Don't put pointers into what is passed on; or load with CAP_PERFMON.",
    ),
    "stack-dynptr": rule(
        "the memory that a helper writes holds a dynptr",
        "A dynptr on the stack is changed only by the functions for dynptrs.",
        "Pass other memory.",
    ),
    "return-stack-pointer": rule(
        "the function returns a pointer into its own stack",
        "The frame is gone when the function returns.",
        "Let the caller pass a buffer, or return a value.",
    ),
    "flow-keys": rule(
        "the access lies outside struct bpf_flow_keys",
        "The struct has 56 bytes.",
        "Use its members.",
    ),
    "buffer-offset": rule(
        "the buffer is accessed at a negative offset",
        "Only offsets from 0 on are inside the buffer.",
        "Use offsets from its beginning.",
    ),
    "buffer-variable-offset": rule(
        "the buffer is accessed at an offset that is not constant",
        "The buffer's size is known when the program is attached, so only constant offsets can be checked.",
        "Use constant offsets.",
    ),
    "map-read-only": rule(
        "the program writes to a map that programs may only read",
        "The map has the flag BPF_F_RDONLY_PROG (constants in .rodata have it too).",
        "Don't declare the variable const, or drop the flag.",
    ),
    "map-write-only": rule(
        "the program reads a map that programs may only write",
        "The map has the flag BPF_F_WRONLY_PROG.",
        "Drop the flag.",
    ),
    "map-key-write": rule(
        "the callback writes to the element's key",
        "Keys of a map that is walked may be read, not changed.",
        "Copy the key to the stack first.",
    ),
    "map-direct-read": rule(
        "the constant can't be read from this map before the program runs",
        "Constant reads are made of frozen arrays of one element.",
        "Give the map one element, or don't freeze it.",
    ),
    "map-pointer": rule(
        "the fields of this map's kernel object can't be read",
        "Only some map types let programs look at struct bpf_map.",
        "Keep what you need in a global variable.",
    ),
    "special-field": rule(
        "a lock, timer or other special field of the map's value is accessed like data",
        "Such fields belong to the kernel: only their own helpers touch them.",
        "Access the other members one by one; don't copy or clear the whole value.",
    ),
    "packet-write": rule(
        "programs of type {type} may not write to the packet",
        "Only some types (xdp, sched_cls, sched_act, lwt_xmit, sk_skb, sk_msg) write packets directly.",
        "Use a helper that this type has, or do it in a tc or XDP program.",
    ),
    "sock-access": rule(
        "the socket has no field there that programs may read",
        "Sockets are read field by field, through struct bpf_sock or bpf_tcp_sock.",
        "Use a member of the struct with its own size.",
    ),
    "pointer-type-mismatch": rule(
        "the same instruction accesses different kinds of memory on different paths",
        "The kernel rewrites some accesses by what the pointer is, so an instruction must always see the same kind.",
        "Write the access once in each branch, and keep the compiler from merging them: "
        'asm volatile("" ::: "memory") at the end of one.',
    ),
    "pointer-arithmetic": rule(
        "this arithmetic is not possible with a pointer",
        "Pointers may be moved by adding or subtracting numbers with 64-bit operations, and nothing else.",
        "Do the arithmetic on an index first and add that to the pointer once.",
    ),
    "pointer-maybe-null": rule(
        "{it} is moved before it is compared with NULL",
        "A pointer that may be NULL has to be compared with NULL before anything is added to it.",
    ),
    "pointer-offset": rule(
        "{it} is used with an offset where it has to be as it was given, or within its limits",
        "Some pointers (the context, sockets, arguments of release functions) are passed and read without any offset "
        "of their own, and no pointer moves further than 2^29 bytes.",
        "Use a constant member of the struct; bound the number that is added; pass the original pointer.",
    ),
    "pointer-out-of-range": rule(
        "{it} is moved outside what it points to, by a loader without CAP_PERFMON",
        "Without CAP_PERFMON pointers have to stay inside their object after every step, because of speculation.",
        "Check the index before it is added to the pointer, or load with CAP_PERFMON.",
    ),
    "pointer-comparison": rule(
        "{it} is compared in a way that would show where it points",
        "Without CAP_PERFMON pointers are compared with NULL, and packet pointers with data_end; nothing else.",
        "Compare contents or indexes, not addresses; or load with CAP_PERFMON.",
    ),
    "pointer-leak": rule(
        "{it} is a pointer that would be handed out as a number",
        "Without CAP_PERFMON kernel addresses may not get out of the program.",
        "Pass what it points to, not the pointer; or load with CAP_PERFMON.",
    ),
    "leak-into-map": rule(
        "a pointer would be stored in a map",
        "Without CAP_PERFMON kernel addresses may not get out of the program.",
        "Store what it points to, not the pointer; or load with CAP_PERFMON.",
    ),
    "leak-into-mem": rule(
        "a pointer would be stored in memory that others read",
        "Without CAP_PERFMON kernel addresses may not get out of the program.",
        "Store what it points to, not the pointer; or load with CAP_PERFMON.",
    ),
    "leak-into-ctx": rule(
        "a pointer would be stored in the context",
        "Without CAP_PERFMON kernel addresses may not get out of the program.",
        "Store a number.",
    ),
    "leak-into-packet": rule(
        "a pointer would be written to the packet",
        "Without CAP_PERFMON kernel addresses may not get out of the program.",
        "Write a number; or load with CAP_PERFMON.",
    ),
    "leak-into-flow-keys": rule(
        "a pointer would be stored in the flow keys",
        "Kernel addresses may not get out of the program.",
        "Store a number.",
    ),
    "return-pointer": rule(
        "the program returns a pointer",
        "Without CAP_PERFMON kernel addresses may not get out of the program.",
        "Return a number: 0, or what the program type defines.",
    ),
    "atomic-pointer": rule(
        "atomic operations are not possible on this memory",
        "They work on the stack, map values, arenas and allocated objects, not on the context, packets or sockets.",
        "Keep the counter in a map value or a global variable.",
    ),
    "atomic-size": rule(
        "the atomic operation has a size that does not exist",
        "Atomic operations work on 4 or 8 bytes (loads and stores on all four sizes, where the processor has them).",
        "Use __u32 or __u64.",
    ),
    "atomic-opcode": rule(
        "the instruction is no atomic operation that this kernel knows",
        "There are add, and, or, xor, exchange and compare-exchange, and load-acquire and store-release.",
        "Compile with -mcpu=v3 for fetching operations; without them only add (__sync_fetch_and_add whose result is "
        "not used) is available on older kernels.",
    ),
    "division-by-zero": rule(
        "the program divides by the constant 0",
        "A constant divisor must not be 0.",
        "Divide by something else.",
    ),
    "invalid-shift": rule(
        "a number is shifted by a constant that is too large",
        "Shifts by a constant go from 0 to 31 or 63.",
        "Shift by less, or use a 64-bit type.",
    ),
    "addr-space-cast": rule(
        "an address is cast between address spaces without an arena",
        "Such casts exist only for programs that use an arena map.",
        "Use an arena map in the program, or drop __arena from the pointer.",
    ),
    "btf-access": rule(
        "the kernel struct has nothing that can be read there",
        "Kernel objects are read member by member, as their BTF describes them.",
        "Read a member with its own type, or use bpf_probe_read_kernel().",
    ),
    "btf-write": rule(
        "the program writes to a kernel object",
        "Kernel objects that are reached through BTF pointers may be read only, but for a few members.",
        "Use a helper or kernel function that changes it.",
    ),
    "btf-privilege": rule(
        "kernel objects may be read with CAP_PERFMON only",
        "Reading kernel memory takes CAP_PERFMON (or CAP_SYS_ADMIN).",
        "Load with CAP_PERFMON.",
    ),
    "btf-license": rule(
        "the program reads a kernel object, and its licence is not compatible with the GPL",
        "Kernel structs are open to GPL-compatible programs only.",
        'char LICENSE[] SEC("license") = "GPL"; (or "Dual BSD/GPL", "Dual MIT/GPL").',
    ),
    "btf-negative": rule(
        "a kernel object is read in front of its beginning",
        "Offsets into kernel objects are not negative.",
        "container_of() does not work on such pointers; use bpf_probe_read_kernel() or BPF_CORE_READ().",
    ),
    "btf-variable-offset": rule(
        "a kernel object is read at an offset that is not constant",
        "Members of kernel objects are reached at constant offsets.",
        "Use bpf_probe_read_kernel() for arrays inside kernel structs.",
    ),
    "btf-user-memory": rule(
        "user memory is read like kernel memory",
        "The pointer is marked __user: it belongs to the process.",
        "Use bpf_probe_read_user().",
    ),
    "btf-percpu-memory": rule(
        "per-CPU memory is read without naming a CPU",
        "The pointer is marked __percpu.",
        "Use bpf_this_cpu_ptr() or bpf_per_cpu_ptr() first.",
    ),
    "register-invariants": rule(
        "the verifier's bounds of a register contradict each other",
        "The program was loaded with BPF_F_TEST_REG_INVARIANTS, which makes this an error.",
        "Drop the flag; it is meant for testing the verifier.",
    ),
    "speculation": rule(
        "the arithmetic can't be made safe against speculative execution",
        "Without CAP_PERFMON every pointer move must have one direction and one limit on all paths.",
        "Load with CAP_PERFMON, or use constant offsets.",
    ),
    "zero-size": rule(
        "the size that the helper is given may be 0",
        "This argument has to be at least 1.",
        "Check the size before the call: if (len == 0) return 0;",
    ),
    "trap": rule(
        "the path reaches a place where the compiler found undefined behaviour",
        "Compilers put __bpf_trap() where a value is used that was never set, and it must not be reached.",
        "Compile with -Wall -Wuninitialized and give every variable a value.",
    ),
}
