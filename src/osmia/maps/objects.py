"""Maps whose values are programs or other maps: prog_array, array_of_maps, hash_of_maps.

bpf(2) passes file descriptors for those values; here they are the Python objects themselves.
Sources: kernel/bpf/arraymap.c (fd arrays), hashtab.c (fd_htab), map_in_map.c.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from osmia.kernel.uapi import MAP_FLAGS
from osmia.maps.array import next_index
from osmia.maps.base import ENOTSUPP, Map
from osmia.maps.fields import special_fields
from osmia.maps.hash import Hash
from osmia.raw import Buffer, ld32, ld64, st64

if TYPE_CHECKING:
    from osmia.memory import Region
    from osmia.obj.model import MapSpec

EINVAL, ENOENT, E2BIG = errno.EINVAL, errno.ENOENT, errno.E2BIG
MAPS_OF_MAPS = ("array_of_maps", "hash_of_maps")
NOT_INNER = ("prog_array", "struct_ops", "arena", "cgroup_storage", "percpu_cgroup_storage", "sk_storage")
SAME_ENTRIES = ("array",)
"""Types whose inner maps must have as many entries as the template, unless it has BPF_F_INNER_MAP."""


def check_template(inner: MapSpec | None) -> int:
    """0, or the errno of creating a map of maps with such a template."""
    if inner is None or inner.type in MAPS_OF_MAPS:
        return EINVAL
    return ENOTSUPP if inner.type in NOT_INNER else 0


def fits(template: MapSpec, spec: MapSpec) -> bool:
    """May a map of that spec be an inner map, next to the template?"""
    alike = all(getattr(template, f) == getattr(spec, f) for f in ("type", "key_size", "value_size", "flags"))
    if alike and template.type in SAME_ENTRIES and not template.flags & MAP_FLAGS["inner_map"]:
        alike = template.max_entries == spec.max_entries
    return alike and special_fields(template) == special_fields(spec)


class ObjectArray(Map):
    """Indices to objects; an empty slot is None."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self.slots: dict[int, Any] = {}

    def accept(self, value: Any) -> int:
        """0, or the negative errno with which the object is refused."""
        return 0

    def get_object(self, key: int) -> Any:
        """The object of the key at that address, or None."""
        return self.slots.get(ld32(key))

    def put_object(self, key: int, value: Any, flags: int = 0) -> int:
        """Set a slot; 0 or a negative errno."""
        if flags:
            return -EINVAL
        if ld32(key) >= self.max_entries:
            return -E2BIG
        bad = self.accept(value)
        if not bad:
            self.slots[ld32(key)] = value
        return bad

    def delete(self, key: int) -> int:
        """Empty a slot."""
        if ld32(key) >= self.max_entries:
            return -E2BIG
        return 0 if self.slots.pop(ld32(key), None) is not None else -ENOENT

    def next_key(self, key: int, out: int) -> int:
        """Indices in order, empty slots too."""
        return next_index(key, out, self.max_entries)

    def copy_value(self, key: int) -> bytes | int:
        """The object's id, as bpf(2) tells it."""
        found = self.get_object(key)
        return -ENOENT if found is None else int(getattr(found, "id", 0)).to_bytes(4, "little")

    def __len__(self) -> int:
        return len(self.slots)


class ProgArray(ObjectArray):
    """The targets of tail calls.  ``pending`` names programs that the map's definition wants in its slots."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self.pending = dict(spec.values)

    def bind(self, programs: dict[str, Any]) -> None:
        """Fill the slots that wait for these programs by name."""
        for slot, name in tuple(self.pending.items()):
            if name in programs:
                self.slots[slot] = programs[name]
                del self.pending[slot]

    def program(self, index: int) -> Any:
        """What a tail call to that index goes to, or None."""
        return self.slots.get(index)


class _MapOfMaps:
    """What both maps of maps share: the template, and telling of memory that comes with new inner maps."""

    spec: MapSpec
    _watchers: list[Callable[[Region], None]]
    _told: set[int]

    def accept(self, value: Any) -> int:
        """-EINVAL for what is no map or differs from the template."""
        good = isinstance(value, Map) and self.spec.inner is not None and fits(self.spec.inner, value.spec)
        return 0 if good else -EINVAL

    def inner_maps(self) -> list[Map]:
        """The maps put in so far."""
        raise NotImplementedError

    def regions(self) -> list[Region]:
        """The handle, and the regions of the inner maps that are there now; later ones come through ``watch``."""
        unique = {int(m.address): m for m in self.inner_maps()}
        self._told.update(unique)
        return [*super().regions(), *(region for m in unique.values() for region in m.regions())]  # type: ignore[misc]

    def watch(self, added: Callable[[Region], None]) -> None:
        """Have ``added`` called for the regions of inner maps put in later."""
        self._watchers.append(added)

    def tell(self, inner: Map) -> None:
        """Report the regions of an inner map that is new here."""
        if inner.address not in self._told:
            self._told.add(inner.address)
            for region in inner.regions():
                for added in self._watchers:
                    added(region)


class ArrayOfMaps(_MapOfMaps, ObjectArray):
    """Indices to maps."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self._watchers, self._told = [], set()

    def lookup(self, key: int, cpu: int) -> int:
        """The inner map's handle, or 0."""
        inner = self.slots.get(ld32(key))
        return 0 if inner is None else int(inner.address)

    def put_object(self, key: int, value: Any, flags: int = 0) -> int:
        """Set a slot; 0 or a negative errno."""
        bad = super().put_object(key, value, flags)
        if not bad:
            self.tell(value)
        return bad

    def inner_maps(self) -> list[Map]:
        """The maps in the slots."""
        return list(self.slots.values())


class HashOfMaps(_MapOfMaps, Hash):
    """Keys to maps.  The elements hold the inner maps' handles."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self._watchers, self._told = [], set()
        self._inner: dict[int, Map] = {}
        self._handle = Buffer(8)
        self.stored = 8  # a handle, though the value size says four

    def lookup(self, key: int, cpu: int) -> int:
        """The inner map's handle, or 0."""
        element = self.element_of(key)
        return ld64(element + self.value_at) if element else 0

    def get_object(self, key: int) -> Any:
        """The inner map, or None."""
        return self._inner.get(self.lookup(key, 0))

    def put_object(self, key: int, value: Any, flags: int = 0) -> int:
        """Insert or replace; 0 or a negative errno."""
        bad = self.accept(value)
        if bad:
            return bad
        st64(self._handle.address, value.address)
        bad = super().update(key, self._handle.address, flags, 0)
        if not bad:
            self._inner[int(value.address)] = value
            self.tell(value)
        return bad

    def copy_value(self, key: int) -> bytes | int:
        """The inner map's id."""
        found = self.get_object(key)
        return -ENOENT if found is None else int(found.id).to_bytes(4, "little")

    def take_value(self, key: int, flags: int) -> bytes | int:
        """bpf(2) does not take maps out this way."""
        return -ENOTSUPP

    def inner_maps(self) -> list[Map]:
        """The maps put in so far."""
        return list(self._inner.values())

    def value_regions(self) -> list[Region]:
        """The slots themselves are out of a program's reach."""
        return []
