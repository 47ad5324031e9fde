"""Ring buffers of checked runs (else ``fast_ring``): a reserved record is listed as memory of its own until it is
submitted or discarded.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from osmia.errors import Fault
from osmia.helpers.registry import helper
from osmia.maps.ringbuf import Ringbuf
from osmia.memory import Region

if TYPE_CHECKING:
    from osmia.vm.env import Env

EINVAL = errno.EINVAL


def ring(m: object) -> Ringbuf:
    """The map as a ring buffer; Fault when it is another."""
    if not isinstance(m, Ringbuf):
        raise Fault(f"{m!r} is no ring buffer")
    return m


def open_record(env: Env, m: Ringbuf, size: int) -> int:
    """Reserve and list the record's memory; its address or 0."""
    sample = m.reserve(size)
    if sample and size:
        old = env.memory.find(sample)
        if old is not None and old.owner is m:
            env.memory.remove(old)  # left behind by a program that never submitted
        env.memory.add(Region(f"record of ringbuf {m.name}", sample, size, kind="ringbuf record", owner=m))
    if sample:
        env.scratch.setdefault("records", {})[sample] = m
    return sample


def close_record(env: Env, sample: int, flags: int, discard: bool) -> None:
    """Submit or discard.  Raises Fault for what is no reserved record."""
    m = env.scratch.get("records", {}).pop(sample, None)
    if m is None:
        raise Fault(f"{env.memory.describe(sample)} is no reserved record", address=sample)
    region = env.memory.find(sample)
    if region is not None and region.owner is m and region.address == sample:
        env.memory.remove(region)
    m.commit(sample, flags, discard)


@helper("bpf_ringbuf_output")
def ringbuf_output(env: Env, m: object, data: int, size: int, flags: int) -> int:
    """Copy a record in."""
    return ring(m).output(data, size, flags)


@helper("bpf_ringbuf_reserve")
def ringbuf_reserve(env: Env, m: object, size: int, flags: int) -> int:
    """Address of a record to fill in, or 0."""
    return 0 if flags else open_record(env, ring(m), size)


@helper("bpf_ringbuf_submit")
def ringbuf_submit(env: Env, sample: int, flags: int) -> int:
    """Hand a record to the reader."""
    close_record(env, sample, flags, False)
    return 0


@helper("bpf_ringbuf_discard")
def ringbuf_discard(env: Env, sample: int, flags: int) -> int:
    """Have the reader skip a record."""
    close_record(env, sample, flags, True)
    return 0


@helper("bpf_ringbuf_query")
def ringbuf_query(env: Env, m: object, flags: int) -> int:
    """Bytes waiting, size, positions."""
    return ring(m).query(flags)
