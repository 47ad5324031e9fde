"""Arithmetic on pointers: a constant moves the fixed offset, anything else the variable one.

Addition and subtraction are allowed on most types, within ±2^29; everything else on pointers is refused
(kernel/bpf/verifier.c of Linux 6.18, ``adjust_ptr_min_max_vals``).
"""

from __future__ import annotations

from errno import EACCES, EINVAL

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.verifier.errors import Rejected

if not cython.compiled:
    from osmia.isa.consts import BPF_ADD, BPF_ALU64, BPF_AND, BPF_OR, BPF_SUB, BPF_XOR
    from osmia.verifier.bounds import mark_reg32_unbounded, reg_bounds_sync
    from osmia.verifier.consts import (
        BASE_TYPE_MASK,
        BPF_MAX_VAR_OFF,
        CONST_PTR_TO_DYNPTR,
        CONST_PTR_TO_MAP,
        MAX_BPF_STACK,
        PTR_MAYBE_NULL,
        PTR_TO_BTF_ID,
        PTR_TO_BUF,
        PTR_TO_CTX,
        PTR_TO_FLOW_KEYS,
        PTR_TO_FUNC,
        PTR_TO_MAP_KEY,
        PTR_TO_MAP_VALUE,
        PTR_TO_MEM,
        PTR_TO_PACKET,
        PTR_TO_PACKET_META,
        PTR_TO_STACK,
        PTR_TO_TP_BUFFER,
        PTR_UNTRUSTED,
        S32_MAX,
        S32_MIN,
        S64_MAX,
        S64_MIN,
        U64_MAX,
    )
    from osmia.verifier.env import Env
    from osmia.verifier.insn import VInsn
    from osmia.verifier.marks import mark_reg_unknown, next_id
    from osmia.verifier.regions import check_map_access
    from osmia.verifier.regs import Reg
    from osmia.verifier.scalar import add64, add_as_arcs, sub64
    from osmia.verifier.speculation import SanitizeInfo, commit_ptr_alu, sanitize_err, sanitize_ptr_alu
    from osmia.verifier.tnum import tnum_add, tnum_sub
    from osmia.words import s32, s64

OPERATORS = ("+=", "-=", "*=", "/=", "|=", "&=", "<<=", ">>=", "neg", "%=", "^=", "=", "s>>=", "endian", "", "")
"""How the log writes the arithmetic operation of that number (an opcode's high four bits)."""


def adjust_ptr_min_max_vals(env: Env, insn: VInsn, ptr: Reg, off: Reg, ptr_is_dst: bool) -> None:
    """Do ``dst op= src`` where one side is the pointer ``ptr`` and the other the scalar ``off``; stores the result.

    Raises Rejected.
    """
    regs = env.state.regs()
    dst_no = insn.dst
    op = insn.code & 0xF0
    if (
        (off.mask == 0 and (off.smin != off.smax or off.umin != off.umax))
        or off.smin > off.smax or off.umin > off.umax
    ):  # fmt: skip
        mark_reg_unknown(env, regs, dst_no)  # a branch that can't be taken
        return
    if (insn.code & 7) != BPF_ALU64:
        if op == BPF_SUB and env.allow_ptr_leaks:
            mark_reg_unknown(env, regs, dst_no)
            return
        text = f"R{dst_no} 32-bit pointer arithmetic prohibited\n"
        raise env.reject(EACCES, "pointer-arithmetic", text, reg=dst_no)
    if ptr.type & PTR_MAYBE_NULL:
        text = f"R{dst_no} pointer arithmetic on {env.type_str(ptr.type)} prohibited, null-check it first\n"
        raise env.reject(EACCES, "pointer-maybe-null", text, reg=dst_no)
    if (ptr.type & BASE_TYPE_MASK) == PTR_TO_MEM and ptr.type & PTR_UNTRUSTED:
        return  # read through probing loads, wherever it points
    if not allows_arithmetic(ptr.type & BASE_TYPE_MASK, op, off):
        text = f"R{dst_no} pointer arithmetic on {env.type_str(ptr.type)} prohibited\n"
        raise env.reject(EACCES, "pointer-arithmetic", text, reg=dst_no)
    check_reg_sane_offset(env, off, ptr.type, True)
    check_reg_sane_offset(env, ptr, ptr.type, False)
    dst = regs[dst_no].copy()
    dst.type, dst.id = ptr.type, ptr.id
    mark_reg32_unbounded(dst)
    if env.bypass_spec_v1 or (op != BPF_ADD and op != BPF_SUB):
        move_pointer(env, insn, dst, ptr, off, ptr_is_dst)
        regs[dst_no] = dst
        return
    regs[dst_no] = dst.copy()
    info = SanitizeInfo()
    reason = sanitize_ptr_alu(env, insn, ptr, off, ptr_is_dst, info)
    if reason < 0:
        raise sanitize_err(env, insn, reason, not ptr_is_dst)
    move_pointer(env, insn, dst, ptr, off, ptr_is_dst)
    regs[dst_no] = dst
    sanitize_check_bounds(env, dst_no, dst)
    reason = commit_ptr_alu(env, insn, dst, info)
    if reason < 0:
        raise sanitize_err(env, insn, reason, not ptr_is_dst)


def allows_arithmetic(base: int, op: int, off: Reg) -> bool:
    """May pointers of that type move?  Flow keys only by constants, map pointers only by 0."""
    if base == PTR_TO_FLOW_KEYS:
        return off.mask == 0
    if base == CONST_PTR_TO_MAP:
        return off.mask == 0 and off.smin == 0 and op == BPF_ADD
    return (
        base == PTR_TO_CTX
        or base == PTR_TO_MAP_VALUE
        or base == PTR_TO_MAP_KEY
        or base == PTR_TO_STACK
        or base == PTR_TO_PACKET_META
        or base == PTR_TO_PACKET
        or base == PTR_TO_TP_BUFFER
        or base == PTR_TO_BTF_ID
        or base == PTR_TO_MEM
        or base == PTR_TO_BUF
        or base == PTR_TO_FUNC
        or base == CONST_PTR_TO_DYNPTR
    )


def check_reg_sane_offset(env: Env, reg: Reg, type: int, operand: bool) -> None:
    """Is an operand or the result of arithmetic on a pointer of that type within ±2^29?  Raises Rejected."""
    value = s64(reg.value)
    if env.rules.offset_in_var_off and not operand:
        value = value if reg.mask == 0 else reg.smin
        if -BPF_MAX_VAR_OFF < value < BPF_MAX_VAR_OFF:
            return
        text = f"{env.type_str(type)} pointer offset {value} is not allowed\n"
    elif reg.mask == 0 and (value >= BPF_MAX_VAR_OFF or value <= -BPF_MAX_VAR_OFF):
        text = f"math between {env.type_str(type)} pointer and {value} is not allowed\n"
    elif reg.off >= BPF_MAX_VAR_OFF or reg.off <= -BPF_MAX_VAR_OFF:
        text = f"{env.type_str(type)} pointer offset {reg.off} is not allowed\n"
    elif reg.smin == S64_MIN:
        text = f"math between {env.type_str(type)} pointer and register with unbounded min value is not allowed\n"
    elif reg.smin >= BPF_MAX_VAR_OFF or reg.smin <= -BPF_MAX_VAR_OFF:
        text = f"value {reg.smin} makes {env.type_str(type)} pointer be out of bounds\n"
    else:
        return
    raise env.reject(EINVAL, "pointer-offset", text)


def move_pointer(env: Env, insn: VInsn, dst: Reg, ptr: Reg, off: Reg, ptr_is_dst: bool) -> None:
    """Make ``dst``, a copy of the destination with the pointer's type, the pointer moved by ``off``.

    Raises Rejected.
    """
    op = insn.code & 0xF0
    dst_no = insn.dst
    if op == BPF_SUB:
        if not ptr_is_dst:
            text = f"R{dst_no} tried to subtract pointer from scalar\n"
            raise env.reject(EACCES, "pointer-arithmetic", text, reg=dst_no)
        if ptr.type == PTR_TO_STACK:
            text = f"R{dst_no} subtraction from stack pointer prohibited\n"
            raise env.reject(EACCES, "pointer-arithmetic", text, reg=dst_no)
    elif op == BPF_AND or op == BPF_OR or op == BPF_XOR:
        text = f"R{dst_no} bitwise operator {OPERATORS[op >> 4]} on pointer prohibited\n"
        raise env.reject(EACCES, "pointer-arithmetic", text, reg=dst_no)
    elif op != BPF_ADD:
        text = f"R{dst_no} pointer arithmetic with {OPERATORS[op >> 4]} operator prohibited\n"
        raise env.reject(EACCES, "pointer-arithmetic", text, reg=dst_no)
    moved = ptr.off + off.smin if op == BPF_ADD else ptr.off - off.smin
    if not ptr_is_dst:
        take_origin(dst, ptr)
    if env.rules.offset_in_var_off:
        dst.frameno = ptr.frameno
        move_within_var_off(env, op, dst, ptr, off)
    elif off.mask == 0 and S32_MIN <= moved <= S32_MAX:
        dst.smin, dst.smax, dst.umin, dst.umax = ptr.smin, ptr.smax, ptr.umin, ptr.umax
        dst.value, dst.mask, dst.off = ptr.value, ptr.mask, moved
    else:
        if op == BPF_ADD:
            add_variable(dst, ptr, off)
        else:
            subtract_variable(dst, ptr, off)
        dst.off = ptr.off
        base = ptr.type & BASE_TYPE_MASK
        if base == PTR_TO_PACKET or base == PTR_TO_PACKET_META:
            dst.id = next_id(env)
            if op == BPF_ADD or off.smin < 0:
                dst.range = 0  # what was checked lies elsewhere now
    check_reg_sane_offset(env, dst, ptr.type, False)
    reg_bounds_sync(env, dst)


def move_within_var_off(env: Env, op: int, dst: Reg, ptr: Reg, off: Reg) -> None:
    """A pointer's whole distance stands in its ranges and tnum; its id and packet range outlive a known distance."""
    if env.rules.arcs:
        moved = ptr.copy()
        add_as_arcs(op, moved, off)
        dst.smin, dst.smax, dst.umin, dst.umax = moved.smin, moved.smax, moved.umin, moved.umax
        dst.value, dst.mask = moved.value, moved.mask
    elif op == BPF_ADD:
        add_variable(dst, ptr, off)
    else:
        subtract_variable(dst, ptr, off)
    base = ptr.type & BASE_TYPE_MASK
    if base != PTR_TO_PACKET and base != PTR_TO_PACKET_META:
        return
    if off.mask:
        dst.id = next_id(env)
    if dst.range < 0 or (off.mask and (op == BPF_ADD or off.smin < 0)):
        dst.range = 0  # what was checked lies elsewhere now


def take_origin(dst: Reg, ptr: Reg) -> None:
    """What comes with a pointer's type; its frame and its reference don't (nor do they in the kernel)."""
    dst.range, dst.map, dst.map_uid, dst.btf, dst.btf_id = ptr.range, ptr.map, ptr.map_uid, ptr.btf, ptr.btf_id
    dst.mem_size, dst.dynptr_id, dst.dynptr_type = ptr.mem_size, ptr.dynptr_id, ptr.dynptr_type
    dst.first_slot, dst.iter_state, dst.iter_depth = ptr.first_slot, ptr.iter_state, ptr.iter_depth
    dst.irq_class, dst.subprogno = ptr.irq_class, ptr.subprogno


def add_variable(dst: Reg, ptr: Reg, off: Reg) -> None:
    """Add the ranges and tnums; a range that overflows is lost."""
    smin, smax = add64(ptr.smin, off.smin), add64(ptr.smax, off.smax)
    if (smin < ptr.smin) != (off.smin < 0) or (smax < ptr.smax) != (off.smax < 0):
        smin, smax = S64_MIN, S64_MAX
    umin, umax = (ptr.umin + off.umin) & U64_MAX, (ptr.umax + off.umax) & U64_MAX
    if umin < ptr.umin or umax < ptr.umax:
        umin, umax = 0, U64_MAX
    value, mask = tnum_add(ptr.value, ptr.mask, off.value, off.mask)
    dst.smin, dst.smax, dst.umin, dst.umax, dst.value, dst.mask = smin, smax, umin, umax, value, mask


def subtract_variable(dst: Reg, ptr: Reg, off: Reg) -> None:
    """Subtract the ranges and tnums, likewise."""
    smin, smax = sub64(ptr.smin, off.smax), sub64(ptr.smax, off.smin)
    if (smin > ptr.smin) != (off.smax < 0) or (smax > ptr.smax) != (off.smin < 0):
        smin, smax = S64_MIN, S64_MAX
    umin, umax = (ptr.umin - off.umax) & U64_MAX, (ptr.umax - off.umin) & U64_MAX
    if ptr.umin < off.umax:
        umin, umax = 0, U64_MAX
    value, mask = tnum_sub(ptr.value, ptr.mask, off.value, off.mask)
    dst.smin, dst.smax, dst.umin, dst.umax, dst.value, dst.mask = smin, smax, umin, umax, value, mask


def sanitize_check_bounds(env: Env, dst_no: int, dst: Reg) -> None:
    """Without CAP_PERFMON a moved pointer must stay inside what it points to, or no mask helps.  Raises Rejected."""
    if dst.type == PTR_TO_STACK:
        check_stack_access_for_ptr_arithmetic(env, dst_no, dst, s32((dst.value + (dst.off & U64_MAX)) & U64_MAX))
    elif dst.type == PTR_TO_MAP_VALUE:
        try:
            check_map_access(env, dst_no, dst.off, 1, False, 2)  # ACCESS_HELPER
        except Rejected:
            text = f"R{dst_no} pointer arithmetic of map value goes out of range, prohibited for !root\n"
            raise env.reject(EACCES, "pointer-out-of-range", text, reg=dst_no) from None


def check_stack_access_for_ptr_arithmetic(env: Env, regno: int, reg: Reg, off: int) -> None:
    """The moved stack pointer must be known and inside its frame; ``off`` is its distance from the frame's top."""
    if reg.mask != 0:
        shown = env.tnum_str(reg.value, reg.mask)
        text = f"R{regno} variable stack access prohibited for !root, var_off={shown} off={off}\n"
        raise env.reject(EACCES, "variable-stack-access", text, reg=regno)
    if off >= 0 or off < -MAX_BPF_STACK:
        text = f"R{regno} stack pointer arithmetic goes out of range, prohibited for !root; off={off}\n"
        raise env.reject(EACCES, "pointer-out-of-range", text, reg=regno)
