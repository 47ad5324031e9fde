"""Write src/osmia/verifier/rules.py from the table of features: ``python tools/gen_rules.py [--check]``."""

from __future__ import annotations

import sys
from pathlib import Path

from osmia.kernel.features import features

OUT = Path(__file__).parent.parent / "src/osmia/verifier/rules.py"
HEAD = '''\
"""The rules that kernels differ in, as one kernel has them.  Made by tools/gen_rules.py: do not edit.

The table is ``kernel/data/features.txt``: it says since when each holds, and what it means.
"""

from __future__ import annotations

from collections.abc import Collection


class Rules:
    """``env.rules``: one flag a feature."""

    def __init__(self, names: Collection[str]) -> None:
'''


def text() -> str:
    """The module."""
    flags = (f'        self.{row.attribute} = "{row.name}" in names' for row in features().values())
    return HEAD + "\n".join(flags) + "\n"


def main() -> int:
    """The command line."""
    if "--check" in sys.argv:
        return 0 if OUT.read_text("utf-8") == text() else 1
    OUT.write_text(text(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
