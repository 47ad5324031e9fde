"""One instruction in uBPF's words: ``ldxdw %r0, [%r1+8]``."""

from __future__ import annotations

from collections.abc import Callable

from osmia.asm.ubpf_table import SPELLINGS, Spelling
from osmia.isa import Insn
from osmia.isa.insn import imm64
from osmia.isa.table import Kind

Target = Callable[[int], str]
"""Writes the distance of a jump: as ``+3``, or as a label."""
Writer = Callable[[Insn, Insn | None, Target], str]
_SMALL = 10
_MIN32 = -(1 << 31)


def number(value: int) -> str:
    """A constant as the suite writes it: decimal when small or negative, else hexadecimal."""
    return str(value) if _MIN32 < value <= _SMALL else hex(value & 0xFFFFFFFF)


def _memory(register: int, off: int) -> str:
    return f"[%r{register}{off:+d}]" if off else f"[%r{register}]"


_WRITERS: dict[str, Writer] = {
    "dst": lambda i, _n, _t: f"%r{i.dst_reg}",
    "src": lambda i, _n, _t: f"%r{i.src_reg}",
    "imm": lambda i, _n, _t: number(i.imm),
    "dst_mem": lambda i, _n, _t: _memory(i.dst_reg, i.off),
    "src_mem": lambda i, _n, _t: _memory(i.src_reg, i.off),
    "off_target": lambda i, _n, target: target(i.off),
    "imm_target": lambda i, _n, target: target(i.imm),
    "imm64": lambda i, n, _t: hex(imm64(i, n or Insn(0))),
    "next": lambda _i, n, _t: number(n.imm) if n and n.imm else "",
    "off": lambda i, _n, _t: number(i.off) if i.off else "",
    "spaces": lambda i, _n, _t: f"{(i.imm >> 16) & 0xFFFF}, {i.imm & 0xFFFF}",
}
_USES = {"dst": {"dst"}, "src": {"src"}, "imm": {"imm"}, "dst_mem": {"dst", "off"}, "src_mem": {"src", "off"},
         "off_target": {"off"}, "imm_target": {"imm"}, "imm64": {"imm"}, "spaces": {"imm"}, "off": {"off"}}  # fmt: skip


def _fixed(spelling: Spelling) -> tuple[tuple[int, int], ...]:
    """(position of the field in Insn, value) of every field that the text does not say."""
    said = {field for operand in spelling.operands for field in _USES.get(operand, ())}
    kinds = (spelling.op.dst, spelling.op.src, spelling.op.off, spelling.op.imm)
    fields = zip(("dst", "src", "off", "imm"), (1, 2, 3, 4), kinds, strict=True)
    return tuple((at, 0 if isinstance(kind, Kind) else kind) for name, at, kind in fields if name not in said)


_Row = tuple[Spelling, tuple[tuple[int, int], ...]]
_ROWS: list[list[_Row]] = [[] for _ in range(256)]
for _spelling in SPELLINGS:
    _ROWS[_spelling.op.code].append((_spelling, _fixed(_spelling)))


def spelled(insn: Insn) -> Spelling | None:
    """The spelling that says every field of this slot; None where there is none."""
    for spelling, fixed in _ROWS[insn.code]:
        if all(insn[at] == value for at, value in fixed):
            return spelling
    return None


def write(spelling: Spelling, insn: Insn, following: Insn | None, target: Target) -> str:
    """The text of an instruction under one of its spellings."""
    words: list[str] = []
    for operand in spelling.operands:
        if operand.startswith("="):
            words.append(operand[1:])
            continue
        text = _WRITERS[operand](insn, following, target)
        if words and words[-1].isidentifier():
            words[-1] += f" {text}"  # the number behind map_fd and its like
        elif text:
            words.append(text)
    return f"{spelling.mnemonic} {', '.join(words)}".rstrip()


def write_raw(insn: Insn) -> str:
    """The form for slots that no spelling says: ``.slot 0xff, 1, 2, -3, 4``."""
    return f".slot {insn.code:#x}, {insn.dst_reg}, {insn.src_reg}, {insn.off}, {insn.imm}"
