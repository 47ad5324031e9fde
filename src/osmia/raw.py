"""Native memory, bit for bit the same compiled and not: loads and stores by address, and owned buffers.

Compiled modules take the C versions from ``raw.pxd``; these are the uncompiled ones.  Nothing is checked
here: whoever calls has made sure that the address is one of ours.  Byte order is the machine's.
"""

from __future__ import annotations

import ctypes

_U8, _U16, _U32, _U64 = ctypes.c_uint8, ctypes.c_uint16, ctypes.c_uint32, ctypes.c_uint64


def ld8(address: int) -> int:
    """One byte."""
    return _U8.from_address(address).value


def ld16(address: int) -> int:
    """Two bytes, unsigned."""
    return _U16.from_address(address).value


def ld32(address: int) -> int:
    """Four bytes, unsigned."""
    return _U32.from_address(address).value


def ld64(address: int) -> int:
    """Eight bytes, unsigned."""
    return _U64.from_address(address).value


def st8(address: int, value: int) -> None:
    """Store the low byte."""
    _U8.from_address(address).value = value


def st16(address: int, value: int) -> None:
    """Store the low two bytes."""
    _U16.from_address(address).value = value


def st32(address: int, value: int) -> None:
    """Store the low four bytes."""
    _U32.from_address(address).value = value


def st64(address: int, value: int) -> None:
    """Store eight bytes."""
    _U64.from_address(address).value = value


def copy(dst: int, src: int, size: int) -> None:
    """memmove."""
    ctypes.memmove(dst, src, size)


def fill(dst: int, byte: int, size: int) -> None:
    """memset."""
    ctypes.memset(dst, byte, size)


def read(address: int, size: int) -> bytes:
    """The bytes at an address."""
    return ctypes.string_at(address, size)


def write(address: int, data: bytes) -> None:
    """Put bytes at an address."""
    ctypes.memmove(address, data, len(data))


class Buffer:
    """Owned, zeroed native memory, 16-byte aligned, at a fixed ``address`` for as long as the object lives."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._room = ctypes.create_string_buffer(size + 16)
        self.address = (ctypes.addressof(self._room) + 15) & ~15

    @classmethod
    def of(cls, data: bytes) -> Buffer:
        """A buffer that starts as a copy of ``data``."""
        made = cls(len(data))
        write(made.address, data)
        return made

    def __bytes__(self) -> bytes:
        return read(self.address, self.size)

    def __len__(self) -> int:
        return self.size

    def __repr__(self) -> str:
        return f"Buffer({self.size} bytes at {self.address:#x})"
