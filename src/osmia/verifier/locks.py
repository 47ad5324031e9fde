"""Spin locks in map values and allocated objects: taken, given back, and what ends with them.

(``process_spin_lock`` and ``invalidate_non_owning_refs`` in kernel/bpf/verifier.c; Linux 6.18.)
"""

from __future__ import annotations

from errno import EINVAL
from typing import Any

from osmia.verifier import consts as c
from osmia.verifier.env import Env
from osmia.verifier.fields import has_btf, offset_of, place_of, reg_btf_record
from osmia.verifier.refs import acquire_lock_state, find_lock_state, invalid_reg, release_lock_state
from osmia.verifier.regs import Reg

RES_LOCKS = c.REF_TYPE_RES_LOCK | c.REF_TYPE_RES_LOCK_IRQ


def process_spin_lock(env: Env, regno: int, is_lock: bool, is_res_lock: bool = False, is_irq: bool = False) -> None:
    """Take or give back the lock that R``regno`` points to.  Raises Rejected."""
    reg = env.state.regs()[regno]
    name = "bpf_res_spin" if is_res_lock else "bpf_spin"
    _check_place(env, regno, reg, name)
    type = c.REF_TYPE_LOCK
    if is_res_lock:
        type = c.REF_TYPE_RES_LOCK_IRQ if is_irq else c.REF_TYPE_RES_LOCK
    if is_lock:
        _lock(env, reg, type)
    else:
        _unlock(env, reg, type, name)


def object_of(reg: Reg) -> Any:
    """What tells locks apart besides the register's id: the map, or the BTF of the allocated object."""
    return reg.map if reg.type == c.PTR_TO_MAP_VALUE else reg.btf


def _check_place(env: Env, regno: int, reg: Reg, name: str) -> None:
    """Does the register point to the lock of its object?"""
    if reg.mask:
        text = f"R{regno} doesn't have constant offset. {name}_lock has to be at the constant offset\n"
        raise env.reject(EINVAL, "field-variable-offset", text, reg=regno)
    map = reg.map if reg.type == c.PTR_TO_MAP_VALUE else None
    if map is not None and not has_btf(map):
        text = f"map '{map.name}' has to have BTF in order to use {name}_lock\n"
        raise env.reject(EINVAL, "field-no-btf", text, reg=regno)
    at = offset_of(reg_btf_record(env, reg), f"{name.removeprefix('bpf_')}_lock")
    if at < 0:
        where = f"map '{map.name}'" if map is not None else "local 'kptr'"
        raise env.reject(EINVAL, "field-missing", f"{where} has no valid {name}_lock\n", reg=regno)
    if at != place_of(reg):
        text = f"off {place_of(reg)} doesn't point to 'struct {name}_lock' that is at {at}\n"
        raise env.reject(EINVAL, "field-offset", text, reg=regno, expected=at, found=place_of(reg))


def _lock(env: Env, reg: Reg, type: int) -> None:
    state, held_in = env.state, object_of(reg)
    if state.active_locks:
        if type == c.REF_TYPE_LOCK and find_lock_state(state, c.REF_TYPE_LOCK, 0, None) is not None:
            raise env.reject(EINVAL, "two-locks", "Locking two bpf_spin_locks are not allowed\n")
        if type != c.REF_TYPE_LOCK and find_lock_state(state, RES_LOCKS, reg.id, held_in) is not None:
            raise env.reject(EINVAL, "deadlock", "Acquiring the same lock again, AA deadlock detected\n")
    acquire_lock_state(env, env.insn_idx, type, reg.id, held_in)


def _unlock(env: Env, reg: Reg, type: int, name: str) -> None:
    """Only the lock taken last may be given back; borrowed objects are gone with it."""
    state, held_in = env.state, object_of(reg)
    if not state.active_locks:
        raise env.reject(EINVAL, "unlock-unlocked", f"{name}_unlock without taking a lock\n")
    if find_lock_state(state, type, reg.id, held_in) is None:
        raise env.reject(EINVAL, "unlock-other", f"{name}_unlock of different lock\n")
    if reg.id != state.active_lock_id or held_in is not state.active_lock_ptr:
        raise env.reject(EINVAL, "unlock-order", f"{name}_unlock cannot be out of order\n")
    release_lock_state(state, type, reg.id, held_in)
    invalidate_non_owning_refs(env)


def invalidate_non_owning_refs(env: Env) -> None:
    """Pointers to objects that a list or tree owns hold only as long as its lock."""
    gone = invalid_reg(env)
    for frame in env.state.frames:
        for i, reg in enumerate(frame.regs):
            if reg.type & c.NON_OWN_REF:
                frame.regs[i] = gone
        for i, slot in enumerate(frame.stack):
            if slot.type_at(7) == c.STACK_SPILL and slot.spilled.type & c.NON_OWN_REF:
                frame.stack[i] = slot.with_spilled(gone)
