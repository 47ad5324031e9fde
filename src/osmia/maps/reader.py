"""Waiting for records: ring buffers and perf buffers, ours and the kernel's, one or several at once."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic
from types import TracebackType
from typing import Generic, Protocol, TypeVar

from osmia.maps.wake import WAKER_SIZE, Waker, wait
from osmia.raw import Buffer

T = TypeVar("T")
C = TypeVar("C", covariant=True)


class Source(Protocol[C]):
    """What records can be read from: ``Ringbuf``, ``PerfEventArray``, ``live.ringbuf.LiveRing``."""

    def consume(self, limit: int | None = None) -> Iterator[C]:
        """Take the complete records, oldest first."""

    def ready(self) -> bool:
        """Whether a record may be there."""

    def arm(self) -> int:
        """Have the next notification make a descriptor readable; the descriptor."""

    def disarm(self) -> None:
        """Make the descriptor unreadable again."""


class _Descriptor:
    """A descriptor as something to wait on."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def fileno(self) -> int:
        return self._fd


def gather(sources: list[Source[T]], timeout: float | None, bell: Waker | None = None) -> list[tuple[Source[T], T]]:
    """The records of all sources with where they came from; waits up to ``timeout`` seconds (None: as long as it
    takes) for the first.  A ``bell`` that rings ends the wait."""
    end = None if timeout is None else monotonic() + timeout
    while True:
        found = [(source, record) for source in sources for record in source.consume()]
        left = None if end is None else end - monotonic()
        if found or (left is not None and left <= 0):
            return found
        waiting: dict[int, Source[T]] = {source.arm(): source for source in sources}
        if any(source.ready() for source in sources):
            continue  # it came before we said that we sleep
        heard = wait([*map(_Descriptor, waiting), *([bell] if bell else [])], left)
        for fd in heard:
            if fd in waiting:
                waiting[fd].disarm()
        if bell and bell.fileno() in heard:
            return found


class Poller(Generic[T]):
    """Several sources at once.  ``poll`` returns ``(source, record)`` pairs, and iterating yields them one by one.

    Iteration ends ``timeout`` seconds after the last record (None: never), or when another thread calls ``close``.
    One reader per source: two would each get some of the records.
    """

    def __init__(self, *sources: Source[T], timeout: float | None = None) -> None:
        self.sources = list(sources)
        self.timeout = timeout
        self.closed = False
        self._words = Buffer(WAKER_SIZE)
        self._bell = Waker(self._words.address)

    def add(self, source: Source[T]) -> None:
        """Listen to one more, from the next ``poll`` on."""
        self.sources.append(source)

    def poll(self, timeout: float | None = None) -> list[tuple[Source[T], T]]:
        """What is there; where nothing is, wait up to ``timeout`` seconds (default: the reader's).  [] when closed."""
        return [] if self.closed else gather(self.sources, self.timeout if timeout is None else timeout, self._bell)

    def __iter__(self) -> Iterator[tuple[Source[T], T]]:
        while found := self.poll():
            yield from found

    def close(self) -> None:
        """End the wait and the iteration, from any thread."""
        self.closed = True
        self._bell.kick()

    def __enter__(self) -> Poller[T]:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class Reader(Generic[T]):
    """One source: ``poll`` returns records, iterating yields them one by one.  Otherwise a ``Poller``."""

    def __init__(self, source: Source[T], timeout: float | None = None) -> None:
        self._poller: Poller[T] = Poller(source, timeout=timeout)
        self.close = self._poller.close

    def poll(self, timeout: float | None = None) -> list[T]:
        """What is there; where nothing is, wait up to ``timeout`` seconds (default: the reader's).  [] when closed."""
        return [record for _, record in self._poller.poll(timeout)]

    def __iter__(self) -> Iterator[T]:
        return (record for _, record in self._poller)

    def __enter__(self) -> Reader[T]:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
