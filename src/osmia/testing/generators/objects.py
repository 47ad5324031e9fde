"""Programs with allocated objects: made, counted, put into lists and trees and taken out, kept in maps, dropped.

Most keep to the rules; slips are strewn in.  (What the verifier thinks of them is in ``verifier/graph.py``.)
"""

from __future__ import annotations

from random import Random

from osmia.kernel.kfuncs import kfuncs
from osmia.obj.model import Extern, FuncInfo, Program
from osmia.testing.generators.object_actions import ACTIONS
from osmia.testing.generators.object_basics import acquire
from osmia.testing.generators.object_desk import MAIN_BUDGET, NOISE, SPIN_LOCK, SPIN_UNLOCK, Desk, Thing
from osmia.testing.generators.object_types import pool
from osmia.testing.mutate import mutate

KINDS = (
    ("xdp", "", "", 0), ("sched_cls", "", "", 0), ("sched_cls", "", "", 0),
    ("cgroup_skb", "cgroup_inet_ingress", "", 0),
    ("syscall", "", "", 1 << 4), ("tracing", "trace_raw_tp", "sched_switch", 0),
)  # fmt: skip


def objects(rng: Random, kernel: str = "6.18") -> Program:
    """A program with allocated objects for that kernel."""
    types = pool("bpf_res_spin_lock" in kfuncs(kernel))
    kind, attach, target, flags = rng.choice(KINDS)
    main = Desk(rng, types)
    main.helper(7)
    main.emit(0x7B, 10, 0, NOISE)
    for _ in range(3 + int(rng.random() ** 1.5 * MAIN_BUDGET)):
        rng.choice(ACTIONS)(main)
    main.leave()
    names = list(dict.fromkeys(name for _, name in main.calls))
    program = Program("objects", kind, list(main.insns), license="GPL", flags=flags, expected_attach_type=attach,
                      attach_target=target, btf=types.btf, func_info=[FuncInfo(0, types.funcs[0])])  # fmt: skip
    program.maps = [next(spec for spec in types.maps if spec.name == name) for name in main.maps]
    externs, starts = list(main.externs), {}
    for number, name in enumerate(names[: len(types.funcs) - 1], 1):
        body = Desk(rng, types)
        called(body, name)
        starts[name] = len(program.insns)
        program.func_info.append(FuncInfo(starts[name], types.funcs[number]))
        externs += [(starts[name] + slot, kfunc) for slot, kfunc in body.externs]
        program.insns += body.insns
    for slot, name in main.calls:
        program.insns[slot] = program.insns[slot]._replace(imm=starts.get(name, 0) - slot - 1)
    program.externs = [Extern(slot, name) for slot, name in sorted(externs)]
    if rng.random() < 0.15:
        program.insns = mutate(rng, program.insns, 1)
    return program


def called(d: Desk, name: str) -> None:
    """The function of that name: "less STRUCT", "reads", "drops", or "odd": a tree's callback with a mistake."""
    what, _, struct = name.partition(" ")
    if what == "less":
        less(d, struct)
    elif what == "reads":
        d.emit(0x79, 0, 1, d.rng.choice((0, 8, 16)))
        d.emit(0x57, 0, 0, 0, 1)
    elif what == "drops":
        d.kfunc("bpf_obj_drop_impl")
        d.emit(0xB7, 0)
    else:
        odd(d)
    d.emit(0x95)


def less(d: Desk, struct: str) -> None:
    """Compares a number of two objects."""
    (node,) = d.types.of(struct, "rb_node")
    key = d.types.of(struct, "u64")[0]
    for reg in (1, 2):
        if d.chance(0.5):
            d.emit(0x07, reg, 0, 0, -node.offset)
            d.emit(0x79, reg + 2, reg, key.offset)
        else:
            d.emit(0x79, reg + 2, reg, key.offset - node.offset)
    d.emit(0xB7, 0, 0, 0, 1)
    d.emit(d.rng.choice((0x2D, 0xAD, 0x6D)), 3, 4, 1)
    d.emit(0xB7, 0, 0, 0, 0 if not d.slip() else 2)


def odd(d: Desk) -> None:
    """Something that such a function may not do, or may."""
    roll = int(d.rng.random() * 7)
    d.homes = {6: Thing("borrowed", "both", d.types.of("both", "rb_node")[0].offset)}
    d.emit(0xBF, 6, 1)
    if roll == 0:
        d.kfunc(d.rng.choice(("bpf_rcu_read_lock", "bpf_rcu_read_unlock")))
    elif roll == 1:
        d.helper(d.rng.choice((SPIN_LOCK, SPIN_UNLOCK)))
    elif roll == 2:
        d.kfunc(d.rng.choice(("bpf_rbtree_first", "bpf_rbtree_left", "bpf_list_front")))
    elif roll == 3:
        d.emit(0x7A, 1, 0, -8, 1)
    elif roll == 4:
        acquire(d)
    elif roll == 5:
        d.emit(0xBF, 0, 1)
        return
    d.emit(0xB7, 0)
