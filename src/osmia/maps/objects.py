"""Maps whose values are programs or other maps: prog_array, array_of_maps, hash_of_maps.

bpf(2) passes file descriptors for those values; here they are the Python objects themselves.
Native code sees words for them (``maps.slots``).  Sources: kernel/bpf/arraymap.c (fd arrays), hashtab.c (fd_htab),
map_in_map.c.

What is replaced or taken out stays alive: a program that runs may have its address.  The kernel frees it when no run
can; here that is known to whoever runs programs, who may say so by ``settle``, and otherwise the end of the map.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from osmia.errors import MapError
from osmia.kernel.uapi import MAP_FLAGS
from osmia.maps.base import ENOTSUPP, Map
from osmia.maps.fields import special_fields
from osmia.maps.slots import HandleHash, Slots
from osmia.maps.targets import number_of
from osmia.raw import Buffer, ld32, st64

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


class ObjectArray(Slots):
    """Indices to objects; an empty slot is None.  ``objects`` are those that are in, by index."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self.objects: dict[int, Any] = {}
        self._replaced: list[Any] = []

    def accept(self, value: Any) -> int:
        """0, or the negative errno with which the object is refused."""
        return 0

    def word_for(self, value: Any) -> int:
        """What the slot holds for an object."""
        return number_of(value)

    def get_object(self, key: int) -> Any:
        """The object of the key at that address, or None."""
        return self.objects.get(ld32(key))

    def put_object(self, key: int, value: Any, flags: int = 0) -> int:
        """Set a slot; 0 or a negative errno."""
        if flags:
            return -EINVAL
        if ld32(key) >= self.max_entries:
            return -E2BIG
        bad = self.accept(value)
        if not bad:
            self.place(ld32(key), value)
        return bad

    def place(self, index: int, value: Any) -> None:
        """Set a slot that there is to an object that is accepted."""
        with self.guard:
            if self.objects.get(index) is not None:
                self._replaced.append(self.objects[index])
            self.objects[index] = value
            self.set_word(index, self.word_for(value))

    def delete(self, key: int) -> int:
        """Empty a slot."""
        if ld32(key) >= self.max_entries:
            return -E2BIG
        with self.guard:
            found = self.objects.pop(ld32(key), None)
            self.set_word(ld32(key), 0)
            if found is None:
                return -ENOENT
            self._replaced.append(found)
        return 0

    def settle(self) -> None:
        """No program runs that could have seen what was replaced: let it go."""
        self._replaced.clear()

    def copy_value(self, key: int) -> bytes | int:
        """The object's id, as bpf(2) tells it."""
        found = self.get_object(key)
        return -ENOENT if found is None else int(getattr(found, "id", 0)).to_bytes(4, "little")

    def __len__(self) -> int:
        return len(self.objects)


class ProgArray(ObjectArray):
    """The targets of tail calls, in native memory by number (``maps.targets``).

    ``pending`` names programs that the map's definition wants in its slots.
    """

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self.pending = dict(spec.values)

    def bind(self, programs: dict[str, Any]) -> None:
        """Fill the slots that wait for these programs by name.  Raises MapError (E2BIG) for a slot beyond the end."""
        for slot, name in tuple(self.pending.items()):
            if name in programs:
                if not 0 <= slot < self.max_entries:
                    raise MapError(E2BIG, f"map {self.name} has no slot {slot} for program {name}")
                self.place(slot, programs[name])
                del self.pending[slot]

    def program(self, index: int) -> Any:
        """What a tail call to that index goes to, or None."""
        return self.objects.get(index)


class _MapOfMaps:
    """What both maps of maps share: the template, and telling of memory that comes with new inner maps."""

    spec: MapSpec
    _watchers: list[Callable[[Region], None]]

    def accept(self, value: Any) -> int:
        """-EINVAL for what is no map or differs from the template."""
        good = isinstance(value, Map) and self.spec.inner is not None and fits(self.spec.inner, value.spec)
        return 0 if good else -EINVAL

    def inner_maps(self) -> list[Map]:
        """The maps put in so far."""
        raise NotImplementedError  # each family has its own

    def regions(self) -> list[Region]:
        """The handle, and the regions of the inner maps that are there now; later ones come through ``watch``."""
        unique = {int(m.address): m for m in self.inner_maps()}
        return [*super().regions(), *(region for m in unique.values() for region in m.regions())]  # type: ignore[misc]

    def watch(self, added: Callable[[Region], None]) -> None:
        """Have ``added`` called for the regions of inner maps put in later."""
        self._watchers.append(added)

    def tell(self, inner: Map) -> None:
        """Report the regions of an inner map, before native code can see its handle."""
        for region in inner.regions():
            for added in self._watchers:
                added(region)


class ArrayOfMaps(_MapOfMaps, ObjectArray):
    """Indices to maps."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self._watchers = []
        self.shown = 1

    def word_for(self, value: Any) -> int:
        """The inner map's handle."""
        return int(value.address)

    def place(self, index: int, value: Any) -> None:
        """Set a slot that there is to a map that fits."""
        self.tell(value)
        super().place(index, value)

    def inner_maps(self) -> list[Map]:
        """The maps in the slots."""
        return list(self.objects.values())


class HashOfMaps(_MapOfMaps, HandleHash):
    """Keys to maps.  The elements hold the inner maps' handles."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self._watchers = []
        self._inner: dict[int, Map] = {}  # by handle: those that are in, and those that were
        self._handle = Buffer(8)

    def get_object(self, key: int) -> Any:
        """The inner map, or None."""
        return self._inner.get(self.lookup(key, 0))

    def put_object(self, key: int, value: Any, flags: int = 0) -> int:
        """Insert or replace; 0 or a negative errno."""
        bad = self.accept(value)
        if bad:
            return bad
        with self.guard:
            known = int(value.address) in self._inner
            self._inner[int(value.address)] = value  # before native code can see it
            self.tell(value)
            st64(self._handle.address, value.address)
            bad = int(self.update(key, self._handle.address, flags, 0))
            if bad and not known:
                del self._inner[int(value.address)]
        return bad

    def settle(self) -> None:
        """No program runs that could have seen what was replaced: let it go."""
        with self.guard:
            keys = [Buffer.of(key) for key in self.raw_keys()]
            inside = {self.lookup(key.address, 0) for key in keys}
            self._inner = {address: m for address, m in self._inner.items() if address in inside}

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
