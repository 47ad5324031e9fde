"""The elements of a hash map: how many may be in use, and which are free.  Several threads take and give at once.

An element begins with a header of 16 bytes: the address of the next in its bucket, its hash (u32) and its number
(u32).  The hash of an element in the table has LIVE set.  A free element has the number of the next free one there
instead (plus one, 0 at the end), which is never LIVE: whoever still looks at the element knows by that.
"""

from __future__ import annotations

from osmia.maps.slab import Slab
from osmia.raw import Buffer

try:
    import cython
except ImportError:
    from osmia._cy import cython
if not cython.compiled:
    from osmia.raw import add64, cas64, ld32, ld64, load32, load64, st32, st64, store32

    # words of a pool; those that change stand in cache lines of their own
    FREE, USED, COUNT, ELEMENTS, STRIDE, CAPACITY, LIMIT, POOL_SIZE = 0, 64, 128, 192, 200, 208, 216, 224
    HASH, NUMBER, HEADER, LIVE = 8, 12, 16, 1 << 31


class Pool:
    """``capacity`` elements of ``stride`` bytes, ``limit`` of them in use at most; functions take its ``address``."""

    def __init__(self, capacity: int, stride: int, limit: int) -> None:
        self._slab = Slab(stride * capacity)
        self._words = Buffer(POOL_SIZE + 64)
        self.elements = self._slab.address
        self.address = (self._words.address + 63) // 64 * 64
        st64(self.address + ELEMENTS, self.elements)
        st64(self.address + STRIDE, stride)
        st64(self.address + CAPACITY, capacity)
        st64(self.address + LIMIT, limit)

    def count(self) -> int:
        """Elements in use."""
        return load64(self.address + COUNT)


def element_at(pool: int, number: int) -> int:
    """The address of an element."""
    return ld64(pool + ELEMENTS) + number * ld64(pool + STRIDE)


def reserve(pool: int) -> bool:
    """One more in use, unless the limit is reached: whoever reserved finds an element, at the latest after a while."""
    count = load64(pool + COUNT)
    while count < ld64(pool + LIMIT):
        seen = cas64(pool + COUNT, count, count + 1)
        if seen == count:
            return True
        count = seen
    return False


def take(pool: int) -> int:
    """A free element: the one that was given back last, or else one never used; 0 when there is none."""
    M32 = 0xFFFFFFFF
    M64 = 0xFFFFFFFFFFFFFFFF
    head = load64(pool + FREE)
    while head & M32:
        element = element_at(pool, (head & M32) - 1)
        # the upper half counts, so that a list that came back to the same head is not taken for the old one
        seen = cas64(pool + FREE, head, (((head >> 32) + 1) << 32 | load32(element + HASH)) & M64)
        if seen == head:
            return element
        head = seen
    return unused(pool)


def unused(pool: int) -> int:
    """An element never used so far, or 0."""
    number = load64(pool + USED)
    while number < ld64(pool + CAPACITY):
        seen = cas64(pool + USED, number, number + 1)
        if seen == number:
            element = element_at(pool, number)
            st32(element + NUMBER, number)
            return element
        number = seen
    return 0


def give(pool: int, element: int) -> None:
    """An element that no bucket leads to any more is free."""
    M32 = 0xFFFFFFFF
    M64 = 0xFFFFFFFFFFFFFFFF
    number = ld32(element + NUMBER) + 1
    head = load64(pool + FREE)
    while True:
        store32(element + HASH, head & M32)
        seen = cas64(pool + FREE, head, (((head >> 32) + 1) << 32 | number) & M64)
        if seen == head:
            return
        head = seen


def release(pool: int) -> None:
    """One less in use."""
    M64 = 0xFFFFFFFFFFFFFFFF
    add64(pool + COUNT, M64)
