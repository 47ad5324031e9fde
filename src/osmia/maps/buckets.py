"""Buckets and elements of a hash map in native memory (kernel/bpf/hashtab.c), which several threads use at once.

An element is a header (``maps.pool``), the key and the value, key and value rounded up to eight.  A bucket is the
address of its first element, a spin lock (u32) that changes take, and a count (u32) of the elements that left.
Look-ups take no lock: an element comes into its bucket complete, at the head, and keeps its link to the next when it
leaves; so a walk that finds nothing is right unless an element left meanwhile, and then it is done again.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

try:
    import cython
except ImportError:
    from osmia._cy import cython
from osmia.kernel.uapi import MAP_FLAGS
from osmia.maps.base import Map, round8
from osmia.maps.pool import Pool
from osmia.maps.slab import Slab

if not cython.compiled:
    from osmia.maps.keys import hash_of, same
    from osmia.maps.pool import HASH, HEADER, LIVE, NUMBER, give, release, reserve, take
    from osmia.raw import copy, fill, ld32, ld64, load32, load64, st32, st64, store32, store64

    BUCKET, LOCK, LEFT = 16, 8, 12  # size of a bucket; offsets of its lock and of the count of elements that left
    NOEXIST, EXIST, F_LOCK = 1, 2, 4

if TYPE_CHECKING:
    from osmia.memory import Region
    from osmia.obj.model import MapSpec

ENOENT, EEXIST = errno.ENOENT, errno.EEXIST
RDONLY_PROG = MAP_FLAGS["rdonly_prog"]


class Buckets(Map):
    """Buckets and elements: what all hash maps are made of."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self.copies = self._copies()
        self.max_entries = self._entries()
        self.capacity = self._capacity()
        self.value_at = 16 + round8(self.key_size)
        self.value_stride = round8(self.value_size)
        self.stride = self.value_at + (self.value_stride if self.copies == 0 else 0)
        self.mask = (1 << max(self.max_entries - 1, 0).bit_length()) - 1
        self._buckets = Slab(BUCKET * (self.mask + 1))
        self.buckets = self._buckets.address
        self._pool = Pool(self.capacity, self.stride, self.max_entries)
        self.pool, self.elements = self._pool.address, self._pool.elements
        self._values = Slab(self.value_stride * self.capacity * self.copies)
        self.values_base = self._values.address
        self.publish(max_entries=self.max_entries, copies=max(self.copies, 1))
        if self.copies:
            self.publish(values=self.values_base, stride=self.value_stride)
        else:
            self.publish(values=self.elements + self.value_at, stride=self.stride)

    def _copies(self) -> int:
        """Values per element outside of it: one per CPU, or 0 where the value is in the element."""
        return 0

    def _entries(self) -> int:
        """Elements that the map may hold."""
        return self.spec.max_entries

    def _capacity(self) -> int:
        """Elements in memory: one more per CPU than the map may hold, for updates of a full map."""
        return int(self.max_entries) + int(self.cpus)

    # -- elements ----------------------------------------------------------------------------------------------

    def hashed(self, key: int) -> int:
        """The hash of a key as it stands in elements."""
        return hash_of(key, self.key_size) | LIVE

    def bucket_of(self, hashed: int) -> int:
        """The address of the bucket of a hash."""
        return self.buckets + BUCKET * (hashed & self.mask)

    def find(self, key: int, hashed: int) -> int:
        """The element of a key, or 0; without a lock."""
        bucket = self.bucket_of(hashed)
        while True:
            left = load32(bucket + LEFT)
            element = load64(bucket)
            while element:
                if load32(element + HASH) == hashed and same(element + HEADER, key, self.key_size):
                    return element
                element = load64(element)
            if load32(bucket + LEFT) == left:
                return 0

    def value_of(self, element: int, cpu: int) -> int:
        """Where the value of an element is (this CPU's)."""
        if self.copies == 0:
            return element + self.value_at
        return self.values_base + (cpu * self.capacity + ld32(element + NUMBER)) * self.value_stride

    def put_key(self, element: int, key: int) -> None:
        """Write the key of a new element.  The bytes behind a short one stay zero."""
        if self.key_size == 4:
            st32(element + HEADER, ld32(key))
        elif self.key_size == 8:
            st64(element + HEADER, ld64(key))
        else:
            copy(element + HEADER, key, self.key_size)

    def begin_value(self, target: int, source: int) -> None:
        """Write the value of a new element: special fields and the bytes behind a short value are zero."""
        if self.has_special or self.stored & 7:
            fill(target, 0, self.value_stride)
        self.store(target, source)

    def link(self, bucket: int, element: int, hashed: int) -> None:
        """Put an element whose key and value are complete at the head of its bucket, which is locked."""
        store32(element + HASH, hashed)
        store64(element, ld64(bucket))  # whoever still stands on it and goes on from here sees that it had left
        store64(bucket, element)

    def unlink(self, bucket: int, element: int) -> bool:
        """Take an element out of its bucket, which is locked; False when it is not in there."""
        M32 = 0xFFFFFFFF
        at = bucket
        while ld64(at) != element:
            at = ld64(at)
            if not at:
                return False
        store32(bucket + LEFT, (ld32(bucket + LEFT) + 1) & M32)
        store64(at, ld64(element))
        store32(element + HASH, 0)
        return True

    def clash(self, element: int, flags: int) -> int:
        """-EEXIST or -ENOENT when the flags ask for the other case; or 0."""
        wanted = flags & (NOEXIST | EXIST)
        if element and wanted == NOEXIST:
            return -EEXIST
        if not element and wanted == EXIST:
            return -ENOENT
        return 0

    def fresh(self) -> int:
        """An element for one more key, or 0 when the map is full."""
        if not reserve(self.pool):
            return 0
        element = take(self.pool)
        while not element:  # one that another thread is about to give back
            element = take(self.pool)
        return element

    def dispose(self, element: int) -> None:
        """The element of a key that went is free."""
        give(self.pool, element)
        release(self.pool)

    def element_of(self, key: int) -> int:
        """The element of a key, or 0."""
        return self.find(key, self.hashed(key))

    @property
    def count(self) -> int:
        """Elements in the map."""
        return int(self._pool.count())

    def value_regions(self) -> list[Region]:
        """The values, as one strided region."""
        from osmia.memory import Region

        size, stride = self.capacity * self.stride - self.value_at, self.stride
        base = self.elements + self.value_at
        if self.copies:
            base, size, stride = self.values_base, self.value_stride * self.capacity * self.copies, self.value_stride
        writable = not self.flags & RDONLY_PROG
        title = f"value of map {self.name}"
        return [Region(title, base, size, writable, "map value", stride, self.value_size, owner=self)]

    def __len__(self) -> int:
        return self.count
