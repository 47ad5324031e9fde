"""What the dialects share: the interface, the registry, and labels.

A dialect is a module with two functions::

    def format(insns: Iterable[Insn], ...) -> str        # one line an instruction, "\\n" at the end of each
    def parse(text: str, *, file: str | None = None) -> list[Insn]

``format`` writes what a person or tool would read of a bare slot stream; every pattern that is no valid
instruction comes out in a form of the dialect's own or ends in AsmError.  ``parse`` reads it back.  Dialects
may take more keyword arguments; both work without any.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, cast

from osmia.errors import AsmError, Place, UsageError
from osmia.isa import Insn
from osmia.isa import consts as c

NAMES = ("llvm", "kernel", "ubpf", "classic")


class Dialect(Protocol):
    """The two functions of a dialect's module."""

    def format(self, insns: Iterable[Insn]) -> str:
        """The text of a slot stream.  Raises AsmError for what the dialect can't write."""

    def parse(self, text: str, *, file: str | None = None) -> list[Insn]:
        """The slots of a text.  Raises AsmError with line and column."""


class _Registry(Mapping[str, Dialect]):
    """Name → module ``osmia.asm.<name>``, imported at the first look-up."""

    def __getitem__(self, name: str) -> Dialect:
        if name not in NAMES:
            raise UsageError(f"no dialect is called {name!r}; there are {', '.join(NAMES)}")
        return cast(Dialect, importlib.import_module(f"osmia.asm.{name}"))

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)

    def __contains__(self, name: object) -> bool:
        return name in NAMES


DIALECTS: Mapping[str, Dialect] = _Registry()
"""The dialects by name.  Raises UsageError for a name that is none."""

Where = Literal["off", "imm"]
_LIMITS: dict[Where, int] = {"off": 1 << 15, "imm": 1 << 31}


@dataclass(frozen=True, slots=True)
class _Use:
    slot: int
    name: str
    where: Where
    place: Place


@dataclass(slots=True)
class Labels:
    """Names of positions, and the instructions that wait for them: what a parser of labels needs.

    Distances count slots from the instruction behind the one that refers, as the encoding's do.
    """

    slots: dict[str, int] = field(default_factory=dict)
    _uses: list[_Use] = field(default_factory=list)

    def define(self, name: str, slot: int, place: Place) -> None:
        """``name`` stands before slot ``slot``.  Raises AsmError when it already stands somewhere."""
        if name in self.slots:
            raise AsmError(f"label {name!r} is already defined", place)
        self.slots[name] = slot

    def refer(self, slot: int, name: str, place: Place, where: Where = "off") -> None:
        """The instruction at ``slot`` gets the distance to ``name`` into its ``off`` or ``imm``."""
        self._uses.append(_Use(slot, name, where, place))

    def resolve(self, insns: list[Insn]) -> None:
        """Fill in every distance.  Raises AsmError for an undefined label or a distance that does not fit."""
        for use in self._uses:
            target = self.slots.get(use.name)
            if target is None:
                raise AsmError(f"label {use.name!r} is not defined", use.place)
            distance = target - use.slot - 1
            limit = _LIMITS[use.where]
            if not -limit <= distance < limit:
                raise AsmError(f"label {use.name!r} is {distance} slots away: too far for this instruction", use.place)
            old = insns[use.slot]
            insns[use.slot] = old._replace(off=distance) if use.where == "off" else old._replace(imm=distance)


def jump_targets(insns: Sequence[Insn], *, calls: bool = False) -> dict[int, int]:
    """Slot of each jump → slot it jumps to (which may lie outside).  ``calls`` adds calls of subprograms."""
    found = {}
    skip = False
    for i, insn in enumerate(insns):
        if skip or insn.is_wide:
            skip = not skip
            continue
        distance = _distance(insn, calls)
        if distance is not None:
            found[i] = i + 1 + distance
    return found


def _distance(insn: Insn, calls: bool) -> int | None:
    cls, op = insn.code & 7, insn.code & 0xF0
    if cls not in (c.BPF_JMP, c.BPF_JMP32):
        return None
    if op == c.BPF_CALL:
        local = insn.code == (c.BPF_JMP | c.BPF_CALL) and insn.src_reg == c.BPF_PSEUDO_CALL
        return insn.imm if calls and local else None
    if op == c.BPF_EXIT or op > c.BPF_JCOND:
        return None
    return insn.imm if insn.code == (c.BPF_JMP32 | c.BPF_JA) else insn.off
