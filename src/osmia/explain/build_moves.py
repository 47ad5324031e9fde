"""Arithmetic with pointers, and pointers that must not have been moved."""

from __future__ import annotations

from osmia.explain.build_bounds import bound_fixes, negative
from osmia.explain.build_pointers import base_type, maybe_null
from osmia.explain.case import Case
from osmia.explain.effects import Spot
from osmia.explain.names import name_of
from osmia.explain.rule import Draft
from osmia.explain.words import OTHERS, number
from osmia.verifier import consts as c


def pointer_arithmetic(case: Case, draft: Draft) -> None:
    """What exactly is not possible."""
    text = case.text
    reg = case.reg(case.regno)
    if "32-bit" in text:
        draft.headline = "a pointer is moved with 32-bit arithmetic, which would cut off its upper half"
        draft.fix("Use 64-bit types for pointers and what is added to them: (long) or __u64, not int or __u32.")
    elif "subtract pointer from scalar" in text:
        draft.headline = "a pointer is subtracted from a number"
        draft.fix("Swap the two sides, or compute with offsets.")
    elif "bitwise" in text or "operator" in text:
        op = text.rpartition("operator ")[2].split(" ")[0] if "bitwise" in text else ""
        draft.headline = f"a bitwise operation {op} is used on a pointer".replace("  ", " ")
        if "bitwise" not in text:
            draft.headline = "a pointer is multiplied, divided or shifted"
        draft.fix("Do the arithmetic on an index, and add that to the pointer once.")
    elif "stack pointer" in text:
        draft.headline = "something is subtracted from a pointer into the stack"
        draft.fix("Add a negative constant, or index an array from its beginning.")
    elif reg is not None and base_type(reg) == c.PTR_TO_PACKET_END:
        draft.headline = "data_end is used in arithmetic; it can only be compared"
        draft.rule = "data_end may be compared with packet pointers, and nothing may be added to it."
        draft.fix("Move the packet pointer instead:", "if (data + len > data_end)")
    elif reg is not None and reg.type != c.SCALAR_VALUE:
        draft.headline = "{it} can't be moved"
        draft.notes.append("No offset may be added to this kind of pointer: use it as it was given.")


def pointer_maybe_null(case: Case, draft: Draft) -> None:
    """Arithmetic on a pointer that may be null."""
    maybe_null(case, draft)
    draft.headline = "{it} may be NULL, and is moved before that was checked"


def pointer_offset(case: Case, draft: Draft) -> None:
    """An offset where none, or a smaller one, is possible."""
    text = case.text
    reg = case.reg(case.regno) if case.regno >= 0 else None
    if "unbounded min value" in text:
        draft.headline = "a pointer is moved by a number without a lower bound"
        _index_of_addition(case, draft)
        negative(case, draft)
    elif "makes" in text and "out of bounds" in text:
        _far_offset(case, draft)
    elif "modified" in text:
        draft.headline = "{it} is not where it was when it was given, and must be"
        draft.fix("Pass or read through the original pointer; use the struct's members for constant offsets.")
    elif "variable" in text:
        target = OTHERS.get(base_type(reg), "the object") if reg is not None else "the object"
        draft.headline = f"{target} is accessed at an offset that is not constant"
        draft.index = True
        draft.fix("Use constant offsets: read the members by name; for arrays use a switch or a helper "
                  "(bpf_skb_load_bytes, bpf_probe_read_kernel).")  # fmt: skip
    elif "negative offset" in text:
        draft.headline = "{it} is used with a negative offset"
        draft.fix("container_of() does not work here; pass the original pointer.")


def _far_offset(case: Case, draft: Draft) -> None:
    """The number that is added may be so small or so large that no object has such an offset."""
    _index_of_addition(case, draft)
    reg = case.reg(draft.spot.number) if draft.spot is not None else None
    if reg is None or reg.mask == 0:
        draft.headline = "a pointer is moved by more than 2^29 bytes"
        draft.fix("Use an offset inside the object.")
        return
    draft.rule = "What is added to a pointer must be bounded on both sides: at least 0 in the end, and below 2^29."
    if reg.smin < 0:
        draft.headline = f"{{it}} is added to a pointer and may be negative, down to {number(reg.smin)}"
        leave = case.leave
        draft.fix("Make it unsigned (__u32, __u64), so that one comparison bounds it on both sides.")
        draft.fix("Or check the lower bound as well:", f"{{declare}}if ({{name}} < 0) {leave}", case.place)
    else:
        draft.headline = f"{{it}} is added to a pointer and may be as large as {number(reg.umax)}"
        bound_fixes(case, draft, 63)


def _index_of_addition(case: Case, draft: Draft) -> None:
    """The number that is added to a pointer in this instruction is to blame."""
    insn, step = case.insn, case.step
    if insn is None or step is None or not insn.code & 8:
        return
    frame = len(step.frames) - 1
    number_first = step.regs[insn.dst].type == c.SCALAR_VALUE
    draft.spot = Spot(frame, insn.dst if number_first else insn.src)
    draft.variable = name_of(case, step, frame, draft.spot.number)
