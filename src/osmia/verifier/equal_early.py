"""Is what was proved from a remembered state true from the current one, as kernels before 6.3 compared?

What nobody read of the remembered state does not count (``live_marks``); pointers must be alike to the numbers of their
ids, but for those that may be null and those into packets.  Also an endless loop is found so, not by an exact match.
(``states_equal`` and neighbours in kernel/bpf/verifier.c, Linux 6.1.)
"""

from __future__ import annotations

from osmia.verifier.consts import (
    BASE_TYPE_MASK,
    NOT_INIT,
    PTR_MAYBE_NULL,
    PTR_TO_MAP_KEY,
    PTR_TO_MAP_VALUE,
    PTR_TO_PACKET,
    PTR_TO_PACKET_META,
    PTR_TO_STACK,
    SCALAR_VALUE,
    STACK_INVALID,
    STACK_MISC,
    STACK_SPILL,
    STACK_ZERO,
)
from osmia.verifier.env import Env
from osmia.verifier.equal import values_within
from osmia.verifier.live_marks import READ, marks_of
from osmia.verifier.regs import Reg
from osmia.verifier.slots import is_spilled_reg
from osmia.verifier.state import Frame, Slot, State

Ids = dict[int, int]
"""Of every id of the remembered state that was met, the one of the current state."""


def states_equal_early(env: Env, old: State, cur: State) -> bool:
    """Is ``cur`` safe because ``old`` was?  A speculative state says nothing about a real one."""
    if old.curframe != cur.curframe or (old.speculative and not cur.speculative):
        return False
    if not _same_refs(old, cur):
        return False
    return all(
        theirs.callsite == ours.callsite and _frames_equal(env, theirs, ours)
        for theirs, ours in zip(old.frames, cur.frames, strict=True)
    )


def _same_refs(old: State, cur: State) -> bool:
    """The same references by number and origin, the same lock."""
    if old.active_locks != cur.active_locks or old.active_lock_id != cur.active_lock_id:
        return False
    return [(ref.type, ref.id, ref.insn_idx) for ref in old.refs] == [
        (ref.type, ref.id, ref.insn_idx) for ref in cur.refs
    ]


def _frames_equal(env: Env, old: Frame, cur: Frame) -> bool:
    ids: Ids = {}
    marks = marks_of(old)
    for i in range(10):
        if marks.regs[i] & READ and not regsafe_early(env, old.regs[i], cur.regs[i], ids):
            return False
    for spi, slot in enumerate(old.stack):
        if marks.slot(spi) & READ and slot.types:
            now = cur.stack[spi] if spi < len(cur.stack) else None
            if not _slotsafe(env, slot, now, ids):
                return False
    return True


def check_ids(old: int, cur: int, ids: Ids) -> bool:
    """Does ``cur`` stand for ``old`` wherever that was met?"""
    return old == 0 or ids.setdefault(old, cur) == cur


def alike(old: Reg, cur: Reg) -> bool:
    """The same in everything that is known, ids included."""
    return old is cur or (
        old.id == cur.id and old.ref_obj_id == cur.ref_obj_id and old.same_type_info(cur) and old.same_bounds(cur)
    )


def regsafe_early(env: Env, old: Reg, cur: Reg, ids: Ids) -> bool:
    """Is ``cur`` safe wherever ``old``, which was read, was?"""
    if old.type == PTR_TO_STACK:
        return alike(old, cur) and old.frameno == cur.frameno
    if alike(old, cur) or old.type == NOT_INIT:
        return True
    base = old.type & BASE_TYPE_MASK
    if base == SCALAR_VALUE:
        if env.explore_alu_limits or cur.type != SCALAR_VALUE:
            return False
        return not old.precise or values_within(old, cur)
    if base in (PTR_TO_MAP_KEY, PTR_TO_MAP_VALUE):
        if not old.same_type_info(cur):
            return False
        return check_ids(old.id, cur.id, ids) if old.type & PTR_MAYBE_NULL else values_within(old, cur)
    if base in (PTR_TO_PACKET, PTR_TO_PACKET_META):
        if cur.type != old.type or old.range > cur.range or old.off != cur.off:
            return False
        return check_ids(old.id, cur.id, ids) and values_within(old, cur)
    return False


def _slotsafe(env: Env, old: Slot, cur: Slot | None, ids: Ids) -> bool:
    """A slot that was read; bytes that were never written don't count, unknown ones may be zero."""
    for i in range(8):
        kind = old.type_at(i)
        if kind == STACK_INVALID or (kind == STACK_MISC and env.allow_uninit_stack and env.rules.uninit_stack_reads):
            continue
        if cur is None:
            return False
        now = cur.type_at(i)
        if now != kind and not (kind == STACK_MISC and now == STACK_ZERO):
            return False
    if not is_spilled_reg(old) or old.type_at(0) != STACK_SPILL:
        return True
    return cur is not None and regsafe_early(env, old.spilled, cur.spilled, ids)
