"""Words and expressions of LLVM assembly, as llvm-mc reads them.

An expression is what is left of it as long as symbols have no address: a number, plus at most one symbol, minus
at most one symbol.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from osmia.errors import AsmError, Place

_M64 = 0xFFFFFFFFFFFFFFFF
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>0[xX][0-9a-fA-F]+|0[bB][01]+|[0-9]+)(?P<suffix>[uUlL]*(?![\w.$@])|[bf](?![\w.$@]))
    | (?P<name>[A-Za-z_.$@][\w.$@]*)
    | (?P<string>"(?:[^"\\\n]|\\.)*")
    | (?P<char>'(?:[^'\\\n]|\\.)')
    | (?P<sign><<|>>|[^\s\w"'.$@])
    )""",
    re.VERBOSE,
)
_ESCAPES = {"n": 10, "t": 9, "r": 13, "b": 8, "f": 12, "0": 0, '"': 34, "'": 39, "\\": 92}
_DIGITS = 200  # more than any number needs; Python itself reads no more than 4300
_STRING_PART = re.compile(r"\\x([0-9a-fA-F]+)|\\([0-7]{1,3})|\\(.)|([^\\]+)", re.DOTALL)
_UNARY: dict[str, Callable[[int], int]] = {
    "-": lambda a: -a, "+": lambda a: a, "~": lambda a: ~a, "!": lambda a: int(not a)
}  # fmt: skip
_LEVELS: tuple[tuple[str, ...], ...] = (("|", "^", "&"), ("+", "-"), ("*", "/", "%", "<<", ">>"))
_FOLD: dict[str, Callable[[int, int], int]] = {
    "|": lambda a, b: a | b, "^": lambda a, b: a ^ b, "&": lambda a, b: a & b,
    "*": lambda a, b: a * b, "<<": lambda a, b: a << (b & 63), ">>": lambda a, b: (a & _M64) >> (b & 63),
}  # fmt: skip
_DEEP = 64  # nesting of parentheses and signs


class Token(NamedTuple):
    """A word: its kind (number, label, name, string, char, sign), its text, and its column from 1."""

    kind: str
    text: str
    column: int
    value: int = 0


class Value(NamedTuple):
    """``const + plus - minus``: symbols that have no address yet."""

    const: int
    plus: str | None = None
    minus: str | None = None

    @property
    def is_const(self) -> bool:
        """No symbol is left."""
        return self.plus is None and self.minus is None


def tokenize(text: str, place: Place, column: int = 1) -> list[Token]:
    """The words of a statement.  Raises AsmError at what is none."""
    found, at = [], 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            spot = at + len(text[at:]) - len(text[at:].lstrip())
            raise AsmError(f"unexpected {text[spot]!r}", place, column=column + spot)
        if match.end() - at > _DIGITS and match["number"]:
            raise AsmError(f"a number of {len(match['number'])} digits", place, column=column + match.start("number"))
        found.append(_token(match, column))
        at = match.end()
    return found


def _token(match: re.Match[str], column: int) -> Token:
    kind = match.lastgroup or ""
    if kind == "suffix":
        number, suffix = match["number"], match["suffix"]
        start = column + match.start("number")
        if suffix in ("b", "f"):
            return Token("label", number + suffix, start)
        return Token("number", number, start, integer(number))
    text = match[kind]
    return Token(kind, text, column + match.start(kind))


def integer(text: str) -> int:
    """A number as C and LLVM write it: 0x…, 0b…, octal with a leading 0, decimal.  Digits 8 and 9 make it decimal.

    Raises AsmError for one of absurd length.
    """
    if len(text) > _DIGITS:
        raise AsmError(f"a number of {len(text)} digits")
    lower = text.lower()
    if lower.startswith("0x"):
        return int(lower, 16)
    if lower.startswith("0b"):
        return int(lower, 2)
    octal = len(text) > 1 and text[0] == "0" and not set(text) & set("89")
    return int(text, 8) if octal else int(text)


def unquote(text: str) -> bytes:
    """The bytes of a string literal, quotes included."""
    out = bytearray()
    for hexadecimal, octal, single, plain in _STRING_PART.findall(text[1:-1]):
        if plain:
            out += plain.encode()
        elif single:
            out += bytes([_ESCAPES[single]]) if single in _ESCAPES else single.encode()
        else:
            out.append((int(hexadecimal, 16) if hexadecimal else int(octal, 8)) & 0xFF)
    return bytes(out)


class Expression:
    """Reads one expression out of ``tokens`` from position ``at`` on; ``at`` stands behind it afterwards.

    ``known`` has the values of symbols set by ``.set``; ``here`` is the symbol that ``.`` stands for.
    """

    def __init__(self, tokens: list[Token], at: int, place: Place, known: Mapping[str, Value], here: str = ".") -> None:
        self.tokens, self.at, self.place, self.known, self.here = tokens, at, place, known, here
        self._depth = 0

    def read(self, level: int = 0) -> Value:
        """The value of the expression.  Raises AsmError where there is none."""
        if level == len(_LEVELS):
            return self._single()
        left = self.read(level + 1)
        while self.at < len(self.tokens) and self.tokens[self.at].text in _LEVELS[level]:
            sign = self.tokens[self.at]
            if sign.kind != "sign":
                break
            self.at += 1
            left = self._combine(sign, left, self.read(level + 1))
        return left

    def _fail(self, reason: str, at: int | None = None) -> AsmError:
        at = self.at if at is None else at
        column = self.tokens[at].column if at < len(self.tokens) else self._end()
        return AsmError(reason, self.place, column=column)

    def _end(self) -> int:
        last = self.tokens[-1] if self.tokens else None
        return last.column + len(last.text) if last else 1

    def _single(self) -> Value:
        if self.at >= len(self.tokens):
            raise self._fail("an expression is missing")
        token = self.tokens[self.at]
        self.at += 1
        if token.kind == "number":
            return Value(token.value)
        if token.kind == "char":
            return Value(unquote(token.text)[0])
        if token.kind == "string":
            return self._symbol(unquote(token.text).decode(errors="replace"))
        if token.kind in ("name", "label"):
            return self._symbol(self.here if token.text == "." else token.text)
        return self._nested(token)

    def _nested(self, token: Token) -> Value:
        self._depth += 1
        if self._depth > _DEEP:
            raise self._fail("the expression is nested too deeply", self.at - 1)
        if token.text == "(":
            value = self.read()
            if self.at >= len(self.tokens) or self.tokens[self.at].text != ")":
                raise self._fail("')' is missing")
            self.at += 1
        elif token.text in _UNARY:
            value = self._signed(token, self._single())
        else:
            raise self._fail(f"{token.text!r} starts no expression", self.at - 1)
        self._depth -= 1
        return value

    def _signed(self, sign: Token, value: Value) -> Value:
        if value.is_const:
            return Value(_UNARY[sign.text](value.const))
        if sign.text == "-":
            return Value(-value.const, value.minus, value.plus)
        if sign.text == "+":
            return value
        raise AsmError(f"{sign.text!r} needs a number", self.place, column=sign.column)

    def _symbol(self, name: str) -> Value:
        return self.known.get(name) or Value(0, name)

    def _combine(self, sign: Token, a: Value, b: Value) -> Value:
        if sign.text == "-":
            b = Value(-b.const, b.minus, b.plus)
        if sign.text in "+-":
            return self._add(sign, a, b)
        if not (a.is_const and b.is_const):
            raise AsmError(f"{sign.text!r} needs numbers, not symbols", self.place, column=sign.column)
        if sign.text in "/%":
            return Value(self._divide(sign, a.const, b.const))
        return Value(_FOLD[sign.text](a.const, b.const))

    def _add(self, sign: Token, a: Value, b: Value) -> Value:
        plus = [s for s in (a.plus, b.plus) if s is not None]
        minus = [s for s in (a.minus, b.minus) if s is not None]
        for name in [s for s in plus if s in minus]:
            plus.remove(name)
            minus.remove(name)
        if len(plus) > 1 or len(minus) > 1:
            raise AsmError("an expression holds at most one symbol minus another", self.place, column=sign.column)
        return Value(a.const + b.const, *(s[0] if s else None for s in (plus, minus)))

    def _divide(self, sign: Token, a: int, b: int) -> int:
        if not b:
            raise AsmError("division by zero", self.place, column=sign.column)
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return quotient if sign.text == "/" else a - b * quotient
