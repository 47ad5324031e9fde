"""Hash maps (kernel/bpf/hashtab.c): one value per key, or one per key and CPU.  Their elements are in ``table``.

As in the kernel, an update of an existing key puts a *new* element in the old one's place, so that a pointer from an
earlier look-up keeps showing the old value (until the element is used again: at once by the next such update, because
each CPU keeps one spare element); per-CPU values and updates with BPF_F_LOCK are written in place.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

try:
    import cython
except ImportError:
    from osmia._cy import cython
from osmia.kernel.uapi import MAP_FLAGS
from osmia.maps.base import round8
from osmia.maps.keys import hash_key
from osmia.maps.table import Table
from osmia.raw import Buffer

if not cython.compiled:
    from osmia.maps.buckets import EXIST, F_LOCK, LOCK
    from osmia.maps.pool import give, take
    from osmia.raw import fill, lock, unlock, xchg64

if TYPE_CHECKING:
    from osmia.obj.model import MapSpec

__all__ = ["Hash", "PercpuHash", "Table", "hash_key"]

EINVAL, E2BIG = errno.EINVAL, errno.E2BIG
SHORT_KEYS = (4, 8, 16)
NO_PREALLOC = MAP_FLAGS["no_prealloc"]


class Hash(Table):
    """One value per key."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self._spares = Buffer(8 * int(self.cpus))
        self.spares = self._spares.address  # each CPU's spare element, 0 before its first use
        self.preallocated = not self.flags & NO_PREALLOC

    def entry_of(self, operation: str) -> tuple[str, str]:
        """Look-ups with short keys have functions of their own."""
        if operation == "lookup" and type(self) is Hash and self.key_size in SHORT_KEYS:
            return "osmia.maps.quick", f"hash{self.key_size}"
        return super().entry_of(operation)

    def put_elem(self, key: int, value: int, flags: int, cpu: int) -> int:
        """Insert, or put a new element in the old one's place."""
        if (flags | F_LOCK) > F_LOCK + EXIST or (flags & F_LOCK and self.lock_offset < 0):
            return -EINVAL
        hashed = self.hashed(key)
        bucket = self.bucket_of(hashed)
        lock(bucket + LOCK)
        bad = self.put_locked(bucket, key, value, flags, cpu, hashed)
        unlock(bucket + LOCK)
        return bad

    def put_locked(self, bucket: int, key: int, value: int, flags: int, cpu: int, hashed: int) -> int:
        """``put_elem`` in a locked bucket."""
        old = self.find(key, hashed)
        bad = self.clash(old, flags)
        if bad:
            return bad
        if old and flags & F_LOCK:
            return self.store_locked(old + self.value_at, value)
        element = self.spare(cpu) if old else self.fresh()
        if not element:
            return -E2BIG
        self.put_key(element, key)
        self.begin_value(element + self.value_at, value)
        self.link(bucket, element, hashed)
        if old:
            self.unlink(bucket, old)
            self.keep(old, cpu)
        return 0

    def spare(self, cpu: int) -> int:
        """An element for the place of another: this CPU's spare one, or one of the pool.

        Of all threads that replace elements at once at least one finds one, and gives another back.
        """
        element = 0
        while not element:
            if self.preallocated:
                element = xchg64(self.spares + 8 * (cpu % self.cpus), 0)
            if not element:
                element = take(self.pool)
        return element

    def keep(self, old: int, cpu: int) -> None:
        """The element that was replaced is this CPU's spare one; another thread's may be there and is free then."""
        if self.preallocated:
            old = xchg64(self.spares + 8 * (cpu % self.cpus), old)
        if old:
            give(self.pool, old)


class PercpuHash(Table):
    """One value per key and CPU."""

    def entry_of(self, operation: str) -> tuple[str, str]:
        """Look-ups with short keys have functions of their own."""
        if operation == "lookup" and type(self) is PercpuHash and self.key_size in SHORT_KEYS:
            return "osmia.maps.quick", f"percpu{self.key_size}"
        return super().entry_of(operation)

    def _copies(self) -> int:
        return int(self.cpus)

    def _capacity(self) -> int:
        return int(self.max_entries)

    @property
    def command_value_size(self) -> int:
        """All CPUs' values."""
        return round8(self.value_size) * int(self.cpus)

    def put_elem(self, key: int, value: int, flags: int, cpu: int) -> int:
        """Write this CPU's value; a new element has zeros for the others."""
        return self.put_values(key, value, flags, cpu, cpu + 1)

    def put_values(self, key: int, value: int, flags: int, first: int, end: int) -> int:
        """Write the values of the CPUs from ``first`` to ``end``, in a new element if need be."""
        if flags > EXIST or end > self.copies:
            return -EINVAL
        hashed = self.hashed(key)
        bucket = self.bucket_of(hashed)
        lock(bucket + LOCK)
        element = self.find(key, hashed)
        bad = self.clash(element, flags)
        if not bad and element:
            self.store_values(element, value, first, end)
        elif not bad:
            element = self.fresh()
            if element:
                self.begin(element, key, value, first, end)
                self.link(bucket, element, hashed)
            else:
                bad = -E2BIG
        unlock(bucket + LOCK)
        return bad

    def begin(self, element: int, key: int, value: int, first: int, end: int) -> None:
        """Fill a new element."""
        self.put_key(element, key)
        cpu = 0
        while cpu < self.copies:
            fill(self.value_of(element, cpu), 0, self.value_stride)
            cpu += 1
        self.store_values(element, value, first, end)

    def store_values(self, element: int, value: int, first: int, end: int) -> None:
        """Write the values of some CPUs."""
        cpu = first
        while cpu < end:
            self.store(self.value_of(element, cpu), value + (cpu - first) * self.value_stride)
            cpu += 1

    def put_value(self, key: int, value: int, flags: int) -> int:
        """Set every CPU's value."""
        return self.put_values(key, value, flags, 0, self.copies)
