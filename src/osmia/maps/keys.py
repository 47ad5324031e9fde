"""Keys in native memory: their hash, and whether two are the same."""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython
if not cython.compiled:
    from osmia.raw import ld8, ld32, ld64


def hash_of(key: int, size: int) -> int:
    """32 bits of hash over the key's bytes; the same on every run.  For compiled callers; see ``hash_key``.

    Each word is multiplied by 2**64 / golden ratio, which spreads its bits upwards, and a shift brings them down again.
    """
    mix = 0x9E3779B97F4A7C15
    M32 = 0xFFFFFFFF
    M64 = 0xFFFFFFFFFFFFFFFF
    h = size
    at = 0
    while at + 8 <= size:
        h = ((h ^ ld64(key + at)) * mix) & M64
        h ^= h >> 29
        at += 8
    if at + 4 <= size:
        h = ((h ^ ld32(key + at)) * mix) & M64
        h ^= h >> 29
        at += 4
    while at < size:
        h = ((h ^ ld8(key + at)) * mix) & M64
        h ^= h >> 29
        at += 1
    return (h ^ (h >> 32)) & M32


def same(a: int, b: int, size: int) -> bool:
    """memcmp == 0."""
    at = 0
    while at + 8 <= size:
        if ld64(a + at) != ld64(b + at):
            return False
        at += 8
    if at + 4 <= size:
        if ld32(a + at) != ld32(b + at):
            return False
        at += 4
    while at < size:
        if ld8(a + at) != ld8(b + at):
            return False
        at += 1
    return True


def hash_key(key: int, size: int) -> int:
    """``hash_of`` for Python."""
    return hash_of(key, size)
