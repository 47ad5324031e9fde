"""Bounds of one input: time, and memory beyond what the process has already."""

from __future__ import annotations

import contextlib
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

SECONDS = 10.0
MEMORY = 1 << 30


class TooLong(BaseException):
    """It did not end; no ``except Exception`` swallows this."""


def _stop(*_: object) -> None:
    raise TooLong(f"no answer after {SECONDS} s")


def _used() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


@contextlib.contextmanager
def bounded(seconds: float = SECONDS, memory: int = MEMORY) -> Iterator[None]:
    """Raises TooLong when the block runs longer, MemoryError when it wants more address space than that."""
    before, (soft, hard) = signal.signal(signal.SIGALRM, _stop), resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_used() + memory, hard))
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
