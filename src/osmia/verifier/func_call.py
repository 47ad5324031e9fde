"""Calls of the program's own functions: into static ones the walk goes, global ones are judged by themselves.

(``check_func_call``, ``setup_func_entry``, ``prepare_func_exit`` in kernel/bpf/verifier.c; Linux 6.18.)
"""

from __future__ import annotations

from collections.abc import Callable
from errno import E2BIG, EACCES, EFAULT, EINVAL

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.verifier.exit_code import invalid_scalar, returns_within
from osmia.verifier.func_args import btf_check_subprog_call
from osmia.verifier.live_marks import pass_arguments, pass_result
from osmia.verifier.printing import print_verifier_state

if not cython.compiled:
    from osmia.verifier.backtrack import mark_chain_precision
    from osmia.verifier.consts import MAX_CALL_FRAMES, PTR_TO_STACK, SCALAR_VALUE
    from osmia.verifier.env import Env, Subprog
    from osmia.verifier.helper_call import clear_all_pkt_pointers, clear_caller_saved_regs
    from osmia.verifier.insn import VInsn
    from osmia.verifier.live_stack import reset_live_stack_callchain
    from osmia.verifier.marks import mark_reg_unknown, mark_verifier_state_scratched
    from osmia.verifier.regs import Reg
    from osmia.verifier.state import Frame, State
    from osmia.verifier.widen import find_prev_entry, widen_imprecise_scalars

GLOBAL = 1  # linkage of a function in BTF
SetCallee = Callable[[Env, Frame, Frame, int], None]


def check_func_call(env: Env, insn: VInsn) -> None:
    """Apply a call of a function of the program; ``env.insn_idx`` ends on the slot before the next one.

    Raises Rejected.
    """
    number = env.find_subprog(env.insn_idx + insn.imm + 1)
    subprog = env.subprogs[number]
    state = env.state
    caller = state.frame()
    no = btf_check_subprog_call(env, number, caller.regs)
    if no is not None and no.errno == EFAULT:
        raise no
    if subprog.linkage == GLOBAL:
        _check_global_call(env, number, subprog)
        if no is not None:
            name = f" ('{subprog.name}')" if env.rules.lazy_globals else ""
            env.say(f"Caller passes invalid args into func#{number}{name}\n")
            raise no
        _skip_global(env, number, subprog, caller)
        return
    setup_func_entry(env, number, env.insn_idx, set_callee_state, state)
    clear_caller_saved_regs(env, caller.regs)
    env.insn_idx = subprog.start - 1
    reset_live_stack_callchain(env)
    tell_entry(env, state)


def tell_entry(env: Env, state: State) -> None:
    """Show the caller and the function that was entered."""
    if env.log.verbose:
        env.say("caller:\n")
        print_verifier_state(env, state, state.curframe - 1, True)
        env.say("callee:\n")
        print_verifier_state(env, state, state.curframe, True)


def _check_global_call(env: Env, number: int, subprog: Subprog) -> None:
    """Where global functions may not be called."""
    state = env.state
    if state.active_locks:
        text = "global function calls are not allowed while holding a lock,\nuse static function instead\n"
        raise env.reject(EINVAL, "call-under-lock", text)
    held = state.active_rcu_lock or state.active_preempt_locks or state.active_irq_id
    if subprog.might_sleep and (held or not state.in_sleepable):
        text = (
            "global functions that may sleep are not allowed in non-sleepable context,\n"
            "i.e., in a RCU/IRQ/preempt-disabled section, or in\n"
            "a non-sleepable BPF program context\n"
        )
        raise env.reject(EINVAL, "call-sleeps", text)


def _skip_global(env: Env, number: int, subprog: Subprog, caller: Frame) -> None:
    """The function returns some number; it will be walked after the main program."""
    if env.rules.lazy_globals:
        env.say(f"Func#{number} ('{subprog.name}') is global and assumed valid.\n")
    elif env.log.verbose:
        env.say(f"Func#{number} is global and valid. Skipping.\n")
    if subprog.changes_pkt_data:
        clear_all_pkt_pointers(env)
    subprog.called = True
    clear_caller_saved_regs(env, caller.regs)
    mark_reg_unknown(env, caller.regs, 0)


def setup_func_entry(env: Env, number: int, callsite: int, set_callee: SetCallee, state: State) -> None:
    """Add the frame of function ``number`` to ``state``, called from slot ``callsite``.  Raises Rejected."""
    if state.curframe + 1 >= MAX_CALL_FRAMES:
        text = f"the call stack of {state.curframe + 2} frames is too deep\n"
        raise env.reject(E2BIG, "call-depth", text)
    caller = state.frame()
    callee = Frame(callsite, state.curframe + 1, number)
    mark_verifier_state_scratched(env)
    set_callee(env, caller, callee, callsite)
    state.frames.append(callee)
    state.curframe += 1


def set_callee_state(env: Env, caller: Frame, callee: Frame, insn_idx: int) -> None:
    """The callee gets the caller's R1 to R5."""
    for i in range(1, 6):
        callee.regs[i] = caller.regs[i]
    if env.live_stack is None:
        pass_arguments(caller, callee)


def prepare_func_exit(env: Env) -> None:
    """Return from the innermost function: to the slot behind the call, or to the call itself for a callback.

    Raises Rejected.
    """
    state = env.state
    callee = state.frame()
    r0 = callee.regs[0]
    if r0.type == PTR_TO_STACK:
        raise env.reject(EINVAL, "return-stack-pointer", "cannot return stack pointer to the caller\n", reg=0)
    caller = state.frames[state.curframe - 1]
    from_callback = callee.in_callback_fn
    if from_callback:
        _check_callback_return(env, callee, r0)
        env.insn_idx = callee.callsite + (0 if env.rules.callbacks_iterate else 1)
    else:
        caller.regs[0] = r0
        if env.live_stack is None:
            pass_result(callee, caller)
        env.insn_idx = callee.callsite + 1
    if env.log.verbose:
        env.say("returning from callee:\n")
        print_verifier_state(env, state, callee.frameno, True)
        env.say(f"to caller at {env.insn_idx}:\n")
        print_verifier_state(env, state, caller.frameno, True)
    state.frames.pop()
    state.curframe -= 1
    if from_callback and env.rules.callbacks_iterate:
        before = find_prev_entry(env, state, env.insn_idx)
        if before is not None:
            widen_imprecise_scalars(env, before, state)


def _check_callback_return(env: Env, callee: Frame, r0: Reg) -> None:
    """What a callback returns is looked at by the helper that called it."""
    if r0.type != SCALAR_VALUE:
        raise env.reject(EACCES, "callback-return", "R0 not a scalar value\n", reg=0)
    mark_chain_precision(env, 0)
    r0 = callee.regs[0]
    low, high = callee.callback_ret_min, callee.callback_ret_max
    if not returns_within(env, r0, low, high, False):
        raise invalid_scalar(env, r0, low, high, "At callback return", "R0")
