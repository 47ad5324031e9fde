"""The formats of bpf_trace_printk, bpf_snprintf and friends, as the kernel reads and prints them, without Python.

Two steps, as in the kernel: ``prepare`` checks the whole format and packs the arguments into a buffer of 512 bytes,
strings fetched (kernel/bpf/helpers.c: bpf_bprintf_prepare); ``unpack`` prints from there (lib/vsprintf.c: bstr_printf).

Known: ``%d %i %u %x %X`` with ``l`` or ``ll``, ``%c``, ``%s``, ``%pks %pus``, ``%p %px %pK %ps %pS %pB``,
``%pi4 %pI4 %pi6 %pI6``, ``%%``; flags ``0 + - space`` and a width.  Names of symbols are Python's to know: where the
format wants one and the sheet has none, ``prepare`` answers ``WANTS_NAMES``, and Python calls ``printed``.

All state of one call stands in a *sheet*, words of native memory.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.raw import Buffer, write

if not cython.compiled:
    from osmia.helpers.fallback import all_readable, text_length
    from osmia.raw import copy, ld8, ld32, ld64, st8, st32, st64

    # The words of a sheet, by offset (the .pxd twin has the same numbers): the run; the arguments, how many there are
    # and the next; where text goes, its room and length, and from which length on ready-made text is dropped; bytes
    # packed and read again; the conversion at hand; names of symbols; digits; the packed arguments.
    S_RUN, S_ARGS, S_COUNT, S_NEXT, S_OUT, S_ROOM, S_LENGTH, S_LIMIT, S_USED, S_AT = range(0, 80, 8)
    S_KIND, S_FLAGS, S_WIDTH, S_SIZE, S_NAMES, S_DIGITS, S_OWN, S_PACKED = 80, 88, 96, 104, 112, 120, 152, 176
    SHEET, BIN_ARGS, NAME = 704, 512, 256

    # What ``S_KIND`` holds: the letter of a simple conversion, or one of these.
    TEXT, POINTER, HASHED_K, PLAIN_X, SYMBOL, SYMBOL_AND_OFFSET, BACKTRACE = 0, 256, 257, 258, 259, 260, 261
    KERNEL_TEXT, USER_TEXT, IP4, DOTTED_IP4, IP6, COLON_IP6 = 262, 263, 264, 265, 266, 267
    ZEROS, PLUS, LEFT, SPACES = 1, 2, 4, 8

M32, M64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
INVALID, NO_SPACE, WANTS_NAMES = -errno.EINVAL & M64, -errno.ENOSPC & M64, -errno.EXFULL & M64
ERRORS = M64 ^ 4095
"""From here on a length is a negative errno."""
WIDTH_MAX, NO_WIDTH = (1 << 23) - 1, M64
GOLDEN = 0x9E3779B97F4A7C15
MOST = 12
"""MAX_BPRINTF_VARARGS."""


# -- letters ---------------------------------------------------------------------------------------------------------


def letter(fmt: int, at: int, end: int) -> int:
    """The byte there; 0 behind the end, for a format has no NUL."""
    return ld8(fmt + at) if at < end else 0


def is_text(c: int) -> int:
    """May the byte stand in a format?"""
    return 1 if (0x20 <= c and c < 0x7F) or (9 <= c and c <= 13) or c >= 0x80 else 0  # noqa: SIM300


def is_letter(c: int) -> int:
    """A digit or a letter, Latin-1 as lib/ctype.c sorts it: UTF-8 is seen byte by byte."""
    if c < 0x80:
        low = c | 0x20
        return 1 if (0x30 <= c and c <= 0x39) or (0x61 <= low and low <= 0x7A) else 0  # noqa: SIM300
    return 1 if c >= 0xC0 and c != 0xD7 and c != 0xF7 else 0


def ends(fmt: int, at: int, end: int) -> int:
    """Nothing, white space or punctuation: what must follow a plain %p and %s."""
    c = letter(fmt, at, end)
    if c < 0x80:
        return 1 if c == 0 or (is_text(c) and is_letter(c) == 0) else 0
    return 1 if c >= 0xA0 and is_letter(c) == 0 else 0


def flag_of(c: int) -> int:
    """The bit of a flag, or 0."""
    if c == 0x30:
        return ZEROS
    if c == 0x2B:
        return PLUS
    if c == 0x2D:
        return LEFT
    return SPACES if c == 0x20 else 0


# -- reading a format ------------------------------------------------------------------------------------------------


def step(sheet: int, fmt: int, at: int, end: int) -> int:
    """Read one character or conversion; where the format goes on, or 0 where the kernel refuses it."""
    c = ld8(fmt + at)
    st64(sheet + S_KIND, TEXT)
    if c != 0x25:
        return at + 1 if is_text(c) else 0
    if letter(fmt, at + 1, end) == 0x25:
        return at + 2
    return conversion(sheet, fmt, at + 1, end)


def conversion(sheet: int, fmt: int, at: int, end: int) -> int:
    """What stands behind a ``%``."""
    flags = 0
    while flag_of(letter(fmt, at, end)):
        flags |= flag_of(letter(fmt, at, end))
        at += 1
    width = NO_WIDTH
    c = letter(fmt, at, end)
    while 0x30 <= c and c <= 0x39:  # noqa: SIM300
        width = c - 0x30 if width == NO_WIDTH else width * 10 + c - 0x30
        width = WIDTH_MAX if width > WIDTH_MAX else width
        at += 1
        c = letter(fmt, at, end)
    st64(sheet + S_FLAGS, flags)
    st64(sheet + S_WIDTH, width)
    st64(sheet + S_SIZE, 4)
    st64(sheet + S_KIND, c)
    if c == 0x70:
        return pointer(sheet, fmt, at + 1, end)
    if c == 0x73:
        return at + 1 if ends(fmt, at + 1, end) else 0
    return at + 1 if c == 0x63 else number(sheet, fmt, at, end)


def number(sheet: int, fmt: int, at: int, end: int) -> int:
    """``d i u x X`` behind up to two ``l``."""
    longs = 0
    while longs < 2 and letter(fmt, at, end) == 0x6C:
        longs += 1
        at += 1
    c = letter(fmt, at, end)
    if c == 0x69:
        c = 0x64
    if c != 0x64 and c != 0x75 and c | 0x20 != 0x78:
        return 0
    st64(sheet + S_KIND, c)
    st64(sheet + S_SIZE, 8 if longs else 4)
    return at + 1


def pointer(sheet: int, fmt: int, at: int, end: int) -> int:
    """What follows ``%p``.  Printing skips all letters and digits behind it, also those that mean nothing."""
    first = letter(fmt, at, end)
    second = letter(fmt, at + 1, end)
    st64(sheet + S_SIZE, 8)
    st64(sheet + S_KIND, POINTER)
    if ends(fmt, at, end):
        return at
    if second == 0x73 and (first == 0x6B or first == 0x75):
        st64(sheet + S_KIND, KERNEL_TEXT if first == 0x6B else USER_TEXT)
        return at + 2 if ends(fmt, at + 2, end) else 0
    kind = pointer_kind(first, second)
    if kind == 0:
        return 0
    st64(sheet + S_KIND, kind)
    at += 2 if kind >= IP4 else 1
    while is_letter(letter(fmt, at, end)):
        at += 1
    return at


def pointer_kind(first: int, second: int) -> int:
    """The kind by its one or two letters, or 0."""
    if first == 0x4B:
        return HASHED_K
    if first == 0x78:
        return PLAIN_X
    if first == 0x73:
        return SYMBOL
    if first == 0x53:
        return SYMBOL_AND_OFFSET
    if first == 0x42:
        return BACKTRACE
    if second == 0x34:
        return IP4 if first == 0x69 else DOTTED_IP4 if first == 0x49 else 0
    if second == 0x36:
        return IP6 if first == 0x69 else COLON_IP6 if first == 0x49 else 0
    return 0


# -- step one: arguments into the buffer -----------------------------------------------------------------------------


def prepare(sheet: int, fmt: int, end: int) -> int:
    """Check the format of ``end`` bytes and pack what it takes; 0, -EINVAL, -ENOSPC or ``WANTS_NAMES``."""
    bad = 0
    at = 0
    while at < end:
        at = step(sheet, fmt, at, end)
        if at == 0:
            return INVALID
        if ld64(sheet + S_KIND) != TEXT:
            taken = ld64(sheet + S_NEXT)
            if taken >= ld64(sheet + S_COUNT):
                return INVALID
            st64(sheet + S_NEXT, taken + 1)
            if bad == 0:
                bad = pack(sheet, taken, ld64(ld64(sheet + S_ARGS) + 8 * taken))
    return bad


def pack(sheet: int, index: int, value: int) -> int:
    """Put one argument into the buffer; 0 or an errno."""
    kind = ld64(sheet + S_KIND)
    used = ld64(sheet + S_USED)
    if SYMBOL <= kind and kind <= BACKTRACE and ld64(sheet + S_NAMES) == 0:  # noqa: SIM300
        return WANTS_NAMES
    if kind == 0x63 or kind == 0x73 or kind >= BACKTRACE:
        if BIN_ARGS - used < (1 if kind < IP4 else 4 if kind < IP6 else 16):
            return NO_SPACE
        return pack_text(sheet, kind, index, value, sheet + S_PACKED + used, BIN_ARGS - used)
    used = (used + 3) >> 2 << 2
    size = ld64(sheet + S_SIZE)
    if size > BIN_ARGS - used:
        return NO_SPACE
    if size == 8:
        st64(sheet + S_PACKED + used, value)
    else:
        st32(sheet + S_PACKED + used, value & M32)
    st64(sheet + S_USED, used + size)
    return 0


def pack_text(sheet: int, kind: int, index: int, value: int, out: int, room: int) -> int:
    """A character, string, address of a network or name, with its NUL; it is cut to the room."""
    size = 1
    if kind == 0x63:
        st8(out, value & 0xFF)
        st64(sheet + S_USED, ld64(sheet + S_USED) + 1)
        return 0
    if kind == BACKTRACE:
        size = pack_name(sheet, index, out, room)
    elif kind >= IP4:
        size = pack_ip(ld64(sheet + S_RUN), kind, value, out, room)
    else:
        size = text_length(ld64(sheet + S_RUN), value, room)
        if size == M64:
            size = 0
        copy(out, value, size)
    st8(out + size, 0)
    st64(sheet + S_USED, ld64(sheet + S_USED) + size + 1)
    return 0


def pack_name(sheet: int, index: int, out: int, room: int) -> int:
    """The name with its offset; returns its length."""
    name = ld64(sheet + S_NAMES) + 2 * NAME * index + NAME
    size = 0
    while size < room - 1 and ld8(name + size):
        st8(out + size, ld8(name + size))
        size += 1
    return size


def pack_ip(run: int, kind: int, address: int, out: int, room: int) -> int:
    """``i4 I4 i6 I6``: the small letters print without dots made short, and without colons.  Returns the length."""
    count = 4 if kind < IP6 else 16
    known = all_readable(run, address, count)
    length = 0
    i = 0
    while i < count:
        byte = ld8(address + i) if known else 0
        if (kind == DOTTED_IP4 and i) or (kind == IP4 and i):
            length = put_at(out, length, room, 0x2E)
        elif kind == COLON_IP6 and i and i % 2 == 0:
            length = put_at(out, length, room, 0x3A)
        if kind >= IP6:
            length = put_at(out, length, room, hex_digit(byte >> 4, 0x20))
            length = put_at(out, length, room, hex_digit(byte & 15, 0x20))
        else:
            if kind == IP4 or byte >= 100:
                length = put_at(out, length, room, 0x30 + byte // 100)
            if kind == IP4 or byte >= 10:
                length = put_at(out, length, room, 0x30 + byte // 10 % 10)
            length = put_at(out, length, room, 0x30 + byte % 10)
        i += 1
    return length


def put_at(out: int, length: int, room: int, c: int) -> int:
    """Add a byte where there is room for it and a NUL; the new length."""
    if length + 1 >= room:
        return length
    st8(out + length, c)
    return length + 1


def hex_digit(value: int, low: int) -> int:
    """The digit; ``low`` is 0x20 for small letters, 0 for big ones."""
    return 0x30 + value if value < 10 else (0x41 | low) + value - 10


# -- step two: the buffer into text ----------------------------------------------------------------------------------


def unpack(sheet: int, fmt: int, end: int) -> int:
    """Print a prepared format; the length of all of its text, of which ``S_ROOM`` bytes are kept.

    As in the kernel, a ready-made text of a pointer is skipped without a trace once the output is full.
    """
    st64(sheet + S_AT, 0)
    st64(sheet + S_LENGTH, 0)
    st64(sheet + S_NEXT, 0)
    at = 0
    while at < end:
        after = step(sheet, fmt, at, end)
        if ld64(sheet + S_KIND) == TEXT:
            put(sheet, ld8(fmt + at))
        else:
            unpack_one(sheet)
            st64(sheet + S_NEXT, ld64(sheet + S_NEXT) + 1)
        at = after
    return ld64(sheet + S_LENGTH)


def unpack_one(sheet: int) -> None:
    """One conversion."""
    kind = ld64(sheet + S_KIND)
    at = ld64(sheet + S_AT)
    if kind >= BACKTRACE:
        if ld64(sheet + S_LENGTH) < ld64(sheet + S_LIMIT):
            st64(sheet + S_WIDTH, 0)
            st64(sheet + S_AT, at + put_packed(sheet, sheet + S_PACKED + at, BIN_ARGS - at) + 1)
    elif kind == 0x73:
        st64(sheet + S_AT, at + put_packed(sheet, sheet + S_PACKED + at, BIN_ARGS - at) + 1)
    elif kind == 0x63:
        st64(sheet + S_AT, at + 1)
        put_padded(sheet, sheet + S_PACKED + at, 1)
    else:
        at = (at + 3) >> 2 << 2
        size = ld64(sheet + S_SIZE)
        st64(sheet + S_AT, at + size)
        value = ld64(sheet + S_PACKED + at) if size == 8 else ld32(sheet + S_PACKED + at)
        if kind >= POINTER:
            put_pointer(sheet, kind, value)
        else:
            put_number(sheet, kind, value, 8 * size)


def put(sheet: int, c: int) -> None:
    """One byte of text."""
    length = ld64(sheet + S_LENGTH)
    if length < ld64(sheet + S_ROOM):
        st8(ld64(sheet + S_OUT) + length, c)
    st64(sheet + S_LENGTH, length + 1)


def pad(sheet: int, count: int, c: int) -> None:
    """The same byte several times."""
    while count and ld64(sheet + S_LENGTH) < ld64(sheet + S_ROOM):
        put(sheet, c)
        count -= 1
    st64(sheet + S_LENGTH, ld64(sheet + S_LENGTH) + count)


def put_packed(sheet: int, text: int, room: int) -> int:
    """A packed string, up to its NUL or the end of the buffer; its length."""
    size = 0
    while size < room and ld8(text + size):
        size += 1
    put_padded(sheet, text, size)
    return size


def put_padded(sheet: int, text: int, size: int) -> None:
    """Some bytes, with spaces up to the width."""
    width = ld64(sheet + S_WIDTH)
    missing = width - size if width != NO_WIDTH and width > size else 0
    left = ld64(sheet + S_FLAGS) & LEFT
    if left == 0:
        pad(sheet, missing, 0x20)
    i = 0
    while i < size:
        put(sheet, ld8(text + i))
        i += 1
    if left:
        pad(sheet, missing, 0x20)


def put_number(sheet: int, kind: int, value: int, bits: int) -> None:
    """A number as printk prints it, signed for ``d``."""
    flags = ld64(sheet + S_FLAGS)
    sign = 0
    if kind == 0x64:
        if value >> (bits - 1):
            value = (0 - value) & (M64 if bits == 64 else M32)
            sign = 0x2D
        elif flags & PLUS:
            sign = 0x2B
        elif flags & SPACES:
            sign = 0x20
    size = digits(sheet + S_DIGITS + 24, value, kind)
    width = ld64(sheet + S_WIDTH)
    shown = size + 1 if sign else size
    missing = width - shown if width != NO_WIDTH and width > shown else 0
    if flags & (LEFT | ZEROS) == 0:
        pad(sheet, missing, 0x20)
    if sign:
        put(sheet, sign)
    if flags & LEFT == 0 and flags & ZEROS:
        pad(sheet, missing, 0x30)
    while size:
        put(sheet, ld8(sheet + S_DIGITS + 24 - size))
        size -= 1
    if flags & LEFT:
        pad(sheet, missing, 0x20)


def digits(end: int, value: int, kind: int) -> int:
    """Write the digits so that they end before ``end``; how many."""
    base = 16 if kind | 0x20 == 0x78 else 10
    size = 0
    while size == 0 or value:
        size += 1
        st8(end - size, hex_digit(value % base, kind & 0x20))
        value //= base
    return size


def put_pointer(sheet: int, kind: int, value: int) -> None:
    """``%p %pK`` (hashed, as the kernel does), ``%px`` (plain), ``%ps %pS`` (symbols)."""
    if kind == SYMBOL or kind == SYMBOL_AND_OFFSET:  # noqa: SIM109
        name = ld64(sheet + S_NAMES) + 2 * NAME * ld64(sheet + S_NEXT) + (NAME if kind == SYMBOL_AND_OFFSET else 0)
        put_packed(sheet, name, NAME)
        return
    if kind != PLAIN_X and value != 0 and value < M64 - 4094:
        value = ((value * GOLDEN) & M64) >> 32
        value = value or 1
    if ld64(sheet + S_WIDTH) == NO_WIDTH:
        st64(sheet + S_FLAGS, ld64(sheet + S_FLAGS) | ZEROS)
        st64(sheet + S_WIDTH, 16)
    put_number(sheet, 0x78, value, 64)


# -- what Python calls -----------------------------------------------------------------------------------------------


def printed(run: int, fmt: bytes, args: Sequence[int], limit: int, symbol: Callable[[int, bool], str]) -> bytes | int:
    """The text, or -EINVAL or -ENOSPC.  ``args`` are u64; more than the format takes is fine.

    From ``limit`` bytes on ready-made texts are dropped; the caller cuts the text.  ``symbol`` names an address, with
    or without the offset in the symbol.
    """
    text, words, names = Buffer.of(fmt), Buffer(8 * MOST), Buffer(2 * NAME * MOST)
    for index, value in enumerate(args[:MOST]):
        st64(words.address + 8 * index, value)
        for form in (0, 1):
            if b"p" in fmt:
                write(names.address + (2 * index + form) * NAME, symbol(value, bool(form)).encode()[: NAME - 1])
    sheet = Buffer(SHEET)
    for at, value in ((S_RUN, run), (S_ARGS, words.address), (S_COUNT, len(args)), (S_NAMES, names.address)):
        st64(sheet.address + at, value)
    st64(sheet.address + S_LIMIT, limit)
    bad = prepare(sheet.address, text.address, len(fmt))
    if bad:
        return int(bad) - (1 << 64)
    out = Buffer(unpack(sheet.address, text.address, len(fmt)))
    st64(sheet.address + S_OUT, out.address)
    st64(sheet.address + S_ROOM, out.size)
    unpack(sheet.address, text.address, len(fmt))
    return bytes(out)
