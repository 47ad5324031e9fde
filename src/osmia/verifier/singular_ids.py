"""Ids that only one scalar of a state has are dropped when the state is remembered: they link it to nothing.

A state without them equals more states.  (``bpf_clear_singular_ids`` in kernel/bpf/verifier.c, since Linux 7.0, where
a register that comes back from the stack is given an id that the slot shares, too.)
"""

from __future__ import annotations

from collections import Counter

from osmia.verifier.consts import BPF_ADD_CONST, SCALAR_VALUE
from osmia.verifier.regs import Reg
from osmia.verifier.slots import is_spilled_scalar_reg, make_slot
from osmia.verifier.state import State


def clear_singular_ids(state: State) -> None:
    """Drop the ids of scalars, in registers and in the stacks of all frames, that no other scalar shares."""
    holders: Counter[int] = Counter()
    for frame in state.frames[: state.curframe + 1]:
        found = [reg for reg in frame.regs if reg.type == SCALAR_VALUE and reg.id]
        found += [slot.spilled for slot in frame.stack if is_spilled_scalar_reg(slot) and slot.spilled.id]
        holders.update(reg.id & ~BPF_ADD_CONST for reg in found)
    alone = {one for one, times in holders.items() if times == 1}
    if not alone:
        return
    for frame in state.frames[: state.curframe + 1]:
        for i, reg in enumerate(frame.regs):
            if reg.type == SCALAR_VALUE and reg.id and reg.id & ~BPF_ADD_CONST in alone:
                frame.regs[i] = without_id(reg)
        for i, slot in enumerate(frame.stack):
            reg = slot.spilled
            if is_spilled_scalar_reg(slot) and reg.id and reg.id & ~BPF_ADD_CONST in alone:
                frame.stack[i] = make_slot(slot.types, without_id(reg))


def without_id(reg: Reg) -> Reg:
    """The same scalar, linked to nothing."""
    new = reg.copy()
    new.id = new.off = 0
    return new
