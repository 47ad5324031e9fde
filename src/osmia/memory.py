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
    from osmia.raw import ld64, st64

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
    """A set of regions.  Looking one up is a binary search over a native table of start addresses."""

    def __init__(self, parent: Memory | None = None) -> None:
        self.parent = parent
        self.version = 0
        """Counts the changes here; ``stamp`` counts the parents' as well."""
        self._regions: list[Region] = []
        self._starts = Buffer(8 * 16)
        self._table = self._starts.address
        self._count = 0

    def __iter__(self) -> Iterator[Region]:
        return iter(tuple(self._regions))

    def __len__(self) -> int:
        return self._count

    def stamp(self) -> int:
        """Changes whenever a region here or in a parent is added or removed."""
        return self.version + (0 if self.parent is None else self.parent.stamp())

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
        """Write the table of start addresses anew from position ``first``."""
        self._count = len(self._regions)
        if self._count * 8 > self._starts.size:
            self._starts = Buffer(self._count * 16)
            self._table = self._starts.address
            first = 0
        for at in range(first, self._count):
            region = self._regions[at]
            st64(self._table + 8 * at, region.address)
        self.version += 1

    def _index(self, address: int) -> int:
        """How many regions start at or before the address."""
        low = 0
        high = self._count
        while low < high:
            middle = (low + high) >> 1
            if ld64(self._table + 8 * middle) <= address:
                low = middle + 1
            else:
                high = middle
        return low

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


FAR = 1 << 16
"""From this distance on, in bytes, the nearest region explains nothing."""


def gap(region: Region, address: int) -> int:
    """How far the address lies from the region's bytes; 0 inside."""
    if address < region.address:
        return region.address - address
    return max(0, address - region.end + 1)
