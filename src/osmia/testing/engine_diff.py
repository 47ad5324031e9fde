"""One program, several engines, one outcome: trials by the thousand, differences made small and put in groups.

Osmia's engines run in a child process: native code that crashes or hangs is a difference like any other.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from random import Random
from typing import Any

from osmia.errors import OsmiaError
from osmia.obj.model import Program
from osmia.testing.engines import ENGINES, SAFE, Refused, leaks
from osmia.testing.generators import edges, observed
from osmia.testing.isolate import Died, each
from osmia.testing.shrink import shrink
from osmia.testing.trial_text import dump
from osmia.testing.trials import Outcome, Trial
from osmia.verifier.env import Powers
from osmia.verifier.judge import judge

KINDS = (*observed.KINDS, "edges")
FIRST = "interp"
"""The engine that the others are held against."""
KERNEL_BITS = 32
SHRINK_SECONDS = 20.0
SECONDS = 120.0
"""For one trial in all engines; verifying it may take long, too."""
NUMBER = re.compile(r"0x[0-9a-f]+|\b[0-9a-f]{8,}\b|-?\b\d+\b")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to try: ``engines`` by name, beside the first; trials ``first`` to ``programs``, as long as ``seconds``."""

    seed: int
    seconds: float = 60.0
    kinds: tuple[str, ...] = KINDS
    engines: tuple[str, ...] = tuple(name for name in ENGINES if name != FIRST)
    shrink: bool = True
    programs: int = 1 << 62
    first: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one trial in one engine: ``text`` tells the difference ("" for none); ``refused``: none was made."""

    engine: str
    text: str = ""
    refused: str = ""


@dataclass(slots=True)
class Group:
    """Differences that look alike; ``example`` is the first, made small."""

    count: int
    number: int
    engine: str
    text: str
    example: Trial


@dataclass(slots=True)
class Report:
    """What came of it: ``same`` and ``refused`` by engine."""

    programs: int = 0
    accepted: int = 0
    same: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    groups: dict[str, Group] = field(default_factory=dict)

    @property
    def differences(self) -> int:
        """How many times an engine differed."""
        return sum(group.count for group in self.groups.values())


@cache
def edge_trials() -> list[Trial]:
    """Every instruction at the edges: the same whatever the seed is."""
    return list(edges.trials())


def make(plan: Plan, number: int) -> Trial:
    """The trial of that number: always the same for the same seed, kinds and engines."""
    rng = Random(f"{plan.seed} {number}")
    kind = plan.kinds[number % len(plan.kinds)]
    if kind == "edges":
        return edge_trials()[number // len(plan.kinds) % len(edge_trials())]
    return observed.trial(rng, kind, anywhere="kernel" in plan.engines)


def accepted(trial: Trial) -> bool:
    """Does the verifier take all of its programs?  Only then it may run unchecked."""
    return all(judge(program, log_level=0).ok for program in (trial.program, *trial.others.values()))


def attempt(trial: Trial, engines: Sequence[str], verified: bool) -> list[Finding]:
    """One trial in all engines."""
    try:
        first = ENGINES[FIRST](trial)
    except Refused as error:
        return [Finding(FIRST, refused=str(error))]
    return [_one(trial, name, first, verified) for name in engines]


def _one(trial: Trial, name: str, first: Outcome, verified: bool) -> Finding:
    if not verified and name not in SAFE:
        return Finding(name, refused="the verifier does not take the program")
    try:
        outcome = ENGINES[name](trial)
    except Refused as error:
        return Finding(name, refused=str(error))
    except OsmiaError as error:
        return Finding(name, f"raises {type(error).__name__}: {error}")
    except Exception as error:  # a bug of ours is what this is here to find
        return Finding(name, f"raises {type(error).__name__}: {error}")
    return Finding(name, first.differs(outcome, bits=KERNEL_BITS if name == "kernel" else 64))


def run(plan: Plan, tell: Callable[[Report], None] | None = None) -> Report:
    """Try until the time or the programs are over."""
    report, end = Report(), time.monotonic() + plan.seconds

    def numbers() -> Iterator[int]:
        number = plan.first
        while number < plan.programs and time.monotonic() < end:
            yield number
            number += 1

    def work(number: int) -> tuple[bool, list[Finding]]:
        trial = make(plan, number)
        verified = accepted(trial)
        return verified, attempt(trial, plan.engines, verified)

    for number, answer in each(numbers(), work, SECONDS):
        report.programs += 1
        if isinstance(answer, Died):
            _count(plan, report, number, Finding("native code", f"the process {answer.why}"))
        else:
            report.accepted += answer[0]
            for finding in answer[1]:
                _count(plan, report, number, finding)
        if tell is not None:
            tell(report)
    if plan.shrink:
        for group in report.groups.values():
            group.example = made_small(plan, group)
    return report


def _count(plan: Plan, report: Report, number: int, finding: Finding) -> None:
    if finding.refused:
        report.refused[finding.engine] += 1
        report.reasons[f"{finding.engine}: {plain(finding.refused)}"] += 1
    elif not finding.text:
        report.same[finding.engine] += 1
    else:
        cause = f"{finding.engine}: {plain(finding.text)}"
        if cause in report.groups:
            report.groups[cause].count += 1
        else:
            report.groups[cause] = Group(1, number, finding.engine, finding.text, make(plan, number))


def plain(text: str) -> str:
    """A text without its numbers, and not too long."""
    return NUMBER.sub("N", text.strip().splitlines()[0] if text.strip() else "")[:100]


def made_small(plan: Plan, group: Group) -> Trial:
    """The same engine differs on the smallest program that can be found in a while.

    A program that becomes one whose numbers depend on addresses, or on a stack that nobody wrote, says nothing.
    """
    end = time.monotonic() + SHRINK_SECONDS
    start = group.example
    strict = tidy(start.program)
    engines = tuple(name for name in plan.engines if name == group.engine) or plan.engines

    def differs(program: Program) -> bool:
        trial = start.with_program(program)
        try:
            verified = accepted(trial)
            if (strict and not tidy(program)) or (not verified and group.engine not in SAFE) or leaks(trial):
                return False
        except OsmiaError:
            return False
        return any(finding.text for finding in attempt(trial, engines, verified))

    def still(program: Program) -> bool:
        if time.monotonic() > end:
            return False
        ((_, answer),) = each([program], differs, 5.0)
        return isinstance(answer, Died) or answer

    return replace(start, program=shrink(start.program, still))


def tidy(program: Program) -> bool:
    """Would a loader that must not see addresses or old stack be let have it?"""
    return judge(program, power=Powers(perfmon=False, sys_admin=False), log_level=0).ok


def facts(plan: Plan, report: Report) -> dict[str, Any]:
    """The report as plain values."""
    return {
        "seed": plan.seed,
        "programs": report.programs,
        "accepted": report.accepted,
        "same": dict(report.same),
        "refused": dict(report.reasons),
        "differences": report.differences,
        "causes": {cause: group.count for cause, group in report.groups.items()},
    }


def describe(plan: Plan, report: Report) -> str:
    """The report for the reader: every kind of difference with its smallest program, then the counts."""
    lines = []
    for cause, group in report.groups.items():
        lines += [f"=== {group.count} × {cause}", f"    program {group.number}: {group.text}"]
        lines += [dump(group.example), ""]
    lines.append(
        f"seed {plan.seed}: {report.programs} programs, {report.accepted} accepted; {report.differences} differ"
    )
    for name in plan.engines:
        lines.append(f"  {name}: {report.same[name]} the same, {report.refused[name]} not run")
    lines += [f"  not run: {count} × {why}" for why, count in report.reasons.most_common(8)]
    return "\n".join(lines)
