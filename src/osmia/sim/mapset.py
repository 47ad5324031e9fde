"""The living maps of a collection, shared by its programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from errno import EINVAL
from typing import TYPE_CHECKING, Any

from osmia.errors import MapError, UsageError

if TYPE_CHECKING:
    from osmia.maps import Map
    from osmia.obj.model import MapSpec

_OF_MAPS = ("array_of_maps", "hash_of_maps")


class MapSet(Mapping[str, Any]):
    """Maps by name.  A map comes to life when it is first asked for, and stays the same one after that."""

    def __init__(self, specs: Iterable[MapSpec] = (), *, cpus: int = 1) -> None:
        self.cpus = cpus
        self.specs = {spec.name: spec for spec in specs}
        self.programs: Mapping[str, Any] = {}
        """What prog_array maps may name in their initial values."""
        self._live: dict[int, Map] = {}
        self._kept: list[MapSpec] = []

    def __getitem__(self, name: str) -> Any:
        if name not in self.specs:
            raise KeyError(f"no map {name!r} (there: {', '.join(self.specs) or 'none'})")
        return self.of(self.specs[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.specs)

    def __len__(self) -> int:
        return len(self.specs)

    def __repr__(self) -> str:
        return f"<MapSet: {', '.join(f'{s.name} ({s.type})' for s in self.specs.values()) or 'empty'}>"

    def of(self, spec: MapSpec) -> Any:
        """The living map of a spec, made now if need be.  Raises MapError when the kernel would refuse it."""
        found = self._live.get(id(spec))
        if found is None:
            found = self._live[id(spec)] = self._create(spec)
            self._kept.append(spec)
        return found

    def lives(self, spec: MapSpec) -> bool:
        """Whether the map of a spec was made already."""
        return id(spec) in self._live

    def add(self, spec: MapSpec) -> None:
        """Make a spec known by its name."""
        self.specs.setdefault(spec.name, spec)

    def _create(self, spec: MapSpec) -> Any:
        from osmia import maps
        from osmia.maps.objects import ProgArray

        inner = [self[name] for name in self._named(spec)]
        made = maps.create(spec, cpus=self.cpus, maps=inner, id=len(self._live) + 1)
        if isinstance(made, ProgArray):
            made.bind(dict(self.programs))
        return made

    def _named(self, spec: MapSpec) -> list[str]:
        """The maps that a map-in-map holds from the start.  Linux knows no map of maps of maps."""
        if spec.type not in _OF_MAPS:
            return []
        missing = [name for name in spec.values.values() if name not in self.specs]
        if missing:
            raise UsageError(f"map {spec.name} holds {', '.join(missing)}, which the collection lacks")
        deep = next((name for name in spec.values.values() if self.specs[name].type in _OF_MAPS), None)
        if deep is not None:
            raise MapError(EINVAL, f"map {spec.name} holds {deep}, which holds maps itself")
        return list(spec.values.values())
