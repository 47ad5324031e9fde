"""Pointers that may be null, and what a comparison with 0 makes of them.

(``reg_not_null``, ``mark_ptr_not_null_reg``, ``mark_ptr_or_null_regs`` in kernel/bpf/verifier.c, Linux 6.18.)
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.verifier.fields import may_point_to_lock
from osmia.verifier.map_record import WITH_MAP

if not cython.compiled:
    from osmia.verifier.consts import (
        BASE_TYPE_MASK,
        CONST_PTR_TO_MAP,
        MEM_ALLOC,
        MEM_RCU,
        NON_OWN_REF,
        PTR_MAYBE_NULL,
        PTR_TO_BTF_ID,
        PTR_TO_MAP_KEY,
        PTR_TO_MAP_VALUE,
        PTR_TO_MEM,
        PTR_TO_PACKET,
        PTR_TO_PACKET_END,
        PTR_TO_PACKET_META,
        PTR_TO_SOCK_COMMON,
        PTR_TO_SOCKET,
        PTR_TO_TCP_SOCK,
        PTR_TO_XDP_SOCK,
        PTR_TRUSTED,
        PTR_UNTRUSTED,
        SCALAR_VALUE,
    )  # fmt: skip
    from osmia.verifier.env import Env
    from osmia.verifier.maps import VMap
    from osmia.verifier.refs import release_reference_nomark
    from osmia.verifier.regs import Reg
    from osmia.verifier.slots import is_spilled_reg, make_slot
    from osmia.verifier.state import Frame, State

    SOCKMAP, XSKMAP, SOCKHASH = 15, 17, 18


def reg_is_pkt_pointer_any(reg: Reg) -> bool:
    """Into the packet, its metadata, or its end?"""
    return reg.type == PTR_TO_PACKET or reg.type == PTR_TO_PACKET_META or reg.type == PTR_TO_PACKET_END


def is_trusted_reg(reg: Reg) -> bool:
    """A kernel pointer that is referenced, or of a type that vouches for it and has no other flag."""
    flags = reg.type & (BASE_TYPE_MASK ^ 0xFFFFFFFF)
    trusted = flags & (MEM_ALLOC | PTR_TRUSTED | NON_OWN_REF)
    return reg.ref_obj_id != 0 or (trusted != 0 and trusted == flags)


def reg_not_null(reg: Reg) -> bool:
    """Is it a pointer that can't be 0?"""
    if reg.type & PTR_MAYBE_NULL:
        return False
    base = reg.type & BASE_TYPE_MASK
    if base == PTR_TO_BTF_ID:
        return is_trusted_reg(reg)
    if base == PTR_TO_MEM:
        return (reg.type & PTR_UNTRUSTED) == 0
    return (
        base == PTR_TO_MAP_VALUE or base == PTR_TO_SOCKET or base == PTR_TO_TCP_SOCK or base == PTR_TO_MAP_KEY
        or base == PTR_TO_SOCK_COMMON or base == CONST_PTR_TO_MAP
    )  # fmt: skip


def ptr_not_null_reg(reg: Reg) -> Reg:
    """A copy of a pointer, now known not to be null.  What a map look-up found becomes what the map holds."""
    new = reg.copy()
    new.type = reg.type & (PTR_MAYBE_NULL ^ 0xFFFFFFFF)
    if reg.type & BASE_TYPE_MASK != PTR_TO_MAP_VALUE:
        return new
    map = reg.map
    if map is None:
        return new
    if map.inner is not None:
        new.type = CONST_PTR_TO_MAP
        new.map = map.inner
        if _needs_uid(map.inner):
            new.map_uid = reg.id
    elif map.type == XSKMAP:
        new.type = PTR_TO_XDP_SOCK
    elif map.type == SOCKMAP or map.type == SOCKHASH:
        new.type = PTR_TO_SOCKET
    else:
        new.type = PTR_TO_MAP_VALUE
    return new


def mark_ptr_or_null_regs(env: Env, state: State, regno: int, is_null: bool) -> None:
    """Register ``regno`` of the innermost frame, which may be null, is null or is not: so are all its copies."""
    frame = state.frames[state.curframe]
    reg = frame.regs[regno]
    id, ref_obj_id = reg.id, reg.ref_obj_id
    if is_null and ref_obj_id and ref_obj_id == id:
        release_reference_nomark(state, id)
    level = 0
    while level <= state.curframe:
        _mark_frame(env, state.frames[level], id, is_null)
        level += 1


def _mark_frame(env: Env, frame: Frame, id: int, is_null: bool) -> None:
    regs = frame.regs
    for i in range(10):
        reg = regs[i]
        if reg.type & PTR_MAYBE_NULL and reg.id == id:
            regs[i] = _null_or_not(env, reg, is_null)
    stack = frame.stack
    for i in range(len(stack)):
        slot = stack[i]
        reg = slot.spilled
        if reg.type & PTR_MAYBE_NULL and reg.id == id and is_spilled_reg(slot):
            stack[i] = make_slot(slot.types, _null_or_not(env, reg, is_null))


def has_moved(env: Env, reg: Reg) -> bool:
    """Is there an offset, which a pointer that may be NULL can't have?  Nodes of graphs lie inside their object."""
    inside = reg.type & (MEM_ALLOC | NON_OWN_REF) != 0
    if inside and env.rules.offset_in_var_off:
        return False
    return reg.smin != 0 or reg.smax != 0 or reg.value != 0 or reg.mask != 0 or (reg.off != 0 and not inside)


def _null_or_not(env: Env, reg: Reg, is_null: bool) -> Reg:
    if reg.id == 0 and not reg.type & MEM_RCU:
        return reg
    if has_moved(env, reg):
        return reg
    if is_null:
        new = reg.copy()
        new.type = SCALAR_VALUE
        new.id = new.ref_obj_id = 0
        return new
    new = ptr_not_null_reg(reg)
    if not (env.rules.objects_by_parent or may_point_to_lock(env, new)):
        new.id = 0
    return new


def _needs_uid(map: VMap) -> bool:
    """Are there fields in the values that a call takes together with their own map?"""
    record = map.record
    return record is not None and bool(record.kinds & WITH_MAP)
