"""Dynptrs on the stack: the two slots that one takes, how it is made, given up and overwritten.

A dynptr lies in slots ``spi`` (its first eight bytes, where its pointer points to) and ``spi - 1``; every byte of both
is STACK_DYNPTR, and what is known of it stands in both ``spilled`` registers.  (``mark_stack_slots_dynptr`` and
neighbours in kernel/bpf/verifier.c; Linux 6.18.)
"""

from __future__ import annotations

from errno import EINVAL, ERANGE

from osmia.verifier import consts as c
from osmia.verifier.env import Env
from osmia.verifier.live_stack import mark_stack_read, mark_stack_write
from osmia.verifier.marks import mark_stack_slot_scratched, next_id
from osmia.verifier.refs import acquire_reference, invalid_reg, release_reference
from osmia.verifier.regs import Reg, pointer
from osmia.verifier.slots import make_slot, nothing_spilled
from osmia.verifier.state import Frame, Slot
from osmia.words import s32

NR_SLOTS = 2
BPF_DYNPTR_SIZE = 16
INVALID, LOCAL, RINGBUF, SKB, XDP, SKB_META = range(6)
"""``enum bpf_dynptr_type``."""
TYPE_OF_FLAG = {
    c.DYNPTR_TYPE_LOCAL: LOCAL,
    c.DYNPTR_TYPE_RINGBUF: RINGBUF,
    c.DYNPTR_TYPE_SKB: SKB,
    c.DYNPTR_TYPE_XDP: XDP,
    c.DYNPTR_TYPE_SKB_META: SKB_META,
}
FLAG_OF_TYPE = {type: flag for flag, type in TYPE_OF_FLAG.items()}
DYNPTR_TYPE_FLAGS = sum(TYPE_OF_FLAG)
SLICES = (c.PTR_TO_MEM, c.PTR_TO_MEM | c.PTR_MAYBE_NULL)
_DYNPTR8 = 0x0101010101010101 * c.STACK_DYNPTR
_U64 = 0xFFFFFFFFFFFFFFFF


def stack_slot_obj_get_spi(env: Env, reg: Reg, kind: str, nr_slots: int) -> int:
    """The first slot of an object of ``nr_slots`` slots that a stack pointer points to.

    -EINVAL, with the reason in the log, where no such object can be; -ERANGE where the stack does not reach yet.
    """
    if reg.mask:
        env.say(f"{kind} has to be at a constant offset\n")
        return -EINVAL
    off = s32((reg.off + reg.value) & _U64)
    spi = (-off - 1) // 8 if off < 0 else -((off + 1) // 8)
    if off % 8 or spi + 1 < nr_slots:
        env.say(f"cannot pass in {kind} at an offset={off}\n")
        return -EINVAL
    frame = frame_of(env, reg)
    return spi if spi < len(frame.stack) else -ERANGE


def dynptr_get_spi(env: Env, reg: Reg) -> int:
    """The first slot of the dynptr behind a stack pointer, or a negative errno: see ``stack_slot_obj_get_spi``."""
    return stack_slot_obj_get_spi(env, reg, "dynptr", NR_SLOTS)


def frame_of(env: Env, reg: Reg) -> Frame:
    """The frame that a stack pointer points into."""
    return env.state.frames[reg.frameno]


def arg_to_dynptr_type(flags: int) -> int:
    """The kind of dynptr that an argument's flags name; INVALID for any."""
    return TYPE_OF_FLAG.get(flags & DYNPTR_TYPE_FLAGS, INVALID)


def get_dynptr_type_flag(type: int) -> int:
    """The flag that marks memory of such a dynptr."""
    return FLAG_OF_TYPE.get(type, 0)


def dynptr_type_refcounted(type: int) -> bool:
    """Must the dynptr be given back?"""
    return type == RINGBUF


def mark_dynptr_reg(type: int, first_slot: bool, dynptr_id: int) -> Reg:
    """What is known of a dynptr of that kind, for one of its slots or for a pointer to a constant one."""
    reg = pointer(c.CONST_PTR_TO_DYNPTR)
    reg.id, reg.dynptr_type, reg.first_slot = dynptr_id, type, first_slot
    reg.dynptr_id = 1 if first_slot else 0  # the same word in the kernel, whose log shows it
    return reg


def mark_dynptr_cb_reg(env: Env, type: int) -> Reg:
    """The pointer to a dynptr that the kernel hands to a callback or global function."""
    return mark_dynptr_reg(type, True, next_id(env))


def mark_stack_slots_dynptr(env: Env, reg: Reg, flags: int, insn_idx: int, clone_ref_obj_id: int = 0) -> None:
    """Make a dynptr of the kind in ``flags`` where ``reg`` points to; a clone shares the reference of its original.

    Raises Rejected.
    """
    frame = frame_of(env, reg)
    spi = dynptr_get_spi(env, reg)
    type = arg_to_dynptr_type(flags)
    if spi < 0:
        raise env.reject(-spi, "dynptr-place", "")
    destroy_if_dynptr_stack_slot(env, frame, spi)
    destroy_if_dynptr_stack_slot(env, frame, spi - 1)
    if type == INVALID:
        raise env.reject(EINVAL, "dynptr-type", "")
    held = clone_ref_obj_id
    if not held and dynptr_type_refcounted(type) and env.rules.objects_by_parent:
        held = acquire_reference(env, insn_idx)
    number = next_id(env) if env.rules.dynptr_ids else 0
    first, second = mark_dynptr_reg(type, True, number), mark_dynptr_reg(type, False, number)
    if dynptr_type_refcounted(type):
        held = held or acquire_reference(env, insn_idx)
        first.ref_obj_id = second.ref_obj_id = held
    _fill(env, frame, spi, make_slot(_DYNPTR8, first), make_slot(_DYNPTR8, second))


def _fill(env: Env, frame: Frame, spi: int, first: Slot, second: Slot) -> None:
    frame.stack[spi], frame.stack[spi - 1] = first, second
    mark_stack_write(env, frame.frameno, 3 << (spi - 1))


def invalidate_dynptr(env: Env, frame: Frame, spi: int) -> None:
    """Nothing is left of the dynptr whose first slot is ``spi``."""
    nothing = make_slot(0, nothing_spilled())
    _fill(env, frame, spi, nothing, nothing)


def unmark_stack_slots_dynptr(env: Env, reg: Reg) -> bool:
    """Give up the dynptr that ``reg`` points to; with its reference go its clones and slices.  False: no such place."""
    frame = frame_of(env, reg)
    spi = dynptr_get_spi(env, reg)
    if spi < 0:
        return False
    known = frame.stack[spi].spilled
    if not dynptr_type_refcounted(known.dynptr_type):
        invalidate_dynptr(env, frame, spi)
        return True
    release_reference(env, known.ref_obj_id)
    for i in range(1, len(frame.stack)):
        slot = frame.stack[i]
        clone = slot.spilled
        if slot.type_at(7) == c.STACK_DYNPTR and clone.ref_obj_id == known.ref_obj_id and clone.first_slot:
            invalidate_dynptr(env, frame, i)
    return True


def destroy_if_dynptr_stack_slot(env: Env, frame: Frame, spi: int) -> None:
    """A store hits slot ``spi``: a dynptr there is lost as a whole.  One that must be given back may not be.

    Raises Rejected.
    """
    slot = frame.stack[spi]
    if slot.type_at(7) != c.STACK_DYNPTR or not env.rules.dynptr_ids:
        return
    if not slot.spilled.first_slot:
        spi += 1
    known = frame.stack[spi].spilled
    if dynptr_type_refcounted(known.dynptr_type):
        raise env.reject(EINVAL, "dynptr-overwritten", "cannot overwrite referenced dynptr\n")
    mark_stack_slot_scratched(env, spi)
    mark_stack_slot_scratched(env, spi - 1)
    _forget_slices(env, known.id)
    invalidate_dynptr(env, frame, spi)


def _forget_slices(env: Env, dynptr_id: int) -> None:
    """Memory that was found through a dynptr is gone with it."""
    gone = invalid_reg(env)
    for frame in env.state.frames:
        for i, reg in enumerate(frame.regs):
            if reg.type in SLICES and reg.dynptr_id == dynptr_id:
                frame.regs[i] = gone
        for i, slot in enumerate(frame.stack):
            reg = slot.spilled
            if slot.type_at(7) == c.STACK_SPILL and reg.type in SLICES and reg.dynptr_id == dynptr_id:
                frame.stack[i] = slot.with_spilled(gone)


def is_dynptr_reg_valid_uninit(env: Env, reg: Reg) -> bool:
    """Could a dynptr be made where ``reg`` points to?  What is there may be overwritten."""
    if reg.type == c.CONST_PTR_TO_DYNPTR:
        return False
    spi = dynptr_get_spi(env, reg)
    if not env.rules.dynptr_ids and spi >= 0:
        stack = frame_of(env, reg).stack
        return not any(slot.type_at(i) == c.STACK_DYNPTR for slot in stack[spi - 1 : spi + 1] for i in range(8))
    return spi >= 0 or spi == -ERANGE


def is_dynptr_reg_valid_init(env: Env, reg: Reg) -> bool:
    """Does ``reg`` point to the start of a dynptr?"""
    if reg.type == c.CONST_PTR_TO_DYNPTR:
        return True
    frame = frame_of(env, reg)
    spi = dynptr_get_spi(env, reg)
    if spi < 0:
        return False
    first, second = frame.stack[spi], frame.stack[spi - 1]
    return first.types == second.types == _DYNPTR8 and first.spilled.first_slot


def is_dynptr_type_expected(env: Env, reg: Reg, flags: int) -> bool:
    """Is the dynptr of the kind that the argument's flags name?"""
    wanted = arg_to_dynptr_type(flags)
    found = known_dynptr(env, reg)
    return not flags & ~c.MEM_RDONLY or (found is not None and found.dynptr_type == wanted)


def known_dynptr(env: Env, reg: Reg) -> Reg | None:
    """What is known of the dynptr behind a valid pointer: its id, kind and reference.  None: there can't be one."""
    if reg.type == c.CONST_PTR_TO_DYNPTR:
        return reg
    spi = dynptr_get_spi(env, reg)
    return frame_of(env, reg).stack[spi].spilled if spi >= 0 else None


def mark_dynptr_read(env: Env, reg: Reg) -> None:
    """The dynptr's two slots are read."""
    if reg.type == c.CONST_PTR_TO_DYNPTR or not env.rules.dynptr_ids:
        return
    spi = dynptr_get_spi(env, reg)
    for at in (spi, spi - 1):
        mark_stack_read(env, reg.frameno, env.insn_idx, 1 << at)
        mark_stack_slot_scratched(env, at)
