"""The forms in which tools hand classic filters around: ``tcpdump -d``, ``-dd``, ``-ddd``, and bpf_asm's output."""

from __future__ import annotations

import re
from typing import NoReturn

from osmia.asm import classic_insn as ci
from osmia.asm.classic_insn import SockFilter
from osmia.asm.classic_parse import FORMS, Parser, tokens
from osmia.errors import AsmError, Place

_M32 = 0xFFFFFFFF
_LIMITS = (("code", 0xFFFF), ("jt", 0xFF), ("jf", 0xFF), ("k", _M32))
_NUMBERS = re.compile(r"\s*\d+\s*(?:,|\n|$)")
_FIELD = re.compile(r"0[xX][0-9a-fA-F]{1,16}\b|\d{1,20}\b")
_LISTING = re.compile(r"\((\d{1,9})\)[ \t]*")
_BRANCHES = re.compile(r"\bjt[ \t]+(\d{1,9})[ \t]+jf[ \t]+(\d{1,9})[ \t]*$")
_JUMP = re.compile(r"ja[ \t]+(\d{1,9})[ \t]*$")


def parse_listing(text: str, file: str | None) -> list[SockFilter]:
    """What ``tcpdump -d`` prints: numbered lines, absolute jumps.  Raises AsmError."""
    filters: list[SockFilter] = []
    for number, content in enumerate(text.split("\n"), 1):
        if not content.strip():
            continue
        place = Place(file=file, line=number, column=len(content) - len(content.lstrip()) + 1)
        head = _LISTING.match(content.strip())
        if head is None or int(head[1]) != len(filters):
            raise AsmError(f"expected instruction ({len(filters):03d})", place)
        indent = (place.column or 1) - 1 + head.end()
        filters.append(_listed(content.rstrip(), indent, len(filters), place))
    return filters


def _listed(content: str, indent: int, at: int, place: Place) -> SockFilter:
    if jump := _JUMP.match(content, indent):
        return SockFilter(ci.JA, 0, 0, int(jump[1]) - at - 1 & _M32)
    branches = _BRANCHES.search(content, indent)
    body = content[: branches.start()].rstrip() if branches else content
    parser = Parser(tokens(body[indent:], place.file, place.line or 1, indent + 1))
    start, forms = parser.token, FORMS.get(parser.word)
    if forms is None or start.kind != "word":
        start.fail(f"no classic instruction is called {start.text!r}")
    parser.at += 1
    op, k = parser.operand(start, forms)
    if parser.token.kind != "end":
        parser.fail("the end of the instruction")
    if op.mode.startswith("if_") != bool(branches):
        parser.fail("nothing more: only conditional jumps have jt and jf" if branches else "jt and jf")
    if branches is None:
        return SockFilter(op.code, 0, 0, k)
    jt, jf = (int(branches[n]) - at - 1 for n in (1, 2))
    if not (0 <= jt <= 255 and 0 <= jf <= 255):
        raise AsmError("conditional jumps reach 0 to 255 instructions ahead", place)
    return SockFilter(op.code, jt, jf, k)


def is_listing(text: str) -> bool:
    """It looks like ``tcpdump -d``: ``(000) ldh [12]``."""
    return _LISTING.match(text.lstrip()) is not None


def is_array(text: str) -> bool:
    """It looks like ``tcpdump -dd`` (or a C array): ``{ 0x28, 0, 0, 0x0000000c },``."""
    return text.lstrip().startswith("{")


def is_numbers(text: str) -> bool:
    """It looks like ``tcpdump -ddd`` or bpf_asm's output: a count, then four numbers an instruction."""
    return _NUMBERS.match(text) is not None


def parse_array(text: str, file: str | None) -> list[SockFilter]:
    """The initialisers of a C array of ``struct sock_filter``.  Raises AsmError."""
    scan = _Scan(text, file)
    filters = []
    while not scan.end():
        scan.mark("{")
        fields = []
        for i, (name, limit) in enumerate(_LIMITS):
            if i:
                scan.mark(",")
            fields.append(scan.field(name, limit))
        scan.mark("}")
        if not scan.end():
            scan.mark(",")
        filters.append(SockFilter(*fields))
    return filters


def parse_numbers(text: str, file: str | None) -> list[SockFilter]:
    """A count and four numbers an instruction, on lines or between commas.  Raises AsmError."""
    scan = _Scan(text, file)
    count = scan.field("the number of instructions", _M32)
    scan.maybe(",")
    filters = []
    while not scan.end():
        filters.append(SockFilter(*(scan.field(name, limit) for name, limit in _LIMITS)))
        scan.maybe(",")
    if len(filters) != count:
        scan.fail(f"{count} instructions are announced, {len(filters)} follow")
    return filters


class _Scan:
    """A walk over numbers and marks."""

    def __init__(self, text: str, file: str | None) -> None:
        self.text, self.file, self.at = text, file, 0
        self.end()

    def fail(self, reason: str) -> NoReturn:
        before = self.text[: self.at]
        column = self.at - (before.rfind("\n") + 1) + 1
        raise AsmError(reason, file=self.file, line=before.count("\n") + 1, column=column)

    def end(self) -> bool:
        """Pass over blanks; is nothing left?"""
        while self.at < len(self.text) and self.text[self.at] in " \t\r\n":
            self.at += 1
        return self.at >= len(self.text)

    def maybe(self, mark: str) -> bool:
        found = not self.end() and self.text[self.at] == mark
        self.at += found
        return found

    def mark(self, mark: str) -> None:
        if not self.maybe(mark):
            self.fail(f"expected {mark!r}")

    def field(self, name: str, limit: int) -> int:
        match = None if self.end() else _FIELD.match(self.text, self.at)
        if match is None:
            self.fail(f"expected {name}")
        value = int(match[0], 16 if match[0][:2] in ("0x", "0X") else 10)
        if value > limit:
            self.fail(f"{name} {value} does not fit 0..{limit}")
        self.at = match.end()
        return value
