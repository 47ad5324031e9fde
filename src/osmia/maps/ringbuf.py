"""The BPF ring buffer (kernel/bpf/ringbuf.c): many producers, one consumer, records in the order of reservation.

A record is a header of eight bytes (length with busy and discard bits, page offset) and its data, rounded up to
eight.  The kernel maps the data pages twice so that a record that runs over the end stays in one piece; here the
data area is simply twice as long, and such a record runs on into the second half.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import TYPE_CHECKING

try:
    import cython
except ImportError:
    from osmia._cy import cython
from osmia.kernel.uapi import (
    BPF_RB_AVAIL_DATA,
    BPF_RB_CONS_POS,
    BPF_RB_FORCE_WAKEUP,
    BPF_RB_NO_WAKEUP,
    BPF_RB_PROD_POS,
    BPF_RB_RING_SIZE,
    BPF_RINGBUF_BUSY_BIT,
    BPF_RINGBUF_DISCARD_BIT,
    BPF_RINGBUF_HDR_SZ,
)
from osmia.maps.base import Map
from osmia.maps.slab import Slab
from osmia.raw import read

if not cython.compiled:
    from osmia.raw import copy, ld32, st32

if TYPE_CHECKING:
    from osmia.obj.model import MapSpec

EINVAL, EAGAIN = errno.EINVAL, errno.EAGAIN
MAX_RECORD = 0xFFFFFFFF // 4
PAGE_SHIFT = 12
PAGES_BEFORE_DATA = 3
"""Pages between the kernel's struct and the data: part of the struct itself, consumer and producer position."""
BUSY, DISCARD, HEADER = BPF_RINGBUF_BUSY_BIT, BPF_RINGBUF_DISCARD_BIT, BPF_RINGBUF_HDR_SZ


class Ringbuf(Map):
    """``reserve`` and ``commit`` (submit, discard) or ``output`` on the program's side; ``consume`` on ours.

    ``consumer`` and ``producer`` are positions that only grow; ``wakeups`` counts the notifications that a
    poll()ing reader would have got.
    """

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self._slab = Slab(2 * self.max_entries)
        self.data = self._slab.address
        self.mask = self.max_entries - 1
        self.consumer = 0
        self.producer = 0
        self.pending = 0  # start of the oldest record that is still being written
        self.wakeups = 0

    # -- the program's side ------------------------------------------------------------------------------------

    def reserve(self, size: int) -> int:
        """Address of ``size`` bytes to fill in and commit, or 0 when there is no room."""
        length = (size + HEADER + 7) & ~7
        if size > MAX_RECORD or length > self.mask + 1:
            return 0
        self._advance_pending()
        end = self.producer + length
        if end - self.consumer > self.mask or end - self.pending > self.mask:
            return 0
        at = self.producer & self.mask
        st32(self.data + at, size | BUSY)
        st32(self.data + at + 4, (at >> PAGE_SHIFT) + PAGES_BEFORE_DATA)
        self.producer = end
        return self.data + at + HEADER

    def _advance_pending(self) -> None:
        while self.pending < self.producer:
            head = ld32(self.data + (self.pending & self.mask))
            if head & BUSY:
                return
            self.pending += ((head & ~DISCARD) + HEADER + 7) & ~7

    def is_open(self, sample: int) -> bool:
        """Whether a reserved and not yet committed record has its data at that address."""
        offset = sample - HEADER - self.data
        return 0 <= offset <= self.mask and bool(ld32(sample - HEADER) & BUSY)

    def size_of(self, sample: int) -> int:
        """Bytes of the record with its data at that address."""
        return ld32(sample - HEADER) & ~(BUSY | DISCARD)

    def commit(self, sample: int, flags: int, discard: bool) -> None:
        """Hand a reserved record to the consumer, or have it skipped."""
        size = ld32(sample - HEADER) & ~BUSY
        st32(sample - HEADER, size | (DISCARD if discard else 0))
        at_reader = self.consumer & self.mask == sample - HEADER - self.data
        if flags & BPF_RB_FORCE_WAKEUP or (at_reader and not flags & BPF_RB_NO_WAKEUP):
            self.wakeups += 1

    def output(self, data: int, size: int, flags: int) -> int:
        """Copy ``size`` bytes in as one record; 0, -EINVAL or -EAGAIN."""
        if flags & ~(BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP):
            return -EINVAL
        sample = self.reserve(size)
        if not sample:
            return -EAGAIN
        copy(sample, data, size)
        self.commit(sample, flags, False)
        return 0

    def query(self, what: int) -> int:
        """Bytes not consumed, size, consumer and producer position; 0 for any other question."""
        answers = {
            BPF_RB_AVAIL_DATA: self.producer - self.consumer,
            BPF_RB_RING_SIZE: self.max_entries,
            BPF_RB_CONS_POS: self.consumer,
            BPF_RB_PROD_POS: self.producer,
        }
        return int(answers.get(what, 0))

    def copy_value(self, key: int) -> bytes | int:
        """bpf(2) has no values here: readers map the pages, or call ``consume``."""
        return -524

    # -- our side ----------------------------------------------------------------------------------------------

    def consume(self, limit: int | None = None) -> Iterator[bytes]:
        """Take the records that are complete, oldest first; stops at one that is still being written."""
        while self.consumer < self.producer and limit != 0:
            at = self.data + (self.consumer & self.mask)
            head = ld32(at)
            if head & BUSY:
                return
            size = head & ~DISCARD
            record = None if head & DISCARD else read(at + HEADER, size)
            self.consumer += (size + HEADER + 7) & ~7
            if record is not None:
                limit = None if limit is None else limit - 1
                yield record

    def __len__(self) -> int:
        """Complete records that wait to be consumed."""
        count, at = 0, self.consumer
        while at < self.producer and not (head := ld32(self.data + (at & self.mask))) & BUSY:
            count += not head & DISCARD
            at += ((head & ~DISCARD) + HEADER + 7) & ~7
        return count
