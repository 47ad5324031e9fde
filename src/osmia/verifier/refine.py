"""What a comparison tells: which way it goes, and what each branch knows of the two values.

``opcode`` is the operation's high nibble (0x10 ``==`` …); 0x48 stands for "no common bit", the reverse of jset, which
no instruction has (``is_branch_taken``, ``reg_set_min_max`` and what they call, kernel/bpf/verifier.c, Linux 6.18).
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.verifier.bounds import range_bounds_violation, reg_bounds_sanity_check, reg_bounds_sync
    from osmia.verifier.consts import PTR_TO_PACKET_END, SCALAR_VALUE, U32_MAX, U64_MAX
    from osmia.verifier.env import Env
    from osmia.verifier.nulls import reg_is_pkt_pointer_any, reg_not_null
    from osmia.verifier.regs import Reg
    from osmia.verifier.tnum import tnum_intersect, tnum_overlap, tnum_with_subreg
    from osmia.words import s32, s64

    JEQ, JGT, JGE, JSET, JNE, JSGT, JSGE = 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70
    JLT, JLE, JSLT, JSLE, JCLEAR = 0xA0, 0xB0, 0xC0, 0xD0, 0x48
    AT_PKT_END, BEYOND_PKT_END = -1, -2


def is_reg_const(reg: Reg, subreg32: bool) -> bool:
    """Is it a scalar of one value, in its low half when ``subreg32``?"""
    return reg.type == SCALAR_VALUE and (reg.mask & (U32_MAX if subreg32 else U64_MAX)) == 0


def reg_const_value(reg: Reg, subreg32: bool) -> int:
    """That value (u64)."""
    return reg.value & (U32_MAX if subreg32 else U64_MAX)


def flip_opcode(opcode: int) -> int:
    """The operation with its two sides exchanged: ``a < b`` is ``b > a``."""
    if opcode == JGT or opcode == JGE or opcode == JLT or opcode == JLE:
        return opcode ^ (JGT ^ JLT)
    if opcode == JSGT or opcode == JSGE or opcode == JSLT or opcode == JSLE:
        return opcode ^ (JSGT ^ JSLT)
    return opcode


def rev_opcode(opcode: int) -> int:
    """The operation that holds where this one doesn't: ``a < b`` becomes ``a >= b``."""
    if opcode == JEQ or opcode == JNE:
        return opcode ^ (JEQ ^ JNE)
    if opcode == JSET or opcode == JCLEAR:
        return opcode ^ (JSET ^ JCLEAR)
    if opcode == JGT or opcode == JGE or opcode == JLT or opcode == JLE:
        return opcode ^ (JGT ^ JLE)
    return opcode ^ (JSGT ^ JSLE)


def is_branch_taken(reg1: Reg, reg2: Reg, opcode: int, is_jmp32: bool) -> int:
    """Does the jump always (1), never (0) or perhaps (-1) happen?"""
    if reg1.type == SCALAR_VALUE and reg2.type == SCALAR_VALUE:
        return is_scalar_branch_taken(reg1, reg2, opcode, is_jmp32)
    if not is_jmp32 and reg_is_pkt_pointer_any(reg1) and reg_is_pkt_pointer_any(reg2):
        return is_pkt_ptr_branch_taken(reg1, reg2, opcode)
    return _is_null_branch_taken(reg1, reg2, opcode, is_jmp32)


def _is_null_branch_taken(reg1: Reg, reg2: Reg, opcode: int, is_jmp32: bool) -> int:
    """A pointer against a number: all that is known is that a valid pointer is not 0."""
    if not is_reg_const(reg2, is_jmp32):
        reg1, reg2 = reg2, reg1
    if not is_reg_const(reg2, is_jmp32) or not reg_not_null(reg1) or reg_const_value(reg2, is_jmp32) != 0:
        return -1
    if opcode == JEQ:
        return 0
    return 1 if opcode == JNE else -1


def is_pkt_ptr_branch_taken(dst: Reg, src: Reg, opcode: int) -> int:
    """A packet pointer against the packet's end, where an earlier branch told that it lies at or beyond the end."""
    if src.type == PTR_TO_PACKET_END:
        pkt = dst
    elif dst.type == PTR_TO_PACKET_END:
        pkt = src
        opcode = flip_opcode(opcode)
    else:
        return -1
    if pkt.range >= 0:
        return -1
    if opcode == JLE or opcode == JGT:
        if pkt.range == BEYOND_PKT_END:
            return 1 if opcode == JGT else 0
    elif (opcode == JLT or opcode == JGE) and (pkt.range == BEYOND_PKT_END or pkt.range == AT_PKT_END):
        return 1 if opcode == JGE else 0
    return -1


def is_scalar_branch_taken(reg1: Reg, reg2: Reg, opcode: int, is_jmp32: bool) -> int:
    """The same for two scalars."""
    if opcode == JEQ or opcode == JNE:
        equal = _are_equal(reg1, reg2, is_jmp32)
        return equal if opcode == JEQ or equal < 0 else 1 - equal
    if opcode == JSET:
        return _have_common_bit(reg1, reg2, is_jmp32)
    if opcode == JLT or opcode == JLE or opcode == JSLT or opcode == JSLE:
        opcode = flip_opcode(opcode)
        reg1, reg2 = reg2, reg1
    strict = opcode == JGT or opcode == JSGT
    if opcode == JSGT or opcode == JSGE:
        if is_jmp32:
            return _is_signed_above(reg1.s32_min, reg1.s32_max, reg2.s32_min, reg2.s32_max, strict)
        return _is_signed_above(reg1.smin, reg1.smax, reg2.smin, reg2.smax, strict)
    if is_jmp32:
        return _is_above(reg1.u32_min, reg1.u32_max, reg2.u32_min, reg2.u32_max, strict)
    return _is_above(reg1.umin, reg1.umax, reg2.umin, reg2.umax, strict)


def _is_above(a_min: int, a_max: int, b_min: int, b_max: int, strict: bool) -> int:
    """``a > b`` (``a >= b`` unless strict) of two unsigned ranges."""
    if strict:
        return 1 if a_min > b_max else 0 if a_max <= b_min else -1
    return 1 if a_min >= b_max else 0 if a_max < b_min else -1


def _is_signed_above(a_min: int, a_max: int, b_min: int, b_max: int, strict: bool) -> int:
    """The same of two signed ranges: compiled, another comparison."""
    if strict:
        return 1 if a_min > b_max else 0 if a_max <= b_min else -1
    return 1 if a_min >= b_max else 0 if a_max < b_min else -1


def _have_common_bit(a: Reg, b: Reg, is_jmp32: bool) -> int:
    """``a & b != 0``; one of them must be a constant to tell."""
    if not is_reg_const(b, is_jmp32):
        a, b = b, a
    if not is_reg_const(b, is_jmp32):
        return -1
    bits = reg_const_value(b, is_jmp32)
    if (a.mask ^ U64_MAX) & a.value & bits:
        return 1
    return -1 if (a.mask | a.value) & bits else 0


def _are_equal(a: Reg, b: Reg, is_jmp32: bool) -> int:
    """1 equal, 0 different, -1 unknown.  The low halves can rule out what the whole can't."""
    width = U32_MAX if is_jmp32 else U64_MAX
    if ((a.mask | b.mask) & width) == 0:
        return 1 if ((a.value ^ b.value) & width) == 0 else 0
    if not tnum_overlap(a.value & width, a.mask & width, b.value & width, b.mask & width):
        return 0
    if not is_jmp32 and (a.umin > b.umax or a.umax < b.umin or a.smin > b.smax or a.smax < b.smin):
        return 0
    if a.u32_min > b.u32_max or a.u32_max < b.u32_min or a.s32_min > b.s32_max or a.s32_max < b.s32_min:
        return 0
    return -1


def regs_refine_cond_op(reg1: Reg, reg2: Reg, opcode: int, is_jmp32: bool) -> None:
    """Both registers (which are changed) learn that ``reg1 opcode reg2`` holds; the caller deduces the rest."""
    if opcode == JGE or opcode == JGT or opcode == JSGE or opcode == JSGT:
        opcode = flip_opcode(opcode)
        reg1, reg2 = reg2, reg1
    if opcode == JEQ:
        if is_jmp32:
            _refine_equal32(reg1, reg2)
        else:
            _refine_equal64(reg1, reg2)
    elif opcode == JNE or opcode == JSET or opcode == JCLEAR:
        if not is_reg_const(reg2, is_jmp32):
            reg1, reg2 = reg2, reg1
        if is_reg_const(reg2, is_jmp32):
            _refine_by_const(reg1, reg_const_value(reg2, is_jmp32), opcode, is_jmp32)
    elif is_jmp32:
        _refine_less32(reg1, reg2, opcode)
    else:
        _refine_less64(reg1, reg2, opcode)


def _refine_equal32(a: Reg, b: Reg) -> None:
    a.u32_min = b.u32_min = max(a.u32_min, b.u32_min)
    a.u32_max = b.u32_max = min(a.u32_max, b.u32_max)
    a.s32_min = b.s32_min = max(a.s32_min, b.s32_min)
    a.s32_max = b.s32_max = min(a.s32_max, b.s32_max)
    value, mask = tnum_intersect(a.value & U32_MAX, a.mask & U32_MAX, b.value & U32_MAX, b.mask & U32_MAX)
    a.value, a.mask = tnum_with_subreg(a.value, a.mask, value, mask)
    b.value, b.mask = tnum_with_subreg(b.value, b.mask, value, mask)


def _refine_equal64(a: Reg, b: Reg) -> None:
    a.umin = b.umin = max(a.umin, b.umin)
    a.umax = b.umax = min(a.umax, b.umax)
    a.smin = b.smin = max(a.smin, b.smin)
    a.smax = b.smax = min(a.smax, b.smax)
    value, mask = tnum_intersect(a.value, a.mask, b.value, b.mask)
    a.value, a.mask = value, mask
    b.value, b.mask = value, mask


def _refine_by_const(reg: Reg, val: int, opcode: int, is_jmp32: bool) -> None:
    """Unequal to a constant trims a bound that it stands on; jset tells of a single bit, its reverse of all."""
    if opcode == JNE:
        if is_jmp32:
            _trim32(reg, val)
        else:
            _trim64(reg, val)
    elif opcode == JSET:
        if val and not val & (val - 1):
            reg.value |= val
            reg.mask &= U64_MAX ^ val
    else:
        reg.set_unbounded()
        reg.value &= U64_MAX ^ val
        reg.mask &= U64_MAX ^ val


def _trim32(reg: Reg, val: int) -> None:
    if reg.u32_min == val:
        reg.u32_min = (reg.u32_min + 1) & U32_MAX
    if reg.u32_max == val:
        reg.u32_max = (reg.u32_max - 1) & U32_MAX
    signed = s32(val)
    if reg.s32_min == signed:
        reg.s32_min = s32(val + 1)
    if reg.s32_max == signed:
        reg.s32_max = s32((val - 1) & U32_MAX)


def _trim64(reg: Reg, val: int) -> None:
    if reg.umin == val:
        reg.umin = (reg.umin + 1) & U64_MAX
    if reg.umax == val:
        reg.umax = (reg.umax - 1) & U64_MAX
    signed = s64(val)
    if reg.smin == signed:
        reg.smin = s64((val + 1) & U64_MAX)
    if reg.smax == signed:
        reg.smax = s64((val - 1) & U64_MAX)


def _refine_less32(a: Reg, b: Reg, opcode: int) -> None:
    if opcode == JLE or opcode == JLT:
        gap = 1 if opcode == JLT else 0
        a.u32_max = min(a.u32_max, (b.u32_max - gap) & U32_MAX)
        b.u32_min = max((a.u32_min + gap) & U32_MAX, b.u32_min)
    elif opcode == JSLE or opcode == JSLT:
        gap = 1 if opcode == JSLT else 0
        a.s32_max = min(a.s32_max, s32((b.s32_max - gap) & U64_MAX))
        b.s32_min = max(s32((a.s32_min + gap) & U64_MAX), b.s32_min)


def _refine_less64(a: Reg, b: Reg, opcode: int) -> None:
    if opcode == JLE or opcode == JLT:
        gap = 1 if opcode == JLT else 0
        a.umax = min(a.umax, (b.umax - gap) & U64_MAX)
        b.umin = max((a.umin + gap) & U64_MAX, b.umin)
    elif opcode == JSLE or opcode == JSLT:
        gap = 1 if opcode == JSLT else 0
        a.smax = min(a.smax, s64((b.smax - gap) & U64_MAX))
        b.smin = max(s64((a.smin + gap) & U64_MAX), b.smin)


def same_register_taken(reg: Reg, opcode: int, is_jmp32: bool) -> int:
    """A scalar compared with itself (Linux 7.0): as ``is_branch_taken`` answers."""
    if opcode == JEQ or opcode == JGE or opcode == JLE or opcode == JSGE or opcode == JSLE:
        return 1
    if opcode != JSET:
        return 0
    if is_jmp32:
        if reg.mask & U32_MAX == 0:
            return 1 if reg.value & U32_MAX else 0
        return -1 if reg.s32_min <= 0 <= reg.s32_max else 1
    if reg.mask == 0:
        return 1 if reg.value else 0
    return -1 if reg.smin <= 0 <= reg.smax else 1


def surviving_branch(env: Env, reg1: Reg, reg2: Reg, opcode: int, is_jmp32: bool) -> int:
    """Try what each branch would learn (Linux 7.1): one that leaves a range without numbers is never taken.

    As ``is_branch_taken`` answers; -1 for what are not two scalars.
    """
    if reg1.type != SCALAR_VALUE or reg2.type != SCALAR_VALUE:
        return -1
    a, b = reg1.copy(), reg2.copy()
    regs_refine_cond_op(a, b, rev_opcode(opcode), is_jmp32)
    reg_bounds_sync(env, a)
    reg_bounds_sync(env, b)
    if range_bounds_violation(a) or range_bounds_violation(b):
        return 1
    a, b = reg1.copy(), reg2.copy()
    regs_refine_cond_op(a, b, opcode, is_jmp32)
    reg_bounds_sync(env, a)
    reg_bounds_sync(env, b)
    return 0 if range_bounds_violation(a) or range_bounds_violation(b) else -1


def reg_set_min_max(env: Env, true1: Reg, true2: Reg, false1: Reg, false2: Reg, opcode: int, is_jmp32: bool) -> None:
    """Two scalars after ``reg1 opcode reg2``, where it holds (``true1``, ``true2``) and where not; all four change.

    The two of a branch may be one object: a register compared with itself.
    """
    regs_refine_cond_op(false1, false2, rev_opcode(opcode), is_jmp32)
    reg_bounds_sync(env, false1)
    reg_bounds_sync(env, false2)
    regs_refine_cond_op(true1, true2, opcode, is_jmp32)
    reg_bounds_sync(env, true1)
    reg_bounds_sync(env, true2)
    reg_bounds_sanity_check(env, true1, "true_reg1")
    reg_bounds_sanity_check(env, true2, "true_reg2")
    reg_bounds_sanity_check(env, false1, "false_reg1")
    reg_bounds_sanity_check(env, false2, "false_reg2")
