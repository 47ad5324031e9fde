"""One instruction of LLVM assembly, read by its shape.

A statement's registers, numbers and words make a key (``if r = = # goto #``); the key leads to the row of the
instruction table whose pattern in ``llvm_syntax`` has it, and the operands fill the row's fields.  LLVM's own
assembler works like this, which is why both take the same spacing and refuse the same things.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from osmia.asm.llvm_lex import Expression, Token, Value
from osmia.asm.llvm_syntax import ALSO_READ, HALVES, SYNTAX
from osmia.errors import AsmError, Place
from osmia.isa import Insn
from osmia.isa.classify import find
from osmia.isa.insn import s32
from osmia.isa.table import Op

_REGISTER = re.compile(r"([rw])([0-9]|1[01])\Z")
_FIELD = re.compile(r"\{(\w+)\}|\b([rw]0)\b")
_PIECE = re.compile(r"\{\w+\}|\w+|<<|>>|[^\s\w]")
_STARTS = frozenset("if call callx goto gotol may_goto exit lock ld_pseudo store_release *".split())
_INSIDE = frozenset(
    "goto u8 u16 u32 u64 s8 s16 s32 s skb ll le16 le32 le64 be16 be32 be64 bswap16 bswap32 bswap64 "
    "addr_space_cast load_acquire atomic_fetch_add atomic_fetch_and atomic_fetch_or atomic_fetch_xor "
    "xchg_64 xchg32_32 cmpxchg_64 cmpxchg32_32".split()
)
"""Names with a meaning of their own behind the first word; a symbol that is an operand can't have them."""


def _is_word(token: Token, at: int) -> bool:
    return token.text in (_INSIDE if at else _STARTS)


_NUMBERS = {
    "imm": (32, "an immediate"), "low": (32, "an immediate"), "imm64": (64, "a 64-bit immediate"),
    "off": (16, "an offset"), "jump": (16, "a distance"), "far": (32, "a distance"), "pseudo": (4, "a pseudo source"),
    "to": (16, "an address space"), "from": (16, "an address space"),
}  # fmt: skip
_RANGES = {
    name: (0 if name in ("pseudo", "to", "from") else -(1 << bits - 1), 1 << (bits - (name in ("off", "jump"))))
    for name, (bits, _) in _NUMBERS.items()
}  # immediates may be written signed or unsigned


class Fix(NamedTuple):
    """A field that waits for a symbol: ``kind`` is call, jump, far or imm64."""

    kind: str
    value: Value
    column: int


class Plan(NamedTuple):
    """A statement without its numbers: what other statements that differ in nothing else become."""

    op: Op
    dst: int
    src: int
    numbers: tuple[str, ...]

    def slots(self, values: list[int]) -> tuple[Insn, ...] | None:
        """The slots with these numbers; None when one does not fit."""
        fields = {"dst": self.dst, "src": self.src}
        for name, value in zip(self.numbers, values, strict=True):
            low, high = _RANGES[name]
            if not low <= value < high:
                return None
            fields[name] = value
        return _slots(self.op, fields, None)


class Parsed(NamedTuple):
    """The slots of a statement (two for a 64-bit immediate) and what is still to be filled in.

    ``plan`` is there when every number of the statement is written as one.
    """

    insns: tuple[Insn, ...]
    fix: Fix | None = None
    plan: Plan | None = None


class _Row(NamedTuple):
    op: Op
    fields: tuple[str, ...]  # of the operands in the order of the text; "=0": the register must be r0


@cache
def shapes() -> dict[str, _Row]:
    """Key → row and the fields of its operands."""
    found: dict[str, _Row] = {}
    for table in (SYNTAX, HALVES, ALSO_READ):
        for name, pattern in table.items():
            op = find(name)
            if op.wide and name not in ("ld_imm64", "ld_map_fd"):
                continue  # all the ld_pseudo forms look the same; the number tells
            found.setdefault(_key(pattern), _Row(op, _fields(pattern)))
    return found


def _fields(pattern: str) -> tuple[str, ...]:
    names = [field or "=0" for field, _ in _FIELD.findall(pattern)]
    return tuple(n[1:] if n in ("wdst", "wsrc") else n for n in names)


def _key(pattern: str) -> str:
    words = []
    for piece in _PIECE.findall(pattern):
        if piece[0] == "{":
            register = {"{dst}": "r", "{src}": "r", "{wdst}": "w", "{wsrc}": "w"}
            words.append(register.get(piece, "#"))
        elif piece in ("r0", "w0"):
            words.append(piece[0])
        else:
            words += _apart(piece)
    return " ".join(words)


def _apart(piece: str) -> list[str]:
    """Words of the pattern as the reader makes them: ``s>>=`` is s > > =, ``<<`` is two signs."""
    return list(piece) if not piece[0].isalnum() and piece[0] != "_" else [piece]


def instruction(tokens: list[Token], place: Place, known: Mapping[str, Value]) -> Parsed:
    """Read a statement.  Raises AsmError at the column of what does not fit."""
    first = tokens[0]
    if first.text not in _STARTS and not _REGISTER.match(first.text.lower()):
        raise AsmError(f"{first.text!r} starts no instruction", place, column=first.column)
    words, operands = _operands(tokens, place, known)
    row = shapes().get(" ".join(words))
    if row is None:
        raise _misfit(words, tokens, place)
    return _build(row, operands, place)


class _Operand(NamedTuple):
    column: int
    reg: int = -1
    value: Value = Value(0)
    plain: bool = True  # a register, or a number with at most a sign


def _operands(tokens: list[Token], place: Place, known: Mapping[str, Value]) -> tuple[list[str], list[_Operand]]:
    words: list[str] = []
    operands: list[_Operand] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        register = _REGISTER.match(token.text.lower()) if token.kind == "name" else None
        if register:
            words.append(register[1])
            operands.append(_Operand(token.column, int(register[2])))
            at += 1
        elif _is_word(token, at) or _is_sign(tokens, at):
            words += _apart(token.text)
            at += 1
        else:
            expression = Expression(tokens, at, place, known)
            value = expression.read()
            last = tokens[expression.at - 1]
            plain = last.kind == "number" and expression.at - at == (2 if token.text in ("+", "-") else 1)
            operands.append(_Operand(token.column, value=value, plain=plain))
            words.append("#")
            at = expression.at
    return words, operands


def _is_sign(tokens: list[Token], at: int) -> bool:
    """A sign of the pattern, not of a number: ``+`` and ``-`` belong to a number that follows them."""
    token = tokens[at]
    if token.kind != "sign":
        return False
    if token.text in "+-":
        return at + 1 == len(tokens) or tokens[at + 1].kind != "number"
    return token.text not in "~!" or (token.text == "!" and at + 1 < len(tokens) and tokens[at + 1].text == "=")


def _misfit(words: list[str], tokens: list[Token], place: Place) -> AsmError:
    """The error for a statement of no known shape: at the first word that no instruction has there."""
    best = 0
    for key in shapes():
        common = 0
        for mine, theirs in zip(words, key.split(), strict=False):
            if mine != theirs:
                break
            common += 1
        best = max(best, common)
    reason = "this instruction is not complete" if best == len(words) else "no instruction looks like this"
    token = tokens[min(_token_of(tokens, best), len(tokens) - 1)]
    return AsmError(f"{reason} (at {token.text!r})", place, column=token.column)


def _token_of(tokens: list[Token], word: int) -> int:
    """The token that the word with this number came from (an expression is one word)."""
    count, at = 0, 0
    while at < len(tokens):
        token, start = tokens[at], at
        if _is_word(token, at) or (token.kind == "name" and _REGISTER.match(token.text.lower())):
            count, at = count + 1, at + 1
        elif _is_sign(tokens, at):
            count, at = count + len(token.text), at + 1
        else:
            expression = Expression(tokens, at, Place(), {})
            expression.read()
            count, at = count + 1, expression.at
        if count > word:
            return start
    return len(tokens)


def _build(row: _Row, operands: list[_Operand], place: Place) -> Parsed:
    """Fill the row's fields from the operands."""
    fields: dict[str, int] = {}
    fix: Fix | None = None
    for name, operand in zip(row.fields, operands, strict=True):
        if operand.reg >= 0:
            _register(fields, name, operand, place)
        elif operand.value.is_const:
            fields[name] = _number(name, operand, place)
        else:
            fix = _symbolic(row.op, name, operand, place)
    plan = None
    if fix is None and all(operand.plain for operand in operands):
        numbers = (n for n, operand in zip(row.fields, operands, strict=True) if operand.reg < 0)
        plan = Plan(row.op, fields.get("dst", 0), fields.get("src", 0), tuple(numbers))
    return Parsed(_slots(row.op, fields, fix), fix, plan)


def _register(fields: dict[str, int], name: str, operand: _Operand, place: Place) -> None:
    wanted = 0 if name == "=0" else fields.setdefault(name, operand.reg)
    if wanted != operand.reg:
        raise AsmError(f"register {wanted} must stand here, as before", place, column=operand.column)


def _number(name: str, operand: _Operand, place: Place) -> int:
    bits, what = _NUMBERS[name]
    value = operand.value.const
    low, high = _RANGES[name]
    if not low <= value < high:
        raise AsmError(f"{value:#x} does not fit into {what} of {bits} bits", place, column=operand.column)
    return value


def _symbolic(op: Op, name: str, operand: _Operand, place: Place) -> Fix:
    value = operand.value
    kind = {"jump": "jump", "far": "far", "imm64": "imm64"}.get(name, "call" if op.name == "call" else "")
    if not kind or value.minus is not None:
        hint = "; its address is 64 bits wide: append ll" if op.name.startswith("mov64") else ""
        raise AsmError(f"symbol {value.plus or value.minus!r} can't stand here{hint}", place, column=operand.column)
    if kind != "imm64" and value.const:
        raise AsmError("a jump or call takes a symbol without an offset", place, column=operand.column)
    return Fix(kind, value, operand.column)


def _slots(op: Op, fields: dict[str, int], fix: Fix | None) -> tuple[Insn, ...]:
    dst, src = fields.get("dst", 0), fields.get("src", 0)
    off = fields.get("off", fields.get("jump", op.off if isinstance(op.off, int) else 0))
    fixed = op.imm if isinstance(op.imm, int) else 0
    if op.name == "addr_space_cast":
        return (Insn(op.code, dst, src, off, s32(fields["to"] << 16 | fields["from"])),)
    if not op.wide:
        return (Insn(op.code, dst, src, off, s32(fields.get("imm", fields.get("far", fixed)))),)
    value = fields.get("imm64", fields.get("low", fix.value.const if fix else 0))
    high = value >> 32 if "low" not in fields else 0
    return Insn(op.code, dst, fields.get("pseudo", 0), 0, s32(value)), Insn(0, 0, 0, 0, s32(high))
