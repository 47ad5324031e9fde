"""An explanation as text: one screen, plain or with the styles of a terminal.

Every line is a list of pieces, each a text with the name of a style; ``text_of`` joins them, the command line colours
them.
"""

from __future__ import annotations

import re
import textwrap

from osmia.explain.model import Check, Explanation, Fix, Origin, Place
from osmia.explain.source import expression

Piece = tuple[str, str]
"""Text and style: "", "error", "head", "code", "place", "mark", "good", "dim"."""
Line = list[Piece]
WIDTH = 100
TAB = 4


def text_of(said: Explanation, width: int = WIDTH) -> str:
    """Plain text, with a newline at the end of each line."""
    return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines_of(said, width))


def lines_of(said: Explanation, width: int = WIDTH) -> list[Line]:
    """The lines in their order: what is wrong, where, why, what the verifier knew, what helps."""
    lines: list[Line] = [[(f"{said.program or 'program'}: ", "head"), (said.headline, "error")]]
    if said.place is not None:
        lines += _source(said.place)
    lines += _said(said)
    lines += _paragraph("rule", said.rule, width)
    if said.origins:
        lines += _origins(said.origins, width)
    if said.checks:
        lines += _checks(said.checks, width)
    for number, known in enumerate(said.known):
        lines += _paragraph("known here" if not number else "", f"{known.name}: {known.text}", width)
    for number, note in enumerate(said.notes):
        lines += _paragraph("note" if not number else "", note, width)
    for number, fix in enumerate(said.fixes):
        lines += _fix("fix" if not number else "", fix, width)
    return lines


def _paragraph(title: str, text: str, width: int, style: str = "") -> list[Line]:
    """A title in the margin and wrapped text beside it."""
    rows = textwrap.wrap(text, max(width - MARGIN, 20)) if text else []
    return [[(f"{title if not i else '':<{MARGIN}}", "head"), (row, style)] for i, row in enumerate(rows)]


MARGIN = 13


def _source(place: Place) -> list[Line]:
    """Where it is, the line of C with the expression underlined, and the instruction."""
    where = f" in {place.function}()" if place.function else ""
    if not place.line:
        return [[("  --> ", "dim"), (f"insn {place.insn}{where}", "place")], [("      ", ""), (place.shown, "code")]]
    column = f":{place.column}" if place.column else ""
    number = str(place.line)
    blank = " " * len(number)
    lines: list[Line] = [[(f" {blank}--> ", "dim"), (f"{place.file}:{place.line}{column}{where}", "place")]]
    code, mark = marked(place)
    lines.append([(f" {number} | ", "dim"), (code, "code")])
    if mark:
        lines.append([(f" {blank} | ", "dim"), (mark, "mark")])
    lines.append([(f" {blank} = ", "dim"), (f"{place.insn}: {place.shown}", "dim")])
    return lines


def marked(place: Place) -> tuple[str, str]:
    """The line with tabs as blanks, and a line that underlines the expression: ``~~~^~~`` at its column."""
    begin, width = expression(place.code, place.column) if place.column else (0, 0)
    indent = len(place.code) - len(place.code.lstrip())
    code = place.code.expandtabs(TAB)
    shift = len(place.code[:indent].expandtabs(TAB))
    if not width:
        return code.strip(), ""
    at = len(place.code[: place.column - 1].expandtabs(TAB)) - shift
    first = len(place.code[:begin].expandtabs(TAB)) - shift
    last = len(place.code[: begin + width].expandtabs(TAB)) - shift
    marks = "".join("^" if i == at else "~" if first <= i < last else " " for i in range(max(last, at + 1)))
    return code.strip(), marks


def _said(said: Explanation) -> list[Line]:
    rows = [line for line in said.message if line][-3:]
    step = {"map": "to make the map", "btf": "the BTF"}.get(said.where, "the load")
    head = f"Linux {said.kernel} refuses {step}: {said.error}"
    lines: list[Line] = [[(f"{'verdict':<{MARGIN}}", "head"), (head, "")]]
    return lines + [[(" " * MARGIN, ""), (row, "dim")] for row in rows]


def _origins(origins: tuple[Origin, ...], width: int) -> list[Line]:
    lines: list[Line] = []
    for number, origin in enumerate(origins):
        where = _where(origin.place)
        known = f" -> {origin.known}" if origin.known and origin.kind not in ("gap",) else ""
        lines += _row("came from" if not number else "", where, origin.text + known, width)
    return lines


def _checks(checks: tuple[Check, ...], width: int) -> list[Line]:
    lines: list[Line] = []
    for number, check in enumerate(checks):
        learned = f" -> {check.learned}" if check.learned else ""
        if re.search(r"\bR\d+\b", check.held) and check.place.code.strip():
            learned = f", in `{check.place.code.strip()}`{learned}"
        lines += _row("path" if not number else "", _where(check.place), f"{check.held}{learned}", width)
    return lines


def _where(place: Place | None) -> str:
    return str(place) if place is not None else ""


def _row(title: str, where: str, text: str, width: int) -> list[Line]:
    column = f"{where:<9} " if where else ""
    rows = textwrap.wrap(text, max(width - MARGIN - len(column), 20))
    made: list[Line] = []
    for i, row in enumerate(rows):
        made.append(
            [
                (f"{title if not i else '':<{MARGIN}}", "head"),
                (column if not i else " " * len(column), "place"),
                (row, ""),
            ]
        )
    return made


def _fix(title: str, fix: Fix, width: int) -> list[Line]:
    where = f", on {fix.place}" if fix.place is not None and fix.place.line else ""
    text = f"{fix.text[:-1]}{where}:" if fix.text.endswith(":") else f"{fix.text}"
    lines = _paragraph(title, "* " + text, width)
    if fix.code:
        lines += [
            [(" " * (MARGIN + 4), ""), (row, "good")] for row in textwrap.wrap(fix.code, max(width - MARGIN - 4, 30))
        ]
    return lines
