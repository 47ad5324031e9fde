"""The programs of ``tools/record_messages.py``, each with a part of the message that it is there for."""

from __future__ import annotations

from dataclasses import dataclass

from osmia.obj.model import MapSpec


@dataclass(frozen=True)
class Wanted:
    """A program and what it makes the kernel say.  ``funcs``: C-like signatures, main's first, that become BTF."""

    shows: str
    prog_type: str
    text: str
    maps: tuple[MapSpec, ...] = ()
    funcs: tuple[str, ...] = ()
    attach: str = ""
    target: str = ""
    without: tuple[str, ...] = ()
    license: str = "GPL"
    flags: int = 0
    level: int = 1
    tag: str = ""


SLEEPABLE = 1 << 4
ARRAY = MapSpec("array", "array", 4, 16, 1)
RODATA = MapSpec("rodata", "array", 4, 8, 1, 128, data=b"\1" * 8, frozen=True)
UNENDED = MapSpec("unended", "array", 4, 8, 1, 128, data=b"%dabcdef", frozen=True)
SOCKMAP = MapSpec("sockmap", "sockmap", 4, 4, 1)
HASH = MapSpec("hash", "hash", 8, 24, 4)
PROGS = MapSpec("progs", "prog_array", 4, 4, 4)
OTHER_PROGS = MapSpec("others", "prog_array", 4, 4, 8)
RINGBUF = MapSpec("ringbuf", "ringbuf", 0, 0, 4096)
END = "r0 = 0; exit; "
UNPRIVILEGED = ("perfmon", "sys_admin")


def tracepoint(shows: str, target: str, text: str, **others: object) -> Wanted:
    """A program of a tracepoint whose arguments have types."""
    return Wanted(shows, "tracing", text + END, attach="trace_raw_tp", target=target, **others)  # type: ignore


CONTEXTS = (
    tracepoint("is not multiple of 8", "sched_switch", "r2 = *(u32 *)(r1 + 4); "),
    tracepoint("size 4 must be 8", "sched_switch", "r2 = *(u32 *)(r1 + 8); "),
    tracepoint("has btf_id", "sched_switch", "r2 = *(u64 *)(r1 + 8); ", level=2),
    tracepoint(
        "from non-GPL compatible program", "sched_switch", "r2 = *(u64 *)(r1 + 8); r3 = *(u64 *)(r2 + 0); ", license="x"
    ),
    tracepoint("invalid negative access: off=-8", "sched_switch", "r2 = *(u64 *)(r1 + 8); r3 = *(u64 *)(r2 - 8); "),
    tracepoint(
        "invalid variable offset: off=0",
        "sched_switch",
        "r2 = *(u64 *)(r1 + 8); r3 = *(u64 *)(r1 + 0); r3 &= 8; r2 += r3; r3 = *(u64 *)(r2 + 0); ",
    ),
    tracepoint("only read is supported", "sched_switch", "r2 = *(u64 *)(r1 + 8); *(u64 *)(r2 + 0) = r2; "),
    tracepoint(
        "helper call is not allowed in probe",
        "sched_switch",
        "r1 = *(u64 *)(r1 + 8); r2 = r10; r2 += -8; r3 = 8; call 147; ",
    ),
    tracepoint("supported only for fentry/fexit/fmod_ret programs", "sched_switch", "call 173; "),
    tracepoint("is of type", "kfree_skb", "r1 = *(u64 *)(r1 + 0); call 175; "),
    Wanted("invalid negative access: off=-8", "xdp", "r1 = map 0; r2 = *(u64 *)(r1 - 8); " + END, (ARRAY,)),
)

TEXTS = (
    Wanted(
        "is not a constant address'",
        "xdp",
        """
        r4 = *(u32 *)(r1 + 12)
        r4 &= 1
        r1 = r10
        r1 += -8
        *(u64 *)(r10 - 8) = 0
        r2 = 8
        r3 = value 0 0
        r3 += r4
        call 182
        exit
    """,
        (RODATA,),
    ),
    Wanted(
        "string is not zero-terminated",
        "xdp",
        """
        r1 = r10
        r1 += -8
        *(u64 *)(r10 - 8) = 0
        r2 = 8
        r3 = value 0 0
        call 182
        exit
    """,
        (UNENDED,),
    ),
)

MAPS = (
    Wanted(
        "tail_call abusing map_ptr",
        "socket_filter",
        """
        r2 = map 0
        r3 = *(u32 *)(r1 + 0)
        if r3 == 0 goto +2
        r2 = map 1
        r3 = 1
        call 12
        r0 = 0
        exit
    """,
        (PROGS, OTHER_PROGS),
        without=UNPRIVILEGED,
    ),
    Wanted(
        "invalid arg_type for sockmap/sockhash",
        "sched_cls",
        """
        *(u64 *)(r10 - 8) = 0
        r1 = map 0
        r2 = r10
        r2 += -8
        call 88
    """
        + END,
        (SOCKMAP,),
    ),
    Wanted(
        "cannot update sockmap in this context",
        "kprobe",
        """
        *(u64 *)(r10 - 8) = 0
        r1 = map 0
        r2 = r10
        r2 += -8
        call 3
    """
        + END,
        (SOCKMAP,),
    ),
    Wanted(
        "must be referenced when passed to release function",
        "sched_cls",
        """
        r1 = *(u64 *)(r1 + 168)
        if r1 == 0 goto +4
        call 95
        if r0 == 0 goto +2
        r1 = r0
        call 86
    """
        + END,
    ),
)

CALLBACK = "call 181; " + END + "cb:; " + END
CALLBACK_FUNCS = ("main(struct xdp_md *)", "static cb(int, void *)")
CALLBACKS = (
    Wanted(
        "bpf_loop iteration limit reached",
        "xdp",
        "r1 = 0; r2 = func cb; r3 = 0; r4 = 0; " + CALLBACK,
        funcs=CALLBACK_FUNCS,
        level=2,
    ),
    Wanted(
        "callback function not static",
        "xdp",
        "r1 = 1; r2 = func cb; r3 = 0; r4 = 0; " + CALLBACK,
        funcs=("main(struct xdp_md *)", "cb(int, long)"),
    ),
    Wanted("missing btf func_info", "xdp", "r1 = 1; r2 = func cb; r3 = 0; r4 = 0; " + CALLBACK),
    Wanted(
        "invalid access to map key",
        "xdp",
        """
        r1 = map 0
        r2 = func cb
        r3 = 0
        r4 = 0
        call 164
        r0 = 0
        exit
        cb:
        r0 = *(u64 *)(r2 + 8)
        r0 = 0
        exit
    """,
        (HASH,),
        ("main(struct xdp_md *)", "static cb(void *, void *, void *, void *)"),
    ),
)

CALL = "call f; " + END + "f:; " + END
GLOBALS = (
    Wanted("is not a pointer to arena or scalar.", "xdp", CALL, funcs=("main(struct xdp_md *)", "f(void *:arena)")),
    Wanted("type doesn't have a name", "xdp", CALL, funcs=("main(struct xdp_md *)", "f(struct *:ctx)")),
    Wanted(
        "global functions that may sleep are not allowed",
        "syscall",
        """
        kfunc bpf_rcu_read_lock
        call f
        kfunc bpf_rcu_read_unlock
        r0 = 0
        exit
        f:
        *(u64 *)(r10 - 8) = 0
        r1 = r10
        r1 += -8
        r2 = 8
        r3 = 0
        call 148
        r0 = 0
        exit
    """,
        funcs=("main(void *)", "f()"),
        flags=SLEEPABLE,
    ),
)

COPY = "r1 = r10; r1 += -8; r2 = 8; r3 = 0; call 148; "


def syscall(shows: str, text: str, **others: object) -> Wanted:
    """A program that may sleep."""
    return Wanted(shows, "syscall", text + END, flags=SLEEPABLE, **others)  # type: ignore[arg-type]


FLAG = "r1 = r10; r1 += {}; "
SAVE, RESTORE = "kfunc bpf_local_irq_save; ", "kfunc bpf_local_irq_restore; "
KFUNCS = (
    syscall("cannot be used inside bpf_rcu_read_lock-ed region", "kfunc bpf_rcu_read_lock; "),
    syscall("cannot be used inside bpf_preempt_disable-ed region", "kfunc bpf_preempt_disable; "),
    syscall("cannot be used inside bpf_local_irq_save-ed region", FLAG.format(-8) + SAVE),
    syscall("in rcu_read_lock region", "kfunc bpf_rcu_read_lock; " + COPY),
    syscall("in non-preemptible region", "kfunc bpf_preempt_disable; " + COPY),
    syscall("in IRQ-disabled region", FLAG.format(-16) + SAVE + COPY),
    syscall("nested rcu read lock", "kfunc bpf_rcu_read_lock; " * 2),
    syscall("unmatched rcu read unlock", "kfunc bpf_rcu_read_unlock; "),
    syscall("unmatched attempt to enable preemption", "kfunc bpf_preempt_enable; "),
    syscall(
        "cannot restore irq state out of order",
        FLAG.format(-8) + SAVE + FLAG.format(-16) + SAVE + FLAG.format(-8) + RESTORE,
    ),
    syscall("expected an initialized irq flag as arg#0", FLAG.format(-8) + RESTORE),
    syscall("expected uninitialized irq flag as arg#0", FLAG.format(-8) + SAVE + FLAG.format(-8) + SAVE),
    syscall("doesn't point to an irq flag on stack", SAVE),
    syscall(
        "expected uninitialized iter_num as arg #0",
        ("r1 = r10; r1 += -8; r2 = 0; r3 = 1; kfunc bpf_iter_num_new; ") * 2,
    ),
    syscall("expected an initialized iter_num as arg #0", "r1 = r10; r1 += -8; kfunc bpf_iter_num_next; "),
    syscall("expected pointer to an iterator on stack", "r2 = 0; r3 = 1; kfunc bpf_iter_num_new; "),
    syscall(
        "is sleepable within rcu_read_lock region",
        "kfunc bpf_rcu_read_lock; " + FLAG.format(-8) + "r2 = 8; r3 = 0; r4 = 0; kfunc bpf_copy_from_user_str; ",
    ),
    syscall(
        "is sleepable within non-preemptible region",
        "kfunc bpf_preempt_disable; " + FLAG.format(-8) + "r2 = 8; r3 = 0; r4 = 0; kfunc bpf_copy_from_user_str; ",
    ),
    syscall(
        "is sleepable within IRQ-disabled region",
        FLAG.format(-16) + SAVE + FLAG.format(-8) + "r2 = 8; r3 = 0; r4 = 0; kfunc bpf_copy_from_user_str; ",
    ),
    syscall(
        "release kernel function bpf_task_release expects refcounted PTR_TO_BTF_ID",
        "call 158; r1 = r0; kfunc bpf_task_release; ",
    ),
    syscall(
        "Possibly NULL pointer passed to trusted arg0",
        "r1 = 1; kfunc bpf_task_from_pid; r1 = r0; kfunc bpf_task_acquire; ",
    ),
    syscall("R2 must be a known constant", "r2 = *(u32 *)(r1 + 0); r1 = 0; kfunc bpf_rdonly_cast; "),
    syscall(
        "Unknown type ID 99999999 passed to kfunc bpf_rdonly_cast", "r1 = 0; r2 = 99999999; kfunc bpf_rdonly_cast; "
    ),
    syscall("type ID argument must be of a struct or void", "r1 = 0; r2 = 1; kfunc bpf_rdonly_cast; "),
    syscall("expected pointer to ctx, but got fp", "r1 = r10; kfunc bpf_cast_to_kern_ctx; "),
    syscall(
        "expected pointer to stack or const struct bpf_dynptr",
        "r1 = 0; r2 = 0; r3 = r10; r3 += -8; r4 = 8; kfunc bpf_dynptr_slice; ",
    ),
    syscall(
        "expected pointer to STRUCT task_struct but R1 has a pointer to",
        "r1 = 1; kfunc bpf_cgroup_from_id; if r0 == 0 goto +2; r1 = r0; kfunc bpf_task_acquire; ",
    ),
    syscall("kfunc offset > 0 without fd_array is invalid", "raw 8520010001000000; "),
    syscall("negative offset disallowed for kernel module function call", "raw 8520ffff01000000; "),
    syscall("invalid kernel function call not eliminated", "raw 8520000000000000; "),
    syscall("kernel btf_id 1 is not a function", "raw 8520000001000000; "),
    Wanted(
        "metadata kfuncs require device-bound program",
        "xdp",
        "r2 = r10; r2 += -8; kfunc bpf_xdp_metadata_rx_timestamp; " + END,
    ),
    Wanted(
        "calling kernel function bpf_task_from_pid is not allowed",
        "socket_filter",
        "kfunc bpf_task_from_pid; " + END,
    ),
    Wanted(
        "program must be sleepable to call sleepable kfunc",
        "tracing",
        FLAG.format(-8) + "r2 = 8; r3 = 0; r4 = 0; kfunc bpf_copy_from_user_str; " + END,
        attach="trace_raw_tp",
        target="sched_switch",
    ),
)

FROM_VALUE = "r1 = value 0 0; r2 = 8; r3 = 0; r4 = r10; r4 += -16; call 197; "
DYNPTRS = (
    syscall("Expected an initialized dynptr as arg #0", "r1 = r10; r1 += -16; r2 = 0; r3 = 8; call 203; "),
    syscall(
        "Unsupported reg type fp for bpf_dynptr_from_mem data",
        "*(u64 *)(r10 - 8) = 0; r1 = r10; r1 += -8; r2 = 8; r3 = 0; r4 = r10; r4 += -32; call 197; ",
    ),
    syscall("arg 1 is an unacquired reference", FROM_VALUE + "r1 = r10; r1 += -16; r2 = 0; call 199; ", maps=(ARRAY,)),
    syscall(
        "cannot overwrite referenced dynptr",
        "r1 = map 0; r2 = 8; r3 = 0; r4 = r10; r4 += -16; call 198; *(u64 *)(r10 - 16) = 0; ",
        maps=(RINGBUF,),
    ),
    syscall(
        "cannot pass in dynptr at an offset=-17",
        "r1 = map 0; r2 = 8; r3 = 0; r4 = r10; r4 += -17; call 198; ",
        maps=(RINGBUF,),
    ),
    syscall(
        "dynptr has to be at a constant offset",
        "r2 = *(u32 *)(r1 + 0); r2 &= 8; r4 = r10; r4 += -24; r4 += r2; r1 = map 0; r2 = 8; r3 = 0; call 198; ",
        maps=(RINGBUF,),
    ),
    syscall(
        "potential write to dynptr at off=-16 disallowed",
        "r1 = map 0; r2 = 8; r3 = 0; r4 = r10; r4 += -16; call 198; r1 = r10; r1 += -16; r2 = 8; call 16; ",
        maps=(RINGBUF,),
    ),
    syscall(
        "invalid read from stack R2 off -16+0 size 8",
        FROM_VALUE + "r1 = map 1; r2 = r10; r2 += -16; call 1; ",
        maps=(ARRAY, HASH),
    ),
    syscall(
        "invalid read from stack R2 var_off",
        "r6 = *(u32 *)(r1 + 0); r6 &= 8; " + FROM_VALUE + "r1 = map 1; r2 = r10; r2 += -24; r2 += r6; call 1; ",
        maps=(ARRAY, HASH),
    ),
)

STACK = (
    Wanted(
        "invalid read from stack off -8+1 size 8",
        "socket_filter",
        "*(u8 *)(r10 - 8) = 1; r0 = *(u64 *)(r10 - 8); exit; ",
        without=UNPRIVILEGED,
    ),
    Wanted(
        "variable offset stack pointer cannot be passed into helper function",
        "socket_filter",
        "r2 = *(u32 *)(r1 + 0); r2 &= 8; r3 = r10; r3 += -16; r3 += r2; *(u64 *)(r10 - 16) = 0; "
        "*(u64 *)(r10 - 8) = 0; lock *(u64 *)(r3 + 0) += r2; " + END,
    ),
    Wanted(
        "variable stack access prohibited for !root",
        "socket_filter",
        "r2 = *(u32 *)(r1 + 0); r2 &= 8; r3 = r10; r3 += -16; *(u64 *)(r10 - 16) = 0; *(u64 *)(r10 - 8) = 0; r3 += r2; "
        "r2 = r3; r1 = map 0; call 1; " + END,
        (HASH,),
        without=UNPRIVILEGED,
    ),
    Wanted(
        "invalid read from stack R2 off=-8 size=8",
        "socket_filter",
        "r1 = map 0; r2 = r10; r2 += -8; call 1; " + END,
        (HASH,),
        without=UNPRIVILEGED,
    ),
    Wanted(
        "beyond pointer bounds",
        "socket_filter",
        "r2 = *(u32 *)(r1 + 0); r2 &= 7; r3 = r10; r3 += -512; r3 += r2; " + END,
        without=UNPRIVILEGED,
    ),
)

MORE = (
    Wanted(
        "css_task_iter is only allowed in",
        "socket_filter",
        "r1 = r10; r1 += -8; r2 = 0; r3 = 0; kfunc bpf_iter_css_task_new; " + END,
    ),
    syscall(
        "kernel func bpf_iter_task_new requires RCU critical section protection",
        "r1 = r10; r1 += -24; r2 = 0; r3 = 0; kfunc bpf_iter_task_new; ",
    ),
    Wanted(
        "R0 not a scalar value",
        "xdp",
        "r1 = map 0; r2 = func cb; r3 = 0; r4 = 0; call 164; " + END + "cb: ; r0 = r3; exit; ",
        (HASH,),
        ("main(struct xdp_md *)", "static cb(void *, void *, void *, void *)"),
    ),
)
PROGRAMS = (*MORE, *CONTEXTS, *TEXTS, *MAPS, *CALLBACKS, *GLOBALS, *KFUNCS, *DYNPTRS, *STACK)
