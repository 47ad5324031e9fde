"""What a branch says on the path that was walked: the condition that holds, what the verifier learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osmia.explain.case import JA, JMP, JMP32, Case
from osmia.explain.names import name_of
from osmia.explain.words import number
from osmia.verifier import consts as c

if TYPE_CHECKING:
    from osmia.explain.trail import Step
    from osmia.verifier.insn import VInsn

OPERATORS = {
    0x10: "==", 0x20: ">", 0x30: ">=", 0x50: "!=", 0x60: ">", 0x70: ">=",
    0xA0: "<", 0xB0: "<=", 0xC0: "<", 0xD0: "<=",
}  # fmt: skip
REVERSED = {"==": "!=", "!=": "==", ">": "<=", ">=": "<", "<": ">=", "<=": ">"}
SIGNED = (0x60, 0x70, 0xC0, 0xD0)
JSET = 0x40


def is_branch(insn: VInsn) -> bool:
    """A jump that compares something?"""
    op = insn.code & 0xF0
    return insn.code & 7 in (JMP, JMP32) and op != JA and (op in OPERATORS or op == JSET)


def compares(insn: VInsn, regno: int) -> bool:
    """Is a register one of the two sides?"""
    return insn.dst == regno or bool(insn.code & 8 and insn.src == regno)


def taken(before: Step, after: Step, insn: VInsn) -> bool:
    """Did the path jump?"""
    return after.insn != before.insn + 1 and insn.off != 0


def condition(case: Case, before: Step, after: Step) -> str:
    """The condition that is true behind a branch: ``idx <= 64``, ``v is not NULL``."""
    insn = case.env.insns[before.insn]
    op = insn.code & 0xF0
    jumped = taken(before, after, insn)
    frame = len(before.frames) - 1
    reg = before.regs[insn.dst]
    left = name_of(case, before, frame, insn.dst) or f"R{insn.dst}"
    right = (name_of(case, before, frame, insn.src) or f"R{insn.src}") if insn.code & 8 else number(insn.imm)
    if op == JSET:
        return f"({left} & {right}) {'!=' if jumped else '=='} 0"
    sign = OPERATORS[op] if jumped else REVERSED[OPERATORS[op]]
    if not insn.code & 8 and insn.imm == 0 and reg.type != c.SCALAR_VALUE and sign in ("==", "!="):
        return f"{left} is {'' if sign == '==' else 'not '}NULL"
    signed = ", as signed numbers" if op in SIGNED else ""
    return f"{left} {sign} {right}{signed}"
