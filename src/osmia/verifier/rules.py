"""The rules that kernels differ in, as one kernel has them.  Made by tools/gen_rules.py: do not edit.

The table is ``kernel/data/features.txt``: it says since when each holds, and what it means.
"""

from __future__ import annotations

from collections.abc import Collection


class Rules:
    """``env.rules``: one flag a feature."""

    def __init__(self, names: Collection[str]) -> None:
        self.data_symbols = "data-symbols" in names
