"""Helpers that call a function of the program: the function is walked as a path of its own that leads back to the call.

(``push_callback_call`` and the ``set_…_callback_state`` functions in kernel/bpf/verifier.c; Linux 6.18.)
"""

from __future__ import annotations

from errno import EFAULT, ENOMEM
from typing import TYPE_CHECKING

from osmia.kernel.uapi import MAP_TYPES
from osmia.verifier import consts as c
from osmia.verifier.backtrack import mark_chain_precision
from osmia.verifier.call_meta import CallMeta
from osmia.verifier.dynptr import mark_dynptr_cb_reg
from osmia.verifier.dynptr_slots import LOCAL
from osmia.verifier.env import Env, Subprog
from osmia.verifier.func_args import btf_check_subprog_call
from osmia.verifier.insn import VInsn
from osmia.verifier.kernel_types import kernel_type
from osmia.verifier.live_marks import mark_regs_written, pass_register
from osmia.verifier.marks import mark_verifier_state_scratched, unknown_scalar
from osmia.verifier.paths import push_async_cb, push_stack
from osmia.verifier.regs import Reg, not_init, pointer
from osmia.verifier.state import Frame

if TYPE_CHECKING:
    from osmia.verifier.func_call import SetCallee

ENOTSUPP = 524
S32_MIN, S32_MAX = -(1 << 31), (1 << 31) - 1
FOR_EACH_MAP_ELEM, TIMER_SET_CALLBACK, FIND_VMA, LOOP, USER_RINGBUF_DRAIN = 164, 170, 180, 181, 209
FOR_EACH_MAPS = ("array", "percpu_array", "hash", "lru_hash", "percpu_hash", "lru_percpu_hash")


def call_back(env: Env, insn: VInsn, meta: CallMeta) -> None:
    """The callback part of a helper's call, before its caller's registers are forgotten.  Raises Rejected."""
    if meta.func_id == FOR_EACH_MAP_ELEM:
        push_callback_call(env, meta.subprogno, set_map_elem_callback_state)
    elif meta.func_id == FIND_VMA:
        push_callback_call(env, meta.subprogno, set_find_vma_callback_state)
    elif meta.func_id == LOOP:
        call_loop(env, insn, meta.subprogno)
    elif meta.func_id == USER_RINGBUF_DRAIN:
        push_callback_call(env, meta.subprogno, set_user_ringbuf_callback_state)
    else:
        assert meta.func_id == TIMER_SET_CALLBACK  # no other helper has an argument ARG_PTR_TO_FUNC
        push_async_callback_call(env, meta.subprogno, set_timer_callback_state, False)


def call_loop(env: Env, insn: VInsn, number: int) -> None:
    """One more turn of bpf_loop, as long as R1 may be larger than the turns that were walked."""
    update_loop_inline_state(env, insn, number)
    mark_chain_precision(env, 1)
    frame = env.state.frame()
    if frame.callback_depth < frame.regs[1].umax:
        push_callback_call(env, number, set_loop_callback_state)
        return
    frame.callback_depth = 0
    if env.log.level2:
        env.say(f"frame{env.state.curframe} bpf_loop iteration limit reached\n")


def update_loop_inline_state(env: Env, insn: VInsn, number: int) -> None:
    """The kernel builds the loop into the program when it always calls the same function, with flags 0."""
    callbacks: dict[int, int] = env.room.setdefault("loop callbacks", {})
    if insn.notes is None:
        callbacks[insn.idx] = number
        insn.notes = "bpf_loop-inline" if loop_flag_is_zero(env) else "bpf_loop"
    elif insn.notes == "bpf_loop-inline" and not (loop_flag_is_zero(env) and callbacks[insn.idx] == number):
        insn.notes = "bpf_loop"


def loop_flag_is_zero(env: Env) -> bool:
    """Is R4 the number 0?  The kernel then relies on it."""
    reg = env.state.regs()[4]
    if reg.type != c.SCALAR_VALUE or reg.mask or reg.value:
        return False
    mark_chain_precision(env, 4)
    return True


def push_callback_call(env: Env, number: int, set_callee: SetCallee) -> None:
    """Remember to walk function ``number`` as called from here.  Raises Rejected."""
    from osmia.verifier.func_call import setup_func_entry  # which needs this module's callers

    caller = env.state.frame()
    subprog = _mark_callback(env, number, caller)
    if not env.rules.callbacks_iterate:
        env.room["callee"] = enter_once(env, number, set_callee), subprog.start
        return
    pushed = push_stack(env, subprog.start, env.insn_idx, False, ENOMEM)
    setup_func_entry(env, number, env.insn_idx, set_callee, pushed)
    pushed.callback_unroll_depth += 1
    pushed.frames[pushed.curframe - 1].callback_depth += 1
    caller.callback_depth = 0


def enter_once(env: Env, number: int, set_callee: SetCallee) -> Frame:
    """Before Linux 6.6: the walk goes through the function once, on its way behind the call.

    The frame of the function, for ``resume_callback`` to enter when the helper's result is in place.  Raises Rejected.
    """
    from osmia.verifier.func_call import setup_func_entry, tell_entry  # which need this module's callers
    from osmia.verifier.helper_call import clear_caller_saved_regs

    state = env.state
    caller = state.frame()
    setup_func_entry(env, number, env.insn_idx, set_callee, state)
    clear_caller_saved_regs(env, caller.regs)
    tell_entry(env, state)
    state.curframe -= 1
    return state.frames.pop()


def resume_callback(env: Env) -> None:
    """Go into the function that a helper calls, if it called one; ``env.insn_idx`` ends in front of it."""
    found = env.room.pop("callee", None)
    if found is not None:
        callee, start = found
        env.state.frames.append(callee)
        env.state.curframe += 1
        if env.live_stack is None:
            mark_regs_written(env, callee.regs, 6)  # meant for the caller's, but the frame is the callee's by now
        env.insn_idx = start - 1


def push_async_callback_call(env: Env, number: int, set_callee: SetCallee, is_sleepable: bool) -> None:
    """Remember to walk function ``number`` on a stack of its own: it will be called some time later.

    Raises Rejected.
    """
    caller = env.state.frame()
    subprog = _mark_callback(env, number, caller)
    subprog.is_async_cb = True
    pushed = push_async_cb(env, number, subprog.start, env.insn_idx, is_sleepable)
    mark_verifier_state_scratched(env)
    callee = pushed.frames[0]
    callee.async_entry_cnt = caller.async_entry_cnt + 1
    set_callee(env, caller, callee, env.insn_idx)


def _mark_callback(env: Env, number: int, caller: Frame) -> Subprog:
    """The function is one that the kernel calls.  Raises Rejected where its BTF is broken."""
    no = btf_check_subprog_call(env, number, caller.regs)
    if no is not None and no.errno == EFAULT:
        raise no
    subprog = env.subprogs[number]
    subprog.is_cb = True
    return subprog


def set_loop_callback_state(env: Env, caller: Frame, callee: Frame, insn_idx: int) -> None:
    """``callback(u64 index, void *ctx)``."""
    enter(callee, [unknown_scalar(env), caller.regs[3]])
    pass_marks(env, caller, callee, {2: 3})


def set_map_elem_callback_state(env: Env, caller: Frame, callee: Frame, insn_idx: int) -> None:
    """``callback(struct bpf_map *map, void *key, void *value, void *ctx)``.  Raises Rejected."""
    insn = env.insns[insn_idx]
    if MAP_TYPES[insn.map_ptr.type] not in FOR_EACH_MAPS:
        raise env.reject(ENOTSUPP, "for-each-map", "callback function not allowed for map\n")
    map_reg = caller.regs[1]
    key, value = pointer(c.PTR_TO_MAP_KEY), pointer(c.PTR_TO_MAP_VALUE)
    key.map = value.map = map_reg.map
    enter(callee, [map_reg, key, value, caller.regs[3]])
    pass_marks(env, caller, callee, {1: 1, 4: 3})


def set_find_vma_callback_state(env: Env, caller: Frame, callee: Frame, insn_idx: int) -> None:
    """``callback(struct task_struct *task, struct vm_area_struct *vma, void *ctx)``."""
    vma = pointer(c.PTR_TO_BTF_ID)
    vma.btf, vma.btf_id = env.vmlinux, kernel_type(env, "vm_area_struct")
    enter(callee, [caller.regs[1], vma, caller.regs[4]])
    pass_marks(env, caller, callee, {1: 1, 3: 4})


def set_user_ringbuf_callback_state(env: Env, caller: Frame, callee: Frame, insn_idx: int) -> None:
    """``callback(const struct bpf_dynptr *sample, void *ctx)``."""
    callee.regs[0] = not_init()
    enter(callee, [mark_dynptr_cb_reg(env, LOCAL), caller.regs[3]])
    pass_marks(env, caller, callee, {2: 3})


def set_timer_callback_state(env: Env, caller: Frame, callee: Frame, insn_idx: int) -> None:
    """``callback(struct bpf_map *map, void *key, void *value)``, later, with the map that the timer lies in."""
    enter_async(callee, caller.regs[1])
    callee.callback_ret_min = callee.callback_ret_max = 0


def set_task_work_callback_state(env: Env, caller: Frame, callee: Frame, insn_idx: int) -> None:
    """``callback(struct bpf_map *map, void *key, void *value)``, later, with the map that was passed beside it."""
    enter_async(callee, caller.regs[3])
    callee.callback_ret_min, callee.callback_ret_max = S32_MIN, S32_MAX


def enter_async(callee: Frame, value: Reg) -> None:
    """Arguments of a callback of something in a map's value: map, key and value."""
    for i, type in enumerate((c.CONST_PTR_TO_MAP, c.PTR_TO_MAP_KEY, c.PTR_TO_MAP_VALUE), 1):
        reg = pointer(type)
        reg.map = value.map
        callee.regs[i] = reg
    callee.regs[4] = callee.regs[5] = not_init()
    callee.in_async_callback_fn = True


def pass_marks(env: Env, caller: Frame, callee: Frame, sources: dict[int, int]) -> None:
    """Registers of the callback that are the caller's, by number: with them go the marks, where there are any."""
    if env.live_stack is None:
        for regno, source in sources.items():
            pass_register(caller, callee, source, regno)


def enter(callee: Frame, args: list[Reg]) -> None:
    """Arguments of a callback that returns 0 or 1."""
    for i, reg in enumerate(args, 1):
        callee.regs[i] = reg
    for i in range(len(args) + 1, 6):
        callee.regs[i] = not_init()
    callee.in_callback_fn = True
    callee.callback_ret_min, callee.callback_ret_max = 0, 1
