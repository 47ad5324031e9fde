"""Native bodies: ring buffers (kernel/bpf/ringbuf.c), over the functions of ``maps.ring``.

A checked run must be let into a record and out of it again: there ``ringbuf`` lists its memory while it is reserved.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.kernel.helpers import helper_by_name
from osmia.kernel.uapi import MAP_TYPE

if not cython.compiled:
    from osmia.helpers.fallback import is_map, no_map, python_body
    from osmia.maps.handle import WORD
    from osmia.maps.ring import commit, output, query, reserve
    from osmia.raw import ld64
    from osmia.vm.run import may, refuse
    from osmia.vm.runwords import R_CHECKED

    H_KIND, H_VALUES = WORD["kind"], WORD["values"]

M32, M64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
RINGBUF = MAP_TYPE["ringbuf"]
OUTPUT, RESERVE, SUBMIT, DISCARD, QUERY = (
    helper_by_name(f"bpf_ringbuf_{name}").id for name in ("output", "reserve", "submit", "discard", "query")
)


def ringbuf_output(run: int, handle: int, data: int, size: int, flags: int, r5: int) -> int:
    """Copy a record in; 0, -EINVAL or -EAGAIN."""
    if ld64(run + R_CHECKED):
        if is_map(run, handle) == 0:
            return no_map(run, handle)
        if may(run, data, size & M32, 0) == 0:
            return refuse(run, data, size & M32, 0)
        if ld64(handle + H_KIND) != RINGBUF:
            return python_body(run, OUTPUT, handle, data, size, flags, r5)
    return output(ld64(handle + H_VALUES), data, size, flags) & M64


def ringbuf_reserve(run: int, handle: int, size: int, flags: int, r4: int, r5: int) -> int:
    """Address of a record to fill in, or 0."""
    if ld64(run + R_CHECKED):
        return python_body(run, RESERVE, handle, size, flags, r4, r5)
    return 0 if flags else reserve(ld64(handle + H_VALUES), size)


def ringbuf_submit(run: int, sample: int, flags: int, r3: int, r4: int, r5: int) -> int:
    """Hand a record to the reader."""
    if ld64(run + R_CHECKED):
        return python_body(run, SUBMIT, sample, flags, r3, r4, r5)
    commit(sample, flags, 0)
    return 0


def ringbuf_discard(run: int, sample: int, flags: int, r3: int, r4: int, r5: int) -> int:
    """Have the reader skip a record."""
    if ld64(run + R_CHECKED):
        return python_body(run, DISCARD, sample, flags, r3, r4, r5)
    commit(sample, flags, 1)
    return 0


def ringbuf_query(run: int, handle: int, flags: int, r3: int, r4: int, r5: int) -> int:
    """Bytes waiting, size, positions."""
    if ld64(run + R_CHECKED):
        if is_map(run, handle) == 0:
            return no_map(run, handle)
        if ld64(handle + H_KIND) != RINGBUF:
            return python_body(run, QUERY, handle, flags, r3, r4, r5)
    return query(ld64(handle + H_VALUES), flags)
