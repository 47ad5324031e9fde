"""Native memory, bit for bit the same compiled and not: loads and stores by address, and owned buffers.

Compiled modules take the C versions from ``raw.pxd``; these are the uncompiled ones.  Nothing is checked
here: whoever calls has made sure that the address is one of ours.  Byte order is the machine's.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Any

_Pair = Callable[[int, int], int]
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


# Words that other threads change at the same time.  Uncompiled a lock makes each operation one step for other Python
# code, though not for native code that runs beside it.


def load64(address: int) -> int:
    """An acquire load: what was stored before the word is seen after it."""
    return ld64(address)


def load32(address: int) -> int:
    """The same of four bytes."""
    return ld32(address)


def store64(address: int, value: int) -> None:
    """A release store: whoever sees the word sees what was stored before."""
    st64(address, value)


def store32(address: int, value: int) -> None:
    """The same of four bytes."""
    st32(address, value)


_one_step = Lock()  # the interpreter lock may go to another thread between a load and the store behind it


def _fetched(load: Callable[[int], int], store: Callable[[int, int], None], step: _Pair) -> _Pair:
    def fetch(address: int, value: int) -> int:
        with _one_step:
            old = load(address)
            store(address, step(old, value))
        return old

    return fetch


add64 = _fetched(ld64, st64, lambda a, b: a + b & 0xFFFFFFFFFFFFFFFF)
or64 = _fetched(ld64, st64, lambda a, b: a | b)
and64 = _fetched(ld64, st64, lambda a, b: a & b)
xor64 = _fetched(ld64, st64, lambda a, b: a ^ b)
xchg64 = _fetched(ld64, st64, lambda a, b: b)
add32 = _fetched(ld32, st32, lambda a, b: a + b & 0xFFFFFFFF)
or32 = _fetched(ld32, st32, lambda a, b: a | b)
and32 = _fetched(ld32, st32, lambda a, b: a & b)
xor32 = _fetched(ld32, st32, lambda a, b: a ^ b)
xchg32 = _fetched(ld32, st32, lambda a, b: b)


def cas64(address: int, expected: int, value: int) -> int:
    """Compare and exchange; returns what was there, which is ``expected`` when the value was stored."""
    with _one_step:
        old = ld64(address)
        if old == expected:
            st64(address, value)
    return old


def cas32(address: int, expected: int, value: int) -> int:
    """The same of four bytes."""
    with _one_step:
        old = ld32(address)
        if old == expected:
            st32(address, value)
    return old


def lock(address: int) -> None:
    """Take the spin lock in the u32 at ``address``: 0 is free, 1 is held."""
    while xchg32(address, 1):
        time.sleep(0)


def unlock(address: int) -> None:
    """Give it back."""
    store32(address, 0)


def fence() -> None:
    """Acquire and release: loads, and stores, before it in this thread come before those behind it."""


@cache
def _function(address: int, count: int) -> Any:
    return ctypes.CFUNCTYPE(ctypes.c_uint64, *[ctypes.c_uint64] * count)(address)


def call2(function: int, a: int, b: int) -> int:
    """Call the C function of two u64 at an address; its result is a u64.  ``call3`` to ``call7`` likewise."""
    return int(_function(function, 2)(a, b))


def call3(function: int, a: int, b: int, c: int) -> int:
    """Three arguments."""
    return int(_function(function, 3)(a, b, c))


def call4(function: int, a: int, b: int, c: int, d: int) -> int:
    """Four arguments."""
    return int(_function(function, 4)(a, b, c, d))


def call5(function: int, a: int, b: int, c: int, d: int, e: int) -> int:
    """Five arguments."""
    return int(_function(function, 5)(a, b, c, d, e))


def call6(function: int, a: int, b: int, c: int, d: int, e: int, f: int) -> int:
    """Six arguments."""
    return int(_function(function, 6)(a, b, c, d, e, f))


def call7(function: int, a: int, b: int, c: int, d: int, e: int, f: int, g: int) -> int:
    """Seven arguments."""
    return int(_function(function, 7)(a, b, c, d, e, f, g))


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
