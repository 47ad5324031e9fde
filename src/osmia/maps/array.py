"""Arrays: all elements exist from the start, keys are u32 indices (kernel/bpf/arraymap.c).

An element lies at ``base + index * stride``, stride being the value size rounded up to eight.  Per-CPU arrays hold
one such run of elements per CPU, one after the other.  Threads that write one element at once may mix its words, as
in the kernel; BPF_F_LOCK, spin locks and atomic instructions are there for that.
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
from osmia.raw import read

if not cython.compiled:
    from osmia.raw import ld32, ld64, st32, st64

if TYPE_CHECKING:
    from osmia.memory import Region
    from osmia.obj.model import MapSpec

EINVAL, ENOENT, EEXIST, E2BIG = errno.EINVAL, errno.ENOENT, errno.EEXIST, errno.E2BIG
F_LOCK = 4
RDONLY_PROG = MAP_FLAGS["rdonly_prog"]


def index_after(key: int, out: int, max_entries: int) -> int:
    """``next_key`` of every map whose keys are indices."""
    index = ld32(key) if key else max_entries
    if index >= max_entries:
        st32(out, 0)
        return 0
    if index == max_entries - 1:
        return -ENOENT
    st32(out, index + 1)
    return 0


def next_index(key: int, out: int, max_entries: int) -> int:
    """``index_after`` for Python."""
    return index_after(key, out, max_entries)


class Array(Map):
    """One value per index."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self.stride = round8(self.value_size)
        self.copies = self._copies()
        self._slab = Slab(self.stride * self.max_entries * self.copies)
        self.base = self._slab.address
        self.publish(values=self.base, stride=self.stride, copies=self.copies)

    def _copies(self) -> int:
        return 1

    def find_elem(self, key: int, cpu: int) -> int:
        """The value's address; 0 for an index beyond the end."""
        index = ld32(key)
        if index >= self.max_entries:
            return 0
        return self.base + index * self.stride

    def put_elem(self, key: int, value: int, flags: int, cpu: int) -> int:
        """Overwrite a value in place."""
        bad = self.refuses(ld32(key), flags)
        if bad:
            return bad
        if flags & F_LOCK:
            return self.store_locked(self.base + ld32(key) * self.stride, value)
        self.store(self.base + ld32(key) * self.stride, value)
        return 0

    def refuses(self, index: int, flags: int) -> int:
        """The errno of an update that can't be, negative; or 0."""
        if (flags | F_LOCK) > F_LOCK + 2:
            return -EINVAL
        if index >= self.max_entries:
            return -E2BIG
        if flags & 1:
            return -EEXIST
        if flags & F_LOCK and self.lock_offset < 0:
            return -EINVAL
        return 0

    def drop_elem(self, key: int) -> int:
        """Elements of an array can't go."""
        return -EINVAL

    def next_elem(self, key: int, out: int) -> int:
        """Indices in order."""
        return index_after(key, out, self.max_entries)

    def each_elem(self, cursor: int, cpu: int) -> int:
        """Indices in order; the key is in the cursor itself."""
        index = ld64(cursor + 16)
        if index >= self.max_entries:
            return 0
        st64(cursor + 16, index + 1)
        st64(cursor + 32, index)
        st64(cursor, cursor + 32)
        st64(cursor + 8, self.find_elem(cursor + 32, cpu))
        return 1

    def direct_value(self, offset: int) -> int:
        """Address of a byte of the only element."""
        if self.max_entries != 1:
            return -524
        return self.base + offset if 0 <= offset < self.value_size else -EINVAL

    def value_regions(self) -> list[Region]:
        """All elements, as one strided region."""
        from osmia.memory import Region

        size = self.stride * self.max_entries * self.copies
        writable = not self.flags & RDONLY_PROG
        title = f"value of map {self.name}"
        return [Region(title, self.base, size, writable, "map value", self.stride, self.value_size, owner=self)]

    def __len__(self) -> int:
        return int(self.max_entries)


class PercpuArray(Array):
    """One value per index and CPU."""

    def _copies(self) -> int:
        return int(self.cpus)

    @property
    def command_value_size(self) -> int:
        """All CPUs' values."""
        return round8(self.value_size) * int(self.cpus)

    def find_elem(self, key: int, cpu: int) -> int:
        """This CPU's value."""
        index = ld32(key)
        if index >= self.max_entries or cpu >= self.copies:
            return 0
        return self.base + (cpu * self.max_entries + index) * self.stride

    def put_elem(self, key: int, value: int, flags: int, cpu: int) -> int:
        """Overwrite this CPU's value."""
        bad = self.refuses(ld32(key), flags)
        if bad:
            return bad
        self.store(self.find_elem(key, cpu), value)
        return 0

    def copy_value(self, key: int) -> bytes | int:
        """Every CPU's value, one after the other, each rounded up to eight bytes."""
        if not self.lookup(key, 0):
            return -ENOENT
        return b"".join(read(self.lookup(key, cpu), self.stride) for cpu in range(self.cpus))

    def put_value(self, key: int, value: int, flags: int) -> int:
        """Set every CPU's value."""
        bad = -EINVAL if flags > 2 else self.refuses(ld32(key), flags)
        if bad:
            return bad
        for cpu in range(self.cpus):
            self.store(self.find_elem(key, cpu), value + cpu * self.stride)
        return 0

    def direct_value(self, offset: int) -> int:
        """No addresses in instructions for per-CPU values."""
        return -524
