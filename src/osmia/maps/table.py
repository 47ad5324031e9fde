"""The table of a hash map: chained buckets in native memory (kernel/bpf/hashtab.c) that several threads use at once.

An element is a header (``maps.pool``), the key and the value, key and value rounded up to eight.  A bucket is the
address of its first element, a spin lock (u32) that changes take, and a count (u32) of the elements that left.
Look-ups take no lock: an element comes into its bucket complete, at the head, and keeps its link to the next when it
leaves; so a walk that finds nothing is right unless an element left meanwhile, and then it is done again.  Iteration
goes by bucket; the order is deterministic and not the kernel's.
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
from osmia.maps.slab import Slab, filled
from osmia.raw import Buffer, read

if not cython.compiled:
    from osmia.maps.keys import hash_of, same
    from osmia.maps.pool import HASH, HEADER, LIVE, NUMBER, give, release, reserve, take
    from osmia.raw import copy, fill, ld32, ld64, load32, load64, lock, st32, st64, store32, store64, unlock

    BUCKET, LOCK, LEFT = 16, 8, 12  # size of a bucket; offsets of its lock and of the count of elements that left
    NOEXIST, EXIST, F_LOCK = 1, 2, 4

if TYPE_CHECKING:
    from osmia.memory import Region
    from osmia.obj.model import MapSpec

ENOENT, EEXIST = errno.ENOENT, errno.EEXIST
RDONLY_PROG = MAP_FLAGS["rdonly_prog"]


class Table(Map):
    """Buckets and elements: what all hash maps share."""

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
        self.publish(max_entries=self.max_entries, values=self.values_base or self.elements + self.value_at)
        self.publish(stride=self.value_stride if self.copies else self.stride, copies=self.copies)

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
        st64(element, ld64(bucket))
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

    # -- operations --------------------------------------------------------------------------------------------

    def find_elem(self, key: int, cpu: int) -> int:
        """The value's address, or 0."""
        element = self.find(key, self.hashed(key))
        if not element or (self.copies and cpu >= self.copies):
            return 0
        return self.value_of(element, cpu)

    def drop_elem(self, key: int) -> int:
        """Take the element out; its memory serves the next insertion."""
        element = self.detach(key, 0, 0)
        if not element:
            return -ENOENT
        self.dispose(element)
        return 0

    def take_elem(self, key: int, out: int, flags: int) -> int:
        """Copy the value (of all CPUs) to ``out`` and take the element out, in one step."""
        element = self.detach(key, out, flags)
        if not element:
            return -ENOENT
        self.dispose(element)
        return 0

    def detach(self, key: int, out: int, flags: int) -> int:
        """Take the element out of its bucket; with ``out``, its value goes there first.  The element, or 0."""
        hashed = self.hashed(key)
        bucket = self.bucket_of(hashed)
        lock(bucket + LOCK)
        element = self.find(key, hashed)
        if element:
            if out:
                self.copy_values(element, out, flags)
            self.unlink(bucket, element)
        unlock(bucket + LOCK)
        return element

    def copy_elem(self, key: int, out: int, flags: int) -> int:
        """Copy the value (of all CPUs) to ``out``; 0 or -ENOENT.  The element can't be used anew meanwhile."""
        hashed = self.hashed(key)
        bucket = self.bucket_of(hashed)
        lock(bucket + LOCK)
        element = self.find(key, hashed)
        if element:
            self.copy_values(element, out, flags)
        unlock(bucket + LOCK)
        return 0 if element else -ENOENT

    def copy_values(self, element: int, out: int, flags: int) -> None:
        """What bpf(2) shows of an element: the value without special fields, or the values of all CPUs."""
        if self.copies == 0:
            self.show(out, element + self.value_at, flags & F_LOCK != 0)
        cpu = 0
        while cpu < self.copies:
            copy(out + cpu * self.value_stride, self.value_of(element, cpu), self.value_stride)
            cpu += 1

    def next_elem(self, key: int, out: int) -> int:
        """The key that follows in bucket order."""
        number = 0
        if key:
            hashed = self.hashed(key)
            if self.key_behind(self.bucket_of(hashed), key, hashed, out):
                return 0
            if self.find(key, hashed):
                number = (hashed & self.mask) + 1
        while number <= self.mask:
            if load64(self.buckets + BUCKET * number) and self.key_behind(self.buckets + BUCKET * number, 0, 0, out):
                return 0
            number += 1
        return -ENOENT

    def key_behind(self, bucket: int, key: int, hashed: int, out: int) -> bool:
        """Copy the key that follows ``key`` in a bucket (the first, for 0) to ``out``; False when there is none."""
        lock(bucket + LOCK)
        element = ld64(bucket)
        if key:
            element = self.find(key, hashed)
            if element:
                element = ld64(element)
        if element:
            copy(out, element + HEADER, self.key_size)
        unlock(bucket + LOCK)
        return element != 0

    def each_elem(self, cursor: int, cpu: int) -> int:
        """Bucket by bucket, each from its head."""
        number = ld64(cursor + 16)
        element = 0
        if number and ld64(cursor):
            element = self.following(ld64(cursor) - HEADER, ld64(cursor + 24), number)
        while not element and number <= self.mask:
            number += 1
            element = self.living(load64(self.bucket_of(number - 1)), number)
        st64(cursor + 16, number)
        if not element:
            return 0
        st64(cursor + 24, load64(element))
        st64(cursor, element + HEADER)
        st64(cursor + 8, self.value_of(element, cpu))
        return 1

    def following(self, element: int, noted: int, number: int) -> int:
        """The next in bucket ``number - 1``, or 0: by the element's link, by the one noted then if the element went."""
        if self.living(element, number) == element:
            return self.living(load64(element), number)
        return self.living(noted, number)

    def living(self, element: int, number: int) -> int:
        """The first from there on that is in the table; 0 at the end of bucket ``number - 1``, or outside of it."""
        while element:
            hashed = load32(element + HASH)
            if hashed & LIVE:
                return element if (hashed & self.mask) + 1 == number else 0
            element = load64(element)
        return 0

    # -- Python's side -----------------------------------------------------------------------------------------

    def element_of(self, key: int) -> int:
        """The element of a key, or 0."""
        return self.find(key, self.hashed(key))

    @property
    def count(self) -> int:
        """Elements in the map."""
        return int(self._pool.count())

    def raw_keys(self) -> list[bytes]:
        """All keys, the elements in the order of their memory."""
        rows = [row for number in filled(self.buckets, int(self.mask) + 1) for row in self.rows_of(number, 16)]
        return [key for _, key in sorted(rows)]

    def rows_of(self, number: int, limit: int) -> list[tuple[int, bytes]]:
        """Number and key of every element of a bucket; ``limit`` is a guess how many these are."""
        stride = 8 + round8(self.key_size)
        room = Buffer(limit * stride)
        count = self.copy_keys(self.buckets + BUCKET * number, room.address, limit)
        if count > limit:
            return self.rows_of(number, 2 * count)
        rows = range(room.address, room.address + count * stride, stride)
        return [(int.from_bytes(read(row, 8), "little"), read(row + 8, self.key_size)) for row in rows]

    def copy_keys(self, bucket: int, out: int, limit: int) -> int:
        """Write number (u64) and key of up to ``limit`` elements of a bucket; how many elements there are."""
        lock(bucket + LOCK)
        element = ld64(bucket)
        count = 0
        while element:
            if count < limit:
                st64(out, ld32(element + NUMBER))
                copy(out + 8, element + HEADER, self.key_size)
                out += self.value_at - 8
            count += 1
            element = ld64(element)
        unlock(bucket + LOCK)
        return count

    def copy_value(self, key: int) -> bytes | int:
        """The value, or the values of all CPUs."""
        bad = self.copy_elem(key, self._value_in.address, 0)
        return bad or read(self._value_in.address, self.command_value_size)

    def copy_locked(self, key: int) -> bytes | int:
        """The value, read under its own lock."""
        bad = self.copy_elem(key, self._value_in.address, F_LOCK)
        return bad or read(self._value_in.address, self.command_value_size)

    def take_value(self, key: int, flags: int) -> bytes | int:
        """The value, and the element is gone."""
        bad = self.take_elem(key, self._value_in.address, flags)
        return bad or read(self._value_in.address, self.command_value_size)

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
