"""Ask the running kernel again for verifier cases: python tools/record_cases.py tests/verifier/golden/cfg/*.txt

Errno and log of every file are written anew; comments, program and maps stay.  Exits with 1 if a file changed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from osmia.testing.answers import Kernel
from osmia.testing.cases import dump, parse


def main(paths: list[str]) -> int:
    """Record every file."""
    changed = 0
    with Kernel() as kernel:
        for path in map(Path, paths):
            before = path.read_text("utf-8")
            case = parse(before)
            answer = kernel.ask(case.program, case.level, case.powers)
            case.errno, case.log = answer.errno, answer.log
            after = dump(case)
            if after != before:
                path.write_text(after, "utf-8")
                print(path)
                changed = 1
    return changed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
