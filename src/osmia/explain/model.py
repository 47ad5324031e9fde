"""What an explanation consists of: facts with their places, in the order in which a reader wants them.

Everything is plain data; ``osmia.explain.render`` makes text of it, ``to_json`` plain values.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """Where an instruction stands, and what it comes from.

    ``insn`` is the slot and ``shown`` the instruction as the log writes it.  ``file``, ``line`` and ``column`` (from 1)
    and ``code``, the line itself with its indentation, are known where the program has line information; ``line`` is 0
    where it has none, ``column`` 0 where the compiler did not say.  ``width`` is the length of the expression there.
    """

    insn: int
    shown: str = ""
    function: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    width: int = 0
    code: str = ""

    def __str__(self) -> str:
        """``line 12``, or ``insn 7`` where there is no source."""
        return f"line {self.line}" if self.line else f"insn {self.insn}"


@dataclass(frozen=True, slots=True)
class Origin:
    """One step in the life of the value that was refused, oldest first.

    ``kind``: "load", "call", "constant", "argument", "start", "move", "arithmetic", "spill", "fill", "return", "lost",
    "gap" (steps that were not kept).  ``text`` says what happened, ``known`` what the value was afterwards.
    """

    kind: str
    text: str
    place: Place | None = None
    known: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A branch on the path that compared the value.  ``held`` is the condition that is true on this path.

    ``learned`` is what the verifier concluded; empty where it concluded nothing.
    """

    held: str
    place: Place
    learned: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What the verifier knew when it refused: ``name`` (``R2``, with the variable where it is known), in words."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """One way out: what to do, and where it helps a line of C; ``place`` is where to do it."""

    text: str
    code: str = ""
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one program was refused.

    ``headline`` is one sentence about this program, ``rule`` what Linux wants in general, ``message`` the kernel's
    last words, ``where`` the step that refused ("load", "map", "btf", "reloc").  ``place`` is the access itself, None
    where the whole program is meant.  ``notes`` are further facts.
    """

    program: str
    prog_type: str
    kernel: str
    errno: int
    error: str
    kind: str
    headline: str
    rule: str
    message: tuple[str, ...] = ()
    where: str = "load"
    place: Place | None = None
    origins: tuple[Origin, ...] = ()
    checks: tuple[Check, ...] = ()
    known: tuple[Known, ...] = ()
    notes: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values; what is empty is left out."""
        made: dict[str, Any] = plain(self)
        return made

    def __str__(self) -> str:
        from osmia.explain.render import text_of

        return text_of(self)


def plain(value: Any) -> Any:
    """Dataclasses as dicts without their empty fields, tuples as lists."""
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    if isinstance(value, Place | Origin | Check | Known | Fix | Explanation):
        known = {field.name: getattr(value, field.name) for field in fields(value)}
        return {name: plain(each) for name, each in known.items() if each not in ("", (), None, 0) or name == "insn"}
    return value
