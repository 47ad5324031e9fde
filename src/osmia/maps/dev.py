"""Redirect targets: devmap, devmap_hash, cpumap, xskmap (kernel/bpf/devmap.c, cpumap.c, net/xdp/xskmap.c).

A value is an interface index (CPU queue size, socket) and, in eight bytes, a program's fd.  Whether such a device
exists is for the world to say; the maps only keep the numbers.  Programs may look at values and not change them.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

try:
    import cython
except ImportError:
    from osmia._cy import cython
from osmia.maps.array import Array
from osmia.maps.hash import Hash
from osmia.raw import Buffer

if not cython.compiled:
    from osmia.raw import add64, ld32, ld64, load64, xchg64

if TYPE_CHECKING:
    from osmia.memory import Region
    from osmia.obj.model import MapSpec

EINVAL, EEXIST, E2BIG = -errno.EINVAL, -errno.EEXIST, -errno.E2BIG


class DevMap(Array):
    """Slots that are empty (interface 0) or hold a target.  A slot changes by one store of both numbers."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self._count = Buffer(8)
        self.count = self._count.address  # of the number of slots that hold a target

    def find_elem(self, key: int, cpu: int) -> int:
        """The target's address; 0 for an empty slot."""
        index = ld32(key)
        if index >= self.max_entries or ld32(self.base + index * self.stride) == 0:
            return 0
        return self.base + index * self.stride

    def put_elem(self, key: int, value: int, flags: int, cpu: int) -> int:
        """Set a slot; interface 0 empties it."""
        index = ld32(key)
        if flags > 2:
            return EINVAL
        if index >= self.max_entries:
            return E2BIG
        if flags == 1:
            return EEXIST
        target = ld32(value)
        if target:
            target = ld64(value) if self.value_size == 8 else target
        elif self.value_size == 8 and ld32(value + 4):
            return EINVAL  # a program for no device
        self.exchange(index, target)
        return 0

    def exchange(self, index: int, target: int) -> None:
        """Set a slot that there is, and keep count."""
        M64 = 0xFFFFFFFFFFFFFFFF
        old = xchg64(self.base + index * self.stride, target)
        if old == 0 and target:
            add64(self.count, 1)
        elif old and target == 0:
            add64(self.count, M64)

    def drop_elem(self, key: int) -> int:
        """Empty a slot, also one that is empty."""
        index = ld32(key)
        if index >= self.max_entries:
            return EINVAL
        self.exchange(index, 0)
        return 0

    def direct_value(self, offset: int) -> int:
        """Not an array of values."""
        return -524

    def value_regions(self) -> list[Region]:
        """The targets, read-only."""
        found = super().value_regions()
        for region in found:
            region.writable = False
        return found

    def __len__(self) -> int:
        return int(load64(self.count))


class DevMapHash(Hash):
    """Any u32 to a target."""

    def put_elem(self, key: int, value: int, flags: int, cpu: int) -> int:
        """Insert or replace; as in the kernel, BPF_EXIST inserts as well."""
        if flags > 2 or ld32(value) == 0:
            return EINVAL
        return Hash.put_elem(self, key, value, flags & 1, cpu)

    def value_regions(self) -> list[Region]:
        """The targets, read-only."""
        found = super().value_regions()
        for region in found:
            region.writable = False
        return found
