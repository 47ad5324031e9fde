"""What registers were spilled to the stack: kinds of whole words at constant offsets from R10.

Part of a state (``types``): its last entry maps an offset to the kind of the word there, and is never changed in place.
In checked code a word may have been overwritten through a pointer that nobody followed; there the kind that comes back
is a guess, without an offset, and proves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from osmia.vm.jit.kinds import Kind, join

if TYPE_CHECKING:
    from osmia.vm.decode import Row

WORD = 8
Spills = Mapping[int, Kind]
NONE: Spills = {}


def joined(a: Spills, c: Spills) -> Spills:
    """What holds on both of two paths."""
    if a is c or a == c:
        return a
    found = ((offset, join(kind, c.get(offset))) for offset, kind in a.items())
    return {offset: kind for offset, kind in found if kind is not None}


def store(spills: Spills, row: Row, size: int, base: Kind, value: Kind | None) -> Spills:
    """After a store through a pointer of the kind ``base``."""
    if base.name not in ("stack", "memory"):
        return spills
    if base.name == "memory" or base.offset is None:
        return NONE
    at = base.offset + row.off
    keep = value is not None and value.is_pointer and size == WORD and at % WORD == 0
    if not spills and not keep:
        return spills
    rest = {offset: kind for offset, kind in spills.items() if offset + WORD <= at or offset >= at + size}
    if keep and value is not None:
        rest[at] = value
    return rest


def given(spills: Spills, kinds: list[Kind | None], calls_back: bool) -> Spills:
    """After a call that may write behind its arguments, upwards; anywhere if it runs functions of the program."""
    pointers = [k for k in kinds if k is not None and k.name in ("stack", "memory")]
    if not spills or not pointers:
        return spills
    if calls_back or any(k.name == "memory" or k.offset is None for k in pointers):
        return NONE
    lowest = min(k.offset or 0 for k in pointers)
    return {offset: kind for offset, kind in spills.items() if offset + WORD <= lowest}


def load(spills: Spills, row: Row, base: Kind | None, checked: bool) -> Kind | None:
    """The kind of a word that is loaded."""
    if base is None or base.name != "stack" or base.offset is None:
        return None
    kind = spills.get(base.offset + row.off)
    if kind is None or not checked:
        return kind
    return None if kind.name == "map" else Kind(kind.name, kind.number)
