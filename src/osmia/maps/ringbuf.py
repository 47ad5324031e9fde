"""ringbuf maps: the native ring of ``maps.ring`` with a face, and a reader that can wait."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

try:
    import cython
except ImportError:
    from osmia._cy import cython
from osmia.maps.records import RecordMap
from osmia.maps.ring import prepare, room_for
from osmia.maps.slab import Slab
from osmia.maps.wake import notifications

if not cython.compiled:
    from osmia.maps import ring as native
    from osmia.raw import load64
    from osmia.raw import read as bytes_at

if TYPE_CHECKING:
    from osmia.obj.model import MapSpec

PAGE = 4096


class Ringbuf(RecordMap):
    """``reserve`` and ``commit`` (submit, discard) or ``output`` on the program's side; on ours ``consume`` takes what
    is there, ``poll`` and ``reader`` wait for more.  Any number of threads may produce, one consumes.

    ``ring`` is the address of the native ring, for the functions of ``maps.ring``; it is also the handle's ``values``.
    """

    def __init__(self, spec: MapSpec, cpus: int = 1, id: int = 0) -> None:
        super().__init__(spec, cpus, id)
        self._slab = Slab(PAGE + room_for(self.max_entries))
        self.ring = (self._slab.address + PAGE - 1) & -PAGE
        prepare(self.ring, self.max_entries)
        self.publish(values=self.ring)
        self.bell = self.ring + native.WAKER

    # -- the program's side ------------------------------------------------------------------------------------

    def reserve(self, size: int) -> int:
        """Address of ``size`` bytes to fill in and commit, or 0 when there is no room."""
        return native.reserve(self.ring, size)

    def is_open(self, sample: int) -> bool:
        """Whether a reserved and not yet committed record has its data at that address."""
        return bool(native.is_open(self.ring, sample))

    def size_of(self, sample: int) -> int:
        """Bytes of the record with its data at that address."""
        return native.length_of(sample)

    def commit(self, sample: int, flags: int, discard: bool) -> None:
        """Hand a reserved record to the consumer, or have it skipped."""
        native.commit(sample, flags, discard)

    def output(self, data: int, size: int, flags: int) -> int:
        """Copy ``size`` bytes in as one record; 0, -EINVAL or -EAGAIN."""
        return native.output(self.ring, data, size, flags)

    def query(self, what: int) -> int:
        """Bytes not consumed, size, consumer and producer position; 0 for any other question."""
        return native.query(self.ring, what)

    # -- our side ----------------------------------------------------------------------------------------------

    @property
    def consumer(self) -> int:
        """The consumer's position, which only grows."""
        return load64(self.ring + native.CONSUMER)

    @property
    def producer(self) -> int:
        """The producers' position, which only grows."""
        return load64(self.ring + native.PRODUCER)

    @property
    def wakeups(self) -> int:
        """Notifications that a sleeping reader got, or would have got."""
        return notifications(self.bell)

    def consume(self, limit: int | None = None) -> Iterator[bytes]:
        """Take the records that are complete, oldest first; stops at one that is still being written."""
        while limit != 0:
            sample = native.next_record(self.ring)
            if not sample:
                return
            data = bytes_at(sample, native.length_of(sample))
            native.release(self.ring, sample)
            limit = None if limit is None else limit - 1
            yield data

    def ready(self) -> bool:
        """Whether ``consume`` would give something."""
        return bool(native.next_record(self.ring))

    def __len__(self) -> int:
        """Complete records that wait to be consumed."""
        return native.waiting(self.ring)
