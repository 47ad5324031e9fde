"""The trace of a host in native memory: lines that native bodies write and Python takes out.

Words, and a block that grows with the records in it, one after the other: size of the record, CPU, pid, time in
nanoseconds, ``flags`` (a number that the host gave meaning to), sixteen bytes of the task's name, length of the text,
text.
"""

from __future__ import annotations

import struct
import weakref
from typing import NamedTuple

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.raw import Buffer, read

if not cython.compiled:
    from osmia.raw import copy, ld64, lock, st64, unlock
    from osmia.vm.hostwords import TASK_COMM, TASK_PID, step_clock

    # The words of a trace, by offset (the .pxd twin has the same numbers).
    T_LOCK, T_USED, T_ROOM, T_FLAGS, T_RECORDS, T_SIZE, T_HEAD = 0, 8, 16, 24, 32, 40, 64
    _blocks: dict[int, Buffer] = {}

    def resized(block: int, used: int, room: int) -> int:
        """A block of ``room`` bytes that begins as the old one did, which is gone; 0 and it stays without memory."""
        new = Buffer(room)
        copy(new.address, block, used)
        _blocks.pop(block, None)
        _blocks[new.address] = new
        return new.address

    def dropped(block: int) -> None:
        """Give a block back."""
        _blocks.pop(block, None)


RECORD = struct.Struct("=QQQQQ16sQ")
FIRST_ROOM, MOST_ROOM = 1 << 12, 1 << 24
"""Bytes of records at first and at most; a line that then finds no room has Python take the others out."""


class Line(NamedTuple):
    """One line as native code wrote it."""

    cpu: int
    pid: int
    time_ns: int
    flags: int
    comm: bytes
    text: bytes


def add_line(host: int, trace: int, task: int, cpu: int, text: int, length: int) -> int:
    """Add a line by the current task, now; 1, or 0 when there is no room."""
    size = T_HEAD + ((length + 7) >> 3 << 3)
    lock(trace + T_LOCK)
    used = ld64(trace + T_USED)
    fits = 1 if size <= ld64(trace + T_ROOM) - used else grown(trace, used)
    if fits:
        at = ld64(trace + T_RECORDS) + used
        st64(at, size)
        st64(at + 8, cpu)
        st64(at + 16, ld64(task + TASK_PID))
        st64(at + 24, step_clock(host))
        st64(at + 32, ld64(trace + T_FLAGS))
        copy(at + 40, task + TASK_COMM, 16)
        st64(at + 56, length)
        copy(at + T_HEAD, text, length)
        st64(trace + T_USED, used + size)
    unlock(trace + T_LOCK)
    return fits


def grown(trace: int, used: int) -> int:
    """Make room for more; 0 where that would be too much.  A line is always shorter than ``FIRST_ROOM``."""
    room = 2 * ld64(trace + T_ROOM)
    block = resized(ld64(trace + T_RECORDS), used, room) if room <= MOST_ROOM else 0
    if block == 0:
        return 0
    st64(trace + T_RECORDS, block)
    st64(trace + T_ROOM, room)
    return 1


def move_out(trace: int, other: int) -> None:
    """Change the full block for the empty one of ``other``, in one go for other threads."""
    lock(trace + T_LOCK)
    block = ld64(trace + T_RECORDS)
    used = ld64(trace + T_USED)
    room = ld64(trace + T_ROOM)
    st64(trace + T_RECORDS, ld64(other + T_RECORDS))
    st64(trace + T_ROOM, ld64(other + T_ROOM))
    st64(trace + T_USED, 0)
    unlock(trace + T_LOCK)
    st64(other + T_RECORDS, block)
    st64(other + T_USED, used)
    st64(other + T_ROOM, room)


class Block:
    """Words and a block of their own."""

    def __init__(self) -> None:
        self.words = Buffer(T_SIZE)
        self.address = self.words.address
        st64(self.address + T_RECORDS, resized(0, 0, FIRST_ROOM))
        st64(self.address + T_ROOM, FIRST_ROOM)
        weakref.finalize(self, _drop, self.words).atexit = False  # a thread may still be printing then

    def records(self) -> bytes:
        """What is in it."""
        return read(ld64(self.address + T_RECORDS), ld64(self.address + T_USED))


def _drop(words: Buffer) -> None:
    dropped(ld64(words.address + T_RECORDS))


class Trace(Block):
    """The native trace of one host."""

    def set_flags(self, flags: int) -> None:
        """What lines say from now on."""
        st64(self.address + T_FLAGS, flags)

    def take(self) -> list[Line]:
        """The lines since the last time."""
        if not ld64(self.address + T_USED):
            return []
        taken = Block()
        move_out(self.address, taken.address)
        raw = taken.records()
        lines, at = [], 0
        while at < len(raw):
            size, cpu, pid, time_ns, flags, comm, length = RECORD.unpack_from(raw, at)
            text = raw[at + RECORD.size : at + RECORD.size + length].split(b"\0", 1)[0]
            lines.append(Line(cpu, pid, time_ns, flags, comm.split(b"\0", 1)[0], text))
            at += size
        return lines
