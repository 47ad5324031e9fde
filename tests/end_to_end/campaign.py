"""Many random programs: counts, and the first differences made small.

Run from the root of the repository: ``PYTHONPATH=tests python -m end_to_end.campaign --seconds 600 --from 1``.
Differences go into the directory given by ``--keep`` as C text, with what each side said.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from end_to_end import judge
from end_to_end.cgen_packets import Programs
from end_to_end.nodes import shrink

import osmia
from osmia.cc import installed_compilers
from osmia.errors import CompileError, OsmiaError

OPTIONS = ("-w", "-fwrapv")
PACKETS = 5


@dataclass
class Case:
    """A random program, before anyone has run it."""

    seed: int
    generator: Programs
    packets: list[bytes]
    compiler: str

    def __post_init__(self) -> None:
        self.tree = self.generator.tree()
        self.cpu = self.generator.cpu
        self.turns = self.seed % 3 == 0
        """Whether the CPUs take turns with the packets."""

    @classmethod
    def of(cls, seed: int) -> Case:
        generator = Programs(seed)
        generator.compiler = generator.random.choice([c.name for c in installed_compilers()] or ["none"])
        packets = [generator.packet() for _ in range(PACKETS)]
        return cls(seed, generator, packets, generator.compiler)

    def compiled(self, text: str | None = None) -> osmia.Collection:
        """Raises CompileError."""
        source = str(self.tree) if text is None else text
        cpus = judge.possible_cpus()
        return osmia.compile(source, cpu=self.cpu, compiler=self.compiler, extra=OPTIONS, cpus=cpus)

    def difference(self, text: str | None = None) -> tuple[str | None, judge.Answer | str, judge.Answer]:
        """As ``judge.compare``.  Raises CompileError, Refused."""
        return judge.compare(self.compiled(text), "test", self.packets, self.turns)

    def shrunk(self, what: str, tries: int) -> str:
        """The text of a smaller program that differs in the same way."""

        def keeps(text: str) -> bool:
            try:
                return self.difference(text)[0] == what
            except (OsmiaError, KeyError, judge.Refused):  # no program, or one that means nothing
                return False

        return shrink(self.tree, keeps, tries)


def campaign(first: int, seconds: float, counts: Counter[str], limit: int = 1 << 60) -> Iterator[tuple[Case, str]]:
    """Run programs until the time is over; the ones that differ come out with what differs."""
    end, seed = time.monotonic() + seconds, first
    while time.monotonic() < end and seed < first + limit:
        case = Case.of(seed)
        seed += 1
        try:
            what = case.difference()[0]
        except CompileError:
            counts["not compiled"] += 1
            continue
        except judge.Refused:
            counts["refused"] += 1
            continue
        counts["compared"] += 1
        counts["on all CPUs"] += case.turns
        counts[f"{case.generator.prog_type}"] += 1
        counts[f"{case.cpu} {case.compiler}"] += 1
        if what is not None:
            counts["different"] += 1
            yield case, what


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--from", dest="first", type=int, default=1)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--tries", type=int, default=400)
    options.add_argument("--shrink", type=int, default=3, help="so many differences are made small")
    options.add_argument("--keep", type=Path, default=Path("differences"))
    asked = options.parse_args()
    counts: Counter[str] = Counter()
    asked.keep.mkdir(exist_ok=True, parents=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for number, (case, what) in enumerate(campaign(asked.first, asked.seconds, counts)):
            print(f"seed {case.seed}: {what}", flush=True)
            text = case.shrunk(what, asked.tries) if number < asked.shrink else str(case.tree)
            _, ours, theirs = case.difference(text)
            words = f"/* seed {case.seed}, {case.cpu}, {case.compiler}: {what}\n{ours}\n{theirs}\n*/\n"
            (asked.keep / f"{case.seed}.c").write_text(words + text)
    finally:
        print(dict(counts), flush=True)
    return 1 if counts["different"] else 0


if __name__ == "__main__":
    sys.exit(main())
