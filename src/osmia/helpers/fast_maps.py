"""Native bodies: map operations (kernel/bpf/helpers.c), through the functions in the map's handle.

A map whose handle has none, because its family is Python or nothing is compiled, is left to ``maps``.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.kernel.helpers import helper_by_name
from osmia.kernel.uapi import MAP_FLAGS

if not cython.compiled:
    from osmia.helpers.fallback import is_map, no_map, python_body, readonly_map
    from osmia.maps.handle import WORD
    from osmia.raw import call5, ld64
    from osmia.vm.run import may, refuse
    from osmia.vm.runwords import R_CHECKED, R_CPU

    H_OBJECT, H_LOOKUP, H_UPDATE, H_DELETE, H_PUSH, H_POP, H_PEEK, H_FLAGS, H_KEY_SIZE, H_VALUE_SIZE, H_COPIES = (
        WORD[name]
        for name in (
            *("object", "lookup", "update", "delete", "push", "pop", "peek", "flags"),
            *("key_size", "value_size", "copies"),
        )
    )

M32 = 0xFFFFFFFF
RDONLY_PROG = MAP_FLAGS["rdonly_prog"]
LOOKUP, UPDATE, DELETE, PUSH, POP, PEEK, LOOKUP_PERCPU = (
    helper_by_name(f"bpf_map_{name}_elem").id
    for name in ("lookup", "update", "delete", "push", "pop", "peek", "lookup_percpu")
)


def admits(run: int, handle: int, key: int) -> int:
    """Is it a map, and may its key be read?  1, or 0 with the fault noted."""
    if is_map(run, handle) == 0:
        return no_map(run, handle)
    if may(run, key, ld64(handle + H_KEY_SIZE), 0) == 0:
        return refuse(run, key, ld64(handle + H_KEY_SIZE), 0)
    return 1


def admits_value(run: int, handle: int, value: int, write: int) -> int:
    """Is it a map, and may its value be read (or written)?  1, or 0 with the fault noted."""
    if is_map(run, handle) == 0:
        return no_map(run, handle)
    if may(run, value, ld64(handle + H_VALUE_SIZE), write) == 0:
        return refuse(run, value, ld64(handle + H_VALUE_SIZE), write)
    return 1


def changes(run: int, handle: int) -> int:
    """May programs change the map?  1, or 0 with the fault noted."""
    return readonly_map(run, handle) if ld64(handle + H_FLAGS) & RDONLY_PROG else 1


def admits_update(run: int, handle: int, key: int, value: int) -> int:
    """Is it a map that may be changed, and may key and value be read?  1, or 0 with the fault noted."""
    if admits(run, handle, key) == 0 or admits_value(run, handle, value, 0) == 0:
        return 0
    return changes(run, handle)


def map_lookup_elem(run: int, handle: int, key: int, r3: int, r4: int, r5: int) -> int:
    """Address of the value, of an inner map, or 0."""
    if ld64(run + R_CHECKED) and admits(run, handle, key) == 0:
        return 0
    find = ld64(handle + H_LOOKUP)
    if find == 0:
        return python_body(run, LOOKUP, handle, key, r3, r4, r5)
    return call5(find, ld64(handle + H_OBJECT), key, ld64(run + R_CPU), 0, 0)


def map_update_elem(run: int, handle: int, key: int, value: int, flags: int, r5: int) -> int:
    """Copy the value in; 0 or an errno."""
    if ld64(run + R_CHECKED) and admits_update(run, handle, key, value) == 0:
        return 0
    put = ld64(handle + H_UPDATE)
    if put == 0:
        return python_body(run, UPDATE, handle, key, value, flags, r5)
    return call5(put, ld64(handle + H_OBJECT), key, value, flags, ld64(run + R_CPU))


def map_delete_elem(run: int, handle: int, key: int, r3: int, r4: int, r5: int) -> int:
    """Take an element out; 0 or an errno."""
    if ld64(run + R_CHECKED) and (admits(run, handle, key) == 0 or changes(run, handle) == 0):
        return 0
    drop = ld64(handle + H_DELETE)
    if drop == 0:
        return python_body(run, DELETE, handle, key, r3, r4, r5)
    return call5(drop, ld64(handle + H_OBJECT), key, 0, 0, 0)


def map_push_elem(run: int, handle: int, value: int, flags: int, r4: int, r5: int) -> int:
    """Add to a queue, stack or bloom filter."""
    if ld64(run + R_CHECKED) and (admits_value(run, handle, value, 0) == 0 or changes(run, handle) == 0):
        return 0
    push = ld64(handle + H_PUSH)
    if push == 0:
        return python_body(run, PUSH, handle, value, flags, r4, r5)
    return call5(push, ld64(handle + H_OBJECT), value, flags, 0, 0)


def map_pop_elem(run: int, handle: int, value: int, r3: int, r4: int, r5: int) -> int:
    """Take out of a queue or stack."""
    if ld64(run + R_CHECKED) and (admits_value(run, handle, value, 1) == 0 or changes(run, handle) == 0):
        return 0
    pop = ld64(handle + H_POP)
    if pop == 0:
        return python_body(run, POP, handle, value, r3, r4, r5)
    return call5(pop, ld64(handle + H_OBJECT), value, 0, 0, 0)


def map_peek_elem(run: int, handle: int, value: int, r3: int, r4: int, r5: int) -> int:
    """Look at the next of a queue or stack; ask a bloom filter."""
    if ld64(run + R_CHECKED) and admits_value(run, handle, value, 1) == 0:
        return 0
    peek = ld64(handle + H_PEEK)
    if peek == 0:
        return python_body(run, PEEK, handle, value, r3, r4, r5)
    return call5(peek, ld64(handle + H_OBJECT), value, 0, 0, 0)


def map_lookup_percpu_elem(run: int, handle: int, key: int, cpu: int, r4: int, r5: int) -> int:
    """The value of another CPU, or 0."""
    if ld64(run + R_CHECKED) and admits(run, handle, key) == 0:
        return 0
    find = ld64(handle + H_LOOKUP)
    if find == 0 or (cpu & M32) >= ld64(handle + H_COPIES):
        return python_body(run, LOOKUP_PERCPU, handle, key, cpu, r4, r5)
    return call5(find, ld64(handle + H_OBJECT), key, cpu & M32, 0, 0)
