"""Pointers that are none: NULL not excluded, void since a call, or just numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osmia.explain import checks
from osmia.explain.case import Case
from osmia.explain.model import Check
from osmia.explain.origin import Story, follow
from osmia.explain.rule import Draft
from osmia.verifier import consts as c

if TYPE_CHECKING:
    from osmia.explain.trail import Step
    from osmia.verifier.regs import Reg


def base_type(reg: Reg) -> int:
    """A register's type without flags."""
    return reg.type & c.BASE_TYPE_MASK


def story_of(case: Case, draft: Draft) -> Story:
    """The life of the value that the draft blames."""
    assert draft.spot is not None and case.step is not None
    return follow(case, case.step, draft.spot, index=draft.index)


def invalid_mem_access(case: Case, draft: Draft) -> None:
    """NULL not excluded, a number used as a pointer, or a pointer to something that has no bytes."""
    reg = case.reg(case.regno)
    if reg is None:
        return
    if reg.type & c.PTR_MAYBE_NULL:
        maybe_null(case, draft)
    elif reg.type == c.SCALAR_VALUE:
        _number_as_pointer(case, draft, reg)
    elif reg.type == c.PTR_TO_PACKET_END:
        draft.headline = "{it} marks the end of the packet; nothing can be read through it"
        draft.fix("Read through a pointer that starts at ctx->data, and compare that with data_end first.")
    elif base_type(reg) == c.CONST_PTR_TO_MAP:
        draft.headline = "{it} is a map, not one of its values"
        draft.fix("Look the value up: bpf_map_lookup_elem(&map, &key), and compare the result with NULL.")
    elif base_type(reg) == c.PTR_TO_FUNC:
        draft.headline = "{it} is a function, not memory"
    else:
        draft.fix("Use a pointer of another kind, or a helper that reads what this one points to.")


def maybe_null(case: Case, draft: Draft) -> None:
    """A pointer that was not compared with NULL on this path."""
    draft.headline = "{it} may be NULL here" + (f", and is passed to {case.callee}()" if case.is_call else "")
    draft.rule = "A pointer that may be NULL has to be compared with NULL before it is used."
    story = story_of(case, draft)
    if story.compared:
        draft.notes.append(
            "It was compared, but that said nothing to the verifier about this copy of the pointer: "
            "compare the very variable that is used."
        )
    else:
        draft.notes.append("No branch on this path compares it with NULL.")
    leave = case.leave
    name = draft.variable or "pointer"
    draft.fix("Check it first:", f"if (!{name}) {leave}", case.place)
    root = story.root
    if root is not None and story.root_kind == "call" and "lookup_elem" in "".join(o.text for o in story.origins):
        draft.notes.append(
            "Each look-up returns a pointer of its own: a check of an earlier look-up does not count for this one, "
            "and an array's look-up too can return NULL."
        )


def _number_as_pointer(case: Case, draft: Draft, reg: Reg) -> None:
    """To the verifier it is a number: NULL, a pointer that was lost, or an address read from memory."""
    if lost_pointer(case, draft):
        return
    story = story_of(case, draft)
    if reg.mask == 0 and reg.value == 0:
        _null_here(case, draft, story)
    elif story.root_kind == "load":
        _address_from_memory(case, draft)
    elif any(o.kind == "arithmetic" for o in story.origins) and any("pointer" in o.known for o in story.origins):
        draft.headline = "{it} was a pointer, but the arithmetic made a number of it"
        draft.rule = "Only adding or subtracting a number keeps a pointer a pointer."
        draft.fix("Keep the pointer, and do the arithmetic on an index that is added to it once.")
    else:
        draft.headline = "{it} is a number to the verifier, and is used as a pointer"
        draft.rule = "Memory is reached only through pointers that the verifier knows to be valid."
        draft.fix("For kernel memory use bpf_probe_read_kernel(&copy, sizeof(copy), address), for a process's memory "
                  "bpf_probe_read_user().")  # fmt: skip


def lost_pointer(case: Case, draft: Draft) -> bool:
    """Was it a pointer until a call made it void?"""
    lost = next((o for o in reversed(story_of(case, draft).origins) if o.kind == "lost"), None)
    if lost is not None and "packet" in lost.text:
        draft.headline = "{it} pointed into the packet before a call that may have moved the packet"
        draft.rule = "Helpers that change the packet make every pointer into it void, data and data_end included."
        draft.fix("Read ctx->data and ctx->data_end again behind the call, and check the bounds again:",
                  "data = (void *)(long)ctx->data; data_end = (void *)(long)ctx->data_end;", lost.place)  # fmt: skip
    elif lost is not None and "ended" in lost.text:
        draft.headline = f"{{it}} is used after what it pointed to was given back on {lost.place}"
        draft.rule = "After its release an object is gone, and every pointer to it void."
        draft.fix("Use it before the release, release it once, or copy what you need from it.", "", lost.place)
    else:
        return False
    return True


def _null_here(case: Case, draft: Draft, story: Story) -> None:
    draft.headline = "{it} is NULL on this path, and used"
    draft.rule = "Nothing can be read or written at address 0."
    if any("is NULL" in check.held for check in story.checks):
        draft.fix("The check is the wrong way round, or the branch does not leave the function: in the branch where it "
                  "is NULL, don't use it.", case.leave, story.checks[-1].place)  # fmt: skip
        return
    step, null = last_branch(case, "is NULL")
    if step is not None and null is not None:
        draft.path.append(null)
        draft.notes.append("The check says that it is NULL here, and the compiler took that for granted.")
        draft.fix("The check is the wrong way round: use it only where it is not NULL:",
                  "if (!{name}) " + case.leave, null.place)  # fmt: skip
        return
    draft.fix("Give it a valid pointer, or compare it with NULL before this.")


def last_branch(case: Case, held: str) -> tuple[Step | None, Check | None]:
    """The newest branch on the path whose condition ends so."""
    step = case.step
    while step is not None and step.before is not None:
        insn = case.env.insns[step.before.insn]
        if checks.is_branch(insn):
            text = checks.condition(case, step.before, step)
            if text.endswith(held):
                return step, Check(text, case.place_of(step.before.insn))
        step = step.before
    return None, None


def _address_from_memory(case: Case, draft: Draft) -> None:
    draft.headline = "{it} is an address that was read from memory: to the verifier just a number"
    draft.rule = "Only pointers that the verifier itself follows can be dereferenced; an address loaded as data can't."
    prog_type = case.env.prog_type
    if prog_type in ("xdp", "sched_cls", "sched_act", "cgroup_skb", "sk_skb", "socket_filter"):
        draft.fix("Pointers that are stored in maps or packets can't be followed. For packet data begin at ctx->data, "
                  "for map values at a look-up.")  # fmt: skip
        return
    name = draft.variable or "address"
    draft.fix(
        "Kernel memory:", f"bpf_probe_read_kernel(&copy, sizeof(copy), {name});  or  BPF_CORE_READ({name}, member)"
    )
    draft.fix(
        "A process's memory (arguments of system calls, uprobes):", f"bpf_probe_read_user(&copy, sizeof(copy), {name});"
    )
