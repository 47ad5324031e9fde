"""What a helper may ask of the world outside the program: time, CPU, task, chance, trace pipe, redirects.

``sim.World`` answers in full.  ``BareHost`` answers where there is no world: always the same, one CPU,
one task, a clock that moves on by a microsecond each time it is read.  Both keep their state in words of native
memory (``vm.hostwords``), so that native helpers see it; a host of somebody else's need not.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from osmia.vm.hostwords import HOST, TASK, Comm, HostWords, TaskWords, Word, words_address
from osmia.vm.tracewords import Trace


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


class BareTask:
    """Task 1 of nowhere; ``address`` is its task_struct's, 0 for none."""

    pid, tgid, uid, gid = (Word(TASK[name]) for name in ("pid", "tgid", "uid", "gid"))
    address = Word(TASK["struct"])
    comm = Comm()

    def __init__(
        self, pid: int = 1, tgid: int = 1, uid: int = 0, gid: int = 0, comm: bytes = b"osmia", address: int = 0
    ) -> None:
        self.state = TaskWords()
        self.pid, self.tgid, self.uid, self.gid, self.comm, self.address = pid, tgid, uid, gid, comm, address


class CurrentTask:
    """The attribute ``task`` of a host with ``words``, which show the current task's words as well."""

    def __get__(self, host: Any, owner: type | None = None) -> Any:
        return self if host is None else host.__dict__["task"]

    def __set__(self, host: Any, task: TaskView) -> None:
        host.__dict__["task"] = task
        host.task_words = words_address(task)


class Redirected:
    """The attribute ``redirected`` of a host with ``words``: the last redirect's target and flags, or None."""

    def __get__(self, host: Any, owner: type | None = None) -> Any:
        if host is None:
            return self
        return (host.redirect_ifindex, host.redirect_flags) if host.redirect_set else None

    def __set__(self, host: Any, target: tuple[int, int] | None) -> None:
        host.redirect_ifindex, host.redirect_flags = target or (0, 0)
        host.redirect_set = target is not None


ANSWERS = ("ktime_ns", "boot_ns", "tai_ns", "jiffies", "prandom_u32", "redirect")
"""What native helpers do in a host's place."""


class NativeHost:
    """What hosts with ``words`` have in common: the attributes that are kept there, clock, chance and redirect.

    Several threads may run programs in one such host: readings of the clock and random numbers are atomic.
    """

    state: HostWords
    _answers_itself = False
    cpu, cpus = Word(HOST["cpu"]), Word(HOST["cpus"])
    task = CurrentTask()
    task_words = Word(HOST["task"])
    redirected = Redirected()
    redirect_ifindex, redirect_flags = Word(HOST["ifindex"]), Word(HOST["flags"])
    redirect_set = Word(HOST["redirected"], bool)
    softirq = Word(HOST["softirq"], bool)
    trace_words = Word(HOST["trace"])

    @property
    def words(self) -> HostWords | None:
        """The words that native helpers may use: none where a class of its own answers itself, for that counts."""
        return None if self._answers_itself else self.state

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._answers_itself = any(getattr(cls, name) is not getattr(NativeHost, name) for name in ANSWERS)

    def ktime_ns(self) -> int:
        """CLOCK_MONOTONIC, which moves on by a tick each time it is read."""
        return self.state.read_clock()

    def boot_ns(self) -> int:
        """CLOCK_BOOTTIME: the same, for this machine never sleeps."""
        return self.ktime_ns()

    def tai_ns(self) -> int:
        """CLOCK_TAI: the wall clock, ahead by the leap seconds."""
        return self.state.tai + self.ktime_ns()

    def jiffies(self) -> int:
        """The tick counter (HZ=250)."""
        return self.state.read_jiffies()

    def prandom_u32(self) -> int:
        """The next random number of this host's row."""
        return self.state.random()

    def redirect(self, ifindex: int, flags: int) -> None:
        """Remember the target of a redirect."""
        self.redirected = ifindex, flags


class BareHost(NativeHost):
    """The smallest world: deterministic, and no more than helpers need."""

    now, tick, seed = Word(HOST["now"]), Word(HOST["tick"]), Word(HOST["rng"])

    def __init__(
        self, cpu: int = 0, cpus: int = 1, task: TaskView | None = None, now: int = 1_000_000_000, tick: int = 1_000,
        seed: int = 1,
    ) -> None:  # fmt: skip
        self.state = HostWords(now, tick, cpus=cpus, seed=seed)
        self.cpu = cpu
        self.task = task or BareTask()
        self._lines: list[str] = []
        self._trace = Trace()
        self.trace_words = self._trace.address if type(self).trace is BareHost.trace else 0

    @property
    def lines(self) -> list[str]:
        """The lines of the trace pipe so far."""
        self._lines += [line.text.decode("utf-8", "backslashreplace") for line in self._trace.take()]
        return self._lines

    def trace(self, text: str) -> None:
        """Keep the line."""
        self.lines.append(text)
