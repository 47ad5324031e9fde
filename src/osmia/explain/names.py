"""What a register's content is called in the source, as far as the lines say it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osmia.explain.case import Case
from osmia.explain.effects import MOV, Link, Spot, cause, value_at
from osmia.explain.source import assigned
from osmia.verifier import consts as c

if TYPE_CHECKING:
    from osmia.explain.trail import Step
    from osmia.verifier.insn import VInsn

ADD_IMM = 0x00
"""Of an addition: operation and source, without the class."""
SCALES = (0x20, 0x60)
"""Multiplication and shift to the left."""
LONG = 32
"""Characters that a name may have."""
FAR = 20_000
"""Steps that are looked back."""


def maker(before: Step, link: Link) -> int:
    """The slot that made a value: what returned from a function is shown where the function was called."""
    return before.frame.callsite if link.kind == "return" and before.frame.callsite >= 0 else before.insn


def name_of(case: Case, step: Step, frame: int, regno: int) -> str:
    """The variable that a register stands for, where the source says so; "" otherwise."""
    key = (id(step), False, frame, regno)
    if key not in case.names:
        case.names[key] = ""  # a loop of names has none
        case.names[key] = _name(case, step, Spot(frame, regno))
    return case.names[key]


def _name(case: Case, step: Step, spot: Spot) -> str:
    for _ in range(FAR):
        before = step.before
        if before is None:
            return "" if spot.stack else case.sources.parameter(step.insn, spot.number)
        if step.left_out:
            return ""
        link = cause(case, before, step, spot)
        if link is not None:
            place = case.place_of(maker(before, link))
            if link.kind == "arithmetic" and link.to is not None and _keeps_name(case.env.insns[before.insn]):
                spot = link.to
                step = before
                continue
            if link.kind in ("load", "call", "constant", "arithmetic", "return"):
                name = assigned(place)
                if name or link.kind != "load":
                    return name or _moved_name(case, before, spot, link)
                text = case.sources.loaded(before.insn)
                return text if len(text) <= LONG and " " not in text else ""
            if link.kind == "argument" and (name := case.sources.parameter(step.insn, spot.number)):
                return name
            if link.to is None:
                return ""
            spot = link.to
        step = before
    return ""


def index_name(case: Case, step: Step, spot: Spot) -> str:
    """The variable behind a number that was scaled to the size of an array's elements: ``i`` of ``i << 3``."""
    name = "" if spot.stack else name_of(case, step, spot.frame, spot.number)
    for _ in range(FAR):
        before = step.before
        if name or before is None or step.left_out:
            break
        link = cause(case, before, step, spot)
        if link is not None:
            insn = case.env.insns[before.insn]
            scaled = link.kind == "arithmetic" and not insn.code & 8 and insn.code & 0xF0 in SCALES
            if link.to is None or not (scaled or link.kind in ("move", "spill", "fill")):
                break
            spot = link.to
            if not spot.stack:
                name = name_of(case, before, spot.frame, spot.number)
        step = before
    return name


def _keeps_name(insn: VInsn) -> bool:
    """Moves that cut or extend, and the pair of shifts by 32 that does so: what the compiler adds of its own."""
    op = insn.code & 0xF0
    return op == MOV or (insn.imm == 32 and not insn.code & 8 and op in (0x60, 0x70, 0xC0))


def _moved_name(case: Case, before: Step, spot: Spot, link: Link) -> str:
    """A pointer that was moved by a constant is called by where it was: ``data + 14``."""
    insn = case.env.insns[before.insn]
    if link.kind != "arithmetic" or link.to != spot or insn.code & 0xF8 != ADD_IMM or spot.stack:
        return ""
    reg = value_at(before, spot)
    if reg is None or reg.type == c.SCALAR_VALUE:
        return ""
    name = name_of(case, before, spot.frame, spot.number)
    return f"{name} {'+' if insn.imm >= 0 else '-'} {abs(insn.imm)}" if name and " " not in name else ""
