"""The memory behind an LRU map's lists, as it is in the beginning; ``evict`` works on it."""

from __future__ import annotations

from collections.abc import Iterator

try:
    import cython
except ImportError:
    from osmia._cy import cython
from osmia.maps.slab import Slab
from osmia.raw import Buffer

if not cython.compiled:
    from osmia.maps.nodes import (
        ACTIVE,
        BASE,
        FRESH,
        HEADS,
        INACTIVE,
        LIMIT,
        LISTS_SIZE,
        NODE,
        ROTATION,
        SCANS,
        SPARE,
        after,
        join,
    )
    from osmia.raw import ld64, st64

    # words of the whole; words of a CPU's own lists, whose free nodes and lock stand where those of other lists do
    NODES, CPUS, TARGET, LISTS, LOCALS, LRU_SIZE = 0, 8, 16, 24, 32, 64
    WAITING, STEAL, LOCAL_SIZE = 8, 16, 64
    LOCAL_TARGET, PERCPU_TARGET = 128, 4  # nodes that a rotation looks at and that are fetched at a time


class Lru:
    """The lists of a map of ``count`` elements; ``address`` is what the functions take."""

    def __init__(self, count: int, cpus: int, common: bool) -> None:
        self._nodes = Slab(NODE * (count + (2 + cpus if common else 2 * cpus)))
        self._words = Buffer(LRU_SIZE + cpus * (LISTS_SIZE + LOCAL_SIZE))
        self.address, self.nodes = self._words.address, self._nodes.address
        lists = self.address + LRU_SIZE
        st64(self.address + NODES, self.nodes)
        st64(self.address + CPUS, cpus)
        st64(self.address + LISTS, lists)
        if common:
            self._make_common(lists, count, cpus)
            return
        share = count // cpus
        for cpu in range(cpus):
            at = lists + cpu * LISTS_SIZE
            self._make_lists(at, count + 2 * cpu, share * cpu, share * (cpu + 1), PERCPU_TARGET)

    def _make_common(self, lists: int, count: int, cpus: int) -> None:
        st64(self.address + TARGET, min(max(count // cpus // 2, 1), LOCAL_TARGET))
        st64(self.address + LOCALS, lists + LISTS_SIZE)
        self._make_lists(lists, count, 0, count, LOCAL_TARGET)
        for cpu in range(cpus):
            at = lists + LISTS_SIZE + cpu * LOCAL_SIZE
            join(self.nodes, count + 2 + cpu, count + 2 + cpu)
            st64(at + WAITING, count + 2 + cpu)
            st64(at + STEAL, cpu)

    def _make_lists(self, lists: int, head: int, fresh: int, limit: int, scans: int) -> None:
        join(self.nodes, head, head)
        join(self.nodes, head + 1, head + 1)
        st64(lists + HEADS + 8 * ACTIVE, head)
        st64(lists + HEADS + 8 * INACTIVE, head + 1)
        st64(lists + ROTATION, head + 1)
        st64(lists + FRESH, fresh)
        st64(lists + LIMIT, limit)
        st64(lists + SCANS, scans)
        st64(lists + BASE, self.nodes)

    def places(self) -> dict[str, list[int]]:
        """Where each node is: active, inactive, waiting, free or fresh.  For tests, when nobody works on the lists."""
        common = ld64(self.address + LOCALS)
        cpus = range(ld64(self.address + CPUS))
        lists = [ld64(self.address + LISTS) + cpu * LISTS_SIZE for cpu in (cpus if not common else (0,))]
        locals_ = [common + cpu * LOCAL_SIZE for cpu in (cpus if common else ())]
        return {
            "active": [n for at in lists for n in self._ring(ld64(at + HEADS + 8 * ACTIVE))],
            "inactive": [n for at in lists for n in self._ring(ld64(at + HEADS + 8 * INACTIVE))],
            "waiting": [n for at in locals_ for n in self._ring(ld64(at + WAITING))],
            "free": [n for at in (*lists, *locals_) for n in self._chain(ld64(at + SPARE))],
            "fresh": [n for at in lists for n in range(ld64(at + FRESH), ld64(at + LIMIT))],
        }

    def _ring(self, head: int) -> Iterator[int]:
        node = after(self.nodes, head)
        while node != head:
            yield node
            node = after(self.nodes, node)

    def _chain(self, first: int) -> Iterator[int]:
        while first:
            yield first - 1
            first = after(self.nodes, first - 1)
