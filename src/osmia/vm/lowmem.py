"""Memory below 4 GiB: the u32 fields ``data`` and ``data_end`` of xdp_md and __sk_buff hold real pointers to it.

Pages come from mmap with MAP_FIXED_NOREPLACE, from ``FIRST`` upward; freed blocks are used again.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import weakref

from osmia.errors import Unavailable
from osmia.raw import fill, read

FIRST, LAST = 0x2000_0000, 0xF000_0000
PAGE = mmap.PAGESIZE  # arm64 kernels also come with 16 and 64 KiB
_MAP_FIXED_NOREPLACE = 0x100000
_MAP_FAILED = ctypes.c_void_p(-1).value
_KEEP = 64


class _Pages:
    """Where the next mapping goes, and the blocks that are free, by size."""

    def __init__(self) -> None:
        self.next = FIRST
        self.free: dict[int, list[int]] = {}
        libc = ctypes.CDLL(None, use_errno=True)
        self.mmap = libc.mmap
        self.mmap.restype = ctypes.c_void_p
        self.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
        self.munmap = libc.munmap
        self.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]

    def take(self, size: int) -> int:
        """The address of ``size`` zeroed bytes.  Raises Unavailable."""
        free = self.free.get(size)
        if free:
            address = free.pop()
            fill(address, 0, size)
            return address
        return self._map(size)

    def _map(self, size: int) -> int:
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_FIXED_NOREPLACE
        for turn in range(2):
            while self.next + size <= LAST:
                address, self.next = self.next, self.next + size
                got = self.mmap(address, size, mmap.PROT_READ | mmap.PROT_WRITE, flags, -1, 0)
                if got == address:
                    return address
                self._refused(got, size)
            self.next = FIRST
            if turn:
                break
        raise Unavailable(f"no room for {size} bytes of packet memory below 4 GiB")

    def _refused(self, got: int | None, size: int) -> None:
        if got != _MAP_FAILED:  # a kernel before 4.17 took the address for a hint
            self.munmap(got, size)
        elif ctypes.get_errno() != errno.EEXIST:
            raise Unavailable(f"no packet memory below 4 GiB: mmap says {errno.errorcode.get(ctypes.get_errno(), '?')}")
        else:
            self.next += 0x100_0000 - PAGE

    def give_back(self, address: int, size: int) -> None:
        """Keep the block for the next, or unmap it when enough are kept."""
        free = self.free.setdefault(size, [])
        if len(free) < _KEEP:
            free.append(address)
        else:
            self.munmap(address, size)


_pages: _Pages | None = None


def _allocator() -> _Pages:
    global _pages
    if _pages is None:
        _pages = _Pages()
    return _pages


class LowBuffer:
    """``size`` zeroed bytes at a fixed ``address`` below 4 GiB for as long as the object lives."""

    def __init__(self, size: int) -> None:
        self.size = (max(size, 1) + PAGE - 1) // PAGE * PAGE
        pages = _allocator()
        self.address = pages.take(self.size)
        weakref.finalize(self, pages.give_back, self.address, self.size)

    def __bytes__(self) -> bytes:
        return read(self.address, self.size)

    def __repr__(self) -> str:
        return f"LowBuffer({self.size} bytes at {self.address:#x})"
