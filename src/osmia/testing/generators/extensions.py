"""Programs that attach to other programs: they replace a function of theirs (EXT), or follow it (fentry, fexit).

Each brings its target along, which is a valid program of a few functions; prototypes fit, mostly.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from osmia.btf import Btf, Func, FuncProto, Int, Member, Param, Ptr, Struct
from osmia.isa import Insn
from osmia.isa import consts as c
from osmia.isa import macros as m
from osmia.obj.model import FuncInfo, Program
from osmia.testing.generators.attach import RESULTS, SIZES

PROG_TARGETS = (
    ("xdp", "", "xdp_md"), ("sched_cls", "", "__sk_buff"), ("cgroup_skb", "cgroup_inet_egress", "__sk_buff"),
    ("kprobe", "", "pt_regs"), ("socket_filter", "", "__sk_buff"),
)  # fmt: skip


def extension(rng: Random) -> Program:
    """A program that replaces or follows a function of another program, which is made for it."""
    target = target_program(rng)
    kind = rng.choice(("ext", "ext", "trace_fentry", "trace_fexit", "modify_return"))
    which = rng.choice(("main", "helper", "helper", "local", "reader", "missing"))
    program = Program("extends", "ext" if kind == "ext" else "tracing", [], license="GPL")
    program.expected_attach_type = "" if kind == "ext" else kind
    program.attach_target, program.attach_prog = which, target
    _, _, context = rng.choice(PROG_TARGETS) if rng.random() < 0.15 else ("", "", context_of(target))
    kinds = {"main": "c", "helper": "in", "local": "i", "reader": "ci", "missing": "i"}[which]
    if rng.random() < 0.2:
        kinds = rng.choice(("c", "i", "in", "ci", "m", "il", ""))
    if kind == "ext":
        describe(rng, program, [("fresh", kinds, 0)], context, 0.05)
    program.insns = replacement(rng, kinds, context)
    if rng.random() < 0.1:
        program.attach_prog = replace_chain(rng, program.attach_prog)
    return program


def replace_chain(rng: Random, target: Program) -> Program:
    """A program that itself follows or replaces a part of the target, to be a target in its turn."""
    kind = rng.choice(("ext", "trace_fentry"))
    made = Program("between", "ext" if kind == "ext" else "tracing", [], license="GPL", attach_prog=target)
    made.expected_attach_type, made.attach_target = ("" if kind == "ext" else kind), "helper"
    describe(rng, made, [("helper", "in", 0)], context_of(target), 0.0)
    made.insns = [m.BPF_MOV64_IMM(0, 0), m.BPF_EXIT_INSN()]
    return made


def context_of(program: Program) -> str:
    """The struct that the target's main function takes."""
    return next(context for kind, _, context in PROG_TARGETS if kind == program.prog_type)


def target_program(rng: Random) -> Program:
    """A program with a global function of two numbers, a static one and a global one that takes the context."""
    kind, attach, context = rng.choice(PROG_TARGETS)
    moves = 44 if kind == "xdp" else 9 if kind == "sched_cls" else 0  # xdp_adjust_head, skb_store_bytes
    reader = [m.BPF_MOV64_IMM(2, 0), m.BPF_EMIT_CALL(moves)] if kind == "xdp" and rng.random() < 0.4 else []
    bodies = [
        [m.BPF_MOV64_REG(6, 1), m.BPF_MOV64_IMM(1, 1), m.BPF_MOV64_IMM(2, 2), call("helper"), m.BPF_MOV64_IMM(1, 1),
         call("local"), m.BPF_MOV64_REG(1, 6), m.BPF_MOV64_IMM(2, 3), call("reader"), m.BPF_MOV64_IMM(0, 1)],
        [m.BPF_MOV64_REG(0, 1)],
        [m.BPF_MOV64_IMM(0, 5)],
        [*reader, m.BPF_MOV64_IMM(0, 7)],
    ]  # fmt: skip
    names = ["main", "helper", "local", "reader"]
    starts: list[int] = []
    insns: list[Insn] = []
    for body in bodies:
        starts.append(len(insns))
        insns += [*body, m.BPF_EXIT_INSN()]
    for at, insn in enumerate(insns):
        if insn.code == 0x85 and insn.src_reg == 1:
            insns[at] = insn._replace(imm=starts[insn.imm] - at - 1)
    program = Program("target", kind, insns, expected_attach_type=attach, license="GPL")
    kinds = ["c", "in", "i", "ci"]
    if rng.random() < 0.05:
        return program
    describe(rng, program, [(n, k, s) for n, k, s in zip(names, kinds, starts, strict=True)], context, 0.0)
    return program


def call(name: str) -> Insn:
    """A call of a function of the program; its number stands in for the distance until all are laid out."""
    return Insn(0x85, 0, 1, 0, ("main", "helper", "local", "reader").index(name))


def describe(
    rng: Random, program: Program, functions: Sequence[tuple[str, str, int]], context: str, wrong: float
) -> None:
    """BTF for functions: name, a letter an argument, first slot.  c: context, m: memory, i: int, n: unsigned, l: long.

    With the chance ``wrong`` a function is static or returns something else.
    """
    btf = Btf()
    number, other = btf.add(Int("int", 4, 1)), btf.add(Int("unsigned int", 4))
    long = btf.add(Int("long", 8, 1))
    room = btf.add(Ptr(btf.add(Struct("room", 8, (Member("a", number, 0), Member("b", number, 32))))))
    ctx = btf.add(Ptr(btf.add(Struct(context, 4, (Member("a", number, 0),)))))
    types = {"c": ctx, "m": room, "i": number, "n": other, "l": long}
    for name, kinds, start in functions:
        params = tuple(Param(f"a{i}", types[kind]) for i, kind in enumerate(kinds))
        proto = btf.add(FuncProto(rng.choice((long, room, 0)) if rng.random() < wrong else number, params))
        static = name == "local" or rng.random() < wrong
        program.func_info.append(FuncInfo(start, btf.add(Func(name, proto, 0 if static else 1))))
    program.btf = btf


def replacement(rng: Random, kinds: str, context: str) -> list[Insn]:
    """A body that uses its arguments: numbers are added, contexts read, memory looked at."""
    insns = [m.BPF_MOV64_REG(6, 1)]
    for _ in range(int(rng.random() * 4)):
        roll = rng.random()
        reg = 1 + int(rng.random() * max(1, len(kinds)))
        if roll < 0.3:
            insns.append(m.BPF_LDX_MEM(SIZES[rng.choice((4, 8, 1))], 7, 6, 4 * int(rng.random() * 6)))
        elif roll < 0.5:
            insns.append(m.BPF_MOV64_REG(8, reg))
        elif roll < 0.65:
            insns += [m.BPF_MOV64_REG(1, 6), m.BPF_MOV64_IMM(2, 0), m.BPF_EMIT_CALL(rng.choice((44, 14, 5, 7, 35, 8)))]
        elif roll < 0.8:
            insns.append(m.BPF_LDX_MEM(c.BPF_DW, 7, 6, 8 * int(rng.random() * 6)))
        else:
            insns.append(m.BPF_LDX_MEM(c.BPF_W, 9, reg, 0))
    insns.append(m.BPF_MOV64_IMM(0, rng.choice(RESULTS)) if rng.random() < 0.8 else m.BPF_MOV64_REG(0, 6))
    return [*insns, m.BPF_EXIT_INSN()]
