"""Native memory for map contents: one zeroed block at a fixed address, pages taken only when touched.

Small blocks are ``raw.Buffer``; larger ones are anonymous mappings, so that a map of a million entries costs
what its entries use and not what it could hold.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import sys
from collections.abc import Iterator

from osmia.errors import MapError
from osmia.raw import Buffer, read

_LINUX_NORESERVE = 0x4000 if sys.platform == "linux" else 0  # the mmap module names it from 3.13 on

LARGE = 1 << 16
"""Bytes from which a block is mapped instead of allocated."""
PAGE = 4096


class Slab:
    """``size`` zeroed bytes at ``address`` for as long as the object lives.  Raises MapError ENOMEM."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._owner: Buffer | mmap.mmap
        if size < LARGE:
            self._owner = buffer = Buffer(max(size, 1))
            self.address = buffer.address
        else:
            self._owner = pages = _reserve(size)
            self._view = ctypes.c_char.from_buffer(pages)  # keeps the mapping from moving or closing
            self.address = ctypes.addressof(self._view)

    def __repr__(self) -> str:
        return f"Slab({self.size} bytes at {self.address:#x})"


def _reserve(size: int) -> mmap.mmap:
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", _LINUX_NORESERVE)
    try:
        return mmap.mmap(-1, size, flags=flags)
    except (OSError, ValueError, OverflowError):
        raise MapError(errno.ENOMEM, f"no memory for {size} bytes of map contents") from None


def filled(table: int, count: int) -> Iterator[int]:
    """Numbers of the rows of 16 bytes whose first word is not zero; pages that nothing was written to are skipped."""
    for at in range(0, 16 * count, PAGE):
        page = read(table + at, min(PAGE, 16 * count - at))
        if page.count(0) < len(page):
            words = memoryview(page).cast("Q")[::2]
            yield from (at // 16 + i for i, word in enumerate(words) if word)
