"""Arithmetic instructions: which fields they may use, what they may read, what they leave in the destination.

(``check_alu_op`` and ``adjust_reg_min_max_vals`` in kernel/bpf/verifier.c, Linux 6.18.)
"""

from __future__ import annotations

from errno import EACCES, EINVAL

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.kernel.uapi import MAP_TYPE
from osmia.verifier.live_marks import take_marks
from osmia.verifier.pointer_alu import OPERATORS

if not cython.compiled:
    from osmia.isa.consts import (
        BPF_ADD,
        BPF_ADDR_SPACE_CAST,
        BPF_ALU,
        BPF_ALU64,
        BPF_ARSH,
        BPF_DIV,
        BPF_END,
        BPF_LSH,
        BPF_MOD,
        BPF_MOV,
        BPF_NEG,
        BPF_RSH,
        BPF_SUB,
        BPF_TO_LE,
        BPF_X,
    )
    from osmia.verifier.backtrack import mark_chain_precision
    from osmia.verifier.bounds import (
        coerce_reg_to_size_sx,
        coerce_subreg_to_size_sx,
        reg_bounds_sane,
        reg_bounds_sanity_check,
        reg_bounds_sync,
        zext_32_to_64,
    )
    from osmia.verifier.consts import (
        BPF_ADD_CONST,
        BPF_ADD_CONST32,
        BPF_ADD_CONST64,
        PTR_TO_ARENA,
        S32_MIN,
        SCALAR_VALUE,
        U32_MAX,
        U64_MAX,
    )
    from osmia.verifier.env import Env
    from osmia.verifier.insn import VInsn
    from osmia.verifier.linked import assign_scalar_id_before_mov
    from osmia.verifier.loaded import constant
    from osmia.verifier.marks import (
        DST_OP,
        DST_OP_NO_MARK,
        SRC_OP,
        check_frame_reg_arg,
        mark_reg_unknown,
        unknown_scalar,
    )
    from osmia.verifier.pointer_alu import adjust_ptr_min_max_vals
    from osmia.verifier.regs import Reg
    from osmia.verifier.scalar import adjust_scalar_min_max_vals
    from osmia.words import s32, s64

ARENA = MAP_TYPE["arena"]


def check_alu_op(env: Env, insn: VInsn) -> None:
    """Judge an instruction of class ALU or ALU64 and do it to the current state.  Raises Rejected."""
    op = insn.code & 0xF0
    regs = env.state.regs()
    if op == BPF_MOV:
        if insn.code & BPF_X:
            check_mov_reg(env, insn, regs)
        else:
            check_mov_imm(env, insn, regs)
    elif op == BPF_NEG or op == BPF_END:
        check_unary(env, insn, op, regs)
    elif op > BPF_END:
        raise env.reject(EINVAL, "unknown-opcode", f"invalid BPF_ALU opcode {op:x}\n")
    else:
        check_binary(env, insn, op, regs)
    reg = regs[insn.dst]
    if not reg_bounds_sane(reg):
        reg = reg.copy()
        reg_bounds_sanity_check(env, reg, "alu")
        regs[insn.dst] = reg


def is_pointer_value(env: Env, reg: Reg) -> bool:
    """Would using the register's bits tell an address to someone who may not know it?"""
    return not env.allow_ptr_leaks and reg.type != SCALAR_VALUE


# -- negate and swap bytes


def check_unary(env: Env, insn: VInsn, op: int, regs: list[Reg]) -> None:
    """BPF_NEG and BPF_END."""
    alu64 = (insn.code & 7) == BPF_ALU64
    if op == BPF_NEG:
        if insn.code & BPF_X or insn.src != 0 or insn.off != 0 or insn.imm != 0:
            raise env.reject(EINVAL, "reserved-fields", "BPF_NEG uses reserved fields\n")
    else:
        odd_width = insn.imm != 16 and insn.imm != 32 and insn.imm != 64
        unknown = alu64 and ((insn.code & BPF_X) != BPF_TO_LE or not env.rules.cpu_v4)
        if insn.src != 0 or insn.off != 0 or odd_width or unknown:
            raise env.reject(EINVAL, "reserved-fields", "BPF_END uses reserved fields\n")
    check_frame_reg_arg(env, regs, insn.dst, SRC_OP)
    reg = regs[insn.dst]
    if is_pointer_value(env, reg):
        text = f"R{insn.dst} pointer arithmetic prohibited\n"
        raise env.reject(EACCES, "pointer-arithmetic", text, reg=insn.dst)
    followed = env.rules.negation_followed if op == BPF_NEG else env.rules.byte_swap_followed
    if reg.type == SCALAR_VALUE and followed:
        check_frame_reg_arg(env, regs, insn.dst, DST_OP_NO_MARK)
        dst = reg.copy()
        adjust_scalar_min_max_vals(env, insn, dst, reg)
        regs[insn.dst] = dst
    else:
        check_frame_reg_arg(env, regs, insn.dst, DST_OP)


# -- moves


def check_mov_imm(env: Env, insn: VInsn, regs: list[Reg]) -> None:
    """``r1 = 5``, ``w1 = 5``."""
    if insn.src != 0 or insn.off != 0:
        raise env.reject(EINVAL, "reserved-fields", "BPF_MOV uses reserved fields\n")
    check_frame_reg_arg(env, regs, insn.dst, DST_OP_NO_MARK)
    value = insn.imm & (U64_MAX if (insn.code & 7) == BPF_ALU64 else U32_MAX)
    new = constant(value)
    if not env.bpf_capable:
        new = new.copy()
        new.precise = True
    regs[insn.dst] = new


def check_mov_reg(env: Env, insn: VInsn, regs: list[Reg]) -> None:
    """``r1 = r2``, ``w1 = w2``, with sign extension (``off`` is the width), and casts between address spaces."""
    check_mov_fields(env, insn)
    check_frame_reg_arg(env, regs, insn.src, SRC_OP)
    check_frame_reg_arg(env, regs, insn.dst, DST_OP_NO_MARK)
    if (insn.code & 7) != BPF_ALU64:
        move32(env, insn, regs)
    elif insn.imm:
        new = unknown_scalar(env)
        if insn.imm == 1:
            new.type = PTR_TO_ARENA
        regs[insn.dst] = new
    elif insn.off == 0:
        src = assign_scalar_id_before_mov(env, regs[insn.src])
        regs[insn.src] = src
        regs[insn.dst] = src
    else:
        move_sign_extended(env, insn, regs)


def check_mov_fields(env: Env, insn: VInsn) -> None:
    """The fields of a move between registers.  Raises Rejected."""
    off, imm = insn.off, insn.imm
    if not env.rules.cpu_v4 and (off or imm):
        good = False
    elif (insn.code & 7) == BPF_ALU:
        good = (off == 0 or off == 8 or off == 16) and imm == 0
    elif off == BPF_ADDR_SPACE_CAST and env.rules.addr_space_cast:
        check_addr_space_cast(env, imm)
        return
    else:
        good = (off == 0 or off == 8 or off == 16 or off == 32) and imm == 0
    if not good:
        raise env.reject(EINVAL, "reserved-fields", "BPF_MOV uses reserved fields\n")


def check_addr_space_cast(env: Env, imm: int) -> None:
    """A cast between the arena and the kernel's addresses; ``imm`` says in which direction.  Raises Rejected."""
    if imm != 1 and imm != 1 << 16:
        text = "addr_space_cast insn can only convert between address space 1 and 0\n"
        raise env.reject(EINVAL, "addr-space-cast", text)
    for found in env.used_maps:
        if found.type == ARENA:
            return
    text = "addr_space_cast insn can only be used in a program that has an associated arena\n"
    raise env.reject(EINVAL, "addr-space-cast", text)


def move_sign_extended(env: Env, insn: VInsn, regs: list[Reg]) -> None:
    """``r1 = (s8)r2`` and wider.  The copy stays linked to its source if nothing changes."""
    src = regs[insn.src]
    if is_pointer_value(env, src):
        text = f"R{insn.src} sign-extension part of pointer\n"
        raise env.reject(EACCES, "pointer-leak", text, reg=insn.src)
    if src.type != SCALAR_VALUE:
        mark_reg_unknown(env, regs, insn.dst)
        return
    dst = copied(env, insn, regs, src.umax <= U64_MAX >> (65 - insn.off))
    coerce_reg_to_size_sx(dst, insn.off >> 3)
    regs[insn.dst] = dst


def move32(env: Env, insn: VInsn, regs: list[Reg]) -> None:
    """``w1 = w2``, ``w1 = (s8)w2``.  The copy stays linked to its source if nothing changes."""
    src = regs[insn.src]
    if is_pointer_value(env, src):
        text = f"R{insn.src} partial copy of pointer\n"
        raise env.reject(EACCES, "pointer-leak", text, reg=insn.src)
    if src.type != SCALAR_VALUE:
        dst = unknown_scalar(env)
    elif insn.off == 0:
        dst = copied(env, insn, regs, src.umax <= U32_MAX and env.rules.link_narrow_moves)
    else:
        dst = copied(env, insn, regs, src.umax <= U64_MAX >> (65 - insn.off))
        coerce_subreg_to_size_sx(dst, insn.off >> 3)
    zext_32_to_64(dst)
    reg_bounds_sync(env, dst)
    regs[insn.dst] = dst


def copied(env: Env, insn: VInsn, regs: list[Reg], linked: bool) -> Reg:
    """A copy of the source register, to be changed; ``linked``: it shares the source's id."""
    src = regs[insn.src]
    if linked:
        src = assign_scalar_id_before_mov(env, src)
        regs[insn.src] = src
    dst = src.copy()
    if not linked:
        dst.off, dst.id = 0, 0
    return dst


# -- everything with two operands


def check_binary(env: Env, insn: VInsn, op: int, regs: list[Reg]) -> None:
    """Addition to arithmetic shift.  Raises Rejected."""
    by_reg = insn.code & BPF_X
    if insn.off != 0 and (insn.off != 1 or (op != BPF_MOD and op != BPF_DIV) or not env.rules.cpu_v4):
        raise env.reject(EINVAL, "reserved-fields", "BPF_ALU uses reserved fields\n")
    if (by_reg and insn.imm != 0) or (not by_reg and insn.src != 0):
        raise env.reject(EINVAL, "reserved-fields", "BPF_ALU uses reserved fields\n")
    if by_reg:
        check_frame_reg_arg(env, regs, insn.src, SRC_OP)
    check_frame_reg_arg(env, regs, insn.dst, SRC_OP)
    if not by_reg:
        check_constant_operand(env, insn, op)
    check_frame_reg_arg(env, regs, insn.dst, DST_OP_NO_MARK)
    adjust_reg_min_max_vals(env, insn, op, regs)


def check_constant_operand(env: Env, insn: VInsn, op: int) -> None:
    """No division by a constant 0, no shift by a constant beyond the width.  Raises Rejected."""
    if (op == BPF_MOD or op == BPF_DIV) and insn.imm == 0:
        raise env.reject(EINVAL, "division-by-zero", "div by zero\n")
    width = 64 if (insn.code & 7) == BPF_ALU64 else 32
    if (op == BPF_LSH or op == BPF_RSH or op == BPF_ARSH) and (insn.imm < 0 or insn.imm >= width):
        raise env.reject(EINVAL, "invalid-shift", f"invalid shift {insn.imm}\n")


def adjust_reg_min_max_vals(env: Env, insn: VInsn, op: int, regs: list[Reg]) -> None:
    """Find out whether scalars or pointers meet, do the arithmetic, store the result.  Raises Rejected."""
    dst = regs[insn.dst]
    by_reg = insn.code & BPF_X
    src = regs[insn.src] if by_reg else constant(insn.imm & U64_MAX)
    if dst.type == PTR_TO_ARENA:
        pass
    elif src.type != SCALAR_VALUE:
        adjust_by_pointer(env, insn, op, regs)
    else:
        if by_reg and (dst.type != SCALAR_VALUE or dst.precise):
            mark_chain_precision(env, insn.src)
            dst, src = regs[insn.dst], regs[insn.src]
        if dst.type == SCALAR_VALUE:
            new = dst.copy()
            adjust_scalar_min_max_vals(env, insn, new, src)
            if new.id and env.rules.link_by_offset:
                link_by_offset(env, insn, op, new, src, dst.umax)
            else:
                new.off = new.id = 0
            regs[insn.dst] = new
        else:
            adjust_ptr_min_max_vals(env, insn, dst, src, True)


def adjust_by_pointer(env: Env, insn: VInsn, op: int, regs: list[Reg]) -> None:
    """The source is a pointer: added to a scalar it moves, with another pointer there is only their distance."""
    dst = regs[insn.dst]
    if dst.type == SCALAR_VALUE:
        mark_chain_precision(env, insn.dst)
        adjust_ptr_min_max_vals(env, insn, regs[insn.src], regs[insn.dst], False)
        if env.rules.sum_takes_marks:
            take_marks(env, insn.dst, insn.src)
    elif op == BPF_SUB and env.allow_ptr_leaks:
        mark_reg_unknown(env, regs, insn.dst)
    else:
        text = f"R{insn.dst} pointer {OPERATORS[op >> 4]} pointer prohibited\n"
        raise env.reject(EACCES, "pointer-arithmetic", text, reg=insn.dst)


def link_by_offset(env: Env, insn: VInsn, op: int, dst: Reg, src: Reg, umax: int) -> None:
    """A register with an id that moved by a constant stays linked to the others, once; else it leaves them.

    ``umax`` is what the register was at most before: a 32-bit operation may cut nothing off.  A register added to
    itself leaves them even where its value is known.
    """
    alu32 = (insn.code & 7) != BPF_ALU64
    constant = src.mask & U32_MAX == 0 if alu32 else src.mask == 0
    itself = (insn.code & BPF_X) != 0 and insn.src == insn.dst
    if not dst.id or not env.bpf_capable or (op != BPF_ADD and op != BPF_SUB) or not constant or itself:
        dst.off, dst.id = 0, 0
        return
    off = s32(src.value)
    fits = (alu32 and umax <= U32_MAX) or (not alu32 and s64(src.value) == off)
    if not fits or (op == BPF_SUB and off == S32_MIN) or dst.id & BPF_ADD_CONST:
        dst.off, dst.id = 0, 0
        return
    dst.id |= BPF_ADD_CONST32 if alu32 else BPF_ADD_CONST64
    dst.off = -off if op == BPF_SUB else off
