"""What a hash map does with its buckets (``maps.buckets``): look-up, deletion, iteration, and reading for Python.

Iteration goes by bucket; the order is deterministic and not the kernel's.
"""

from __future__ import annotations

import errno

try:
    import cython
except ImportError:
    from osmia._cy import cython
from osmia.maps.base import round8
from osmia.maps.buckets import Buckets
from osmia.maps.slab import filled
from osmia.raw import Buffer, read

if not cython.compiled:
    from osmia.maps.buckets import BUCKET, F_LOCK, LOCK
    from osmia.maps.pool import HASH, HEADER, LIVE, NUMBER
    from osmia.raw import copy, ld32, ld64, load32, load64, lock, st64, unlock

ENOENT = errno.ENOENT


class Table(Buckets):
    """A map by key.  How a value gets in is for its families to say."""

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
