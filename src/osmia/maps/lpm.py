"""Longest-prefix-match tries (kernel/bpf/lpm_trie.c): keys are a prefix length (u32) and the bytes it counts in.

Entries lie in a slab at stable addresses; a table of prefixes by length finds them, the longest length first.
Iteration is by length, longest first, then by bytes; the kernel walks its tree in postorder.
"""

from __future__ import annotations

import errno
from collections import deque
from typing import TYPE_CHECKING

from osmia.kernel.uapi import MAP_FLAGS
from osmia.maps.base import Map, round8
from osmia.maps.slab import Slab
from osmia.raw import copy, fill, ld32, read, write

if TYPE_CHECKING:
    from osmia.memory import Region
    from osmia.obj.model import MapSpec

EINVAL, ENOENT, EEXIST, ENOSPC = errno.EINVAL, errno.ENOENT, errno.EEXIST, errno.ENOSPC
NOEXIST, EXIST, F_LOCK = 1, 2, 4
RESTING, RESTING_BYTES = 4096, 1 << 20
"""How many freed slots rest before they serve again: the kernel waits until no program can hold a pointer to them."""


def prefix_of(data: bytes, bits: int) -> bytes:
    """The first ``bits`` bits, the rest cleared."""
    whole, rest = divmod(bits, 8)
    if not rest:
        return data[:whole] + bytes(len(data) - whole)
    return data[:whole] + bytes((data[whole] & (0xFF00 >> rest) & 0xFF,)) + bytes(len(data) - whole - 1)


class LpmTrie(Map):
    """Values by prefix; a lookup finds the longest prefix that matches."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self.bits = (self.key_size - 4) * 8
        self.stride = round8(self.value_size)
        resting = min(RESTING, max(1, RESTING_BYTES // max(1, self.stride)))
        self.capacity = self.max_entries + 1 + resting  # one more: an update of a full map takes a new slot first
        self._slab = Slab(self.stride * self.capacity)
        self._free: deque[int] = deque()
        self._used = 0
        self._by_length: dict[int, dict[bytes, tuple[int, bytes]]] = {}
        self.count = 0

    def _key(self, key: int) -> tuple[int, bytes]:
        return ld32(key), read(key + 4, self.key_size - 4)

    def lookup(self, key: int, cpu: int) -> int:
        """Address of the value of the longest prefix of the key, or 0."""
        bits, data = self._key(key)
        if bits > self.bits:
            return 0
        for length in sorted((n for n in self._by_length if n <= bits), reverse=True):
            found = self._by_length[length].get(prefix_of(data, length))
            if found:
                return found[0]
        return 0

    def update(self, key: int, value: int, flags: int, cpu: int) -> int:
        """Insert or replace the value of exactly this prefix."""
        if flags > EXIST:
            return -EINVAL
        bits, data = self._key(key)
        if bits > self.bits:
            return -EINVAL
        prefix = prefix_of(data, bits)
        old = self._by_length.get(bits, {}).get(prefix)
        if old and flags == NOEXIST:
            return -EEXIST
        if not old and (flags == EXIST or self.count >= self.max_entries):
            return -ENOENT if flags == EXIST else -ENOSPC
        self._put(bits, prefix, data, value)
        if old:
            self._release(old[0])
        return 0

    def _put(self, bits: int, prefix: bytes, data: bytes, value: int) -> None:
        if self._used < self.capacity:
            slot = self._slab.address + self._used * self.stride
            self._used += 1
        else:
            slot = self._free.popleft()
        fill(slot, 0, self.stride)
        copy(slot, value, self.value_size)
        self._by_length.setdefault(bits, {})[prefix] = (slot, data)
        self.count += 1

    def _release(self, slot: int) -> None:
        self._free.append(slot)
        self.count -= 1

    def delete(self, key: int) -> int:
        """Take exactly this prefix out."""
        bits, data = self._key(key)
        if bits > self.bits:
            return -EINVAL
        found = self._by_length.get(bits, {}).pop(prefix_of(data, bits), None)
        if not found:
            return -ENOENT
        if not self._by_length[bits]:
            del self._by_length[bits]
        self._release(found[0])
        return 0

    def next_key(self, key: int, out: int) -> int:
        """Longest prefixes first."""
        order = [(-bits, prefix) for bits, table in self._by_length.items() for prefix in table]
        order.sort()
        at = 0
        if key:
            bits, data = self._key(key)
            here = (-bits, prefix_of(data, bits)) if bits <= self.bits else None
            at = order.index(here) + 1 if here in order else 0
        if at >= len(order):
            return -ENOENT
        bits, prefix = -order[at][0], order[at][1]
        write(out, bits.to_bytes(4, "little") + self._by_length[bits][prefix][1])
        return 0

    def value_regions(self) -> list[Region]:
        """The values, as one strided region."""
        from osmia.memory import Region

        writable = not self.flags & MAP_FLAGS["rdonly_prog"]
        base, size, title = self._slab.address, self.stride * self.capacity, f"value of map {self.name}"
        return [Region(title, base, size, writable, "map value", self.stride, self.value_size, owner=self)]

    def __len__(self) -> int:
        return self.count
