"""The maps of one collection in the running kernel, with the first contents that libbpf would give them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from osmia.errors import UsageError
from osmia.live.btfs import LiveBtfs
from osmia.live.maps import OF_MAPS, LiveMap

if TYPE_CHECKING:
    from osmia.live.prog import LiveProgram
    from osmia.obj.model import MapSpec, Program


class LiveMaps(Mapping[str, LiveMap]):
    """Maps by name.  A map is created when a program first needs it; ``load`` loads a program with them.

    Maps of maps hold their inner maps, and prog_arrays the programs that ``.values`` names, which are loaded for that.
    Close it, or use ``with``: maps and programs go back to the kernel.
    """

    def __init__(self, specs: Iterable[MapSpec] = (), programs: Mapping[str, Program] | None = None) -> None:
        self.specs = {spec.name: spec for spec in specs}
        self.programs = programs or {}
        self._maps: dict[str, LiveMap] = {}
        self._loaded: dict[str, LiveProgram] = {}
        self._btfs = LiveBtfs()

    def __getitem__(self, name: str) -> LiveMap:
        return self._maps[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._maps)

    def __len__(self) -> int:
        return len(self._maps)

    def of(self, spec: MapSpec) -> LiveMap:
        """The map of a spec, made now if need be.  Raises KernelError when the kernel refuses it."""
        if spec.name not in self._maps:
            self._maps[spec.name] = LiveMap(spec, self._btfs)
            if spec.type in OF_MAPS:
                self._put(spec, {slot: self.of(self._spec(name)).fd for slot, name in spec.values.items()})
        return self._maps[spec.name]

    def _spec(self, name: str) -> MapSpec:
        if name not in self.specs:
            raise UsageError(f"a map of maps holds {name}, which the collection lacks")
        return self.specs[name]

    def _put(self, spec: MapSpec, fds: Mapping[int, int]) -> None:
        for slot, fd in fds.items():
            self._maps[spec.name][slot.to_bytes(spec.key_size, sys.byteorder)] = fd.to_bytes(4, sys.byteorder)

    def load(self, program: Program, log_level: int = 0) -> LiveProgram:
        """Load a program on these maps, and those that it may tail-call.  Raises KernelError."""
        from osmia import live

        if program.name not in self._loaded:
            maps = [self.of(spec) for spec in program.maps]
            self._loaded[program.name] = live.load(program, maps, log_level=log_level, btfs=self._btfs)
            for spec in program.maps:
                if spec.type == "prog_array":
                    self._put(spec, {slot: self._target(name).fd for slot, name in spec.values.items()})
        return self._loaded[program.name]

    def _target(self, name: str) -> LiveProgram:
        if name not in self.programs:
            raise UsageError(f"a prog_array holds {name}, which the collection lacks")
        return self.load(self.programs[name])

    def close(self) -> None:
        """Give everything back to the kernel."""
        for loaded in self._loaded.values():
            loaded.close()
        for map_ in self._maps.values():
            map_.close()
        self._btfs.close()
        self._loaded.clear()
        self._maps.clear()
