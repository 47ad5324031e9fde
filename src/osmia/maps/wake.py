"""Waking a reader that sleeps: what producers do natively and readers do in Python.

The words of a waker stand in native memory.  A reader that finds nothing says that it will sleep (``arm``), looks once
more, and sleeps on a file descriptor; a producer that has something for it calls ``wake``, which costs a system call
only when somebody does sleep.
"""

from __future__ import annotations

import os
import select
import weakref
from collections.abc import Iterable
from typing import Protocol

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.raw import add64, cas64, ld64, load64, st64, xchg64

    # The words of a waker, by offset (the .pxd twin has the same numbers).
    FD, MOOD, COUNT = 0, 8, 16
    AWAKE, ASLEEP, WATCHED = 0, 1, 2

    def kick(fd: int) -> None:
        """Make the descriptor readable."""
        try:
            os.write(fd, (1).to_bytes(8, "little"))
        except OSError:  # full already, or the reader is gone
            return


WAKER_SIZE = 24


def wake(w: int) -> None:
    """Count a notification, and wake the reader if it sleeps."""
    add64(w + COUNT, 1)
    mood = load64(w + MOOD)
    if mood == AWAKE:
        return
    if mood == ASLEEP and cas64(w + MOOD, ASLEEP, AWAKE) != ASLEEP:
        return  # another producer was quicker
    kick(ld64(w + FD))


def notifications(w: int) -> int:
    """How often a reader was, or would have been, woken."""
    return int(load64(w + COUNT))


def fall_asleep(w: int) -> None:
    """From now on the next ``wake`` writes to the descriptor."""
    if load64(w + MOOD) != WATCHED:
        xchg64(w + MOOD, ASLEEP)


class Waker:
    """The reader's end: a descriptor that is readable after ``wake``.  ``words`` are ``WAKER_SIZE`` zeroed bytes."""

    def __init__(self, words: int) -> None:
        self.words = words
        self._door, self._bell = _descriptors()
        st64(words + FD, self._bell)
        self._close = weakref.finalize(self, _close_all, {self._door, self._bell})

    def fileno(self) -> int:
        """The descriptor."""
        return self._door

    def watch(self) -> None:
        """Have every notification written, for somebody else's event loop."""
        xchg64(self.words + MOOD, WATCHED)

    def arm(self) -> None:
        """Announce that the reader is about to sleep."""
        fall_asleep(self.words)

    def kick(self) -> None:
        """Wake the reader."""
        kick(self._bell)

    def wait(self, seconds: float | None) -> bool:
        """Sleep until somebody wakes us; False when the time is over."""
        return bool(wait([self], seconds))

    def clear(self) -> None:
        """Make the descriptor unreadable again."""
        try:
            while os.read(self._door, 4096):
                if self._door == self._bell:
                    return  # an eventfd gives its count at once
        except BlockingIOError:
            return


class Waiting(Protocol):
    """What has a descriptor to wait on."""

    def fileno(self) -> int:
        """The descriptor."""


def wait(sources: Iterable[Waiting], seconds: float | None) -> list[int]:
    """Sleep until one of the descriptors is readable; those that are."""
    poll = select.poll()
    for source in sources:
        poll.register(source.fileno(), select.POLLIN)
    return [fd for fd, _ in poll.poll(None if seconds is None else max(0, seconds) * 1000)]


def _descriptors() -> tuple[int, int]:
    """Where to read and where to write: an eventfd, or a pipe's two ends where there is none."""
    if hasattr(os, "eventfd"):
        fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        return fd, fd
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    return reading, writing


def _close_all(ends: set[int]) -> None:
    for end in ends:
        os.close(end)
