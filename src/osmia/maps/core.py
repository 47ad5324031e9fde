"""What programs call of a map: by address, without the interpreter lock where the family is compiled.

Programs call ``lookup update delete next_key push pop peek`` with native addresses; results are addresses,
0 or a negative errno, never an exception.  ``program side`` below means exactly these.  A compiled family overrides
the methods that end in ``_elem``, which need no interpreter lock and which several threads call at once; a family in
plain Python overrides the others.  Native code finds either through the handle (``maps.handle``).
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

try:
    import cython
except ImportError:
    from osmia._cy import cython
from osmia.errors import InternalError
from osmia.kernel.uapi import MAP_TYPE
from osmia.maps import handle
from osmia.maps.fields import special_fields
from osmia.maps.handle import HANDLE_SIZE
from osmia.raw import Buffer

if not cython.compiled:
    from osmia.raw import cas32, copy, fill, ld32, ld64, st32, st64, unlock

if TYPE_CHECKING:
    from osmia.obj.model import MapSpec

ENOTSUPP = 524
"""The kernel's own errno for "this map type can't do that"; it has no name in user space."""

UNSUPPORTED, BUSY = -ENOTSUPP, -errno.EBUSY
IN_C = ("find", "put", "drop", "next", "push", "pop", "peek", "each")
PATIENCE = 1 << 21
"""Turns after which a spin lock inside a value is taken for abandoned: the program that took it may have ended."""


def round8(size: int) -> int:
    """Up to a multiple of eight, as the kernel lays out elements."""
    return (size + 7) & ~7


# What stands in the handle; ``m`` is the map itself there and its address in C, where a borrowed object is just that.


def lookup_in(m: Core, key: int, cpu: int, c: int, d: int) -> int:
    """``lookup`` by address."""
    return m.find_elem(key, cpu)


def update_in(m: Core, key: int, value: int, flags: int, cpu: int) -> int:
    """``update`` by address."""
    return m.put_elem(key, value, flags, cpu)


def delete_in(m: Core, key: int, b: int, c: int, d: int) -> int:
    """``delete`` by address."""
    return m.drop_elem(key)


def push_in(m: Core, value: int, flags: int, c: int, d: int) -> int:
    """``push`` by address."""
    return m.push_elem(value, flags)


def pop_in(m: Core, out: int, b: int, c: int, d: int) -> int:
    """``pop`` by address."""
    return m.pop_elem(out)


def peek_in(m: Core, out: int, b: int, c: int, d: int) -> int:
    """``peek`` by address."""
    return m.peek_elem(out)


def each_in(m: Core, cursor: int, cpu: int, c: int, d: int) -> int:
    """``each`` by address."""
    return m.each_elem(cursor, cpu)


class Core:
    """What native code sees of a map.  A family overrides the operations it knows; the rest answers as the kernel does.

    ``address`` is the handle that stands for the map in a register (a CONST_MAP_PTR); it is unique while the map lives.
    ``special`` lists the places in a value that updates leave alone (spin locks, timers, …), ``(offset, size)`` each.
    """

    def __init__(self, spec: MapSpec, cpus: int) -> None:
        self.spec = spec
        self.name = spec.name
        self.type = spec.type
        self.cpus = cpus
        self.key_size = spec.key_size
        self.value_size = spec.value_size
        self.max_entries = spec.max_entries
        self.flags = spec.flags
        self.special, self.lock_offset = special_fields(spec)
        self.has_special = bool(self.special)
        self._special = Buffer(16 * len(self.special))
        self.special_rows = self._special.address
        self.stored = self.value_size  # bytes that ``store`` copies
        self._identity = Buffer(HANDLE_SIZE)
        self.address = self._identity.address
        self._write_native()

    def _write_native(self) -> None:
        if cython.compiled and any(hasattr(type(self), f"{name}_elem") for name in IN_C):
            # C code would not see these: a family in plain Python overrides lookup, update and so on instead
            raise InternalError(f"{type(self).__name__} is not compiled and this is: build all of Osmia, or none")
        for at, (offset, size) in enumerate(self.special):
            st64(self.special_rows + 16 * at, offset)
            st64(self.special_rows + 16 * at + 8, size)
        self.special_count = len(self.special)
        self.publish(object=id(self), kind=MAP_TYPE.get(self.type, 0), flags=self.flags, key_size=self.key_size)
        self.publish(value_size=self.value_size, max_entries=self.max_entries)
        for name in handle.OPERATIONS:
            self.publish(**{name: handle.entry(type(self), Core, name, self.entry_of(name))})

    def entry_of(self, operation: str) -> tuple[str, str]:
        """Module and name of the C function for a word of the handle; a family may know a shorter way."""
        return "osmia.maps.core", f"{operation}_in"

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
        while cas32(target + self.lock_offset, 0, 1):  # a program's lock holds the number of its run, which must stay
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
