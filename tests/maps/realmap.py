"""Maps of the running kernel through bpf(2), with errnos as plain results; for tests that compare."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from pathlib import Path

from osmia.kernel.uapi import MAP_TYPE

NR = {"x86_64": 321, "aarch64": 280}.get(platform.machine(), 321)
_libc = ctypes.CDLL(None, use_errno=True)
CREATE, LOOKUP, UPDATE, DELETE, NEXT, PROG_LOAD = 0, 1, 2, 3, 4, 5
TAKE, FREEZE, LOOKUP_BATCH, TAKE_BATCH, UPDATE_BATCH, DELETE_BATCH = 21, 22, 24, 25, 26, 27


def bpf(cmd: int, attr: bytes) -> int:
    """The system call: its result, or a negative errno."""
    room = ctypes.create_string_buffer(attr, max(len(attr), 144))
    got = _libc.syscall(NR, cmd, room, len(attr))
    bpf.attr = room.raw
    return got if got >= 0 else -ctypes.get_errno()


def possible_cpus() -> int:
    last = Path("/sys/devices/system/cpu/possible").read_text().strip().split(",")[-1]
    return int(last.split("-")[-1]) + 1


def create(spec, inner_fd: int = 0, btf_fd: int = 0) -> int:
    """A file descriptor, or a negative errno."""
    attr = struct.pack(
        "<IIIIIII16sIIIIIQ",
        MAP_TYPE[spec.type],
        spec.key_size,
        spec.value_size,
        spec.max_entries,
        spec.flags,
        inner_fd,
        spec.numa_node or 0,
        spec.name.encode()[:15],
        0,
        btf_fd,
        spec.btf_key_type_id,
        spec.btf_value_type_id,
        0,
        spec.map_extra,
    )
    return bpf(CREATE, attr)


def unavailable() -> str | None:
    """Why the kernel can't be asked here, or None."""
    from osmia.obj.model import MapSpec

    fd = create(MapSpec("probe", "array", 4, 8, 1))
    if fd < 0:
        return f"bpf(2) answers {os.strerror(-fd)}"
    os.close(fd)
    return None


class RealMap:
    """One kernel map; every operation gives bytes, 0 or a negative errno."""

    def __init__(self, spec, fd: int) -> None:
        self.fd, self.key_size = fd, spec.key_size
        per_cpu = "percpu" in spec.type
        self.value_size = (spec.value_size + 7 & ~7) * possible_cpus() if per_cpu else spec.value_size

    def close(self) -> None:
        os.close(self.fd)

    def _elem(self, cmd: int, key: bytes | None, value, flags: int = 0) -> int:
        k = ctypes.create_string_buffer(key, len(key)) if key is not None else None
        attr = struct.pack(
            "<IIQQQ", self.fd, 0, ctypes.addressof(k) if k else 0, ctypes.addressof(value) if value else 0, flags
        )
        return bpf(cmd, attr)

    def lookup(self, key, flags: int = 0, value: bytes = b""):
        room = ctypes.create_string_buffer(value, max(self.value_size, 1))
        got = self._elem(LOOKUP, key, room, flags)
        return got if got < 0 else room.raw[: self.value_size]

    def update(self, key, value: bytes, flags: int = 0) -> int:
        return self._elem(UPDATE, key, ctypes.create_string_buffer(value, max(len(value), 1)), flags)

    def delete(self, key) -> int:
        return self._elem(DELETE, key, None)

    def next_key(self, key):
        room = ctypes.create_string_buffer(max(self.key_size, 1))
        got = self._elem(NEXT, key, room)
        return got if got < 0 else room.raw[: self.key_size]

    def take(self, key, flags: int = 0):
        room = ctypes.create_string_buffer(max(self.value_size, 1))
        got = self._elem(TAKE, key, room, flags)
        return got if got < 0 else room.raw[: self.value_size]

    def freeze(self) -> int:
        return bpf(FREEZE, struct.pack("<I", self.fd))


def batch(cmd: int, fd: int, keys: bytes, values: bytes, count: int, position: bytes | None = None, flags: int = 0):
    """``(errno, count, keys, values, next position)`` of a batch command."""
    rooms = [ctypes.create_string_buffer(b, max(len(b), 1)) for b in (keys, values, position or b"\0" * 8, b"\0" * 8)]
    k, v, _, out = rooms
    at = [ctypes.addressof(r) for r in rooms]
    attr = struct.pack("<QQQQIIQQ", at[2] if position is not None else 0, at[3], at[0], at[1], count, fd, flags, 0)
    got = bpf(cmd, attr)
    return -min(got, 0), struct.unpack_from("<I", bpf.attr, 32)[0], k.raw, v.raw, out.raw
