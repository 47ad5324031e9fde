"""Tristate numbers: what is known of a value's bits, as a pair (value, mask) of u64.

A bit set in the mask is unknown, and clear in the value.  Every operation returns a tnum that holds the result of each
pair of concrete operands; how tight it is, is part of the verdict, so these are the algorithms of Linux 6.18
(kernel/bpf/tnum.c; the addition after Vishwanathan et al., "Sound, Precise, and Fast Abstract Interpretation with
Tristate Numbers", the multiplication by union of partial sums is new in 6.18).
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.verifier.consts import U32_MAX, U64_MAX
    from osmia.words import s32, s64, swap16, swap32, swap64


def fill_down(x: int) -> int:
    """Every bit from the highest one of a u64 downwards."""
    x |= x >> 1
    x |= x >> 2
    x |= x >> 4
    x |= x >> 8
    x |= x >> 16
    return x | x >> 32


def tnum_range(low: int, high: int) -> tuple[int, int]:
    """The tightest tnum around the values low to high (u64): their common leading bits."""
    spread = fill_down(low ^ high)
    return low & (spread ^ U64_MAX), spread


def tnum_lshift(v: int, m: int, shift: int) -> tuple[int, int]:
    """Shifted left; the shift is below 64."""
    return (v << shift) & U64_MAX, (m << shift) & U64_MAX


def tnum_rshift(v: int, m: int, shift: int) -> tuple[int, int]:
    """Shifted right; the shift is below 64."""
    return v >> shift, m >> shift


def tnum_arshift(v: int, m: int, shift: int, bits: int) -> tuple[int, int]:
    """Shifted right with the sign bit of a 32- or 64-bit number, known or not."""
    if bits == 32:
        return (s32(v) >> shift) & U32_MAX, (s32(m) >> shift) & U32_MAX
    return (s64(v) >> shift) & U64_MAX, (s64(m) >> shift) & U64_MAX


def tnum_add(av: int, am: int, bv: int, bm: int) -> tuple[int, int]:
    """The sum: unknown where an operand is, or where a carry may or may not arrive."""
    least = (av + bv) & U64_MAX
    most = (least + am + bm) & U64_MAX
    unknown = (least ^ most) | am | bm
    return least & (unknown ^ U64_MAX), unknown


def tnum_sub(av: int, am: int, bv: int, bm: int) -> tuple[int, int]:
    """The difference: unknown where an operand is, or where a borrow may or may not arrive."""
    base = (av - bv) & U64_MAX
    unknown = ((base + am) & U64_MAX) ^ ((base - bm) & U64_MAX) | am | bm
    return base & (unknown ^ U64_MAX), unknown


def tnum_and(av: int, am: int, bv: int, bm: int) -> tuple[int, int]:
    """Bitwise and."""
    ones = av & bv
    return ones, (av | am) & (bv | bm) & (ones ^ U64_MAX)


def tnum_or(av: int, am: int, bv: int, bm: int) -> tuple[int, int]:
    """Bitwise or."""
    ones = av | bv
    return ones, (am | bm) & (ones ^ U64_MAX)


def tnum_xor(av: int, am: int, bv: int, bm: int) -> tuple[int, int]:
    """Bitwise exclusive or."""
    unknown = am | bm
    return (av ^ bv) & (unknown ^ U64_MAX), unknown


def tnum_mul(av: int, am: int, bv: int, bm: int) -> tuple[int, int]:
    """The product, by long multiplication: an unknown bit of ``a`` keeps what both sums agree on."""
    if am == 0 and bm == 0:
        return (av * bv) & U64_MAX, 0
    v, m = 0, 0
    while av or am:
        if av & 1:
            v, m = tnum_add(v, m, bv, bm)
        elif am & 1:
            sum_v, sum_m = tnum_add(v, m, bv, bm)
            v, m = tnum_union(v, m, sum_v, sum_m)
        av, am = av >> 1, am >> 1
        bv, bm = (bv << 1) & U64_MAX, (bm << 1) & U64_MAX
    return v, m


def tnum_overlap(av: int, am: int, bv: int, bm: int) -> bool:
    """Do the two have a value in common?"""
    return ((av ^ bv) & ((am | bm) ^ U64_MAX)) == 0


def tnum_intersect(av: int, am: int, bv: int, bm: int) -> tuple[int, int]:
    """What both allow.  Where they contradict each other the bit is 1."""
    unknown = am & bm
    return (av | bv) & (unknown ^ U64_MAX), unknown


def tnum_union(av: int, am: int, bv: int, bm: int) -> tuple[int, int]:
    """The tightest tnum around both."""
    unknown = (av ^ bv) | am | bm
    return av & bv & (unknown ^ U64_MAX), unknown


def tnum_cast(v: int, m: int, size: int) -> tuple[int, int]:
    """The low ``size`` bytes (1, 2, 4 or 8), the rest zero."""
    keep = U64_MAX >> (64 - 8 * size)
    return v & keep, m & keep


def tnum_step(v: int, m: int, z: int) -> int:
    """The least value of the tnum above ``z``; its greatest value if there is none above."""
    greatest = v | m
    if z >= greatest:
        return greatest
    if z < v:
        return v
    above = z - v
    known = m ^ U64_MAX
    # count on: a carry runs through known bits, and through all bits below one that the mask can't make
    return v | ((above | fill_down(above & known) | known) + 1) & m


def tnum_bswap16(v: int, m: int) -> tuple[int, int]:
    """The low two bytes in the other order, the rest zero."""
    return swap16(v), swap16(m)


def tnum_bswap32(v: int, m: int) -> tuple[int, int]:
    """The low four bytes in the other order, the rest zero."""
    return swap32(v), swap32(m)


def tnum_bswap64(v: int, m: int) -> tuple[int, int]:
    """All bytes in the other order."""
    return swap64(v), swap64(m)


def tnum_with_subreg(v: int, m: int, low_v: int, low_m: int) -> tuple[int, int]:
    """Another low half under the same high half."""
    return (v >> 32) << 32 | low_v & U32_MAX, (m >> 32) << 32 | low_m & U32_MAX
