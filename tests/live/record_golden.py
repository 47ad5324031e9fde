"""Ask the running kernel for the answers of ``vm.golden_cases`` and write tests/vm/golden/*.txt.

Run from the root of the repository: ``PYTHONPATH=src:tests python tests/live/record_golden.py``.
"""

from __future__ import annotations

import platform
from pathlib import Path

from vm import golden_cases, golden_io

from osmia import live

GOLDEN = Path(__file__).parent.parent / "vm" / "golden"


def record(case: golden_io.Case) -> golden_io.Case:
    with live.load(case.program) as loaded:
        result = loaded.test_run(case.data)
    case.retval, case.out = result.retval, result.data or b""
    return case


def main() -> None:
    GOLDEN.mkdir(exist_ok=True)
    for name, cases in golden_cases.FILES.items():
        release = platform.release().split("-")[0]
        head = f"# Answers of Linux {release}; tests/live/record_golden.py wrote this file.\n\n"
        (GOLDEN / f"{name}.txt").write_text(head + "\n".join(golden_io.write(record(case)) for case in cases()))


if __name__ == "__main__":
    main()
