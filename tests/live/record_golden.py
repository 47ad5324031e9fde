"""Ask the running kernel for the answers of ``vm.golden_cases`` and write tests/vm/golden/*.txt; and for those of a
random program of each kind, in tests/vm/golden/trials.

Run from the root of the repository: ``PYTHONPATH=src:tests python tests/live/record_golden.py``.
"""

from __future__ import annotations

import platform
from pathlib import Path
from random import Random

from vm import golden_cases, golden_io

from osmia import live
from osmia.testing.engine_diff import accepted
from osmia.testing.engines import Refused, run_kernel
from osmia.testing.generators import observed
from osmia.testing.trial_text import dump

GOLDEN = Path(__file__).parent.parent / "vm" / "golden"


def record(case: golden_io.Case) -> golden_io.Case:
    with live.load(case.program) as loaded:
        result = loaded.test_run(case.data)
    case.retval, case.out = result.retval, result.data or b""
    return case


def record_random(kind: str) -> None:
    """The first program of that kind which the kernel takes and that has all of a run behind it."""
    for number in range(100):
        trial = observed.trial(Random(f"golden {kind} {number}"), kind)
        try:
            outcome = run_kernel(trial)
        except Refused:
            continue
        if accepted(trial) and any(any(value) for _, value in dict(outcome.maps)["out"]):
            path = GOLDEN / "trials" / f"random_{kind}.txt"
            path.write_text(dump(trial, f"A random program of the kind {kind}.", outcome))
            return


def main() -> None:
    GOLDEN.mkdir(exist_ok=True)
    for kind in observed.KINDS:
        record_random(kind)
    for name, cases in golden_cases.FILES.items():
        release = platform.release().split("-")[0]
        head = f"# Answers of Linux {release}; tests/live/record_golden.py wrote this file.\n\n"
        (GOLDEN / f"{name}.txt").write_text(head + "\n".join(golden_io.write(record(case)) for case in cases()))


if __name__ == "__main__":
    main()
