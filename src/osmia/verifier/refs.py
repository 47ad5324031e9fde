"""References, locks and interrupt flags that a path holds.  ``state.refs`` is shared between states: it is replaced.

(``acquire_reference`` and neighbours in kernel/bpf/verifier.c, Linux 6.18.)
"""

from __future__ import annotations

from errno import EINVAL
from typing import Any

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.verifier.consts import (
        REF_TYPE_LOCK,
        REF_TYPE_PTR,
        REF_TYPE_RES_LOCK,
        REF_TYPE_RES_LOCK_IRQ,
        STACK_SPILL,
    )  # fmt: skip
    from osmia.verifier.env import Env
    from osmia.verifier.marks import UNKNOWN, UNKNOWN_PRECISE, UNREADABLE
    from osmia.verifier.regs import Reg
    from osmia.verifier.state import Ref, Slot, State


def acquire_reference(env: Env, insn_idx: int) -> int:
    """The path holds a new reference, taken at ``insn_idx``; its id."""
    env.id_gen += 1
    state = env.state
    _add(state, Ref(REF_TYPE_PTR, env.id_gen, insn_idx))
    return env.id_gen


def acquire_lock_state(env: Env, insn_idx: int, type: int, id: int, ptr: Any) -> None:
    """The path holds the lock in object ``ptr`` with id ``id``."""
    state = env.state
    _add(state, Ref(type, id, insn_idx, ptr))
    state.active_locks += 1
    state.active_lock_id, state.active_lock_ptr = id, ptr


def _add(state: State, ref: Ref) -> None:
    state.refs = [*state.refs, ref]
    state.acquired_refs += 1


def _drop(state: State, index: int) -> None:
    state.refs = state.refs[:index] + state.refs[index + 1 :]
    state.acquired_refs -= 1


def find_lock_state(state: State, type: int, id: int, ptr: Any) -> Ref | None:
    """The lock of one of the kinds ``type`` in that object."""
    for ref in state.refs:
        if ref.type & type and ref.id == id and ref.ptr is ptr:
            return ref
    return None


def holds_reference(state: State, id: int) -> bool:
    """Is the reference of that id still held?"""
    return any(ref.type == REF_TYPE_PTR and ref.id == id for ref in state.refs)


def release_reference_nomark(state: State, id: int) -> bool:
    """Give the pointer reference back; registers stay.  False when the path does not hold it."""
    for index in range(len(state.refs)):
        ref = state.refs[index]
        if ref.type == REF_TYPE_PTR and ref.id == id:
            _drop(state, index)
            return True
    return False


def release_lock_state(state: State, type: int, id: int, ptr: Any) -> bool:
    """Give the lock back; the one taken before it is the active one again.  False when it is not held."""
    before_id, before_ptr = 0, None
    for index in range(len(state.refs)):
        ref = state.refs[index]
        if ref.type == type and ref.id == id and ref.ptr is ptr:
            _drop(state, index)
            state.active_locks -= 1
            state.active_lock_id, state.active_lock_ptr = before_id, before_ptr
            return True
        if ref.type & (REF_TYPE_LOCK | REF_TYPE_RES_LOCK | REF_TYPE_RES_LOCK_IRQ):
            before_id, before_ptr = ref.id, ref.ptr
    return False


def release_reference(env: Env, ref_obj_id: int) -> bool:
    """Give a reference back and invalidate every register and slot that came from it.  False when it is not held."""
    state = env.state
    if not release_reference_nomark(state, ref_obj_id):
        return False
    for frame in state.frames:
        _forget_in_regs(env, frame.regs, ref_obj_id)
        _forget_in_stack(env, frame.stack, ref_obj_id)
    return True


def invalid_reg(env: Env) -> Reg:
    """What is left of a pointer that became invalid: a scalar, or nothing to read where pointers may not leak."""
    if not env.allow_ptr_leaks:
        return UNREADABLE
    return UNKNOWN if env.bpf_capable else UNKNOWN_PRECISE


def _forget_in_regs(env: Env, regs: list[Reg], ref_obj_id: int) -> None:
    for i in range(len(regs)):
        reg = regs[i]
        if reg.ref_obj_id == ref_obj_id:
            regs[i] = invalid_reg(env)


def _forget_in_stack(env: Env, stack: list[Slot], ref_obj_id: int) -> None:
    for i in range(len(stack)):
        slot = stack[i]
        if slot.type_at(7) == STACK_SPILL:
            reg = slot.spilled
            if reg.ref_obj_id == ref_obj_id:
                stack[i] = slot.with_spilled(invalid_reg(env))


def check_reference_leak(env: Env, exception_exit: bool) -> bool:
    """Is a reference left behind?  Says each in the log.  A struct_ops program may return one."""
    state = env.state
    if not exception_exit and state.curframe:
        return False
    returned = state.regs()[0]
    may_return = env.prog_type == "struct_ops" and not exception_exit
    leaks = False
    for ref in state.refs:
        if ref.type != REF_TYPE_PTR or (may_return and returned.ref_obj_id == ref.id):
            continue
        env.say(f"Unreleased reference id={ref.id} alloc_insn={ref.insn_idx}\n")
        leaks = True
    return leaks


def check_held_early(env: Env, exception_exit: bool, prefix: str) -> None:
    """The same before Linux 6.13, where an exit, a tail call and a classic load had texts of their own."""
    state = env.state
    loads, exits = prefix.startswith("BPF_LD"), prefix.startswith(("BPF_EXIT", "bpf_throw"))
    if loads and check_reference_leak(env, False):
        raise env.reject(EINVAL, "reference-leak", "BPF_LD_[ABS|IND] cannot be mixed with socket references\n")
    told = state.active_preempt_locks
    for held, missing, region in (
        (state.active_locks, "bpf_spin_unlock is", "bpf_spin_lock"),
        (state.active_rcu_lock, "bpf_rcu_read_unlock is", "bpf_rcu_read_lock"),
        (told, f"{told} bpf_preempt_enable{' is' if told == 1 else '(s) are'}", "bpf_preempt_disable"),
    ):
        if held and loads:
            raise env.reject(EINVAL, "lock-held", f"{prefix} cannot be used inside {region}-ed region\n")
        if held and exits and state.curframe == 0:
            raise env.reject(EINVAL, "lock-held", f"{missing} missing\n")
    if not loads and check_reference_leak(env, exception_exit):
        raise env.reject(EINVAL, "reference-leak", "" if exits else f"{prefix} would lead to reference leak\n")


def check_resource_leak(env: Env, exception_exit: bool, check_lock: bool, prefix: str) -> None:
    """Raises Rejected when ``prefix`` (an exit, a tail call …) would leave something held."""
    state = env.state
    if not state.refs and not check_lock:
        return
    if not env.rules.held_told_alike:
        check_held_early(env, exception_exit, prefix)
        return
    if check_lock and state.active_locks:
        raise env.reject(EINVAL, "lock-held", f"{prefix} cannot be used inside bpf_spin_lock-ed region\n")
    if check_reference_leak(env, exception_exit):
        raise env.reject(EINVAL, "reference-leak", f"{prefix} would lead to reference leak\n")
    if not check_lock:
        return
    if state.active_irq_id:
        raise env.reject(EINVAL, "irq-disabled", f"{prefix} cannot be used inside bpf_local_irq_save-ed region\n")
    if state.active_rcu_lock:
        raise env.reject(EINVAL, "rcu-held", f"{prefix} cannot be used inside bpf_rcu_read_lock-ed region\n")
    if state.active_preempt_locks:
        text = f"{prefix} cannot be used inside bpf_preempt_disable-ed region\n"
        raise env.reject(EINVAL, "preempt-disabled", text)
