"""Registers and rows as the interpreter's loop reaches them: lists and tuples here, C pointers compiled.

Compiled modules take the C versions from ``native.pxd``; a pc is a position in the list here, an address there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from osmia.vm.ops import IMM

if TYPE_CHECKING:
    from osmia.vm.decode import Row


def registers(file: int, plain: list[int]) -> list[int]:
    """The register file: the list; compiled, the words at the address ``file``."""
    return plain


def row_at(rows: list[Row], pc: int) -> Row:
    """The row that a pc stands for."""
    return rows[pc]


def operand(row: Row, regs: list[int]) -> int:
    """The second operand: a register or the constant; compiled, what the row points at."""
    return row.imm if row.src == IMM else regs[row.src]
