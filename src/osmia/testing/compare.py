"""A difference between two answers, and a short name for its cause, by which many differences become few."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import zip_longest

from osmia.obj.model import Program
from osmia.testing.answers import Answer, Kernel, ask_osmia
from osmia.verifier.env import Powers

NUMBER = re.compile(r"0x[0-9a-f]+|-?\b\d+\b|(?<=[Rr=@#])-?\d+")
WORD = re.compile(r"[^\s,;()]+")
BOUNDS = ("var_off", *(sign + end + half for sign in "su" for end in ("min", "max") for half in ("", "32")))
WIDTH = 96
NOT_ASKED = Answer(-1)
"""Osmia's answer where it was not asked, for it would take too long."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the two judges said to a program."""

    program: Program
    powers: Powers
    level: int
    kernel: Answer
    osmia: Answer

    @property
    def kind(self) -> str:
        """The same, or what differs: "crash", "accepts" (Osmia does, the kernel not), "rejects", "errno", or "log".

        "too long" and "unsupported" can't be compared.
        """
        if self.osmia is NOT_ASKED:
            return "too long"
        if self.osmia.unsupported:
            return "unsupported"
        if self.osmia.crash:
            return "crash"
        if self.osmia == self.kernel:
            return "same"
        if not self.osmia.errno and self.kernel.errno:
            return "accepts"
        if self.osmia.errno and not self.kernel.errno:
            return "rejects"
        return "errno" if self.osmia.errno != self.kernel.errno else "log"

    @property
    def differs(self) -> bool:
        """Is it a difference?"""
        return self.kind not in ("same", "too long", "unsupported")

    @property
    def first(self) -> tuple[int, str, str]:
        """The first line that differs: its number, the kernel's, Osmia's."""
        lines = zip_longest(self.kernel.log.splitlines(), self.osmia.log.splitlines(), fillvalue="")
        return next(((n, a, b) for n, (a, b) in enumerate(lines) if a != b), (0, "", ""))

    @property
    def cause(self) -> str:
        """The same for differences that look alike: numbers don't count."""
        if self.osmia.crash:
            return f"crash: {plain(self.osmia.crash)}"
        if self.kind == "log":
            _, kernel, osmia = self.first
            return f"log: {what_differs(kernel, osmia)}"
        said = [f"{answer.errno} {plain(answer.message)}" for answer in (self.kernel, self.osmia)]
        return f"{self.kind}: {' | '.join(said)}"


def plain(line: str) -> str:
    """A line of the log without its numbers."""
    return NUMBER.sub("N", line)[:WIDTH]


def what_differs(kernel: str, osmia: str) -> str:
    """The kinds of words that only one of two lines has; numbers in them count only if nothing else differs."""
    words = [Counter(WORD.findall(line)) for line in (kernel, osmia)]
    mine, yours = (" ".join(sorted({kind_of(w) for w in side})) for side in (words[0] - words[1], words[1] - words[0]))
    start = plain(kernel or osmia).partition(";")[0].removeprefix("N: ").split()[:1]
    known = [] if "bounds" in (mine, yours) or "fp=" in mine + yours else start
    return " ".join([*known, mine or "-", "|", yours or ("-" if mine else "order or blanks")])[: 2 * WIDTH]


def kind_of(word: str) -> str:
    """A word of a register's or slot's state by what it tells; another one without its numbers."""
    name = word.partition("=")[0]
    if name in BOUNDS:
        return "bounds"
    return "fp=" if word.startswith("fp-") and "=" in word else NUMBER.sub("N", word)


def compare(kernel: Kernel, program: Program, level: int, powers: Powers, most: int) -> Comparison:
    """Ask both.  Where the kernel goes through more than ``most`` instructions, only the kernel."""
    theirs = kernel.ask(program, level, powers)
    long = theirs.cut or theirs.processed > most
    return Comparison(program, powers, level, theirs, NOT_ASKED if long else ask_osmia(program, level, powers))
