"""The one interface of all maps: what programs call by address, and the face that Python sees.

Programs call ``lookup update delete next_key push pop peek`` with native addresses; results are addresses,
0 or a negative errno, never an exception.  ``program side`` below means exactly these.

Python uses ``m[key]``, ``m[key] = value``, ``del m[key]``, ``key in m``, iteration, ``items()``, ``len(m)``: keys and
values by BTF type where the map has one, bytes otherwise (see ``maps.face``).  The bpf(2) commands with the kernel's
checks and errnos are in ``maps.commands``.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

try:
    import cython
except ImportError:
    from osmia._cy import cython
from osmia.maps import face
from osmia.maps.fields import special_fields
from osmia.maps.slab import Slab
from osmia.raw import Buffer, read

if not cython.compiled:
    from osmia.raw import copy, fill

if TYPE_CHECKING:
    from osmia.memory import Region
    from osmia.obj.model import MapSpec

HANDLE_SIZE = 64
"""Bytes behind a map pointer: nothing is in them, but no two maps share an address."""

ENOTSUPP = 524
"""The kernel's own errno for "this map type can't do that"; it has no name in user space."""


def round8(size: int) -> int:
    """Up to a multiple of eight, as the kernel lays out elements."""
    return (size + 7) & ~7


class Map:
    """What every map has.  A family overrides the operations it knows; the rest answers as the kernel does.

    ``address`` is the handle that stands for the map in a register (a CONST_MAP_PTR); it is unique while the map lives.
    ``special`` lists the places in a value that updates leave alone (spin locks, timers, …), ``(offset, size)`` each.
    """

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        self.spec = spec
        self.name = spec.name
        self.type = spec.type
        self.id = id
        self.cpus = cpus
        self.key_size = spec.key_size
        self.value_size = spec.value_size
        self.max_entries = spec.max_entries
        self.flags = spec.flags
        self.frozen = False
        self.special, self.lock_offset = special_fields(spec)
        self.has_special = bool(self.special)
        self._identity = Buffer(HANDLE_SIZE)
        self.address = self._identity.address
        self._regions: list[Region] | None = None
        self._key_in = Buffer(max(8, round8(self.key_size)))
        self._key_out = Buffer(max(8, round8(self.key_size)))
        self._value_in = Slab(max(8, self.command_value_size))

    # -- program side ------------------------------------------------------------------------------------------

    def lookup(self, key: int, cpu: int) -> int:
        """Address of the value of the key at address ``key`` (of this CPU, for per-CPU maps), or 0."""
        return 0

    def update(self, key: int, value: int, flags: int, cpu: int) -> int:
        """Copy the value in; 0 or a negative errno."""
        return -ENOTSUPP

    def delete(self, key: int) -> int:
        """Take the element out; 0 or a negative errno."""
        return -ENOTSUPP

    def next_key(self, key: int, out: int) -> int:
        """Write the key that follows (the first, when ``key`` is 0 or unknown) to ``out``; -ENOENT after the last."""
        return -ENOTSUPP

    def push(self, value: int, flags: int) -> int:
        """Add a value (queue, stack, bloom filter)."""
        return -ENOTSUPP

    def pop(self, out: int) -> int:
        """Take a value out into ``out``."""
        return -ENOTSUPP

    def peek(self, out: int) -> int:
        """Copy the next value to ``out`` (bloom filter: ask whether the value at ``out`` was added)."""
        return -ENOTSUPP

    # -- what the families share -------------------------------------------------------------------------------

    def store(self, target: int, source: int) -> None:
        """Copy a value into its place, around the special fields."""
        if not self.has_special:
            copy(target, source, self.value_size)
            return
        start = 0
        for offset, size in self.special:
            copy(target + start, source + start, offset - start)
            start = offset + size
        copy(target + start, source + start, self.value_size - start)

    def clear_special(self, target: int) -> None:
        """Zero the special fields of a value or of a copy of one."""
        for offset, size in self.special:
            fill(target + offset, 0, size)

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
        address = self.lookup_quietly(key, 0)
        if not address:
            return -errno.ENOENT
        if not self.has_special:
            return read(address, self.value_size)
        room = Buffer.of(read(address, self.value_size))
        self.clear_special(room.address)
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
