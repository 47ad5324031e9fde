"""What a register's tnum and its four ranges teach each other, and what narrowing and widening make of them.

All functions change the register they get, which must be the caller's own (``regs.py``).  The order of the deductions
and the number of rounds are those of Linux 6.18 (kernel/bpf/verifier.c, ``reg_bounds_sync`` and neighbours): a further
round may find more, and then the verdict would differ.
"""

from __future__ import annotations

from errno import EFAULT

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.verifier.arcs import deduce_arcs, half_arc, whole_arc
    from osmia.verifier.bounds_apart import coerce_apart, cut_to_size, sync_apart
    from osmia.verifier.consts import S32_MAX, S32_MIN, S64_MAX, S64_MIN, SCALAR_VALUE, U32_MAX, U64_MAX
    from osmia.verifier.env import Env
    from osmia.verifier.regs import Reg
    from osmia.verifier.tnum import tnum_intersect, tnum_range, tnum_step
    from osmia.words import s32, s64, sx8, sx16, sx32


def mark_reg_unbounded(reg: Reg) -> None:
    """Every range at its widest; the tnum stays."""
    mark_reg64_unbounded(reg)
    mark_reg32_unbounded(reg)


def mark_reg64_unbounded(reg: Reg) -> None:
    """The two 64-bit ranges at their widest."""
    reg.smin, reg.smax, reg.umin, reg.umax = S64_MIN, S64_MAX, 0, U64_MAX


def mark_reg32_unbounded(reg: Reg) -> None:
    """The two 32-bit ranges at their widest."""
    reg.s32_min, reg.s32_max, reg.u32_min, reg.u32_max = S32_MIN, S32_MAX, 0, U32_MAX


def mark_reg32_known(reg: Reg, value: int) -> None:
    """The low half is exactly ``value`` (u32)."""
    reg.value, reg.mask = (reg.value >> 32) << 32 | value, (reg.mask >> 32) << 32
    reg.u32_min = reg.u32_max = value
    reg.s32_min = reg.s32_max = s32(value)


def forget_identity(reg: Reg) -> None:
    """No offset, no ids, nothing that came with a type; the type itself and the value stay."""
    reg.off = reg.range = 0
    reg.map = reg.btf = None
    reg.map_uid = reg.btf_id = reg.mem_size = reg.dynptr_id = reg.subprogno = 0
    reg.dynptr_type = reg.iter_state = reg.irq_class = 0
    reg.iter_depth = 0
    reg.first_slot = False
    reg.id = reg.ref_obj_id = 0


def become_unknown(reg: Reg, precise: bool) -> None:
    """A scalar that may be anything (the kernel's ``__mark_reg_unknown``)."""
    forget_identity(reg)
    reg.type, reg.frameno, reg.precise = SCALAR_VALUE, 0, precise
    reg.value, reg.mask = 0, U64_MAX
    mark_reg_unbounded(reg)


def become_known(reg: Reg, value: int) -> None:
    """Exactly ``value`` (u64) and no identity; the type stays (the kernel's ``__mark_reg_known``)."""
    forget_identity(reg)
    set_const(reg, value)


def set_const(reg: Reg, value: int) -> None:
    """The tnum and all ranges are ``value`` (u64)."""
    reg.value, reg.mask = value, 0
    reg.umin = reg.umax = value
    reg.smin = reg.smax = s64(value)
    reg.u32_min = reg.u32_max = value & U32_MAX
    reg.s32_min = reg.s32_max = s32(value)


# -- the deductions


def update_reg_bounds(reg: Reg) -> None:
    """What the tnum says of the ranges: the least and greatest value with its bits."""
    update_reg32_bounds(reg)
    update_reg64_bounds(reg)


def update_reg64_bounds(reg: Reg) -> None:
    """The same for the 64-bit ranges alone; where range and tnum have one value in common, it is that."""
    sign = U64_MAX ^ (U64_MAX >> 1)
    greatest = reg.value | reg.mask
    reg.smin = max(reg.smin, s64(reg.value | reg.mask & sign))
    reg.smax = min(reg.smax, s64(reg.value | reg.mask & (sign - 1)))
    reg.umin = max(reg.umin, reg.value)
    reg.umax = min(reg.umax, greatest)
    after = tnum_step(reg.value, reg.mask, reg.umin)
    if reg.umin & (reg.mask ^ U64_MAX) == reg.value:
        if after > reg.umax:
            set_const(reg, reg.umin)
    elif after == greatest or (after <= reg.umax and tnum_step(reg.value, reg.mask, after) > reg.umax):
        set_const(reg, after)


def update_reg32_bounds(reg: Reg) -> None:
    """What the low half of the tnum says of the 32-bit ranges."""
    value, mask = reg.value & U32_MAX, reg.mask & U32_MAX
    sign = U32_MAX ^ (U32_MAX >> 1)
    reg.s32_min = max(reg.s32_min, s32(value | mask & sign))
    reg.s32_max = min(reg.s32_max, s32(value | mask & (sign - 1)))
    reg.u32_min = max(reg.u32_min, value)
    reg.u32_max = min(reg.u32_max, value | mask)


def deduce_32_from_64(reg: Reg) -> None:
    """What the 64-bit ranges say of the low half, where their upper half is one value or two neighbours."""
    low, high = reg.umin, reg.umax
    low_s32, high_s32 = s32(low), s32(high)
    if low >> 32 == high >> 32:
        narrow_u32(reg, low & U32_MAX, high & U32_MAX)
        if low_s32 <= high_s32:
            narrow_s32(reg, low_s32, high_s32)
    elif ((low >> 32) + 1) & U32_MAX == high >> 32 and low_s32 < 0 <= high_s32:
        narrow_s32(reg, low_s32, high_s32)
    low, high = reg.smin & U64_MAX, reg.smax & U64_MAX
    low_s32, high_s32 = s32(low), s32(high)
    if low >> 32 == high >> 32:
        if low & U32_MAX <= high & U32_MAX:
            narrow_u32(reg, low & U32_MAX, high & U32_MAX)
        if low_s32 <= high_s32:
            narrow_s32(reg, low_s32, high_s32)
    elif ((low >> 32) + 1) & U32_MAX == high >> 32 and low_s32 < 0 <= high_s32:
        narrow_s32(reg, low_s32, high_s32)


def deduce_32(reg: Reg) -> None:
    """What the signed and the unsigned 32-bit range say of each other, where they don't cross the other's edge.

    A signed range around zero is two pieces of the unsigned one; where only one of them is possible, it is cut to that.
    """
    low_s32, high_s32 = s32(reg.u32_min), s32(reg.u32_max)
    if low_s32 <= high_s32:
        narrow_s32(reg, low_s32, high_s32)
    low, high = reg.s32_min & U32_MAX, reg.s32_max & U32_MAX
    if low <= high:
        narrow_u32(reg, low, high)
    elif reg.u32_max < low:
        reg.s32_min = s32(reg.u32_min)
        reg.u32_max = min(reg.u32_max, high)
    elif high < reg.u32_min:
        reg.s32_max = s32(reg.u32_max)
        reg.u32_min = max(reg.u32_min, low)


def deduce_64(reg: Reg) -> None:
    """The same for the 64-bit ranges."""
    low_s64, high_s64 = s64(reg.umin), s64(reg.umax)
    if low_s64 <= high_s64:
        reg.smin = max(reg.smin, low_s64)
        reg.smax = min(reg.smax, high_s64)
    low, high = reg.smin & U64_MAX, reg.smax & U64_MAX
    if low <= high:
        reg.umin = max(reg.umin, low)
        reg.umax = min(reg.umax, high)
    elif reg.umax < low:
        reg.smin = s64(reg.umin)
        reg.umax = min(reg.umax, high)
    elif high < reg.umin:
        reg.smax = s64(reg.umax)
        reg.umin = max(reg.umin, low)


def deduce_64_from_32(reg: Reg) -> None:
    """What the low half's ranges say of the ends of the 64-bit ones."""
    reg.umin = max(reg.umin, (reg.umin >> 32) << 32 | reg.u32_min)
    reg.umax = min(reg.umax, (reg.umax >> 32) << 32 | reg.u32_max)
    low_s64 = s64(((reg.smin & U64_MAX) >> 32) << 32 | reg.u32_min)
    high_s64 = s64(((reg.smax & U64_MAX) >> 32) << 32 | reg.u32_max)
    reg.smin = max(reg.smin, low_s64)
    reg.smax = min(reg.smax, high_s64)
    if reg.s32_min >= 0 and reg.smin >= S32_MIN and reg.smax <= S32_MAX:
        # sign extended from 32 bits, and the low half is not negative: so the whole isn't
        reg.smin, reg.smax = reg.s32_min, reg.s32_max
        reg.umin, reg.umax = reg.s32_min & U64_MAX, reg.s32_max & U64_MAX
        value, mask = tnum_range(reg.umin, reg.umax)
        reg.value, reg.mask = tnum_intersect(reg.value, reg.mask, value, mask)


def narrow_u32(reg: Reg, low: int, high: int) -> None:
    """Cut the unsigned 32-bit range to low … high."""
    reg.u32_min = max(reg.u32_min, low)
    reg.u32_max = min(reg.u32_max, high)


def narrow_s32(reg: Reg, low: int, high: int) -> None:
    """Cut the signed 32-bit range to low … high."""
    reg.s32_min = max(reg.s32_min, low)
    reg.s32_max = min(reg.s32_max, high)


def reg_bound_offset(reg: Reg) -> None:
    """What the unsigned ranges say of the tnum's leading bits, of the whole and of the low half."""
    value, mask = tnum_range(reg.umin, reg.umax)
    value, mask = tnum_intersect(reg.value, reg.mask, value, mask)
    low_value, low_mask = tnum_range(reg.u32_min, reg.u32_max)
    low_value, low_mask = tnum_intersect(value & U32_MAX, mask & U32_MAX, low_value, low_mask)
    reg.value, reg.mask = (value >> 32) << 32 | low_value, (mask >> 32) << 32 | low_mask


def reg_bounds_sync(env: Env, reg: Reg) -> None:
    """Let the tnum and the ranges teach each other all that the kernel has them learn."""
    if not is_settled_const(reg):
        if env.rules.arcs:
            deduce_arcs(reg)
        elif env.rules.deduce_across_widths:
            deduce_all(reg)
        else:
            sync_apart(reg, env.rules.low_tnum_of_whole)


def deduce_all(reg: Reg) -> None:
    """What Linux 6.18 deduces."""
    update_reg_bounds(reg)
    for _ in range(3):
        if not deduce_bounds(reg):
            break  # nor would the next round
    reg_bound_offset(reg)
    update_reg_bounds(reg)


def deduce_bounds(reg: Reg) -> bool:
    """One round of deductions between the ranges.  Did one of them change?"""
    smin, smax, umin, umax = reg.smin, reg.smax, reg.umin, reg.umax
    s32_min, s32_max, u32_min, u32_max = reg.s32_min, reg.s32_max, reg.u32_min, reg.u32_max
    deduce_32_from_64(reg)
    deduce_32(reg)
    deduce_64(reg)
    deduce_64_from_32(reg)
    return (
        smin != reg.smin or smax != reg.smax or umin != reg.umin or umax != reg.umax
        or s32_min != reg.s32_min or s32_max != reg.s32_max or u32_min != reg.u32_min or u32_max != reg.u32_max
    )  # fmt: skip


def is_settled_const(reg: Reg) -> bool:
    """Do the tnum and all ranges say the same single value?"""
    value = reg.value
    return (
        reg.mask == 0 and reg.umin == value and reg.umax == value
        and reg.smin == s64(value) and reg.smax == s64(value)
        and reg.u32_min == value & U32_MAX and reg.u32_max == value & U32_MAX
        and reg.s32_min == s32(value) and reg.s32_max == s32(value)
    )  # fmt: skip


# -- invariants


def range_bounds_violation(reg: Reg) -> bool:
    """Is one of the ranges empty?  Only a branch that can't be taken leads to this."""
    return reg.umin > reg.umax or reg.smin > reg.smax or reg.u32_min > reg.u32_max or reg.s32_min > reg.s32_max


def const_out_of_sync(reg: Reg) -> bool:
    """Is the tnum one value, and a 64-bit range another?"""
    value = reg.value
    return reg.mask == 0 and (
        reg.umin != value or reg.umax != value or reg.smin != s64(value) or reg.smax != s64(value)
    )  # fmt: skip


def const_subreg_out_of_sync(reg: Reg) -> bool:
    """The same for the low half."""
    value = reg.value & U32_MAX
    return reg.mask & U32_MAX == 0 and (
        reg.u32_min != value or reg.u32_max != value or reg.s32_min != s32(value) or reg.s32_max != s32(value)
    )


def reg_bounds_sane(reg: Reg) -> bool:
    """Would ``reg_bounds_sanity_check`` leave the register as it is?"""
    return not (range_bounds_violation(reg) or const_out_of_sync(reg) or const_subreg_out_of_sync(reg))


def reg_bounds_sanity_check(env: Env, reg: Reg, ctx: str) -> None:
    """Say so and forget all ranges when they contradict each other.  ``ctx`` names the place for the log.

    Raises Rejected (EFAULT) if the program was loaded with BPF_F_TEST_REG_INVARIANTS.
    """
    if reg_bounds_sane(reg) or not env.rules.register_invariants:
        return
    if range_bounds_violation(reg):
        what = "range bounds violation"
    elif const_out_of_sync(reg):
        what = "const tnum out of sync with range bounds"
    else:
        what = "const subreg tnum out of sync with range bounds"
    text = (
        f"verifier bug: REG INVARIANTS VIOLATION ({ctx}): {what} u64=[{reg.umin:#x}, {reg.umax:#x}] "
        f"s64=[{reg.smin & U64_MAX:#x}, {reg.smax & U64_MAX:#x}] u32=[{reg.u32_min:#x}, {reg.u32_max:#x}] "
        f"s32=[{reg.s32_min & U32_MAX:#x}, {reg.s32_max & U32_MAX:#x}] var_off=({reg.value:#x}, {reg.mask:#x})\n"
    )
    if env.rules.arcs:
        base, size = whole_arc(reg)
        base32, size32 = half_arc(reg)
        text = (
            f"verifier bug: REG INVARIANTS VIOLATION ({ctx}): {what} r64={{.base={base:#x}, .size={size:#x}}} "
            f"r32={{.base={base32:#x}, .size={size32:#x}}} var_off=({reg.value:#x}, {reg.mask:#x})\n"
        )
    if env.test_reg_invariants:
        raise env.reject(EFAULT, "register-invariants", text)
    env.say(text)
    mark_reg_unbounded(reg)


# -- other widths


def zext_32_to_64(reg: Reg) -> None:
    """The value is the low half, zero extended."""
    reg.value &= U32_MAX
    reg.mask &= U32_MAX
    reg.umin, reg.umax = reg.u32_min, reg.u32_max
    if reg.s32_min >= 0 and reg.s32_max >= 0:
        reg.smin, reg.smax = reg.s32_min, reg.s32_max
    else:
        reg.smin, reg.smax = 0, s64(U32_MAX)


def coerce_reg_to_size(env: Env | None, reg: Reg, size: int) -> None:
    """The value is its low ``size`` bytes (1, 2 or 4), zero extended.

    Without ``env`` nothing else may be known of it: all kernels agree then.
    """
    if env is not None and not env.rules.deduce_across_widths:
        coerce_apart(reg, size, env.rules.low_tnum_of_whole)
        return
    cut_to_size(reg, size)
    if size < 4:
        mark_reg32_unbounded(reg)
    if env is not None:
        reg_bounds_sync(env, reg)
    else:
        deduce_all(reg)


def sign_extended(value: int, size: int) -> int:
    """The low 1, 2 or 4 bytes of a u64, sign extended to 64 bits."""
    if size == 1:
        return sx8(value)
    return sx16(value) if size == 2 else sx32(value)


def coerce_reg_to_size_sx(reg: Reg, size: int) -> None:
    """The value is its low ``size`` bytes (1, 2 or 4), sign extended to 64 bits."""
    bits = 8 * size
    low, high = reg.smin & U64_MAX, reg.smax & U64_MAX
    one_block = low >> bits == high >> bits
    if reg.mask == 0:
        low = high = reg.value
    low, high = sign_extended(low, size), sign_extended(high, size)
    low_s64, high_s64 = min(s64(low), s64(high)), max(s64(low), s64(high))
    if reg.mask == 0 or (one_block and (low_s64 < 0) == (high_s64 < 0)):
        reg.value, reg.mask = tnum_range(low_s64 & U64_MAX, high_s64 & U64_MAX)
    else:
        high_s64 = s64(U64_MAX >> (65 - bits))
        low_s64 = -high_s64 - 1
        reg.value, reg.mask = 0, U64_MAX
    reg.smin, reg.smax = low_s64, high_s64
    reg.s32_min, reg.s32_max = low_s64, high_s64
    if reg.mask == U64_MAX:
        reg.umin, reg.umax, reg.u32_min, reg.u32_max = 0, U64_MAX, 0, U32_MAX
    else:
        reg.umin, reg.umax = low_s64 & U64_MAX, high_s64 & U64_MAX
        reg.u32_min, reg.u32_max = reg.umin & U32_MAX, reg.umax & U32_MAX


def coerce_subreg_to_size_sx(reg: Reg, size: int) -> None:
    """The low half is its low ``size`` bytes (1 or 2), sign extended to 32 bits; the caller extends that with zeros."""
    bits = 8 * size
    low, high = reg.s32_min & U32_MAX, reg.s32_max & U32_MAX
    one_block = low >> bits == high >> bits
    if reg.mask == 0:
        low = high = reg.value
    low, high = sign_extended(low, size), sign_extended(high, size)
    low_s32, high_s32 = min(s64(low), s64(high)), max(s64(low), s64(high))
    if reg.mask == 0 or (one_block and (low_s32 < 0) == (high_s32 < 0)):
        reg.value, reg.mask = tnum_range(low_s32 & U64_MAX, high_s32 & U64_MAX)
        reg.value &= U32_MAX
        reg.mask &= U32_MAX
        reg.u32_min, reg.u32_max = low_s32 & U32_MAX, high_s32 & U32_MAX
    else:
        high_s32 = s64(U64_MAX >> (65 - bits))
        low_s32 = -high_s32 - 1
        reg.value, reg.mask = 0, U32_MAX
        reg.u32_min, reg.u32_max = 0, U32_MAX
    reg.s32_min, reg.s32_max = low_s32, high_s32
