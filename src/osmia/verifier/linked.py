"""Scalars of one id hold the same value, or values a constant apart: what a branch tells of one, it tells of all.

A set of linked registers is one word: bits 0-3 count up to six entries, and each entry takes ten more bits: the frame
in bits 0-2, the register or stack slot in bits 3-8, bit 9 for a register.  An id with a BPF_ADD_CONST flag belongs to
a register that lies ``off`` above the others, by 64-bit or by 32-bit addition.
(``struct linked_regs``, kernel/bpf/verifier.c, Linux 6.18.)
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.verifier.bounds import reg_bounds_sync, zext_32_to_64
    from osmia.verifier.consts import BPF_ADD_CONST, BPF_ADD_CONST32, SCALAR_VALUE
    from osmia.verifier.env import Env
    from osmia.verifier.equal import frame_insn_idx
    from osmia.verifier.marks import mark_reg_scratched, mark_stack_slot_scratched, next_id
    from osmia.verifier.regs import Reg, known_value
    from osmia.verifier.scalar import scalar32_min_max_add, scalar_min_max_add
    from osmia.verifier.slots import is_spilled_reg, make_slot
    from osmia.verifier.state import Frame, Slot, State
    from osmia.verifier.tnum import tnum_add

ID_MASK = 0x3FFFFFFF
M64 = 0xFFFFFFFFFFFFFFFF


def linked_count(linked: int) -> int:
    """How many entries a set has."""
    return linked & 15


def linked_entry(linked: int, i: int) -> int:
    """The ten bits of entry ``i``."""
    return linked >> (4 + 10 * i) & 1023


def linked_push(linked: int, entry: int) -> int:
    """The set with one entry more; the same set when it is full."""
    count = linked & 15
    if count == 6:
        return linked
    wide = entry
    return (linked | wide << (4 + 10 * count)) + 1


def collect_linked_regs(env: Env, state: State, id: int, linked: int) -> int:
    """The set ``linked`` and every scalar of an id, innermost frame first.  Those that find no room lose their id.

    Registers that nobody will read are left alone.
    """
    id &= ID_MASK
    level = state.curframe
    while level >= 0:
        frame = state.frames[level]
        insn = env.insns[frame_insn_idx(state, level)]
        linked = _collect_regs(frame, level, id, linked, insn.live_regs_before)
        linked = _collect_slots(frame, level, id, linked)
        level -= 1
    return linked


def _collect_regs(frame: Frame, level: int, id: int, linked: int, live: int) -> int:
    regs = frame.regs
    for i in range(10):
        reg = regs[i]
        if reg.type == SCALAR_VALUE and (reg.id & ID_MASK) == id and live >> i & 1:
            if (linked & 15) == 6:
                regs[i] = _without_id(reg)
            else:
                linked = linked_push(linked, level | i << 3 | 512)
    return linked


def _collect_slots(frame: Frame, level: int, id: int, linked: int) -> int:
    stack = frame.stack
    for i in range(len(stack)):
        slot = stack[i]
        reg = slot.spilled
        if reg.type == SCALAR_VALUE and (reg.id & ID_MASK) == id and is_spilled_reg(slot):
            if (linked & 15) == 6:
                stack[i] = make_slot(slot.types, _without_id(reg))
            else:
                linked = linked_push(linked, level | i << 3)
    return linked


def _without_id(reg: Reg) -> Reg:
    reg = reg.copy()
    reg.off, reg.id = 0, 0
    return reg


def sync_equal_scalars(state: State, known: Reg) -> None:
    """Every scalar of ``known``'s id becomes a copy of it, in all frames: kernels before 6.12 keep no set of them."""
    level = 0
    while level <= state.curframe:
        frame = state.frames[level]
        regs = frame.regs
        for i in range(10):
            reg = regs[i]
            if reg.type == SCALAR_VALUE and reg.id == known.id:
                regs[i] = known
        _sync_equal_slots(frame.stack, known)
        level += 1


def _sync_equal_slots(stack: list[Slot], known: Reg) -> None:
    for i in range(len(stack)):
        slot = stack[i]
        reg = slot.spilled
        if reg.type == SCALAR_VALUE and reg.id == known.id and is_spilled_reg(slot):
            stack[i] = make_slot(slot.types, known)


def sync_linked_regs(env: Env, state: State, known: Reg, linked: int) -> None:
    """Every register of the set that is linked to ``known`` learns its range."""
    i = 0
    while i < (linked & 15):
        entry = linked >> (4 + 10 * i) & 1023
        i += 1
        frame = state.frames[entry & 7]
        at = entry >> 3 & 63
        if entry & 512:
            reg = frame.regs[at]
            if env.rules.linked_shown and (reg is known or _is_linked(reg, known)):
                mark_reg_scratched(env, at)
            if _is_linked(reg, known):
                frame.regs[at] = _told(env, reg, known)
        else:
            slot = frame.stack[at]
            reg = slot.spilled
            if env.rules.linked_shown and (reg is known or _is_linked(reg, known)):
                mark_stack_slot_scratched(env, at)
            if _is_linked(reg, known):
                frame.stack[at] = make_slot(slot.types, _told(env, reg, known))


def _is_linked(reg: Reg, known: Reg) -> bool:
    if reg is known or reg.type != SCALAR_VALUE or (reg.id & ID_MASK) != (known.id & ID_MASK):
        return False
    return ((reg.id ^ known.id) & BPF_ADD_CONST) != BPF_ADD_CONST  # a distance in 32 bits is none in 64


def _told(env: Env, reg: Reg, known: Reg) -> Reg:
    """``reg`` with what ``known``, of the same id, is known to be: its copy, or that plus the constant between them."""
    same = ((reg.id | known.id) & BPF_ADD_CONST) == 0 or reg.off == known.off
    if same and reg.subreg_def == known.subreg_def:
        return known
    new = known.copy()
    new.subreg_def = reg.subreg_def
    if same:
        return new
    delta = known_value((reg.off - known.off) & M64)
    new.off, new.id = reg.off, reg.id
    scalar32_min_max_add(new, delta)
    scalar_min_max_add(new, delta)
    new.value, new.mask = tnum_add(new.value, new.mask, delta.value, 0)
    if (reg.id | known.id) & BPF_ADD_CONST32:
        zext_32_to_64(new)
    reg_bounds_sync(env, new)
    return new


def assign_scalar_id_before_mov(env: Env, src: Reg) -> Reg:
    """The scalar ``src`` with an id that its copy can share; a new register where it changes, else ``src`` itself.

    Constants get none.  A register that lies a constant above its id starts an id of its own.
    """
    if src.type != SCALAR_VALUE:
        return src
    linked_by_offset = (src.id & BPF_ADD_CONST) != 0
    fresh = (src.mask != 0 or not env.rules.ids_for_unknown_only) and (src.id == 0 or linked_by_offset)
    if not fresh and not linked_by_offset:
        return src
    new = src.copy()
    if linked_by_offset:
        new.off = 0
    new.id = next_id(env) if fresh else 0
    return new
