"""Kinds of values: what a register is known to hold, and what is known where two paths meet."""

from __future__ import annotations

from typing import NamedTuple

from osmia.vm.jit.unit import MapShape
from osmia.vm.ops import FRAME_SIZE
from osmia.words import s64

UNSURE = 1 << 30
"""A ``null`` of more than one look-up: no single question settles it."""


class Kind(NamedTuple):
    """``name``: "const" (``offset`` is the value), "stack" (this function's), "frame" (a caller's stack), "ctx",
    "packet", "meta", "value" (of map ``number``), "map" (its handle), "function" (at slot ``number``), "memory" (some
    pointer).

    ``offset``: bytes from its start, None when it is not the same on all paths (for "stack" from R10).
    ``null``: -1, or the slot of the look-up whose answer it is, as long as nobody asked whether it is null.
    """

    name: str
    number: int = -1
    offset: int | None = None
    null: int = -1

    @property
    def is_pointer(self) -> bool:
        """Is it kept as ``ptr``?"""
        return self.name not in ("const", "function")

    @property
    def is_map(self) -> bool:
        """Is it certainly the handle of map ``number``?"""
        return self.name == "map" and self.offset == 0 and self.null < 0

    def moved(self, by: int | None) -> Kind:
        """The pointer after an addition; ``None``: of an unknown number."""
        offset = None
        if self.offset is not None and by is not None and abs(self.offset + by) < 1 << 31:
            offset = self.offset + by
        return Kind(self.name, self.number, offset, UNSURE if self.null >= 0 else -1)

    def inside(self, offset: int, size: int, shape: MapShape | None) -> bool:
        """Are these bytes certainly the program's to touch?"""
        if self.offset is None or self.null >= 0:
            return False
        at = self.offset + offset
        if self.name == "stack":
            return at >= -FRAME_SIZE and at + size <= 0
        return self.name == "value" and shape is not None and at >= 0 and at + size <= shape.value_size


ZERO = Kind("const", offset=0)


def join(a: Kind | None, c: Kind | None) -> Kind | None:
    """What holds on both of two paths."""
    if a == c:
        return a
    if a is None or c is None:
        return None
    if not a.is_pointer or not c.is_pointer:
        return _or_null(a, c)
    if a.name != c.name or a.number != c.number:
        return Kind("memory")
    return Kind(a.name, a.number, a.offset if a.offset == c.offset else None, a.null if a.null == c.null else UNSURE)


def _or_null(a: Kind, c: Kind) -> Kind | None:
    pointer = c if a == ZERO else a if c == ZERO else None
    return pointer._replace(null=UNSURE) if pointer is not None and pointer.is_pointer else None


def guess(kind: Kind | None) -> Kind | None:
    """What may well be, but has not to be: good for choosing a test, and for nothing else."""
    if kind is None or not kind.is_pointer or kind.name == "map":
        return None
    return Kind("frame" if kind.name in ("stack", "frame") else "memory")


def add(a: Kind | None, c: Kind | None, minus: bool) -> Kind | None:
    """The kind of a sum: a pointer and a number make a pointer again."""
    if a is not None and a.is_pointer:
        if c is not None and c.is_pointer:
            return None
        by = None if c is None or c.offset is None else c.offset
        return a.moved(-by if minus and by is not None else by)
    if c is not None and c.is_pointer:
        return None if minus else c.moved(None if a is None else a.offset)
    if a is None or c is None or a.offset is None or c.offset is None:
        return None
    total = a.offset - c.offset if minus else a.offset + c.offset
    return Kind("const", offset=s64(total & 0xFFFFFFFFFFFFFFFF))
