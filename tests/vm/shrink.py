"""Make a program smaller while it keeps a property."""

from __future__ import annotations

from collections.abc import Callable

from osmia.isa import Insn
from osmia.isa import consts as c

_CALL, _EXIT = c.BPF_JMP | c.BPF_CALL, c.BPF_JMP | c.BPF_EXIT
_LONG = c.BPF_JMP32 | c.BPF_JA


def without(insns: list[Insn], first: int, count: int) -> list[Insn]:
    """The program without ``count`` slots from ``first`` on; jumps still reach what they reached."""

    def distance(pc: int, off: int) -> int:
        target = pc + 1 + off
        gone = sum(first <= slot < first + count for slot in range(min(pc + 1, target), max(pc + 1, target)))
        return off - gone if off >= 0 else off + gone

    out = []
    for pc, insn in enumerate(insns):
        if first <= pc < first + count:
            continue
        if insn.code == _LONG or (insn.code == _CALL and insn.src_reg == c.BPF_PSEUDO_CALL):
            insn = insn._replace(imm=distance(pc, insn.imm))
        elif insn.code & 7 in (c.BPF_JMP, c.BPF_JMP32) and insn.code not in (_CALL, _EXIT):
            insn = insn._replace(off=distance(pc, insn.off))
        out.append(insn)
    return out


def shrink(insns: list[Insn], keeps: Callable[[list[Insn]], bool], fixed: int = 0) -> list[Insn]:
    """A program from which nothing behind the first ``fixed`` slots can be taken away.

    ``keeps`` says whether the property still holds.
    """
    size = len(insns) // 2
    while size:
        first = fixed
        while first + size <= len(insns):
            smaller = without(insns, first, size)
            if smaller and keeps(smaller):
                insns = smaller
            else:
                first += 1
        size //= 2
    return insns
