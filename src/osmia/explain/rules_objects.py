"""Words for refusals around objects with a life: references, locks, dynptrs, iterators, kernel pointers, lists."""

from __future__ import annotations

from osmia.explain.rule import Rule, rule

SECTIONS = "End the section on every path before that."
TASK = "Use bpf_obj_new() in an xdp, tc, syscall or another program that may."

RULES: dict[str, Rule] = {
    "reference-leak": rule(
        "a reference is still held when the program ends",
        "What a program acquires (sockets, ring buffer records, tasks …) it must release on every path.",
    ),
    "release-not-held": rule(
        "{call}() would release something that is not held",
        "Only what was acquired on this path, and not released yet, can be released.",
        "Release it once, and only where acquiring it succeeded (inside the NULL check).",
    ),
    "release-unreferenced": rule(
        "{it} is passed to {call}(), but the program holds no reference to it",
        "Release functions take what an acquire function returned on this path: not a copy that was released before, "
        "nor a pointer found in memory.",
        "Pass what the acquire function returned, once, inside the NULL check.",
    ),
    "release-offset": rule(
        "{it} was moved, and {call}() wants the pointer as it was returned",
        "Release functions and trusted arguments take pointers without any offset.",
        "Keep the original pointer in a variable of its own and pass that.",
    ),
    "two-references": rule(
        "two arguments of {call}() are references",
        "A call takes one referenced object at most.",
        "Copy the data of one of them to the stack first.",
    ),
    "lock-held": rule(
        "a lock is still held when the program or function ends, or makes a call that is not allowed then",
        "Every bpf_spin_lock() needs its bpf_spin_unlock() on every path.",
        "Unlock before each return, also in error branches.",
    ),
    "two-locks": rule(
        "a second bpf_spin_lock is taken while one is held",
        "One bpf_spin_lock at a time.",
        "Unlock the first one before, or use one lock for both; bpf_res_spin_lock may be nested.",
    ),
    "deadlock": rule(
        "the lock that is taken is held already",
        "A lock that is taken twice never comes free.",
        "Unlock it first.",
    ),
    "unlock-unlocked": rule(
        "a lock is released that is not held on this path",
        "Every unlock needs its lock before it, on every path.",
        "Take the lock on all paths that lead here, or return earlier on those that don't.",
    ),
    "unlock-other": rule(
        "another lock is released than the one that is held",
        "What is unlocked must be the lock that was taken, reached through the same look-up.",
        "Keep the pointer of the first look-up and unlock through it.",
    ),
    "unlock-order": rule(
        "locks are released in another order than they were taken",
        "The lock that was taken last is released first.",
        "Swap the two unlocks.",
    ),
    "lock-tracing": rule(
        "programs of type {type} can't use maps with a bpf_spin_lock",
        "A tracing program could interrupt whoever holds the lock.",
        "Use atomic operations (__sync_fetch_and_add) or a per-CPU map; or bpf_res_spin_lock.",
    ),
    "lock-socket-filter": rule(
        "socket filters can't use maps with a bpf_spin_lock",
        "The kernel does not offer locks to socket filters.",
        "Use atomic operations (__sync_fetch_and_add) or a per-CPU map.",
    ),
    "timer-tracing": rule(
        "programs of type {type} can't use maps with a bpf_timer",
        "Tracing programs may run where timers can't be set.",
        "Arm the timer in a program of another type (tc, xdp, syscall), or read bpf_ktime_get_ns() instead.",
    ),
    "wq-tracing": rule(
        "programs of type {type} can't use maps with a bpf_wq",
        "Tracing programs may run where work can't be queued.",
        "Queue the work in a program of another type.",
    ),
    "graph-tracing": rule(
        "programs of type {type} can't use lists and trees",
        "Their locks can't be taken in tracing programs.",
        "Use a hash map or a queue.",
    ),
    "timer-map": rule(
        "the timer belongs to another map than the one that is passed",
        "bpf_timer_init() takes the map in whose value the timer lies.",
        "Pass the map that the value was found in.",
    ),
    "task-work-map": rule(
        "the task work belongs to another map than the one that is passed",
        "Both arguments must come from the same map.",
        "Pass the map that the value was found in.",
    ),
    "kfunc-task-work": rule(
        "argument {arg} of {call}() is no struct bpf_task_work in a map value",
        "Task work lives in map values.",
        "Put a struct bpf_task_work into the map's value and pass its address.",
    ),
    "kfunc-callback": rule(
        "argument {arg} of {call}() is no function of the program",
        "The callback is named directly.",
        "Pass the name of a static function.",
    ),
    "rcu-held": rule(
        "the program ends, or calls what it may not, inside bpf_rcu_read_lock()",
        "Every bpf_rcu_read_lock() needs its unlock on every path.",
        SECTIONS,
    ),
    "rcu-nested": rule(
        "bpf_rcu_read_lock() is called inside an RCU section",
        "On this kernel RCU sections don't nest.",
        "Drop the inner lock and unlock.",
    ),
    "rcu-unmatched": rule(
        "bpf_rcu_read_unlock() is called where no RCU section is open",
        "Every unlock needs its lock before it.",
        "Call bpf_rcu_read_lock() first, on every path.",
    ),
    "preempt-disabled": rule(
        "the program ends, or calls what it may not, while preemption is off",
        "Every bpf_preempt_disable() needs its bpf_preempt_enable() on every path.",
        SECTIONS,
    ),
    "preempt-unmatched": rule(
        "bpf_preempt_enable() is called where preemption was not disabled",
        "Every enable needs its disable before it.",
        "Call bpf_preempt_disable() first, on every path.",
    ),
    "irq-disabled": rule(
        "the program ends, or calls what it may not, while interrupts are off",
        "Every bpf_local_irq_save() needs its bpf_local_irq_restore() on every path.",
        SECTIONS,
    ),
    "irq-flag-type": rule(
        "argument {arg} of {call}() is no variable on the stack",
        "The saved interrupt state lives in an unsigned long on the stack.",
        "unsigned long flags; bpf_local_irq_save(&flags);",
    ),
    "irq-flag-in-use": rule(
        "the variable holds a saved interrupt state already",
        "Each save takes a variable of its own.",
        "Use a second variable for the inner section.",
    ),
    "irq-flag-uninit": rule(
        "the variable holds no saved interrupt state",
        "bpf_local_irq_restore() takes what bpf_local_irq_save() filled.",
        "Save first, and don't write to the variable.",
    ),
    "irq-flag-class": rule(
        "the interrupt state was saved by another function than the one that restores it",
        "bpf_local_irq_save() belongs to bpf_local_irq_restore(), bpf_res_spin_lock_irqsave() to its own unlock.",
        "Use the pair that belongs together.",
    ),
    "irq-flag-order": rule(
        "interrupt states are restored in another order than they were saved",
        "What was saved last is restored first.",
        "Swap the two restores.",
    ),
    "irq-flag-place": rule(
        "the interrupt state is not at a fixed, aligned place on the stack",
        "It lives in an unsigned long on the stack.",
        "Pass the address of a local variable.",
    ),
    # dynptrs
    "dynptr-argument": rule(
        "argument {arg} of {call}() is no dynptr",
        "Dynptrs are variables of type struct bpf_dynptr on the stack.",
        "struct bpf_dynptr ptr; and pass &ptr.",
    ),
    "dynptr-const": rule(
        "{call}() changes a dynptr that the program was only given to read",
        "Dynptrs that callbacks and functions get are constant.",
        "Make one of your own with bpf_dynptr_clone().",
    ),
    "dynptr-initialized": rule(
        "{call}() would make a dynptr where one is already",
        "A dynptr is made in a variable that holds none, or whose reference was released.",
        "Use a second variable, or submit or discard the first one before.",
    ),
    "dynptr-uninitialized": rule(
        "{call}() is given a dynptr that was never made on this path, or is gone",
        "A dynptr must be made (bpf_dynptr_from_mem, bpf_ringbuf_reserve_dynptr …) before it is used, and is gone "
        "after submit, discard, or a write to its bytes.",
        "Make it on every path that leads here, and don't use it after it was submitted or discarded.",
    ),
    "dynptr-type": rule(
        "{call}() wants another kind of dynptr",
        "There are dynptrs to memory, ring buffer records, skb and xdp packets, and functions for each.",
        "Use the function that belongs to how the dynptr was made.",
    ),
    "dynptr-memory": rule(
        "a dynptr can't be made of that memory",
        "bpf_dynptr_from_mem() takes a pointer into a map value.",
        "Use memory of a map value (a global variable is one).",
    ),
    "dynptr-overwritten": rule(
        "a dynptr that holds a reference would be overwritten",
        "A ring buffer dynptr must be submitted or discarded; its variable may not be written to before.",
        "bpf_ringbuf_submit_dynptr() or bpf_ringbuf_discard_dynptr() first.",
    ),
    "dynptr-place": rule(
        "the dynptr is not at a fixed, aligned place on the stack",
        "Dynptrs live in 16 aligned bytes of the stack.",
        "Pass the address of a local struct bpf_dynptr.",
    ),
    # iterators
    "iter-not-on-stack": rule(
        "argument {arg} of {call}() is no iterator on the stack",
        "Iterators are local variables.",
        "struct bpf_iter_num it; and pass &it; or use the macro bpf_for().",
    ),
    "iter-type": rule(
        "argument {arg} of {call}() is no iterator of that type",
        "Each kind of iterator has its own struct and functions.",
        "Use the struct that belongs to the functions.",
    ),
    "iter-in-use": rule(
        "the iterator is in use already",
        "An iterator is made once, and destroyed before it is made again.",
        "Call …_destroy() first, or use another variable.",
    ),
    "iter-uninit": rule(
        "{call}() is given an iterator that was never made, or was destroyed",
        "Every iterator goes …_new(), …_next() until NULL, …_destroy().",
        "Call …_new() first, on every path; or use the macros bpf_for() and bpf_for_each().",
    ),
    "iter-place": rule(
        "the iterator is not at a fixed, aligned place on the stack",
        "Iterators live on the stack.",
        "Pass the address of a local variable.",
    ),
    "iter-rcu": rule(
        "the iterator is used outside the RCU section that it was made in",
        "Iterators over tasks and cgroups need an RCU section in sleepable programs.",
        "bpf_rcu_read_lock(); … bpf_rcu_read_unlock(); around the whole loop.",
    ),
    "iter-parent": rule(
        "the verifier lost track of the iterator's loop",
        "This is a check of the verifier's own.",
        "Simplify the loop; use the macro bpf_for().",
    ),
    "iter-css-task": rule(
        "css_task iterators are not for this program",
        "They are for LSM, BPF iterator and sleepable programs.",
        "Make the program sleepable.",
    ),
    # special fields of map values
    "field-variable-offset": rule(
        "{it} points to a special field at an offset that is not constant",
        "Locks, timers, kernel pointers, lists and trees are reached at constant offsets in a map value.",
        "Pass &value->member of a value from a look-up; arrays of such members can't be indexed by a variable.",
    ),
    "field-no-btf": rule(
        "the map has no BTF that says where its special fields are",
        "Locks, timers and kernel pointers in map values need the value's BTF.",
        "Define the map with __type(key, …) and __type(value, …), and compile with -g.",
    ),
    "field-missing": rule(
        "the map's value has no field of the kind that {call}() works on",
        "The field must be a member of the map's value type.",
        "Add the member to the struct that __type(value, …) names: struct bpf_spin_lock, struct bpf_timer …",
    ),
    "field-offset": rule(
        "{it} does not point to the special field, but beside it",
        "The argument is the address of the member itself.",
        "Pass &value->member.",
    ),
    "kptr-type": rule(
        "a pointer of the wrong type would be stored as kernel pointer",
        "A __kptr member takes pointers to the struct that it is declared with, or NULL.",
        "Store a pointer of that type, as its acquire function returned it.",
    ),
    "kptr-mode": rule(
        "a kernel pointer in a map value is accessed by something else than a plain load or store",
        "Kernel pointers are loaded and stored as 8 bytes.",
        "Use plain accesses, or bpf_kptr_xchg().",
    ),
    "kptr-store": rule(
        "a plain store would overwrite a kernel pointer that holds a reference",
        "Members marked __kptr own a reference; a store would lose it.",
        "Use bpf_kptr_xchg(), and release what it returns.",
    ),
    "kptr-unreferenced": rule(
        "{call}() works on members that hold references, and this one does not",
        "bpf_kptr_xchg() is for members marked __kptr, not __kptr_untrusted.",
        "Mark the member __kptr.",
    ),
    "kptr-immediate": rule(
        "a number would be stored as kernel pointer",
        "Only NULL may be stored as a constant.",
        "Store NULL or a pointer.",
    ),
    "kptr-helper": rule(
        "{call}() would read or write a kernel pointer as data",
        "Memory that is passed to helpers must not hold kernel pointers.",
        "Pass the other members only.",
    ),
    "kptr-variable-offset": rule(
        "a kernel pointer may be touched by an access whose offset is not constant",
        "Kernel pointers are reached at constant offsets.",
        "Access the members by name.",
    ),
    "kptr-misaligned": rule(
        "the access covers only part of a kernel pointer",
        "Kernel pointers are loaded and stored as 8 bytes, where they begin.",
        "Access the member itself.",
    ),
    "kptr-size": rule(
        "the access covers only part of a kernel pointer",
        "Kernel pointers are loaded and stored as 8 bytes.",
        "Access the member as the pointer that it is.",
    ),
    # objects of the program's own, lists, trees
    "object-type": rule(
        "argument {arg} of {call}() is no object that bpf_obj_new() made",
        "The function works on allocated objects.",
        "Pass what bpf_obj_new() returned.",
    ),
    "object-type-id": rule(
        "bpf_obj_new() is asked for a type that the program does not define",
        "Objects are of structs of the program's own BTF.",
        "Define the struct in the program: bpf_obj_new(typeof(struct node)).",
    ),
    "object-no-btf": rule(
        "objects can't be made without BTF",
        "bpf_obj_new() takes a type of the program's own BTF.",
        "Compile with -g.",
    ),
    "object-in-nmi": rule(
        "{call}() is not for tracing programs, where the struct has fields that are not safe in interrupts",
        "A tracing program may interrupt anybody, also who holds the lock of a list or tree.",
        "Use a struct without lists, trees and kernel pointers, or do it in a program of another type.",
    ),
    "object-unreferenced": rule(
        "{it} is passed to {call}(), but the program does not own it any more",
        "An object belongs to the program from bpf_obj_new() until it is dropped or put into a list or tree.",
        "Pass what the program owns; take it out of the list or tree first.",
    ),
    "object-refcount": rule(
        "the object has no reference count",
        "bpf_refcount_acquire() needs a member struct bpf_refcount.",
        "Add struct bpf_refcount ref; to the struct.",
    ),
    "object-record": rule(
        "the verifier has lost the object's fields",
        "This is a check of the verifier's own.",
        "Report it.",
    ),
    "object-field": rule(
        "a special field of the object is accessed like data",
        "List and tree nodes, locks and reference counts belong to the kernel.",
        "Access the other members.",
    ),
    "percpu-object-size": rule(
        "the per-CPU object is too large",
        "bpf_percpu_obj_new() makes objects of 512 bytes at most.",
        "Use a smaller struct, or a per-CPU map.",
    ),
    "percpu-object-type": rule(
        "the struct can't be a per-CPU object",
        "Per-CPU objects hold plain data: no locks, lists or pointers.",
        "Use a struct of numbers.",
    ),
    "graph-unlocked": rule(
        "a list or tree is used without its lock",
        "The bpf_spin_lock in the same map value or object must be held around every operation on the list or tree.",
        "bpf_spin_lock(&lock); … bpf_spin_unlock(&lock); with the lock that stands beside the root.",
    ),
    "graph-root-type": rule(
        "argument {arg} of {call}() is no list head or tree root",
        "The functions work on struct bpf_list_head and bpf_rb_root in map values, globals or objects.",
        "Pass the address of one that is marked __contains(…).",
    ),
    "graph-root-missing": rule(
        "argument {arg} of {call}() does not point to a list head or tree root",
        "The address must be that of the member itself.",
        "Pass &value->head.",
    ),
    "graph-node-type": rule(
        "argument {arg} of {call}() is no node of a list or tree",
        "Nodes are members struct bpf_list_node or bpf_rb_node of an allocated object.",
        "Pass &object->node.",
    ),
    "graph-node-missing": rule(
        "argument {arg} of {call}() does not point to a node",
        "The address must be that of the node member.",
        "Pass &object->node.",
    ),
    "graph-node-struct": rule(
        "the node is of another struct than the list or tree contains",
        "__contains(struct_name, member) says what a list or tree may hold.",
        "Add objects of that struct only.",
    ),
    "graph-node-offset": rule(
        "the node is another member than the list or tree contains",
        "__contains(struct_name, member) says which member links the objects.",
        "Pass the member that it names.",
    ),
    "graph-ownership": rule(
        "the verifier lost track of who owns a node",
        "This is a check of the verifier's own.",
        "Report it.",
    ),
    "in-tree-callback": rule(
        "{call}() is called in the comparison of a tree",
        "The callback of bpf_rbtree_add() compares two nodes and does nothing else to lists, trees and locks.",
        "Only read the two nodes and return which is less.",
    ),
}
