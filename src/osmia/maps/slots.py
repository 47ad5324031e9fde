"""Slots that hold native words for objects: what native code reads of prog_array, array_of_maps and hash_of_maps.

A slot of a prog_array holds the program's number (``maps.targets``), that of a map of maps the inner map's handle;
0 is an empty slot.  Slots change by one store, so that running programs see the old object or the new one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

try:
    import cython
except ImportError:
    from osmia._cy import cython
from osmia.maps.base import Map
from osmia.maps.hash import Hash
from osmia.maps.slab import Slab

if not cython.compiled:
    from osmia.maps.array import index_after
    from osmia.raw import ld32, ld64, load64, store64

if TYPE_CHECKING:
    from osmia.obj.model import MapSpec


class Slots(Map):
    """One word per index: at ``slots + 8 * index``, which are the handle's ``values`` and ``stride``."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self._words = Slab(8 * self.max_entries)
        self.slots = self._words.address
        self.shown = 0  # 1: programs may look the words up
        self.publish(values=self.slots, stride=8, copies=1)

    def find_elem(self, key: int, cpu: int) -> int:
        """The word, or 0."""
        index = ld32(key)
        if index >= self.max_entries or self.shown == 0:
            return 0
        return load64(self.slots + 8 * index)

    def next_elem(self, key: int, out: int) -> int:
        """Indices in order, empty slots too."""
        return index_after(key, out, self.max_entries)

    def word(self, index: int) -> int:
        """The word of a slot; 0 where there is none."""
        return int(load64(self.slots + 8 * index)) if 0 <= index < self.max_entries else 0

    def set_word(self, index: int, word: int) -> None:
        """Set a slot that there is."""
        if not 0 <= index < self.max_entries:
            raise IndexError(index)
        store64(self.slots + 8 * index, word)


class HandleHash(Hash):
    """One handle per key."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self.stored = 8  # a handle, though the value size says four

    def find_elem(self, key: int, cpu: int) -> int:
        """The inner map's handle, or 0."""
        element = self.find(key, self.hashed(key))
        return ld64(element + self.value_at) if element else 0
