"""Fewer capabilities for a moment: the running kernel as a loader without them sees it.

Only the effective set of this thread changes, so it can be put back; maps are made while it is whole.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from osmia.errors import Unavailable
from osmia.verifier.env import Powers

CAPS = {"net_admin": 12, "sys_admin": 21, "perfmon": 38, "bpf": 39}
VERSION_3 = 0x20080522


@contextmanager
def only(powers: Powers) -> Iterator[None]:
    """Hold just these of CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_SYS_ADMIN.  Raises Unavailable."""
    before = effective()
    wanted = before & ~sum(1 << bit for name, bit in CAPS.items() if not getattr(powers, name))
    if wanted == before:
        yield
        return
    set_effective(wanted)
    try:
        yield
    finally:
        set_effective(before)


def effective() -> int:
    """The effective capabilities of this thread, as a mask."""
    words = _call("capget", bytes(24))
    return int(words[0] | words[3] << 32)


def set_effective(mask: int) -> None:
    """Change them to a part of what is permitted.  Raises Unavailable."""
    words = list(_call("capget", bytes(24)))
    words[0], words[3] = mask & 0xFFFFFFFF, mask >> 32
    _call("capset", struct.pack("=6I", *words))


def _call(name: str, data: bytes) -> tuple[int, ...]:
    libc = ctypes.CDLL(None, use_errno=True)
    header = ctypes.create_string_buffer(struct.pack("=Ii", VERSION_3, 0), 8)
    room = ctypes.create_string_buffer(data, 24)
    if getattr(libc, name)(header, room) < 0:
        raise Unavailable(f"{name}: {os.strerror(ctypes.get_errno())}")
    return struct.unpack("=6I", room.raw)
