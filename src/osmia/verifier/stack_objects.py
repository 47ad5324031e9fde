"""Objects of the kernel's that lie on the program's stack: the marks of their slots.

(``mark_stack_slot_obj_read`` and neighbours in kernel/bpf/verifier.c; Linux 6.18.)
"""

from __future__ import annotations

from collections.abc import Iterator

from osmia.verifier.env import Env
from osmia.verifier.live_stack import mark_stack_read, mark_stack_write
from osmia.verifier.marks import mark_stack_slot_scratched
from osmia.verifier.regs import Reg, not_init
from osmia.verifier.slots import make_slot
from osmia.verifier.state import Frame, Slot

EACH_BYTE = 0x0101010101010101


def is_full_of(slot: Slot, kind: int) -> bool:
    """Are all eight bytes of that kind?"""
    return slot.types == kind * EACH_BYTE


def has_any(slot: Slot, kind: int) -> bool:
    """Is any byte of that kind?"""
    return any(slot.type_at(byte) == kind for byte in range(8))


def slot_numbers(spi: int, slots: int) -> Iterator[int]:
    """The slots of an object, its first one first."""
    return iter(range(spi, spi - slots, -1))


def put_slot(env: Env, frame: Frame, spi: int, kind: int, reg: Reg) -> None:
    """Make a slot part of an object, or (STACK_INVALID) of nothing any more."""
    frame.stack[spi] = make_slot(kind * EACH_BYTE, reg)
    mark_stack_write(env, frame.frameno, 1 << spi)
    mark_stack_slot_scratched(env, spi)


def clear_slot(env: Env, frame: Frame, spi: int) -> None:
    """The object is gone."""
    put_slot(env, frame, spi, 0, not_init())


def mark_object_read(env: Env, frameno: int, spi: int, slots: int) -> None:
    """The object's slots matter from here on back."""
    for number in slot_numbers(spi, slots):
        mark_stack_read(env, frameno, env.insn_idx, 1 << number)
        mark_stack_slot_scratched(env, number)
