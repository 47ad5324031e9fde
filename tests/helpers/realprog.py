"""Programs on the running kernel, for tests that compare: load, BPF_PROG_TEST_RUN; errnos as plain results."""

from __future__ import annotations

import ctypes
import os
import struct

from maps import realmap
from maps.realmap import bpf

from osmia.isa.insn import encode
from osmia.kernel.uapi import PROG_TYPE
from osmia.obj.model import MapSpec

PROG_LOAD, TEST_RUN = 5, 10


def load(insns, prog_type: str = "socket_filter", attach: int = 0, log: bool = False, btf=(0, b"", b"")) -> int:
    """A file descriptor, or a negative errno (the log is in ``load.log``)."""
    code = ctypes.create_string_buffer(encode(insns))
    license_ = ctypes.create_string_buffer(b"GPL")
    room = ctypes.create_string_buffer(1 << 18) if log else None
    attr = struct.pack(
        "<IIQQIIQII16sII",
        PROG_TYPE[prog_type],
        len(insns),
        ctypes.addressof(code),
        ctypes.addressof(license_),
        1 if log else 0,
        len(room) if room is not None else 0,
        ctypes.addressof(room) if room is not None else 0,
        0,
        0,
        b"t",
        0,
        attach,
    )
    got = bpf(PROG_LOAD, attr)
    load.log = room.value.decode() if room is not None else ""
    return got


def run(fd: int, data: bytes = b"\0" * 64, ctx: bytes = b"", data_size: int = 4096, repeat: int = 1):
    """``(errno, retval, data)``; errno 0 when it ran."""
    source = ctypes.create_string_buffer(data, max(len(data), 1))
    out = ctypes.create_string_buffer(data_size)
    context = ctypes.create_string_buffer(ctx, max(len(ctx), 1))
    attr = struct.pack(
        "<IIIIQQIIIIQQIII",
        fd,
        0,
        len(data),
        data_size if data else 0,
        ctypes.addressof(source) if data else 0,
        ctypes.addressof(out) if data else 0,
        repeat,
        0,
        len(ctx),
        0,
        ctypes.addressof(context) if ctx else 0,
        0,
        0,
        0,
        0,
    )
    got = bpf(TEST_RUN, attr)
    answer = struct.unpack_from("<IIII", bpf.attr)
    return -min(got, 0), answer[1], out.raw[: answer[3]]


class RealArray:
    """An array map with one element, its value readable and writable as bytes."""

    def __init__(self, value: bytes, flags: int = 0, freeze: bool = False) -> None:
        self.size = len(value)
        spec = MapSpec("m", "array", 4, self.size, 1, flags)
        self.fd = realmap.create(spec)
        assert self.fd >= 0, os.strerror(-self.fd)
        self.map = realmap.RealMap(spec, self.fd)
        self.value = value
        if freeze:
            assert self.map.freeze() == 0

    @property
    def value(self) -> bytes:
        return self.map.lookup(b"\0\0\0\0")

    @value.setter
    def value(self, value: bytes) -> None:
        assert self.map.update(b"\0\0\0\0", value) == 0

    def close(self) -> None:
        os.close(self.fd)
