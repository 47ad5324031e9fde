"""The BPF ring buffer in native memory (kernel/bpf/ringbuf.c): many producers, one consumer, no interpreter lock.

Pages, in the kernel's order: the ring's own words, the consumer's position, the producer's, the data.  A record is a
header of eight bytes (length with busy and discard bits; pages from the ring's words to the header) and its data,
rounded up to eight.  Records follow each other in the order of reservation, and a reader stops at one that is busy.

The kernel maps the data twice, so that a record that runs over the end stays in one piece.  Here the data area is as
long again, and such a record runs on into the second half: nobody else maps these pages, the second half costs what
the longest such record touches, and a forked process gets a copy and not a share.
"""

from __future__ import annotations

import errno

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.maps.wake import wake
    from osmia.raw import copy, ld32, ld64, load32, load64, lock, st32, st64, store64, unlock, xchg32

    # The ring's words, by offset (the .pxd twin has the same numbers): a lock, its mask and the three words of a waker
    # on the first page; then the two positions, and the start of the oldest record that is still being written.
    LOCK, MASK, WAKER, PAGE, CONSUMER, PRODUCER, PENDING, DATA = 0, 8, 16, 4096, 4096, 8192, 8200, 12288
    PAGE_SHIFT, HEADER, MAX_RECORD = 12, 8, 0xFFFFFFFF // 4
    BUSY, DISCARD, LENGTH = 1 << 31, 1 << 30, (1 << 30) - 1
    NO_WAKEUP, FORCE_WAKEUP = 1, 2

EINVAL, EAGAIN = -errno.EINVAL, -errno.EAGAIN


def room_for(size: int) -> int:
    """Bytes of memory for a ring of that size."""
    return DATA + 2 * size


def prepare(ring: int, size: int) -> None:
    """Make zeroed memory, at a multiple of 4096, an empty ring."""
    st64(ring + MASK, size - 1)


def step_over(length: int) -> int:
    """Bytes from the start of a record of that length to the next."""
    return (length + HEADER + 7) >> 3 << 3


# -- producers -------------------------------------------------------------------------------------------------------


def reserve(ring: int, size: int) -> int:
    """Address of ``size`` bytes to fill in and commit, or 0 when there is no room."""
    if size > MAX_RECORD:
        return 0
    lock(ring + LOCK)
    sample = reserve_locked(ring, size, step_over(size))
    unlock(ring + LOCK)
    return sample


def reserve_locked(ring: int, size: int, length: int) -> int:
    """``reserve`` with the lock held."""
    mask = ld64(ring + MASK)
    start = ld64(ring + PRODUCER)
    pending = oldest_busy(ring, ld64(ring + PENDING), start, mask)
    end = start + length
    if end - load64(ring + CONSUMER) > mask or end - pending > mask:
        return 0
    at = start & mask
    record = ring + DATA + at
    st32(record, size | BUSY)
    st32(record + 4, (DATA + at) >> PAGE_SHIFT)
    store64(ring + PRODUCER, end)
    return record + HEADER


def oldest_busy(ring: int, pending: int, end: int, mask: int) -> int:
    """Position of the oldest record that is still being written, or the end; remembered."""
    while pending < end:
        head = load32(ring + DATA + (pending & mask))
        if head & BUSY:
            break
        pending += step_over(head & LENGTH)
    st64(ring + PENDING, pending)
    return pending


def ring_of(sample: int) -> int:
    """The ring that a record is in, by its header."""
    record = sample - HEADER
    return (record >> PAGE_SHIFT << PAGE_SHIFT) - (ld32(record + 4) << PAGE_SHIFT)


def commit(sample: int, flags: int, discard: int) -> int:
    """Hand a reserved record to the consumer, or have it skipped; 0.  A consumer that waits for it is woken."""
    ring = ring_of(sample)
    record = sample - HEADER
    xchg32(record, (ld32(record) & LENGTH) | (DISCARD if discard else 0))
    reading = load64(ring + CONSUMER) & ld64(ring + MASK)
    if flags & FORCE_WAKEUP or (ring + DATA + reading == record and not flags & NO_WAKEUP):
        wake(ring + WAKER)
    return 0


def output(ring: int, data: int, size: int, flags: int) -> int:
    """Copy ``size`` bytes in as one record; 0, -EINVAL or -EAGAIN."""
    if flags > NO_WAKEUP + FORCE_WAKEUP:
        return EINVAL
    sample = reserve(ring, size)
    if sample == 0:
        return EAGAIN
    copy(sample, data, size)
    commit(sample, flags, 0)
    return 0


def query(ring: int, what: int) -> int:
    """Bytes not consumed, size, consumer and producer position; 0 for any other question."""
    if what == 0:
        return load64(ring + PRODUCER) - load64(ring + CONSUMER)
    if what == 1:
        return ld64(ring + MASK) + 1
    if what == 2:
        return load64(ring + CONSUMER)
    return load64(ring + PRODUCER) if what == 3 else 0


def length_of(sample: int) -> int:
    """Bytes of a record, by the address of its data."""
    return ld32(sample - HEADER) & LENGTH


def is_open(ring: int, sample: int) -> int:
    """Whether a reserved and not yet committed record has its data at that address."""
    record = sample - HEADER
    if sample < ring + DATA + HEADER or record > ring + DATA + ld64(ring + MASK) or record & 7:
        return 0
    return open_at(ring, record)


def open_at(ring: int, record: int) -> int:
    """The same, for an address inside the data: a word there may look like a header, so the records are walked."""
    mask = ld64(ring + MASK)
    lock(ring + LOCK)
    at = ld64(ring + PENDING)
    end = ld64(ring + PRODUCER)
    found = 0
    while at < end and found == 0:
        head = load32(ring + DATA + (at & mask))
        if ring + DATA + (at & mask) == record:
            found = 1 if head & BUSY else 2
        at += step_over(head & LENGTH)
    unlock(ring + LOCK)
    return 1 if found == 1 else 0


# -- the consumer ----------------------------------------------------------------------------------------------------


def next_record(ring: int) -> int:
    """Address of the data of the oldest record when it is complete, or 0.  Discarded ones are skipped."""
    mask = ld64(ring + MASK)
    at = ld64(ring + CONSUMER)
    while at < load64(ring + PRODUCER):
        record = ring + DATA + (at & mask)
        head = load32(record)
        if head & BUSY:
            return 0
        if not head & DISCARD:
            return record + HEADER
        at += step_over(head & LENGTH)
        store64(ring + CONSUMER, at)
    return 0


def release(ring: int, sample: int) -> None:
    """The oldest record has been read: producers may write over it."""
    store64(ring + CONSUMER, ld64(ring + CONSUMER) + step_over(length_of(sample)))


def waiting(ring: int) -> int:
    """Complete records that wait to be consumed."""
    mask = ld64(ring + MASK)
    at = ld64(ring + CONSUMER)
    end = load64(ring + PRODUCER)
    count = 0
    while at < end:
        head = load32(ring + DATA + (at & mask))
        if head & BUSY:
            break
        if not head & DISCARD:
            count += 1
        at += step_over(head & LENGTH)
    return count
