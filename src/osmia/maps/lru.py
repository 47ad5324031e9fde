"""LRU hash maps: full maps make room by evicting (kernel/bpf/hashtab.c; who goes is decided in ``evict``)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

try:
    import cython
except ImportError:
    from osmia._cy import cython
from osmia.kernel.uapi import MAP_FLAGS
from osmia.maps.hash import SHORT_KEYS, PercpuHash
from osmia.maps.lists import Lru
from osmia.maps.table import Table

if not cython.compiled:
    from osmia.maps.buckets import EXIST, LOCK
    from osmia.maps.evict import pop, push
    from osmia.maps.nodes import touch
    from osmia.maps.pool import NUMBER, element_at, release, reserve
    from osmia.raw import ld32, lock, st32, unlock

if TYPE_CHECKING:
    from osmia.obj.model import MapSpec

EINVAL, ENOMEM = errno.EINVAL, errno.ENOMEM


def percpu_capacity(max_entries: int, cpus: int) -> int:
    """Entries of a map whose CPUs have lists of their own: as many for each CPU."""
    return -(-max_entries // cpus) * cpus


def rounded(spec: MapSpec, cpus: int) -> int:
    """The entries that the kernel makes of ``max_entries``."""
    own = spec.flags & MAP_FLAGS["no_common_lru"]
    return percpu_capacity(spec.max_entries, cpus) if own else spec.max_entries


def make_lru(m: Table) -> Lru:
    """The eviction lists that the map's flags ask for."""
    return Lru(int(m.max_entries), int(m.cpus), not m.flags & MAP_FLAGS["no_common_lru"])


class LruHash(Table):
    """One value per key; the least recently used go when the map is full."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self._lru = make_lru(self)
        self.lru, self.nodes = self._lru.address, self._lru.nodes

    def entry_of(self, operation: str) -> tuple[str, str]:
        """Look-ups with short keys have functions of their own."""
        if operation == "lookup" and type(self) is LruHash and self.key_size in SHORT_KEYS:
            return "osmia.maps.quick", f"lru{self.key_size}"
        return super().entry_of(operation)

    def _entries(self) -> int:
        return rounded(self.spec, int(self.cpus))

    def _capacity(self) -> int:
        return int(self.max_entries)

    def find_elem(self, key: int, cpu: int) -> int:
        """The value's address; the element counts as used."""
        element = self.find(key, self.hashed(key))
        if not element:
            return 0
        touch(self.nodes, ld32(element + NUMBER))
        return element + self.value_at

    def put_elem(self, key: int, value: int, flags: int, cpu: int) -> int:
        """Insert or replace.  As in the kernel a node is taken first, even for an update that then fails."""
        if flags > EXIST:
            return -EINVAL
        hashed = self.hashed(key)
        node = pop(self, self.lru, cpu, hashed)
        if node < 0:
            return -ENOMEM
        element = element_at(self.pool, node)
        st32(element + NUMBER, node)
        self.put_key(element, key)
        self.begin_value(element + self.value_at, value)
        return self.publish_elem(element, key, flags, hashed)

    def publish_elem(self, element: int, key: int, flags: int, hashed: int) -> int:
        """Put a complete element in the table; it is given back, or the one in whose place it stands."""
        bucket = self.bucket_of(hashed)
        lock(bucket + LOCK)
        old = self.find(key, hashed)
        bad = self.clash(old, flags)
        if not bad:
            self.link(bucket, element, hashed)
        if not bad and old:
            touch(self.nodes, ld32(element + NUMBER))
            self.unlink(bucket, old)
        if not bad and not old:
            reserve(self.pool)
        unlock(bucket + LOCK)
        if bad or old:
            push(self.lru, ld32((element if bad else old) + NUMBER))
        return bad

    def dispose(self, element: int) -> None:
        """The node of a key that went is free."""
        release(self.pool)
        push(self.lru, ld32(element + NUMBER))

    def lookup_quietly(self, key: int, cpu: int) -> int:
        """The value's address, and nothing else happens."""
        element = self.find(key, self.hashed(key))
        return element + self.value_at if element else 0


class LruPercpuHash(PercpuHash):
    """One value per key and CPU, with eviction."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self._lru = make_lru(self)
        self.lru, self.nodes = self._lru.address, self._lru.nodes

    def entry_of(self, operation: str) -> tuple[str, str]:
        """Look-ups with short keys have functions of their own."""
        if operation == "lookup" and type(self) is LruPercpuHash and self.key_size in SHORT_KEYS:
            return "osmia.maps.quick", f"lru_percpu{self.key_size}"
        return super().entry_of(operation)

    def _entries(self) -> int:
        return rounded(self.spec, int(self.cpus))

    def find_elem(self, key: int, cpu: int) -> int:
        """This CPU's value; the element counts as used."""
        element = self.find(key, self.hashed(key))
        if not element or cpu >= self.copies:
            return 0
        touch(self.nodes, ld32(element + NUMBER))
        return self.value_of(element, cpu)

    def put_values(self, key: int, value: int, flags: int, first: int, end: int) -> int:
        """Write values of some CPUs.  Unless BPF_EXIST is asked for, a node is taken first, as in the kernel."""
        if flags > EXIST or end > self.copies:
            return -EINVAL
        hashed = self.hashed(key)
        node = -1
        if flags != EXIST:
            node = pop(self, self.lru, first, hashed)
            if node < 0:
                return -ENOMEM
        bucket = self.bucket_of(hashed)
        lock(bucket + LOCK)
        old = self.find(key, hashed)
        bad = self.clash(old, flags)
        if not bad and old:
            touch(self.nodes, ld32(old + NUMBER))
            self.store_values(old, value, first, end)
        elif not bad:
            self.insert(bucket, node, key, value, hashed, first, end)
        unlock(bucket + LOCK)
        if node >= 0 and (bad or old):
            push(self.lru, node)
        return bad

    def insert(self, bucket: int, node: int, key: int, value: int, hashed: int, first: int, end: int) -> None:
        """A new element, in a locked bucket."""
        element = element_at(self.pool, node)
        st32(element + NUMBER, node)
        self.begin(element, key, value, first, end)
        self.link(bucket, element, hashed)
        reserve(self.pool)

    def dispose(self, element: int) -> None:
        """The node of a key that went is free."""
        release(self.pool)
        push(self.lru, ld32(element + NUMBER))

    def lookup_quietly(self, key: int, cpu: int) -> int:
        """This CPU's value, and nothing else happens."""
        element = self.find(key, self.hashed(key))
        return self.value_of(element, cpu) if element and cpu < self.copies else 0
