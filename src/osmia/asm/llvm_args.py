"""The words behind a directive of LLVM assembly, taken one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osmia.asm.llvm_lex import Expression, Token, Value, unquote
from osmia.errors import AsmError

if TYPE_CHECKING:
    from osmia.asm.llvm_read import Reader


class Args:
    """The words behind a directive, which stands at column ``start``, taken one by one."""

    def __init__(self, tokens: list[Token], reader: Reader, start: int = 1) -> None:
        self.tokens, self.at, self.reader, self.start = tokens, 0, reader, start

    @property
    def column(self) -> int:
        """Where the next word stands."""
        return self.tokens[self.at].column if self.at < len(self.tokens) else self._end()

    def _end(self) -> int:
        return self.tokens[-1].column + len(self.tokens[-1].text) if self.tokens else self.start

    def fail(self, reason: str) -> AsmError:
        """An error at the next word."""
        return AsmError(reason, self.reader.place, column=self.column)

    def more(self) -> bool:
        """Is there a further word?"""
        return self.at < len(self.tokens)

    def done(self) -> None:
        """Raises AsmError when something is left."""
        if self.more():
            raise self.fail(f"unexpected {self.tokens[self.at].text!r}")

    def comma(self) -> bool:
        """Take a comma when there is one."""
        found = self.more() and self.tokens[self.at].text == ","
        self.at += found
        return found

    def name(self) -> str:
        """A symbol's or section's name, quoted or not; a section's may hold signs (``.rodata.str1.1``, ``fexit/x``)."""
        if not self.more():
            raise self.fail("a name is missing")
        token = self.tokens[self.at]
        if token.kind == "string":
            self.at += 1
            return unquote(token.text).decode(errors="replace")
        if token.kind != "name":
            raise self.fail(f"{token.text!r} is no name")
        self.at += 1
        return token.text

    def glued(self) -> str:
        """Words that stand together up to a comma: a section name that nobody quoted."""
        text = self.name()
        while self.more() and self.tokens[self.at].text != "," and self.column == self._previous_end():
            text += self.tokens[self.at].text
            self.at += 1
        return text

    def _previous_end(self) -> int:
        token = self.tokens[self.at - 1]
        return token.column + len(token.text)

    def string(self) -> bytes:
        """A string literal's bytes."""
        if not self.more() or self.tokens[self.at].kind != "string":
            raise self.fail("a string is missing")
        self.at += 1
        return unquote(self.tokens[self.at - 1].text)

    def value(self) -> Value:
        """An expression."""
        expression = Expression(self.tokens, self.at, self.reader.place, self.reader.known)
        found = expression.read()
        self.at = expression.at
        return found

    def number(self, default: int | None = None) -> int:
        """A number that is known at this point.  ``default`` stands for a missing one."""
        if default is not None and (not self.more() or self.tokens[self.at].text == ","):
            return default
        column = self.column
        value = self.reader.settled(self.value())
        try:
            return self.reader.unit.number(value, self.reader.place)
        except AsmError as e:
            raise AsmError(e.reason, self.reader.place, column=column) from None

    def attribute(self) -> str:
        """``@progbits``, ``%function``, ``"object"`` or a bare word: without its mark."""
        if self.more() and self.tokens[self.at].text in ("%", "@"):
            self.at += 1
        return self.name().lstrip("@")
