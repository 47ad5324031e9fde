"""Queues, stacks (kernel/bpf/queue_stack_maps.c) and bloom filters (kernel/bpf/bloom_filter.c): maps without keys."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from osmia.maps.base import Map, round8
from osmia.maps.hash import hash_key
from osmia.maps.slab import Slab
from osmia.raw import copy, fill, ld8, read, st8

if TYPE_CHECKING:
    from osmia.obj.model import MapSpec

EINVAL, ENOENT, EEXIST, E2BIG = errno.EINVAL, errno.ENOENT, errno.EEXIST, errno.E2BIG
NOEXIST, EXIST = 1, 2


class Queue(Map):
    """First in, first out."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self.stride = round8(self.value_size)
        self._slab = Slab(self.stride * self.max_entries)
        self.oldest = 0  # slot of the value that came first
        self.count = 0

    def _slot(self, position: int) -> int:
        """Address of the value at a position counted from the oldest."""
        return self._slab.address + (self.oldest + position) % self.max_entries * self.stride

    def _next(self) -> int:
        """Position of the value to hand out."""
        return 0

    def push(self, value: int, flags: int) -> int:
        """Append; with BPF_EXIST a full map drops its oldest value."""
        if flags & NOEXIST or flags > EXIST:
            return -EINVAL
        if self.count >= self.max_entries:
            if not flags & EXIST:
                return -E2BIG
            self._drop_oldest()
        copy(self._slot(self.count), value, self.value_size)
        self.count += 1
        return 0

    def peek(self, out: int) -> int:
        """Copy the next value out; zeros and -ENOENT when there is none."""
        if not self.count:
            fill(out, 0, self.value_size)
            return -ENOENT
        copy(out, self._slot(self._next()), self.value_size)
        return 0

    def pop(self, out: int) -> int:
        """Take the next value out; zeros and -ENOENT when there is none."""
        bad = self.peek(out)
        if not bad:
            self._drop()
        return bad

    def _drop(self) -> None:
        self._drop_oldest()

    def _drop_oldest(self) -> None:
        self.oldest = (self.oldest + 1) % self.max_entries
        self.count -= 1

    def update(self, key: int, value: int, flags: int, cpu: int) -> int:
        """Programs push, they don't update."""
        return -EINVAL

    def delete(self, key: int) -> int:
        """Programs pop, they don't delete."""
        return -EINVAL

    def next_key(self, key: int, out: int) -> int:
        """There are no keys."""
        return -EINVAL

    def copy_value(self, key: int) -> bytes | int:
        """bpf(2) looks at the next value."""
        return self.peek(self._value_in.address) or read(self._value_in.address, self.value_size)

    def put_value(self, key: int, value: int, flags: int) -> int:
        """bpf(2) pushes."""
        return self.push(value, flags)

    def take_value(self, key: int, flags: int) -> bytes | int:
        """bpf(2) pops."""
        return self.pop(self._value_in.address) or read(self._value_in.address, self.value_size)

    def contents(self) -> list[bytes]:
        """All values, the next one first."""
        return [read(self._slot(i), self.value_size) for i in self._order()]

    def _order(self) -> range:
        return range(self.count)

    def __len__(self) -> int:
        return self.count


class Stack(Queue):
    """Last in, first out."""

    def _next(self) -> int:
        return self.count - 1

    def _drop(self) -> None:
        self.count -= 1

    def _order(self) -> range:
        return range(self.count - 1, -1, -1)


class BloomFilter(Map):
    """Was this value ever added?  "No" is certain; which values give a false "yes" differs from the kernel's."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self.hashes = spec.map_extra & 0xF or 5
        # bits = entries * hashes / ln 2, rounded up to a power of two
        wanted = self.max_entries * self.hashes * 7 // 5
        self.bits = min(1 << max(wanted - 1, 63).bit_length(), 1 << 32)
        self._slab = Slab(self.bits // 8)

    def _places(self, value: int) -> list[tuple[int, int]]:
        """Address and mask of every bit that stands for the value at that address."""
        first = hash_key(value, self.value_size)
        step = first * 0x85EBCA6B >> 7 | 1
        bits = ((first + i * step) & (self.bits - 1) for i in range(self.hashes))
        return [(self._slab.address + b // 8, 1 << b % 8) for b in bits]

    def push(self, value: int, flags: int) -> int:
        """Add the value."""
        if flags:
            return -EINVAL
        for address, mask in self._places(value):
            st8(address, ld8(address) | mask)
        return 0

    def peek(self, out: int) -> int:
        """0 when the value at ``out`` was probably added, else -ENOENT."""
        return 0 if all(ld8(address) & mask for address, mask in self._places(out)) else -ENOENT

    def pop(self, out: int) -> int:
        """What went in stays in."""
        return -errno.EOPNOTSUPP

    def update(self, key: int, value: int, flags: int, cpu: int) -> int:
        """There are no keys."""
        return -EINVAL

    def delete(self, key: int) -> int:
        """What went in stays in."""
        return -errno.EOPNOTSUPP

    def next_key(self, key: int, out: int) -> int:
        """There are no keys."""
        return -errno.EOPNOTSUPP

    def put_value(self, key: int, value: int, flags: int) -> int:
        """bpf(2) adds."""
        return self.push(value, flags)

    def copy_value(self, key: int) -> bytes | int:
        """bpf(2) reads the value from its caller: see ``commands.lookup_elem``."""
        return -EINVAL

    def __len__(self) -> int:
        return 0
