"""Write src/osmia/verifier/rules.py and its C types from the table of features.

    python tools/gen_rules.py            # writes both
    python tools/gen_rules.py --check    # exit status 1 when one in the tree is stale
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

from osmia.kernel.features import features

ROOM = Path(__file__).parent.parent / "src/osmia/verifier"
HEAD = '''\
"""The rules that kernels differ in, as one kernel has them.  Made by tools/gen_rules.py: do not edit.

The table is ``kernel/data/features.txt``: it says since when each holds, and what it means.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache


@cache
def rules_of(names: frozenset[str]) -> Rules:
    """The rules of a kernel with these features."""
    return Rules(names)


class Rules:
    """``env.rules``: one flag a feature."""

    def __init__(self, names: Collection[str]) -> None:
'''
TYPES = """\
# Made by tools/gen_rules.py: do not edit.
cimport cython

@cython.final
cdef class Rules:
"""


def module() -> str:
    """rules.py."""
    flags = (f'        self.{row.attribute} = "{row.name}" in names' for row in features().values())
    return HEAD + "\n".join(flags) + "\n"


def types() -> str:
    """rules.pxd."""
    names = ", ".join(row.attribute for row in features().values())
    lines = textwrap.wrap(names, 100, break_long_words=False)
    return TYPES + "".join(f"    cdef readonly bint {line.rstrip(',')}\n" for line in lines)


def main() -> int:
    """The command line."""
    made = {ROOM / "rules.py": module(), ROOM / "rules.pxd": types()}
    if "--check" in sys.argv:
        return 0 if all(path.is_file() and path.read_text("utf-8") == text for path, text in made.items()) else 1
    for path, text in made.items():
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
