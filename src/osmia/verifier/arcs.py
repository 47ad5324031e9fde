"""What may be known of a number, as an arc on the circle of all numbers of its width: where it begins, and its size.

Linux 7.2 holds ranges so (kernel/bpf/cnum.c): an arc says at once what the signed and the unsigned range say, and more
follows from the low half for the whole.  A register keeps its four ranges here, too: they say the same as the arcs,
but for an arc across both 0 and the sign boundary, which is lost (docs/parity.md).

An arc is the pair (base, size); it holds size + 1 numbers.  ``top`` is the greatest number of the width.  The empty arc
is (top, top).
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.verifier.consts import S32_MAX, S32_MIN, S64_MAX, S64_MIN, U32_MAX, U64_MAX
    from osmia.verifier.regs import Reg
    from osmia.verifier.tnum import tnum_intersect, tnum_range, tnum_step
    from osmia.words import s32, s64


def wraps(base: int, size: int, top: int) -> bool:
    """Does the arc lead across the end of the unsigned numbers?"""
    return size > top - base


def holds(base: int, size: int, top: int, value: int) -> bool:
    """Is the value on the arc?"""
    return (value - base) & top <= size


def intersect(base: int, size: int, base2: int, size2: int, top: int) -> tuple[int, int]:
    """What two arcs have in common; where that is two pieces, the smaller of the two arcs."""
    if (base == top and size == top) or (base2 == top and size2 == top):
        return top, top
    if base > base2:
        base, size, base2, size2 = base2, size2, base, size
    away = base2 - base
    if wraps(away, size2, top):
        if away > size:
            return base, min(size, (away + size2) & top)
        if size <= size2:
            return base, size
        return base2, size2
    if size >= away:
        return base2, min(size - away, size2)
    return top, top


def whole_arc(reg: Reg) -> tuple[int, int]:
    """The arc that both 64-bit ranges allow."""
    if reg.umin > reg.umax or reg.smin > reg.smax:
        return U64_MAX, U64_MAX
    size = ((reg.smax & U64_MAX) - (reg.smin & U64_MAX)) & U64_MAX
    base = 0 if size == U64_MAX else reg.smin & U64_MAX
    return intersect(reg.umin, reg.umax - reg.umin, base, size, U64_MAX)


def half_arc(reg: Reg) -> tuple[int, int]:
    """The arc that both 32-bit ranges allow."""
    if reg.u32_min > reg.u32_max or reg.s32_min > reg.s32_max:
        return U32_MAX, U32_MAX
    size = ((reg.s32_max & U32_MAX) - (reg.s32_min & U32_MAX)) & U32_MAX
    base = 0 if size == U32_MAX else reg.s32_min & U32_MAX
    return intersect(reg.u32_min, reg.u32_max - reg.u32_min, base, size, U32_MAX)


def put_whole(reg: Reg, base: int, size: int) -> None:
    """Make the 64-bit ranges those of an arc."""
    last = (base + size) & U64_MAX
    if base == U64_MAX and size == U64_MAX:
        reg.umin, reg.umax, reg.smin, reg.smax = U64_MAX, 0, S64_MAX, S64_MIN
        return
    reg.umin, reg.umax = base, last
    if wraps(base, size, U64_MAX):
        reg.umin, reg.umax = 0, U64_MAX
    reg.smin, reg.smax = s64(base), s64(last)
    sign = U64_MAX ^ (U64_MAX >> 1)
    if holds(base, size, U64_MAX, sign) and holds(base, size, U64_MAX, sign - 1):
        reg.smin, reg.smax = S64_MIN, S64_MAX


def put_half(reg: Reg, base: int, size: int) -> None:
    """Make the 32-bit ranges those of an arc."""
    last = (base + size) & U32_MAX
    if base == U32_MAX and size == U32_MAX:
        reg.u32_min, reg.u32_max, reg.s32_min, reg.s32_max = U32_MAX, 0, S32_MAX, S32_MIN
        return
    reg.u32_min, reg.u32_max = base, last
    if wraps(base, size, U32_MAX):
        reg.u32_min, reg.u32_max = 0, U32_MAX
    reg.s32_min, reg.s32_max = s32(base), s32(last)
    sign = U32_MAX ^ (U32_MAX >> 1)
    if holds(base, size, U32_MAX, sign) and holds(base, size, U32_MAX, sign - 1):
        reg.s32_min, reg.s32_max = S32_MIN, S32_MAX


def of_tnum(value: int, mask: int, top: int) -> tuple[int, int]:
    """The arc around a tnum's values; around 0 when the sign is unknown."""
    sign = top ^ (top >> 1)
    if (value | mask) & sign == 0:
        return value, mask
    least = value | (mask & sign)
    size = ((value | (mask & (sign - 1))) - least) & top
    return (0 if size == top else least), size


def whole_from_half(base: int, size: int, base32: int, size32: int) -> tuple[int, int]:
    """The part of a 64-bit arc from the first to the last number whose low half lies on a 32-bit arc.

    Worked out as seen from the arc's beginning.
    """
    if (base == U64_MAX and size == U64_MAX) or (base32 == U32_MAX and size32 == U32_MAX):
        return U64_MAX, U64_MAX
    start = (base32 - base) & U32_MAX
    low = size & U32_MAX
    if wraps(start, size32, U32_MAX):
        end = (start + size32) & U32_MAX
        if end < low < start:
            size -= low - end
        return base, size
    if size < start:
        return U64_MAX, U64_MAX
    end = start + size32
    beyond = 0
    if low < start:
        beyond = low + (U32_MAX + 1) - end
    elif low >= end:
        beyond = low - end
    if size - start < beyond:
        return U64_MAX, U64_MAX
    return (base + start) & U64_MAX, size - start - beyond


def deduce_arcs(reg: Reg) -> None:
    """Let the tnum and the two arcs teach each other all that Linux 7.2 has them learn."""
    base, size = whole_arc(reg)
    base32, size32 = half_arc(reg)
    if (base == U64_MAX and size == U64_MAX) or (base32 == U32_MAX and size32 == U32_MAX):
        put_whole(reg, base, size)
        put_half(reg, base32, size32)
        return
    learn_from_tnum(reg, base, size, base32, size32)
    for _ in range(2):
        base, size = whole_arc(reg)
        base32, size32 = half_arc(reg)
        if (base != U64_MAX or size != U64_MAX) and size < U32_MAX:
            base32, size32 = intersect(base32, size32, base & U32_MAX, size, U32_MAX)
        base, size = whole_from_half(base, size, base32, size32)
        put_whole(reg, base, size)
        put_half(reg, base32, size32)
    learn_tnum(reg)
    learn_from_tnum(reg, base, size, base32, size32)


def learn_from_tnum(reg: Reg, base: int, size: int, base32: int, size32: int) -> None:
    """Cut both arcs to the tnum's; where the whole has one value in common with the tnum, it is that."""
    tbase, tsize = of_tnum(reg.value & U32_MAX, reg.mask & U32_MAX, U32_MAX)
    base32, size32 = intersect(base32, size32, tbase, tsize, U32_MAX)
    tbase, tsize = of_tnum(reg.value, reg.mask, U64_MAX)
    base, size = intersect(base, size, tbase, tsize, U64_MAX)
    put_whole(reg, base, size)
    put_half(reg, base32, size32)
    if base == U64_MAX and size == U64_MAX:
        reg.umin, reg.umax = 0, U64_MAX  # as the kernel reads the empty arc
    greatest = reg.value | reg.mask
    after = tnum_step(reg.value, reg.mask, reg.umin)
    if reg.umin & (reg.mask ^ U64_MAX) == reg.value:
        if after > reg.umax:
            settle(reg, reg.umin)
            return
    elif after == greatest or (after <= reg.umax and tnum_step(reg.value, reg.mask, after) > reg.umax):
        settle(reg, after)
        return
    put_whole(reg, base, size)


def settle(reg: Reg, value: int) -> None:
    """The number is this one."""
    reg.value, reg.mask = value, 0
    put_whole(reg, value, 0)
    put_half(reg, value & U32_MAX, 0)


def learn_tnum(reg: Reg) -> None:
    """What the unsigned ranges say of the tnum's leading bits, of the whole and of the low half."""
    value, mask = tnum_range(reg.umin, reg.umax)
    value, mask = tnum_intersect(reg.value, reg.mask, value, mask)
    low_value, low_mask = tnum_range(reg.u32_min, reg.u32_max)
    low_value, low_mask = tnum_intersect(value & U32_MAX, mask & U32_MAX, low_value, low_mask)
    reg.value, reg.mask = (value >> 32) << 32 | low_value, (mask >> 32) << 32 | low_mask


def add_arcs(dst: Reg, src: Reg, minus: bool) -> None:
    """``dst += src``, or ``-=``, of both arcs; the tnum stays."""
    base, size = whole_arc(dst)
    base2, size2 = whole_arc(src)
    if minus:
        base2 = (0 - base2 - size2) & U64_MAX
    base, size = sum_of(base, size, base2, size2, U64_MAX)
    put_whole(dst, base, size)
    base, size = half_arc(dst)
    base2, size2 = half_arc(src)
    if minus:
        base2 = (0 - base2 - size2) & U32_MAX
    base, size = sum_of(base, size, base2, size2, U32_MAX)
    put_half(dst, base, size)


def sum_of(base: int, size: int, base2: int, size2: int, top: int) -> tuple[int, int]:
    """The arc of all sums; the whole circle where it would meet itself."""
    if size >= top - size2:
        return 0, top
    return (base + base2) & top, size + size2
