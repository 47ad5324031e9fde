"""What a comparison told before Linux 6.8: which way it goes, and what each branch knows, if one side is a constant.

Feature ``compare-ranges`` chooses between this and ``refine.py``, whose numbers for the operations these are.  Of two
unknown numbers only equality says something.  (``is_branch_taken``, ``reg_set_min_max``, ``reg_combine_min_max`` in
kernel/bpf/verifier.c, Linux 6.1.)
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.verifier.bounds_apart import combine_32_into_64, combine_64_into_32, sync_apart
    from osmia.verifier.consts import (
        PTR_TO_MAP_KEY,
        PTR_TO_MAP_VALUE,
        PTR_TO_SOCK_COMMON,
        PTR_TO_SOCKET,
        PTR_TO_TCP_SOCK,
        SCALAR_VALUE,
        U32_MAX,
        U64_MAX,
    )
    from osmia.verifier.env import Env
    from osmia.verifier.nulls import reg_is_pkt_pointer_any
    from osmia.verifier.refine import (
        JEQ,
        JGE,
        JGT,
        JLE,
        JLT,
        JNE,
        JSET,
        JSGE,
        JSGT,
        JSLE,
        JSLT,
        flip_opcode,
        is_pkt_ptr_branch_taken,
        is_scalar_branch_taken,
    )
    from osmia.verifier.regs import Reg, known_value
    from osmia.verifier.tnum import tnum_intersect
    from osmia.words import s32, s64


def is_branch_taken_const(dst: Reg, src: Reg, opcode: int, is_jmp32: bool) -> int:
    """Does the jump always (1), never (0) or perhaps (-1) happen?  ``src`` must be the constant."""
    width = U32_MAX if is_jmp32 else U64_MAX
    if src.type != SCALAR_VALUE or src.mask & width:
        if not is_jmp32 and reg_is_pkt_pointer_any(dst) and reg_is_pkt_pointer_any(src):
            return is_pkt_ptr_branch_taken(dst, src, opcode)
        return -1
    value = src.value & width
    if dst.type != SCALAR_VALUE:
        if value or not _never_null(dst.type) or (opcode != JEQ and opcode != JNE):
            return -1
        return 1 if opcode == JNE else 0
    if opcode == JEQ or opcode == JNE:
        if dst.mask & width:
            return -1
        return 1 if (dst.value & width == value) == (opcode == JEQ) else 0
    return is_scalar_branch_taken(dst, known_value(value), opcode, is_jmp32)


def _never_null(type: int) -> bool:
    return (
        type == PTR_TO_SOCKET or type == PTR_TO_TCP_SOCK or type == PTR_TO_MAP_VALUE or type == PTR_TO_MAP_KEY
        or type == PTR_TO_SOCK_COMMON
    )  # fmt: skip


def refine_by_const(
    env: Env, true1: Reg, true2: Reg, false1: Reg, false2: Reg, opcode: int, is_jmp32: bool
) -> None:  # fmt: skip
    """Two scalars after ``reg1 opcode reg2``, where it holds (``true1``, ``true2``) and where not; all four may change.

    The two of a branch may be one object: a register compared with itself.
    """
    width = U32_MAX if is_jmp32 else U64_MAX
    whole = bool(env.rules.low_tnum_of_whole)
    forget = opcode == JSET and bool(env.rules.clear_bits_forget_ranges)
    if true2.mask & width == 0:
        if forget:
            false1.set_unbounded()
        _learn(true1, false1, true2.value, opcode, is_jmp32, whole)
    elif true1.mask & width == 0:
        if forget:
            false2.set_unbounded()
        _learn(true2, false2, true1.value, flip_opcode(opcode), is_jmp32, whole)
    elif not is_jmp32 and opcode == JEQ:
        _equal(true1, true2, whole)
    elif not is_jmp32 and opcode == JNE:
        _equal(false1, false2, whole)


def _learn(yes: Reg, no: Reg, value: int, opcode: int, is_jmp32: bool, whole: bool) -> None:
    """One scalar after its comparison with a constant."""
    if is_jmp32:
        _learn32(yes, no, value & U32_MAX, opcode)
        combine_32_into_64(no, whole)
        combine_32_into_64(yes, whole)
    else:
        _learn64(yes, no, value, opcode)
        combine_64_into_32(no, whole)
        combine_64_into_32(yes, whole)


def _learn64(yes: Reg, no: Reg, value: int, opcode: int) -> None:
    signed = s64(value)
    if opcode == JEQ:
        yes.set_known(value)
    elif opcode == JNE:
        no.set_known(value)
    elif opcode == JSET:
        _learn_bits(yes, no, value, U64_MAX)
    elif opcode == JGE or opcode == JGT:
        no.umax = min(no.umax, value if opcode == JGT else (value - 1) & U64_MAX)
        yes.umin = max(yes.umin, (value + 1) & U64_MAX if opcode == JGT else value)
    elif opcode == JLE or opcode == JLT:
        no.umin = max(no.umin, value if opcode == JLT else (value + 1) & U64_MAX)
        yes.umax = min(yes.umax, (value - 1) & U64_MAX if opcode == JLT else value)
    elif opcode == JSGE or opcode == JSGT:
        no.smax = min(no.smax, signed if opcode == JSGT else s64((value - 1) & U64_MAX))
        yes.smin = max(yes.smin, s64((value + 1) & U64_MAX) if opcode == JSGT else signed)
    elif opcode == JSLE or opcode == JSLT:
        no.smin = max(no.smin, signed if opcode == JSLT else s64((value + 1) & U64_MAX))
        yes.smax = min(yes.smax, s64((value - 1) & U64_MAX) if opcode == JSLT else signed)


def _learn32(yes: Reg, no: Reg, value: int, opcode: int) -> None:
    signed = s32(value)
    if opcode == JEQ:
        _low_half_known(yes, value)
    elif opcode == JNE:
        _low_half_known(no, value)
    elif opcode == JSET:
        _learn_bits(yes, no, value, U32_MAX)
    elif opcode == JGE or opcode == JGT:
        no.u32_max = min(no.u32_max, value if opcode == JGT else (value - 1) & U32_MAX)
        yes.u32_min = max(yes.u32_min, (value + 1) & U32_MAX if opcode == JGT else value)
    elif opcode == JLE or opcode == JLT:
        no.u32_min = max(no.u32_min, value if opcode == JLT else (value + 1) & U32_MAX)
        yes.u32_max = min(yes.u32_max, (value - 1) & U32_MAX if opcode == JLT else value)
    elif opcode == JSGE or opcode == JSGT:
        no.s32_max = min(no.s32_max, signed if opcode == JSGT else s32((value - 1) & U32_MAX))
        yes.s32_min = max(yes.s32_min, s32((value + 1) & U32_MAX) if opcode == JSGT else signed)
    elif opcode == JSLE or opcode == JSLT:
        no.s32_min = max(no.s32_min, signed if opcode == JSLT else s32((value + 1) & U32_MAX))
        yes.s32_max = min(yes.s32_max, s32((value - 1) & U32_MAX) if opcode == JSLT else signed)


def _learn_bits(yes: Reg, no: Reg, bits: int, width: int) -> None:
    """Where no bit is common all of them are 0; a single one that is common is 1."""
    keep = (bits & width) ^ U64_MAX
    no.value, no.mask = no.value & keep, no.mask & keep
    if bits and not bits & (bits - 1):
        yes.value, yes.mask = yes.value | bits, yes.mask & (bits ^ U64_MAX)


def _low_half_known(reg: Reg, value: int) -> None:
    reg.value, reg.mask = (reg.value >> 32) << 32 | value, (reg.mask >> 32) << 32
    reg.u32_min = reg.u32_max = value
    reg.s32_min = reg.s32_max = s32(value)


def _equal(a: Reg, b: Reg, whole: bool) -> None:
    """The 64-bit ranges and the tnum are what both allow."""
    a.umin = b.umin = max(a.umin, b.umin)
    a.umax = b.umax = min(a.umax, b.umax)
    a.smin = b.smin = max(a.smin, b.smin)
    a.smax = b.smax = min(a.smax, b.smax)
    value, mask = tnum_intersect(a.value, a.mask, b.value, b.mask)
    a.value, a.mask = value, mask
    b.value, b.mask = value, mask
    sync_apart(a, whole)
    sync_apart(b, whole)
