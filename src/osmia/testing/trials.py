"""A program with everything that its run depends on, and everything that the run leaves behind.

A trial is made so that every engine that runs it right has the same outcome: nothing in it depends on addresses, on
time, or on random numbers that are not part of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from osmia.obj.model import MapSpec, Program

ETH_HLEN = 14


@dataclass(frozen=True, slots=True)
class Trial:
    """``others``: programs that ``program`` may tail-call, by name; ``data``: the packet; ``ctx``: the context's bytes.

    Maps start as their specs say (``MapSpec.data``, ``MapSpec.values``); ``watched`` are those whose contents
    count afterwards (None: all).  Instructions are bounded by ``budget``.
    """

    program: Program
    data: bytes | None = None
    ctx: bytes | None = None
    others: dict[str, Program] = field(default_factory=dict)
    budget: int = 1 << 18
    why: str = ""

    @property
    def specs(self) -> list[MapSpec]:
        """The maps of all its programs, each once."""
        found: dict[str, MapSpec] = {}
        for program in (self.program, *self.others.values()):
            for spec in program.maps:
                found.setdefault(spec.name, spec)
                if spec.inner is not None:
                    found.setdefault(spec.inner.name, spec.inner)
        return list(found.values())

    def with_program(self, program: Program) -> Trial:
        """The same with another main program."""
        return replace(self, program=program)


Contents = tuple[tuple[bytes, bytes], ...]
"""Keys with values, in order; a queue's and a ring buffer's values have empty keys."""


class Outcome(NamedTuple):
    """What a run left.  ``error`` is the type of a failure and ``slot`` where; then there is no R0.

    ``seen`` is the part of R0, packet and context that counts.
    """

    error: str = ""
    slot: int = -1
    r0: int = 0
    data: bytes = b""
    ctx: bytes = b""
    maps: tuple[tuple[str, Contents], ...] = ()
    why: str = ""

    def differs(self, other: Outcome, *, bits: int = 64) -> str:
        """What is not the same, in words ("" for nothing); of R0 only the low ``bits`` count.

        Where the budget ends depends on how an engine counts: of two such failures nothing more is compared.
        """
        if (self.error, other.error) == ("BudgetExceeded", "BudgetExceeded"):
            return ""
        if (self.error, self.slot) != (other.error, other.slot):
            return f"ends in {self.ending} and in {other.ending}"
        mask = (1 << bits) - 1
        if (self.r0 ^ other.r0) & mask:
            return f"R0 is {self.r0 & mask:#x} and {other.r0 & mask:#x}"
        for what, mine, theirs in (("packet", self.data, other.data), ("context", self.ctx, other.ctx)):
            if mine != theirs:
                return f"{what}: {_unlike(mine, theirs)}"
        for (name, mine_in), (_, theirs_in) in zip(self.maps, other.maps, strict=True):
            if mine_in != theirs_in:
                return f"map {name}: {_first(mine_in, theirs_in)}"
        return ""

    @property
    def ending(self) -> str:
        """ "a result", or the failure with its place."""
        return f"{self.error} at {self.slot} ({self.why})" if self.error else "a result"


def _unlike(mine: bytes, theirs: bytes) -> str:
    """Where two blocks of bytes differ first."""
    if len(mine) != len(theirs):
        return f"{len(mine)} and {len(theirs)} bytes"
    at = next(n for n, pair in enumerate(zip(mine, theirs, strict=True)) if pair[0] != pair[1])
    return f"byte {at} on: {mine[at : at + 8].hex()} and {theirs[at : at + 8].hex()}"


def _first(mine: Contents, theirs: Contents) -> str:
    """The first element that differs."""
    keys = [key for key, _ in mine], [key for key, _ in theirs]
    if keys[0] != keys[1]:
        return f"keys {[key.hex() for key in keys[0]]} and {[key.hex() for key in keys[1]]}"
    key, a, b = next((key, a, b) for (key, a), (_, b) in zip(mine, theirs, strict=True) if a != b)
    return f"element {key.hex() or '-'}, {_unlike(a, b)}"
