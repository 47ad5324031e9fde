"""Longest-prefix-match tries (kernel/bpf/lpm_trie.c): keys are a prefix length (u32) and the bytes it counts in.

The structure is ``maps.trie`` with ``maps.trieedit``; here it becomes a map.  Keys are listed in postorder, as the
kernel does.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

try:
    import cython
except ImportError:
    from osmia._cy import cython
from osmia.kernel.uapi import MAP_FLAGS
from osmia.maps.base import Map
from osmia.maps.slab import Slab
from osmia.maps.trie import entries, node_stride, prepare, value_offset

if not cython.compiled:
    from osmia.maps.trie import NODES, find, step
    from osmia.maps.trieedit import drop, put

if TYPE_CHECKING:
    from osmia.memory import Region
    from osmia.obj.model import MapSpec

EINVAL = -errno.EINVAL
RESTING, RESTING_BYTES = 4096, 1 << 20
"""How many freed nodes rest before they serve again, unless they are large: then as many as these bytes hold."""
LINE = 64


def find_prefix(m: LpmTrie, key: int, cpu: int, c: int, d: int) -> int:
    """``lookup`` by address."""
    return find(m.trie, key)


class LpmTrie(Map):
    """Values by prefix; a lookup finds the longest prefix that matches."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        data_size, value_size = int(self.key_size) - 4, int(self.value_size)
        self.stride = node_stride(data_size, value_size)
        resting = min(RESTING, max(1, RESTING_BYTES // self.stride))
        # n entries are joined by fewer than n joints; an update of a full trie takes its node before it frees one
        self.room = self.stride * (2 * int(self.max_entries) + 1 + resting)
        self._slab = Slab(LINE + NODES + self.room)
        self.trie = (self._slab.address + LINE - 1) & -LINE
        prepare(self.trie, NODES + self.room, data_size, value_size, self.max_entries, resting)
        self.publish(values=self.trie)

    def entry_of(self, operation: str) -> tuple[str, str]:
        """Look-ups go straight to the trie."""
        return ("osmia.maps.lpm", "find_prefix") if operation == "lookup" else super().entry_of(operation)

    def find_elem(self, key: int, cpu: int) -> int:
        """Address of the value of the longest prefix of the key, or 0."""
        return find(self.trie, key)

    def put_elem(self, key: int, value: int, flags: int, cpu: int) -> int:
        """Insert or replace the value of exactly this prefix."""
        return EINVAL if flags > 2 else put(self.trie, key, value, flags)

    def drop_elem(self, key: int) -> int:
        """Take exactly this prefix out."""
        return drop(self.trie, key)

    def next_elem(self, key: int, out: int) -> int:
        """Longer prefixes before the shorter ones that they begin with."""
        return step(self.trie, key, out)

    def value_regions(self) -> list[Region]:
        """The values, as one strided region."""
        from osmia.memory import Region

        writable = not self.flags & MAP_FLAGS["rdonly_prog"]
        at = value_offset(int(self.key_size) - 4)
        base, size, title = self.trie + NODES + at, self.room - at, f"value of map {self.name}"
        return [Region(title, base, size, writable, "map value", self.stride, self.value_size, owner=self)]

    def __len__(self) -> int:
        return entries(self.trie)
