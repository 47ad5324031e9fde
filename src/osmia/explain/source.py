"""The C behind an instruction: line, column, the expression there, the variable that its value goes to.

All a program brings along is the text of single lines (BTF line information), so expressions and names are found by
looking at that text: a name is given only where the line says it plainly.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from osmia.btf import Func, FuncProto
from osmia.errors import InputError
from osmia.explain.model import Place
from osmia.verifier.lines import insn_text

if TYPE_CHECKING:
    from osmia.verifier.env import Env

_WORD = re.compile(r"[A-Za-z_]\w*")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|\d+")
_OPERATOR = re.compile(r"(<<|>>)=|<<|>>|[-+*/%&|^!=<>]=|&&|\|\||->|[-+*/%&|^<>=]")
_LEFT = re.compile(r"(?:[A-Za-z_]\w*|\)|\])\s*(?:->|\.)\s*$")
_CASTS = r"(?:\(\s*(?:const\s+)?(?:struct\s+|union\s+|enum\s+|unsigned\s+)?\w+[\s*]*\)\s*)*"
_ASSIGNED = re.compile(rf"(?:^|[;{{(,\s*])([A-Za-z_]\w*)\s*=\s*{_CASTS}[(&*!\s]*$")
_COMPUTED = re.compile(r"(?:^|[;{\s*])([A-Za-z_]\w*)\s*=[^=;,(){}]*[-+*/%&|^~]\s*$")
_OPENING, _CLOSING = "([", ")]"
MOST = 200
"""Characters of a line that are looked at."""


class Sources:
    """The source places of one program's instructions."""

    def __init__(self, env: Env) -> None:
        self.env = env
        program = env.program
        rows = sorted(program.line_info, key=lambda row: row.insn) if program.btf is not None else []
        self.rows = rows
        self.starts = [row.insn for row in rows]

    def place(self, slot: int) -> Place:
        """Where a slot comes from; only the instruction itself where nothing says."""
        env = self.env
        shown = insn_text(env, env.insns[slot]).rstrip("\n") if 0 <= slot < len(env.insns) else ""
        at = bisect_right(self.starts, slot) - 1
        function = self.function(slot)
        if at < 0:
            return Place(slot, shown, function)
        row = self.rows[at]
        code = self._string(row.line_off).rstrip()
        width = expression(code, row.column)[1] if row.column else 0
        file = self._string(row.file_off).rpartition("/")[2]
        return Place(slot, shown, function, file, row.line, row.column, width, code)

    def loaded(self, slot: int) -> str:
        """The expression that a load reads; "" where the line does not say.

        One row of line information may stand for a chain of loads: the first of ``skb->sk->family`` is ``skb->sk``.
        """
        text = shown_expression(self.place(slot))
        at = bisect_right(self.starts, slot) - 1
        if at < 0 or not ("->" in text or "[" in text or text.startswith("*")):
            return ""
        end = self.starts[at + 1] if at + 1 < len(self.starts) else len(self.env.insns)
        loads = [i for i in range(self.starts[at], end) if self.env.insns[i].code & 7 == 1]
        if len(loads) <= 1:
            return text
        if text.count("->") != len(loads) or slot not in loads:
            return ""
        ends = [m.end() for m in re.finditer(r"->\s*\w+", text)]
        return text[: ends[loads.index(slot)]]

    def function(self, slot: int) -> str:
        """The name of the function that a slot belongs to."""
        program = self.env.program
        for subprog in program.subprogs:
            if subprog.start <= slot < subprog.end:
                return subprog.name
        rows = [row for row in program.func_info if row.insn <= slot]
        if rows and program.btf is not None:
            try:
                found = program.btf.type(max(rows, key=lambda row: row.insn).type_id)
            except InputError:
                return ""
            return found.name if isinstance(found, Func) else ""
        return ""

    def parameter(self, slot: int, number: int) -> str:
        """The name of a parameter (from 1) of the function that begins at a slot; "" where BTF does not say."""
        program = self.env.program
        row = next((row for row in program.func_info if row.insn == slot), None)
        if row is None or program.btf is None:
            return ""
        try:
            func = program.btf.type(row.type_id)
            proto = program.btf.type(func.type_id) if isinstance(func, Func) else None
        except InputError:
            return ""
        params = proto.params if isinstance(proto, FuncProto) else []
        return params[number - 1].name if 0 < number <= len(params) else ""

    def _string(self, offset: int) -> str:
        btf = self.env.program.btf
        try:
            return btf.str_at(offset) if btf is not None else ""
        except InputError:
            return ""


def expression(code: str, column: int) -> tuple[int, int]:
    """Where the expression at a column (from 1) begins, from 0, and how long it is.

    A member counts with what it is a member of, a call with its arguments, an operator with both sides.
    """
    at = column - 1
    if not 0 <= at < len(code) or len(code) > MOST:
        return max(min(at, len(code)), 0), 1 if 0 <= at < len(code) else 0
    operator = _OPERATOR.match(code, at)
    if operator and operator.group() not in ("->", "&", "*") and _before(code, at):
        begin = _back(code, len(code[:at].rstrip()))
        begin -= code[:begin].endswith("*") and not _before(code, begin - 1)
        end = _forth(code, _skip(code, operator.end()))
        return begin, max(end - begin, 1)
    member = _LEFT.search(code[:at]) is not None
    begin = _back(code, at) if member else at
    end = _forth(code, at, not member)
    return begin, max(end - begin, 1)


def _before(code: str, at: int) -> bool:
    """Does an operand end in front of the operator?"""
    left = code[:at].rstrip()
    return bool(left) and (left[-1].isalnum() or left[-1] in "_)]")


def _skip(code: str, at: int) -> int:
    while at < len(code) and code[at] in " \t":
        at += 1
    return at


def _back(code: str, end: int) -> int:
    """The beginning of the postfix expression that ends at ``end``."""
    at = end
    while at > 0:
        left = code[:at].rstrip()
        if not left:
            break
        if left[-1] in _CLOSING:
            at = _opening(left)
        elif left.endswith("->"):
            at = len(left) - 2
            continue
        elif left[-1] == "." and not left[-2:-1].isdigit():
            at = len(left) - 1
            continue
        elif left[-1].isalnum() or left[-1] == "_":
            word = re.search(r"\w+$", left)
            at = word.start() if word else at
            tail = code[:at].rstrip()
            if tail.endswith(("->", ".")):
                continue
            return at
        else:
            break
        tail = code[:at].rstrip()
        if not tail or not (tail[-1].isalnum() or tail[-1] in "_)]" or tail.endswith(("->", "."))):
            return at
        if _keyword(tail):
            return at
    return at


def accessed(place: Place) -> str:
    """The pointer that the access on a line goes through: ``v`` of ``v->name[i]`` and ``*v``; "" if unsure."""
    text = shown_expression(place)
    found = re.match(r"\*?\s*([A-Za-z_]\w*)\s*(?:->|$|\[|[-+*/|&^%]?=|[<>=]=)", text)
    if not found or not (text.startswith("*") or "->" in text or "[" in text):
        return ""
    return found.group(1) if text.count("->") <= 1 else ""


def _keyword(text: str) -> bool:
    """Does the text end in a word that calls nothing: ``if (``, ``return (``?"""
    return re.search(r"\b(if|while|for|return|switch|sizeof)$", text) is not None


def _opening(text: str) -> int:
    """The bracket that the last one closes; the last one itself where there is none."""
    depth = 0
    for at in range(len(text) - 1, -1, -1):
        depth += (text[at] in _CLOSING) - (text[at] in _OPENING)
        if depth == 0:
            return at
    return len(text) - 1


def _forth(code: str, at: int, members: bool = True) -> int:
    """The end of the unary expression that begins at ``at``; ``members``: what is taken out of it belongs to it."""
    while at < len(code) and code[at] in "*&!~-+ ":
        at += 1
    found = _WORD.match(code, at) or _NUMBER.match(code, at)
    if found:
        at = found.end()
    while at < len(code):
        if code[at] in _OPENING:
            closed = _closing(code, at)
            if closed < 0:
                return at if found else len(code.rstrip(" ;{"))
            at = closed + 1
            word = _WORD.match(code, at) if not found else None
            if word:  # that was a cast
                at, found = word.end(), word
        elif members and (code.startswith("->", at) or code[at] == "."):
            member = _WORD.match(code, at + (2 if code[at] == "-" else 1))
            if not member:
                return at
            at = member.end()
        else:
            return at
    return at


def _closing(text: str, at: int) -> int:
    depth = 0
    for i in range(at, len(text)):
        depth += (text[i] in _OPENING) - (text[i] in _CLOSING)
        if depth == 0:
            return i
    return -1


def shown_expression(place: Place) -> str:
    """The text of the expression at a place; "" where the source is not known."""
    if not place.column or not place.code:
        return ""
    begin, width = expression(place.code, place.column)
    return place.code[begin : begin + width].strip()


def assigned(place: Place) -> str:
    """The variable that the value of the expression at a place is put into: ``v`` of ``v = f(x)``; "" if unsure."""
    if not place.column or not place.code or len(place.code) > MOST:
        return ""
    begin, _ = expression(place.code, place.column)
    found = _ASSIGNED.search(place.code[:begin])
    if found:
        return found.group(1)
    computed = _COMPUTED.search(place.code[:begin])
    if computed:
        return computed.group(1)
    operator = re.match(r"[-+*/%&|^]=|<<=|>>=", place.code[place.column - 1 :])
    if operator and (left := re.search(r"(?:^|[\s;{(])([A-Za-z_]\w*)\s*$", place.code[: place.column - 1])):
        return left.group(1)
    return ""
