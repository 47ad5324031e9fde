"""Look-ups with keys of 4, 8 and 16 bytes, in one piece: what the handles of such hash maps name as ``lookup``.

They find what ``Table.find`` finds (the reasons why that needs no lock are there); the key is in registers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

try:
    import cython
except ImportError:
    from osmia._cy import cython
if not cython.compiled:
    from osmia.maps.buckets import BUCKET, LEFT
    from osmia.maps.nodes import touch
    from osmia.maps.pool import HASH, HEADER, LIVE, NUMBER
    from osmia.raw import ld32, ld64, load32, load64

if TYPE_CHECKING:
    from osmia.maps.lru import LruHash, LruPercpuHash
    from osmia.maps.table import Table


def find_word(m: Table, word: int, size: int) -> int:
    """The element of a key of up to eight bytes, zeros behind it as there are in elements; or 0."""
    mix = 0x9E3779B97F4A7C15  # see keys.hash_of
    M32 = 0xFFFFFFFF
    M64 = 0xFFFFFFFFFFFFFFFF
    h = ((size ^ word) * mix) & M64
    h ^= h >> 29
    h = ((h ^ (h >> 32)) & M32) | LIVE
    bucket = m.buckets + BUCKET * (h & m.mask)
    while True:
        left = load32(bucket + LEFT)
        element = load64(bucket)
        while element:
            if load32(element + HASH) == h and ld64(element + HEADER) == word:
                return element
            element = load64(element)
        if load32(bucket + LEFT) == left:
            return 0


def find_pair(m: Table, one: int, two: int) -> int:
    """The element of a key of sixteen bytes, or 0."""
    mix = 0x9E3779B97F4A7C15
    M32 = 0xFFFFFFFF
    M64 = 0xFFFFFFFFFFFFFFFF
    h = ((16 ^ one) * mix) & M64
    h ^= h >> 29
    h = ((h ^ two) * mix) & M64
    h ^= h >> 29
    h = ((h ^ (h >> 32)) & M32) | LIVE
    bucket = m.buckets + BUCKET * (h & m.mask)
    while True:
        left = load32(bucket + LEFT)
        element = load64(bucket)
        while element:
            if load32(element + HASH) == h and ld64(element + HEADER) == one and ld64(element + HEADER + 8) == two:
                return element
            element = load64(element)
        if load32(bucket + LEFT) == left:
            return 0


def hash4(m: Table, key: int, cpu: int, c: int, d: int) -> int:
    """``lookup`` of ``hash`` maps with keys of four bytes."""
    element = find_word(m, ld32(key), 4)
    return element + HEADER + 8 if element else 0


def hash8(m: Table, key: int, cpu: int, c: int, d: int) -> int:
    """The same with eight."""
    element = find_word(m, ld64(key), 8)
    return element + HEADER + 8 if element else 0


def hash16(m: Table, key: int, cpu: int, c: int, d: int) -> int:
    """The same with sixteen."""
    element = find_pair(m, ld64(key), ld64(key + 8))
    return element + HEADER + 16 if element else 0


def value_in(m: Table, element: int, cpu: int) -> int:
    """This CPU's value of an element of a per-CPU map, or 0."""
    if not element or cpu >= m.copies:
        return 0
    return m.values_base + (cpu * m.capacity + ld32(element + NUMBER)) * m.value_stride


def percpu4(m: Table, key: int, cpu: int, c: int, d: int) -> int:
    """``lookup`` of ``percpu_hash`` maps with keys of four bytes."""
    return value_in(m, find_word(m, ld32(key), 4), cpu)


def percpu8(m: Table, key: int, cpu: int, c: int, d: int) -> int:
    """The same with eight."""
    return value_in(m, find_word(m, ld64(key), 8), cpu)


def percpu16(m: Table, key: int, cpu: int, c: int, d: int) -> int:
    """The same with sixteen."""
    return value_in(m, find_pair(m, ld64(key), ld64(key + 8)), cpu)


def used(m: LruHash, element: int, size: int) -> int:
    """The value of an element with a key of that size (a multiple of eight), which counts as used."""
    if not element:
        return 0
    touch(m.nodes, ld32(element + NUMBER))
    return element + HEADER + size


def lru4(m: LruHash, key: int, cpu: int, c: int, d: int) -> int:
    """``lookup`` of ``lru_hash`` maps with keys of four bytes."""
    return used(m, find_word(m, ld32(key), 4), 8)


def lru8(m: LruHash, key: int, cpu: int, c: int, d: int) -> int:
    """The same with eight."""
    return used(m, find_word(m, ld64(key), 8), 8)


def lru16(m: LruHash, key: int, cpu: int, c: int, d: int) -> int:
    """The same with sixteen."""
    return used(m, find_pair(m, ld64(key), ld64(key + 8)), 16)


def used_in(m: LruPercpuHash, element: int, cpu: int) -> int:
    """This CPU's value of an element, which counts as used; or 0."""
    value = value_in(m, element, cpu)
    if value:
        touch(m.nodes, ld32(element + NUMBER))
    return value


def lru_percpu4(m: LruPercpuHash, key: int, cpu: int, c: int, d: int) -> int:
    """``lookup`` of ``lru_percpu_hash`` maps with keys of four bytes."""
    return used_in(m, find_word(m, ld32(key), 4), cpu)


def lru_percpu8(m: LruPercpuHash, key: int, cpu: int, c: int, d: int) -> int:
    """The same with eight."""
    return used_in(m, find_word(m, ld64(key), 8), cpu)


def lru_percpu16(m: LruPercpuHash, key: int, cpu: int, c: int, d: int) -> int:
    """The same with sixteen."""
    return used_in(m, find_pair(m, ld64(key), ld64(key + 8)), cpu)
