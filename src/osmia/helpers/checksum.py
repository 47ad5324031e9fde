"""Internet checksums: the arithmetic, and bpf_csum_diff (net/core/filter.c, lib/checksum.c; RFC 1071)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from osmia.helpers.registry import helper
from osmia.raw import read

if TYPE_CHECKING:
    from osmia.vm.env import Env

M32 = 0xFFFFFFFF


def add(a: int, b: int) -> int:
    """32-bit one's complement sum."""
    total = a + b
    return (total & M32) + (total >> 32)


def partial(data: bytes, seed: int) -> int:
    """32-bit one's complement sum over the data, an odd last byte padded with zero."""
    data += bytes(-len(data) % 4)
    total = seed + sum(memoryview(data).cast("I"))
    while total >> 32:
        total = (total & M32) + (total >> 32)
    return total


def sub(a: int, b: int) -> int:
    """One's complement difference."""
    return add(a, ~b & M32)


def fold(value: int) -> int:
    """Down to 16 bits; not inverted."""
    value = (value & 0xFFFF) + (value >> 16)
    return (value & 0xFFFF) + (value >> 16)


def replace(checksum: int, old: int, new: int) -> int:
    """A 16-bit checksum after 32 bits that it covers changed (RFC 1624)."""
    return ~fold(add(sub(~checksum & M32, old), new)) & 0xFFFF


def replace_by_diff(checksum: int, diff: int) -> int:
    """A 16-bit checksum after its sum changed by ``diff``."""
    return ~fold(add(diff, ~checksum & M32)) & 0xFFFF


def native16(data: bytes) -> int:
    """Two bytes as the kernel reads a checksum field."""
    return int.from_bytes(data, sys.byteorder)


@helper("bpf_csum_diff")
def csum_diff(env: Env, old: int, old_size: int, new: int, new_size: int, seed: int) -> int:
    """The sum of ``new`` minus the sum of ``old`` plus ``seed``, folded to 16 bits.

    Any size will do, as in Linux 6.18; kernels before 6.13 want multiples of four and do not fold.
    """
    before = read(old, old_size) if old_size else b""
    after = read(new, new_size) if new_size else b""
    if before and after:
        total = sub(partial(after, seed), partial(before, 0))
    elif after:
        total = partial(after, seed)
    elif before:
        total = ~partial(before, ~seed & M32) & M32
    else:
        total = seed
    return fold(total)
