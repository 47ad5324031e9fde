"""What an arithmetic operation makes of a scalar's tnum and ranges, in 64 bits and in the low half.

Linux 6.18, kernel/bpf/verifier.c (``adjust_scalar_min_max_vals``): add, subtract, negate, multiply and the bitwise
operations follow all ranges, byte swaps the bits; shifts are followed where the distance is a known constant below
the width; division and modulo leave nothing known, or in later kernels what ``divide`` finds.  The functions change
``dst``, which must be the caller's own; ``src`` is only read.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.isa.consts import (
        BPF_ADD,
        BPF_ALU64,
        BPF_AND,
        BPF_ARSH,
        BPF_DIV,
        BPF_END,
        BPF_LSH,
        BPF_MOD,
        BPF_MUL,
        BPF_NEG,
        BPF_OR,
        BPF_RSH,
        BPF_SUB,
        BPF_TO_BE,
        BPF_XOR,
    )
    from osmia.verifier.arcs import add_arcs
    from osmia.verifier.bounds import (
        become_known,
        become_unknown,
        coerce_reg_to_size,
        mark_reg32_known,
        mark_reg32_unbounded,
        mark_reg64_unbounded,
        mark_reg_unbounded,
        reg_bounds_sync,
        set_const,
        update_reg32_bounds,
        update_reg_bounds,
        zext_32_to_64,
    )
    from osmia.verifier.consts import S32_MAX, S32_MIN, S64_MAX, S64_MIN, U32_MAX, U64_MAX
    from osmia.verifier.divide import divide
    from osmia.verifier.env import Env
    from osmia.verifier.insn import VInsn
    from osmia.verifier.paths import push_stack
    from osmia.verifier.regs import Reg
    from osmia.verifier.scalar_early import (
        add_unsigned_early,
        bits_early,
        mul_early,
        signs_of_shift_32,
        sub_unsigned_early,
        tnum_mul_early,
    )
    from osmia.verifier.speculation import sanitize_val_alu
    from osmia.verifier.tnum import (
        tnum_add,
        tnum_and,
        tnum_arshift,
        tnum_bswap16,
        tnum_bswap32,
        tnum_bswap64,
        tnum_lshift,
        tnum_mul,
        tnum_or,
        tnum_rshift,
        tnum_sub,
        tnum_xor,
    )
    from osmia.words import s32, s64


def adjust_scalar_min_max_vals(env: Env, insn: VInsn, dst: Reg, src: Reg) -> None:
    """Do ``dst op= src`` on two scalars.  ``src`` may be the old content of ``dst``, but not the same object.

    Raises Rejected.
    """
    op = insn.code & 0xF0
    alu32 = insn.code & 7 != BPF_ALU64
    if not env.rules.alu_follows_unknown:
        adjust_early(env, insn, op, alu32, dst, src)
        return
    if op == BPF_DIV or op == BPF_MOD:
        if env.rules.div_mod_ranges and is_const_operand(alu32, src):
            divide(op == BPF_MOD, insn.off == 1, alu32, dst, src)
            if alu32:
                zext_32_to_64(dst)
            reg_bounds_sync(env, dst)
        else:
            become_unknown(dst, not env.bpf_capable)
        return
    if not is_safe_to_compute_dst_reg_range(op, alu32, src):
        become_unknown(dst, not env.bpf_capable)
        return
    if not env.bypass_spec_v1 and (op == BPF_ADD or op == BPF_SUB):
        sanitize_val_alu(env, insn)
    if op == BPF_END:
        scalar_byte_swap(env, dst, insn.code, insn.imm)
        reg_bounds_sync(env, dst)
        return
    if op == BPF_NEG:
        become_known(dst, 0)
    elif (op == BPF_AND or op == BPF_OR) and src.mask == 0 and env.rules.fork_on_sign_mask:
        maybe_fork_scalars(env, insn, dst)
    if env.rules.arcs and (op == BPF_ADD or op == BPF_SUB or op == BPF_NEG):
        add_as_arcs(op, dst, src)
    elif env.rules.tnum_mul_by_union:
        compute(op, alu32, dst, src)
    else:
        compute_early(env, op, alu32, dst, src)
    if alu32:
        zext_32_to_64(dst)
    reg_bounds_sync(env, dst)


def add_as_arcs(op: int, dst: Reg, src: Reg) -> None:
    """Add, subtract, negate (``dst`` is 0) in Linux 7.2."""
    add_arcs(dst, src, op != BPF_ADD)
    if op == BPF_ADD:
        dst.value, dst.mask = tnum_add(dst.value, dst.mask, src.value, src.mask)
    else:
        dst.value, dst.mask = tnum_sub(dst.value, dst.mask, src.value, src.mask)


def adjust_early(env: Env, insn: VInsn, op: int, alu32: bool, dst: Reg, src: Reg) -> None:
    """The same before Linux 6.10, where an operand of unknown value can only be added, subtracted or masked with."""
    empty = (
        src.s32_min > src.s32_max or src.u32_min > src.u32_max if alu32 else src.smin > src.smax or src.umin > src.umax
    )
    torn = src.mask & (U32_MAX if alu32 else U64_MAX) == 0 and not is_const_operand(alu32, src)
    unknown = src.mask & (U32_MAX if alu32 else U64_MAX) != 0 and op != BPF_ADD and op != BPF_SUB and op != BPF_AND
    if empty or torn or unknown:  # ranges that end before they begin come from a branch that can't be taken
        become_unknown(dst, not env.bpf_capable)
        return
    if not env.bypass_spec_v1 and (op == BPF_ADD or op == BPF_SUB):
        sanitize_val_alu(env, insn)
    shift = op == BPF_LSH or op == BPF_RSH or op == BPF_ARSH
    if op == BPF_DIV or op == BPF_MOD or (shift and src.umax >= (32 if alu32 else 64)):
        become_unknown(dst, not env.bpf_capable)
    else:
        compute_early(env, op, alu32, dst, src)
    if alu32:
        zext_32_to_64(dst)
    reg_bounds_sync(env, dst)


def compute_early(env: Env, op: int, alu32: bool, dst: Reg, src: Reg) -> None:
    """Choose the operation, for kernels before Linux 6.18: some of them keep less."""
    umin, umax, u32_min, u32_max = dst.umin, dst.umax, dst.u32_min, dst.u32_max
    if op == BPF_MUL:
        dst.value, dst.mask = tnum_mul_early(dst.value, dst.mask, src.value, src.mask)
        if env.rules.multiply_signed:
            scalar32_min_max_mul(dst, src)
            scalar_min_max_mul(dst, src)
        else:
            mul_early(dst, src)
    elif (op == BPF_AND or op == BPF_OR or op == BPF_XOR) and not env.rules.bits_sign_agnostic:
        if op == BPF_AND:
            dst.value, dst.mask = tnum_and(dst.value, dst.mask, src.value, src.mask)
        elif op == BPF_OR:
            dst.value, dst.mask = tnum_or(dst.value, dst.mask, src.value, src.mask)
        else:
            dst.value, dst.mask = tnum_xor(dst.value, dst.mask, src.value, src.mask)
        bits_early(op, dst, src)
    elif op == BPF_LSH and not alu32 and src.umin == 32 and not env.rules.shift_32_keeps_sign:
        low = dst.copy()
        signs_of_shift_32(low)
        shift64(op, dst, 32)
        dst.smin, dst.smax = low.smin, low.smax
        update_reg_bounds(dst)
    else:
        compute(op, alu32, dst, src)
        if env.rules.add_wraps_whole:
            return
        if op == BPF_ADD:
            add_unsigned_early(dst, umin, umax, u32_min, u32_max)
        elif op == BPF_SUB or op == BPF_NEG:
            sub_unsigned_early(dst, umin, u32_min, src)


def maybe_fork_scalars(env: Env, insn: VInsn, dst: Reg) -> None:
    """A number that is -1 or 0 (of ``s>>= 63``, say) meets a mask: two paths, one for each, know more than one.

    Raises Rejected when too many paths wait.
    """
    whole = dst.smin == -1 and dst.smax == 0
    if not whole and not (dst.s32_min == -1 and dst.s32_max == 0):
        return
    branch = push_stack(env, env.insn_idx, env.insn_idx, False)
    frame = branch.frames[branch.curframe]
    other = dst.copy()
    if whole:
        become_known(other, 0)
        become_known(dst, U64_MAX)
    else:
        mark_reg32_known(other, 0)
        mark_reg32_known(dst, U32_MAX)
    frame.regs[insn.dst] = other


def scalar_byte_swap(env: Env, dst: Reg, code: int, width: int) -> None:
    """To little or big endian, or swapped for sure (ALU64), on a little-endian machine; ``width`` is in bits."""
    swaps = code & 7 == BPF_ALU64 or code & BPF_TO_BE != 0
    if swaps or width != 64:
        dst.off, dst.id = 0, 0
    if swaps:
        if width == 16:
            dst.value, dst.mask = tnum_bswap16(dst.value, dst.mask)
        elif width == 32:
            dst.value, dst.mask = tnum_bswap32(dst.value, dst.mask)
        else:
            dst.value, dst.mask = tnum_bswap64(dst.value, dst.mask)
        mark_reg_unbounded(dst)
    if width != 64:
        coerce_reg_to_size(env, dst, width >> 3)


def is_safe_to_compute_dst_reg_range(op: int, alu32: bool, src: Reg) -> bool:
    """Does the verifier follow this operation, or is the result simply unknown?

    A shift must have a constant distance; its 64-bit range is asked even where only the low half counts.
    """
    if op == BPF_LSH or op == BPF_RSH or op == BPF_ARSH:
        return is_const_operand(alu32, src) and src.umax < (32 if alu32 else 64)
    return (
        op == BPF_ADD
        or op == BPF_SUB
        or op == BPF_NEG
        or op == BPF_AND
        or op == BPF_XOR
        or op == BPF_OR
        or op == BPF_MUL
        or op == BPF_END
    )


def is_const_operand(alu32: bool, src: Reg) -> bool:
    """Do tnum and ranges say a single value, of the low half when ``alu32``?"""
    if alu32:
        return src.mask & U32_MAX == 0 and src.s32_min == src.s32_max and src.u32_min == src.u32_max
    return src.mask == 0 and src.smin == src.smax and src.umin == src.umax


def compute(op: int, alu32: bool, dst: Reg, src: Reg) -> None:
    """Choose the operation.  All but shifts keep 32- and 64-bit ranges apart, so both are worked out.

    For BPF_NEG ``dst`` holds 0 and ``src`` the number.
    """
    if op == BPF_ADD:
        scalar32_min_max_add(dst, src)
        scalar_min_max_add(dst, src)
        dst.value, dst.mask = tnum_add(dst.value, dst.mask, src.value, src.mask)
    elif op == BPF_SUB or op == BPF_NEG:
        scalar32_min_max_sub(dst, src)
        scalar_min_max_sub(dst, src)
        dst.value, dst.mask = tnum_sub(dst.value, dst.mask, src.value, src.mask)
    elif op == BPF_MUL:
        dst.value, dst.mask = tnum_mul(dst.value, dst.mask, src.value, src.mask)
        scalar32_min_max_mul(dst, src)
        scalar_min_max_mul(dst, src)
    elif op == BPF_AND:
        dst.value, dst.mask = tnum_and(dst.value, dst.mask, src.value, src.mask)
        scalar32_min_max_bits(op, dst, src)
        scalar_min_max_bits(op, dst, src)
    elif op == BPF_OR:
        dst.value, dst.mask = tnum_or(dst.value, dst.mask, src.value, src.mask)
        scalar32_min_max_bits(op, dst, src)
        scalar_min_max_bits(op, dst, src)
    elif op == BPF_XOR:
        dst.value, dst.mask = tnum_xor(dst.value, dst.mask, src.value, src.mask)
        scalar32_min_max_bits(op, dst, src)
        scalar_min_max_bits(op, dst, src)
    elif alu32:
        shift32(op, dst, src.u32_min & 31)
    else:
        shift64(op, dst, src.umin & 63)


# -- add and subtract


def scalar32_min_max_add(dst: Reg, src: Reg) -> None:
    """Add the low halves' ranges; one that may wrap is lost, unless all its values do."""
    smin, smax = dst.s32_min + src.s32_min, dst.s32_max + src.s32_max
    set_s32(dst, smin, smax)
    umin, umax = dst.u32_min + src.u32_min, dst.u32_max + src.u32_max
    set_u32(dst, umin, umax, umin <= U32_MAX < umax)


def scalar32_min_max_sub(dst: Reg, src: Reg) -> None:
    """Subtract the low halves' ranges, likewise."""
    smin, smax = dst.s32_min - src.s32_max, dst.s32_max - src.s32_min
    set_s32(dst, smin, smax)
    umin, umax = (dst.u32_min - src.u32_max) & U64_MAX, (dst.u32_max - src.u32_min) & U64_MAX
    set_u32(dst, umin, umax, dst.u32_min < src.u32_max and dst.u32_max >= src.u32_min)


def set_s32(dst: Reg, low: int, high: int) -> None:
    """A signed range for the low half, everything if an end doesn't fit."""
    if S32_MIN <= low <= S32_MAX and S32_MIN <= high <= S32_MAX:
        dst.s32_min, dst.s32_max = low, high
    else:
        dst.s32_min, dst.s32_max = S32_MIN, S32_MAX


def set_u32(dst: Reg, low: int, high: int, torn: bool) -> None:
    """An unsigned range for the low half modulo 2^32, everything if it is torn in two."""
    if torn:
        dst.u32_min, dst.u32_max = 0, U32_MAX
    else:
        dst.u32_min, dst.u32_max = low & U32_MAX, high & U32_MAX


def scalar_min_max_add(dst: Reg, src: Reg) -> None:
    """Add the 64-bit ranges; one that may wrap is lost, unless all its values do."""
    smin, smax = add64(dst.smin, src.smin), add64(dst.smax, src.smax)
    if (smin < dst.smin) != (src.smin < 0) or (smax < dst.smax) != (src.smax < 0):
        smin, smax = S64_MIN, S64_MAX
    dst.smin, dst.smax = smin, smax
    umin, umax = (dst.umin + src.umin) & U64_MAX, (dst.umax + src.umax) & U64_MAX
    if umin >= dst.umin and umax < dst.umax:
        umin, umax = 0, U64_MAX
    dst.umin, dst.umax = umin, umax


def scalar_min_max_sub(dst: Reg, src: Reg) -> None:
    """Subtract the 64-bit ranges, likewise."""
    smin, smax = sub64(dst.smin, src.smax), sub64(dst.smax, src.smin)
    if (smin > dst.smin) != (src.smax < 0) or (smax > dst.smax) != (src.smin < 0):
        smin, smax = S64_MIN, S64_MAX
    dst.smin, dst.smax = smin, smax
    umin, umax = (dst.umin - src.umax) & U64_MAX, (dst.umax - src.umin) & U64_MAX
    if dst.umin < src.umax and dst.umax >= src.umin:
        umin, umax = 0, U64_MAX
    dst.umin, dst.umax = umin, umax


def add64(a: int, b: int) -> int:
    """The sum of two s64, wrapped."""
    return s64(((a & U64_MAX) + (b & U64_MAX)) & U64_MAX)


def sub64(a: int, b: int) -> int:
    """The difference of two s64, wrapped."""
    return s64(((a & U64_MAX) - (b & U64_MAX)) & U64_MAX)


# -- multiply


def scalar32_min_max_mul(dst: Reg, src: Reg) -> None:
    """Multiply the low halves' ranges; one that may overflow is lost."""
    if dst.u32_max * src.u32_max > U32_MAX or dst.u32_min * src.u32_min > U32_MAX:
        dst.u32_min, dst.u32_max = 0, U32_MAX
    else:
        dst.u32_min, dst.u32_max = dst.u32_min * src.u32_min, dst.u32_max * src.u32_max
    a, b = dst.s32_min * src.s32_min, dst.s32_min * src.s32_max
    c, d = dst.s32_max * src.s32_min, dst.s32_max * src.s32_max
    set_s32(dst, min(min(a, b), min(c, d)), max(max(a, b), max(c, d)))


def scalar_min_max_mul(dst: Reg, src: Reg) -> None:
    """Multiply the 64-bit ranges, likewise."""
    if mul_overflows(dst.umax, src.umax) or mul_overflows(dst.umin, src.umin):
        dst.umin, dst.umax = 0, U64_MAX
    else:
        dst.umin, dst.umax = dst.umin * src.umin, dst.umax * src.umax
    if (
        smul_overflows(dst.smin, src.smin) or smul_overflows(dst.smin, src.smax)
        or smul_overflows(dst.smax, src.smin) or smul_overflows(dst.smax, src.smax)
    ):  # fmt: skip
        dst.smin, dst.smax = S64_MIN, S64_MAX
    else:
        a, b = dst.smin * src.smin, dst.smin * src.smax
        c, d = dst.smax * src.smin, dst.smax * src.smax
        dst.smin, dst.smax = min(min(a, b), min(c, d)), max(max(a, b), max(c, d))


def mul_overflows(a: int, b: int) -> bool:
    """Does the product of two u64 need more than 64 bits?"""
    return a != 0 and b > U64_MAX // a


def smul_overflows(a: int, b: int) -> bool:
    """Does the product of two s64 not fit into an s64?"""
    size_a = (0 - (a & U64_MAX)) & U64_MAX if a < 0 else a & U64_MAX
    size_b = (0 - (b & U64_MAX)) & U64_MAX if b < 0 else b & U64_MAX
    limit = S64_MAX & U64_MAX
    if (a < 0) != (b < 0):
        limit += 1
    return size_a != 0 and size_b > limit // size_a


# -- bitwise


def scalar32_min_max_bits(op: int, dst: Reg, src: Reg) -> None:
    """And, or, exclusive or of the low halves; the tnum holds the result already.

    The kernel asks whether the *result* is constant, for ``dst`` is changed before.
    """
    value, mask = dst.value & U32_MAX, dst.mask & U32_MAX
    if mask == 0 and src.mask & U32_MAX == 0:
        mark_reg32_known(dst, value)
        return
    low, high = value, value | mask
    if op == BPF_AND:
        high = min(dst.u32_max, src.u32_max)
    elif op == BPF_OR:
        low = max(dst.u32_min, src.u32_min)
    dst.u32_min, dst.u32_max = low, high
    if s32(low) <= s32(high):
        dst.s32_min, dst.s32_max = s32(low), s32(high)
    else:
        dst.s32_min, dst.s32_max = S32_MIN, S32_MAX


def scalar_min_max_bits(op: int, dst: Reg, src: Reg) -> None:
    """The same for all 64 bits."""
    low, high = dst.value, dst.value | dst.mask
    if dst.mask == 0 and src.mask == 0:
        dst.off, dst.id = 0, 0
        set_const(dst, low)
        return
    if op == BPF_AND:
        high = min(dst.umax, src.umax)
    elif op == BPF_OR:
        low = max(dst.umin, src.umin)
    dst.umin, dst.umax = low, high
    if s64(low) <= s64(high):
        dst.smin, dst.smax = s64(low), s64(high)
    else:
        dst.smin, dst.smax = S64_MIN, S64_MAX
    update_reg_bounds(dst)


# -- shifts by a known distance


def shift32(op: int, dst: Reg, shift: int) -> None:
    """Shift the low half by 0 … 31; the 64-bit ranges are left to the zero extension that follows."""
    value, mask = dst.value & U32_MAX, dst.mask & U32_MAX
    if op == BPF_LSH:
        scalar32_min_max_lsh(dst, shift)
        value, mask = tnum_lshift(value, mask, shift)
        value, mask = value & U32_MAX, mask & U32_MAX
    elif op == BPF_RSH:
        dst.s32_min, dst.s32_max = S32_MIN, S32_MAX
        dst.u32_min, dst.u32_max = dst.u32_min >> shift, dst.u32_max >> shift
        value, mask = tnum_rshift(value, mask, shift)
    else:
        dst.s32_min, dst.s32_max = dst.s32_min >> shift, dst.s32_max >> shift
        dst.u32_min, dst.u32_max = 0, U32_MAX
        value, mask = tnum_arshift(value, mask, shift, 32)
    dst.value, dst.mask = value, mask
    mark_reg64_unbounded(dst)
    update_reg32_bounds(dst)


def scalar32_min_max_lsh(dst: Reg, shift: int) -> None:
    """Shift the low half's ranges left; they are lost if a one bit may leave at the top."""
    dst.s32_min, dst.s32_max = S32_MIN, S32_MAX
    limit = (U32_MAX ^ (U32_MAX >> 1)) >> shift
    if shift > 31 or dst.u32_max > limit:
        dst.u32_min, dst.u32_max = 0, U32_MAX
    else:
        dst.u32_min, dst.u32_max = dst.u32_min << shift, dst.u32_max << shift


def shift64(op: int, dst: Reg, shift: int) -> None:
    """Shift all 64 bits by 0 … 63."""
    if op == BPF_LSH:
        scalar_min_max_lsh(dst, shift)
        scalar32_min_max_lsh(dst, shift)
        dst.value, dst.mask = tnum_lshift(dst.value, dst.mask, shift)
    elif op == BPF_RSH:
        dst.smin, dst.smax = S64_MIN, S64_MAX
        dst.umin, dst.umax = dst.umin >> shift, dst.umax >> shift
        dst.value, dst.mask = tnum_rshift(dst.value, dst.mask, shift)
        mark_reg32_unbounded(dst)
    else:
        dst.smin, dst.smax = dst.smin >> shift, dst.smax >> shift
        dst.umin, dst.umax = 0, U64_MAX
        dst.value, dst.mask = tnum_arshift(dst.value, dst.mask, shift, 64)
        mark_reg32_unbounded(dst)
    update_reg_bounds(dst)


def scalar_min_max_lsh(dst: Reg, shift: int) -> None:
    """Shift the 64-bit ranges left.  Only ``<<= 32``, half of a sign extension, keeps what is known of the sign."""
    dst.smin, dst.smax = S64_MIN, S64_MAX
    if shift == 32:
        dst.smin = s64((dst.s32_min & U32_MAX) << 32)
        dst.smax = s64((dst.s32_max & U32_MAX) << 32)
    limit = (U64_MAX ^ (U64_MAX >> 1)) >> shift
    if dst.umax > limit:
        dst.umin, dst.umax = 0, U64_MAX
    else:
        dst.umin, dst.umax = dst.umin << shift, dst.umax << shift
