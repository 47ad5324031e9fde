"""Measuring programs side by side: every engine answers the same question first, then all are timed by turns.

A ``Task`` is a program with its packet and map contents; a ``Subject`` is one engine that runs it (``bench_subjects``,
``bench_peers``).  ``compare`` loads each subject, has it run once, and keeps those whose answer is the first one's.
Then come the rounds: in each, every subject runs for about the same short time, so that whatever else the machine
does meets all of them alike.  What counts is the median of a subject's samples and their spread.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from osmia.errors import OsmiaError

if TYPE_CHECKING:
    from osmia.obj.model import Collection

KERNEL = "kernel"
"""The name of the subject that ratios refer to."""
ROUNDS, SAMPLE_NS = 15, 5_000_000
FEWEST = 3


@dataclass(frozen=True, eq=False)
class Task:
    """One program to be measured.

    ``elements`` are put into its maps first, as bytes; ``plain`` holds the same program as a function of
    (memory, size), for machines without contexts; ``drain`` are ring buffers to be emptied between samples, and
    ``limit`` the most runs of one sample, so that they don't overflow.
    """

    name: str
    collection: Collection
    program: str
    data: bytes = bytes(64)
    elements: Mapping[str, Sequence[tuple[bytes, bytes]]] = field(default_factory=dict)
    plain: Collection | None = None
    drain: tuple[str, ...] = ()
    limit: int = 1 << 30


class Answer(NamedTuple):
    """What one run gave: the 32-bit return value, and the packet afterwards where the engine shows it."""

    retval: int
    data: bytes | None = None

    def agrees(self, other: Answer) -> bool:
        """Whether the two are the same as far as both tell."""
        both = self.data is not None and other.data is not None
        return self.retval == other.retval and (not both or self.data == other.data)

    def __str__(self) -> str:
        return f"{self.retval:#x}" if self.data is None else f"{self.retval:#x} and {len(self.data)} bytes"


class Subject(Protocol):
    """An engine with one task."""

    name: str

    def load(self) -> None:
        """Make the program ready.  Raises an OsmiaError where this engine can't run it."""

    def answer(self) -> Answer:
        """Run once on fresh data."""

    def time(self, times: int) -> float:
        """Run so often in a row and tell the mean nanoseconds of one run."""

    def close(self) -> None:
        """Give everything back; also after a ``load`` that failed."""


@dataclass
class Timing:
    """What was measured of one subject.  Times in nanoseconds; ``skipped`` says why there are none."""

    name: str
    samples: list[float] = field(default_factory=list)
    times: int = 1
    load_ns: int = 0
    first_ns: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    skipped: str = ""

    @property
    def median(self) -> float:
        """The median of the samples; not a number without any."""
        return statistics.median(self.samples) if self.samples else math.nan

    @property
    def spread(self) -> float:
        """The distance between the quartiles, as a fraction of the median."""
        if len(self.samples) < FEWEST:
            return 0.0
        low, _, high = statistics.quantiles(self.samples, n=4)
        return (high - low) / self.median if self.median else 0.0

    def to_json(self) -> dict[str, Any]:
        """For scripts."""
        if self.skipped:
            return {"name": self.name, "skipped": self.skipped}
        figures = {"ns": self.median, "spread": self.spread, "best_ns": min(self.samples), "runs": self.times}
        return {"name": self.name, **figures, "load_ns": self.load_ns, "first_ns": self.first_ns, **self.facts}


@dataclass
class Row:
    """One task with the timings of all subjects, in their order."""

    task: str
    timings: list[Timing]

    def of(self, name: str) -> Timing | None:
        """The timing of a subject, if it has one."""
        return next((t for t in self.timings if t.name == name and t.samples), None)

    def ratio(self, name: str, base: str = KERNEL) -> float:
        """How many times as fast as the base; not a number where one is missing."""
        ours, theirs = self.of(name), self.of(base)
        return theirs.median / ours.median if ours and theirs and ours.median else math.nan

    def to_json(self) -> dict[str, Any]:
        """For scripts."""
        return {"program": self.task, "subjects": [t.to_json() for t in self.timings]}


def compare(
    task: Task,
    subjects: Iterable[Subject],
    *,
    rounds: int = ROUNDS,
    sample_ns: int = SAMPLE_NS,
    progress: Callable[[str], object] = lambda _: None,
) -> Row:
    """Measure one task.  A subject that fails, or answers something else than the first, is skipped with the reason."""
    pairs = [(subject, Timing(subject.name)) for subject in subjects]
    try:
        agreed: Answer | None = None
        for subject, timing in pairs:
            progress(f"{task.name}: {subject.name} loads")
            agreed = _begin(subject, timing, agreed)
        running = [pair for pair in pairs if not pair[1].skipped]
        for subject, timing in running:
            timing.times = _fitting(subject, sample_ns, task.limit)
        for number in range(rounds):
            progress(f"{task.name}: round {number + 1} of {rounds}")
            for subject, timing in running:
                timing.samples.append(subject.time(timing.times))
    finally:
        for subject, _ in pairs:
            subject.close()
    return Row(task.name, [timing for _, timing in pairs])


def _begin(subject: Subject, timing: Timing, agreed: Answer | None) -> Answer | None:
    """Load and run once; note how long that took, or why it did not work.  Returns what all must answer."""
    try:
        begin = time.perf_counter_ns()
        subject.load()
        loaded = time.perf_counter_ns()
        answer = subject.answer()
        timing.load_ns, timing.first_ns = loaded - begin, time.perf_counter_ns() - begin
        timing.facts.update(getattr(subject, "facts", {}))
    except OsmiaError as e:
        timing.skipped = str(e).splitlines()[0]
        return agreed
    if agreed is not None and not answer.agrees(agreed):
        timing.skipped = f"answers {answer} where others answer {agreed}"
    return agreed or answer


def _fitting(subject: Subject, sample_ns: int, limit: int) -> int:
    """How many runs take about ``sample_ns``."""
    times = 1
    while times < limit:
        took = max(subject.time(times), 0.1)
        if took * times >= sample_ns / 8:
            return max(1, min(limit, round(sample_ns / took)))
        times = min(times * 8, limit)
    return limit


def geometric_mean(values: Iterable[float]) -> float:
    """Of those that are numbers; not a number where there are none."""
    logs = [math.log(v) for v in values if v > 0 and not math.isnan(v)]
    return math.exp(statistics.fmean(logs)) if logs else math.nan
