"""Time in a world: one clock that stands still unless somebody reads it or lets time pass."""

from __future__ import annotations

from osmia.errors import UsageError
from osmia.vm.host import NativeHost
from osmia.vm.hostwords import HOST, HostWords, Word

NSEC_PER_SEC = 1_000_000_000
TAI_OFFSET_S = 37
INITIAL_JIFFIES = 0xFFFFFFFF + 1 - 300 * 250  # HZ=250: the 32-bit counter wraps five minutes after the boot


class Clock(NativeHost):
    """Nanoseconds since the boot; each reading moves them by ``tick_ns``.  ``epoch_ns`` is the boot's wall time.

    The tick counter starts five minutes before its 32 bits wrap.
    """

    now_ns, tick_ns = Word(HOST["now"]), Word(HOST["tick"])

    def __init__(self, now_ns: int, tick_ns: int, epoch_ns: int, cpus: int = 1, seed: int = 1) -> None:
        tai = epoch_ns + TAI_OFFSET_S * NSEC_PER_SEC
        self.state = HostWords(now_ns, tick_ns, cpus=cpus, seed=seed, tai=tai, jiffies=INITIAL_JIFFIES)

    @property
    def epoch_ns(self) -> int:
        """The boot's wall time."""
        return self.state.tai - TAI_OFFSET_S * NSEC_PER_SEC

    def advance(self, ns: int) -> None:
        """Let time pass.  Raises UsageError for less than nothing."""
        if ns < 0:
            raise UsageError("time does not go backwards")
        self.state.advance(ns)
