"""Record a program's answers by the running kernel as a golden file.

From the root of the repository: ``PYTHONPATH=tests python -m end_to_end.record_golden NAME "what it shows" --seed 7``,
or ``--c FILE --cpu v3 --seed 7`` for a text (a shrunk one) that runs on that seed's packets.
"""

from __future__ import annotations

import argparse
import platform
from pathlib import Path

from end_to_end import judge
from end_to_end.campaign import Case
from end_to_end.golden_text import GOLDEN, Golden, write


def record(case: Case, text: str, about: str) -> Golden:
    """Ask the kernel.  Raises Refused, CompileError."""
    collection = case.compiled(text)
    packets = sorted(case.packets, key=len)[:3]  # files are for reading
    release, cpus = platform.release().split("-")[0], judge.possible_cpus()
    kind = collection["test"].prog_type
    turns = " by turns" if case.turns else ""
    built = f"{kind}, {case.cpu} by {case.compiler}, answers of Linux {release}, {cpus} CPUs{turns}"
    answer = judge.by_kernel(collection, "test", packets, case.turns)
    return Golden(about, built, text, collection.raw, packets, answer)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("name")
    options.add_argument("about")
    options.add_argument("--seed", type=int, required=True)
    options.add_argument("--c", type=Path)
    options.add_argument("--cpu")
    asked = options.parse_args()
    case = Case.of(asked.seed)
    case.cpu = asked.cpu or case.cpu
    text = asked.c.read_text() if asked.c else str(case.tree)
    GOLDEN.mkdir(exist_ok=True)
    (GOLDEN / f"{asked.name}.txt").write_text(write(record(case, text, asked.about)))


if __name__ == "__main__":
    main()
