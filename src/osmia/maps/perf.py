"""perf_event_array: per-CPU buffers of samples (kernel/trace/bpf_trace.c, kernel/events/ring_buffer.c).

A slot answers -ENOENT until someone opens a buffer for it: ``m.open()`` does for every CPU what a tracer's reader does.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

try:
    import cython
except ImportError:
    from osmia._cy import cython
from osmia.errors import MapError
from osmia.maps.perfring import prepare, room_for
from osmia.maps.records import RecordMap
from osmia.maps.slab import Slab
from osmia.maps.wake import WAKER_SIZE
from osmia.raw import Buffer

if not cython.compiled:
    from osmia.maps import perfring as native
    from osmia.maps.array import index_after
    from osmia.raw import ld32, load64, store64
    from osmia.raw import read as bytes_at

if TYPE_CHECKING:
    from osmia.obj.model import MapSpec

PAGE_SIZE = 4096


@dataclass(frozen=True)
class Sample:
    """One event: the CPU that wrote it and the bytes given to bpf_perf_event_output."""

    cpu: int
    data: bytes


class PerfBuffer:
    """The ring of one CPU with ``size`` bytes for records; its address is ``ring``."""

    def __init__(self, cpu: int, size: int, waker: int) -> None:
        self.cpu, self.size = cpu, size
        self._slab = Slab(room_for(size))
        self.ring = self._slab.address
        prepare(self.ring, size, waker)

    @property
    def lost(self) -> int:
        """Samples that found no room."""
        return int(load64(self.ring + native.LOST))

    def read(self) -> bytes | None:
        """The oldest sample, or None."""
        sample = native.next_sample(self.ring)
        if not sample:
            return None
        data = bytes_at(sample + 4, ld32(sample))
        native.release(self.ring, sample)
        return data

    def __len__(self) -> int:
        """Samples that wait."""
        return native.waiting(self.ring)

    def __repr__(self) -> str:
        return f"<PerfBuffer of CPU {self.cpu}: {len(self)} samples in {self.size} bytes, {self.lost} lost>"


class PerfEventArray(RecordMap):
    """One buffer, or none, per slot; programs write to the slot of their CPU.

    ``slots`` is the address of one word per slot, its buffer's ring or 0; it is also the handle's ``values``.
    """

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self._words = Slab(8 * self.max_entries)
        self.slots = self._words.address
        self.publish(values=self.slots, stride=8, copies=1)
        self.buffers: dict[int, PerfBuffer] = {}
        self._closed: list[PerfBuffer] = []  # a program that runs may be writing to one
        self._wake_words = Buffer(WAKER_SIZE)
        self.bell = self._wake_words.address

    def open(self, pages: int = 64, cpus: Iterable[int] | None = None) -> PerfEventArray:
        """Open a buffer of ``pages`` pages (a power of two) for every CPU, or for these; returns the map."""
        if pages <= 0 or pages & (pages - 1):
            raise MapError(errno.EINVAL, f"{pages} pages: not a power of two")
        for cpu in range(min(int(self.cpus), int(self.max_entries))) if cpus is None else cpus:
            if not 0 <= cpu < self.max_entries:
                raise MapError(errno.E2BIG, f"map {self.name} has no slot {cpu}")
            self._put(cpu, PerfBuffer(cpu, pages * PAGE_SIZE, self.bell))
        return self

    def _put(self, index: int, buffer: PerfBuffer | None) -> bool:
        """Open or close a slot's buffer; whether there was one."""
        with self.guard:
            old = self.buffers.pop(index, None)
            if old is not None:
                self._closed.append(old)
            if buffer is not None:
                self.buffers[index] = buffer
            store64(self.slots + 8 * index, 0 if buffer is None else buffer.ring)
        return old is not None

    def settle(self) -> None:
        """No program runs that could be writing to a closed buffer: let them go."""
        self._closed.clear()

    # -- the program's side ------------------------------------------------------------------------------------

    def output(self, index: int, cpu: int, data: bytes) -> int:
        """Write a sample; 0 or the errno that the helper returns."""
        room = Buffer.of(data)
        return native.output(self.address, index, cpu, room.address, len(data), 0, 0)

    def delete(self, key: int) -> int:
        """Close a slot's buffer."""
        index = ld32(key)
        if index >= self.max_entries:
            return -errno.E2BIG
        return 0 if self._put(index, None) else -errno.ENOENT

    def next_elem(self, key: int, out: int) -> int:
        """Indices in order."""
        return index_after(key, out, self.max_entries)

    # -- our side ----------------------------------------------------------------------------------------------

    def consume(self, limit: int | None = None) -> Iterator[Sample]:
        """Take the samples, CPU by CPU, oldest first."""
        for cpu, buffer in sorted(self.buffers.items()):
            while limit != 0 and (data := buffer.read()) is not None:
                limit = None if limit is None else limit - 1
                yield Sample(cpu, data)

    def events(self) -> Iterator[Sample]:
        """Take all samples, CPU by CPU, oldest first."""
        return self.consume()

    @property
    def lost(self) -> int:
        """Samples that found no room, on all CPUs."""
        return sum(b.lost for b in self.buffers.values())

    def ready(self) -> bool:
        """Whether ``consume`` would give something."""
        return any(len(b) for b in self.buffers.values())

    def __len__(self) -> int:
        return sum(len(b) for b in self.buffers.values())
