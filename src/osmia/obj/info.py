"""func_info and line_info by function: which rows of .BTF.ext belong to which code."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Generic, TypeVar

from osmia.btf.ext import FuncRow, LineRow
from osmia.obj.parts import Function

Row = TypeVar("Row", FuncRow, LineRow)


class InfoTable(Generic[Row]):
    """The rows of one table by section, in the order of the code."""

    def __init__(self, table: dict[str, list[Row]]) -> None:
        by_offset = {name: sorted(rows, key=lambda r: r.insn_off) for name, rows in table.items()}
        self._rows: dict[str, list[Row]] = by_offset
        self._offsets: dict[str, list[int]] = {n: [r.insn_off for r in rows] for n, rows in self._rows.items()}

    def of(self, function: Function) -> Sequence[Row]:
        """The rows of a function's code."""
        offsets = self._offsets.get(function.section.name)
        if offsets is None:
            return ()
        first, last = (bisect_left(offsets, slot * 8) for slot in (function.start, function.end))
        return self._rows[function.section.name][first:last]

    def moved(self, placed: dict[Function, int]) -> list[tuple[int, Row]] | Function:
        """All rows of placed functions with their new slots, or the first function that lacks any.

        Nothing at all when it is the first function, the program itself: it then has no info (libbpf's rule).
        """
        found: list[tuple[int, Row]] = []
        for number, (function, start) in enumerate(placed.items()):
            rows = self.of(function)
            if not rows:
                return [] if number == 0 else function
            found += [(row.insn_off // 8 - function.start + start, row) for row in rows]
        return found
