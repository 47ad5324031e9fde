"""Map operations (kernel/bpf/helpers.c).  The maps themselves know the rules; here they meet registers.

Look-up and update are what programs call most: they take raw registers and are compiled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from osmia.errors import Fault
from osmia.helpers.registry import helper, raw_helper
from osmia.kernel.uapi import MAP_FLAGS
from osmia.maps.base import Map

if TYPE_CHECKING:
    from osmia.vm.env import Env

M64 = 0xFFFFFFFFFFFFFFFF
RDONLY_PROG = MAP_FLAGS["rdonly_prog"]


def may_write(m: Map) -> None:
    """Fault for a map that programs may not change; the verifier refuses such programs."""
    if m.flags & RDONLY_PROG:
        raise Fault(f"map {m.name} is read-only for programs")


def lookup_elem(env: Env, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
    """Address of the value, of an inner map, or 0."""
    memory = env.memory
    region = memory.find(r1)
    if region is None or region.kind != "map" or region.address != r1:
        env.map_at(r1)  # raises the Fault
    m: Map = region.owner  # type: ignore[union-attr, assignment]
    if not memory.check(r2, m.key_size, False):
        env.check(r2, m.key_size)
    return m.lookup(r2, env.host.cpu)


def update_elem(env: Env, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
    """Copy the value in; 0 or an errno."""
    memory = env.memory
    region = memory.find(r1)
    if region is None or region.kind != "map" or region.address != r1:
        env.map_at(r1)  # raises the Fault
    m: Map = region.owner  # type: ignore[union-attr, assignment]
    if not memory.check(r2, m.key_size, False):
        env.check(r2, m.key_size)
    if not memory.check(r3, m.value_size, False):
        env.check(r3, m.value_size)
    if m.flags & RDONLY_PROG:
        may_write(m)
    return m.update(r2, r3, r4, env.host.cpu) & M64


raw_helper("bpf_map_lookup_elem")(lookup_elem)
raw_helper("bpf_map_update_elem")(update_elem)


@helper("bpf_map_delete_elem")
def delete_elem(env: Env, m: Map, key: int) -> int:
    """Take an element out; 0 or an errno."""
    may_write(m)
    return m.delete(key)


@helper("bpf_map_push_elem")
def push_elem(env: Env, m: Map, value: int, flags: int) -> int:
    """Add to a queue, stack or bloom filter."""
    may_write(m)
    return m.push(value, flags)


@helper("bpf_map_pop_elem")
def pop_elem(env: Env, m: Map, value: int) -> int:
    """Take out of a queue or stack."""
    may_write(m)
    return m.pop(value)


@helper("bpf_map_peek_elem")
def peek_elem(env: Env, m: Map, value: int) -> int:
    """Look at the next of a queue or stack; ask a bloom filter."""
    return m.peek(value)


@helper("bpf_map_lookup_percpu_elem")
def lookup_percpu_elem(env: Env, m: Map, key: int, cpu: int) -> int:
    """The value of another CPU, or 0."""
    return m.lookup(key, cpu) if cpu < m.cpus else 0
