"""What tnum and ranges taught each other before Linux 6.8: the 32-bit and the 64-bit ranges only through the tnum.

Feature ``deduce-across-widths`` chooses between this and ``bounds.py``.  As there, the functions change the register,
which must be the caller's own.  Nothing checks the outcome: a branch that can't be taken leaves ranges that end before
they begin, and they are kept.  (``reg_bounds_sync``, ``__reg_combine_64_into_32`` and neighbours in
kernel/bpf/verifier.c, Linux 6.1.)
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.verifier.consts import S32_MAX, S32_MIN, S64_MAX, S64_MIN, U32_MAX, U64_MAX
    from osmia.verifier.regs import Reg
    from osmia.verifier.tnum import tnum_cast, tnum_intersect, tnum_range
    from osmia.words import s32, s64


def sync_apart(reg: Reg, whole: bool) -> None:
    """One round: from the tnum, between the signs, into the tnum, from the tnum.

    ``whole``: what the 64-bit range says of the tnum holds for its low half, too (feature ``low-tnum-of-whole``).
    """
    ranges_from_tnum(reg)
    deduce_signs32(reg)
    deduce_signs64(reg)
    value, mask = tnum_range(reg.umin, reg.umax)
    value, mask = tnum_intersect(reg.value, reg.mask, value, mask)
    low_value, low_mask = tnum_range(reg.u32_min, reg.u32_max)
    known, unknown = (value, mask) if whole else (reg.value, reg.mask)
    low_value, low_mask = tnum_intersect(known & U32_MAX, unknown & U32_MAX, low_value, low_mask)
    reg.value, reg.mask = (value >> 32) << 32 | low_value, (mask >> 32) << 32 | low_mask
    ranges_from_tnum(reg)


def ranges_from_tnum(reg: Reg) -> None:
    """The least and greatest value with the tnum's bits, of the whole and of the low half."""
    value, mask = reg.value & U32_MAX, reg.mask & U32_MAX
    sign = U32_MAX ^ (U32_MAX >> 1)
    reg.s32_min = max(reg.s32_min, s32(value | mask & sign))
    reg.s32_max = min(reg.s32_max, s32(value | mask & (sign - 1)))
    reg.u32_min = max(reg.u32_min, value)
    reg.u32_max = min(reg.u32_max, value | mask)
    value, mask = reg.value, reg.mask
    sign = U64_MAX ^ (U64_MAX >> 1)
    reg.smin = max(reg.smin, s64(value | mask & sign))
    reg.smax = min(reg.smax, s64(value | mask & (sign - 1)))
    reg.umin = max(reg.umin, value)
    reg.umax = min(reg.umax, value | mask)


def deduce_signs32(reg: Reg) -> None:
    """A range of the low half that stays on one side of the sign is the same signed and unsigned."""
    if reg.s32_min >= 0 or reg.s32_max < 0:
        low, high = max(reg.s32_min & U32_MAX, reg.u32_min), min(reg.s32_max & U32_MAX, reg.u32_max)
        reg.u32_min, reg.u32_max = low, high
        reg.s32_min, reg.s32_max = s32(low), s32(high)
    elif s32(reg.u32_max) >= 0:
        reg.s32_min = s32(reg.u32_min)
        reg.u32_max = min(reg.s32_max & U32_MAX, reg.u32_max)
        reg.s32_max = s32(reg.u32_max)
    elif s32(reg.u32_min) < 0:
        reg.u32_min = max(reg.s32_min & U32_MAX, reg.u32_min)
        reg.s32_min = s32(reg.u32_min)
        reg.s32_max = s32(reg.u32_max)


def deduce_signs64(reg: Reg) -> None:
    """The same of all 64 bits."""
    if reg.smin >= 0 or reg.smax < 0:
        low, high = max(reg.smin & U64_MAX, reg.umin), min(reg.smax & U64_MAX, reg.umax)
        reg.umin, reg.umax = low, high
        reg.smin, reg.smax = s64(low), s64(high)
    elif s64(reg.umax) >= 0:
        reg.smin = s64(reg.umin)
        reg.umax = min(reg.smax & U64_MAX, reg.umax)
        reg.smax = s64(reg.umax)
    elif s64(reg.umin) < 0:
        reg.umin = max(reg.smin & U64_MAX, reg.umin)
        reg.smin = s64(reg.umin)
        reg.smax = s64(reg.umax)


def combine_64_into_32(reg: Reg, whole: bool) -> None:
    """After a 64-bit comparison: the low half's ranges are those of the whole where it fits, else the tnum's."""
    fits_signed = S32_MIN <= reg.smin <= S32_MAX and S32_MIN <= reg.smax <= S32_MAX
    reg.s32_min, reg.s32_max = S32_MIN, S32_MAX
    if fits_signed:
        reg.s32_min, reg.s32_max = reg.smin, reg.smax
    reg.u32_min, reg.u32_max = 0, U32_MAX
    if reg.umin <= U32_MAX and reg.umax <= U32_MAX:
        reg.u32_min, reg.u32_max = reg.umin, reg.umax
    sync_apart(reg, whole)


def combine_32_into_64(reg: Reg, whole: bool) -> None:
    """After a 32-bit comparison: the whole's ranges are the low half's if the upper one is 0, else the tnum's."""
    if (reg.value | reg.mask) >> 32 == 0:
        reg.umin, reg.umax = reg.u32_min, reg.u32_max
        if reg.s32_min >= 0 and reg.s32_max >= 0:
            reg.smin, reg.smax = reg.s32_min, reg.s32_max
        else:
            reg.smin, reg.smax = 0, s64(U32_MAX)
    else:
        reg.smin, reg.smax, reg.umin, reg.umax = S64_MIN, S64_MAX, 0, U64_MAX
    sync_apart(reg, whole)


def cut_to_size(reg: Reg, size: int) -> None:
    """Tnum and 64-bit ranges of the low ``size`` bytes (1, 2 or 4), zero extended: what all kernels agree on."""
    keep = U64_MAX >> (64 - 8 * size)
    reg.value, reg.mask = tnum_cast(reg.value, reg.mask, size)
    if reg.umin & (keep ^ U64_MAX) == reg.umax & (keep ^ U64_MAX):
        reg.umin &= keep
        reg.umax &= keep
    else:
        reg.umin, reg.umax = 0, keep
    reg.smin, reg.smax = s64(reg.umin), s64(reg.umax)


def coerce_apart(reg: Reg, size: int, whole: bool) -> None:
    """The value is its low ``size`` bytes (1, 2 or 4), zero extended; of 4, the low half's ranges stay as they are."""
    cut_to_size(reg, size)
    if size < 4:
        combine_64_into_32(reg, whole)
