"""The batch commands of bpf(2) (kernel/bpf/syscall.c: generic_map_*_batch; hashtab.c: htab_*_batch; Linux 6.18).

Each returns what was done and the errno that ended it, for both are news: the kernel reports a count with every error.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING

from osmia.errors import MapError
from osmia.kernel.uapi import BPF_F_LOCK
from osmia.maps import commands

if TYPE_CHECKING:
    from osmia.maps.base import Map

EINVAL, ENOENT = errno.EINVAL, errno.ENOENT
ENOTSUPP = 524
HASHES = ("hash", "percpu_hash", "lru_hash", "lru_percpu_hash")
GENERIC_LOOKUP = ("array", "percpu_array", "lpm_trie", "array_of_maps")
GENERIC_UPDATE = (*HASHES, "array", "percpu_array", "lpm_trie", "array_of_maps")
GENERIC_DELETE = (*HASHES, "lpm_trie")


@dataclass(frozen=True, slots=True)
class Batch:
    """What a batch command did: elements, where to go on (None at the end), and the errno (positive) or 0."""

    elements: list[tuple[bytes, bytes]]
    position: bytes | None
    errno: int

    @property
    def count(self) -> int:
        """Elements done."""
        return len(self.elements)


def _start(m: Map, known: tuple[str, ...], flags: int, what: str) -> None:
    if m.type not in known:
        raise commands.fail(m, -ENOTSUPP, what)
    if flags & ~BPF_F_LOCK or (flags & BPF_F_LOCK and m.lock_offset < 0):
        raise commands.fail(m, -EINVAL, what)


def update_batch(m: Map, elements: list[tuple[bytes, bytes]], flags: int = 0) -> Batch:
    """BPF_MAP_UPDATE_BATCH: stops at the first that fails."""
    commands._writable(m, "update batch")
    _start(m, GENERIC_UPDATE, flags, "update batch")
    done: list[tuple[bytes, bytes]] = []
    for key, value in elements:
        try:
            commands.update_elem(m, key, value, flags)
        except MapError as e:
            return Batch(done, None, e.errno)
        done.append((key, value))
    return Batch(done, None, 0)


def delete_batch(m: Map, keys: list[bytes], flags: int = 0) -> Batch:
    """BPF_MAP_DELETE_BATCH: stops at the first that fails."""
    commands._writable(m, "delete batch")
    _start(m, GENERIC_DELETE, flags, "delete batch")
    done: list[tuple[bytes, bytes]] = []
    for key in keys:
        try:
            commands.delete_elem(m, key)
        except MapError as e:
            return Batch(done, None, e.errno)
        done.append((key, b""))
    return Batch(done, None, 0)


def lookup_batch(m: Map, count: int, position: bytes | None = None, flags: int = 0) -> Batch:
    """BPF_MAP_LOOKUP_BATCH: up to ``count`` elements from ``position`` on; ENOENT says that these were the last.

    Positions are keys, as the kernel's are for arrays and tries.  For hash maps the kernel hands out whole buckets,
    and ENOSPC when one does not fit; ours have no such limit.
    """
    commands._readable(m, "lookup batch")
    _start(m, (*HASHES, *GENERIC_LOOKUP), flags, "lookup batch")
    done: list[tuple[bytes, bytes]] = []
    here = position
    while len(done) < count:
        after = commands.next_key(m, here)
        if after is None:
            return Batch(done, here, ENOENT)
        here = after
        value = m.copy_value(commands._key(m, here, "lookup batch"))
        if not isinstance(value, int):
            done.append((here, value))
    return Batch(done, here, 0)


def take_batch(m: Map, count: int, flags: int = 0) -> Batch:
    """BPF_MAP_LOOKUP_AND_DELETE_BATCH, hash maps only: up to ``count`` elements, and they are gone."""
    commands._writable(m, "lookup and delete batch")
    _start(m, HASHES, flags, "lookup and delete batch")
    commands._readable(m, "lookup and delete batch")
    done: list[tuple[bytes, bytes]] = []
    for key in m.raw_keys():
        if len(done) == count:
            return Batch(done, done[-1][0] if done else None, 0)
        done += _taken(m, key, flags)
    return Batch(done, None, 0 if len(done) == count else ENOENT)


def _taken(m: Map, key: bytes, flags: int) -> list[tuple[bytes, bytes]]:
    """Key and value of an element that is out of the map now; none when a program was faster."""
    try:
        return [(key, commands.lookup_and_delete_elem(m, key, flags))]
    except MapError as e:
        if e.errno != ENOENT:
            raise
        return []
