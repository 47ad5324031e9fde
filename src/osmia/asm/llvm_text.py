"""Bare instructions as LLVM assembly that reads back as the same slots."""

from __future__ import annotations

from osmia.asm.llvm_print import Shape, registers
from osmia.asm.llvm_syntax import SYNTAX
from osmia.isa import Insn, Known, classify, encode
from osmia.isa import consts as c


class Writer:
    """Writes one stream of slots; a label stands where a local call leads to."""

    def __init__(self, insns: list[Insn]) -> None:
        self.insns = insns
        self._shapes: dict[tuple[str, int, int], Shape | None] = {}
        self.starts = self._line_starts()
        here = set(self.starts) | {len(insns)}
        calls = (at + 1 + insns[at].imm for at in self.starts if self._is_local_call(insns[at]))
        self.labels = here.intersection(calls)  # a label can't stand inside a 64-bit immediate

    def _line_starts(self) -> list[int]:
        """The slots at which lines begin."""
        found, at = [], 0
        while at < len(self.insns):
            found.append(at)
            at += 2 if self._wide_text(at) is not None else 1
        return found

    @staticmethod
    def _is_local_call(insn: Insn) -> bool:
        return insn.code == c.BPF_JMP | c.BPF_CALL and insn[1:4] == (0, c.BPF_PSEUDO_CALL, 0)

    def text(self) -> str:
        """All lines."""
        lines = []
        for at in self.starts:
            if at in self.labels:
                lines.append(f"F{at}:\n")
            lines.append(f"\t{self._line(at)}\n")
        if len(self.insns) in self.labels:
            lines.append(f"F{len(self.insns)}:\n")
        return "".join(lines)

    def _line(self, at: int) -> str:
        insn = self.insns[at]
        wide = self._wide_text(at)
        if wide is not None:
            return wide
        if self._is_local_call(insn) and at + 1 + insn.imm in self.labels:
            return f"call F{at + 1 + insn.imm}"
        found = classify(insn)
        if isinstance(found, Known) and not found.op.wide:
            shape = self._shape(found.op.name, insn)
            if shape is not None and not self._loses(found.op.name, insn):
                return shape.text(insn.off, insn.imm, 0)
        return _bytes(insn)

    @staticmethod
    def _loses(name: str, insn: Insn) -> bool:
        """LLVM's text of the indirect packet load does not say the immediate."""
        return name.startswith("ldind") and insn.imm != 0

    def _wide_text(self, at: int) -> str | None:
        """Both slots of a 64-bit immediate load; None where there is none or the text could not say all of it."""
        insn = self.insns[at]
        if not insn.is_wide or at + 1 >= len(self.insns):
            return None
        high, found = self.insns[at + 1], classify(insn)
        if high[:4] != (0, 0, 0, 0) or not isinstance(found, Known):
            return None
        if insn.src_reg and high.imm:
            return None  # ld_pseudo says the lower half only
        shape = self._shape(found.op.name, insn)
        return shape.text(insn.off, insn.imm, high.imm) if shape is not None else None

    def _shape(self, name: str, insn: Insn) -> Shape | None:
        key = name, insn.dst_reg, insn.src_reg
        if key not in self._shapes:
            filled = registers(SYNTAX[name], insn.dst_reg, insn.src_reg) if name in SYNTAX else None
            self._shapes[key] = Shape(filled, 0, 0) if filled is not None else None
        return self._shapes[key]


def _bytes(insn: Insn) -> str:
    """The eight bytes, for what has no text."""
    return ".byte " + ", ".join(f"{b:#04x}" for b in encode([insn]))
