"""Accesses behind the end, or in front of the beginning, of map values and other memory of known size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osmia.explain.build_packet import packet_bounds
from osmia.explain.build_pointers import base_type, story_of
from osmia.explain.case import Case
from osmia.explain.model import Known
from osmia.explain.rule import Draft
from osmia.explain.words import bytes_of, number, span
from osmia.verifier import consts as c

if TYPE_CHECKING:
    from osmia.verifier.regs import Reg

PACKET_TYPES = (c.PTR_TO_PACKET, c.PTR_TO_PACKET_META)


def out_of_bounds(case: Case, draft: Draft) -> None:
    """Behind the end of a packet, a map value or other memory."""
    reg = case.reg(case.regno)
    if reg is None:
        return
    if base_type(reg) in PACKET_TYPES:
        packet_bounds(case, draft, reg)
        return
    found = case.numbers(r"_size=(\d+) off=(-?\d+) size=(\d+)")
    if not found:
        return
    size, off, width = found
    what = _what(reg)
    draft.known.append(Known("the object", f"{what}, {bytes_of(size)}"))
    if reg.mask == 0:
        _constant_bounds(case, draft, size, off, width, what)
    else:
        _variable_bounds(case, draft, reg, size, width, what)


def _what(reg: Reg) -> str:
    base = base_type(reg)
    if base == c.PTR_TO_MAP_VALUE:
        return f'a value of map "{reg.map.name}"' if reg.map is not None and reg.map.name else "a map value"
    return {c.PTR_TO_MAP_KEY: "a map's key", c.PTR_TO_MEM: "the memory"}.get(base, "the memory")


def _constant_bounds(case: Case, draft: Draft, size: int, off: int, width: int, what: str) -> None:
    doing = f"{case.callee}() is given {bytes_of(width)}" if case.is_call else f"the access takes {bytes_of(width)}"
    draft.headline = f"{doing} from offset {off}, but {what} has {bytes_of(size)}"
    if off < 0:
        draft.fix("The offset is negative: it reaches in front of the object.")
        return
    if case.is_call and off + width > size:
        draft.fix(f"Pass {max(size - off, 0)} as the size (sizeof of what the pointer points to), or make it larger.")
        return
    draft.fix(f"Use an index or member inside the first {bytes_of(size)}; check that the struct in the map's "
              "definition (__type(value, …)) is the one that the code uses.")  # fmt: skip


def _variable_bounds(case: Case, draft: Draft, reg: Reg, size: int, width: int, what: str) -> None:
    """The pointer was moved by a number that may be too large (or too small)."""
    draft.index = True
    assert case.insn is not None
    fixed = reg.off + (0 if case.is_call else case.insn.off)
    low, high = span(reg)
    step = stride(reg)
    limit = size - fixed - width
    if low + fixed < 0:
        draft.headline = f"{{it}} may be as small as {low // step}, which is in front of {what}"
        draft.fix(
            "Check the lower bound too, or make the variable unsigned:",
            f"if ({{name}} < 0) {case.leave}",
            case.place,
        )
        return
    most = limit // step if limit >= 0 else -1
    times = "" if step == 1 else f" (times {step})"
    draft.headline = (
        f"{{it}} may be as large as {number(high // step)}{times}: the access then ends at byte "
        f"{number(high + fixed + width)}, and {what} has {size}"
    )
    bound_fixes(case, draft, most)
    changed_after_check(case, draft)


def changed_after_check(case: Case, draft: Draft) -> None:
    """A bound that was checked on a number which is changed afterwards, on another line."""
    changed = story_of(case, draft).changed
    if changed is None or changed[1].place is None or case.place is None:
        return
    check, change = changed
    assert change.place is not None
    if change.place.line not in (0, check.place.line, case.place.line):
        draft.notes.append(
            f"{check.held} was checked on {check.place}, but {change.place} changed the number after that "
            f"({change.text}): check it again, behind the change."
        )


def bound_fixes(case: Case, draft: Draft, most: int) -> None:
    """How to keep the index from 0 to ``most``."""
    if most < 0:
        draft.fix("Not even the first element fits: the object is too small for this access.")
        return
    leave = case.leave
    draft.fix(
        f"It has to be {most} at most: check that before the access:",
        f"{{declare}}if ({{name}} > {most}) {leave}",
        case.place,
    )
    mask = (1 << (most + 1).bit_length() - 1) - 1
    if mask:
        draft.fix("Or mask it, if every value may come:", f"{{declare}}{{name}} &= {mask:#x};", case.place)


def stride(reg: Reg) -> int:
    """What the variable part of an offset is a multiple of: the size of an array's elements, if it is a power of 2."""
    bits = reg.mask | reg.value
    return bits & -bits if bits and reg.mask else 1


def unbounded(case: Case, draft: Draft) -> None:
    """No upper bound at all, or so large that it is none."""
    draft.index = True
    draft.headline = "nothing limits {it}, which is used as an offset"
    size = _object_size(case)
    bound_fixes(case, draft, size if size >= 0 else 63)


def _object_size(case: Case) -> int:
    """The largest variable offset that the object has room for; -1 where that is not known."""
    reg = case.reg(case.regno)
    if reg is None:
        return -1
    size = reg.map.value_size if reg.map is not None else reg.mem_size
    width = case.size or 1
    fixed = reg.off + (case.insn.off if case.insn is not None and not case.is_call else 0)
    return (size - fixed - width) // stride(reg)


def negative(case: Case, draft: Draft) -> None:
    """The offset may be negative."""
    reg = case.reg(case.regno)
    draft.index = reg is not None and reg.mask != 0
    draft.headline = "{it} is used as an offset and may be negative"
    leave = case.leave
    draft.fix("Make it unsigned (__u32, __u64), so that one comparison bounds it on both sides.")
    size = _object_size(case)
    upper = f" || {{name}} > {size}" if 0 <= size < 1 << 16 else ""
    draft.fix("Or check the lower bound as well:", f"{{declare}}if ({{name}} < 0{upper}) {leave}", case.place)
    if 0 <= size < 1 << 16:
        draft.fix("Or mask it:", f"{{declare}}{{name}} &= {(1 << (size + 1).bit_length() - 1) - 1:#x};", case.place)
