"""The one interface of all maps: what programs call by address, and the face that Python sees.

Programs call ``lookup update delete next_key push pop peek`` with native addresses; results are addresses,
0 or a negative errno, never an exception.  ``program side`` below means exactly these.  A compiled family overrides
the methods that end in ``_elem``, which need no interpreter lock and which several threads call at once; a family in
plain Python overrides the others.  Native code finds either through the handle (``maps.handle``).

Python uses ``m[key]``, ``m[key] = value``, ``del m[key]``, ``key in m``, iteration, ``items()``, ``len(m)``: keys and
values by BTF type where the map has one, bytes otherwise (see ``maps.face``).  The bpf(2) commands with the kernel's
checks and errnos are in ``maps.commands``.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from threading import RLock
from typing import TYPE_CHECKING, Any

try:
    import cython
except ImportError:
    from osmia._cy import cython
from osmia.kernel.uapi import MAP_TYPE
from osmia.maps import face, handle
from osmia.maps.fields import special_fields
from osmia.maps.handle import HANDLE_SIZE
from osmia.maps.slab import Slab
from osmia.raw import Buffer, read

if not cython.compiled:
    from osmia.raw import copy, fill, ld32, ld64, st32, st64, unlock, xchg32

if TYPE_CHECKING:
    from osmia.memory import Region
    from osmia.obj.model import MapSpec

ENOTSUPP = 524
"""The kernel's own errno for "this map type can't do that"; it has no name in user space."""

UNSUPPORTED, BUSY = -ENOTSUPP, -errno.EBUSY
PATIENCE = 1 << 21
"""Turns after which a spin lock inside a value is taken for abandoned: the program that took it may have ended."""


def round8(size: int) -> int:
    """Up to a multiple of eight, as the kernel lays out elements."""
    return (size + 7) & ~7


# What stands in the handle; ``m`` is the map itself there and its address in C, where a borrowed object is just that.


def lookup_in(m: Map, key: int, cpu: int, c: int, d: int) -> int:
    """``lookup`` by address."""
    return m.find_elem(key, cpu)


def update_in(m: Map, key: int, value: int, flags: int, cpu: int) -> int:
    """``update`` by address."""
    return m.put_elem(key, value, flags, cpu)


def delete_in(m: Map, key: int, b: int, c: int, d: int) -> int:
    """``delete`` by address."""
    return m.drop_elem(key)


def push_in(m: Map, value: int, flags: int, c: int, d: int) -> int:
    """``push`` by address."""
    return m.push_elem(value, flags)


def pop_in(m: Map, out: int, b: int, c: int, d: int) -> int:
    """``pop`` by address."""
    return m.pop_elem(out)


def peek_in(m: Map, out: int, b: int, c: int, d: int) -> int:
    """``peek`` by address."""
    return m.peek_elem(out)


def each_in(m: Map, cursor: int, cpu: int, c: int, d: int) -> int:
    """``each`` by address."""
    return m.each_elem(cursor, cpu)


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
        self._special = Buffer(16 * len(self.special))
        self.special_rows = self._special.address
        self.stored = self.value_size  # bytes that ``store`` copies
        self._identity = Buffer(HANDLE_SIZE)
        self.address = self._identity.address
        self._regions: list[Region] | None = None
        self._key_in = Buffer(max(8, round8(self.key_size)))
        self._key_out = Buffer(max(8, round8(self.key_size)))
        self._value_in = Slab(max(8, self.command_value_size))
        self.guard = RLock()  # held while a bpf(2) command uses the three buffers above
        self._write_native()

    def _write_native(self) -> None:
        for at, (offset, size) in enumerate(self.special):
            st64(self.special_rows + 16 * at, offset)
            st64(self.special_rows + 16 * at + 8, size)
        self.special_count = len(self.special)
        self.publish(object=id(self), kind=MAP_TYPE.get(self.type, 0), flags=self.flags, key_size=self.key_size)
        self.publish(value_size=self.value_size, max_entries=self.max_entries)
        for name in handle.OPERATIONS:
            self.publish(**{name: handle.entry(type(self), Map, name, self.entry_of(name))})
        handle.register(self)

    def entry_of(self, operation: str) -> tuple[str, str]:
        """Module and name of the C function for a word of the handle; a family may know a shorter way."""
        return "osmia.maps.base", f"{operation}_in"

    def publish(self, **words: int) -> None:
        """Set words of the handle."""
        handle.write_words(self.address, **words)

    # -- program side ------------------------------------------------------------------------------------------

    def lookup(self, key: int, cpu: int) -> int:
        """Address of the value of the key at address ``key`` (of this CPU, for per-CPU maps), or 0."""
        return self.find_elem(key, cpu)

    def update(self, key: int, value: int, flags: int, cpu: int) -> int:
        """Copy the value in; 0 or a negative errno."""
        return self.put_elem(key, value, flags, cpu)

    def delete(self, key: int) -> int:
        """Take the element out; 0 or a negative errno."""
        return self.drop_elem(key)

    def next_key(self, key: int, out: int) -> int:
        """Write the key that follows (the first, when ``key`` is 0 or unknown) to ``out``; -ENOENT after the last."""
        return self.next_elem(key, out)

    def push(self, value: int, flags: int) -> int:
        """Add a value (queue, stack, bloom filter)."""
        return self.push_elem(value, flags)

    def pop(self, out: int) -> int:
        """Take a value out into ``out``."""
        return self.pop_elem(out)

    def peek(self, out: int) -> int:
        """Copy the next value to ``out`` (bloom filter: ask whether the value at ``out`` was added)."""
        return self.peek_elem(out)

    def each(self, cursor: int, cpu: int) -> int:
        """Step to the next element (``handle.CURSOR``); 1, or 0 behind the last."""
        return self.each_elem(cursor, cpu)

    # -- the same for compiled families: without the interpreter lock, by several threads at once ----------------

    def find_elem(self, key: int, cpu: int) -> int:
        """See ``lookup``."""
        return 0

    def put_elem(self, key: int, value: int, flags: int, cpu: int) -> int:
        """See ``update``."""
        return UNSUPPORTED

    def drop_elem(self, key: int) -> int:
        """See ``delete``."""
        return UNSUPPORTED

    def next_elem(self, key: int, out: int) -> int:
        """See ``next_key``."""
        return UNSUPPORTED

    def push_elem(self, value: int, flags: int) -> int:
        """See ``push``."""
        return UNSUPPORTED

    def pop_elem(self, out: int) -> int:
        """See ``pop``."""
        return UNSUPPORTED

    def peek_elem(self, out: int) -> int:
        """See ``peek``."""
        return UNSUPPORTED

    def each_elem(self, cursor: int, cpu: int) -> int:
        """See ``each``."""
        return 0

    # -- what the families share -------------------------------------------------------------------------------

    def store(self, target: int, source: int) -> None:
        """Copy a value into its place, around the special fields."""
        if self.has_special:
            self.store_around(target, source)
        elif self.stored == 8:
            st64(target, ld64(source))
        elif self.stored == 4:
            st32(target, ld32(source))
        else:
            copy(target, source, self.stored)

    def store_around(self, target: int, source: int) -> None:
        """``store`` of values with special fields."""
        row = self.special_rows
        end = row + 16 * self.special_count
        start = 0
        while row < end:
            copy(target + start, source + start, ld64(row) - start)
            start = ld64(row) + ld64(row + 8)
            row += 16
        copy(target + start, source + start, self.stored - start)

    def hold(self, target: int) -> bool:
        """Take the spin lock of a value; False when nobody lets it go."""
        turns = 0
        while xchg32(target + self.lock_offset, 1):
            turns += 1
            if turns > PATIENCE:
                return False
        return True

    def store_locked(self, target: int, source: int) -> int:
        """``store`` under the value's own spin lock (BPF_F_LOCK); 0, or -EBUSY when nobody lets it go."""
        if not self.hold(target):
            return BUSY
        self.store(target, source)
        unlock(target + self.lock_offset)
        return 0

    def show(self, out: int, source: int, locked: bool) -> None:
        """Copy a value to ``out`` as bpf(2) shows it, the special fields zero; under its spin lock if that is asked."""
        held = locked and self.hold(source)
        copy(out, source, self.value_size)
        if held:
            unlock(source + self.lock_offset)
        row = self.special_rows
        end = row + 16 * self.special_count
        while row < end:
            fill(out + ld64(row), 0, ld64(row + 8))
            row += 16

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
