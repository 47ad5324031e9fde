"""The desk at which a program is made up: instructions so far, and what the registers and the stack should hold now.

What is believed here need not be true to the last bit; it keeps programs nearly valid, so that the verifier gets far.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from osmia.isa import Insn
from osmia.isa import consts as c
from osmia.kernel.helpers import HelperProto
from osmia.kernel.profile import Shape
from osmia.obj.model import MapSpec
from osmia.testing.generators import maps

SIZES = {1: c.BPF_B, 2: c.BPF_H, 4: c.BPF_W, 8: c.BPF_DW}
CODES = {"ja": 0x05, "exit": 0x95, "call": 0x85, "may_goto": 0xE5, "gotol": 0x06}
CONDITIONS = (0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xA0, 0xB0, 0xC0, 0xD0)
INTERESTING = (
    0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 63, 64, 100, 127, 128, 255, 256, 511, 512, 4095, 65535, 65536, 1 << 20,
    (1 << 31) - 1, -(1 << 31), -1, -2, -8, -16, -100, -4096,
)  # fmt: skip
MAX_INSNS = 600


class Value(NamedTuple):
    """What a register holds: a kind, and what belongs to it (number of a map, bytes of packet that were checked).

    A kind that ends in ``?`` may be null.
    """

    kind: str
    info: int = 0


NONE, SCALAR, CTX, FP = Value("none"), Value("scalar"), Value("ctx"), Value("fp")
UNKNOWN = Value("scalar", 1)
"""A number that the verifier does not know: a branch on it goes both ways."""
MEMORY = Value("room", 8)
"""A pointer to eight bytes that a callback was given."""


@dataclass(slots=True)
class Function:
    """A function that is called: what it takes, and, for BTF, how it is linked."""

    args: tuple[Value, ...]
    is_global: bool = False
    insns: list[Insn] = field(default_factory=list)
    callback: bool = False


@dataclass(frozen=True, slots=True)
class World:
    """What a program may use that is to do the same wherever it runs.

    ``noise``: the map whose one value holds the numbers that the verifier knows nothing of; ``helpers``: the helpers
    to call; ``types``: those of the maps to use; ``tails``: a prog_array.
    """

    noise: MapSpec
    helpers: Sequence[HelperProto]
    types: Sequence[str]
    tails: MapSpec | None = None


@dataclass(slots=True)
class Unit:
    """A whole program in the making.  ``calls`` are (function, slot, callee), functions numbered from 1, main is 0.

    ``world``: it is made to be run, and to have one outcome; without, it is made for verifiers.
    """

    rng: Random
    shape: Shape
    actions: Sequence[Callable[[Builder], None]]
    maps: list[MapSpec] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    calls: list[tuple[int, int, int]] = field(default_factory=list)
    globals_too: bool = False
    context: str = ""
    world: World | None = None

    @property
    def prog_type(self) -> str:
        """The program's type."""
        return self.shape.prog_type

    def maps_for(self, helper: str) -> tuple[MapSpec, ...]:
        """The maps that go with a helper."""
        found = maps.for_helper(helper)
        return found if self.world is None else tuple(spec for spec in found if spec.type in self.world.types)

    def map_number(self, spec: MapSpec) -> int:
        """The number of a map in the program, which it joins if need be."""
        for number, known in enumerate(self.maps):
            if known is spec:
                return number
        self.maps.append(spec)
        return len(self.maps) - 1


class Builder:
    """One function in the making."""

    def __init__(self, unit: Unit, number: int, args: Sequence[Value], budget: int) -> None:
        self.unit = unit
        self.rng = unit.rng
        self.number = number
        self.insns: list[Insn] = []
        self.regs = [NONE, *args, *[NONE] * (9 - len(args)), FP]
        self.stack: dict[int, Value] = {}
        self.keep: set[int] = set()
        self.outs: list[int] = []
        self.budget = budget
        self.depth = 0
        self.loops = 0

    # -- chance

    def chance(self, probability: float) -> bool:
        """True that often."""
        return self.rng.random() < probability

    def below(self, end: int) -> int:
        """A number from 0 on."""
        return int(self.rng.random() * end)

    def number_like(self) -> int:
        """An immediate: mostly an interesting one."""
        roll = self.rng.random()
        if roll < 0.5:
            return INTERESTING[self.below(len(INTERESTING))]
        if roll < 0.8:
            return self.below(64)
        return self.below(1 << 32) - (1 << 31)

    # -- instructions

    def emit(self, code: int, dst: int = 0, src: int = 0, off: int = 0, imm: int = 0) -> int:
        """One more instruction: its slot."""
        self.insns.append(Insn(code, dst, src, off, imm))
        self.budget -= 1
        return len(self.insns) - 1

    def mov(self, dst: int, imm: int) -> None:
        """A constant."""
        self.emit(0xB7, dst, 0, 0, imm)
        self.regs[dst] = SCALAR

    def copy(self, dst: int, src: int) -> None:
        """A register into another one."""
        self.emit(0xBF, dst, src)
        self.regs[dst] = self.regs[src]

    def add(self, dst: int, imm: int) -> None:
        """Some more."""
        self.emit(0x07, dst, 0, 0, imm)

    def load(self, size: int, dst: int, src: int, off: int) -> None:
        """A load of bytes as a number."""
        self.emit(0x61 | SIZES[size], dst, src, off)
        self.regs[dst] = UNKNOWN

    def map_load(self, dst: int, spec: MapSpec) -> int:
        """The address of a map: its number."""
        number = self.unit.map_number(spec)
        self.emit(0x18, dst, c.BPF_PSEUDO_MAP_FD, 0, number)
        self.emit(0)
        self.regs[dst] = Value("map", number)
        return number

    def value_of(self, dst: int, spec: MapSpec, off: int = 0) -> None:
        """The address of the one value of an array."""
        number = self.unit.map_number(spec)
        self.emit(0x18, dst, c.BPF_PSEUDO_MAP_VALUE, 0, number)
        self.emit(0, 0, 0, 0, off)
        self.regs[dst] = Value("value", number)

    def call(self, helper: int) -> None:
        """A helper's call; the caller-saved registers are gone."""
        self.emit(0x85, 0, 0, 0, helper)
        self.clobber()

    def clobber(self) -> None:
        """What a call leaves."""
        self.regs[0] = UNKNOWN
        self.regs[1:6] = [NONE] * 5

    def patch(self, slot: int) -> None:
        """Let a jump lead to here."""
        insn = self.insns[slot]
        self.insns[slot] = insn._replace(off=len(self.insns) - slot - 1)

    # -- registers

    def having(self, *kinds: str) -> list[int]:
        """The registers that hold one of some kinds."""
        return [n for n, value in enumerate(self.regs) if value.kind in kinds]

    def pick(self, *kinds: str) -> int:
        """One of them, or -1."""
        found = self.having(*kinds)
        return found[self.below(len(found))] if found else -1

    def free(self, *but: int) -> int:
        """A register to write to, none of those: an empty one if there is any."""
        regs, keep = self.regs, self.keep
        empty = [n for n in range(10) if regs[n].kind == "none" and n not in keep and n not in but]
        if not empty or self.rng.random() < 0.3:
            empty = [n for n in range(10) if regs[n].kind in ("none", "scalar") and n not in keep and n not in but]
        return empty[self.below(len(empty))] if empty else (self.below(6) + 1) % 6

    def scalar(self) -> int:
        """A register with a number."""
        found = self.pick("scalar")
        if found < 0:
            found = self.free()
            self.mov(found, self.number_like())
        return found

    def unknown(self) -> int:
        """A register with a number that is not known, if there is any, else any number."""
        found = [n for n, value in enumerate(self.regs) if value == UNKNOWN]
        return found[self.below(len(found))] if found and self.rng.random() < 0.9 else self.scalar()

    def context(self) -> int:
        """A register with the context, or -1."""
        return self.pick("ctx")

    # -- control

    def statement(self) -> None:
        """One more action."""
        actions = self.unit.actions
        actions[self.below(len(actions))](self)

    def block(self, most: int) -> None:
        """Some actions in a row, while there is room."""
        self.depth += 1
        for _ in range(1 + self.below(most)):
            if self.budget > 0:
                self.statement()
        self.depth -= 1

    def either(self, jump: int, taken: Callable[[], None] | None) -> None:
        """The arms of a jump that was just emitted: what follows it, then ``taken`` where it leads."""
        before, stack = self.regs[:], dict(self.stack)
        self.block(3)
        after, after_stack = self.regs, self.stack
        self.regs, self.stack = before, stack
        if taken is None:
            self.patch(jump)
        else:
            over = self.emit(CODES["ja"])
            self.patch(jump)
            taken()
            self.patch(over)
        self.regs = [a if a == b else joined(a, b) for a, b in zip(self.regs, after, strict=True)]
        self.stack = {off: value for off, value in self.stack.items() if after_stack.get(off) == value}

    def finish(self, low: int, high: int) -> list[Insn]:
        """The function's end, with a number in r0; other ways out lead there too."""
        for slot in self.outs:
            self.patch(slot)
        if self.chance(0.9) or self.outs or self.regs[0].kind != "scalar":
            self.mov(0, low + self.below(high - low + 1))
        elif self.chance(0.5):
            self.emit(0x57, 0, 0, 0, 1)
        self.emit(CODES["exit"])
        return self.insns


def joined(a: Value, b: Value) -> Value:
    """What is known where two paths meet."""
    if a.kind == b.kind and a.kind != "none":
        return Value(a.kind, min(a.info, b.info))
    return NONE
