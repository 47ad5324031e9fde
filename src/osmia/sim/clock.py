"""Time in a world: one clock that stands still unless somebody reads it or lets time pass."""

from __future__ import annotations

from osmia.errors import UsageError
from osmia.vm.host import NSEC_PER_JIFFY

NSEC_PER_SEC = 1_000_000_000
TAI_OFFSET_S = 37
INITIAL_JIFFIES = 0xFFFFFFFF + 1 - 300 * 250  # HZ=250: the 32-bit counter wraps five minutes after the boot


class Clock:
    """Nanoseconds since the boot; each reading moves them by ``tick_ns``.  ``epoch_ns`` is the boot's wall time."""

    def __init__(self, now_ns: int, tick_ns: int, epoch_ns: int) -> None:
        self.now_ns, self.tick_ns, self.epoch_ns = now_ns, tick_ns, epoch_ns

    def ktime_ns(self) -> int:
        """CLOCK_MONOTONIC."""
        self.now_ns += self.tick_ns
        return self.now_ns

    def boot_ns(self) -> int:
        """CLOCK_BOOTTIME: the same, for this machine never sleeps."""
        return self.ktime_ns()

    def tai_ns(self) -> int:
        """CLOCK_TAI: the wall clock, ahead by the leap seconds."""
        return self.epoch_ns + TAI_OFFSET_S * NSEC_PER_SEC + self.ktime_ns()

    def jiffies(self) -> int:
        """The tick counter (HZ=250), which starts five minutes before its 32 bits wrap."""
        return INITIAL_JIFFIES + self.now_ns // NSEC_PER_JIFFY

    def advance(self, ns: int) -> None:
        """Let time pass.  Raises UsageError for less than nothing."""
        if ns < 0:
            raise UsageError("time does not go backwards")
        self.now_ns += ns
