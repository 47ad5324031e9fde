"""The arithmetic of single instructions as pure functions over u64 (RFC 9669 section 4).

Compiled modules take the inline C versions from ``words.pxd``; these are the uncompiled ones, and the
ones to read.  Arguments and results are unsigned 64-bit words unless the name says otherwise.
"""

from __future__ import annotations

M32, M64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
_S32, _S64 = 1 << 31, 1 << 63


def word(x: int) -> int:
    """Any Python int as the u64 that a C function returning it would leave in R0."""
    return x & M64


def s64(x: int) -> int:
    """The signed reading."""
    return (x ^ _S64) - _S64


def s32(x: int) -> int:
    """The signed reading of the low half."""
    return ((x & M32) ^ _S32) - _S32


def sx8(x: int) -> int:
    """The low byte, sign extended to 64 bits."""
    return (((x & 0xFF) ^ 0x80) - 0x80) & M64


def sx16(x: int) -> int:
    """The low 16 bits, sign extended to 64 bits."""
    return (((x & 0xFFFF) ^ 0x8000) - 0x8000) & M64


def sx32(x: int) -> int:
    """The low half, sign extended to 64 bits."""
    return s32(x) & M64


def div(a: int, b: int) -> int:
    """Unsigned quotient; by zero it is 0."""
    return a // b if b else 0


def mod(a: int, b: int) -> int:
    """Unsigned remainder; by zero it is the dividend."""
    return a % b if b else a


def sdiv64(a: int, b: int) -> int:
    """Signed quotient, rounded to zero; by zero it is 0, and the lowest number over -1 is itself."""
    x, y = s64(a), s64(b)
    return _truncate(x, y) & M64 if y else 0


def smod64(a: int, b: int) -> int:
    """Signed remainder with the dividend's sign; by zero it is the dividend."""
    x, y = s64(a), s64(b)
    return (x - y * _truncate(x, y)) & M64 if y else a


def sdiv32(a: int, b: int) -> int:
    """``sdiv64`` of the low halves; the upper half of the result is zero."""
    x, y = s32(a), s32(b)
    return _truncate(x, y) & M32 if y else 0


def smod32(a: int, b: int) -> int:
    """``smod64`` of the low halves; the upper half of the result is zero."""
    x, y = s32(a), s32(b)
    return (x - y * _truncate(x, y)) & M32 if y else a & M32


def _truncate(x: int, y: int) -> int:
    quotient = abs(x) // abs(y)
    return quotient if (x < 0) == (y < 0) else -quotient


def arsh64(a: int, n: int) -> int:
    """Arithmetic shift right by the low six bits of ``n``."""
    return (s64(a) >> (n & 63)) & M64


def arsh32(a: int, n: int) -> int:
    """Arithmetic shift right of the low half by the low five bits of ``n``."""
    return (s32(a) >> (n & 31)) & M32


def swap16(x: int) -> int:
    """The low two bytes in the other order, the rest zero."""
    return (x & 0xFF) << 8 | (x >> 8) & 0xFF


def swap32(x: int) -> int:
    """The low four bytes in the other order, the rest zero."""
    return swap16(x) << 16 | swap16(x >> 16)


def swap64(x: int) -> int:
    """All bytes in the other order."""
    return swap32(x) << 32 | swap32(x >> 32)
