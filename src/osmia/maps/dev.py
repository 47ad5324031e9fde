"""Redirect targets: devmap, devmap_hash, cpumap, xskmap (kernel/bpf/devmap.c, cpumap.c, net/xdp/xskmap.c).

A value is an interface index (CPU queue size, socket) and, in eight bytes, a program's fd.  Whether such a device
exists is for the world to say; the maps only keep the numbers.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from osmia.maps.array import Array, next_index
from osmia.maps.hash import Hash
from osmia.raw import copy, fill, ld32

if TYPE_CHECKING:
    from osmia.obj.model import MapSpec

EINVAL, ENOENT, EEXIST, E2BIG = errno.EINVAL, errno.ENOENT, errno.EEXIST, errno.E2BIG


class DevMap(Array):
    """Slots that are empty or hold a target."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self.filled: set[int] = set()

    def lookup(self, key: int, cpu: int) -> int:
        """The target's address; 0 for an empty slot."""
        return super().lookup(key, cpu) if ld32(key) in self.filled else 0

    def update(self, key: int, value: int, flags: int, cpu: int) -> int:
        """Set a slot; interface 0 empties it."""
        index = ld32(key)
        if flags > 2:
            return -EINVAL
        if index >= self.max_entries:
            return -E2BIG
        if flags == 1:
            return -EEXIST
        fill(self.base + index * self.stride, 0, self.stride)
        copy(self.base + index * self.stride, value, self.value_size)
        (self.filled.add if ld32(value) else self.filled.discard)(index)
        return 0

    def delete(self, key: int) -> int:
        """Empty a slot, also one that is empty."""
        if ld32(key) >= self.max_entries:
            return -EINVAL
        self.filled.discard(ld32(key))
        return 0

    def next_key(self, key: int, out: int) -> int:
        """Indices in order, empty slots too."""
        return next_index(key, out, self.max_entries)

    def direct_value(self, offset: int) -> int:
        """Not an array of values."""
        return -524

    def __len__(self) -> int:
        return len(self.filled)


class DevMapHash(Hash):
    """Any u32 to a target."""
