"""bpf_asm's assembly into ``struct sock_filter``.

The grammar is free of lines, as bpf_asm's: comments are ``; …`` and ``// …`` to the end of the line, ``/* … */``,
and lines that begin with ``#`` (of them, ``; with k=5`` alone has a meaning: a constant in an instruction which does
not use it); letters may be capital; numbers are decimal, hexadecimal (0x), octal (0) or
binary (0b).
"""

from __future__ import annotations

import re
from typing import NoReturn

from osmia.asm.classic_insn import ANCILLARY, ANCILLARY_ALIASES, OPS, SKF_AD_OFF, ClassicOp, SockFilter
from osmia.asm.ubpf_parse import Token
from osmia.errors import AsmError

_M32 = 0xFFFFFFFF
_TOKEN = re.compile(  # a '#' that begins no line marks a constant
    r"(?P<newline>\n)|[ \t\r\f\v]+|; with k=(?P<left>0x[0-9a-f]{1,8})\b"
    r"|(?P<comment>;[^\n]*|//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)|(?P<line>(?<![^\n])#[^\n]*)"
    r"|(?P<number>0[xX][0-9a-fA-F]{1,16}\b|0[bB][01]{1,64}\b|[0-9]{1,20}\b)|(?P<word>[A-Za-z_.][\w.]*)"
    r"|(?P<mark>[][(),:+*&#%-])|(?P<bad>.)"
)
_ALIASES = {"ldi": ("ld", "imm"), "ldxi": ("ldx", "imm"), "ja": ("jmp", "jump")}
_NEGATED = {"jneq": "jeq", "jne": "jeq", "jlt": "jge", "jle": "jgt"}
FORMS: dict[str, dict[str, ClassicOp]] = {}
for _op in OPS:
    FORMS.setdefault(_op.mnemonic, {})[_op.mode] = _op
for _alias, (_name, _mode) in _ALIASES.items():
    FORMS[_alias] = {_mode: FORMS[_name][_mode]}
for _alias, _name in _NEGATED.items():
    FORMS[_alias] = FORMS[_name]
FORMS["ldx"] = {**FORMS["ldx"], **FORMS["ldxb"]}


def tokens(text: str, file: str | None, line: int = 1, column: int = 1) -> list[Token]:
    """The tokens of a text that begins at this line and column, the last one its end.

    Raises AsmError for a character that begins no token.
    """
    found, start, at = [], 1 - column, 0
    while at < len(text):
        match, column = _TOKEN.match(text, at), at - start + 1
        if match is None or match.lastgroup == "bad":
            raise AsmError(f"unexpected {text[at]!r}", file=file, line=line, column=column)
        kind, word = match.lastgroup, match[0]
        if kind == "left":
            found.append(Token(kind, match["left"], file, line, column))
        elif kind in ("number", "word", "mark"):
            found.append(Token(kind, word, file, line, column))
        if breaks := word.count("\n"):
            line, start = line + breaks, at + word.rindex("\n") + 1
        at += len(word)
    return [*found, Token("end", "", file, line, at - start + 1)]


class Parser:
    """A walk over the tokens; ``filters`` grows, labels wait for ``resolve``."""

    def __init__(self, line: list[Token]) -> None:
        self.line, self.at = line, 0
        self.filters: list[SockFilter] = []
        self.labels: dict[str, int] = {}
        self.uses: list[tuple[int, str, Token]] = []

    @property
    def token(self) -> Token:
        """The next token."""
        return self.line[self.at]

    @property
    def word(self) -> str:
        """The next token in small letters: all words but labels may be written in either."""
        return self.token.text.lower()

    def fail(self, wanted: str) -> NoReturn:
        """Raise AsmError at the next token."""
        self.token.fail(f"expected {wanted}, not {self.token.text or 'the end of the text'!r}")

    def maybe(self, *texts: str) -> bool:
        """Take the next token if it is one of these."""
        found = self.word in texts and self.token.kind != "end"
        self.at += found
        return found

    def expect(self, *texts: str) -> None:
        """Take these tokens."""
        for text in texts:
            if not self.maybe(text):
                self.fail(repr(text))

    def number(self) -> int:
        """A number modulo 2**32; -1 is 0xffffffff."""
        start = self.token
        sign = -1 if self.maybe("-") else 1
        if sign == 1:
            self.maybe("+")
        if self.token.kind != "number":
            self.fail("a number")
        text = self.token.text.lower()
        octal = len(text) > 1 and text.isdigit() and text[0] == "0"
        if octal and not set(text) <= set("01234567"):
            self.fail("an octal number")
        value = sign * (int(text, 8) if octal else int(text, 0))
        if not -(1 << 31) <= value <= _M32:
            start.fail(f"{value} does not fit 32 bits")
        self.at += 1
        return value & _M32

    def label(self, field: str) -> None:
        """A label, whose distance goes into ``jt``, ``jf`` or ``k`` of the instruction that is being read."""
        if self.token.kind != "word":
            self.fail("a label")
        self.uses.append((len(self.filters), field, self.token))
        self.at += 1

    def parse(self) -> list[SockFilter]:
        """The filter.  Raises AsmError."""
        while self.token.kind != "end":
            if self.token.kind == "word" and self.line[self.at + 1].text == ":":
                if self.token.text in self.labels:
                    self.token.fail(f"label {self.token.text!r} is already defined")
                self.labels[self.token.text] = len(self.filters)
                self.at += 2
            elif self.token.kind == "left":
                self.leftover(int(self.token.text, 16))
                self.at += 1
            else:
                self.filters.append(self.instruction())
        self.resolve()
        return self.filters

    def leftover(self, k: int) -> None:
        """The unused constant of the instruction just read."""
        if self.filters and not self.filters[-1].k:
            self.filters[-1] = self.filters[-1]._replace(k=k)

    def instruction(self) -> SockFilter:
        """One instruction."""
        start, mnemonic = self.token, self.word
        if self.maybe(".slot"):
            return self.slot()
        forms = FORMS.get(mnemonic) if start.kind == "word" else None
        if forms is None:
            start.fail(f"no classic instruction is called {start.text!r}")
        self.at += 1
        op, k = self.operand(start, forms)
        if op.mode.startswith("if_"):
            self.branches(mnemonic)
        return SockFilter(op.code, 0, 0, k)

    def slot(self) -> SockFilter:
        """``.slot code, jt, jf, k``: any four numbers that fit."""
        values = []
        for i, limit in enumerate((0xFFFF, 0xFF, 0xFF, _M32)):
            if i:
                self.expect(",")
            start, value = self.token, self.number()
            if value > limit:
                start.fail(f"{value} does not fit 0..{limit}")
            values.append(value)
        return SockFilter(*values)

    def branches(self, mnemonic: str) -> None:
        """The one or two labels of a conditional jump."""
        self.expect(",")
        negated = mnemonic in _NEGATED
        self.label("jf" if negated else "jt")
        if not negated and self.maybe(","):
            self.label("jf")

    def operand(self, start: Token, forms: dict[str, ClassicOp]) -> tuple[ClassicOp, int]:
        """The operand in whichever of the forms it is written, and its ``k``."""
        modes = {mode.removeprefix("if_"): op for mode, op in forms.items()}
        if "" in modes:
            return modes[""], 0
        if "jump" in modes:
            self.label("k")
            return modes["jump"], 0
        mode, k = self.mode(modes)
        if mode not in modes:
            start.fail(f"{start.text} takes no operand like this")
        return modes[mode], k

    def mode(self, modes: dict[str, ClassicOp]) -> tuple[str, int]:
        """How the operand is written, and its number."""
        if self.maybe("["):
            return self.bracket()
        if self.maybe("m"):
            self.expect("[")
            k = self.number()
            self.expect("]")
            return "mem", k
        hashed = self.maybe("#") and self.token.kind != "number" and self.token.text not in ("-", "+")
        if self.token.kind == "word" and (hashed or self.word not in ("x", "a")):
            return self.extension()
        if self.maybe("%", "x", "a"):
            if self.line[self.at - 1].text == "%" and not self.maybe("x", "a"):
                self.fail("x or a")
            return self.line[self.at - 1].text.lower(), 0
        return self.constant(modes)

    def constant(self, modes: dict[str, ClassicOp]) -> tuple[str, int]:
        """``#k``, ``k`` (after ldi), or ``4*([k]&0xf)``."""
        hashed = self.line[self.at - 1].text == "#"
        start, k = self.token, self.number()
        if hashed or "msh" not in modes:
            if not hashed and set(modes) != {"imm"}:
                start.fail("expected an operand; a constant is written #" + start.text)
            return "imm", k
        if k != 4:
            start.fail("only 4*([k]&0xf) can be loaded so")
        self.expect("*", "(", "[")
        k = self.number()
        self.expect("]", "&")
        mask = self.token
        if self.number() != 0xF:
            mask.fail("only 4*([k]&0xf) can be loaded so")
        self.expect(")")
        return "msh", k

    def bracket(self) -> tuple[str, int]:
        """``[k]``, ``[x + k]``, or tcpdump's ``[vlan_tci]``."""
        if self.maybe("x") or (self.maybe("%") and self.maybe("x")):
            negative = self.token.text == "-"
            if not negative:
                self.expect("+")
            k = self.number()
            self.expect("]")
            return "ind", k
        if self.token.kind == "word":
            found = self.extension()
            self.expect("]")
            return found
        k = self.number()
        self.expect("]")
        return "abs", k

    def extension(self) -> tuple[str, int]:
        """``len``, or one of the names of SKF_AD_*."""
        name = ANCILLARY_ALIASES.get(self.word, self.word)
        if name not in ("len", "pktlen") and name not in ANCILLARY:
            self.fail(f"an operand (extensions are len, {', '.join(ANCILLARY)})")
        self.at += 1
        return ("len", 0) if name in ("len", "pktlen") else ("abs", SKF_AD_OFF + ANCILLARY[name])

    def resolve(self) -> None:
        """Fill in the distances to the labels.  Raises AsmError where one is unknown, behind, or too far."""
        for at, field, token in self.uses:
            if token.text not in self.labels:
                token.fail(f"label {token.text!r} is not defined")
            self.jump(at, field, self.labels[token.text], token)

    def jump(self, at: int, field: str, target: int, token: Token) -> None:
        """Write one distance."""
        distance = target - at - 1
        if field != "k" and not 0 <= distance <= 255:
            token.fail(f"{token.text!r} is {distance} instructions away: conditional jumps reach 0 to 255")
        self.filters[at] = self.filters[at]._replace(**{field: distance & _M32})
