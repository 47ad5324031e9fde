"""What the verifier knew before each instruction, over all paths: the net that running programs are held against.

A register counts only where it is alive: the verifier forgets dead ones, and takes paths for equal that differ in
them.  Speculative paths don't count, for they never happen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from osmia.verifier.text import reg_type_str

if TYPE_CHECKING:
    from osmia.verifier.env import Env
    from osmia.verifier.regs import Reg
    from osmia.verifier.state import State


@dataclass(slots=True)
class Fact:
    """What a register may hold: its types, and for scalars the hull of all values, as tnum and as four ranges.

    Type ``?`` is a register that nothing was written to.

    ``value`` and ``mask``: bits outside the mask are those of value.  The 32-bit ranges are of the low half.
    """

    types: set[str]
    value: int
    mask: int
    smin: int
    smax: int
    umin: int
    umax: int
    s32_min: int
    s32_max: int
    u32_min: int
    u32_max: int

    @property
    def scalar(self) -> bool:
        """Is it a number on every path?"""
        return self.types == {"scalar"}

    def holds(self, value: int) -> bool:
        """Could the register, a scalar, hold this u64?"""
        signed, low = value - ((value >> 63) << 64), value & 0xFFFFFFFF
        signed_low = low - ((low >> 31) << 32)
        return (
            (value & ~self.mask) == self.value and self.umin <= value <= self.umax and self.smin <= signed <= self.smax
            and self.u32_min <= low <= self.u32_max and self.s32_min <= signed_low <= self.s32_max
        )  # fmt: skip

    def join(self, reg: Reg) -> None:
        """Widen it by what one more path knows."""
        self.types.add(_type_of(reg))
        self.mask |= reg.mask | (self.value ^ reg.value)
        self.value &= ~self.mask
        self.smin, self.smax = min(self.smin, reg.smin), max(self.smax, reg.smax)
        self.umin, self.umax = min(self.umin, reg.umin), max(self.umax, reg.umax)
        self.s32_min, self.s32_max = min(self.s32_min, reg.s32_min), max(self.s32_max, reg.s32_max)
        self.u32_min, self.u32_max = min(self.u32_min, reg.u32_min), max(self.u32_max, reg.u32_max)

    def to_json(self) -> dict[str, Any]:
        """Plain values: sorted types, and the numbers where there are any."""
        numbers = ("value", "mask", "smin", "smax", "umin", "umax", "s32_min", "s32_max", "u32_min", "u32_max")
        return {"types": sorted(self.types), **({n: getattr(self, n) for n in numbers} if self.scalar else {})}


def _type_of(reg: Reg) -> str:
    return reg_type_str(reg.type)


def _first(reg: Reg) -> Fact:
    return Fact(
        {_type_of(reg)}, reg.value, reg.mask, reg.smin, reg.smax, reg.umin, reg.umax,
        reg.s32_min, reg.s32_max, reg.u32_min, reg.u32_max,
    )  # fmt: skip


class Facts:
    """By slot, then by register: what was known before the instruction.  A slot that no path reached has nothing.

    ``pruned`` are the slots where a path was taken for one that was walked before: from there on its numbers may be
    others, where nothing depended on them.
    """

    def __init__(self) -> None:
        self.at: dict[int, dict[int, Fact]] = {}
        self.pruned: set[int] = set()

    def note(self, env: Env) -> None:
        """One path stands before ``env.insn_idx``."""
        state = env.state
        if state.speculative:
            return
        live = env.insns[env.insn_idx].live_regs_before
        known = self.at.setdefault(env.insn_idx, {})
        for number, reg in enumerate(state.regs()):
            if not live >> number & 1:
                continue
            fact = known.get(number)
            if fact is None:
                known[number] = _first(reg)
            else:
                fact.join(reg)

    def fork(self, state: State) -> None:
        """A path is set aside: that changes nothing that was known."""

    def of(self, slot: int, regno: int) -> Fact | None:
        """What was known of a register before an instruction; None where it is not alive."""
        return self.at.get(slot, {}).get(regno)

    def types(self) -> dict[int, dict[int, frozenset[str]]]:
        """Slot → register → its types: what a compiler makes use of."""
        return {slot: {regno: frozenset(f.types) for regno, f in known.items()} for slot, known in self.at.items()}
