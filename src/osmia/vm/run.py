"""A running thread's native block, and the question that every checked access ends in: may it?

The layout is in ``runwords``.  Everything here but the class works without the interpreter lock.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.memory import Memory
from osmia.raw import Buffer
from osmia.vm.ops import STACK_SIZE
from osmia.vm.runwords import OFFSETS, RUN

if not cython.compiled:
    from osmia.memory import window
    from osmia.raw import ld64, st64
    from osmia.vm.ops import FRAME_SIZE, FRAME_STRIDE
    from osmia.vm.packetwords import P_END, P_META, P_START
    from osmia.vm.runwords import (  # isort: skip
        F_READ, F_WRITE, R_ADDRESS, R_CHECKED, R_FAULT, R_LOW, R_LOW2, R_MEMORY, R_PACKET, R_ROOM, R_SIZE, R_SPAN,
        R_SPAN2, R_STACK, R_WRITABLE, R_WRITABLE2,
    )  # fmt: skip


class Run:
    """The block of one thread, with the frames that its programs run on.

    ``memory`` is what programs may touch besides the frames, the packet and what fast helpers hand out.
    """

    def __init__(self, memory: Memory, checked: bool) -> None:
        self.memory = memory
        self._words = Buffer(8 * len(RUN))
        self.address = self._words.address
        self.frames = Buffer(STACK_SIZE)
        self.put("stack", self.frames.address)
        self.put("memory", memory.native)
        self.put("checked", int(checked))

    def get(self, name: str) -> int:
        """A word by its name."""
        return int(ld64(self.address + OFFSETS[name]))

    def put(self, name: str, value: int) -> None:
        """Set a word by its name."""
        st64(self.address + OFFSETS[name], value & 0xFFFFFFFFFFFFFFFF)

    def close_windows(self) -> None:
        """Forget where the last accesses were: memory came or went."""
        st64(self.address + R_SPAN, 0)
        st64(self.address + R_SPAN2, 0)

    def __repr__(self) -> str:
        words = ", ".join(f"{name} {self.get(name):#x}" for name in RUN if self.get(name))
        return f"<Run {words}>"


def may(run: int, address: int, size: int, write: int) -> int:
    """May the program read (or write) these bytes?  1 or 0; always 1 for no bytes and in runs that are not checked."""
    if size == 0 or ld64(run + R_CHECKED) == 0:
        return 1
    if in_frames(run, address, size) or in_packet(ld64(run + R_PACKET), address, size):
        return 1
    if in_window(run + R_LOW, address, size, write) or in_window(run + R_LOW2, address, size, write):
        return 1
    return look_up(run, address, size, write)


def in_frames(run: int, address: int, size: int) -> int:
    """Inside one of the frames in use?"""
    M64 = 0xFFFFFFFFFFFFFFFF
    at = (address - ld64(run + R_STACK)) & M64
    if at >= ld64(run + R_ROOM):
        return 0
    at &= FRAME_STRIDE - 1
    return 1 if at <= FRAME_SIZE and size <= FRAME_SIZE - at else 0


def in_packet(packet: int, address: int, size: int) -> int:
    """Inside the packet, or inside its metadata?"""
    if packet == 0:
        return 0
    start = ld64(packet + P_START)
    if address >= start:
        return between(start, ld64(packet + P_END), address, size)
    return between(ld64(packet + P_META), start, address, size)


def between(low: int, high: int, address: int, size: int) -> int:
    """Do the bytes lie in [low, high)?"""
    return 1 if low <= address and address < high and size <= high - address else 0


def in_window(low: int, address: int, size: int, write: int) -> int:
    """Inside the window whose three words (low, span, flags) begin at ``low``?"""
    M64 = 0xFFFFFFFFFFFFFFFF
    at = (address - ld64(low)) & M64
    span = ld64(low + 8)
    if at >= span or size > span - at:
        return 0
    return 1 if write == 0 or ld64(low + 16) & 1 else 0


def look_up(run: int, address: int, size: int, write: int) -> int:
    """Ask the table of regions, and open the window there; the window before stays as the second."""
    low = ld64(run + R_LOW)
    span = ld64(run + R_SPAN)
    flags = ld64(run + R_WRITABLE)
    if window(ld64(run + R_MEMORY), address, run + R_LOW) == 0:
        return 0
    st64(run + R_LOW2, low)
    st64(run + R_SPAN2, span)
    st64(run + R_WRITABLE2, flags)
    return in_window(run + R_LOW, address, size, write)


def refuse(run: int, address: int, size: int, write: int) -> int:
    """Note the access that may not be; returns 0, what a faulting helper answers."""
    st64(run + R_FAULT, F_WRITE if write else F_READ)
    st64(run + R_ADDRESS, address)
    st64(run + R_SIZE, size)
    return 0
