"""The ring of one perf event in native memory (kernel/events/ring_buffer.c): records of samples, and of lost ones.

Positions only grow.  A record is ``struct perf_event_header`` (type u32, misc u16, size u16) and its body, up to a
multiple of eight; a sample's body is a u32 with its size and the bytes (the kernel counts the padding in that size;
here it is what the program gave).  As in ``maps.ring``, the data area is twice as long, so that records are in one
piece.  Where a reader was too slow, the next sample that finds room comes behind a record of how many were lost.
"""

from __future__ import annotations

import errno

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.maps.wake import wake
    from osmia.raw import copy, ld16, ld32, ld64, load64, lock, st16, st32, st64, store64, unlock

    # The ring's words, by offset (the .pxd twin has the same numbers).
    LOCK, SIZE, HEAD, TAIL, LOST, UNREPORTED, WAKER, DATA = 0, 8, 16, 24, 32, 40, 48, 64
    RECORD_HEADER, LOST_RECORD, MAX_SAMPLE = 8, 24, 0xFFFF - 8 - 4
    PERF_RECORD_LOST, PERF_RECORD_SAMPLE = 2, 9
    ENTRIES_WORD, VALUES_WORD = 96, 104  # of a map's handle

ENOSPC, E2BIG, ENOENT, EOPNOTSUPP = -errno.ENOSPC, -errno.E2BIG, -errno.ENOENT, -errno.EOPNOTSUPP


def room_for(size: int) -> int:
    """Bytes of memory for a ring with that many bytes of data."""
    return DATA + 2 * size


def prepare(ring: int, size: int, waker: int) -> None:
    """Make zeroed memory an empty ring whose reader sleeps at that waker (``maps.wake``)."""
    st64(ring + SIZE, size)
    st64(ring + WAKER, waker)


def record_size(size: int) -> int:
    """Bytes that a sample takes in the ring."""
    return (RECORD_HEADER + 4 + size + 7) >> 3 << 3


def output(handle: int, index: int, cpu: int, data: int, size: int, more: int, more_size: int) -> int:
    """Write a sample of two pieces to a slot of the map with that handle; 0 or the errno that the helper returns."""
    if index >= ld64(handle + ENTRIES_WORD):
        return E2BIG
    ring = load64(ld64(handle + VALUES_WORD) + 8 * index)
    if ring == 0:
        return ENOENT
    if index != cpu:
        return EOPNOTSUPP  # a ring belongs to one CPU
    if size > MAX_SAMPLE or more_size > MAX_SAMPLE - size:
        return E2BIG
    return add_sample(ring, data, size, more, more_size)


def add_sample(ring: int, data: int, size: int, more: int, more_size: int) -> int:
    """Write a sample; 0, or -ENOSPC when the reader is too slow."""
    lock(ring + LOCK)
    missed = ld64(ring + UNREPORTED)
    length = record_size(size + more_size)
    head = ld64(ring + HEAD)
    if head + length + (LOST_RECORD if missed else 0) - load64(ring + TAIL) > ld64(ring + SIZE) - 1:
        st64(ring + UNREPORTED, missed + 1)
        store64(ring + LOST, ld64(ring + LOST) + 1)
        unlock(ring + LOCK)
        return ENOSPC
    if missed:
        st64(ring + UNREPORTED, 0)
        at = begin(ring, head, PERF_RECORD_LOST, LOST_RECORD)
        st64(at, 0)
        st64(at + 8, missed)
        head += LOST_RECORD
    at = begin(ring, head, PERF_RECORD_SAMPLE, length)
    st32(at, size + more_size)
    copy(at + 4, data, size)
    copy(at + 4 + size, more, more_size)
    store64(ring + HEAD, head + length)
    unlock(ring + LOCK)
    wake(ld64(ring + WAKER))
    return 0


def begin(ring: int, position: int, kind: int, length: int) -> int:
    """Write a record's header; the address of its body."""
    at = ring + DATA + (position & (ld64(ring + SIZE) - 1))
    st32(at, kind)
    st16(at + 4, 0)
    st16(at + 6, length)
    return at + RECORD_HEADER


# -- the reader ------------------------------------------------------------------------------------------------------


def next_sample(ring: int) -> int:
    """Address of the oldest sample (its size, then its bytes), or 0."""
    while True:
        tail = ld64(ring + TAIL)
        if tail == load64(ring + HEAD):
            return 0
        record = ring + DATA + (tail & (ld64(ring + SIZE) - 1))
        if ld32(record) == PERF_RECORD_SAMPLE:
            return record + RECORD_HEADER
        store64(ring + TAIL, tail + ld16(record + 6))


def release(ring: int, sample: int) -> None:
    """The oldest sample has been read."""
    store64(ring + TAIL, ld64(ring + TAIL) + ld16(sample - 2))


def waiting(ring: int) -> int:
    """Samples that wait to be read."""
    at = ld64(ring + TAIL)
    end = load64(ring + HEAD)
    count = 0
    while at < end:
        record = ring + DATA + (at & (ld64(ring + SIZE) - 1))
        if ld32(record) == PERF_RECORD_SAMPLE:
            count += 1
        at += ld16(record + 6)
    return count
