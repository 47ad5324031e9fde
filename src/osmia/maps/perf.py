"""perf_event_array: per-CPU buffers of samples (kernel/trace/bpf_trace.c, kernel/events/ring_buffer.c).

A slot answers -ENOENT until someone opens a buffer for it: ``m.open()`` does for every CPU what a tracer's reader does.
"""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from osmia.errors import MapError
from osmia.maps.array import next_index
from osmia.maps.base import Map
from osmia.raw import ld32

if TYPE_CHECKING:
    from osmia.obj.model import MapSpec

PAGE_SIZE = 4096
RECORD_HEADER = 8  # struct perf_event_header
LOST_RECORD = 24  # header, id, count
MAX_SAMPLE = 0xFFFF - RECORD_HEADER - 4
"""The record's size field has sixteen bits."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One event: the CPU that wrote it and the bytes given to bpf_perf_event_output."""

    cpu: int
    data: bytes


@dataclass(slots=True)
class PerfBuffer:
    """The ring of one CPU: ``size`` bytes of records; ``lost`` samples found no room."""

    cpu: int
    size: int
    records: deque[bytes] = field(default_factory=deque)
    used: int = 0
    lost: int = 0
    unreported: int = 0

    def write(self, data: bytes) -> int:
        """0, or -ENOSPC when the reader is too slow."""
        room = record_size(len(data)) + (LOST_RECORD if self.unreported else 0)
        if self.used + room > self.size - 1:
            self.lost += 1
            self.unreported += 1
            return -errno.ENOSPC
        self.unreported = 0
        self.records.append(data)
        self.used += record_size(len(data))
        return 0

    def read(self) -> bytes | None:
        """The oldest record, or None."""
        if not self.records:
            return None
        data = self.records.popleft()
        self.used -= record_size(len(data))
        return data


def record_size(size: int) -> int:
    """Bytes that a sample takes in the ring: header, length, data, up to a multiple of eight."""
    return (RECORD_HEADER + 4 + size + 7) & ~7


class PerfEventArray(Map):
    """One buffer, or none, per slot; programs write to the slot of their CPU."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self.buffers: dict[int, PerfBuffer] = {}

    def open(self, pages: int = 64, cpus: Iterator[int] | None = None) -> PerfEventArray:
        """Open a buffer of ``pages`` pages (a power of two) for every CPU, or for these; returns the map."""
        if pages <= 0 or pages & (pages - 1):
            raise MapError(errno.EINVAL, f"{pages} pages: not a power of two")
        for cpu in range(min(int(self.cpus), int(self.max_entries))) if cpus is None else cpus:
            if not 0 <= cpu < self.max_entries:
                raise MapError(errno.E2BIG, f"map {self.name} has no slot {cpu}")
            self.buffers[cpu] = PerfBuffer(cpu, pages * PAGE_SIZE)
        return self

    def output(self, index: int, cpu: int, data: bytes) -> int:
        """Write a sample; 0 or the errno that the helper returns."""
        if index >= self.max_entries:
            return -errno.E2BIG
        if index not in self.buffers:
            return -errno.ENOENT
        if index != cpu:
            return -errno.EOPNOTSUPP  # a buffer belongs to one CPU
        if len(data) > MAX_SAMPLE:
            return -errno.E2BIG
        return self.buffers[index].write(data)

    def events(self) -> Iterator[Sample]:
        """Take all samples, CPU by CPU, oldest first."""
        for cpu, buffer in sorted(self.buffers.items()):
            while (data := buffer.read()) is not None:
                yield Sample(cpu, data)

    @property
    def lost(self) -> int:
        """Samples that found no room, on all CPUs."""
        return sum(b.lost for b in self.buffers.values())

    def delete(self, key: int) -> int:
        """Close a slot's buffer."""
        index = ld32(key)
        if index >= self.max_entries:
            return -errno.E2BIG
        return 0 if self.buffers.pop(index, None) else -errno.ENOENT

    def next_key(self, key: int, out: int) -> int:
        """Indices in order."""
        return next_index(key, out, self.max_entries)

    def copy_value(self, key: int) -> bytes | int:
        """bpf(2) does not tell which event is there."""
        return -524

    def __len__(self) -> int:
        return sum(len(b.records) for b in self.buffers.values())
