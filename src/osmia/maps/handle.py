"""What stands behind a map pointer: sixteen words that native code reads, and the way back to the Python object.

Words 1 to 7 are addresses of C functions ``u64 f(u64 object, u64 a, u64 b, u64 c, u64 d)`` that need no interpreter
lock.  Where such a word is 0 (nothing is compiled, or the family has its bodies in Python) callers find the object
with ``map_of`` and call the method of that name.  Arguments, the rest being ignored:

========  =============================  ===========================================================================
lookup    key, cpu                       address of the value, or 0
update    key, value, flags, cpu         0 or a negative errno, like delete, push, pop and peek
delete    key
push      value, flags
pop       out
peek      out
each      cursor, cpu                    1 with the next element in the cursor, 0 behind the last (see ``CURSOR``)
========  =============================  ===========================================================================

``values``, ``stride`` and ``copies`` say where values are: for ``array`` at ``values + index * stride``, for
``percpu_array`` at ``values + (cpu * max_entries + index) * stride``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from osmia.native import address_of
from osmia.raw import st64

if TYPE_CHECKING:
    from osmia.maps.base import Map

HANDLE = (
    *("object", "lookup", "update", "delete", "push", "pop", "peek", "each"),
    *("kind", "flags", "key_size", "value_size", "max_entries", "values", "stride", "copies"),
)
"""The words of a handle, in order, each of eight bytes."""

HANDLE_SIZE = 8 * len(HANDLE)
WORD = {name: 8 * at for at, name in enumerate(HANDLE)}
"""Byte offset of each word."""

OPERATIONS = HANDLE[1:8]

CURSOR = ("key", "value", "place", "next", "room")
"""The words of a cursor: zeros begin a walk; ``each`` sets key and value to addresses and keeps its place in the rest.

The element at hand may be deleted between two calls.  Elements put in during a walk may or may not be seen.
"""

CURSOR_SIZE = 8 * len(CURSOR)

_known: WeakValueDictionary[int, Map] = WeakValueDictionary()


def register(m: Map) -> None:
    """Have ``map_of`` find the map as long as it lives."""
    _known[m.address] = m


def map_of(address: int) -> Map | None:
    """The map whose handle is at that address, or None."""
    return _known.get(address)


def write_words(address: int, **words: int) -> None:
    """Set words of a handle."""
    for name, value in words.items():
        st64(address + WORD[name], value)


def entry(owner: type, base: type, operation: str, function: tuple[str, str]) -> int:
    """The address of an operation's C function; 0 where the class has a body of its own in Python."""
    return address_of(*function) if getattr(owner, operation) is getattr(base, operation) else 0
