"""Accesses that are wrong whatever the pointer's life: alignment, direction, fields of the context."""

from __future__ import annotations

import re

from osmia.explain.build_pointers import maybe_null
from osmia.explain.case import Case
from osmia.explain.rule import Draft
from osmia.explain.source import shown_expression
from osmia.explain.words import bytes_of
from osmia.verifier import consts as c

SKB_TYPES = ("socket_filter", "sched_cls", "sched_act", "cgroup_skb", "sk_skb", "lwt_in", "lwt_out", "lwt_xmit")
"""Program types whose context is struct __sk_buff."""


def misaligned(case: Case, draft: Draft) -> None:
    """An address that is not a multiple of the size."""
    if case.is_call or not case.size:
        return
    reg = case.reg(case.regno)
    where = "on the stack" if reg is not None and reg.type == c.PTR_TO_STACK else "in memory"
    draft.headline = f"{bytes_of(case.size)} are accessed {where} at an address that is not a multiple of {case.size}"


def read_only(case: Case, draft: Draft) -> None:
    """What is written to may only be read."""
    reg = case.reg(case.regno)
    if reg is not None and reg.type & c.PTR_MAYBE_NULL:
        maybe_null(case, draft)


def ctx_access(case: Case, draft: Draft) -> None:
    """A field that is not there, not in that size, or not to be written."""
    found = case.numbers(r"invalid bpf_context access off=(-?\d+) size=(\d+)")
    insn = case.insn
    if not found or insn is None:
        return
    off, size = found
    writes = insn.code & 7 in (2, 3)
    doing = "written" if writes else "read"
    env = case.env
    shape = env.profile.shape(env.prog_type, env.program.expected_attach_type, env.program.attach_target)
    name = _field(case)
    draft.headline = (
        f"{name or 'the context'}, {bytes_of(size)} at offset {off}, can't be {doing} by programs of type {{type}}"
    )
    if not shape.btf_ctx:
        sizes = [each for each in (1, 2, 4, 8) if each != size and shape.ctx_access(off, each, writes)]
        if shape.ctx_access(off, size, not writes) is not None:
            draft.notes.append(f"The field can be {'read' if writes else 'written'}, not {doing}.")
        elif sizes:
            draft.notes.append(f"At this offset accesses of {' or '.join(map(str, sizes))} bytes are possible.")
            draft.fix("Access the whole field with its own type, then cut the value down.")
        else:
            others = _types_with(case, off, size, writes)
            if others:
                draft.notes.append(f"Types that have it: {', '.join(others)}.")
    if shape.btf_ctx:
        draft.notes.append("The context is an array of the target's arguments, 8 bytes each: BPF_PROG() names them.")


def _field(case: Case) -> str:
    """The context's field as the source calls it: `` `skb->mark` ``."""
    text = shown_expression(case.place) if case.place is not None else ""
    found = re.search(r"[A-Za-z_]\w*->\w+", text)
    return f"`{found.group()}`" if found else ""


def _types_with(case: Case, off: int, size: int, writes: bool) -> list[str]:
    """The types with the same context that have the field."""
    if case.env.prog_type not in SKB_TYPES:
        return []
    found = []
    for kind in SKB_TYPES:
        shape = case.env.profile.shape(kind)
        if not shape.errno and shape.ctx_access(off, size, writes):
            found.append(kind)
    return found
