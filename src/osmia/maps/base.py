"""The one interface of all maps: the program side (``maps.core``), bpf(2)'s side, and the face that Python sees.

Python uses ``m[key]``, ``m[key] = value``, ``del m[key]``, ``key in m``, iteration, ``items()``, ``len(m)``: keys and
values by BTF type where the map has one, bytes otherwise (see ``maps.face``).  The bpf(2) commands with the kernel's
checks and errnos are in ``maps.commands``.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from threading import RLock
from typing import TYPE_CHECKING, Any

from osmia.maps import face, handle
from osmia.maps.core import ENOTSUPP, Core, round8
from osmia.maps.handle import HANDLE_SIZE
from osmia.maps.slab import Slab
from osmia.raw import Buffer, read

if TYPE_CHECKING:
    from osmia.memory import Region
    from osmia.obj.model import MapSpec

__all__ = ["ENOTSUPP", "Map", "round8"]


class Map(Core):
    """What every map has."""

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus)
        self.id = id
        self.frozen = False
        self._regions: list[Region] | None = None
        self._key_in = Buffer(max(8, round8(self.key_size)))
        self._key_out = Buffer(max(8, round8(self.key_size)))
        self._value_in = Slab(max(8, self.command_value_size))
        self.guard = RLock()  # held while a bpf(2) command uses the three buffers above
        handle.register(self)

    # -- hooks of the bpf(2) commands (maps.commands) ----------------------------------------------------------

    @property
    def command_value_size(self) -> int:
        """Bytes of a value in bpf(2): per-CPU maps hand over all CPUs' values, each rounded up to eight."""
        return self.value_size

    def lookup_quietly(self, key: int, cpu: int) -> int:
        """``lookup`` as bpf(2) does it, which LRU maps do not count as a use."""
        return self.lookup(key, cpu)

    def copy_value(self, key: int) -> bytes | int:
        """The value as bpf(2) returns it, or a negative errno."""
        return self._shown(key, False)

    def copy_locked(self, key: int) -> bytes | int:
        """The same, read under the value's spin lock (BPF_F_LOCK)."""
        return self._shown(key, True)

    def _shown(self, key: int, locked: bool) -> bytes | int:
        address = self.lookup_quietly(key, 0)
        if not address:
            return -errno.ENOENT
        room = Buffer(self.value_size)
        self.show(room.address, address, locked)
        return bytes(room)

    def put_value(self, key: int, value: int, flags: int) -> int:
        """Update as bpf(2) does it, from ``command_value_size`` bytes at ``value``; 0 or a negative errno."""
        return self.update(key, value, flags, 0)

    def take_value(self, key: int, flags: int) -> bytes | int:
        """Lookup and delete as bpf(2) does it; the value or a negative errno."""
        return -ENOTSUPP

    def get_object(self, key: int) -> Any:
        """The program or map of the key at that address, or None (prog_array, maps of maps)."""
        return None

    def put_object(self, key: int, value: Any, flags: int = 0) -> int:
        """Set a value that is a program or map; 0 or a negative errno."""
        return -ENOTSUPP

    def contents(self) -> list[bytes]:
        """The values of a map without keys, the next one first."""
        return []

    def raw_keys(self) -> list[bytes]:
        """All keys as they are now."""
        found: list[bytes] = []
        out, size = self._key_out.address, self.key_size
        with self.guard:
            bad = self.next_key(0, out)
            while not bad and len(found) <= self.max_entries:
                found.append(read(out, size))
                bad = self.next_key(out, out)
        return found

    def direct_value(self, offset: int) -> int:
        """Address for a ``map_value`` load of ld_imm64, or a negative errno (single-element arrays only)."""
        return -ENOTSUPP

    def regions(self) -> list[Region]:
        """The handle, and the memory that a program may reach through this map: the same objects each time."""
        if self._regions is None:
            from osmia.memory import Region

            handle = Region(f"map {self.name}", self.address, HANDLE_SIZE, False, "map", owner=self)
            self._regions = [handle, *self.value_regions()]
        return self._regions

    def value_regions(self) -> list[Region]:
        """The values' memory, complete from creation on: it never grows."""
        return []

    def watch(self, added: Callable[[Region], None]) -> None:
        """Have ``added`` called for every region that turns up later (only maps of maps ever do that)."""

    def settle(self) -> None:
        """No program runs that could have the address of what was replaced or taken out: let it go.

        Maps that hold objects keep those alive until then, or until they end themselves.
        """

    # -- the Python face ---------------------------------------------------------------------------------------

    def __getitem__(self, key: Any) -> Any:
        return face.get(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        face.put(self, key, value)

    def __delitem__(self, key: Any) -> None:
        face.remove(self, key)

    def __contains__(self, key: Any) -> bool:
        return face.contains(self, key)

    def __iter__(self) -> Iterator[Any]:
        return face.keys(self)

    def __len__(self) -> int:
        return sum(1 for _ in face.keys(self))

    def __bool__(self) -> bool:
        """A map is a map, also an empty one."""
        return True

    def __repr__(self) -> str:
        return face.describe(self)

    def get(self, key: Any, default: Any = None) -> Any:
        """``m[key]``, or ``default`` where there is no such element."""
        return face.get(self, key) if key in self else default

    def keys(self) -> Iterator[Any]:
        """The keys; hash maps have no particular order."""
        return face.keys(self)

    def values(self) -> Iterator[Any]:
        """The values."""
        return (value for _, value in self.items())

    def items(self) -> Iterator[tuple[Any, Any]]:
        """Keys with values, as they are when each is reached."""
        return face.items(self)

    def update_from(self, entries: Any) -> None:
        """Put in every ``(key, value)`` of a dict or of an iterable of pairs."""
        for key, value in dict(entries).items():
            face.put(self, key, value)

    def to_json(self) -> Any:
        """Type, sizes and all contents as plain values."""
        return face.to_json(self)
