"""Reading a ring buffer of the running kernel: its pages in this process's memory."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

from osmia.errors import KernelError
from osmia.kernel.uapi import BPF_RINGBUF_BUSY_BIT as BUSY
from osmia.kernel.uapi import BPF_RINGBUF_DISCARD_BIT as DISCARD
from osmia.kernel.uapi import BPF_RINGBUF_HDR_SZ as HEADER

if TYPE_CHECKING:
    from osmia.live.maps import LiveMap


def consume(ring: LiveMap) -> Iterator[bytes]:
    """Take the records that are complete, oldest first; stops at one that is still being written.

    One page holds the consumer's position, one the producer's, then the data twice in a row, so that a record that
    runs over the end is in one piece.  Raises KernelError when the pages can't be had.
    """
    page, size = mmap.PAGESIZE, ring.spec.max_entries
    try:
        ours = mmap.mmap(ring.fd, page, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        theirs = mmap.mmap(ring.fd, page + 2 * size, mmap.MAP_SHARED, mmap.PROT_READ, offset=page)
    except OSError as error:
        raise KernelError(f"reading ring buffer {ring.name}", error.errno or 0) from None
    with ours, theirs:
        at = struct.unpack_from("=Q", ours)[0]
        while at < struct.unpack_from("=Q", theirs)[0]:
            head = struct.unpack_from("=I", theirs, page + (at & (size - 1)))[0]
            if head & BUSY:
                return
            begin, length = page + (at & (size - 1)) + HEADER, head & ~DISCARD
            record = None if head & DISCARD else theirs[begin : begin + length]
            at += (length + HEADER + 7) & ~7
            struct.pack_into("=Q", ours, 0, at)
            if record is not None:
                yield record
