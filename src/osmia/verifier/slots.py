"""Stack slots: what their eight bytes are, how a frame grows.

In ``Slot.types`` byte 0 is the lowest address, so a spilled register, which starts at the slot's start, shows there.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.verifier.consts import SCALAR_VALUE, STACK_SPILL
    from osmia.verifier.env import Env
    from osmia.verifier.regs import Reg, new_reg
    from osmia.verifier.state import Frame, Slot

_ONES = 0x0101010101010101


def make_slot(types: int, spilled: Reg) -> Slot:
    """A slot of these byte kinds; ``spilled`` means something when byte 0 is a spill."""
    if cython.compiled:
        slot = Slot.__new__(Slot)
        slot.types = types
        slot.spilled = spilled
        return slot
    return Slot(types, spilled)


_NOTHING = new_reg()
_UNTOUCHED = make_slot(0, _NOTHING)


def nothing_spilled() -> Reg:
    """What stands in a slot that holds no register (one object for all)."""
    return _NOTHING


def is_spilled_reg(slot: Slot) -> bool:
    """Does a register, whole or its low bytes, lie here?"""
    return (slot.types & 0xFF) == STACK_SPILL


def is_spilled_scalar_reg(slot: Slot) -> bool:
    """Does a scalar lie here?"""
    spilled = slot.spilled
    return (slot.types & 0xFF) == STACK_SPILL and spilled.type == SCALAR_VALUE


def slot_bit(spi: int) -> int:
    """The bit of a slot in a mask of all 64."""
    bit = 1
    return bit << spi


def byte_mask(size: int) -> int:
    """The low ``size`` bytes (1 to 8) of a word."""
    return 0xFFFFFFFFFFFFFFFF >> (64 - 8 * size)


def scrubbed(types: int) -> int:
    """Every byte that was written counts as data of no known value; untouched bytes stay so."""
    return ((types | types >> 1 | types >> 2) & _ONES) << 1


def blurred(types: int) -> int:
    """As ``scrubbed``, but known zeros stay known."""
    return scrubbed(types) | (types & types >> 1 & _ONES)


def grow_stack_state(env: Env, frame: Frame, size: int) -> None:
    """Make the frame at least ``size`` bytes deep and note the deepest use of its function."""
    stack = frame.stack
    have = len(stack)
    wanted = (size + 7) >> 3
    if have >= wanted:
        return
    while have < wanted:
        stack.append(_UNTOUCHED)
        have += 1
    subprog = env.subprogs[frame.subprogno]
    if subprog.stack_depth < wanted * 8:
        subprog.stack_depth = wanted * 8
