"""Programs that call kernel functions: each one from every type of program, with right and wrong arguments.

What an argument should be follows from the kernel's BTF as the verifier reads it: its type, the ending of its name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

from osmia.btf import Btf, Func, FuncProto, Ptr, Struct
from osmia.kernel import profile as profiles
from osmia.kernel.kfuncs import kfuncs
from osmia.obj.model import Program
from osmia.testing.generators import kfunc_functions as functions
from osmia.testing.generators import kfunc_values as v
from osmia.testing.generators.kfunc_values import Desk
from osmia.testing.generators.shapes import KINDS, SLEEPABLE, Kind
from osmia.verifier.judge import kernel_btf

KEPT_BACK = ("bpf_wq_init",)
"""Linux 6.18 follows a null pointer when the second map has no special fields."""
HOPELESS = (
    "__bpf_trap", "bpf_xdp_metadata_rx_timestamp", "bpf_xdp_metadata_rx_hash", "bpf_xdp_metadata_rx_vlan_tag",
    "bpf_kfunc_call_memb_release", "bpf_kfunc_call_test_release", "bpf_rcu_read_unlock", "bpf_preempt_enable",
)  # fmt: skip
OBJECTS = ("bpf_obj", "bpf_percpu_obj", "bpf_list", "bpf_rbtree", "bpf_refcount")
TRACING = (
    Kind("tracing", "trace_raw_tp"), Kind("tracing", "trace_iter"), Kind("tracing", "trace_iter", flags=SLEEPABLE),
    Kind("kprobe", flags=SLEEPABLE), Kind("syscall", flags=SLEEPABLE),
)  # fmt: skip
TARGETS = {"trace_raw_tp": ("sched_switch", "task_newtask"), "trace_iter": ("task", "cgroup", "bpf_map", "task_vma")}
RELEASES = {
    "task_struct": "bpf_task_release", "cgroup": "bpf_cgroup_release", "bpf_cpumask": "bpf_cpumask_release",
    "bpf_crypto_ctx": "bpf_crypto_ctx_release", "nf_conn": "bpf_ct_release", "nf_conn___init": "bpf_ct_insert_entry",
    "bpf_key": "bpf_key_put", "file": "bpf_put_file", "xfrm_state": "bpf_xdp_xfrm_state_release",
}  # fmt: skip
STRUCTS: dict[str, Callable[[Desk], None]] = {
    "task_struct": v.task, "cgroup": v.cgroup, "cgroup_subsys_state": v.cgroup, "bpf_cpumask": v.cpumask,
    "cpumask": v.cpumask, "bpf_map": v.a_map, "bpf_dynptr": v.dynptr, "__sk_buff": v.context, "xdp_md": v.context,
    "bpf_sock_addr_kern": v.kernel_context, "bpf_sock_ops_kern": v.kernel_context,
}  # fmt: skip
FIELDS = ("bpf_wq", "bpf_task_work", "bpf_res_spin_lock", "bpf_timer")
PAIRS = {
    "bpf_rcu_read_lock": "bpf_rcu_read_unlock", "bpf_preempt_disable": "bpf_preempt_enable",
    "bpf_local_irq_save": "bpf_local_irq_restore",
}  # fmt: skip
LOCKS = ("bpf_res_spin_lock", "bpf_res_spin_unlock")
IRQ_LOCKS = ("bpf_res_spin_lock_irqsave", "bpf_res_spin_unlock_irqrestore")


@dataclass(frozen=True, slots=True)
class Param:
    """One argument: its name, and the struct that it points to ("" a number, "*" anything else)."""

    name: str
    struct: str


@cache
def params(name: str) -> tuple[Param, ...]:
    """The arguments of a kernel function."""
    btf = kernel_btf()
    func = btf.type(btf.find(name, Func) or 0)
    proto = btf.type(func.type_id) if isinstance(func, Func) else None
    return tuple(Param(p.name, _struct(btf, p.type_id)) for p in proto.params) if isinstance(proto, FuncProto) else ()


def _struct(btf: Btf, type_id: int) -> str:
    found = btf.type(btf.resolve(type_id))
    if not isinstance(found, Ptr):
        return ""
    target = btf.type(btf.resolve(found.type_id))
    return "()" if isinstance(target, FuncProto) else target.name if isinstance(target, Struct) else "*"


@cache
def names(prog_type: str, attach: str, target: str) -> Sequence[str]:
    """The functions that such a program may call."""
    table = kfuncs("6.18")
    attach = attach or "cgroup_inet_ingress"
    return sorted(n for n, row in table.items() if row.may_be_called(prog_type, attach, target) and n not in KEPT_BACK)


@cache
def sensible(prog_type: str, attach: str, target: str, sleeps: bool) -> Sequence[str]:
    """Those of them that may come to a good end: nothing that sleeps where nobody may, nothing for other generators."""
    table = kfuncs("6.18")
    found = [n for n in names(prog_type, attach, target) if sleeps or "sleepable" not in table[n].flags]
    return [n for n in found if n not in HOPELESS and not n.startswith(OBJECTS)] or found


def generate_kfuncs(rng: Random, kernel: str = "6.18") -> Program:
    """A program of some type with one to four calls."""
    kind = rng.choice(KINDS + TRACING * 3)
    target = rng.choice(TARGETS.get(kind.attach, ("",)))
    desk = Desk(rng, profiles.load(kernel).shape(kind.prog_type, kind.attach, target))
    known = names(kind.prog_type, kind.attach, target)
    good = sensible(kind.prog_type, kind.attach, target, bool(kind.flags & SLEEPABLE))
    begin(desk)
    pairs = [pair for pair in PAIRS.items() if desk.chance(0.12)]
    for opening, _ in pairs:
        section(desk, opening)
    for _ in range(1 + rng.randrange(4)):
        if desk.chance(0.1):
            functions.tagged_call(desk)
            continue
        pool = good if desk.chance(0.9) else known if desk.chance(0.8) else list(kfuncs(kernel))
        pool = [n for n in pool or kfuncs(kernel) if n not in KEPT_BACK]
        statement(desk, rng.choice(pool))
    for _, closing in reversed(pairs):
        if desk.chance(0.95):
            section(desk, closing)
    if desk.chance(0.95):
        desk.give_back(desk.held)
    desk.mov(0, kind.returns[0])
    desk.emit(0x95)
    return finished(desk, kind, target)


def begin(d: Desk) -> None:
    """The context is kept, and there is memory to point to."""
    d.copy(6, 1)
    for off in range(v.ROOM, 0, 8):
        d.emit(0x7A, 10, 0, off, 0)


def section(d: Desk, name: str) -> None:
    """A section begins or ends."""
    if "irq" in name:
        d.fp(1, v.FLAGS[0])
    d.call(name)


def statement(d: Desk, name: str) -> None:
    """A call, a loop over an iterator, or a lock taken and given back."""
    if name.startswith("bpf_iter_") and d.chance(0.8):
        loop(d, name.rpartition("_")[0])
    elif name.startswith("bpf_res_spin_lock") and d.chance(0.8):
        lock(d, "_irqsave" in name)
    elif name not in PAIRS.values() or d.chance(0.2):
        call(d, name)


def loop(d: Desk, stem: str) -> None:
    """``new``, ``next`` until null, ``destroy``."""
    under_rcu = d.chance(0.5)
    if under_rcu:
        d.call("bpf_rcu_read_lock")
    call(d, f"{stem}_new")
    d.fp(1, v.ITERATOR)
    start = len(d.insns)
    d.call(f"{stem}_next")
    jump = len(d.insns)
    d.emit(0x15)
    if d.chance(0.6):
        d.emit(d.rng.choice((0x79, 0x61)), 1, 0, 4 * d.rng.randrange(20))
    if d.chance(0.2):
        d.call(d.rng.choice(("bpf_task_acquire", "bpf_rcu_read_unlock")))
    d.fp(1, v.ITERATOR)
    d.emit(0x05, 0, 0, start - len(d.insns) - 1)
    d.insns[jump] = d.insns[jump]._replace(off=len(d.insns) - jump - 1)
    if d.chance(0.95):
        d.fp(1, v.ITERATOR)
        d.call(f"{stem}_destroy")
    if under_rcu:
        d.call("bpf_rcu_read_unlock")


def lock(d: Desk, irq: bool) -> None:
    """A resilient lock, with what is allowed under it, or is not."""
    locking, unlocking = IRQ_LOCKS if irq else LOCKS
    _lock_arguments(d, irq)
    d.call(locking)
    if d.chance(0.9):
        jump = len(d.insns)
        d.emit(0x15, 0, 0, 0, 0)
        d.give_back(d.held)
        d.mov(0, 0)
        d.emit(0x95)
        d.insns[jump] = d.insns[jump]._replace(off=len(d.insns) - jump - 1)
    if d.chance(0.2):
        d.helper(v.RANDOM)
    if d.chance(0.95):
        _lock_arguments(d, irq)
        d.call(unlocking)


def _lock_arguments(d: Desk, irq: bool) -> None:
    d.value_to(1, "bpf_res_spin_lock", v.FIELD_AT if d.chance(0.95) else 8)
    if irq:
        d.fp(2, v.FLAGS[1])


def call(d: Desk, name: str) -> None:
    """The arguments one by one into spills, then into registers; then something is done with the result."""
    wanted = params(name)[:5]
    careful = any(p.struct in ("bpf_wq", "bpf_task_work") for p in wanted)
    for i, param in enumerate(wanted):
        if d.chance(0.94):
            right(d, name, param)
        elif careful and param.name.endswith("__map"):
            d.rng.choice((v.zero, v.number))(d)  # other pointers would lead the kernel astray
        else:
            d.rng.choice(v.ANY)(d)
        d.emit(0x7B, 10, 0, v.ARGUMENTS - 8 * i)
    for i in range(len(wanted)):
        d.emit(0x79, i + 1, 10, v.ARGUMENTS - 8 * i)
    d.call(name)
    result(d, name)


def right(d: Desk, func: str, param: Param) -> None:
    """A value that fits, mostly."""
    name = param.name
    if param.struct == "":
        v.unknown(d) if d.chance(0.25) else v.number(d)
    elif (name.endswith("__nullable") and d.chance(0.4)) or (name.endswith("__opt") and d.chance(0.3)):
        v.zero(d)
    elif name.endswith("__str"):
        v.text(d)
    elif name.endswith("__map"):
        d.map_to(0, "bpf_task_work" if "task_work" in func else "arena")
    elif name.endswith("__irq_flag"):
        d.fp(0, v.FLAGS[0])
    elif param.struct == "()":
        v.function(d)
    elif param.struct in FIELDS:
        d.value_to(0, param.struct, v.FIELD_AT)
    elif param.struct == "bpf_dynptr" and name.endswith("__uninit"):
        d.fp(0, d.rng.choice(v.DYNPTRS))
    elif func.startswith("bpf_iter_") and name == "it":
        d.fp(0, v.ITERATOR)
    elif param.struct in STRUCTS:
        STRUCTS[param.struct](d)
    elif func == "bpf_cast_to_kern_ctx":
        v.context(d)
    else:
        v.stack(d)


def result(d: Desk, name: str) -> None:
    """References are kept, pointers looked through."""
    row = kfuncs("6.18").get(name)
    flags = row.flags if row is not None else frozenset[str]()
    if "acquire" in flags:
        struct = result_struct(name)
        if struct in RELEASES:
            d.hold(RELEASES[struct])
    elif "ret_null" in flags:
        d.unless_null()
    if d.chance(0.5 if result_struct(name) else 0.01):
        d.emit(d.rng.choice((0x79, 0x61, 0x71)), 1, 0, 4 * d.rng.randrange(12))


@cache
def result_struct(name: str) -> str:
    """The struct that the result points to ("" a number, "*" anything else)."""
    btf = kernel_btf()
    func = btf.type(btf.find(name, Func) or 0)
    proto = btf.type(func.type_id) if isinstance(func, Func) else None
    return _struct(btf, proto.type_id) if isinstance(proto, FuncProto) else ""


def finished(d: Desk, kind: Kind, target: str) -> Program:
    """The main function with those behind it."""
    rows = functions.append(d)
    return Program(
        "generated", kind.prog_type, d.insns, maps=d.maps, license="GPL", flags=kind.flags, btf=v.types().btf,
        func_info=rows, expected_attach_type=kind.attach, attach_target=target, externs=d.externs,
    )  # fmt: skip
