"""Bare instructions as LLVM assembly that reads back as the same slots."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from osmia.asm.llvm_print import Shape
from osmia.asm.llvm_syntax import SYNTAX
from osmia.isa import Insn, encode
from osmia.isa import consts as c
from osmia.isa.classify import BY_CODE
from osmia.isa.table import Kind, Op

_CALL = c.BPF_JMP | c.BPF_CALL


class _Row(NamedTuple):
    """A valid row for some opcode and registers; off and imm are None where they are free."""

    shape: Shape
    off: int | None
    imm: int | None
    says_imm: bool


class Writer:
    """Writes one stream of slots; a label stands where a local call leads to."""

    def __init__(self, insns: list[Insn]) -> None:
        self.insns = insns
        self._rows: dict[tuple[int, int, int], list[_Row]] = {}
        self._memo: dict[Insn, str] = {}
        self.starts = self._line_starts()
        here = set(self.starts) | {len(insns)}
        calls = (at + 1 + insns[at].imm for at in self.starts if self._is_local_call(insns[at]))
        self.labels = here.intersection(calls)  # a label can't stand inside a 64-bit immediate

    def _line_starts(self) -> list[int]:
        """The slots at which lines begin."""
        found, at = [], 0
        while at < len(self.insns):
            found.append(at)
            at += 2 if self.insns[at].code == c.LD_IMM64 and self._wide(at) is not None else 1
        return found

    @staticmethod
    def _is_local_call(insn: Insn) -> bool:
        return insn.code == _CALL and insn[1:4] == (0, c.BPF_PSEUDO_CALL, 0)

    def text(self) -> str:
        """All lines."""
        lines, memo, insns = [], self._memo, self.insns
        for at in self.starts:
            if at in self.labels:
                lines.append(f"F{at}:\n")
            line = memo.get(insns[at])
            lines.append(line if line is not None else self._line(at))
        if len(insns) in self.labels:
            lines.append(f"F{len(insns)}:\n")
        return "".join(lines)

    def _line(self, at: int) -> str:
        insn = self.insns[at]
        if insn.code == c.LD_IMM64:
            return f"\t{self._wide(at) or _bytes(insn)}\n"
        if self._is_local_call(insn) and at + 1 + insn.imm in self.labels:
            return f"\tcall F{at + 1 + insn.imm}\n"
        row = self._row(insn)
        hidden = row is None or (insn.imm and not row.says_imm)  # an indirect packet load does not say its imm
        line = f"\t{_bytes(insn) if row is None or hidden else row.shape.text(insn)}\n"
        if insn.code != _CALL:
            self._memo[insn] = line
        return line

    def _wide(self, at: int) -> str | None:
        """Both slots of a 64-bit immediate load; None where there is none or the text could not say all of it."""
        if at + 1 >= len(self.insns):
            return None
        insn, high = self.insns[at], self.insns[at + 1]
        if high[:4] != (0, 0, 0, 0) or (insn.src_reg and high.imm):
            return None  # ld_pseudo says the lower half only
        row = self._row(insn)
        return row.shape.text(insn, high.imm) if row is not None else None

    def _row(self, insn: Insn) -> _Row | None:
        """The row of a valid instruction that LLVM has a text for."""
        key = insn[:3]
        rows = self._rows.get(key)
        if rows is None:
            rows = self._rows[key] = list(filter(None, (_filled(op, insn) for op in BY_CODE[insn.code & 0xFF])))
        for row in rows:
            if (row.off is None or row.off == insn.off) and (row.imm is None or row.imm == insn.imm):
                return row
        return None


def _filled(op: Op, insn: Insn) -> _Row | None:
    """The row, where the instruction's registers fit and LLVM has a text."""
    pattern = SYNTAX.get(op.name)
    for field, reg in ((op.dst, insn.dst_reg), (op.src, insn.src_reg)):
        if not (0 <= reg <= c.BPF_REG_10 if field is Kind.REG else field == reg):
            return None
    if pattern is None:
        return None
    off, imm = (f if isinstance(f, int) else None for f in (op.off, op.imm))
    return _Row(_shape(pattern), off, imm, imm is not None or not op.name.startswith("ldind"))


@cache
def _shape(pattern: str) -> Shape:
    return Shape(pattern, 0, 0)


def _bytes(insn: Insn) -> str:
    """The eight bytes, for what has no text."""
    return ".byte " + ", ".join(f"{b:#04x}" for b in encode([insn]))
