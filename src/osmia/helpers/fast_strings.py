"""Native bodies: numbers from text and comparing strings (kernel/bpf/helpers.c, lib/kstrtox.c)."""

from __future__ import annotations

import errno

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.helpers.fallback import text_length
    from osmia.raw import ld8, ld64, st64
    from osmia.vm.run import may, refuse
    from osmia.vm.runwords import R_CHECKED

M32, M64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
INVALID, BAD_RANGE = -errno.EINVAL & M64, -errno.ERANGE & M64
HIGHEST = (1 << 63) - 1
LONGEST = 63
"""Characters of the number that the kernel looks at."""
MINUS, ZERO, SMALL_A, SMALL_X, SMALLER = 0x2D, 0x30, 0x61, 0x78, 0x20
NO_DIGIT, NO_BREAK_SPACE = 99, 0xA0


def strtol(run: int, buf: int, size: int, flags: int, out: int, r5: int) -> int:
    """A signed number; the characters used, -EINVAL or -ERANGE (and 0 is stored)."""
    bad = admit(run, buf, size & M32, out)
    if bad:
        return 0
    start = after_space(buf, size & M32)
    negative = is_minus(buf, start, size & M32)
    used = parse(buf, start + negative, size & M32, flags, out)
    limit = HIGHEST + negative
    if used > M32 or ld64(out) <= limit:
        if negative:
            st64(out, (0 - ld64(out)) & M64)
        return used
    st64(out, 0)
    return BAD_RANGE


def strtoul(run: int, buf: int, size: int, flags: int, out: int, r5: int) -> int:
    """An unsigned number; a minus sign is -EINVAL."""
    bad = admit(run, buf, size & M32, out)
    if bad:
        return 0
    start = after_space(buf, size & M32)
    negative = is_minus(buf, start, size & M32)
    used = parse(buf, start + negative, size & M32, flags, out)
    if negative == 0 or used > M32:
        return used
    st64(out, 0)
    return INVALID


def admit(run: int, buf: int, size: int, out: int) -> int:
    """May the text be read and the number be written?  0, or 1 with the fault noted."""
    if may(run, buf, size, 0) == 0:
        refuse(run, buf, size, 0)
        return 1
    if may(run, out, 8, 1) == 0:
        refuse(run, out, 8, 1)
        return 1
    return 0


def after_space(buf: int, size: int) -> int:
    """How many characters at the front are white space, as lib/ctype.c has it."""
    at = 0
    while at < size:
        letter = ld8(buf + at)
        if not (letter == 0x20 or (9 <= letter and letter <= 13) or letter == NO_BREAK_SPACE):  # noqa: SIM300
            return at
        at += 1
    return at


def is_minus(buf: int, at: int, size: int) -> int:
    """1 where a minus sign stands."""
    return 1 if at < size and ld8(buf + at) == MINUS else 0


def digit(buf: int, at: int, end: int) -> int:
    """The value of the digit there, ``NO_DIGIT`` for anything else."""
    if at >= end:
        return NO_DIGIT
    letter = ld8(buf + at)
    if letter < ZERO + 10:
        return letter - ZERO if letter >= ZERO else NO_DIGIT
    letter |= SMALLER
    return letter - SMALL_A + 10 if letter >= SMALL_A and letter < SMALL_A + 6 else NO_DIGIT


def is_hex(buf: int, at: int, end: int) -> int:
    """Does ``0x`` stand there?"""
    if digit(buf, at, end) != 0 or at + 1 >= end:
        return 0
    return 1 if ld8(buf + at + 1) | SMALLER == SMALL_X else 0


def base_of(buf: int, at: int, end: int) -> int:
    """The base that the prefix tells: 16 for ``0x`` before a digit, 8 for another 0, else 10."""
    if is_hex(buf, at, end) and digit(buf, at + 2, end) < 16:
        return 16
    return 8 if digit(buf, at, end) == 0 else 10


def parse(buf: int, at: int, size: int, flags: int, out: int) -> int:
    """Read the digits from ``at`` on and store the number; the characters used, -EINVAL or -ERANGE and 0 stored."""
    st64(out, 0)
    if size == 0 or not (flags == 0 or flags == 8 or flags == 10 or flags == 16):
        return INVALID
    end = at + LONGEST if size - at > LONGEST else size
    base = flags or base_of(buf, at, end)
    if base == 16 and is_hex(buf, at, end):
        at += 2
    first = at
    value = 0
    while digit(buf, at, end) < base:
        if value > (M64 - digit(buf, at, end)) // base:
            return BAD_RANGE
        value = value * base + digit(buf, at, end)
        at += 1
    if at == first:
        return INVALID
    st64(out, value)
    return at


def strncmp(run: int, first: int, size: int, second: int, r4: int, r5: int) -> int:
    """-1, 0 or 1, looking at no more than ``size`` characters."""
    size &= M32
    if may(run, first, size, 0) == 0:
        return refuse(run, first, size, 0)
    known = 1
    if ld64(run + R_CHECKED) and text_length(run, second, size + 1) == M64:
        known = 0  # a string that is not there is an empty one
    at = 0
    while at < size:
        a = ld8(first + at)
        b = ld8(second + at) if known else 0
        if a != b:
            return M64 if a < b else 1
        if a == 0:
            return 0
        at += 1
    return 0
