"""Many packets through one program: the loop over them is native, and so is each run.

``Packets`` takes them in: bytes one after the other, a capture as it lies on disk, or a buffer with offsets.  Every
thread has a context, packet memory and a run of its own, and sees the CPU of its number; maps are shared.  A fault ends
the run of its packet, is noted, and the next packet goes on.
"""

from __future__ import annotations

import ctypes
import mmap
import sys
import threading
import time
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osmia.errors import OsmiaError, UsageError
from osmia.raw import Buffer, read
from osmia.sim import contexts, pcap
from osmia.sim.result import action_name

if TYPE_CHECKING:
    from osmia.sim.executable import Executable
    from osmia.vm.jit.batch import Worker

CHUNK = 1 << 14
"""Packets between two looks at signals (Ctrl-C)."""
SPARE = 1 << 20
"""Bytes beyond the packets' own that there is room for at once when they are kept: programs make them longer."""
KEPT_FAULTS = 100
FAULTED = "fault"


class Packets:
    """Packets in native memory: ``table`` holds address and size of each, two u64 words."""

    def __init__(self, table: array[int], keeper: object) -> None:
        self.table, self._keeper = table, keeper

    @classmethod
    def of(cls, given: Any) -> Packets:
        """From a capture's path, (buffer, offsets), or bytes of packets.

        Offsets are where packets begin, and at last where the last one ends.  Raises UsageError and RecordError.
        """
        if isinstance(given, str | Path):
            return cls._capture(given)
        if isinstance(given, tuple) and len(given) == 2 and not isinstance(given[1], bytes | bytearray | memoryview):
            return cls._slices(*given)
        return cls._list(list(given))

    @classmethod
    def _list(cls, packets: list[Any]) -> Packets:
        if not all(isinstance(p, bytes | bytearray | memoryview) for p in packets):
            raise UsageError("packets are bytes")
        offsets = [0, *accumulate(map(len, packets))]
        return cls._slices(b"".join(packets), offsets)

    @classmethod
    def _slices(cls, data: Any, offsets: Sequence[int]) -> Packets:
        held = Buffer.of(bytes(data))
        if any(a > b for a, b in pairwise(offsets)):
            raise UsageError("offsets of packets don't fall")
        if len(offsets) and not (offsets[0] >= 0 and offsets[-1] <= len(held)):
            raise UsageError(f"offsets of packets reach beyond the buffer of {len(held)} bytes")
        table = array("Q", bytes(16 * max(len(offsets) - 1, 0)))
        table[0::2] = array("Q", [held.address + o for o in offsets[:-1]])
        table[1::2] = array("Q", [b - a for a, b in pairwise(offsets)])
        return cls(table, held)

    @classmethod
    def _capture(cls, path: str | Path) -> Packets:
        """A classic pcap stays where it is: its pages are mapped, and its records found by a native loop."""
        from osmia.vm.jit import batch

        try:
            with Path(path).open("rb") as file:
                if file.read(4) not in pcap.MAGIC:
                    return cls._list([frame.data for frame in pcap.read(path)])
                pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        except (OSError, ValueError) as e:
            raise UsageError(getattr(e, "strerror", None) or str(e), file=str(path)) from None
        anchor = ctypes.c_char.from_buffer(pages)
        swapped = pcap.MAGIC[pages[:4]] != ("<" if sys.byteorder == "little" else ">")
        place = ctypes.addressof(anchor)
        count = batch.records(place, len(pages), swapped, 0)
        if count == batch.DAMAGED:
            pcap.read(path)  # says where
            raise UsageError("the capture is damaged", file=str(path))
        table = array("Q", bytes(16 * count))
        batch.records(place, len(pages), swapped, table.buffer_info()[0])
        return cls(table, (anchor, pages))

    def __len__(self) -> int:
        return len(self.table) // 2

    def __getitem__(self, index: int) -> bytes:
        return read(self.table[2 * index], self.table[2 * index + 1])

    @property
    def longest(self) -> int:
        """Bytes of the longest packet."""
        return max(self.table[1::2], default=0)

    @property
    def size(self) -> int:
        """Bytes of all packets."""
        return sum(self.table[1::2])


@dataclass(repr=False)
class Batch:
    """What became of the packets.  ``retvals`` in their order, 0 where a run faulted.

    ``duration_ns`` is the time from the first packet's start to the last one's end, over all threads.  ``faults`` are
    the first hundred, as (index, error), and ``faulted`` how many there were.  ``packets`` as they left the program,
    metadata included (b"" after a fault), when they were to be kept.  ``insns`` counts those of checked runs.
    """

    prog_type: str
    retvals: array[int]
    duration_ns: int = 0
    insns: int = 0
    threads: int = 1
    native: bool = False
    faulted: int = 0
    faults: list[tuple[int, OsmiaError]] = field(default_factory=list)
    packets: list[bytes] | None = None

    def __len__(self) -> int:
        return len(self.retvals)

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many packets met each verdict, the most frequent first; those whose runs faulted are "fault"."""
        found: Counter[str] = Counter()
        for retval, count in Counter(self.retvals).items():
            found[action_name(self.prog_type, retval) or str(retval)] += count
        if self.faulted:
            zero = action_name(self.prog_type, 0) or "0"
            found[zero] -= self.faulted
            found[FAULTED] = self.faulted
        return {name: count for name, count in found.most_common() if count}

    @property
    def per_second(self) -> float:
        """Packets a second."""
        return len(self) * 1e9 / self.duration_ns if self.duration_ns else 0.0

    def to_json(self) -> dict[str, Any]:
        """For scripts."""
        faults = [{"packet": index, **error.to_json()} for index, error in self.faults]
        return {
            "packets": len(self), "counts": self.counts, "duration_ns": self.duration_ns, "insns": self.insns,
            "per_second": round(self.per_second), "threads": self.threads, "native": self.native,
            "faulted": self.faulted, "faults": faults,
        }  # fmt: skip

    def __repr__(self) -> str:
        counts = ", ".join(f"{name} {count}" for name, count in self.counts.items())
        return f"<Batch of {len(self)} packets: {counts or 'none'}; {self.per_second / 1e6:.2f} M/s>"


def run_many(executable: Executable, packets: Any, *, threads: int = 1, keep: bool = False) -> Batch:
    """See ``Executable.run_many``."""
    if threads < 1:
        raise UsageError("there is at least one thread")
    if not contexts.takes_packets(executable.program):
        raise UsageError(f"{executable.program.name} is a {executable.program.prog_type} program: it takes no packets")
    given = packets if isinstance(packets, Packets) else Packets.of(packets)
    made = Batch(executable.program.prog_type, array("I", bytes(4 * len(given))))
    made.packets = [b""] * len(given) if keep else None
    done = _one_by_one(executable, given, made)
    if done < len(given):
        made.native, made.threads = True, max(1, min(threads, len(given) - done))
        _natively(executable, given, made, done)
    return made


# -- the interpreter -------------------------------------------------------------------------------------------------


def _one_by_one(executable: Executable, given: Packets, made: Batch) -> int:
    """Run packets until there is native code for the rest; returns how many.

    The interpreter holds the GIL all the time: more threads would only take turns, so there is one.
    """
    if not len(given):
        return 0
    machine, context = executable.machine, _context(executable, given)
    for index in range(len(given)):
        if machine.native:
            return index
        context.reset(given[index])
        try:
            result = machine.run(context)
            made.retvals[index] = result.retval
            made.duration_ns += result.duration_ns
            if made.packets is not None:
                made.packets[index] = result.data or b""
        except OsmiaError as error:
            _fault(made, index, executable.located(error))
        made.insns += machine.insns
    return len(given)


def _context(executable: Executable, given: Packets) -> Any:
    """A context with room for every one of the packets."""
    program = executable.program
    return contexts.of_batch(program, given[0], given.longest)


def _fault(made: Batch, index: int, error: OsmiaError) -> None:
    made.faulted += 1
    if len(made.faults) < KEPT_FAULTS:
        made.faults.append((index, error))


# -- native code -----------------------------------------------------------------------------------------------------


def _natively(executable: Executable, given: Packets, made: Batch, done: int) -> None:
    from osmia.vm.jit.batch import NOGIL, Worker

    count, cpus = len(given) - done, executable.world.cpus
    bounds = [done + count * n // made.threads for n in range(made.threads + 1)]
    workers = [Worker(executable.machine, _context(executable, given), n % cpus) for n in range(made.threads)]
    shares = [
        _Share(executable, worker, given, made, first, last)
        for worker, first, last in zip(workers, bounds[:-1], bounds[1:], strict=True)
    ]
    begin = time.perf_counter_ns()
    if len(shares) == 1 or not NOGIL:
        for share in shares:
            share.run()
    else:
        _in_threads(shares)
    made.duration_ns += time.perf_counter_ns() - begin
    for share in shares:
        if share.failed is not None:
            raise share.failed
    made.insns += sum(worker.get("insns") for worker in workers)
    made.faults.sort(key=lambda pair: pair[0])
    del made.faults[KEPT_FAULTS:]


def _in_threads(shares: list[_Share]) -> None:
    threads = [threading.Thread(target=share.run, name=f"osmia-{n}") for n, share in enumerate(shares)]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except BaseException:  # Ctrl-C comes to this thread: the others end their packets first
        for share in shares:
            share.stopped = True
        for thread in threads:
            thread.join()
        raise


class _Share:
    """One thread's part of the packets: those from ``first`` to before ``last``."""

    def __init__(
        self, executable: Executable, worker: Worker, given: Packets, made: Batch, first: int, last: int
    ) -> None:
        self.executable, self.worker, self.given, self.made = executable, worker, given, made
        self.first, self.last = first, last
        self.stopped = False
        self.failed: BaseException | None = None
        table, results = given.table.buffer_info()[0], made.retvals.buffer_info()[0]
        worker.set(table=table, results=results, next=first, end=first)
        if made.packets is not None:
            self._make_room()

    def run(self) -> None:
        """All of them.  What is no fault of the program is raised by who started the threads."""
        try:
            with self.worker:
                while not self.stopped and self.worker.get("next") < self.last:
                    self._step()
        except BaseException as error:
            self.failed = error

    def _step(self) -> None:
        """Up to a chunk of packets, or to the next one that needs Python."""
        from osmia.vm.jit import batch

        worker, first = self.worker, self.worker.get("next")
        worker.set(end=min(first + CHUNK, self.last))
        why = worker.replay()
        at = worker.get("next")
        if self.made.packets is not None:
            self._collect(first, at)
        if why == batch.DONE:
            return
        if why == batch.FAULT:
            error = worker.engine.fault()
            if not isinstance(error, OsmiaError):
                raise error
            program = self.executable.machine.program_of(worker.engine.current)
            _fault(self.made, at, self.executable.located(error, program))
        elif why == batch.FULL and self.made.packets is not None:
            context: Any = worker.context
            self.made.packets[at] = read(context.meta, context.end - context.meta)
        else:
            raise UsageError(f"packet {at} is too short for the context's metadata, or too long")
        worker.set(next=at + 1)

    def _make_room(self) -> None:
        """Where the packets of one chunk go."""
        self._out = Buffer(min(self.given.longest * CHUNK, self.given.size) + SPARE)
        self._sizes = array("Q", bytes(8 * len(self.made)))
        self._rewind()

    def _rewind(self) -> None:
        self.worker.set(
            out=self._out.address, out_end=self._out.address + self._out.size, out_sizes=self._sizes.buffer_info()[0]
        )

    def _collect(self, first: int, last: int) -> None:
        at = self._out.address
        assert self.made.packets is not None
        for index in range(first, last):
            self.made.packets[index] = read(at, self._sizes[index])
            at += self._sizes[index]
        self._rewind()
