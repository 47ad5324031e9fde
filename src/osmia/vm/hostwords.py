"""The host's state as words of native memory, so that native helpers and Python see the same.

``HostWords`` is what a host keeps: the clock, the random numbers, the CPU, the current task, the redirect that a
program asked for.  ``TaskWords`` is what a task keeps; the host's word ``task`` is the address of the current one's,
0 where that task keeps no words.  Attributes made with ``Word`` read and write them.

The clock and the random numbers move by one atomic addition, so that threads never see a value twice.  Random
numbers are splitmix64's (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014): the state is
a counter, and each number a hash of it.

A host keeps them as ``state``, and gives them to engines as ``words``.  A host of somebody else's, without either,
works as well: its helpers run as Python.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

from typing import Any

from osmia.raw import Buffer, read, write

if not cython.compiled:
    from osmia.raw import add64, ld64, st64

    HOST_NOW, HOST_TICK, HOST_TAI, HOST_JIFFIES, HOST_RNG, HOST_CPUS, HOST_CPU, HOST_TASK = range(0, 64, 8)
    HOST_SOFTIRQ, HOST_IFINDEX, HOST_FLAGS, HOST_REDIRECTED, HOST_TRACE, HOST_SIZE = range(64, 112, 8)
    TASK_PID, TASK_TGID, TASK_UID, TASK_GID, TASK_STRUCT, TASK_COMM = range(0, 48, 8)
    TASK_SIZE, COMM_LEN = 56, 16

M64 = 0xFFFFFFFFFFFFFFFF
GAMMA, MIX_1, MIX_2 = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
"""splitmix64's constants: the step of the state (2**64 over the golden ratio, odd), two multipliers."""
NSEC_PER_JIFFY = 4_000_000
"""CONFIG_HZ=250."""

HOST: dict[str, int] = {
    "now": HOST_NOW,  # CLOCK_MONOTONIC, ns
    "tick": HOST_TICK,  # by how much each reading moves it, ns
    "tai": HOST_TAI,  # CLOCK_TAI less CLOCK_MONOTONIC, ns
    "jiffies": HOST_JIFFIES,  # the tick counter when the clock was 0
    "rng": HOST_RNG,  # state of the random numbers
    "cpus": HOST_CPUS,
    "cpu": HOST_CPU,  # where runs start; a run in progress has its own word
    "task": HOST_TASK,  # address of the current task's words, or 0
    "softirq": HOST_SOFTIRQ,
    "ifindex": HOST_IFINDEX,  # target and flags of the last redirect
    "flags": HOST_FLAGS,
    "redirected": HOST_REDIRECTED,  # whether there was one
    "trace": HOST_TRACE,  # address of the native trace (``vm.tracewords``), or 0
}
"""Name → byte offset of a host's words."""

TASK: dict[str, int] = {
    "pid": TASK_PID,
    "tgid": TASK_TGID,
    "uid": TASK_UID,
    "gid": TASK_GID,
    "struct": TASK_STRUCT,  # address of the task_struct, 0 while there is none
    "comm": TASK_COMM,  # 16 bytes, padded with zeros
}
"""Name → byte offset of a task's words."""


# -- what native helpers call; ``host`` is the address of a host's words ---------------------------------------------


def step_clock(host: int) -> int:
    """Move the clock by its tick and read it, nanoseconds."""
    tick = ld64(host + HOST_TICK)
    now: int = add64(host + HOST_NOW, tick)
    return (now + tick) & M64


def jiffies_of(host: int) -> int:
    """The tick counter (HZ=250); reading it does not move the clock."""
    return (ld64(host + HOST_JIFFIES) + ld64(host + HOST_NOW) // NSEC_PER_JIFFY) & M64


def random_64(host: int) -> int:
    """The next random number of this host's row, 64 bits."""
    x: int = add64(host + HOST_RNG, GAMMA)
    x = (x + GAMMA) & M64
    x = ((x ^ (x >> 30)) * MIX_1) & M64
    x = ((x ^ (x >> 27)) * MIX_2) & M64
    return x ^ (x >> 31)


# -- what Python sees ------------------------------------------------------------------------------------------------


class Word:
    """An attribute kept in a word of its object's ``state``: a number, or with ``kind`` bool the truth of one."""

    def __init__(self, offset: int, kind: type = int) -> None:
        self.offset, self.kind = offset, kind

    def __get__(self, thing: Any, owner: type | None = None) -> Any:
        return self if thing is None else self.kind(ld64(thing.state.address + self.offset))

    def __set__(self, thing: Any, value: int) -> None:
        st64(thing.state.address + self.offset, int(value) & M64)


class HostWords:
    """The words of one host.  Times in nanoseconds; ``seed`` starts the row of random numbers."""

    def __init__(self, now: int, tick: int, *, cpus: int = 1, seed: int = 1, tai: int = 0, jiffies: int = 0) -> None:
        self._room = Buffer(HOST_SIZE)
        self.address = self._room.address
        for name, value in {
            "now": now,
            "tick": tick,
            "cpus": cpus,
            "tai": tai,
            "jiffies": jiffies,
            "rng": seed,
        }.items():
            st64(self.address + HOST[name], value & M64)

    @property
    def tai(self) -> int:
        """CLOCK_TAI less CLOCK_MONOTONIC."""
        return ld64(self.address + HOST_TAI)

    def read_clock(self) -> int:
        """Move the clock by its tick and read it."""
        return step_clock(self.address)

    def advance(self, ns: int) -> None:
        """Move the clock."""
        add64(self.address + HOST_NOW, ns & M64)

    def read_jiffies(self) -> int:
        """The tick counter."""
        return jiffies_of(self.address)

    def random(self) -> int:
        """The next random number, 32 bits: the upper half of the generator's."""
        return random_64(self.address) >> 32


class TaskWords:
    """The words of one task."""

    def __init__(self) -> None:
        self._room = Buffer(TASK_SIZE)
        self.address = self._room.address


class Comm:
    """The attribute ``comm`` of a task with ``state``: up to 15 bytes of name; more is cut."""

    def __get__(self, task: Any, owner: type | None = None) -> Any:
        return self if task is None else read(task.state.address + TASK_COMM, COMM_LEN).split(b"\0", 1)[0]

    def __set__(self, task: Any, comm: bytes) -> None:
        write(task.state.address + TASK_COMM, comm[: COMM_LEN - 1].ljust(COMM_LEN, b"\0"))


def words_address(thing: object) -> int:
    """Where a host's or a task's words are; 0 for one that keeps none."""
    words = getattr(thing, "state", None)
    return words.address if isinstance(words, HostWords | TaskWords) else 0
