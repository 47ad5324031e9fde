"""Map operations of maps whose handle has no native function for them (else ``fast_maps``): families in plain Python.

What the program may touch has been checked before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from osmia.errors import Fault
from osmia.helpers.access import cpu_of
from osmia.helpers.registry import helper
from osmia.kernel.uapi import MAP_FLAGS
from osmia.maps.base import Map

if TYPE_CHECKING:
    from osmia.vm.env import Env

RDONLY_PROG = MAP_FLAGS["rdonly_prog"]


def may_write(m: Map) -> None:
    """Fault for a map that programs may not change; the verifier refuses such programs."""
    if m.flags & RDONLY_PROG:
        raise Fault(f"map {m.name} is read-only for programs")


@helper("bpf_map_lookup_elem")
def lookup_elem(env: Env, m: Map, key: int) -> int:
    """Address of the value, of an inner map, or 0."""
    return m.lookup(key, cpu_of(env))


@helper("bpf_map_update_elem")
def update_elem(env: Env, m: Map, key: int, value: int, flags: int) -> int:
    """Copy the value in; 0 or an errno."""
    may_write(m)
    return m.update(key, value, flags, cpu_of(env))


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
