"""Bloom filters (kernel/bpf/bloom_filter.c): was this value ever added?  "No" is certain.

Size, hash and seeds are the kernel's, as it is with BPF_F_ZERO_SEED: such a filter affirms and denies exactly what the
kernel's does.  Without that flag the kernel begins with a random number; ours begins with zero all the same.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

try:
    import cython
except ImportError:
    from osmia._cy import cython
from osmia.maps.base import Map
from osmia.maps.slab import Slab

if not cython.compiled:
    from osmia.raw import ld8, ld64, or64

if TYPE_CHECKING:
    from osmia.obj.model import MapSpec

EINVAL, ENOENT, EOPNOTSUPP = -errno.EINVAL, -errno.ENOENT, -errno.EOPNOTSUPP
DEFAULT_HASHES = 5


def bits_for(entries: int, hashes: int) -> int:
    """Bits of a filter: entries * hashes / ln 2, as 7/5, up to a power of two; at least a word, at most 2**32."""
    wanted = entries * hashes // 5 * 7
    if entries * hashes >> 32 or wanted >> 32 or wanted > 1 << 31:
        return 1 << 32
    return 1 << max(wanted - 1, 63).bit_length()


def rotated(word: int, by: int) -> int:
    """32 bits turned to the left."""
    M32 = 0xFFFFFFFF
    return ((word << by) | (word >> (32 - by))) & M32


def word_at(key: int, at: int, size: int) -> int:
    """Four bytes of a key from ``at`` on, the lowest first, zeros behind the end."""
    word = 0
    shift = 0
    while shift < 32 and at < size:
        word |= ld8(key + at) << shift
        at += 1
        shift += 8
    return word


def jenkins(key: int, size: int, seed: int) -> int:
    """Bob Jenkins' hash of 2006 ("lookup3"), the kernel's jhash: 32 bits over ``size`` bytes, at least one."""
    M32 = 0xFFFFFFFF
    start = 0xDEADBEEF
    a = (start + size + seed) & M32
    b = a
    c = a
    at = 0
    while at + 12 < size:
        a = (a + word_at(key, at, size)) & M32
        b = (b + word_at(key, at + 4, size)) & M32
        c = (c + word_at(key, at + 8, size)) & M32
        a = ((a - c) & M32) ^ rotated(c, 4)
        c = (c + b) & M32
        b = ((b - a) & M32) ^ rotated(a, 6)
        a = (a + c) & M32
        c = ((c - b) & M32) ^ rotated(b, 8)
        b = (b + a) & M32
        a = ((a - c) & M32) ^ rotated(c, 16)
        c = (c + b) & M32
        b = ((b - a) & M32) ^ rotated(a, 19)
        a = (a + c) & M32
        c = ((c - b) & M32) ^ rotated(b, 4)
        b = (b + a) & M32
        at += 12
    a = (a + word_at(key, at, size)) & M32
    b = (b + word_at(key, at + 4, size)) & M32
    c = (c + word_at(key, at + 8, size)) & M32
    c = ((c ^ b) - rotated(b, 14)) & M32
    a = ((a ^ c) - rotated(c, 11)) & M32
    b = ((b ^ a) - rotated(a, 25)) & M32
    c = ((c ^ b) - rotated(b, 16)) & M32
    a = ((a ^ c) - rotated(c, 4)) & M32
    b = ((b ^ a) - rotated(a, 14)) & M32
    return ((c ^ b) - rotated(b, 24)) & M32


class BloomFilter(Map):
    """A set of bits; threads that add at once lose nothing, for bits are set one by one."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self.hashes = spec.map_extra & 0xF or DEFAULT_HASHES
        bits = bits_for(int(self.max_entries), int(self.hashes))
        self.mask = bits - 1
        self._slab = Slab(bits // 8)
        self.bits = self._slab.address

    def push_elem(self, value: int, flags: int) -> int:
        """Add the value."""
        if flags:
            return EINVAL
        one = 1
        seed = 0
        while seed < self.hashes:
            bit = jenkins(value, self.value_size, seed) & self.mask
            or64(self.bits + (bit >> 6 << 3), one << (bit & 63))
            seed += 1
        return 0

    def peek_elem(self, out: int) -> int:
        """0 when the value at ``out`` was probably added, else -ENOENT."""
        seed = 0
        while seed < self.hashes:
            bit = jenkins(out, self.value_size, seed) & self.mask
            if not (ld64(self.bits + (bit >> 6 << 3)) >> (bit & 63)) & 1:
                return ENOENT
            seed += 1
        return 0

    def pop_elem(self, out: int) -> int:
        """What went in stays in."""
        return EOPNOTSUPP

    def put_elem(self, key: int, value: int, flags: int, cpu: int) -> int:
        """There are no keys."""
        return EINVAL

    def drop_elem(self, key: int) -> int:
        """What went in stays in."""
        return EOPNOTSUPP

    def next_elem(self, key: int, out: int) -> int:
        """There are no keys."""
        return EOPNOTSUPP

    def put_value(self, key: int, value: int, flags: int) -> int:
        """bpf(2) adds."""
        return self.push(value, flags)

    def copy_value(self, key: int) -> bytes | int:
        """bpf(2) reads the value from its caller: see ``commands.lookup_elem``."""
        return EINVAL

    def __len__(self) -> int:
        return 0
