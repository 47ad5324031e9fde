"""Queues and stacks (kernel/bpf/queue_stack_maps.c): maps without keys.

As in the kernel, every operation holds the map's one lock, so that each value is handed out exactly once.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

try:
    import cython
except ImportError:
    from osmia._cy import cython
from osmia.maps.base import Map, round8
from osmia.maps.slab import Slab
from osmia.raw import read

if not cython.compiled:
    from osmia.raw import copy, fill, ld64, lock, st64, unlock

    # Words in front of the values, by offset (the .pxd twin has the same numbers).
    LOCK, OLDEST, COUNT, VALUES = 0, 8, 16, 32
    NOEXIST, EXIST = 1, 2

if TYPE_CHECKING:
    from osmia.obj.model import MapSpec

EINVAL, ENOENT, E2BIG = -errno.EINVAL, -errno.ENOENT, -errno.E2BIG


class Queue(Map):
    """First in, first out."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self.stride = round8(self.value_size)
        self.newest_first = 0
        self._slab = Slab(32 + self.stride * self.max_entries)
        self.ring = self._slab.address

    def slot(self, position: int) -> int:
        """Address of the value at a position counted from the oldest."""
        at = ld64(self.ring + OLDEST) + position
        if at >= self.max_entries:
            at -= self.max_entries
        return self.ring + VALUES + at * self.stride

    def push_elem(self, value: int, flags: int) -> int:
        """Append; with BPF_EXIST a full map drops its oldest value."""
        if flags & NOEXIST or flags > EXIST:
            return EINVAL
        lock(self.ring + LOCK)
        bad = self.push_locked(value, flags)
        unlock(self.ring + LOCK)
        return bad

    def push_locked(self, value: int, flags: int) -> int:
        """``push_elem`` with the lock held."""
        if ld64(self.ring + COUNT) >= self.max_entries:
            if not flags & EXIST:
                return E2BIG
            self.drop_oldest()
        copy(self.slot(ld64(self.ring + COUNT)), value, self.value_size)
        st64(self.ring + COUNT, ld64(self.ring + COUNT) + 1)
        return 0

    def drop_oldest(self) -> None:
        """Forget the value that came first."""
        at = ld64(self.ring + OLDEST) + 1
        st64(self.ring + OLDEST, 0 if at >= self.max_entries else at)
        st64(self.ring + COUNT, ld64(self.ring + COUNT) - 1)

    def hand_out(self, out: int, remove: int) -> int:
        """Copy the next value out, and take it out; zeros and -ENOENT when there is none."""
        lock(self.ring + LOCK)
        count = ld64(self.ring + COUNT)
        if count == 0:
            fill(out, 0, self.value_size)
            unlock(self.ring + LOCK)
            return ENOENT
        copy(out, self.slot(count - 1 if self.newest_first else 0), self.value_size)
        if remove and self.newest_first:
            st64(self.ring + COUNT, count - 1)
        elif remove:
            self.drop_oldest()
        unlock(self.ring + LOCK)
        return 0

    def peek_elem(self, out: int) -> int:
        """Copy the next value out; zeros and -ENOENT when there is none."""
        return self.hand_out(out, 0)

    def pop_elem(self, out: int) -> int:
        """Take the next value out; zeros and -ENOENT when there is none."""
        return self.hand_out(out, 1)

    def put_elem(self, key: int, value: int, flags: int, cpu: int) -> int:
        """Programs push, they don't update."""
        return EINVAL

    def drop_elem(self, key: int) -> int:
        """Programs pop, they don't delete."""
        return EINVAL

    def next_elem(self, key: int, out: int) -> int:
        """There are no keys."""
        return EINVAL

    def copy_value(self, key: int) -> bytes | int:
        """bpf(2) looks at the next value."""
        room = self._value_in
        return self.peek(room.address) or read(room.address, self.value_size)

    def put_value(self, key: int, value: int, flags: int) -> int:
        """bpf(2) pushes."""
        return self.push(value, flags)

    def take_value(self, key: int, flags: int) -> bytes | int:
        """bpf(2) pops."""
        room = self._value_in
        return self.pop(room.address) or read(room.address, self.value_size)

    def copy_all(self, out: int, limit: int) -> int:
        """Copy up to ``limit`` values as they are at one moment, the oldest first; how many."""
        lock(self.ring + LOCK)
        count = ld64(self.ring + COUNT)
        if count > limit:
            count = limit
        at = 0
        while at < count:
            copy(out + at * self.value_size, self.slot(at), self.value_size)
            at += 1
        unlock(self.ring + LOCK)
        return count

    def contents(self) -> list[bytes]:
        """All values as they are at one moment, the next one first."""
        size, limit = int(self.value_size), len(self)
        room = Slab(size * limit)
        count = self.copy_all(room.address, limit)
        found = [read(room.address + at * size, size) for at in range(count)]
        return found[::-1] if self.newest_first else found

    def __len__(self) -> int:
        return int(ld64(self.ring + COUNT))


class Stack(Queue):
    """Last in, first out."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self.newest_first = 1
