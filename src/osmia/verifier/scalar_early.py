"""Arithmetic on ranges as kernels before Linux 6.18 did it: the operations that later learned more.

The features of the table choose between these and the functions of ``scalar.py``.  They change ``dst``, which must be
the caller's own.  (``scalar_min_max_add`` and neighbours in kernel/bpf/verifier.c, Linux 6.1; ``tnum_mul`` in
kernel/bpf/tnum.c, after Vishwanathan et al.)
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.isa.consts import BPF_AND, BPF_OR
    from osmia.verifier.bounds import forget_identity, mark_reg32_known, set_const
    from osmia.verifier.bounds_apart import ranges_from_tnum
    from osmia.verifier.consts import S32_MAX, S32_MIN, S64_MAX, S64_MIN, U32_MAX, U64_MAX
    from osmia.verifier.regs import Reg
    from osmia.verifier.tnum import tnum_add
    from osmia.words import s32, s64


def add_unsigned_early(dst: Reg, umin: int, umax: int, u32_min: int, u32_max: int) -> None:
    """The unsigned ranges ``umin`` … of ``dst`` before the addition, which is done: one that may wrap is lost."""
    if dst.umin < umin or dst.umax < umax:
        dst.umin, dst.umax = 0, U64_MAX
    if dst.u32_min < u32_min or dst.u32_max < u32_max:
        dst.u32_min, dst.u32_max = 0, U32_MAX


def sub_unsigned_early(dst: Reg, umin: int, u32_min: int, src: Reg) -> None:
    """The same after the subtraction of ``src``; ``umin`` and ``u32_min`` are from before."""
    if umin < src.umax:
        dst.umin, dst.umax = 0, U64_MAX
    if u32_min < src.u32_max:
        dst.u32_min, dst.u32_max = 0, U32_MAX


def mul_early(dst: Reg, src: Reg) -> None:
    """Multiply the ranges of numbers that are not negative and fit into half the width; all others are lost."""
    half = U32_MAX >> 16
    if src.s32_min < 0 or dst.s32_min < 0 or src.u32_max > half or dst.u32_max > half:
        dst.s32_min, dst.s32_max, dst.u32_min, dst.u32_max = S32_MIN, S32_MAX, 0, U32_MAX
    else:
        dst.u32_min, dst.u32_max = dst.u32_min * src.u32_min, dst.u32_max * src.u32_max
        dst.s32_min, dst.s32_max = S32_MIN, S32_MAX
        if s32(dst.u32_max) >= 0:
            dst.s32_min, dst.s32_max = s32(dst.u32_min), s32(dst.u32_max)
    if src.smin < 0 or dst.smin < 0 or src.umax > U32_MAX or dst.umax > U32_MAX:
        dst.smin, dst.smax, dst.umin, dst.umax = S64_MIN, S64_MAX, 0, U64_MAX
    else:
        dst.umin, dst.umax = dst.umin * src.umin, dst.umax * src.umax
        dst.smin, dst.smax = S64_MIN, S64_MAX
        if s64(dst.umax) >= 0:
            dst.smin, dst.smax = s64(dst.umin), s64(dst.umax)


def tnum_mul_early(av: int, am: int, bv: int, bm: int) -> tuple[int, int]:
    """The product: that of the known bits, and around it whatever an unknown bit of either may add."""
    known = (av * bv) & U64_MAX
    v, m = 0, 0
    while av or am:
        if av & 1:
            v, m = tnum_add(v, m, 0, bm)
        elif am & 1:
            v, m = tnum_add(v, m, 0, bv | bm)
        av, am = av >> 1, am >> 1
        bv, bm = (bv << 1) & U64_MAX, (bm << 1) & U64_MAX
    return tnum_add(known, 0, v, m)


def bits_early(op: int, dst: Reg, src: Reg) -> None:
    """And, or, exclusive or: ranges with a sign only of two numbers that are not negative.  The tnum is done."""
    value, mask = dst.value & U32_MAX, dst.mask & U32_MAX
    if mask == 0 and src.mask & U32_MAX == 0:
        mark_reg32_known(dst, value)
    else:
        if op == BPF_AND:
            dst.u32_min, dst.u32_max = value, min(dst.u32_max, src.u32_max)
        elif op == BPF_OR:
            dst.u32_min, dst.u32_max = max(dst.u32_min, src.u32_min), value | mask
        else:
            dst.u32_min, dst.u32_max = value, value | mask
        if dst.s32_min >= 0 and src.s32_min >= 0:
            dst.s32_min, dst.s32_max = s32(dst.u32_min), s32(dst.u32_max)
        else:
            dst.s32_min, dst.s32_max = S32_MIN, S32_MAX
    value, mask = dst.value, dst.mask
    if mask == 0 and src.mask == 0:
        forget_identity(dst)
        set_const(dst, value)
        return
    if op == BPF_AND:
        dst.umin, dst.umax = value, min(dst.umax, src.umax)
    elif op == BPF_OR:
        dst.umin, dst.umax = max(dst.umin, src.umin), value | mask
    else:
        dst.umin, dst.umax = value, value | mask
    if dst.smin >= 0 and src.smin >= 0:
        dst.smin, dst.smax = s64(dst.umin), s64(dst.umax)
    else:
        dst.smin, dst.smax = S64_MIN, S64_MAX
    ranges_from_tnum(dst)


def signs_of_shift_32(dst: Reg) -> None:
    """The signed range of a number that is about to be shifted left by 32: of an end that is not negative."""
    dst.smin = s64((dst.s32_min & U32_MAX) << 32) if dst.s32_min >= 0 else S64_MIN
    dst.smax = s64((dst.s32_max & U32_MAX) << 32) if dst.s32_max >= 0 else S64_MAX
