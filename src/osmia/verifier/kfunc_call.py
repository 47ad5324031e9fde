"""Calls of kernel functions by BTF id: may this program call it here with these registers, and what comes of it?

(``check_kfunc_call`` in kernel/bpf/verifier.c; Linux 6.18.)
"""

from __future__ import annotations

from errno import EACCES, EFAULT, EINVAL

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.verifier import consts as c
from osmia.verifier.bounds import reg_bounds_sync
from osmia.verifier.btf_access import in_rcu_cs
from osmia.verifier.callbacks import (
    push_async_callback_call,
    push_callback_call,
    set_task_work_callback_state,
    set_timer_callback_state,
)
from osmia.verifier.errors import Rejected
from osmia.verifier.exit_code import check_return_code
from osmia.verifier.graph import ADDS, RBTREE_ADD, check_rcu_in_callback, give_away, set_rbtree_add_callback_state
from osmia.verifier.helper_call import clear_all_pkt_pointers
from osmia.verifier.iterators import process_iter_next_call
from osmia.verifier.kfunc_args import check_kfunc_args
from osmia.verifier.kfunc_kinds import RES_LOCKS
from osmia.verifier.kfunc_meta import ASYNC_CALLBACKS, KfuncDesc, KfuncMeta, is_allowed, kfunc_of
from osmia.verifier.kfunc_return import set_kfunc_return
from osmia.verifier.live_marks import mark_regs_written
from osmia.verifier.marks import mark_reg_not_init, unknown_scalar
from osmia.verifier.paths import push_stack
from osmia.verifier.refs import release_reference
from osmia.verifier.regs import Reg

if not cython.compiled:
    from osmia.verifier.env import Env
    from osmia.verifier.insn import VInsn

ALLOWED_UNDER_LOCK = (
    *("bpf_iter_num_new", "bpf_iter_num_next", "bpf_iter_num_destroy", "bpf_refcount_acquire_impl"),
    *("bpf_res_spin_lock", "bpf_res_spin_unlock", "bpf_res_spin_lock_irqsave", "bpf_res_spin_unlock_irqrestore"),
    *("bpf_list_push_front_impl", "bpf_list_push_back_impl", "bpf_list_pop_front", "bpf_list_pop_back"),
    *("bpf_list_front", "bpf_list_back", "bpf_rbtree_add_impl", "bpf_rbtree_remove", "bpf_rbtree_first"),
    *("bpf_rbtree_root", "bpf_rbtree_left", "bpf_rbtree_right"),
)
WQ_SET_CALLBACK = "bpf_wq_set_callback_impl"
MAX_ERRNO = 4095


def check_kfunc_call(env: Env, insn: VInsn) -> bool:
    """Apply the call to the current state; True when it never returns (bpf_throw)."""
    desc = kfunc_of(env, insn)
    if env.state.active_locks and (desc is None or desc.name not in ALLOWED_UNDER_LOCK):
        text = "function calls are not allowed while holding a lock\n"
        raise env.reject(EINVAL, "call-under-lock", text)
    if desc is None:
        return False  # refused after the walk, unless it turns out to be dead code
    if not is_allowed(env, desc):
        text = f"calling kernel function {desc.name} is not allowed\n"
        raise env.reject(EACCES, "kfunc-not-allowed", text, found=desc.name)
    insn.is_iter_next = desc.iter_next
    if desc.name in RES_LOCKS:
        _push_failure(env)
    _check_place(env, desc)
    meta = KfuncMeta(desc)
    check_kfunc_args(env, meta)
    if desc.name == RBTREE_ADD or desc.name in ASYNC_CALLBACKS:
        _push_callback(env, meta)
    if desc.name == "bpf_session_cookie":
        meta.r0_size = 8
    _enter_or_leave(env, desc)
    regs = env.state.regs()
    if meta.release_regno and not release_reference(env, regs[meta.release_regno].ref_obj_id):
        text = f"kfunc {desc.name}#{desc.id} reference has not been acquired before\n"
        raise env.reject(EINVAL, "release-not-held", text)
    if desc.name in ADDS:
        give_away(env, meta, regs[2].ref_obj_id)
    if desc.name == "bpf_throw":
        env.seen_exception = True
        if not env.exception_callback_subprog:
            check_return_code(env, 1, "R1")  # the kernel's own callback returns what was thrown
    for regno in range(6):
        mark_reg_not_init(env, regs, regno)
    set_kfunc_return(env, meta)
    if env.live_stack is None and regs[0].type != c.NOT_INIT:
        mark_regs_written(env, regs, 1)
    if desc.changes_pkt_data:
        clear_all_pkt_pointers(env)
    if desc.iter_next:
        process_iter_next_call(env, meta)
    return bool(desc.name == "bpf_throw")


def _push_callback(env: Env, meta: KfuncMeta) -> None:
    """The function that is called back is walked later."""
    try:
        if meta.desc.name == RBTREE_ADD:
            push_callback_call(env, meta.subprogno, set_rbtree_add_callback_state)
        elif meta.desc.name == WQ_SET_CALLBACK:
            push_async_callback_call(env, meta.subprogno, set_timer_callback_state, True)
        else:
            push_async_callback_call(env, meta.subprogno, set_task_work_callback_state, True)
    except Rejected:
        env.say(f"kfunc {meta.desc.name}#{meta.desc.id} failed callback verification\n")
        raise


def _push_failure(env: Env) -> None:
    """A resilient lock may not be had: the path on which R0 is an errno is walked later."""
    regs = push_stack(env, env.insn_idx + 1, env.insn_idx, False).regs()
    for regno in range(6):
        mark_reg_not_init(env, regs, regno)
    reg = unknown_scalar(env)
    reg.smin = reg.s32_min = -MAX_ERRNO
    reg.smax = reg.s32_max = -1
    reg_bounds_sync(env, reg)
    regs[0] = reg


def _check_place(env: Env, desc: KfuncDesc) -> None:
    """May such a function be called at all by this program?"""
    if desc.name == "__bpf_trap":
        text = "unexpected __bpf_trap() due to uninitialized variable?\n"
        raise env.reject(EFAULT, "trap", text)
    if desc.destructive and not env.powers.sys_admin:
        text = "destructive kfunc calls require CAP_SYS_BOOT capability\n"
        raise env.reject(EACCES, "kfunc-destructive", text)
    if desc.sleepable and not env.state.in_sleepable:
        text = f"program must be sleepable to call sleepable kfunc {desc.name}\n"
        raise env.reject(EACCES, "kfunc-sleeps", text)


def _enter_or_leave(env: Env, desc: KfuncDesc) -> None:
    """Sections under RCU and without preemption: where they begin and end, and what may not be called inside."""
    _rcu(env, desc)
    _preemption(env, desc)
    if env.state.active_irq_id and desc.sleepable:
        text = f"kernel func {desc.name} is sleepable within IRQ-disabled region\n"
        raise env.reject(EACCES, "kfunc-sleeps", text)
    if desc.rcu_protected and not in_rcu_cs(env):
        text = f"kernel func {desc.name} requires RCU critical section protection\n"
        raise env.reject(EACCES, "kfunc-rcu", text)


def _rcu(env: Env, desc: KfuncDesc) -> None:
    state = env.state
    if state.active_rcu_lock:
        check_rcu_in_callback(env, desc.name)
    if not state.active_rcu_lock:
        if desc.name == "bpf_rcu_read_lock":
            state.active_rcu_lock = 1
        elif desc.name == "bpf_rcu_read_unlock":
            text = f"unmatched rcu read unlock (kernel function {desc.name})\n"
            raise env.reject(EINVAL, "rcu-unmatched", text)
    elif desc.name == "bpf_rcu_read_lock" and env.rules.rcu_nests:
        state.active_rcu_lock += 1
    elif desc.name == "bpf_rcu_read_lock":
        text = f"nested rcu read lock (kernel function {desc.name})\n"
        raise env.reject(EINVAL, "rcu-nested", text)
    elif desc.name == "bpf_rcu_read_unlock":
        state.active_rcu_lock -= 1
        if not state.active_rcu_lock:
            _end_rcu_protection(env)
    elif desc.sleepable:
        text = f"kernel func {desc.name} is sleepable within rcu_read_lock region\n"
        raise env.reject(EACCES, "kfunc-sleeps", text)


def _end_rcu_protection(env: Env) -> None:
    """What only RCU kept alive is untrusted from now on, in registers, spills and iterators."""
    for frame in env.state.frames:
        for i, reg in enumerate(frame.regs):
            if reg.type & c.MEM_RCU:
                frame.regs[i] = _untrusted(reg)
        for i, slot in enumerate(frame.stack):
            if slot.types & 0xFF in (c.STACK_SPILL, c.STACK_ITER) and slot.spilled.type & c.MEM_RCU:
                frame.stack[i] = slot.with_spilled(_untrusted(slot.spilled))


def _untrusted(reg: Reg) -> Reg:
    made = reg.copy()
    made.type = (made.type & ~(c.MEM_RCU | c.PTR_MAYBE_NULL)) | c.PTR_UNTRUSTED
    return made


def _preemption(env: Env, desc: KfuncDesc) -> None:
    state = env.state
    if desc.name == "bpf_preempt_disable":
        state.active_preempt_locks += 1
    elif desc.name == "bpf_preempt_enable":
        if not state.active_preempt_locks:
            text = f"unmatched attempt to enable preemption (kernel function {desc.name})\n"
            raise env.reject(EINVAL, "preempt-unmatched", text)
        state.active_preempt_locks -= 1
    elif desc.sleepable and state.active_preempt_locks:
        text = f"kernel func {desc.name} is sleepable within non-preemptible region\n"
        raise env.reject(EACCES, "kfunc-sleeps", text)
