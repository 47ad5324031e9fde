"""A listing or a whole verifier log back into a program.

A log shows instructions in the order in which the verifier walks them, again and again, between states, tables,
source lines and messages; the number before each tells its slot.  At log level 2 Linux 6.18 prints every
instruction once in a table at the top; at level 1 only those that were walked: the rest can't be known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from osmia.asm.kernel_parse import Names, Pair, Source, read_insn
from osmia.asm.kernel_unsaid import apply
from osmia.errors import AsmError, Place
from osmia.isa import Insn

_LOG = re.compile(
    r"^[ \t]*(?:func#\d+ @|processed \d+ insns|Live regs before insn|from \d+ to \d+|\d+: (?:frame\d+: )?R\d+\w*=|"
    r"-- (?:BEGIN|END) PROG LOAD LOG|(?:last_idx|mark_precise:|Validating ))",
    re.MULTILINE,
)
_NUMBER = re.compile(r"\s*(?:libbpf: )?(?:\d+\s+)?(\d{1,9}):\s*")
_TABLE = re.compile(r"[.0-9]{10,11}\s+")
_STATE = re.compile(r"(?:frame\d+:)?\s*(?:R\d+\w*=.*|safe|)$")
_TEXT = re.compile(r"\([0-9a-fA-F]{2}\)|BUG_")


class _Slots:
    """The slots read so far; numbers may come in any order, and again."""

    def __init__(self, file: str | None) -> None:
        self.file, self.cursor = file, 0
        self.found: dict[int, tuple[Insn, int]] = {}

    def add(self, slot: int, pair: Pair, source: Source) -> None:
        for insn in pair:
            if insn is not None:
                self._put(slot, insn, source)
                slot += 1
        self.cursor = slot

    def _put(self, slot: int, insn: Insn, source: Source) -> None:
        known, line = self.found.setdefault(slot, (insn, source.place.line or 0))
        if known != insn:
            source.fail(f"instruction {slot} was another one on line {line}")

    def program(self) -> list[Insn]:
        """All slots in order.  Raises AsmError when one is missing."""
        missing = next((i for i in range(len(self.found)) if i not in self.found), None)
        if missing is not None:
            after = min(s for s in self.found if s > missing)
            line = self.found[after][1]
            raise AsmError(f"instruction {missing} never appears before {after}", file=self.file, line=line, column=1)
        return [self.found[i][0] for i in range(len(self.found))]


def read_program(text: str, file: str | None, helpers: Names) -> list[Insn]:
    """The program of a listing or log.  Raises AsmError with line and column."""
    slots, is_log = _Slots(file), _LOG.search(text) is not None
    read: dict[str, Pair] = {}  # a log shows the same text many times
    for source, number, comment in _instructions(text, file, helpers, is_log):
        pair = read.get(source.text) or read.setdefault(source.text, read_insn(source))
        if comment:
            pair = apply(pair, comment, source, len(source.text))
        slots.add(slots.cursor if number is None else number, pair, source)
    return slots.program()


_Line = tuple[Source, int | None, str]


def _instructions(text: str, file: str | None, helpers: Names, is_log: bool) -> Iterator[_Line]:
    """Every instruction's text, number and comment; in a log, lines that are none are passed over."""
    for line, content in enumerate(text.split("\n"), 1):
        body, _, comment = content.partition(";")
        number = _NUMBER.match(body)
        start = number.end() if number else len(body) - len(body.lstrip())
        if number and (table := _TABLE.match(body, start)):
            start = table.end()
        words = body[start:].rstrip()
        if (not words and not number) or (is_log and not (number and _TEXT.match(words))):
            continue
        if number and not _TEXT.match(words) and _STATE.match(words):
            continue
        source = Source(words, Place(file=file, line=line, column=start + 1), helpers)
        yield source, int(number[1]) if number else None, comment
