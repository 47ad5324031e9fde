"""Which addresses may a program touch, and what stands there?

Addresses are native.  A ``Region`` is one piece of memory with a name; a ``Memory`` is the sorted set of
them.  Regions never overlap within one Memory; a child Memory is asked first, then its parent.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

from collections.abc import Iterator

from osmia.errors import InternalError
from osmia.raw import Buffer

if not cython.compiled:
    from osmia.raw import add64, ld64, load64, st64, store64

M64 = 0xFFFFFFFFFFFFFFFF


class Region:
    """``size`` bytes at ``address``.  With ``stride`` > 0 they are elements, ``stride`` bytes apart, and an
    access must lie inside the first ``span`` bytes of one of them (0: all of the stride).

    ``kind`` is a word for people and tools: "stack", "ctx", "packet", "map value", "map", "kernel object" …
    ``base`` is the address that offsets in descriptions count from (default: ``address``).  ``owner`` is
    whatever must stay alive, or be found again, as long as the region is listed.
    """

    def __init__(
        self,
        name: str,
        address: int,
        size: int,
        writable: bool = True,
        kind: str = "memory",
        stride: int = 0,
        span: int = 0,
        base: int | None = None,
        owner: object = None,
    ) -> None:
        if size < 0 or address < 0 or address + size > M64:
            raise InternalError(f"region {name!r} at {address:#x} of {size} bytes leaves the address space")
        self.name = name
        self.address = address
        self.size = size
        self.writable = writable
        self.kind = kind
        self.stride = stride
        self.span = span or stride
        self.base = address if base is None else base
        self.owner = owner

    @property
    def end(self) -> int:
        """The first address behind the region."""
        return self.address + self.size

    def __contains__(self, address: int) -> bool:
        return 0 <= address - self.address < self.size

    def low(self, address: int) -> int:
        """The first address of the window around ``address``: the element's where there are elements."""
        if self.stride == 0:
            return self.address
        return self.address + (address - self.address) // self.stride * self.stride

    def room(self) -> int:
        """The size of a window: an element's ``span``, or all of the region."""
        return self.span if self.stride else self.size

    def window(self, low: int) -> int:
        """The size of the window that begins at ``low``; the region's end cuts it."""
        if self.stride == 0:
            return self.size
        rest = self.address + self.size - low
        return self.span if self.span < rest else rest

    def admits(self, address: int, size: int, write: bool) -> bool:
        """May these bytes, which begin inside the region, be read or written?"""
        if write and not self.writable:
            return False
        low = self.low(address)
        room = self.window(low)
        return size <= room and address - low <= room - size

    def describe(self, address: int) -> str:
        """ "map counts, value of element 3 + 4" """
        if self.stride:
            index, offset = divmod(address - self.address, self.stride)
            return f"{self.name}, element {index} + {offset}"
        offset = address - self.base
        return f"{self.name} {'-' if offset < 0 else '+'} {abs(offset)}" if offset else self.name

    def __repr__(self) -> str:
        mode = "" if self.writable else ", read-only"
        return f"<Region {self.name!r} ({self.kind}) {self.address:#x}..{self.end:#x}{mode}>"


class Memory:
    """A set of regions.  Looking one up is a binary search over native rows, which native code does as well."""

    def __init__(self, parent: Memory | None = None) -> None:
        self.parent = parent
        self._regions: list[Region] = []
        self._header = Buffer(8 * len(HEADER))
        self.native = self._header.address
        """Address of the table that ``admitted`` and ``window`` read: ``HEADER``, which points at the rows."""
        self._rows = Buffer(ROW * 16)
        self._outgrown: list[Buffer] = []  # a thread may still be reading them
        self._table = self._rows.address
        self._count = 0
        st64(self.native + 16, self._table)
        st64(self.native + 24, 0 if parent is None else parent.native)

    def __iter__(self) -> Iterator[Region]:
        return iter(tuple(self._regions))

    def __len__(self) -> int:
        return self._count

    def stamp(self) -> int:
        """Changes whenever a region here or in a parent is added or removed."""
        return ld64(self.native) + (0 if self.parent is None else self.parent.stamp())

    def add(self, region: Region) -> Region:
        """List a region; an empty one is left out.  Raises InternalError where it overlaps another."""
        if region.size == 0:
            return region
        at = self._index(region.address)
        if at:
            before = self._regions[at - 1]
            if before.address + before.size > region.address:
                raise InternalError(f"{region!r} overlaps {before!r}")
        if at < self._count:
            after = self._regions[at]
            if region.address + region.size > after.address:
                raise InternalError(f"{region!r} overlaps {after!r}")
        self._regions.insert(at, region)
        self._rebuild(at)
        return region

    def remove(self, region: Region) -> None:
        """Take a region off the list.  Raises InternalError when it is not on it."""
        if region.size == 0:
            return
        at = self._index(region.address) - 1
        if at < 0 or self._regions[at] is not region:
            raise InternalError(f"{region!r} is not listed")
        del self._regions[at]
        self._rebuild(at)

    def _rebuild(self, first: int) -> None:
        """Write the rows anew from position ``first``; the version is odd meanwhile."""
        add64(self.native, 1)
        self._count = len(self._regions)
        if self._count * ROW > self._rows.size:
            self._outgrown.append(self._rows)
            self._rows = Buffer(self._count * ROW * 2)
            self._table = self._rows.address
            first = 0
        for at in range(first, self._count):
            region = self._regions[at]
            self._write(self._table + ROW * at, region)
        store64(self.native + 8, self._count)
        store64(self.native + 16, self._table)
        add64(self.native, 1)

    def _write(self, row: int, region: Region) -> None:
        st64(row, region.address)
        st64(row + 8, 0 if region.kind in ELSEWHERE else region.size)
        st64(row + 16, region.stride)
        st64(row + 24, region.span)
        st64(row + 32, (1 if region.writable else 0) | KIND_FLAGS.get(region.kind, 0))

    def _index(self, address: int) -> int:
        """How many regions start at or before the address."""
        return rows_before(self._table, self._count, address)

    def find(self, address: int) -> Region | None:
        """The region that holds the address, here or in the parent."""
        at = self._index(address)
        if at:
            region = self._regions[at - 1]
            if address - region.address < region.size:
                return region
        return None if self.parent is None else self.parent.find(address)

    def check(self, address: int, size: int, write: bool) -> bool:
        """May a program read (or write) ``size`` bytes at ``address``?  They must lie within one region."""
        region = self.find(address)
        return region is not None and region.admits(address, size, write)

    def nearest(self, address: int) -> Region | None:
        """The region that holds the address, or else the one with the smallest gap to it."""
        found = self.find(address)
        if found is not None:
            return found
        at = self._index(address)
        near = self._regions[max(at - 1, 0) : at + 1]
        above = None if self.parent is None else self.parent.nearest(address)
        return min([*near, above] if above else near, key=lambda r: gap(r, address), default=None)

    def describe(self, address: int) -> str:
        """What stands at an address, in words: "map counts, element 3 + 4", "12 bytes behind packet" …"""
        region = self.nearest(address)
        if region is None:
            return f"{address:#x}, with no memory listed"
        if address in region:
            return region.describe(address)
        distance = gap(region, address)
        if distance >= FAR:
            return "the null pointer" if not address else f"{address:#x}, near nothing known"
        if address < region.address:
            return f"{distance} byte{'' if distance == 1 else 's'} before {region.name}"
        if distance == 1:
            return f"the end of {region.name}"
        return f"{distance - 1} byte{'' if distance == 2 else 's'} behind the end of {region.name}"


HEADER = ("version", "count", "rows", "parent")
"""Words of the native table's head.  The version is odd while the rows change."""

ELSEWHERE = ("stack", "packet")
"""Kinds whose extent changes while native code runs: the run and the packet's state know it, not the native rows."""

ROW = 40
"""Bytes of a row: address, size, stride, span, flags (1 writable, 2 a map's handle, 4 user space)."""

KIND_FLAGS = {"map": 2, "user": 4}


def rows_before(table: int, count: int, address: int) -> int:
    """How many of ``count`` rows start at or before the address."""
    low = 0
    high = count
    while low < high:
        middle = (low + high) >> 1
        if ld64(table + ROW * middle) <= address:
            low = middle + 1
        else:
            high = middle
    return low


def row_of(native: int, address: int) -> int:
    """The row of the table ``native`` (not of its parents) that holds the address, or 0."""
    table = ld64(native + 16)
    at = rows_before(table, ld64(native + 8), address)
    if at == 0:
        return 0
    row = table + ROW * (at - 1)
    return row if address - ld64(row) < ld64(row + 8) else 0


def window(native: int, address: int, out: int) -> int:
    """Find what holds the address, here or in a parent, and write its window to ``out``: low, size, flags.

    Returns 1, or 0 where nothing does.  Needs no interpreter lock: read again while the table changes.
    """
    while native:
        version = load64(native)
        row = row_of(native, address)
        if row:
            _write_window(row, address, out)
        if version & 1 or load64(native) != version:
            continue
        if row:
            return 1
        native = ld64(native + 24)
    return 0


def _write_window(row: int, address: int, out: int) -> None:
    start = ld64(row)
    size = ld64(row + 8)
    stride = ld64(row + 16)
    low = start
    if stride:
        low = start + (address - start) // stride * stride
        size = start + size - low
        if ld64(row + 24) < size:
            size = ld64(row + 24)
    st64(out, low)
    st64(out + 8, size)
    st64(out + 16, ld64(row + 32))


FAR = 1 << 16
"""From this distance on, in bytes, the nearest region explains nothing."""


def gap(region: Region, address: int) -> int:
    """How far the address lies from the region's bytes; 0 inside."""
    if address < region.address:
        return region.address - address
    return max(0, address - region.end + 1)
