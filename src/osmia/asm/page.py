"""Text under construction, a few bytes at a time: native memory when compiled, pieces to be joined when not.

Types in ``page.pxd``.  All text is UTF-8.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.raw import Buffer, read

if not cython.compiled:
    from osmia.raw import copy, st8

_FIRST = 1 << 16


class Page:
    """What was written so far; ``take`` hands it out and starts again."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []  # not compiled
        self._room = Buffer(_FIRST if cython.compiled else 1)
        self.start: int = self._room.address
        self.at = self.start
        self.end = self.start + self._room.size

    def _grow(self, size: int) -> None:
        """Room for ``size`` more bytes."""
        used = self.at - self.start
        room = Buffer(2 * (used + size))
        copy(room.address, self.start, used)
        self._room = room
        self.start = room.address
        self.at = self.start + used
        self.end = self.start + room.size

    def put(self, text: bytes) -> None:
        """Append bytes."""
        if not cython.compiled:
            self.parts.append(text)
            return
        size = len(text)
        if self.at + size > self.end:
            self._grow(size)
        at = self.at
        for i in range(size):
            st8(at + i, text[i])
        self.at = at + size

    def hexadecimal(self, value: int) -> None:
        """Append an unsigned number without leading zeros."""
        if not cython.compiled:
            self.parts.append(b"%x" % value)
            return
        if self.at + 16 > self.end:
            self._grow(16)
        digits = 1
        while digits < 16 and value >> (4 * digits):
            digits += 1
        at = self.at
        for i in range(digits):
            digit = value >> (4 * (digits - 1 - i)) & 15
            st8(at + i, digit + 48 if digit < 10 else digit + 87)
        self.at = at + digits

    def number(self, value: int) -> None:
        """Append an unsigned number in decimal, right-aligned in eight columns."""
        if not cython.compiled:
            self.parts.append(b"%8d" % value)
            return
        if self.at + 24 > self.end:
            self._grow(24)
        width, rest = 1, value // 10
        while rest:
            width, rest = width + 1, rest // 10
        width = 8 if width < 8 else width
        at = self.at
        for i in range(width):
            st8(at + width - 1 - i, 48 + value % 10 if value or not i else 32)
            value = value // 10
        self.at = at + width

    def dump(self, data: bytes, start: int, size: int) -> None:
        """Append ``size`` bytes of ``data`` as two digits each, spaces between them."""
        if not cython.compiled:
            self.parts.append(data[start : start + size].hex(" ").encode())
            return
        if self.at + 3 * size > self.end:
            self._grow(3 * size)
        at = self.at
        for i in range(size):
            byte = data[start + i]
            high, low = byte >> 4, byte & 15
            st8(at, high + 48 if high < 10 else high + 87)
            st8(at + 1, low + 48 if low < 10 else low + 87)
            st8(at + 2, 32)
            at += 3
        self.at = at - 1 if size else at

    def take(self) -> bytes:
        """Everything written, in one piece; the page is empty afterwards."""
        if not cython.compiled:
            text = b"".join(self.parts)
            self.parts.clear()
            return text
        text = read(self.start, self.at - self.start)
        self.at = self.start
        return text
