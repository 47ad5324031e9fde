"""Hash maps: chained buckets in native memory (kernel/bpf/hashtab.c).

An element is a header of 16 bytes (address of the next in its bucket, hash, number of the element), the key and the
value, key and value rounded up to eight.  As in the kernel, an update of an existing key puts a *new* element in
the old one's place, so that a pointer from an earlier lookup keeps showing the old value (until the element is used
again: at once by the next such update, because each CPU keeps one spare element); per-CPU values and updates with
BPF_F_LOCK are written in place.  Iteration goes by bucket; the order is deterministic and not the kernel's.
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
from osmia.maps.slab import Slab
from osmia.raw import Buffer, read

if not cython.compiled:
    from osmia.raw import copy, fill, ld8, ld32, ld64, st32, st64

if TYPE_CHECKING:
    from osmia.memory import Region
    from osmia.obj.model import MapSpec

EINVAL, ENOENT, EEXIST, E2BIG, ENOMEM = errno.EINVAL, errno.ENOENT, errno.EEXIST, errno.E2BIG, errno.ENOMEM
NOEXIST, EXIST, F_LOCK = 1, 2, 4
RDONLY_PROG = MAP_FLAGS["rdonly_prog"]
NO_PREALLOC = MAP_FLAGS["no_prealloc"]

HEADER = 16
MIX = 0x9E3779B97F4A7C15  # 2**64 / golden ratio: spreads the bits upwards
M64 = 0xFFFFFFFFFFFFFFFF


def hash_key(key: int, size: int) -> int:
    """32 bits of hash over the key's bytes; the same on every run."""
    h = size
    mix = MIX
    mask = M64
    at = 0
    while at + 8 <= size:
        h = ((h ^ ld64(key + at)) * mix) & mask
        h ^= h >> 29
        at += 8
    while at < size:
        h = ((h ^ ld8(key + at)) * mix) & mask
        h ^= h >> 29
        at += 1
    return (h ^ (h >> 32)) & 0xFFFFFFFF


def same(a: int, b: int, size: int) -> bool:
    """memcmp == 0."""
    at = 0
    while at + 8 <= size:
        if ld64(a + at) != ld64(b + at):
            return False
        at += 8
    while at < size:
        if ld8(a + at) != ld8(b + at):
            return False
        at += 1
    return True


class Table(Map):
    """Buckets, elements and the free list: what all hash maps share."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self.copies = self._copies()
        self.capacity = self._capacity()
        self.value_at = HEADER + round8(self.key_size)
        self.value_stride = round8(self.value_size)
        self.stride = self.value_at + (self.value_stride if self.copies == 0 else 0)
        self.mask = (1 << max(self.max_entries - 1, 0).bit_length()) - 1
        self._buckets = Slab(8 * (self.mask + 1))
        self.buckets = self._buckets.address
        self._elements = Slab(self.stride * self.capacity)
        self.elements = self._elements.address
        self._values = Slab(self.value_stride * self.capacity * self.copies)
        self.values_base = self._values.address
        self.free = 0  # freed elements, linked by their first word
        self.used = 0  # elements ever handed out: those beyond are untouched memory
        self.count = 0

    def _copies(self) -> int:
        """Values per element outside of it: one per CPU, or 0 where the value is in the element."""
        return 0

    def _capacity(self) -> int:
        """Elements in memory: one more per CPU than the map may hold, for updates of a full map."""
        return int(self.max_entries) + int(self.cpus)

    # -- elements ----------------------------------------------------------------------------------------------

    def find(self, key: int, hashed: int) -> int:
        """The element of a key, or 0."""
        element = ld64(self.buckets + 8 * (hashed & self.mask))
        while element:
            if ld32(element + 8) == hashed and same(element + HEADER, key, self.key_size):
                return element
            element = ld64(element)
        return 0

    def value_of(self, element: int, cpu: int) -> int:
        """Where the value of an element is (this CPU's)."""
        if self.copies == 0:
            return element + self.value_at
        return self.values_base + (cpu * self.capacity + ld32(element + 12)) * self.value_stride

    def take(self) -> int:
        """A free element, or 0."""
        element = self.free
        if element:
            self.free = ld64(element)
            return element
        if self.used >= self.capacity:
            return 0
        element = self.elements + self.used * self.stride
        st32(element + 12, self.used)
        self.used += 1
        return element

    def give_back(self, element: int) -> None:
        """To the free list."""
        st64(element, self.free)
        self.free = element

    def link(self, element: int, hashed: int) -> None:
        """Put an element at the head of its bucket."""
        bucket = self.buckets + 8 * (hashed & self.mask)
        st32(element + 8, hashed)
        st64(element, ld64(bucket))
        st64(bucket, element)
        self.count += 1

    def unlink(self, element: int) -> None:
        """Take an element out of its bucket."""
        at = self.buckets + 8 * (ld32(element + 8) & self.mask)
        while ld64(at) != element:
            at = ld64(at)
        st64(at, ld64(element))
        self.count -= 1

    def clash(self, element: int, flags: int) -> int:
        """-EEXIST or -ENOENT when the flags ask for the other case; or 0."""
        wanted = flags & (NOEXIST | EXIST)
        if element and wanted == NOEXIST:
            return -EEXIST
        if not element and wanted == EXIST:
            return -ENOENT
        return 0

    # -- operations --------------------------------------------------------------------------------------------

    def lookup(self, key: int, cpu: int) -> int:
        """The value's address, or 0."""
        element = self.find(key, hash_key(key, self.key_size))
        if not element or (self.copies and cpu >= self.copies):
            return 0
        return self.value_of(element, cpu)

    def delete(self, key: int) -> int:
        """Take the element out; its memory serves the next insertion."""
        element = self.find(key, hash_key(key, self.key_size))
        if not element:
            return -ENOENT
        self.unlink(element)
        self.give_back(element)
        return 0

    def next_key(self, key: int, out: int) -> int:
        """The key that follows in bucket order."""
        bucket = 0
        element = 0
        if key:
            hashed = hash_key(key, self.key_size)
            element = self.find(key, hashed)
            if element:
                bucket = (hashed & self.mask) + 1
                element = ld64(element)
        while not element and bucket <= self.mask:
            element = ld64(self.buckets + 8 * bucket)
            bucket += 1
        if not element:
            return -ENOENT
        copy(out, element + HEADER, self.key_size)
        return 0

    def raw_keys(self) -> list[bytes]:
        """All keys, by way of the elements: a large map that holds little is quick to list."""
        found: list[bytes] = []
        for number in range(self.used):
            key = self.elements + number * self.stride + HEADER
            if self.find(key, hash_key(key, self.key_size)) == key - HEADER:
                found.append(read(key, self.key_size))
        return found

    def take_value(self, key: int, flags: int) -> bytes | int:
        """The value, and the element is gone."""
        found = self.copy_value(key)
        if not isinstance(found, int):
            self.delete(key)
        return found

    def value_regions(self) -> list[Region]:
        """The values, as one strided region."""
        from osmia.memory import Region

        size, stride = self.capacity * self.stride, self.stride
        base = self.elements + self.value_at
        if self.copies:
            base, size, stride = self.values_base, self.value_stride * self.capacity * self.copies, self.value_stride
        else:
            size -= self.value_at
        writable = not self.flags & RDONLY_PROG
        title = f"value of map {self.name}"
        return [Region(title, base, size, writable, "map value", stride, self.value_size, owner=self)]

    def __len__(self) -> int:
        return int(self.count)


class Hash(Table):
    """One value per key."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self._spares = Buffer(8 * int(self.cpus))
        self.spares = self._spares.address  # each CPU's spare element, 0 before its first use
        self.preallocated = not self.flags & NO_PREALLOC

    def update(self, key: int, value: int, flags: int, cpu: int) -> int:
        """Insert, or put a new element in the old one's place."""
        if (flags | F_LOCK) > F_LOCK + EXIST or (flags & F_LOCK and self.lock_offset < 0):
            return -EINVAL
        hashed = hash_key(key, self.key_size)
        old = self.find(key, hashed)
        bad = self.clash(old, flags)
        if bad:
            return bad
        if old and flags & F_LOCK:
            self.store(old + self.value_at, value)
            return 0
        element = self.replacement(old, cpu)
        if not element:
            return -E2BIG
        copy(element + HEADER, key, self.key_size)
        fill(element + self.value_at, 0, self.value_stride)
        self.store(element + self.value_at, value)
        self.link(element, hashed)
        return 0

    def replacement(self, old: int, cpu: int) -> int:
        """A free element, the old one (if any) being out of the table; 0 when the map is full."""
        if not old:
            return 0 if self.count >= self.max_entries else self.take()
        self.unlink(old)
        if not self.preallocated:
            element = self.take()
            self.give_back(old)
            return element
        spare = self.spares + 8 * (cpu % self.cpus)
        element = ld64(spare)
        st64(spare, old)
        return element if element else self.take()


class PercpuHash(Table):
    """One value per key and CPU."""

    def _copies(self) -> int:
        return int(self.cpus)

    def _capacity(self) -> int:
        return int(self.max_entries)

    @property
    def command_value_size(self) -> int:
        """All CPUs' values."""
        return round8(self.value_size) * int(self.cpus)

    def update(self, key: int, value: int, flags: int, cpu: int) -> int:
        """Write this CPU's value; a new element has zeros for the others."""
        element = self.element_for(key, flags, cpu)
        if element < 0:
            return element
        self.store(self.value_of(element, cpu), value)
        return 0

    def element_for(self, key: int, flags: int, cpu: int) -> int:
        """The element to write into, made if need be, or a negative errno."""
        if flags > EXIST:
            return -EINVAL
        hashed = hash_key(key, self.key_size)
        element = self.find(key, hashed)
        bad = self.clash(element, flags)
        if bad:
            return bad
        return element if element else self.insert(key, hashed)

    def insert(self, key: int, hashed: int) -> int:
        """A new element, zero on every CPU, or -E2BIG."""
        element = self.take()
        if not element:
            return -E2BIG
        copy(element + HEADER, key, self.key_size)
        self.wipe(element)
        self.link(element, hashed)
        return element

    def wipe(self, element: int) -> None:
        """Zero the values of all CPUs."""
        for cpu in range(self.copies):
            fill(self.value_of(element, cpu), 0, self.value_stride)

    def copy_value(self, key: int) -> bytes | int:
        """Every CPU's value, one after the other, each rounded up to eight bytes."""
        if not self.lookup_quietly(key, 0):
            return -ENOENT
        return b"".join(read(self.lookup_quietly(key, cpu), self.value_stride) for cpu in range(self.copies))

    def put_value(self, key: int, value: int, flags: int) -> int:
        """Set every CPU's value."""
        element = self.element_for(key, flags, 0)
        if element < 0:
            return element
        for cpu in range(self.copies):
            self.store(self.value_of(element, cpu), value + cpu * self.value_stride)
        return 0
