"""What dividing a scalar by a known number leaves known: its ranges, unsigned or signed, in 64 bits or the low half.

Linux 7.0 and later (kernel/bpf/verifier.c, ``scalar_min_max_udiv`` and its neighbours).  Dividing by zero gives zero,
the remainder then is the dividend.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.verifier.bounds import mark_reg32_unbounded, mark_reg64_unbounded, set_const
    from osmia.verifier.consts import S32_MAX, S32_MIN, S64_MAX, S64_MIN, U64_MAX
    from osmia.verifier.regs import Reg


def divide(modulo: bool, by_sign: bool, alu32: bool, dst: Reg, src: Reg) -> None:
    """``dst /= src`` or ``dst %= src``; ``src`` is one value.  The caller deduces the rest."""
    if (src.u32_min if alu32 else src.umin) == 0:
        if not modulo:
            set_const(dst, 0)
    elif by_sign:
        if modulo:
            signed_remainder(alu32, dst, src.s32_min if alu32 else src.smin)
        else:
            signed_quotient(alu32, dst, src.s32_min if alu32 else src.smin)
    elif modulo:
        unsigned_remainder(alu32, dst, src.u32_min if alu32 else src.umin)
    elif alu32:
        set_unsigned(alu32, dst, dst.u32_min // src.u32_min, dst.u32_max // src.u32_min)
    else:
        set_unsigned(alu32, dst, dst.umin // src.umin, dst.umax // src.umin)


def set_unsigned(alu32: bool, dst: Reg, low: int, high: int) -> None:
    """Nothing is known but an unsigned range, of the low half or of all 64 bits."""
    mark_reg64_unbounded(dst)
    mark_reg32_unbounded(dst)
    dst.value, dst.mask = 0, U64_MAX
    if alu32:
        dst.u32_min, dst.u32_max = low, high
    else:
        dst.umin, dst.umax = low, high


def set_signed(alu32: bool, dst: Reg, low: int, high: int) -> None:
    """The same with a signed range."""
    mark_reg64_unbounded(dst)
    mark_reg32_unbounded(dst)
    dst.value, dst.mask = 0, U64_MAX
    if alu32:
        dst.s32_min, dst.s32_max = low, high
    else:
        dst.smin, dst.smax = low, high


def unsigned_remainder(alu32: bool, dst: Reg, divisor: int) -> None:
    """Below the divisor; a dividend that already is stays as it is."""
    high = dst.u32_max if alu32 else dst.umax
    if high >= divisor:
        set_unsigned(alu32, dst, 0, min(high, divisor - 1))


def signed_quotient(alu32: bool, dst: Reg, divisor: int) -> None:
    """Between the quotients of both ends.  The least number divided by -1 is itself, and then the order is lost."""
    low, high, least, most = dst.smin, dst.smax, S64_MIN, S64_MAX
    if alu32:
        low, high, least, most = dst.s32_min, dst.s32_max, S32_MIN, S32_MAX
    if low == least and divisor == -1:
        if high != least:
            high = most
    else:
        a, b = truncated(low, divisor), truncated(high, divisor)
        low, high = min(a, b), max(a, b)
    set_signed(alu32, dst, low, high)


def truncated(a: int, b: int) -> int:
    """The quotient of two s64, rounded towards zero; it fits."""
    size_a = (0 - (a & U64_MAX)) & U64_MAX if a < 0 else a & U64_MAX
    size_b = (0 - (b & U64_MAX)) & U64_MAX if b < 0 else b & U64_MAX
    size = size_a // size_b
    if (a < 0) == (b < 0):
        return size
    return -size if size <= S64_MAX & U64_MAX else S64_MIN


def signed_remainder(alu32: bool, dst: Reg, divisor: int) -> None:
    """Smaller than the divisor, with the dividend's sign; a dividend that already is smaller stays as it is."""
    low, high = dst.smin, dst.smax
    if alu32:
        low, high = dst.s32_min, dst.s32_max
    most = divisor - 1 if divisor > 0 else -(divisor + 1)
    if low >= -most and high <= most:
        return
    if low >= 0:
        set_signed(alu32, dst, 0, min(high, most))
    elif high <= 0:
        set_signed(alu32, dst, max(low, -most), 0)
    else:
        set_signed(alu32, dst, -most, most)
