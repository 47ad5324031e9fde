"""The walk: every path of a function, instruction by instruction, until each has ended or is known to be safe.

What an instruction means stands in the modules that ``check_insn`` calls.  (``do_check`` and neighbours in
kernel/bpf/verifier.c, Linux 6.18.)
"""

from __future__ import annotations

from errno import E2BIG, EACCES, EFAULT, EINVAL, EPERM

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.verifier.errors import Rejected

if not cython.compiled:
    from osmia.verifier.alu import check_alu_op
    from osmia.verifier.atomic import check_atomic, check_xadd
    from osmia.verifier.backtrack import push_jmp_history
    from osmia.verifier.branch import check_cond_jmp_op
    from osmia.verifier.consts import BPF_COMPLEXITY_LIMIT_INSNS, BPF_WRITE, PTR_TO_CTX
    from osmia.verifier.env import Env
    from osmia.verifier.exit_code import check_return_code
    from osmia.verifier.func_call import check_func_call, prepare_func_exit
    from osmia.verifier.helper_call import check_helper_call
    from osmia.verifier.hidden_exit import ld_abs_exit, tail_call_exit
    from osmia.verifier.insn import VInsn
    from osmia.verifier.kfunc_call import check_kfunc_call
    from osmia.verifier.ld_abs import check_ld_abs
    from osmia.verifier.ld_imm import check_ld_imm
    from osmia.verifier.lines import verbose_linfo, verbose_numbered_insn
    from osmia.verifier.live_stack import commit_stack_write_marks, reset_stack_write_marks, update_live_stack
    from osmia.verifier.marks import check_reg_arg, mark_reg_scratched, mark_verifier_state_scratched
    from osmia.verifier.memory import check_load_mem, check_mem_access, check_store_reg, save_aux_ptr_type
    from osmia.verifier.paths import pop_stack
    from osmia.verifier.printing import print_insn_state, print_verifier_state
    from osmia.verifier.prune import is_state_visited, update_branch_counts
    from osmia.verifier.refs import check_resource_leak

# what an instruction leaves to do
GO_ON, PATH_ENDS, SHOW_STATE = 0, 1, 2

LD, LDX, ST, STX, JMP, JMP32 = 0, 1, 2, 3, 5, 6  # the class of an opcode; 4 and 7 are ALU and ALU64
MEM, ATOMIC, MEMSX = 0x60, 0xC0, 0x80  # the mode
ABS, IND = 0x20, 0x40
JA, CALL, EXIT = 0x00, 0x80, 0x90  # the operation of a jump
SPIN_UNLOCK = 94
TAIL_CALL = 12
RECOVERABLE = (EPERM, EACCES, EINVAL)


def do_check(env: Env) -> None:
    """Walk every path from ``env.insn_idx`` with ``env.state``.  Raises Rejected or Unsupported."""
    show = False
    left = True
    keeps = not env.log.level2 and bool(env.rules.state_behind_insn)  # whether a state that was not shown still will be
    env.prev_insn_idx = -1
    while left:
        step = walk_insn(env, show)
        show = step != GO_ON or (show and keeps)
        if step == PATH_ENDS:
            left = next_path(env)


def next_path(env: Env) -> bool:
    """The current path is done: take up the newest one that waits.  False when there is none."""
    mark_verifier_state_scratched(env)
    update_branch_counts(env, env.state)
    update_live_stack(env)
    return pop_stack(env, not env.log.level2)


def walk_insn(env: Env, show: bool) -> int:
    """One instruction of the current path; GO_ON, PATH_ENDS or SHOW_STATE (go on, and log the whole state next)."""
    env.cur_hist_ent = None
    idx = env.insn_idx
    if idx >= env.n_insns or idx < 0:
        raise env.reject(EFAULT, "insn-index", f"invalid insn idx {idx} insn_cnt {env.n_insns}\n")
    env.insn_processed += 1
    if env.insn_processed > BPF_COMPLEXITY_LIMIT_INSNS:
        text = f"BPF program is too large. Processed {env.insn_processed} insn\n"
        raise env.reject(E2BIG, "too-many-insns", text)
    insn = env.insns[idx]
    state = env.state
    state.last_insn_idx = env.prev_insn_idx
    state.insn_idx = idx
    if insn.prune_point and is_state_visited(env, idx):
        if env.facts is not None:
            env.facts.pruned.add(idx)
        if env.log.verbose:
            say_safe(env, show)
        return PATH_ENDS
    if insn.jmp_point:
        push_jmp_history(env, state, 0, 0)
    if env.log.verbose:
        log_insn(env, insn, show)
    if not state.speculative:
        insn.seen = env.pass_cnt
    elif insn.nospec:
        env.prev_insn_idx = idx
        return PATH_ENDS
    if env.facts is not None:
        env.facts.note(env)
    return judge(env, insn)


def judge(env: Env, insn: VInsn) -> int:
    """Apply the rules to the instruction.  Raises Rejected."""
    idx = env.insn_idx
    reset_stack_write_marks(env, idx)
    if env.state.speculative and env.rules.speculation_fenced:
        step = judge_guess(env, insn)
    else:
        step = check_insn(env, insn)
    commit_stack_write_marks(env)
    env.prev_insn_idx = idx
    return step


def judge_guess(env: Env, insn: VInsn) -> int:
    """The same on a path that the processor may only guess: what may not run there is fenced off instead of refused."""
    try:
        step = check_insn(env, insn)
    except Rejected as no:
        if no.errno not in RECOVERABLE:
            raise
        insn.nospec = True
        insn.alu_state = 0
        return PATH_ENDS
    return PATH_ENDS if insn.nospec_result else step


def say_safe(env: Env, show: bool) -> None:
    """A state like this one was walked before."""
    if show:
        mode = " (speculative execution)" if env.state.speculative else ""
        env.say(f"\nfrom {env.prev_insn_idx} to {env.insn_idx}{mode}: safe\n")
    else:
        env.say(f"{env.insn_idx}: safe\n")


def log_insn(env: Env, insn: VInsn, show: bool) -> None:
    """What changed before the instruction, its source line, and the instruction."""
    state = env.state
    log = env.log
    if not env.rules.state_behind_insn:
        show_whole_state(env, show)
    elif log.level2 and show:
        mode = " (speculative execution)" if state.speculative else ""
        env.say(f"\nfrom {env.prev_insn_idx} to {env.insn_idx}{mode}:")
        print_verifier_state(env, state, state.curframe, True)
    if env.scratched_regs or env.scratched_stack_slots:
        print_insn_state(env, state, state.curframe)
    verbose_linfo(env, env.insn_idx, "; ")
    env.prev_log_pos = log.end_pos
    verbose_numbered_insn(env, insn)
    env.prev_insn_print_pos = log.end_pos - env.prev_log_pos
    env.prev_log_pos = log.end_pos


def show_whole_state(env: Env, show: bool) -> None:
    """Before 5.17 level 2 shows the state in front of each instruction, level 1 where the walk came from elsewhere."""
    state = env.state
    if env.log.level2:
        env.say(f"{env.insn_idx}:")
    elif show:
        mode = " (speculative execution)" if state.speculative else ""
        env.say(f"\nfrom {env.prev_insn_idx} to {env.insn_idx}{mode}:")
    if show or env.log.level2:
        print_verifier_state(env, state, state.curframe, True)


def check_insn(env: Env, insn: VInsn) -> int:
    """What one instruction does to the current state; moves ``env.insn_idx`` on.  Raises Rejected."""
    kind = insn.code & 7
    if kind == 4 or kind == 7:
        check_alu_op(env, insn)
    elif kind == LDX:
        check_load_mem(env, insn, False, (insn.code & 0xE0) == MEMSX, True, "ldx")
    elif kind == STX:
        check_stx(env, insn)
    elif kind == ST:
        check_st(env, insn)
    elif kind == JMP or kind == JMP32:
        return check_jump(env, insn)
    else:
        check_ld(env, insn)
    env.insn_idx += 1
    return GO_ON


def check_stx(env: Env, insn: VInsn) -> None:
    """A store from a register, or an atomic operation."""
    mode = insn.code & 0xE0
    if mode == ATOMIC:
        if env.rules.atomic_ops:
            check_atomic(env, insn)
        else:
            check_xadd(env, insn)
    elif mode != MEM or insn.imm != 0:
        raise env.reject(EINVAL, "reserved-fields", "BPF_STX uses reserved fields\n")
    else:
        check_store_reg(env, insn, False)


def check_st(env: Env, insn: VInsn) -> None:
    """A store of a constant."""
    if (insn.code & 0xE0) != MEM or insn.src != 0:
        raise env.reject(EINVAL, "reserved-fields", "BPF_ST uses reserved fields\n")
    check_reg_arg(env, insn.dst, 0)
    reg = env.state.regs()[insn.dst]
    if reg.type == PTR_TO_CTX and not env.rules.ctx_store_constants:
        text = f"BPF_ST stores into R{insn.dst} ctx is not allowed\n"
        raise env.reject(EACCES, "ctx-store", text, reg=insn.dst)
    size = size_of(insn.code)
    check_mem_access(env, env.insn_idx, insn.dst, insn.off, size, BPF_WRITE, -1, False, False)
    save_aux_ptr_type(env, reg.type, False)


def size_of(code: int) -> int:
    """Bytes that a load or store moves."""
    field = code & 0x18
    if field == 0x00:
        return 4
    if field == 0x08:
        return 2
    return 1 if field == 0x10 else 8


def may_not_call(env: Env, insn: VInsn) -> bool:
    """Is this a call that nobody makes who holds a lock?"""
    if insn.src == 0:
        return insn.imm != SPIN_UNLOCK
    return insn.src == 1 and not env.rules.calls_under_lock


def check_ld(env: Env, insn: VInsn) -> None:
    """A 64-bit constant (two slots) or a classic packet load."""
    mode = insn.code & 0xE0
    if mode == ABS or mode == IND:
        check_ld_abs(env, insn)
        if env.state.curframe and env.rules.ld_abs_exits:
            ld_abs_exit(env)
    elif mode == 0:
        check_ld_imm(env, insn)
        env.insn_idx += 1
        second = env.insns[env.insn_idx]
        if not env.state.speculative:
            second.seen = env.pass_cnt
    else:
        raise env.reject(EINVAL, "ld-mode", "invalid BPF_LD mode\n")


def check_jump(env: Env, insn: VInsn) -> int:
    """A jump, call or exit."""
    env.jmps_processed += 1
    op = insn.code & 0xF0
    if op == CALL:
        return check_call(env, insn)
    if op == JA:
        check_ja(env, insn)
        return GO_ON
    if op == EXIT:
        if insn.code & 0x08 or insn.imm != 0 or insn.src != 0 or insn.dst != 0 or (insn.code & 7) == JMP32:
            raise env.reject(EINVAL, "reserved-fields", "BPF_EXIT uses reserved fields\n")
        return process_bpf_exit(env, False)
    check_cond_jmp_op(env, insn)
    env.insn_idx += 1
    return GO_ON


def check_ja(env: Env, insn: VInsn) -> None:
    """An unconditional jump: by off, or by imm in the 32-bit class (gotol)."""
    far = (insn.code & 7) == JMP32
    unused = insn.off if far else insn.imm
    if far and not env.rules.gotol:
        unused = 1
    if insn.code & 0x08 or insn.src != 0 or insn.dst != 0 or unused != 0:
        raise env.reject(EINVAL, "reserved-fields", "BPF_JA uses reserved fields\n")
    env.insn_idx += (insn.imm if far else insn.off) + 1


def check_call(env: Env, insn: VInsn) -> int:
    """A call of a helper (src 0), of a function of the program (1) or of a kernel function (2)."""
    src = insn.src
    bad_kind = src != 0 and src != 1 and (src != 2 or not env.rules.kfunc_calls)
    if insn.code & 0x08 or (src != 2 and insn.off != 0) or bad_kind or insn.dst != 0 or (insn.code & 7) == JMP32:
        raise env.reject(EINVAL, "reserved-fields", "BPF_CALL uses reserved fields\n")
    if env.state.active_locks and may_not_call(env, insn):
        text = "function calls are not allowed while holding a lock\n"
        raise env.reject(EINVAL, "call-under-lock", text)
    if src == 1:
        check_func_call(env, insn)
    elif src == 2:
        if check_kfunc_call(env, insn):
            return process_bpf_exit(env, True)
    else:
        check_helper_call(env, insn)
        if insn.imm == TAIL_CALL and env.state.curframe and env.rules.tail_call_exits:
            tail_call_exit(env)
    if env.rules.calls_show_result:
        mark_reg_scratched(env, 0)
    env.insn_idx += 1
    return GO_ON


def process_bpf_exit(env: Env, exception_exit: bool) -> int:
    """The end of a function, or of everything when ``exception_exit``."""
    outermost = env.state.curframe == 0
    how = "bpf_throw" if exception_exit else "BPF_EXIT instruction in main prog"
    check_resource_leak(env, exception_exit, exception_exit or outermost, how)
    if exception_exit:
        return PATH_ENDS
    if not outermost:
        update_live_stack(env)
        prepare_func_exit(env)
        return SHOW_STATE
    check_return_code(env, 0, "R0")
    return PATH_ENDS
