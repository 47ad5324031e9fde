"""Walks over maps whose callbacks must be let into the key's memory (else ``fast_control``: arraymap.c, hashtab.c).

Tail calls are the machine's own.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from osmia.errors import Fault, VmError
from osmia.helpers.access import cpu_of
from osmia.helpers.registry import helper, raw_helper
from osmia.maps.base import Map
from osmia.maps.handle import CURSOR, CURSOR_SIZE
from osmia.memory import Region
from osmia.raw import Buffer, copy, ld64

if TYPE_CHECKING:
    from osmia.vm.env import Env

WALKABLE = ("array", "percpu_array", "hash", "percpu_hash", "lru_hash", "lru_percpu_hash")


@raw_helper("bpf_tail_call")
def tail_call(env: Env, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
    """Machines run tail calls as an instruction of their own and never come here."""
    raise VmError("a tail call needs a machine that knows it")


@helper("bpf_for_each_map_elem")
def for_each_map_elem(env: Env, m: Map, callback: int, ctx: int, flags: int) -> int:
    """Call back with map, key, value and ``ctx`` for every element until it answers non-zero; how many were seen.

    The key is a copy whose memory the callback may read.
    """
    if flags:
        return -errno.EINVAL
    if m.type not in WALKABLE:
        raise Fault(f"map {m.name} of type {m.type} has no elements to walk over")
    room = Buffer(int(m.key_size))
    region = env.memory.add(Region(f"key of map {m.name}", room.address, room.size, False, "map key", owner=room))
    try:
        return _walk(env, m, callback, ctx, room)
    finally:
        env.memory.remove(region)


def _walk(env: Env, m: Map, callback: int, ctx: int, room: Buffer) -> int:
    seen = 0
    cursor = Buffer(CURSOR_SIZE)
    key, value = (cursor.address + 8 * CURSOR.index(name) for name in ("key", "value"))
    while m.each(cursor.address, cpu_of(env)):
        if not ld64(value):
            continue
        copy(room.address, ld64(key), room.size)
        seen += 1
        if env.call(callback, m.address, room.address, ld64(value), ctx):
            break
    return seen
