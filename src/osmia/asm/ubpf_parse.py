"""Lines of uBPF assembly into slots."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from typing import NamedTuple, NoReturn

from osmia.asm.dialect import Labels, Where
from osmia.asm.ubpf_table import BY_MNEMONIC, FIRST_WORDS, Spelling
from osmia.errors import AsmError, Place
from osmia.isa import Insn
from osmia.isa import consts as c
from osmia.isa.insn import s32

_TOKEN = re.compile(
    r"\s+|(?P<comment>#.*|//.*)|(?P<register>%?r[0-9]{1,9}\b(?!:))|(?P<number>0[xX][0-9a-fA-F]{1,32}\b|[0-9]{1,40}\b)"
    r"|(?P<word>[A-Za-z_.$][\w.$]*)|(?P<mark>[][,;:+-])|(?P<bad>.)"
)


class Token(NamedTuple):
    """A piece of a line: ``kind`` is register, number, word, mark or end."""

    kind: str
    text: str
    file: str | None
    line: int
    column: int

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(file=self.file, line=self.line, column=self.column)

    def fail(self, reason: str) -> NoReturn:
        """Raise AsmError here."""
        raise AsmError(reason, self.place)


def tokens(line: str, file: str | None, number: int) -> list[Token]:
    """The tokens of a line; the last one is the line's end.  Raises AsmError for a character that begins none."""
    found = []
    for match in _TOKEN.finditer(line):
        kind = match.lastgroup
        if kind and kind != "comment":
            token = Token(kind, match[0], file, number, match.start() + 1)
            if kind == "bad":
                token.fail(f"unexpected {match[0]!r}")
            found.append(token)
    return [*found, Token("end", "", file, number, len(line) + 1)]


class Mismatch(Exception):
    """The tokens are not this spelling's operands (another's they may be); ``token`` is where they stop to be."""

    def __init__(self, token: Token, wanted: str) -> None:
        self.token, self.wanted = token, wanted
        super().__init__(wanted)


class Reader:
    """A walk over the tokens of one line."""

    def __init__(self, line: list[Token]) -> None:
        self.line, self.at = line, 0

    @property
    def token(self) -> Token:
        """The next token."""
        return self.line[self.at]

    def take(self, kind: str, wanted: str, *texts: str) -> Token:
        """The next token, which must be of this kind (and one of these texts)."""
        token = self.token
        if token.kind != kind or (texts and token.text not in texts):
            raise Mismatch(token, wanted)
        self.at += 1
        return token

    def maybe(self, *marks: str) -> Token | None:
        """The next token if it is one of these marks."""
        token = self.token
        if token.kind == "mark" and token.text in marks:
            self.at += 1
            return token
        return None

    @property
    def at_end(self) -> bool:
        """Nothing is left of the statement."""
        return self.token.kind == "end" or self.token.text == ";"

    def register(self) -> int:
        """``%r0`` to ``%r15`` (the encoding's range; r11 and up are invalid, but can be written)."""
        token = self.take("register", "a register")
        value = int(token.text.lstrip("%r"))
        if value > 15:
            token.fail(f"no register is called {token.text}")
        return value

    def number(self, low: int, high: int) -> int:
        """A number with or without sign, decimal or hexadecimal, in the range."""
        sign = self.maybe("+", "-")
        token = self.take("number", "a number")
        value = int(token.text, 16 if token.text[:2] in ("0x", "0X") else 10)
        value = -value if sign and sign.text == "-" else value
        if not low <= value <= high:
            (sign or token).fail(f"{value} does not fit {low}..{high}")
        return value

    def imm(self) -> int:
        """A 32-bit constant; 64-bit spellings of one (0xffffffffffffffff) are taken too."""
        token, value = self.token, self.number(-(1 << 63), (1 << 64) - 1)
        if -(1 << 31) <= value < 1 << 32 or value >= (1 << 64) - (1 << 31):
            return s32(value)
        token.fail(f"{value} does not fit 32 bits")


Fields = dict[str, int]
Operand = Callable[[Reader, Fields, Labels, int], None]


def _memory(field: str) -> Operand:
    def read(reader: Reader, fields: Fields, _labels: Labels, _slot: int) -> None:
        reader.take("mark", "a memory operand like [%r1+8]", "[")
        fields[field] = reader.register()
        if reader.token.text in ("+", "-"):
            fields["off"] = reader.number(-(1 << 15), (1 << 15) - 1)
        reader.take("mark", "]", "]")

    return read


def _target(where: Where, bits: int) -> Operand:
    def read(reader: Reader, fields: Fields, labels: Labels, slot: int) -> None:
        if reader.token.kind == "word":
            token = reader.take("word", "a label")
            fields[f"{where}_label"] = 1
            labels.refer(slot, token.text, token.place, where)
        else:
            if reader.token.kind == "register":
                raise Mismatch(reader.token, "a label or a distance")
            fields[where] = reader.number(-(1 << (bits - 1)), (1 << (bits - 1)) - 1)

    return read


def _register(field: str) -> Operand:
    def read(reader: Reader, fields: Fields, _labels: Labels, _slot: int) -> None:
        fields[field] = reader.register()

    return read


def _imm(reader: Reader, fields: Fields, _labels: Labels, _slot: int) -> None:
    fields["imm"] = reader.imm()


def _imm64(reader: Reader, fields: Fields, _labels: Labels, _slot: int) -> None:
    value = reader.number(-(1 << 63), (1 << 64) - 1)
    fields["imm"], fields["next"] = s32(value), s32(value >> 32)


def _next(reader: Reader, fields: Fields, _labels: Labels, _slot: int) -> None:
    fields["next"] = 0 if reader.at_end else reader.imm()


def _off(reader: Reader, fields: Fields, _labels: Labels, _slot: int) -> None:
    fields["off"] = 0 if reader.at_end else reader.number(-(1 << 15), (1 << 15) - 1)


def _spaces(reader: Reader, fields: Fields, _labels: Labels, _slot: int) -> None:
    to = reader.number(0, 0xFFFF)
    reader.maybe(",")
    fields["imm"] = s32(to << 16 | reader.number(0, 0xFFFF))


OPERANDS: dict[str, Operand] = {
    "dst": _register("dst_reg"), "src": _register("src_reg"), "dst_mem": _memory("dst_reg"),
    "src_mem": _memory("src_reg"), "off_target": _target("off", 16), "imm_target": _target("imm", 32),
    "imm": _imm, "imm64": _imm64, "next": _next, "off": _off, "spaces": _spaces,
}  # fmt: skip


def statement(reader: Reader, labels: Labels, slot: int) -> list[Insn]:
    """One instruction, up to the end of the line or a ``;``.  Raises AsmError."""
    start = reader.token
    mnemonic = _mnemonic(reader)
    if mnemonic == ".slot":
        return [_raw(reader)]
    spellings, begin, best = BY_MNEMONIC.get(mnemonic), reader.at, None
    if spellings is None:
        close = difflib.get_close_matches(mnemonic, BY_MNEMONIC, 1)
        start.fail(f"no instruction is called {mnemonic!r}" + (f"; did you mean {close[0]!r}?" if close else ""))
    for spelling in spellings:
        reader.at = begin
        try:
            return _operands(reader, spelling, labels, slot)
        except Mismatch as miss:
            if best is None or miss.token.column > best.token.column:
                best = miss
    assert best is not None
    best.token.fail(f"{mnemonic}: expected {best.wanted}, not {best.token.text or 'the end of the line'!r}")


def _mnemonic(reader: Reader) -> str:
    first = reader.take("word", "an instruction")
    name, suffix = first.text, ""
    if name in ("lock32", "lock64"):
        name, suffix = "lock", name[4:]
    words = [name]
    while reader.token.kind == "word" and name in FIRST_WORDS and (len(words) == 1 or words[-1] == "fetch"):
        if name == "call" and reader.token.text not in FIRST_WORDS["call"]:
            break
        words.append(reader.take("word", "an operation").text)
    return " ".join(words) + suffix


def _operands(reader: Reader, spelling: Spelling, labels: Labels, slot: int) -> list[Insn]:
    op, fields = spelling.op, Fields()
    for i, kind in enumerate(spelling.operands):
        if i:
            reader.maybe(",")
        if kind.startswith("="):
            reader.take("word", kind[1:], kind[1:])
        else:
            OPERANDS[kind](reader, fields, labels, slot)
    if not reader.at_end:
        raise Mismatch(reader.token, "no more operands")
    given = {"dst_reg": op.dst, "src_reg": op.src, "off": op.off, "imm": op.imm}
    fixed = {name: kind for name, kind in given.items() if isinstance(kind, int)}
    values = {name: fields.get(name, fixed.get(name, 0)) for name in given}
    first = Insn(op.code, **values)
    return [first, Insn(0, 0, 0, 0, fields.get("next", 0))] if op.code == c.LD_IMM64 else [first]


def _raw(reader: Reader) -> Insn:
    limits = ((0, 255), (0, 15), (0, 15), (-(1 << 15), (1 << 15) - 1), (-(1 << 31), (1 << 32) - 1))
    values = []
    try:
        for i, (low, high) in enumerate(limits):
            if i:
                reader.take("mark", "a comma", ",")
            values.append(reader.number(low, high))
        if not reader.at_end:
            raise Mismatch(reader.token, "the end of the line")
    except Mismatch as miss:
        miss.token.fail(f".slot code, dst, src, off, imm: expected {miss.wanted}")
    return Insn._make((*values[:4], s32(values[4])))
