"""LRU hash maps: full maps make room by evicting (kernel/bpf/hashtab.c; who goes is decided in ``evict``)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

try:
    import cython
except ImportError:
    from osmia._cy import cython
from osmia.kernel.uapi import MAP_FLAGS
from osmia.maps.evict import CommonLru, PercpuLru
from osmia.maps.hash import HEADER, Hash, PercpuHash, hash_key

if not cython.compiled:
    from osmia.raw import copy, fill, ld32, st64

if TYPE_CHECKING:
    from osmia.maps.hash import Table
    from osmia.obj.model import MapSpec

EINVAL, ENOENT, ENOMEM = errno.EINVAL, errno.ENOENT, errno.ENOMEM
EXIST = 2


def percpu_capacity(max_entries: int, cpus: int) -> int:
    """Entries of a map whose CPUs have lists of their own: as many for each CPU."""
    return -(-max_entries // cpus) * cpus


def make_lru(table: Table) -> CommonLru | PercpuLru:
    """The eviction lists that the map's flags ask for."""

    def gone(node: int) -> bool:
        table.unlink(table.elements + node * table.stride)
        return True

    kind = PercpuLru if table.flags & MAP_FLAGS["no_common_lru"] else CommonLru
    return kind(int(table.max_entries), int(table.cpus), gone)


def rounded(spec: MapSpec, cpus: int) -> int:
    """The entries that the kernel makes of ``max_entries``."""
    own = spec.flags & MAP_FLAGS["no_common_lru"]
    return percpu_capacity(spec.max_entries, cpus) if own else spec.max_entries


class LruHash(Hash):
    """One value per key; the least recently used go when the map is full."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self.max_entries = self.capacity = rounded(spec, cpus)
        self.lru = make_lru(self)
        self.nodes = self.lru.nodes

    def _capacity(self) -> int:
        return rounded(self.spec, int(self.cpus))

    def node_of(self, element: int) -> int:
        """The node's number, which is the element's."""
        return (element - self.elements) // self.stride

    def lookup(self, key: int, cpu: int) -> int:
        """The value's address; the element counts as used."""
        element = self.find(key, hash_key(key, self.key_size))
        if not element:
            return 0
        self.nodes.touch(self.node_of(element))
        return self.value_of(element, cpu)

    def lookup_quietly(self, key: int, cpu: int) -> int:
        """The value's address, and nothing else happens."""
        element = self.find(key, hash_key(key, self.key_size))
        return self.value_of(element, cpu) if element else 0

    def update(self, key: int, value: int, flags: int, cpu: int) -> int:
        """Insert or replace.  As in the kernel a node is taken first, even for an update that then fails."""
        if flags > EXIST:
            return -EINVAL
        node = self.lru.pop(min(cpu, self.cpus - 1))
        if node < 0:
            return -ENOMEM
        hashed = hash_key(key, self.key_size)
        old = self.find(key, hashed)
        bad = self.clash(old, flags)
        if bad:
            self.lru.push(node)
            return bad
        self._fill(node, key, value, hashed)
        if old:
            self.nodes.touch(node)
            self.unlink(old)
            self.lru.push(self.node_of(old))
        return 0

    def _fill(self, node: int, key: int, value: int, hashed: int) -> None:
        element = self.elements + node * self.stride
        self.used = max(self.used, node + 1)
        copy(element + HEADER, key, self.key_size)
        fill(element + self.value_at, 0, self.value_stride)
        self.store(element + self.value_at, value)
        self.link(element, hashed)

    def delete(self, key: int) -> int:
        """Take the element out."""
        element = self.find(key, hash_key(key, self.key_size))
        if not element:
            return -ENOENT
        self.unlink(element)
        self.lru.push(self.node_of(element))
        return 0


class LruPercpuHash(PercpuHash):
    """One value per key and CPU, with eviction."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self.max_entries = self.capacity = rounded(spec, cpus)
        self.lru = make_lru(self)
        self.nodes = self.lru.nodes

    def _capacity(self) -> int:
        return rounded(self.spec, int(self.cpus))

    def lookup(self, key: int, cpu: int) -> int:
        """This CPU's value; the element counts as used."""
        element = self.find(key, hash_key(key, self.key_size))
        if not element or cpu >= self.copies:
            return 0
        self.nodes.touch(ld32(element + 12))
        return self.value_of(element, cpu)

    def lookup_quietly(self, key: int, cpu: int) -> int:
        """This CPU's value, and nothing else happens."""
        element = self.find(key, hash_key(key, self.key_size))
        return self.value_of(element, cpu) if element and cpu < self.copies else 0

    def element_for(self, key: int, flags: int, cpu: int) -> int:
        """The element to write into.  Unless BPF_EXIST is asked for, a node is taken first, as in the kernel."""
        if flags > EXIST:
            return -EINVAL
        node = -1 if flags == EXIST else self.lru.pop(min(cpu, self.cpus - 1))
        if node < 0 and flags != EXIST:
            return -ENOMEM
        hashed = hash_key(key, self.key_size)
        old = self.find(key, hashed)
        bad = self.clash(old, flags)
        if (bad or old) and node >= 0:
            self.lru.push(node)
        if bad:
            return bad
        if old:
            self.nodes.touch(ld32(old + 12))
            return old
        return self._fresh(node, key, hashed)

    def _fresh(self, node: int, key: int, hashed: int) -> int:
        element = self.elements + node * self.stride
        self.used = max(self.used, node + 1)
        st64(element + 8, node << 32)  # number of the element; its hash comes with link()
        copy(element + HEADER, key, self.key_size)
        self.wipe(element)
        self.link(element, hashed)
        return element

    def delete(self, key: int) -> int:
        """Take the element out."""
        element = self.find(key, hash_key(key, self.key_size))
        if not element:
            return -ENOENT
        self.unlink(element)
        self.lru.push(ld32(element + 12))
        return 0
