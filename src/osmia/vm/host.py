"""What a helper may ask of the world outside the program: time, CPU, task, chance, trace pipe, redirects.

``sim.World`` answers in full.  ``BareHost`` answers where there is no world: always the same, one CPU,
one task, a clock that moves on by a microsecond each time it is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

M32 = 0xFFFFFFFF
NSEC_PER_JIFFY = 4_000_000  # CONFIG_HZ=250


@runtime_checkable
class TaskView(Protocol):
    """The current task as helpers see it.  ``address`` is its task_struct's, 0 where there is none."""

    pid: int
    tgid: int
    uid: int
    gid: int
    comm: bytes

    @property
    def address(self) -> int:
        """Of the task_struct, which a world makes when it is first asked for."""


@runtime_checkable
class Host(Protocol):
    """The world under the program.  Times in nanoseconds."""

    cpu: int
    cpus: int

    @property
    def task(self) -> TaskView:
        """The task that runs now."""

    def ktime_ns(self) -> int:
        """CLOCK_MONOTONIC."""

    def boot_ns(self) -> int:
        """CLOCK_BOOTTIME: goes on through suspend."""

    def tai_ns(self) -> int:
        """CLOCK_TAI."""

    def jiffies(self) -> int:
        """The tick counter, 64 bits."""

    def prandom_u32(self) -> int:
        """The next of the pseudo-random numbers, 32 bits."""

    def trace(self, text: str) -> None:
        """One line for the trace pipe, without the pipe's prefix."""

    def redirect(self, ifindex: int, flags: int) -> None:
        """Remember where the packet shall go when the program answers with a redirect."""


@dataclass(slots=True)
class BareTask:
    """Task 1 of nowhere."""

    pid: int = 1
    tgid: int = 1
    uid: int = 0
    gid: int = 0
    comm: bytes = b"osmia"
    address: int = 0


@dataclass
class BareHost:
    """The smallest world: deterministic, and no more than helpers need."""

    cpu: int = 0
    cpus: int = 1
    task: TaskView = field(default_factory=BareTask)
    now: int = 1_000_000_000
    tick: int = 1_000
    seed: int = 1
    lines: list[str] = field(default_factory=list)
    redirected: tuple[int, int] | None = None

    def ktime_ns(self) -> int:
        """A clock that moves by ``tick`` nanoseconds each time it is read."""
        self.now += self.tick
        return self.now

    def boot_ns(self) -> int:
        """The same clock."""
        return self.ktime_ns()

    def tai_ns(self) -> int:
        """The same clock."""
        return self.ktime_ns()

    def jiffies(self) -> int:
        """Ticks of 4 ms since the clock's zero."""
        return self.now // NSEC_PER_JIFFY

    def prandom_u32(self) -> int:
        """Marsaglia's xorshift32: the same row of numbers each time."""
        x = self.seed
        x ^= x << 13 & M32
        x ^= x >> 17
        x ^= x << 5 & M32
        self.seed = x
        return x

    def trace(self, text: str) -> None:
        """Keep the line."""
        self.lines.append(text)

    def redirect(self, ifindex: int, flags: int) -> None:
        """Keep the target."""
        self.redirected = (ifindex, flags)
