"""Is what was proved from a remembered state true from the current one as well?

It is when every register and stack slot that matters knows at most as much in the remembered state.  How closely the
two must match depends on what is known of the remembered one: NOT_EXACT when all paths from it have been walked, so
that values nobody asked for may differ; RANGE_WITHIN when loops may still ask for them; EXACT to find endless loops.
(``states_equal`` and neighbours in kernel/bpf/verifier.c, Linux 6.18.)

Registers are shared between states: the same object needs no comparison, but its ids must still be paired, since two
states can share one register and be linked differently in another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.verifier.live_marks import READ

if not cython.compiled:
    from osmia.verifier.consts import (  # noqa: I001
        BASE_TYPE_MASK, BPF_ADD_CONST, EXACT, NOT_EXACT, NOT_INIT, PTR_TO_ARENA, PTR_TO_BUF, PTR_TO_MAP_KEY,
        PTR_TO_MAP_VALUE, PTR_TO_MEM, PTR_TO_PACKET, PTR_TO_PACKET_META, PTR_TO_STACK, PTR_TO_TP_BUFFER, REF_TYPE_IRQ,
        REF_TYPE_PTR, SCALAR_VALUE, STACK_DYNPTR, STACK_INVALID, STACK_IRQ_FLAG, STACK_ITER, STACK_MISC, STACK_SPILL,
        STACK_ZERO,
    )  # fmt: skip
    from osmia.verifier.env import Env
    from osmia.verifier.idmap import IdMap
    from osmia.verifier.regs import Reg, unknown_value
    from osmia.verifier.state import Frame, Ref, Slot, State

    def same_reg(old: list[Reg], cur: list[Reg], i: int) -> bool:
        """Is it one register without ids in both?  Compiled, this counts no references: memory is only read."""
        return old[i] is cur[i] and old[i].id == 0 and old[i].ref_obj_id == 0

    def same_slot(old: list[Slot], cur: list[Slot], i: int) -> bool:
        """Is it one slot whose spill has no ids in both?"""
        return old[i] is cur[i] and old[i].spilled.id == 0 and old[i].spilled.ref_obj_id == 0

    def one_reg(old: list[Reg], cur: list[Reg], i: int) -> bool:
        """Is it one register in both?"""
        return old[i] is cur[i]


if TYPE_CHECKING:
    from collections.abc import Sequence

UNBOUND = unknown_value(False)
"""What a load from eight bytes of unknown data gives."""
ALL_MISC = 0x0202020202020202
"""Eight bytes of STACK_MISC."""
ALL_REGS = 0x7FF
NOT_MISC = 0xFDFDFDFDFDFDFDFD
"""The bits that only other byte kinds than STACK_MISC and STACK_INVALID have."""


def range_within(old: Reg, cur: Reg) -> bool:
    """Does every range of ``cur`` lie in that of ``old``?"""
    return (
        old.umin <= cur.umin and old.umax >= cur.umax and old.smin <= cur.smin and old.smax >= cur.smax
        and old.u32_min <= cur.u32_min and old.u32_max >= cur.u32_max
        and old.s32_min <= cur.s32_min and old.s32_max >= cur.s32_max
    )  # fmt: skip


def tnum_within(old: Reg, cur: Reg) -> bool:
    """Can ``cur`` have only bits that ``old`` can have?"""
    if cur.mask & ~old.mask:
        return False
    return old.value == cur.value & ~old.mask


def values_within(old: Reg, cur: Reg) -> bool:
    """Is every value of ``cur`` one that ``old`` can have?"""
    return old is cur or (range_within(old, cur) and tnum_within(old, cur))


def regs_exact(old: Reg, cur: Reg, idmap: IdMap) -> bool:
    """The same in everything but the numbers of the ids."""
    if old is not cur and not (old.same_type_info(cur) and old.same_bounds(cur)):
        return False
    return idmap.check_ids(old.id, cur.id) and idmap.check_ids(old.ref_obj_id, cur.ref_obj_id)


def regsafe(env: Env, old: Reg, cur: Reg, idmap: IdMap, exact: int) -> bool:
    """Is ``cur`` safe wherever ``old`` was?"""
    if exact == EXACT:
        return regs_exact(old, cur, idmap)
    if old.type == NOT_INIT and (exact == NOT_EXACT or cur.type == NOT_INIT):
        return True
    if old.type != cur.type:
        return False
    base = old.type & BASE_TYPE_MASK
    if base == SCALAR_VALUE:
        return _scalar_safe(env, old, cur, idmap, exact)
    if base == PTR_TO_STACK:
        return old.frameno == cur.frameno and regs_exact(old, cur, idmap)
    if base == PTR_TO_PACKET or base == PTR_TO_PACKET_META:
        return _packet_safe(old, cur, idmap)
    if (
        base == PTR_TO_MAP_VALUE or base == PTR_TO_MAP_KEY or base == PTR_TO_MEM or base == PTR_TO_BUF
        or base == PTR_TO_TP_BUFFER
    ):  # fmt: skip
        if old is not cur and not (old.same_type_info(cur) and values_within(old, cur)):
            return False
        return idmap.check_ids(old.id, cur.id) and idmap.check_ids(old.ref_obj_id, cur.ref_obj_id)
    if base == PTR_TO_ARENA:
        return True
    return regs_exact(old, cur, idmap)


def _scalar_safe(env: Env, old: Reg, cur: Reg, idmap: IdMap, exact: int) -> bool:
    if env.explore_alu_limits:
        same = old is cur or (old.same_type_info(cur) and old.same_bounds(cur))
        return same and idmap.check_scalar_ids(old.id, cur.id)
    if not old.precise and exact == NOT_EXACT:
        return True
    if old is not cur:
        if old.id and (old.id & BPF_ADD_CONST != 0) != (cur.id & BPF_ADD_CONST != 0):
            return False
        if old.id & BPF_ADD_CONST and old.off != cur.off:
            return False
        if not (range_within(old, cur) and tnum_within(old, cur)):
            return False
    return idmap.check_scalar_ids(old.id, cur.id)


def _packet_safe(old: Reg, cur: Reg, idmap: IdMap) -> bool:
    """At least as many bytes known to be there; at or beyond the end (negative) is a state of its own."""
    if old.range < 0 or cur.range < 0:
        if old.range != cur.range:
            return False
    elif old.range > cur.range:
        return False
    return old.off == cur.off and values_within(old, cur) and idmap.check_ids(old.id, cur.id)


def scalar_of_slot(env: Env, slot: Slot) -> Reg | None:
    """What a load of the whole slot gives, if that is a scalar: a spilled one, or anything from unknown bytes."""
    types = slot.types
    spilled = slot.spilled
    if (types >> 56) == STACK_SPILL and spilled.type == SCALAR_VALUE:
        return spilled
    if types == ALL_MISC or (env.allow_uninit_stack and (types & NOT_MISC) == 0):
        return UNBOUND
    return None


def stacksafe(env: Env, old: Frame, cur: Frame, idmap: IdMap, exact: int) -> bool:
    """Is the stack of ``cur`` safe wherever that of ``old`` was?  Slots that only ``cur`` has don't matter."""
    old_stack, cur_stack = old.stack, cur.stack
    have = len(cur_stack)
    for i in range(len(old_stack)):
        if i < have and same_slot(old_stack, cur_stack, i):
            continue
        old_slot = old_stack[i]
        if exact == NOT_EXACT and (_unread(env, old_slot.types) or _unmarked(old, i)):
            continue
        if i >= have:
            return False
        if not _slotsafe(env, old_slot, cur_stack[i], idmap, exact):
            return False
    return True


def _unmarked(old: Frame, i: int) -> bool:
    """Has no path marked the slot as read, where they do so?"""
    return old.marks is not None and not old.marks.slot(i) & READ


def _unread(env: Env, types: int) -> bool:
    """Nothing in these bytes was relied upon."""
    return types == 0 or (env.allow_uninit_stack and (types & NOT_MISC) == 0)


def _slotsafe(env: Env, old: Slot, cur: Slot, idmap: IdMap, exact: int) -> bool:
    types = old.types
    if exact != NOT_EXACT:
        if types != cur.types:
            return False
        if _unread(env, types):
            return True
    old_scalar = scalar_of_slot(env, old)
    if old_scalar is not None:
        cur_scalar = scalar_of_slot(env, cur)
        if cur_scalar is not None:
            return regsafe(env, old_scalar, cur_scalar, idmap, exact)
    if types != cur.types and not _bytes_safe(env, types, cur.types):
        return False
    return _special_safe(env, types & 0xFF, old.spilled, cur.spilled, idmap, exact)


def _bytes_safe(env: Env, old_types: int, cur_types: int) -> bool:
    """Byte by byte: unknown data may be zero, what was not relied upon may be anything."""
    for _ in range(8):
        old_kind = old_types & 0xFF
        cur_kind = cur_types & 0xFF
        old_types >>= 8
        cur_types >>= 8
        if old_kind == cur_kind or old_kind == STACK_INVALID:
            continue
        if old_kind == STACK_MISC and (env.allow_uninit_stack or cur_kind == STACK_ZERO):
            continue
        return False
    return True


def _special_safe(env: Env, kind: int, old: Reg, cur: Reg, idmap: IdMap, exact: int) -> bool:
    """What the lowest byte says of the slot as a whole; an iterator's depth may differ, or loops would not end."""
    if kind == STACK_INVALID or kind == STACK_MISC or kind == STACK_ZERO:
        return True
    if kind == STACK_SPILL:
        return regsafe(env, old, cur, idmap, exact)
    if kind == STACK_DYNPTR:
        same = old.dynptr_type == cur.dynptr_type and old.first_slot == cur.first_slot
    elif kind == STACK_ITER:
        same = old.btf is cur.btf and old.btf_id == cur.btf_id and old.iter_state == cur.iter_state
    else:
        same = kind == STACK_IRQ_FLAG and old.irq_class == cur.irq_class
    return same and idmap.check_ids(old.ref_obj_id, cur.ref_obj_id)


def refsafe(old: State, cur: State, idmap: IdMap) -> bool:
    """Do both hold the same references and locks?"""
    if (
        old.acquired_refs != cur.acquired_refs or old.active_locks != cur.active_locks
        or old.active_preempt_locks != cur.active_preempt_locks or old.active_rcu_lock != cur.active_rcu_lock
    ):  # fmt: skip
        return False
    if not idmap.check_ids(old.active_irq_id, cur.active_irq_id):
        return False
    if not idmap.check_ids(old.active_lock_id, cur.active_lock_id) or old.active_lock_ptr is not cur.active_lock_ptr:
        return False
    return old.acquired_refs == 0 or _refs_match(old.refs, cur.refs, idmap)


def _refs_match(old_refs: Sequence[Ref], cur_refs: Sequence[Ref], idmap: IdMap) -> bool:
    for i in range(len(old_refs)):
        old = old_refs[i]
        cur = cur_refs[i]
        if not idmap.check_ids(old.id, cur.id) or old.type != cur.type:
            return False
        if old.type != REF_TYPE_PTR and old.type != REF_TYPE_IRQ and old.ptr is not cur.ptr:
            return False
    return True


def marked_regs(env: Env, old: Frame, live: int, exact: int) -> int:
    """The registers to compare where states are marked: those that were read, or all for a comparison in full."""
    if env.rules.live_registers_static:
        return live
    return old.marks.read_regs() if exact == NOT_EXACT else ALL_REGS


def func_states_equal(env: Env, old: Frame, cur: Frame, insn_idx: int, idmap: IdMap, exact: int) -> bool:
    """One frame: the registers that are live before ``insn_idx``, and the stack."""
    if old.callback_depth > cur.callback_depth:
        return False
    insn = env.insns[insn_idx]
    live = insn.live_regs_before
    if old.marks is not None:
        live = marked_regs(env, old, live, exact)
    old_regs, cur_regs = old.regs, cur.regs
    i = 0
    while live:
        if live & 1 and not same_reg(old_regs, cur_regs, i):
            old_reg = old_regs[i]
            cur_reg = cur_regs[i]
            if not regsafe(env, old_reg, cur_reg, idmap, exact):
                return False
        live >>= 1
        i += 1
    return stacksafe(env, old, cur, idmap, exact)


def frame_insn_idx(state: State, frameno: int) -> int:
    """Where a frame stands: at the state's instruction, or at the call that it waits for."""
    if frameno == state.curframe:
        return state.insn_idx
    callee = state.frames[frameno + 1]
    return callee.callsite


def same_callsites(a: State, b: State) -> bool:
    """Were both states reached through the same calls?"""
    if a.curframe != b.curframe:
        return False
    for i in range(a.curframe + 1):
        one = a.frames[i]
        other = b.frames[i]
        if one.callsite != other.callsite:
            return False
    return True


def states_equal(env: Env, old: State, cur: State, exact: int) -> bool:
    """Is ``cur`` safe because ``old`` was?  A speculative state says nothing about a real one."""
    if old.curframe != cur.curframe or old.in_sleepable != cur.in_sleepable:
        return False
    if old.speculative and not cur.speculative:
        return False
    idmap = env.idmap
    idmap.reset(env.id_gen)
    if not refsafe(old, cur, idmap):
        return False
    for i in range(old.curframe + 1):
        old_frame = old.frames[i]
        cur_frame = cur.frames[i]
        if old_frame.callsite != cur_frame.callsite:
            return False
        if not func_states_equal(env, old_frame, cur_frame, frame_insn_idx(old, i), idmap, exact):
            return False
    return True


def states_maybe_looping(old: State, cur: State) -> bool:
    """A quick look before the exact comparison: are the registers of the innermost frame the same, ids included?"""
    if old.curframe != cur.curframe:
        return False
    old_frame, cur_frame = old.frames[old.curframe], cur.frames[cur.curframe]
    old_regs, cur_regs = old_frame.regs, cur_frame.regs
    for i in range(11):
        if one_reg(old_regs, cur_regs, i):
            continue
        one = old_regs[i]
        other = cur_regs[i]
        if not _identical(one, other):
            return False
    return True


def _identical(one: Reg, other: Reg) -> bool:
    return (
        one.id == other.id and one.ref_obj_id == other.ref_obj_id
        and one.same_bounds(other) and one.same_type_info(other)
    )  # fmt: skip
