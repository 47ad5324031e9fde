"""Less power: what bpf(2) says to a process that keeps only some capabilities.

Credentials can't be regained, so everything happens in a child process (credentials(7), capset(2)).
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import struct
from collections.abc import Callable, Iterable
from typing import Any

from osmia.errors import KernelError, Unavailable

CAPS = {"net_admin": 12, "sys_admin": 21, "perfmon": 38, "bpf": 39}
NOBODY = 65534
_PR_SET_KEEPCAPS = 8
_CAPSET = {"x86_64": 126, "aarch64": 91, "riscv64": 91, "s390x": 185, "ppc64le": 184, "loongarch64": 91}
_VERSION_3 = 0x20080522


def drop(caps: Iterable[str]) -> None:
    """Become another user with no capabilities but these, for good.  Raises KernelError, Unavailable."""
    libc = ctypes.CDLL(None, use_errno=True)
    number = _CAPSET.get(platform.machine())
    if number is None:
        raise Unavailable(f"no capset(2) known on {platform.machine()}")
    libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    mask = sum(1 << CAPS[cap] for cap in caps)
    low, high = mask & 0xFFFFFFFF, mask >> 32
    header = ctypes.create_string_buffer(struct.pack("=Ii", _VERSION_3, 0))
    sets = ctypes.create_string_buffer(struct.pack("=6I", low, low, 0, high, high, 0))
    if libc.syscall(ctypes.c_long(number), header, sets):
        raise KernelError("giving up capabilities", ctypes.get_errno())


def with_caps(caps: Iterable[str], work: Callable[[], Any]) -> Any:
    """What ``work`` returns (plain values, as JSON knows them) in a child with only these capabilities.

    Raises KernelError where the child could not do it.
    """
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        _in_child(write, caps, work)
    os.close(write)
    with os.fdopen(read) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    if not said:
        raise KernelError("working with fewer capabilities", 0)
    return json.loads(said)


def _in_child(write: int, caps: Iterable[str], work: Callable[[], Any]) -> None:
    try:
        drop(caps)
        with os.fdopen(write, "w") as pipe:
            json.dump(work(), pipe)
    finally:
        os._exit(0)
