"""Osmia's verifier against the running kernel's: programs by the thousand, differences made small and put in groups."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from random import Random

from osmia.errors import InternalError, OsmiaError, Unavailable
from osmia.obj.model import Program
from osmia.testing.answers import Answer, Kernel
from osmia.testing.cases import Case, dump
from osmia.testing.compare import Comparison, compare
from osmia.testing.generate import KINDS, generate
from osmia.testing.isolate import each
from osmia.testing.shrink import shrink
from osmia.testing.soundness import violations
from osmia.verifier.env import Powers

EVERY = 4
"""Of so many programs one is judged at level 1 with statistics, the others at level 2."""
SHRINK_SECONDS = 6.0
STRETCH, STRETCH_SECONDS = 100, 300.0
"""Programs that one child judges before it tells, and how long that may take."""
SYSCTL = Path("/proc/sys/kernel/unprivileged_bpf_disabled")
UNSOUND = "unsound"
COLUMN = 76
AROUND = 5


@dataclass(frozen=True, slots=True)
class Plan:
    """What to try.  ``level`` 0: levels 2 and 5 by turns.  ``most``: longer verifications are left out.

    ``run``: programs that both accept are run, too (``soundness``).
    """

    seed: int
    seconds: float = 60.0
    kinds: tuple[str, ...] = KINDS
    level: int = 0
    powers: Powers = field(default_factory=Powers)
    shrink: bool = True
    most: int = 20000
    jobs: int = 1
    programs: int = 1 << 62
    first: int = 0
    run: bool = False


@dataclass(slots=True)
class Group:
    """Comparisons with one cause; ``example`` is the first, made small; ``number`` and ``kind`` say how to make it."""

    count: int
    number: int
    kind: str
    example: Comparison


@dataclass(slots=True)
class Report:
    """What came of it.

    ``lost``: stretches by their first program whose process died, with how: the kernel stumbles over some programs
    (an oops kills who asked), and what was found in the stretch is gone with it.
    """

    programs: int = 0
    accepted: int = 0
    processed: int = 0
    too_long: int = 0
    unsupported: Counter[str] = field(default_factory=Counter)
    unusable: Counter[str] = field(default_factory=Counter)
    lost: dict[int, str] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)

    @property
    def differences(self) -> int:
        """How many programs differ."""
        return sum(group.count for group in self.groups.values())

    def add(self, other: Report) -> None:
        """Take in what another process found."""
        self.programs += other.programs
        self.accepted += other.accepted
        self.processed += other.processed
        self.too_long += other.too_long
        self.unsupported += other.unsupported
        self.unusable += other.unusable
        self.lost |= other.lost
        for cause, group in other.groups.items():
            if cause in self.groups:
                self.groups[cause].count += group.count
            else:
                self.groups[cause] = group


def make(plan: Plan, number: int) -> tuple[str, Program]:
    """The program of that number: always the same for the same seed and kinds."""
    rng = Random(f"{plan.seed} {number}")
    kind = plan.kinds[int(rng.random() * len(plan.kinds))]
    return kind, generate(rng, kind)


def level_of(plan: Plan, number: int) -> int:
    """The log level at which it is judged."""
    return plan.level or (5 if number % EVERY == 0 else 2)


def run(plan: Plan, tell: Callable[[Report], None] | None = None) -> Report:
    """Try programs until the time is over, in several processes if there are to be more jobs.

    Raises Unavailable where the kernel lets nobody without CAP_BPF load programs, and the loader is to have none.
    """
    if not plan.powers.bpf and SYSCTL.is_file() and SYSCTL.read_text().strip() != "0":
        raise Unavailable(f"this kernel takes no program without CAP_BPF ({SYSCTL} is not 0): no judge to compare with")
    if plan.jobs == 1:
        return _part(plan, tell)
    report = Report()
    parts = [replace(plan, first=plan.first + job) for job in range(plan.jobs)]
    try:
        with ProcessPoolExecutor(plan.jobs, multiprocessing.get_context("fork")) as pool:
            for part in pool.map(_part, parts):
                report.add(part)
    except BrokenProcessPool as broken:
        raise Unavailable("a process of the comparison was killed: is there enough memory?") from broken
    return report


def _part(plan: Plan, tell: Callable[[Report], None] | None = None) -> Report:
    """Every program of one process, judged by its children; then what was found is made small."""
    report, end = Report(), time.monotonic() + plan.seconds
    for stretch, found in each(_stretches(plan, end), _stretch, STRETCH_SECONDS):
        if isinstance(found, Report):
            report.add(found)
        elif found.why.startswith("raised"):
            raise InternalError(f"programs from number {stretch.first}: {found.why}")
        else:
            report.lost[stretch.first] = found.why
        if tell is not None:
            tell(report)
    with Kernel() as kernel:
        for group in report.groups.values() if plan.shrink else ():
            group.example = made_small(kernel, group.example, plan, group.number)
    return report


def _stretches(plan: Plan, end: float) -> Iterator[Plan]:
    """Its programs in parts, until the time is over."""
    first, step = plan.first, STRETCH * plan.jobs
    while first < plan.programs and (left := end - time.monotonic()) > 0:
        yield replace(plan, first=first, programs=min(plan.programs, first + step), seconds=left)
        first += step


def _stretch(plan: Plan) -> Report:
    """What came of a part."""
    report, end = Report(), time.monotonic() + plan.seconds
    with Kernel() as kernel:
        for number in range(plan.first, plan.programs, plan.jobs):
            if time.monotonic() > end:
                break
            one(plan, number, kernel, report)
    return report


def one(plan: Plan, number: int, kernel: Kernel, report: Report) -> None:
    """One program: ask both, and count."""
    kind, program = make(plan, number)
    report.programs += 1
    try:
        found = compare(kernel, program, level_of(plan, number), plan.powers, plan.most)
    except OsmiaError as error:
        report.unusable[type(error).__name__] += 1
        return
    note(report, found)
    if plan.run and found.kind == "same" and not found.kernel.errno:
        found = ran(found, number)
    if not found.differs:
        return
    cause = found.cause
    if cause in report.groups:
        report.groups[cause].count += 1
    else:
        report.groups[cause] = Group(1, number, kind, found)


def ran(found: Comparison, number: int) -> Comparison:
    """Run an accepted program; what goes wrong counts as a crash."""
    for violation in violations(found.program, Random(number)):
        return replace(found, osmia=Answer(-1, crash=f"{UNSOUND}: {violation.text}"))
    return found


def note(report: Report, found: Comparison) -> None:
    """Count it."""
    report.accepted += not found.kernel.errno
    report.processed += found.kernel.processed
    report.too_long += found.kind == "too long"
    if found.kind == "unsupported":
        report.unsupported[found.osmia.unsupported] += 1


def made_small(kernel: Kernel, found: Comparison, plan: Plan, number: int) -> Comparison:
    """The same cause in the smallest program that can be found in a while."""
    end, best = time.monotonic() + SHRINK_SECONDS, found

    def still(program: Program) -> bool:
        nonlocal best
        if time.monotonic() > end:
            return False
        try:
            now = compare(kernel, program, found.level, found.powers, plan.most)
        except OsmiaError:
            return False
        if found.osmia.crash.startswith(UNSOUND) and now.kind == "same" and not now.kernel.errno:
            now = ran(now, number)
        if now.differs and now.cause == found.cause:
            best = now
            return True
        return False

    shrink(found.program, still)
    return best


def case_of(found: Comparison, why: str) -> Case:
    """A difference as a case to keep, with the kernel's answer."""
    return Case(found.program, found.level, found.powers, found.kernel.errno, found.kernel.log, why)


def describe(cause: str, group: Group) -> str:
    """A group for the reader: cause, program, both logs side by side around the first line that differs."""
    found = group.example
    text = dump(replace(case_of(found, ""), log=""))
    program = "\n".join(line for line in text.splitlines() if not line.startswith(("btf:", "log:", "errno:")))
    head = f"=== {group.count} × {cause}\n    program {group.number} ({group.kind}), log level {found.level}\n{program}"
    verdicts = f"kernel: errno {found.kernel.errno}; osmia: {found.osmia.crash or f'errno {found.osmia.errno}'}"
    return f"{head}\n{verdicts}\n" + "\n".join(side_by_side(found))


def side_by_side(found: Comparison) -> Iterator[str]:
    """The kernel's log on the left, Osmia's on the right, a mark where they differ."""
    if found.osmia.crash:
        yield from found.kernel.log.splitlines()[-AROUND:]
        return
    at = found.first[0]
    yield f"{f'kernel, line {at + 1}':{COLUMN}}   osmia"
    rows = list(zip_longest(found.kernel.log.splitlines(), found.osmia.log.splitlines(), fillvalue=""))
    for left, right in rows[max(0, at - AROUND) : at + AROUND]:
        mark = " " if left == right else "!"
        if len(left) > COLUMN:
            yield f"{left}\n{'':{COLUMN}} {mark} {right}"
        else:
            yield f"{left:{COLUMN}} {mark} {right}"
