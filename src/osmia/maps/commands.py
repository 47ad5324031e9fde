"""The map commands of bpf(2), with the kernel's checks in the kernel's order (kernel/bpf/syscall.c, Linux 6.18).

Keys and values are bytes, per-CPU values all CPUs' one after the other.  Every function raises ``MapError`` with the
kernel's errno.  Maps whose values are objects (programs, maps) take and give their ids here; see ``maps.face``.
Threads take turns on one map here, for its commands share buffers; programs don't wait for that.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from osmia.errors import MapError
from osmia.kernel.uapi import BPF_F_LOCK, MAP_FLAGS
from osmia.raw import write

if TYPE_CHECKING:
    from osmia.maps.base import Map

EINVAL, EPERM, ENOENT, EBUSY, EFAULT = errno.EINVAL, errno.EPERM, errno.ENOENT, errno.EBUSY, errno.EFAULT
ENOTSUPP = 524
QUEUES = ("queue", "stack")
TAKING = ("hash", "percpu_hash", "lru_hash", "lru_percpu_hash", "hash_of_maps")


P = ParamSpec("P")
R = TypeVar("R")


def alone(command: Callable[Concatenate[Map, P], R]) -> Callable[Concatenate[Map, P], R]:
    """One thread at a time in the commands of one map."""

    @wraps(command)
    def call(m: Map, /, *args: P.args, **named: P.kwargs) -> R:
        with m.guard:
            return command(m, *args, **named)

    return call


def fail(m: Map, bad: int, what: str) -> MapError:
    """The exception for a negative errno."""
    return MapError(-bad, f"{what} of map {m.name}")


def _readable(m: Map, what: str) -> None:
    if m.flags & MAP_FLAGS["wronly"]:
        raise fail(m, -EPERM, what)


def _writable(m: Map, what: str) -> None:
    if m.flags & MAP_FLAGS["rdonly"] or m.frozen:
        raise fail(m, -EPERM, what)


def _lock_ok(m: Map, flags: int, what: str) -> None:
    if flags & BPF_F_LOCK and m.lock_offset < 0:
        raise fail(m, -EINVAL, what)


def _key(m: Map, key: bytes | None, what: str) -> int:
    """Address of a copy of the key; maps without keys want None."""
    if m.key_size == 0:
        if key:
            raise fail(m, -EINVAL, what)
        return 0
    if key is None:
        raise fail(m, -EFAULT, what)
    if len(key) != m.key_size:
        raise MapError(EINVAL, f"{what} of map {m.name}: key has {len(key)} bytes, not {m.key_size}")
    write(m._key_in.address, key)
    return int(m._key_in.address)


def _value(m: Map, value: bytes, what: str) -> int:
    if len(value) != m.command_value_size:
        raise MapError(EINVAL, f"{what} of map {m.name}: value has {len(value)} bytes, not {m.command_value_size}")
    write(m._value_in.address, value)
    return int(m._value_in.address)


def _bytes(m: Map, found: bytes | int, what: str) -> bytes:
    if isinstance(found, int):
        raise fail(m, found, what)
    return found


@alone
def lookup_elem(m: Map, key: bytes | None, flags: int = 0, value: bytes | None = None) -> bytes:
    """BPF_MAP_LOOKUP_ELEM.  ``value`` is what a bloom filter is asked about."""
    what = "lookup"
    if flags & ~BPF_F_LOCK:
        raise fail(m, -EINVAL, what)
    _readable(m, what)
    _lock_ok(m, flags, what)
    address = _key(m, key, what)
    if m.type == "bloom_filter":
        asked = value or bytes(m.command_value_size)
        bad = m.peek(_value(m, asked, what))
        if bad:
            raise fail(m, bad, what)
        return asked
    return _bytes(m, m.copy_locked(address) if flags else m.copy_value(address), what)


@alone
def update_elem(m: Map, key: bytes | None, value: bytes, flags: int = 0) -> None:
    """BPF_MAP_UPDATE_ELEM; queues, stacks and bloom filters push."""
    what = "update"
    _writable(m, what)
    _lock_ok(m, flags, what)
    address = _key(m, key, what)
    bad = m.put_value(address, _value(m, value, what), flags)
    if bad:
        raise fail(m, bad, what)


@alone
def delete_elem(m: Map, key: bytes | None) -> None:
    """BPF_MAP_DELETE_ELEM."""
    what = "delete"
    _writable(m, what)
    bad = m.delete(_key(m, key, what))
    if bad:
        raise fail(m, bad, what)


@alone
def next_key(m: Map, key: bytes | None) -> bytes | None:
    """BPF_MAP_GET_NEXT_KEY: the key that follows, the first for None; None after the last."""
    what = "next key"
    _readable(m, what)
    bad = m.next_key(_key(m, key, what) if key is not None else 0, m._key_out.address)
    if bad == -ENOENT:
        return None
    if bad:
        raise fail(m, bad, what)
    return bytes(m._key_out)[: m.key_size]


@alone
def lookup_and_delete_elem(m: Map, key: bytes | None, flags: int = 0) -> bytes:
    """BPF_MAP_LOOKUP_AND_DELETE_ELEM."""
    what = "lookup and delete"
    if flags & ~BPF_F_LOCK:
        raise fail(m, -EINVAL, what)
    _readable(m, what)
    _writable(m, what)
    if flags and m.type in QUEUES:
        raise fail(m, -EINVAL, what)
    _lock_ok(m, flags, what)
    address = _key(m, key, what)
    if m.type not in (*QUEUES, *TAKING):
        raise fail(m, -ENOTSUPP, what)
    return _bytes(m, m.take_value(address, flags), what)


def freeze(m: Map) -> None:
    """BPF_MAP_FREEZE: from now on only programs write."""
    what = "freeze"
    if m.special:
        raise fail(m, -ENOTSUPP, what)
    _writable(m, what)
    m.frozen = True
