"""The form of a rule's words, and the draft that an explanation grows in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from osmia.explain.model import Check, Fix, Known, Origin, Place

if TYPE_CHECKING:
    from osmia.explain.effects import Spot


@dataclass(frozen=True, slots=True)
class Rule:
    """The words for one kind of refusal, where nothing better is known about the case.

    ``headline`` says what is wrong with this program, ``rule`` what Linux wants, ``fixes`` what helps.  In all of them
    ``{it}`` is the value to blame, ``{call}`` the function called, ``{type}`` the program's type, ``{said}`` the
    kernel's message.
    """

    headline: str
    rule: str
    fixes: tuple[str, ...] = ()


def rule(headline: str, why: str, *fixes: str) -> Rule:
    """A row of the tables."""
    return Rule(headline, why, fixes)


@dataclass
class Draft:
    """An explanation that is being written.  ``spot`` is where the value to blame stands, None where there is none.

    ``origins`` and ``path`` are for rules that tell the story themselves; else it is the value's.
    ``index``: it is the unknown number in a pointer that counts, not the pointer.  ``it`` is how the value is called.
    """

    headline: str
    rule: str
    it: str = ""
    variable: str = ""
    spot: Spot | None = None
    index: bool = False
    place: Place | None = None
    origins: list[Origin] = field(default_factory=list)
    path: list[Check] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    known: list[Known] = field(default_factory=list)
    fixes: list[Fix] = field(default_factory=list)

    def fix(self, text: str, code: str = "", place: Place | None = None) -> None:
        """One more way out."""
        self.fixes.append(Fix(text, code, place))
