"""Which row of the table is this slot?  Valid, a known opcode with a reserved field in use, or unknown."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from osmia.errors import UsageError
from osmia.isa.consts import MAX_BPF_REG
from osmia.isa.insn import Insn
from osmia.isa.table import BY_NAME, OPS, Field, Kind, Op


class Known(NamedTuple):
    """A valid instruction."""

    op: Op


class Reserved(NamedTuple):
    """A known opcode in which ``fields`` hold what they may not; ``op`` is the nearest row."""

    op: Op
    fields: tuple[str, ...]


class Unknown(NamedTuple):
    """An opcode that no row has.  The second slot of a 64-bit immediate load (opcode 0) is one of them."""

    code: int


def _build() -> tuple[tuple[Op, ...], ...]:
    rows: list[list[Op]] = [[] for _ in range(256)]
    for op in OPS:
        rows[op.code].append(op)
    return tuple(tuple(r) for r in rows)


BY_CODE: tuple[tuple[Op, ...], ...] = _build()
"""The rows of each opcode byte: none, one, or several that selector fields tell apart."""


def _fits(field: Field, value: int) -> bool:
    if isinstance(field, int):
        return value == field
    return field is not Kind.REG or 0 <= value < MAX_BPF_REG


def _misfits(op: Op, insn: Insn) -> tuple[str, ...]:
    fields = zip(Insn._fields[1:], (op.dst, op.src, op.off, op.imm), insn[1:], strict=True)
    return tuple(name for name, field, value in fields if not _fits(field, value))


def classify(insn: Insn) -> Known | Reserved | Unknown:
    """Tell a valid instruction from one with a reserved field in use and from an unknown opcode."""
    rows = BY_CODE[insn.code & 0xFF]
    if not rows:
        return Unknown(insn.code)
    wrong, op = min(((_misfits(op, insn), op) for op in rows), key=lambda pair: len(pair[0]))
    return Reserved(op, wrong) if wrong else Known(op)


@cache
def find(name: str) -> Op:
    """The row of that name.  Raises UsageError when there is none."""
    try:
        return BY_NAME[name]
    except KeyError:
        raise UsageError(f"no instruction is called {name!r}") from None
