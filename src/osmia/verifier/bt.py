"""The registers and stack slots, frame by frame, that going back still looks for (``struct backtrack_state``)."""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython


class Backtrack:
    """One set of registers and one of stack slots per frame, as bit masks; ``frame`` is the innermost frame."""

    reg_masks: list[int]
    stack_masks: list[int]

    def __init__(self) -> None:
        self.frame = 0
        if not cython.compiled:
            self.reg_masks = [0] * 8
            self.stack_masks = [0] * 8

    def reset(self) -> None:
        """Look for nothing, from frame 0."""
        self.frame = 0
        for i in range(8):
            self.reg_masks[i] = 0
            self.stack_masks[i] = 0

    def empty(self) -> bool:
        """Is everything found?"""
        for i in range(self.frame + 1):
            if self.reg_masks[i] or self.stack_masks[i]:
                return False
        return True

    def set_reg(self, regno: int) -> None:
        """Look for a register of the innermost frame."""
        self.reg_masks[self.frame] |= 1 << regno

    def clear_reg(self, regno: int) -> None:
        """A register of the innermost frame is found."""
        self.reg_masks[self.frame] &= 0xFFFF ^ 1 << regno

    def has_reg(self, regno: int) -> bool:
        """Is a register of the innermost frame looked for?"""
        return (self.reg_masks[self.frame] >> regno & 1) != 0

    def regs(self) -> int:
        """The registers of the innermost frame."""
        return self.reg_masks[self.frame]

    def stack(self) -> int:
        """The stack slots of the innermost frame."""
        return self.stack_masks[self.frame]

    def frame_regs(self, frame: int) -> int:
        """The registers of any frame."""
        return self.reg_masks[frame]

    def frame_stack(self, frame: int) -> int:
        """The stack slots of any frame."""
        return self.stack_masks[frame]

    def set_frame_reg(self, frame: int, regno: int) -> None:
        """Look for a register of any frame."""
        self.reg_masks[frame] |= 1 << regno

    def clear_frame_reg(self, frame: int, regno: int) -> None:
        """A register of any frame is found."""
        self.reg_masks[frame] &= 0xFFFF ^ 1 << regno

    def has_frame_reg(self, frame: int, regno: int) -> bool:
        """Is a register of any frame looked for?"""
        return (self.reg_masks[frame] >> regno & 1) != 0

    def set_frame_slot(self, frame: int, spi: int) -> None:
        """Look for a stack slot of any frame."""
        bit = 1
        self.stack_masks[frame] |= bit << spi

    def clear_frame_slot(self, frame: int, spi: int) -> None:
        """A stack slot of any frame is found."""
        bit = 1
        bit <<= spi
        if self.stack_masks[frame] & bit:
            self.stack_masks[frame] ^= bit

    def has_frame_slot(self, frame: int, spi: int) -> bool:
        """Is a stack slot of any frame looked for?"""
        return (self.stack_masks[frame] >> spi & 1) != 0
