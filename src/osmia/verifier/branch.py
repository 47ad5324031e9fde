"""Conditional jumps: which ways the path goes on, and what each of them knows more than before.

The walk follows the fall-through (or the one way that is possible); the other way waits on the stack of paths.
(``check_cond_jmp_op`` in kernel/bpf/verifier.c, Linux 6.18.)
"""

from __future__ import annotations

from errno import EACCES, EINVAL, ENOMEM

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.verifier.backtrack import mark_chain_precision, push_jmp_history
    from osmia.verifier.consts import (
        BASE_TYPE_MASK,
        INSN_F_DST_REG_STACK,
        INSN_F_SRC_REG_STACK,
        PTR_MAYBE_NULL,
        PTR_TO_BTF_ID,
        PTR_TO_STACK,
        SCALAR_VALUE,
        U64_MAX,
    )  # fmt: skip
    from osmia.verifier.env import Env
    from osmia.verifier.insn import VInsn
    from osmia.verifier.linked import collect_linked_regs, sync_equal_scalars, sync_linked_regs
    from osmia.verifier.loaded import constant
    from osmia.verifier.marks import check_reg_arg
    from osmia.verifier.nulls import mark_ptr_or_null_regs, ptr_not_null_reg, reg_is_pkt_pointer_any
    from osmia.verifier.packet_range import try_match_pkt_pointers
    from osmia.verifier.paths import push_stack
    from osmia.verifier.printing import print_insn_state, print_verifier_state
    from osmia.verifier.refine import JEQ, JNE, is_branch_taken, reg_set_min_max, same_register_taken, surviving_branch
    from osmia.verifier.refine_const import is_branch_taken_const, refine_by_const
    from osmia.verifier.regs import Reg
    from osmia.verifier.speculation import sanitize_speculative_path
    from osmia.verifier.state import State
    from osmia.verifier.widen import find_prev_entry, widen_imprecise_scalars

    JCOND = 0xE0


def check_cond_jmp_op(env: Env, insn: VInsn) -> None:
    """Judge a conditional jump; ``env.insn_idx`` moves to the slot in front of the one that comes next.

    Raises Rejected.
    """
    opcode = insn.code & 0xF0
    if opcode == 0 or opcode > JCOND or (opcode == JCOND and not env.rules.may_goto):
        raise env.reject(EINVAL, "jump-opcode", f"invalid BPF_JMP/JMP32 opcode {opcode:x}\n")
    if opcode == JCOND:
        _check_may_goto(env, insn)
        return
    src = _check_operands(env, insn)
    state = env.state
    if env.rules.compare_ranges:
        taken = is_branch_taken(state.regs()[insn.dst], src, opcode, insn.code & 7 == 6)
    else:
        taken = is_branch_taken_const(state.regs()[insn.dst], src, opcode, insn.code & 7 == 6)
    if insn.code & 8 and insn.src == insn.dst and env.rules.same_register_known and src.type == SCALAR_VALUE:
        taken = same_register_taken(src, opcode, insn.code & 7 == 6)
    elif taken < 0 and env.rules.dead_by_refining:
        taken = surviving_branch(env, state.regs()[insn.dst], src, opcode, insn.code & 7 == 6)
    if taken < 0:
        _fork(env, insn, src)
        if env.log.verbose and not env.rules.state_behind_insn:
            print_verifier_state(env, state, state.curframe, True)
    else:
        _follow(env, insn, src, taken)
    if env.log.verbose:
        print_insn_state(env, state, state.curframe)
    if taken > 0:
        env.insn_idx += insn.off


def _check_may_goto(env: Env, insn: VInsn) -> None:
    """``may_goto``: the kernel may jump whenever it likes.  Falling through is walked later, with one round more."""
    if insn.code != 0xE5 or insn.src or insn.dst or insn.imm:
        raise env.reject(EINVAL, "may-goto", f"invalid may_goto imm {insn.imm}\n")
    idx = env.insn_idx
    previous = find_prev_entry(env, env.state.parent, idx)
    queued = push_stack(env, idx + 1, idx, False, ENOMEM)
    queued.may_goto_depth += 1
    if previous is not None:
        widen_imprecise_scalars(env, previous, queued)
    env.insn_idx += insn.off


def _check_operands(env: Env, insn: VInsn) -> Reg:
    """May the two be read and compared?  The second one, made up for a constant; history where it matters."""
    if not env.rules.jump_destination_first:
        _check_source_first(env, insn)
    check_reg_arg(env, insn.dst, 0)
    flags = 0
    if insn.code & 8:
        src = _check_source(env, insn)
        if src.type == PTR_TO_STACK:
            flags |= INSN_F_SRC_REG_STACK
    else:
        if insn.src:
            raise env.reject(EINVAL, "reserved-fields", "BPF_JMP/JMP32 uses reserved fields\n")
        src = constant(insn.imm & U64_MAX)
    state = env.state
    dst = state.regs()[insn.dst]
    if dst.type == PTR_TO_STACK:
        flags |= INSN_F_DST_REG_STACK
    if flags:
        push_jmp_history(env, state, flags, 0)
    return src


def _check_source_first(env: Env, insn: VInsn) -> None:
    """What is wrong with the fields or the source is told before anything is said of the destination."""
    by_reg = insn.code & 8
    if insn.imm if by_reg else insn.src:
        raise env.reject(EINVAL, "reserved-fields", "BPF_JMP/JMP32 uses reserved fields\n")
    if by_reg:
        check_reg_arg(env, insn.src, 0)
        if not env.allow_ptr_leaks and env.state.regs()[insn.src].type != SCALAR_VALUE:
            raise _prohibited(env, insn.src)


def _check_source(env: Env, insn: VInsn) -> Reg:
    if insn.imm:
        raise env.reject(EINVAL, "reserved-fields", "BPF_JMP/JMP32 uses reserved fields\n")
    check_reg_arg(env, insn.src, 0)
    state = env.state
    regs = state.regs()
    dst = regs[insn.dst]
    src = regs[insn.src]
    if env.allow_ptr_leaks or src.type == SCALAR_VALUE:
        return src
    if not (reg_is_pkt_pointer_any(dst) and reg_is_pkt_pointer_any(src)):
        raise _prohibited(env, insn.src)
    return src


def _prohibited(env: Env, regno: int) -> Exception:
    return env.reject(EACCES, "pointer-comparison", f"R{regno} pointer comparison prohibited\n", reg=regno)


def _follow(env: Env, insn: VInsn, src: Reg, taken: int) -> None:
    """Only one way is possible, because of the values: they must stay as they are.  The CPU may guess the other one."""
    state = env.state
    dst = state.regs()[insn.dst]
    if dst.type == SCALAR_VALUE:
        mark_chain_precision(env, insn.dst)
    if insn.code & 8 and src.type == SCALAR_VALUE:
        mark_chain_precision(env, insn.src)
    if not env.bypass_spec_v1:
        idx = env.insn_idx
        sanitize_speculative_path(env, insn, idx + 1 if taken else idx + insn.off + 1, idx)


def _fork(env: Env, insn: VInsn, src: Reg) -> None:
    """Both ways are possible: the jump waits, and each way learns what it implies."""
    state = env.state
    linked = _collect_linked(env, insn)
    other = push_stack(env, env.insn_idx + insn.off + 1, env.insn_idx, False)
    regs = state.regs()
    dst = regs[insn.dst]
    if insn.code & 8:
        src = regs[insn.src]
    if dst.type == SCALAR_VALUE and src.type == SCALAR_VALUE:
        _refine(env, insn, src, other)
    if linked & 15 > 1:
        _sync_linked(env, insn, state, linked)
        _sync_linked(env, insn, other, linked)
    elif not env.rules.linked_history:
        _sync_equal(insn, state)
        _sync_equal(insn, other)
    if insn.code & 7 == 5:
        _compare_pointers(env, insn, other)
    elif not env.allow_ptr_leaks:
        dst = regs[insn.dst]
        if dst.type != SCALAR_VALUE:
            raise _prohibited(env, insn.dst)


def _collect_linked(env: Env, insn: VInsn) -> int:
    """The scalars linked to the two that are compared; going back will need to know."""
    if not env.rules.linked_history:
        return 0
    state = env.state
    regs = state.regs()
    linked = 0
    if insn.code & 8:
        src = regs[insn.src]
        if src.type == SCALAR_VALUE and src.id:
            linked = collect_linked_regs(env, state, src.id, linked)
    dst = regs[insn.dst]
    if dst.type == SCALAR_VALUE and dst.id:
        linked = collect_linked_regs(env, state, dst.id, linked)
    if linked & 15 > 1:
        push_jmp_history(env, state, 0, linked)
    return linked


def _refine(env: Env, insn: VInsn, src: Reg, other: State) -> None:
    """Two scalars, both ways: on the way that jumps the comparison holds, on this one it doesn't."""
    state = env.state
    regs, other_regs = state.regs(), other.regs()
    dst = regs[insn.dst]
    false1 = dst.copy()
    true1 = dst.copy()
    if not insn.code & 8:
        false2, true2 = src.copy(), src.copy()
    elif insn.src == insn.dst:
        false2, true2 = false1, true1
    else:
        false2, true2 = src.copy(), src.copy()
        regs[insn.src], other_regs[insn.src] = false2, true2
    regs[insn.dst], other_regs[insn.dst] = false1, true1
    if env.rules.compare_ranges:
        reg_set_min_max(env, true1, true2, false1, false2, insn.code & 0xF0, insn.code & 7 == 6)
    else:
        refine_by_const(env, true1, true2, false1, false2, insn.code & 0xF0, insn.code & 7 == 6)


def _sync_equal(insn: VInsn, state: State) -> None:
    """What both sides learned, where both are scalars, for every scalar of their ids."""
    regs = state.regs()
    dst = regs[insn.dst]
    if dst.type != SCALAR_VALUE:
        return
    if insn.code & 8:
        src = regs[insn.src]
        if src.type == SCALAR_VALUE and src.id:
            sync_equal_scalars(state, src)
            dst = regs[insn.dst]
    if dst.id:
        sync_equal_scalars(state, dst)


def _sync_linked(env: Env, insn: VInsn, state: State, linked: int) -> None:
    regs = state.regs()
    if insn.code & 8:
        src = regs[insn.src]
        if src.type == SCALAR_VALUE and src.id:
            sync_linked_regs(env, state, src, linked)
    dst = regs[insn.dst]
    if dst.type == SCALAR_VALUE and dst.id:
        sync_linked_regs(env, state, dst, linked)


def _compare_pointers(env: Env, insn: VInsn, other: State) -> None:
    """What a 64-bit comparison tells of pointers: whether they may be null, how far the packet goes."""
    state = env.state
    regs = state.regs()
    opcode = insn.code & 0xF0
    dst = regs[insn.dst]
    if dst.type == SCALAR_VALUE and not insn.code & 8:
        return
    src = regs[insn.src]
    if insn.code & 8 and (opcode == JEQ or opcode == JNE) and env.rules.nullness_spreads:
        _spread_nullness(insn, dst, src, other.regs() if opcode == JEQ else regs)
        dst = regs[insn.dst]
        src = regs[insn.src]
    null_check = not insn.code & 8 and insn.imm == 0 and (opcode == JEQ or opcode == JNE)
    if null_check and dst.type & PTR_MAYBE_NULL:
        mark_ptr_or_null_regs(env, state, insn.dst, opcode == JNE)
        mark_ptr_or_null_regs(env, other, insn.dst, opcode == JEQ)
    elif (
        not try_match_pkt_pointers(insn, dst, src, state, other, env.rules.offset_in_var_off)
        and not env.allow_ptr_leaks
    ):
        dst = regs[insn.dst]
        if dst.type != SCALAR_VALUE:
            raise _prohibited(env, insn.dst)


def _spread_nullness(insn: VInsn, dst: Reg, src: Reg, equal_regs: list[Reg]) -> None:
    """Where two pointers are equal and one of them is not null, the other isn't either; BTF pointers say nothing."""
    if src.type == SCALAR_VALUE or dst.type == SCALAR_VALUE:
        return
    if src.type & PTR_MAYBE_NULL == dst.type & PTR_MAYBE_NULL:
        return
    if src.type & BASE_TYPE_MASK == PTR_TO_BTF_ID or dst.type & BASE_TYPE_MASK == PTR_TO_BTF_ID:
        return
    regno = insn.src if src.type & PTR_MAYBE_NULL else insn.dst
    equal_regs[regno] = ptr_not_null_reg(equal_regs[regno])
