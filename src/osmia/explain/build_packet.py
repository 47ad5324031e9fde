"""Accesses outside the part of a packet that was compared with data_end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osmia.explain import checks
from osmia.explain.build_pointers import story_of
from osmia.explain.case import Case
from osmia.explain.model import Check
from osmia.explain.rule import Draft
from osmia.explain.source import accessed, shown_expression
from osmia.explain.words import bytes_of
from osmia.verifier import consts as c

if TYPE_CHECKING:
    from osmia.verifier.regs import Reg


def packet_bounds(case: Case, draft: Draft, reg: Reg) -> None:
    """More bytes than were compared with data_end on this path."""
    found = case.numbers(r"off=(-?\d+) size=(\d+), R\d+\(id=(\d+),off=-?\d+,r=(\d+)\)")
    if not found:
        return
    off, width, ident, reach = found
    need = off + width
    draft.rule = "A byte of the packet may be touched after a comparison with data_end showed that it is there."
    draft.headline = f"the access needs {bytes_of(need)} of the packet, and " + (
        f"only {reach} are known to be there" if reach else "nothing says that they are there"
    )
    comparisons = packet_comparisons(case)
    draft.path += [check for _, check in comparisons]
    leave = case.leave
    if ident:
        _moved_pointer(case, draft, need, reach)
        return
    if comparisons and not reach and not comparisons[-1][0]:
        draft.headline = f"the packet is accessed on the path where {comparisons[-1][1].held}: where it has ended"
        draft.fix("The check is the wrong way round, or its branch does not leave the function:",
                  f"if (data + {need} > data_end) {leave}", comparisons[-1][1].place)  # fmt: skip
        return
    if not comparisons:
        draft.notes.append("No branch on this path compares a packet pointer with data_end.")
    base = accessed(case.place) if case.place is not None else ""
    member = "->" in shown_expression(case.place) if case.place is not None else False
    shown = f"{base} + 1" if base and member else f"data + {need}"
    last = comparisons[-1][1].held.split()[-1] if comparisons else ""
    end = last if last.isidentifier() and not last.startswith("R") else "data_end"
    draft.fix(f"Check for {bytes_of(need)} before this line:", f"if ((void *)({shown}) > {end}) {leave}", case.place)
    inside = [check for there, check in comparisons if there]
    if reach and inside:
        here = f"the access on {case.place}" if case.place is not None else "this access"
        draft.notes.append(f"The check on {inside[-1].place} covers {bytes_of(reach)}; {here} needs {need}.")


def packet_comparisons(case: Case) -> list[tuple[bool, Check]]:
    """The branches on the path that compare a packet pointer with data_end; True where the bytes are there."""
    found: list[tuple[bool, Check]] = []
    step = case.step
    while step is not None and step.before is not None and len(found) < 3:
        before = step.before
        insn = case.env.insns[before.insn]
        if checks.is_branch(insn) and insn.code & 8:
            left, right = before.regs[insn.dst].type, before.regs[insn.src].type
            if c.PTR_TO_PACKET_END in (left, right) and left != right:
                held = checks.condition(case, before, step)
                inside = ("<" in held) == (right == c.PTR_TO_PACKET_END)
                found.append((inside, Check(held, case.place_of(before.insn))))
        step = before
    return found[::-1]


def _moved_pointer(case: Case, draft: Draft, need: int, reach: int) -> None:
    """The pointer was moved by a number from the packet or elsewhere: its range begins anew there."""
    reg = case.reg(case.regno)
    assert reg is not None
    leave = case.leave
    if reg.umax > 0xFFFF:
        draft.index = True
        moved = story_of(case, draft).index
        place = case.place_of(moved[0].insn) if moved is not None else None
        draft.headline = (
            "{it} was added to a packet pointer and may be too large: a check with data_end does not count then"
        )
        draft.rule = "The verifier follows a packet pointer only as long as what was added to it is at most 65535."
        draft.fix(
            "Bound the number before it is added to the pointer:", f"{{declare}}if ({{name}} > 1500) {leave}", place
        )
        return
    draft.headline = f"behind the variable offset the access needs {bytes_of(need)}, and " + (
        f"only {reach} are known to be there" if reach else "nothing was checked since the pointer was moved"
    )
    base = accessed(case.place) if case.place is not None else ""
    draft.fix("Compare the moved pointer itself with data_end, behind the addition:",
              f"if ((void *)({base or 'p'} + 1) > data_end) {leave}", case.place)  # fmt: skip


def packet_range(case: Case, draft: Draft) -> None:
    """The pointer is used in the branch where it lies behind data_end."""
    draft.headline = "{it} lies at or behind data_end on this path, and the packet is accessed through it"
    draft.fix("The check is the wrong way round, or its branch does not leave the function: access the packet where "
              "pointer + size <= data_end holds.", "", case.place)  # fmt: skip
