"""Open-coded iterators: ``bpf_iter_NAME_new``, ``…_next``, ``…_destroy`` on an object on the stack.

Each call of ``…_next`` is two paths: it was the last one (null), or there is one more.  The second goes on from a copy
whose numbers that nobody needed so far are forgotten, so that rounds become alike and the walk ends.
(``process_iter_arg``, ``process_iter_next_call`` and the slot functions in kernel/bpf/verifier.c; Linux 6.18.)
"""

from __future__ import annotations

from errno import EFAULT, EINVAL, ENOMEM, EPROTO, ERANGE

from osmia.btf import Btf, Ptr, Struct
from osmia.verifier.arg_names import arg_name, arg_spaced
from osmia.verifier.btf_access import in_rcu_cs
from osmia.verifier.consts import (
    BPF_ITER_STATE_ACTIVE,
    BPF_WRITE,
    MEM_RCU,
    PTR_TO_STACK,
    PTR_UNTRUSTED,
    STACK_ITER,
)
from osmia.verifier.dynptr_slots import stack_slot_obj_get_spi
from osmia.verifier.env import Env
from osmia.verifier.equal import same_callsites
from osmia.verifier.kfunc_meta import KfuncDesc, KfuncMeta
from osmia.verifier.loaded import zero_scalar
from osmia.verifier.memory import check_mem_access
from osmia.verifier.nulls import ptr_not_null_reg
from osmia.verifier.paths import push_stack
from osmia.verifier.refs import acquire_reference, release_reference
from osmia.verifier.regs import Reg, pointer
from osmia.verifier.slots import make_slot
from osmia.verifier.stack_objects import (
    clear_slot,
    has_any,
    is_full_of,
    mark_object_read,
    put_slot,
    slot_numbers,
)
from osmia.verifier.state import State
from osmia.verifier.text import iter_type_str
from osmia.verifier.widen import find_prev_entry, widen_imprecise_scalars

ITER_STATE_DRAINED = 2
PREFIX = "bpf_iter_"


def is_iter_arg(desc: KfuncDesc, i: int) -> bool:
    """Is argument ``i`` an iterator?"""
    return i == 0 if desc.is_iter else desc.params[i].name.endswith("__iter")


def iter_struct(btf: Btf, type_id: int) -> int:
    """The struct of the iterator that a pointer type leads to; 0 when it is none."""
    found = btf.type(btf.resolve(type_id))
    if not isinstance(found, Ptr):
        return 0
    target = btf.resolve(found.type_id)
    made = btf.type(target)
    return target if isinstance(made, Struct) and made.name.startswith(PREFIX) else 0


def process_iter_arg(env: Env, regno: int, meta: KfuncMeta) -> None:
    """The iterator argument of a call: there must be none yet, or one.  Raises Rejected."""
    desc = meta.desc
    reg = env.state.regs()[regno]
    if reg.type != PTR_TO_STACK:
        text = f"{arg_name(env, regno - 1)} expected pointer to an iterator on stack\n"
        raise env.reject(EINVAL, "iter-not-on-stack", text, reg=regno)
    btf_id = iter_struct(desc.btf, desc.params[regno - 1].type_id)
    if not btf_id:
        text = f"expected valid iter pointer as {arg_spaced(env, regno - 1)}\n"
        raise env.reject(EINVAL, "iter-type", text, reg=regno)
    slots = desc.btf.size_of(btf_id) // 8
    if desc.iter_new:
        _start(env, regno, reg, btf_id, slots, desc)
    else:
        _use(env, regno, reg, btf_id, slots, meta)


def _start(env: Env, regno: int, reg: Reg, btf_id: int, slots: int, desc: KfuncDesc) -> None:
    """A new iterator comes to lie on the stack; it is a reference that must be given back."""
    if not _is_free(env, reg, slots):
        text = f"expected uninitialized iter_{iter_type_str(desc.btf, btf_id)} as {arg_spaced(env, regno - 1)}\n"
        raise env.reject(EINVAL, "iter-in-use", text, reg=regno)
    for i in range(slots):
        check_mem_access(env, env.insn_idx, regno, 8 * i, 8, BPF_WRITE, -1, False, False)
    spi = stack_slot_obj_get_spi(env, reg, "iter", slots)
    if spi < 0:
        raise env.reject(-spi, "iter-place", "", reg=regno)
    ref = acquire_reference(env, env.insn_idx)
    frame = env.state.frames[reg.frameno]
    flags = 0
    if desc.rcu_protected:
        flags = MEM_RCU if in_rcu_cs(env) else PTR_UNTRUSTED
    for number in slot_numbers(spi, slots):
        made = pointer(PTR_TO_STACK | flags)
        made.ref_obj_id = ref if number == spi else 0
        made.btf, made.btf_id = desc.btf, btf_id
        made.iter_state = BPF_ITER_STATE_ACTIVE
        put_slot(env, frame, number, STACK_ITER, made)


def _is_free(env: Env, reg: Reg, slots: int) -> bool:
    spi = stack_slot_obj_get_spi(env, reg, "iter", slots)
    if spi < 0:
        return spi == -ERANGE
    frame = env.state.frames[reg.frameno]
    return not any(has_any(frame.stack[number], STACK_ITER) for number in slot_numbers(spi, slots))


def _use(env: Env, regno: int, reg: Reg, btf_id: int, slots: int, meta: KfuncMeta) -> None:
    desc = meta.desc
    spi = stack_slot_obj_get_spi(env, reg, "iter", slots)
    errno = EINVAL if spi < 0 else _validity(env, reg, spi, slots, desc.btf, btf_id)
    if errno == EINVAL:
        text = (
            f"expected an initialized iter_{iter_type_str(desc.btf, btf_id)} as {arg_spaced(env, regno - 1)}\n"
        )
        raise env.reject(EINVAL, "iter-uninit", text, reg=regno)
    if errno == EPROTO:
        text = f"expected an RCU CS when using {desc.name}\n"
        raise env.reject(EPROTO, "iter-rcu", text, reg=regno)
    mark_object_read(env, reg.frameno, spi, slots)
    frame = env.state.frames[reg.frameno]
    spilled = frame.stack[spi].spilled
    meta.iter_spi, meta.iter_frameno = spi, reg.frameno
    meta.ref_obj_id = spilled.ref_obj_id
    if desc.iter_destroy:
        release_reference(env, spilled.ref_obj_id)
        for number in slot_numbers(spi, slots):
            clear_slot(env, frame, number)


def _validity(env: Env, reg: Reg, spi: int, slots: int, btf: Btf, btf_id: int) -> int:
    """Is there a whole iterator of that kind?  0, EINVAL or EPROTO (RCU protection ended)."""
    frame = env.state.frames[reg.frameno]
    for number in slot_numbers(spi, slots):
        slot = frame.stack[number]
        spilled = slot.spilled
        if spilled.type & PTR_UNTRUSTED:
            return EPROTO
        if bool(spilled.ref_obj_id) != (number == spi):
            return EINVAL
        if spilled.btf is not btf or spilled.btf_id != btf_id or not is_full_of(slot, STACK_ITER):
            return EINVAL
    return 0


def iter_of(state: State, meta: KfuncMeta) -> Reg:
    """The iterator in its first slot."""
    return state.frames[meta.iter_frameno].stack[meta.iter_spi].spilled


def process_iter_next_call(env: Env, meta: KfuncMeta) -> None:
    """After ``…_next``: go on as if it was the last one, and later as if there was one more.  Raises Rejected."""
    state = env.state
    found = iter_of(state, meta)
    if found.iter_state == BPF_ITER_STATE_ACTIVE:
        parent = state.parent
        if parent is None or parent.insn_idx != env.insn_idx or not same_callsites(parent, state):
            raise env.reject(EFAULT, "iter-parent", "")
        before = find_prev_entry(env, parent, env.insn_idx)
        queued = push_stack(env, env.insn_idx + 1, env.insn_idx, False, ENOMEM)
        _put(queued, meta, BPF_ITER_STATE_ACTIVE, found.iter_depth + 1)
        if before is not None:
            widen_imprecise_scalars(env, before, queued)
        regs = queued.regs()
        regs[0] = ptr_not_null_reg(regs[0])
    _put(state, meta, ITER_STATE_DRAINED, found.iter_depth)
    state.regs()[0] = zero_scalar(env)


def _put(state: State, meta: KfuncMeta, iter_state: int, depth: int) -> None:
    stack = state.frames[meta.iter_frameno].stack
    slot = stack[meta.iter_spi]
    made = slot.spilled.copy()
    made.iter_state, made.iter_depth = iter_state, depth
    stack[meta.iter_spi] = make_slot(slot.types, made)
