"""Spectre v1: pointer arithmetic by loaders without CAP_PERFMON is masked at run time, so it must be maskable.

What an addition or subtraction needs as its mask is worked out from the path that reaches it and kept in the
instruction; another path must agree.  What the mask could let through speculatively is walked as a path of its own
(kernel/bpf/verifier.c of Linux 6.18, ``sanitize_ptr_alu`` and neighbours).
"""

from __future__ import annotations

from errno import EACCES, ENOMEM

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.verifier.errors import Rejected

if not cython.compiled:
    from osmia.isa.consts import BPF_ADD, BPF_X
    from osmia.verifier.consts import MAX_BPF_STACK, PTR_TO_MAP_VALUE, PTR_TO_STACK, U32_MAX, U64_MAX
    from osmia.verifier.env import Env
    from osmia.verifier.insn import VInsn
    from osmia.verifier.maps import VMap
    from osmia.verifier.marks import mark_reg_unknown
    from osmia.verifier.paths import push_stack
    from osmia.verifier.regs import Reg
    from osmia.words import s32

    # why an operation can't be masked
    REASON_BOUNDS, REASON_TYPE, REASON_PATHS, REASON_LIMIT, REASON_STACK = -1, -2, -3, -4, -5
    # what the mask does (VInsn.alu_state)
    BPF_ALU_SANITIZE_SRC, BPF_ALU_SANITIZE_DST, BPF_ALU_NEG_VALUE, BPF_ALU_NON_POINTER, BPF_ALU_IMMEDIATE = (
        1,
        2,
        4,
        8,
        16,
    )


class SanitizeInfo:
    """What was found before the operation, for after it."""

    def __init__(self) -> None:
        self.alu_state = self.alu_limit = 0
        self.mask_to_left = False


def can_skip_alu_sanitation(env: Env, insn: VInsn) -> bool:
    """Nothing to mask: a trusted loader, a constant operand, or a fence before the instruction."""
    return env.bypass_spec_v1 or (insn.code & BPF_X) == 0 or insn.nospec


def retrieve_ptr_limit(ptr: Reg, mask_to_left: bool) -> int:
    """How many bytes the pointer may move to that side; a negative REASON if that can't be told."""
    if ptr.type == PTR_TO_STACK:
        size = MAX_BPF_STACK + mask_to_left
        limit = (0 - ptr.value - (ptr.off & U64_MAX)) & U32_MAX
    elif ptr.type == PTR_TO_MAP_VALUE:
        found: VMap = ptr.map  # type: ignore[assignment]
        size = found.value_size
        moved = ptr.smin & U64_MAX if mask_to_left else ptr.umax
        limit = (moved + (ptr.off & U64_MAX)) & U32_MAX
    else:
        return REASON_TYPE
    return limit if limit < size else REASON_LIMIT


def update_alu_sanitation_state(insn: VInsn, alu_state: int, alu_limit: int) -> int:
    """Keep the mask in the instruction; REASON_PATHS if another path wants another one."""
    if insn.alu_state and (insn.alu_state != alu_state or insn.alu_limit != alu_limit):
        return REASON_PATHS
    insn.alu_state, insn.alu_limit = alu_state, alu_limit
    return 0


def sanitize_val_alu(env: Env, insn: VInsn) -> None:
    """Addition and subtraction of two scalars: no mask, and no other path may want one.  Raises Rejected."""
    if can_skip_alu_sanitation(env, insn):
        return
    reason = update_alu_sanitation_state(insn, BPF_ALU_NON_POINTER, 0)
    if reason < 0:
        raise sanitize_err(env, insn, reason, True)


def sanitize_ptr_alu(env: Env, insn: VInsn, ptr: Reg, off: Reg, ptr_is_dst: bool, info: SanitizeInfo) -> int:
    """Before a pointer moves by ``off``: find the mask, and let a path start where the mask has cut the move to 0.

    The register to be written must stand in the state as the operation begins.  A REASON below 0 if it can't be.
    """
    if can_skip_alu_sanitation(env, insn):
        return 0
    off_is_imm = off.mask == 0
    if not env.state.speculative:
        negative = off.smin < 0
        if not off_is_imm and negative != (off.smax < 0):
            return REASON_BOUNDS
        info.mask_to_left = negative == ((insn.code & 0xF0) == BPF_ADD)
        limit = retrieve_ptr_limit(ptr, info.mask_to_left)
        if limit < 0:
            return limit
        info.alu_limit = limit
        info.alu_state = BPF_ALU_SANITIZE_SRC if ptr_is_dst else BPF_ALU_SANITIZE_DST
        if negative:
            info.alu_state |= BPF_ALU_NEG_VALUE
        if off_is_imm:
            info.alu_state |= BPF_ALU_IMMEDIATE
        else:
            env.explore_alu_limits = True
    return 0 if off_is_imm else simulate_masked(env, insn, ptr, ptr_is_dst)


def simulate_masked(env: Env, insn: VInsn, ptr: Reg, ptr_is_dst: bool) -> int:
    """Let a speculative path start behind the instruction, with the unmoved pointer in its destination."""
    regs = env.state.regs()
    saved = regs[insn.dst]
    if not ptr_is_dst:
        regs[insn.dst] = ptr
    try:
        sanitize_speculative_path(env, None, env.insn_idx + 1, env.insn_idx)
    except Rejected:
        return REASON_STACK
    regs[insn.dst] = saved
    return 0


def commit_ptr_alu(env: Env, insn: VInsn, dst: Reg, info: SanitizeInfo) -> int:
    """After the move to ``dst``: the mask is as wide as the move.  A REASON below 0 if it can't be kept."""
    if can_skip_alu_sanitation(env, insn) or env.state.speculative:
        return 0
    limit = retrieve_ptr_limit(dst, info.mask_to_left)
    if limit < 0:
        return limit
    distance = s32((info.alu_limit - limit) & U32_MAX)
    return update_alu_sanitation_state(insn, info.alu_state, -distance if distance < 0 else distance)


def sanitize_speculative_path(env: Env, insn: VInsn | None, next_idx: int, curr_idx: int) -> None:
    """Walk from ``next_idx`` as a mispredicted branch would; the operands of ``insn`` may then be anything.

    Raises Rejected (E2BIG) when too many paths wait.
    """
    branch = push_stack(env, next_idx, curr_idx, True)
    if insn is None:
        return
    frame = branch.frames[branch.curframe]
    mark_reg_unknown(env, frame.regs, insn.dst)
    if insn.code & BPF_X:
        mark_reg_unknown(env, frame.regs, insn.src)


def sanitize_err(env: Env, insn: VInsn, reason: int, off_is_dst: bool) -> Rejected:
    """Say why the operation can't be masked, and make the exception."""
    dst, src = insn.dst, insn.src
    op = "add" if (insn.code & 0xF0) == BPF_ADD else "sub"
    err = "pointer arithmetic with it prohibited for !root"
    if reason == REASON_BOUNDS:
        regno = dst if off_is_dst else src
        text = f"R{regno} has unknown scalar with mixed signed bounds, {err}\n"
    elif reason == REASON_TYPE:
        regno = src if off_is_dst else dst
        text = f"R{regno} has pointer with unsupported alu operation, {err}\n"
    elif reason == REASON_PATHS:
        text = f"R{dst} tried to {op} from different maps, paths or scalars, {err}\n"
    elif reason == REASON_LIMIT:
        text = f"R{dst} tried to {op} beyond pointer bounds, {err}\n"
    else:
        text = f"R{dst} could not be pushed for speculative verification, {err}\n"
        return env.reject(ENOMEM, "speculation", text, reg=dst)
    return env.reject(EACCES, "speculation", text, reg=dst)
