"""Programs made up at random, by kind: ``generate(rng, "packets")``.

Most are valid or nearly so and run deep into the verifier; ``random`` ones are bytes.  The same generator state gives
the same program.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from random import Random

from osmia.btf import Btf, Func, FuncProto, Int, Member, Param, Ptr, Struct
from osmia.isa import Insn
from osmia.kernel import profile as profiles
from osmia.kernel.profile import Shape
from osmia.obj.model import FuncInfo, Program
from osmia.testing.generators import calls as k
from osmia.testing.generators import memory as m
from osmia.testing.generators import scalars as s
from osmia.testing.generators.attach import struct_op, traced
from osmia.testing.generators.builder import CTX, MAX_INSNS, Builder, Function, Unit, Value
from osmia.testing.generators.kfuncs import generate_kfuncs
from osmia.testing.generators.maps import by_index
from osmia.testing.generators.objects import objects
from osmia.testing.generators.shapes import WEIGHTED, Kind
from osmia.testing.mutate import mutate
from osmia.verifier.judge import kernel_btf

Action = Callable[[Builder], None]

_NUMBERS: tuple[Action, ...] = (s.alu, s.alu, s.alu, s.unary, s.constant, s.unknown, s.copy, s.bounded)
_CONTROL: tuple[Action, ...] = (s.branch, s.branch, s.leave)
_STACK: tuple[Action, ...] = (m.spill, m.fill, m.fill, m.stack_store, m.stack_load, m.stack_variable)
_MAPS: tuple[Action, ...] = (m.lookup, m.direct, m.check_null, m.value_access, m.value_access, m.value_access)

ACTIONS: dict[str, tuple[Action, ...]] = {
    "alu": (*_NUMBERS, *_NUMBERS, s.branch, s.leave),
    "branches": (*_NUMBERS, *_CONTROL, *_CONTROL),
    "stack": (*_STACK, *_STACK, s.alu, s.unknown, s.branch, s.bounded),
    "packets": (m.packet, m.packet_access, m.packet_access, m.packet_access, s.alu, s.branch, s.bounded, m.spill,
                m.fill, m.pointer_math),
    "maps": (*_MAPS, *_MAPS, s.alu, s.bounded, s.branch, m.spill, m.fill, m.pointer_math),
    "context": (m.ctx_read, m.ctx_read, m.ctx_write, s.alu, s.branch, m.spill, m.fill),
    "helpers": (*k.ACTIONS, k.helper, k.helper, m.value_access, s.alu, s.branch, m.ctx_read),
    "loops": (s.loop, s.loop, s.forever, s.alu, s.branch, m.stack_store, m.stack_load, m.value_access, s.unknown),
    "calls": (k.function, k.function, *_NUMBERS, s.branch, m.stack_store, m.stack_load, m.spill, m.fill),
    "globals": (k.function, k.function, *_NUMBERS, s.branch, m.check_null, m.stack_store, m.ctx_read),
    "tail_calls": (k.tail_call, k.function, s.alu, s.branch, m.stack_store, m.stack_load, m.packet, m.packet_access),
    "atomics": (m.atomic, m.atomic, m.atomic, m.direct, m.stack_load, s.alu, s.branch, m.value_access),
    "ld_abs": (m.ld_abs, m.ld_abs, k.function, s.alu, s.branch, m.spill, m.fill, m.ctx_read, s.leave),
}  # fmt: skip
_MIXED = ("alu", "branches", "stack", "packets", "maps", "context", "helpers", "loops", "atomics")
ACTIONS["mixed"] = (*(a for name in _MIXED for a in ACTIONS[name]), k.function, k.tail_call, m.ld_abs)
KINDS = (*ACTIONS, "objects", "kfuncs", "attached", "descriptors", "mutants", "random")
"""Every kind of program, as ``osmia diff --kind`` takes them."""


def generate(rng: Random, kind: str = "mixed", kernel: str = "6.18") -> Program:
    """A program of that kind for a random program type."""
    if kind == "random":
        return random_bytes(rng)
    if kind == "kfuncs":
        return generate_kfuncs(rng, kernel)
    if kind == "objects":
        return objects(rng, kernel)
    if kind == "attached":
        return (traced if rng.random() < 0.5 else struct_op)(rng, kernel_btf())
    if kind == "descriptors":
        made = generate(rng, rng.choice(("maps", "helpers", "atomics", "tail_calls")), kernel)
        by_index(rng, made)
        return made
    if kind == "mutants":
        made = generate(rng, rng.choice(tuple(ACTIONS)), kernel)
        made.insns = mutate(rng, made.insns, 1 + int(rng.random() * 3))
        return made
    shape = rng.choice(WEIGHTED)
    if kind == "ld_abs":
        shape = shape._replace(prog_type=rng.choice(m.LD_ABS_TYPES), attach="", returns=(0, 1), flags=0)
    program = build(rng, kind, shape, kernel)
    if rng.random() < 0.2:
        program.insns = mutate(rng, program.insns, 1)
    return program


def random_bytes(rng: Random) -> Program:
    """A few instructions that are mostly no instructions, and an exit."""
    insns = []
    for _ in range(1 + int(rng.random() * 8)):
        word = rng.getrandbits(64)
        regs = (word >> 8 & 255) % 11, (word >> 16 & 255) % 11 if word & 3 else 0
        imm = (word >> 32) - (1 << 31) if word & 12 else int(rng.random() * 16)
        insns.append(Insn(word & 255, *regs, int(rng.random() * 4) if word & 16 else 0, imm))
    tail = [Insn(0xB7), Insn(0x95)] if rng.random() < 0.9 else []
    return Program("random", rng.choice(WEIGHTED).prog_type, insns + tail, license="GPL")


@cache
def shape_of(kind: Kind, kernel: str) -> Shape:
    """The profile's row of a program type."""
    return profiles.load(kernel).shape(kind.prog_type, kind.attach)


def build(rng: Random, actions: str, kind: Kind, kernel: str) -> Program:
    """The main function and everything that it calls, linked."""
    unit = Unit(rng, shape_of(kind, kernel), ACTIONS[actions], globals_too=actions == "globals", context=kind.context)
    size = 5 + int(rng.random() ** 2 * 150)
    bodies = [main(unit, kind, size)]
    while len(bodies) <= len(unit.functions):
        number = len(bodies)
        bodies.append(called(unit, number, unit.functions[number - 1], size // 2))
    insns, starts = link(bodies, unit.calls)
    program = Program(
        "generated", kind.prog_type, insns, maps=unit.maps, license="GPL", flags=kind.flags,
        expected_attach_type=kind.attach,
    )  # fmt: skip
    if unit.globals_too or actions in ("tail_calls", "ld_abs") or (unit.functions and rng.random() < 0.2):
        add_btf(program, unit.functions, starts, unit.context)
    return program


def main(unit: Unit, kind: Kind, size: int) -> list[Insn]:
    """The main function: the context goes to r6 first."""
    b = Builder(unit, 0, (CTX,), min(size, MAX_INSNS))
    if b.chance(0.9):
        b.copy(6, 1)
        b.keep.add(6)
    for _ in range(b.below(3)):
        s.unknown(b)
    while b.budget > 0:
        b.statement()
    return b.finish(*kind.returns)


def called(unit: Unit, number: int, function: Function, size: int) -> list[Insn]:
    """A function that is called; a global one knows its pointers from BTF only."""
    args = tuple(Value("mem?", 8) if v.kind in ("value", "fp") else v for v in function.args)
    b = Builder(unit, number, args if function.is_global else function.args, size)
    for reg, arg in enumerate(function.args, 1):
        if arg.kind == "ctx" and b.chance(0.8):
            b.copy(6, reg)
            b.keep.add(6)
    while b.budget > 0:
        b.statement()
    return b.finish(0, 1)


def link(bodies: Sequence[list[Insn]], calls: Sequence[tuple[int, int, int]]) -> tuple[list[Insn], list[int]]:
    """All functions one behind the other, calls leading where they should; and where each starts."""
    starts: list[int] = []
    insns: list[Insn] = []
    for body in bodies:
        starts.append(len(insns))
        insns += body
    for caller, slot, callee in calls:
        at = starts[caller] + slot
        insns[at] = insns[at]._replace(imm=starts[callee] - at - 1)
    return insns, starts


def add_btf(program: Program, functions: Sequence[Function], starts: Sequence[int], context: str) -> None:
    """Types for every function: numbers are ``int``, pointers lead to eight bytes or to the context."""
    btf = Btf()
    number = btf.add(Int("int", 4, 1))
    memory = btf.add(Ptr(btf.add(Struct("room", 8, (Member("a", number, 0), Member("b", number, 32))))))
    ctx = btf.add(Ptr(btf.add(Struct(context or "pt_regs", 4, (Member("a", number, 0),)))))
    kinds = {"scalar": number, "ctx": ctx}
    for i, start in enumerate(starts):
        args = functions[i - 1].args if i else (CTX,)
        params = tuple(Param(f"a{n}", kinds.get(v.kind, memory)) for n, v in enumerate(args))
        proto = btf.add(FuncProto(number, params))
        linkage = int(i == 0 or functions[i - 1].is_global)
        program.func_info.append(FuncInfo(start, btf.add(Func(f"f{i}", proto, linkage))))
    program.btf = btf
