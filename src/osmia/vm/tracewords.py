"""The trace of a host in native memory: lines that native bodies write and Python takes out.

A block of words, then records one after the other: size of the record, CPU, pid, time in nanoseconds, ``flags`` (a
number that the host gave meaning to), sixteen bytes of the task's name, length of the text, text.
"""

from __future__ import annotations

import struct
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
    T_LOCK, T_USED, T_ROOM, T_FLAGS, T_RECORDS, T_HEAD = 0, 8, 16, 24, 32, 64

RECORD = struct.Struct("=QQQQQ16sQ")
ROOM = 1 << 16
"""Bytes of records; a line that finds no room has Python take the others out first."""


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
    at = trace + T_RECORDS + ld64(trace + T_USED)
    fits = 1 if size <= ld64(trace + T_ROOM) - ld64(trace + T_USED) else 0
    if fits:
        st64(at, size)
        st64(at + 8, cpu)
        st64(at + 16, ld64(task + TASK_PID))
        st64(at + 24, step_clock(host))
        st64(at + 32, ld64(trace + T_FLAGS))
        copy(at + 40, task + TASK_COMM, 16)
        st64(at + 56, length)
        copy(at + T_HEAD, text, length)
        st64(trace + T_USED, ld64(trace + T_USED) + size)
    unlock(trace + T_LOCK)
    return fits


def move_out(trace: int, out: int) -> int:
    """Empty the trace into ``out``, in one go for other threads; the bytes."""
    lock(trace + T_LOCK)
    size = ld64(trace + T_USED)
    copy(out, trace + T_RECORDS, size)
    st64(trace + T_USED, 0)
    unlock(trace + T_LOCK)
    return size


class Trace:
    """The native trace of one host."""

    def __init__(self) -> None:
        self._room = Buffer(T_RECORDS + ROOM)
        self.address = self._room.address
        st64(self.address + T_ROOM, ROOM)

    def set_flags(self, flags: int) -> None:
        """What lines say from now on."""
        st64(self.address + T_FLAGS, flags)

    def take(self) -> list[Line]:
        """The lines since the last time."""
        if not ld64(self.address + T_USED):
            return []
        out = Buffer(ROOM)
        raw = read(out.address, move_out(self.address, out.address))
        lines, at = [], 0
        while at < len(raw):
            size, cpu, pid, time_ns, flags, comm, length = RECORD.unpack_from(raw, at)
            text = raw[at + RECORD.size : at + RECORD.size + length].split(b"\0", 1)[0]
            lines.append(Line(cpu, pid, time_ns, flags, comm.split(b"\0", 1)[0], text))
            at += size
        return lines
