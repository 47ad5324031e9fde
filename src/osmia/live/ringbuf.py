"""Reading a ring buffer of the running kernel: its pages in this process's memory, and its descriptor to wait on."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING

from osmia.errors import KernelError
from osmia.kernel.uapi import BPF_RINGBUF_BUSY_BIT as BUSY
from osmia.kernel.uapi import BPF_RINGBUF_DISCARD_BIT as DISCARD
from osmia.kernel.uapi import BPF_RINGBUF_HDR_SZ as HEADER
from osmia.maps.reader import Reader, gather

if TYPE_CHECKING:
    from osmia.live.maps import LiveMap


class LiveRing:
    """The reader's view of a ring buffer, with the methods of ``maps.ringbuf.Ringbuf``.  Close it, or use ``with``.

    One page holds the consumer's position, one the producer's, then the data twice in a row, so that a record that
    runs over the end is in one piece.  Raises KernelError when the pages can't be had.
    """

    def __init__(self, ring: LiveMap) -> None:
        page, size = mmap.PAGESIZE, ring.spec.max_entries
        self.map, self._mask = ring, size - 1
        try:
            self._ours = mmap.mmap(ring.fd, page, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
            self._theirs = mmap.mmap(ring.fd, page + 2 * size, mmap.MAP_SHARED, mmap.PROT_READ, offset=page)
        except OSError as error:
            raise KernelError(f"reading ring buffer {ring.name}", error.errno or 0) from None

    @property
    def consumer(self) -> int:
        """The consumer's position, which only grows."""
        return int(struct.unpack_from("=Q", self._ours)[0])

    @property
    def producer(self) -> int:
        """The producers' position, which only grows."""
        return int(struct.unpack_from("=Q", self._theirs)[0])

    def consume(self, limit: int | None = None) -> Iterator[bytes]:
        """Take the records that are complete, oldest first; stops at one that is still being written."""
        at = self.consumer
        while limit != 0 and at < self.producer:
            begin = mmap.PAGESIZE + (at & self._mask)
            head = struct.unpack_from("=I", self._theirs, begin)[0]
            if head & BUSY:
                return
            length = head & ~DISCARD
            record = None if head & DISCARD else self._theirs[begin + HEADER : begin + HEADER + length]
            at += (length + HEADER + 7) & ~7
            struct.pack_into("=Q", self._ours, 0, at)
            if record is not None:
                limit = None if limit is None else limit - 1
                yield record

    def ready(self) -> bool:
        """Whether ``consume`` may give something."""
        at = self.consumer
        begin = mmap.PAGESIZE + (at & self._mask)
        return at < self.producer and not struct.unpack_from("=I", self._theirs, begin)[0] & BUSY

    def poll(self, timeout: float | None = None) -> list[bytes]:
        """The records that are complete; where there are none, wait up to ``timeout`` seconds for the first."""
        return [record for _, record in gather([self], timeout)]

    def reader(self, timeout: float | None = None) -> Reader[bytes]:
        """Iterate over it for record after record; it ends ``timeout`` seconds after the last, or by ``close``."""
        return Reader(self, timeout)

    def fileno(self) -> int:
        """The map's descriptor, which is readable as long as something is there."""
        return self.map.fd

    def arm(self) -> int:
        """Nothing to do: the kernel wakes whoever waits on the descriptor."""
        return self.map.fd

    def disarm(self) -> None:
        """Nothing to do either."""

    def close(self) -> None:
        """Give the pages back; the map stays."""
        self._ours.close()
        self._theirs.close()

    def __enter__(self) -> LiveRing:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def consume(ring: LiveMap) -> Iterator[bytes]:
    """Take the records that are complete, oldest first.  Raises KernelError when the pages can't be had."""
    with LiveRing(ring) as pages:
        yield from pages.consume()
