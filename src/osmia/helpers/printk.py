"""The formats of bpf_trace_printk, bpf_snprintf and friends, as the kernel reads and prints them.

Two steps, as in the kernel: ``read_format`` checks the whole format and says what each argument is
(kernel/bpf/helpers.c: bpf_bprintf_prepare); ``bprintf`` prints (lib/vsprintf.c: bstr_printf).  The kernel keeps
the arguments in a buffer of 512 bytes in between, which limits strings; that buffer is counted here too.

Known: ``%d %i %u %x %X`` with ``l`` or ``ll``, ``%c``, ``%s``, ``%pks %pus``, ``%p %px %pK %ps %pS %pB``,
``%pi4 %pI4 %pi6 %pI6``, ``%%``; flags ``0 + - space`` and a width.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

EINVAL, ENOSPC = errno.EINVAL, errno.ENOSPC
BIN_ARGS = 512
"""Bytes of the kernel's buffer for the arguments of one call."""
READY_MADE = ("pks", "pus", "pi4", "pI4", "pi6", "pI6", "pB")
"""Kinds whose text is in the buffer; width and flags do nothing to them."""
WIDTH_MAX = (1 << 23) - 1
M64 = 0xFFFFFFFFFFFFFFFF

DIGITS = b"0123456789"
FLAGS = b"0+- "
SPACE = b" \t\n\v\f\r\xa0"
PUNCT = b"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~" + bytes(range(0xA1, 0xC0)) + b"\xd7\xf7"
LETTERS = bytes(c for c in range(0xC0, 0x100) if c not in b"\xd7\xf7")
"""Latin-1 beyond ASCII, as lib/ctype.c sorts it: UTF-8 text is seen byte by byte."""
INTEGERS = b"diuxX"


class Reader(Protocol):
    """What printing must fetch from the program's world."""

    def string(self, address: int, room: int) -> bytes | None:
        """Up to ``room`` - 1 bytes before the NUL; None for a bad address."""

    def memory(self, address: int, size: int) -> bytes | None:
        """Exactly that many bytes; None for a bad address."""

    def symbol(self, address: int, offset: bool) -> str:
        """``name+0x10/0x80``, or ``name`` alone without ``offset``; ``0x…`` where no symbol is known."""


@dataclass(frozen=True, slots=True)
class Spec:
    """One conversion: its kind (``d u x X c s`` or the pointer's letters), flags, width, bytes of its argument."""

    kind: str
    flags: bytes = b""
    width: int = -1
    size: int = 4


Part = bytes | Spec


def read_format(fmt: bytes) -> list[Part] | int:
    """The pieces of a format (without its NUL): text and conversions; -EINVAL where the kernel refuses it."""
    parts: list[Part] = []
    at, text = 0, bytearray()
    while at < len(fmt):
        char = fmt[at]
        if not _printable(char):
            return -EINVAL
        if char != 0x25:
            text.append(char)
            at += 1
        elif fmt[at + 1 : at + 2] == b"%":
            text.append(char)
            at += 2
        else:
            found = _conversion(fmt, at + 1)
            if found is None:
                return -EINVAL
            spec, at = found
            parts += [bytes(text), spec]
            text.clear()
    return [*parts, bytes(text)]


def _printable(char: int) -> bool:
    return 0x20 <= char < 0x7F or char in SPACE[:6] or char >= 0x80


def _at(fmt: bytes, at: int) -> bytes:
    return fmt[at : at + 1]


def _ends(fmt: bytes, at: int) -> bool:
    """Nothing, white space or punctuation: what must follow a plain %p and %s."""
    char = _at(fmt, at)
    return not char or char in SPACE or char in PUNCT


def _conversion(fmt: bytes, at: int) -> tuple[Spec, int] | None:
    """The conversion behind a ``%`` and where the text goes on."""
    start = at
    while _at(fmt, at) and _at(fmt, at) in FLAGS:
        at += 1
    flags, width, digits = fmt[start:at], -1, at
    while _at(fmt, at) and _at(fmt, at) in DIGITS:
        at += 1
    if at > digits:
        width = min(int(fmt[digits:at]), WIDTH_MAX)
    if _at(fmt, at) == b"p":
        return _pointer(fmt, at + 1, flags, width)
    if _at(fmt, at) == b"s":
        return (Spec("s", flags, width), at + 1) if _ends(fmt, at + 1) else None
    if _at(fmt, at) == b"c":
        return Spec("c", flags, width), at + 1
    return _integer(fmt, at, flags, width)


def _integer(fmt: bytes, at: int, flags: bytes, width: int) -> tuple[Spec, int] | None:
    size = 4
    while size < 16 and _at(fmt, at) == b"l":
        size, at = (8 if size == 4 else 16), at + 1
    kind = _at(fmt, at)
    if not kind or kind not in INTEGERS:
        return None
    return Spec(kind.decode().replace("i", "d"), flags, width, min(size, 8)), at + 1


def _pointer(fmt: bytes, at: int, flags: bytes, width: int) -> tuple[Spec, int] | None:
    """What follows ``%p``.  Printing skips all letters and digits behind it, also those that mean nothing."""
    if _ends(fmt, at):
        return Spec("p", flags, width, 8), at
    kind = next((k for k in (b"ks", b"us", b"K", b"x", b"s", b"S", b"B") if fmt.startswith(k, at)), None)
    if kind in (b"ks", b"us"):
        return (Spec("p" + kind.decode(), flags, width), at + 2) if _ends(fmt, at + 2) else None
    if kind is None:
        kind = fmt[at : at + 2]
        if kind not in (b"i4", b"i6", b"I4", b"I6"):
            return None
    end = at + len(kind)
    while _at(fmt, end).isalnum() or (_at(fmt, end) and _at(fmt, end) in LETTERS):
        end += 1
    return Spec("p" + kind.decode(), flags, width, 8), end


def count_arguments(parts: Sequence[Part]) -> int:
    """How many arguments the conversions take."""
    return sum(isinstance(p, Spec) for p in parts)


def bprintf(fmt: bytes, args: Sequence[int], reader: Reader, size: int = 1 << 20) -> bytes | int:
    """The printed text, or -EINVAL or -ENOSPC.  ``args`` are u64; more than the format takes is fine.

    The text may be longer than the ``size`` bytes it is printed into; the caller cuts it.
    """
    parts = read_format(fmt)
    if isinstance(parts, int) or count_arguments(parts) > len(args):
        return -EINVAL
    packed = pack([p for p in parts if isinstance(p, Spec)], args, reader)
    return packed if isinstance(packed, int) else unpack_text(parts, packed, reader, size)


# -- step one: arguments into the buffer -----------------------------------------------------------------------------


def pack(specs: Sequence[Spec], args: Sequence[int], reader: Reader) -> bytes | int:
    """The kernel's buffer of arguments, strings and addresses already fetched; -ENOSPC when it is full."""
    out = bytearray()
    for spec, value in zip(specs, args, strict=False):
        room = BIN_ARGS - len(out)
        item = _item(spec, value, room, reader)
        if item is None:
            out += bytes(-len(out) % 4)
            item, room = (value & (1 << spec.size * 8) - 1).to_bytes(spec.size, "little"), BIN_ARGS - len(out)
        elif room < _least(spec):
            return -ENOSPC
        if len(item) > room:
            return -ENOSPC
        out += item
    return bytes(out)


def _least(spec: Spec) -> int:
    """The room that an item asks for before it is fetched."""
    return {"pi4": 4, "pI4": 4, "pi6": 16, "pI6": 16}.get(spec.kind, 1)


def _item(spec: Spec, value: int, room: int, reader: Reader) -> bytes | None:
    """What a string, character or address puts into the buffer; None for numbers."""
    if spec.kind == "c":
        return bytes((value & 0xFF,))
    if spec.kind in ("s", "pks", "pus"):
        text = reader.string(value, room) if room else b""
    elif spec.kind in ("pi4", "pI4", "pi6", "pI6"):
        size = 4 if spec.kind[2] == "4" else 16
        text = ip_text(spec.kind[1:], reader.memory(value, size) or bytes(size))
    elif spec.kind == "pB":
        text = reader.symbol(value, True).encode()
    else:
        return None
    return (text or b"")[: max(room - 1, 0)] + b"\0"


# -- step two: the buffer into text ----------------------------------------------------------------------------------


def unpack_text(parts: Sequence[Part], packed: bytes, reader: Reader, size: int) -> bytes:
    """The text.  As in the kernel, a ready-made pointer text is skipped without a trace once the output is full."""
    out, at = bytearray(), 0
    for part in parts:
        if isinstance(part, bytes):
            out += part
        elif part.kind in READY_MADE:
            if len(out) < size:
                text = packed[at:].split(b"\0", 1)[0]
                out, at = out + text, at + len(text) + 1
        elif part.kind == "s":
            text = packed[at:].split(b"\0", 1)[0]
            out, at = out + _padded(text, part), at + len(text) + 1
        else:
            width = 1 if part.kind == "c" else part.size
            at += -at % min(width, 4)
            out += _one(part, packed[at : at + width], reader)
            at += width
    return bytes(out)


def _one(spec: Spec, raw: bytes, reader: Reader) -> bytes:
    if spec.kind == "c":
        return _padded(raw, spec)
    value = int.from_bytes(raw, "little")
    return pointer(spec, value, reader) if spec.kind[0] == "p" else integer(spec, value)


def ip_text(kind: str, raw: bytes) -> bytes:
    """``i4 I4 i6 I6``: the small letters print without dots made short, and without colons."""
    if kind == "I4":
        return b".".join(b"%d" % b for b in raw)
    if kind == "i4":
        return b".".join(b"%03d" % b for b in raw)
    words = [raw[i : i + 2].hex().encode() for i in range(0, 16, 2)]
    return (b":" if kind == "I6" else b"").join(words)


def _padded(text: bytes, spec: Spec) -> bytes:
    return text.ljust(max(spec.width, 0)) if b"-" in spec.flags else text.rjust(max(spec.width, 0))


def integer(spec: Spec, value: int) -> bytes:
    """A number as printk prints it: ``spec.size`` bytes of ``value``, signed for ``d``."""
    bits = spec.size * 8
    value &= (1 << bits) - 1
    sign = b""
    if spec.kind == "d":
        if value >> bits - 1:
            value, sign = (1 << bits) - value, b"-"
        elif b"+" in spec.flags:
            sign = b"+"
        elif b" " in spec.flags:
            sign = b" "
    digits = {"x": b"%x", "X": b"%X"}.get(spec.kind, b"%d") % value
    if b"-" in spec.flags:
        return (sign + digits).ljust(max(spec.width, 0))
    if b"0" in spec.flags:
        return sign + digits.rjust(max(spec.width, 0) - len(sign), b"0")
    return (sign + digits).rjust(max(spec.width, 0))


def pointer(spec: Spec, value: int, reader: Reader) -> bytes:
    """``%p %pK`` (hashed, as the kernel does), ``%px`` (plain), ``%ps %pS`` (symbols)."""
    if spec.kind in ("ps", "pS"):
        return _padded(reader.symbol(value, spec.kind == "pS").encode(), spec)
    if spec.kind in ("p", "pK") and not is_error_or_null(value):
        value = hashed_pointer(value)
    flags, width = (spec.flags, spec.width) if spec.width >= 0 else (spec.flags + b"0", 16)
    return integer(Spec("x", flags, width, 8), value)


def is_error_or_null(value: int) -> bool:
    """Null and error pointers, which are printed as they are."""
    return value == 0 or value >= M64 - 4094


def hashed_pointer(value: int) -> int:
    """32 bits that hide an address.  The kernel's key is random at each boot; ours is fixed."""
    value = (value * 0x9E3779B97F4A7C15) & M64
    return value >> 32 or 1
