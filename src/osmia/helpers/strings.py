"""Numbers from text and comparing strings (kernel/bpf/helpers.c, lib/kstrtox.c)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from osmia.helpers.access import read_string
from osmia.helpers.printk import SPACE
from osmia.helpers.registry import helper
from osmia.raw import read, st64

if TYPE_CHECKING:
    from osmia.vm.env import Env

EINVAL, ERANGE = errno.EINVAL, errno.ERANGE
BASES = (0, 8, 10, 16)
LONGEST = 63
"""Characters of the number that the kernel looks at."""
M64 = 0xFFFFFFFFFFFFFFFF
HEX = b"0123456789abcdefABCDEF"


def radix(text: bytes, base: int) -> tuple[bytes, int]:
    """The digits and their base, which 0 lets the prefix tell."""
    hexadecimal = text[:2].lower() == b"0x"
    if base == 0 and text[:1] == b"0":
        base = 16 if hexadecimal and text[2:3] and text[2:3] in HEX else 8
    base = base or 10
    return (text[2:] if base == 16 and hexadecimal else text), base


def digits(text: bytes, base: int) -> int:
    """How many characters at the front are digits of the base."""
    allowed = b"0123456789abcdef"[:base]
    n = 0
    while n < len(text) and text[n : n + 1].lower() in allowed and text[n : n + 1].isalnum():
        n += 1
    return n


def parse_number(buf: bytes, flags: int) -> tuple[int, int, bool]:
    """``(characters used or -errno, magnitude, negative)``."""
    if not buf or flags & ~0x1F or flags not in BASES:
        return -EINVAL, 0, False
    rest = buf.lstrip(SPACE)
    negative = rest[:1] == b"-"
    rest = rest[1:] if negative else rest
    text, base = radix(rest[:LONGEST], flags)
    count = digits(text, base)
    if not count:
        return -EINVAL, 0, negative
    value = int(text[:count], base)
    if value > M64:
        return -ERANGE, 0, negative
    skipped = len(buf) - len(rest) + min(len(rest), LONGEST) - len(text)
    return skipped + count, value, negative


@helper("bpf_strtol")
def strtol(env: Env, buf: int, size: int, flags: int, out: int) -> int:
    """A signed number; the characters used, -EINVAL or -ERANGE (and 0 is stored)."""
    used, value, negative = parse_number(read(buf, size), flags)
    st64(out, 0)
    if used >= 0 and value > (1 << 63) - (not negative):
        return -ERANGE
    if used >= 0:
        st64(out, -value & M64 if negative else value)
    return used


@helper("bpf_strtoul")
def strtoul(env: Env, buf: int, size: int, flags: int, out: int) -> int:
    """An unsigned number; a minus sign is -EINVAL."""
    used, value, negative = parse_number(read(buf, size), flags)
    st64(out, 0)
    if used >= 0 and negative:
        return -EINVAL
    if used >= 0:
        st64(out, value)
    return used


@helper("bpf_strncmp")
def strncmp(env: Env, first: int, size: int, second: int) -> int:
    """-1, 0 or 1, looking at no more than ``size`` characters."""
    a = read(first, size).split(b"\0", 1)[0]
    b = (read_string(env.memory, second, size + 1) or b"")[:size]
    return (a > b) - (a < b)
