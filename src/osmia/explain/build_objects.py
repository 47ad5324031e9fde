"""Refusals around what is acquired and must be given back: where it was acquired, which path keeps it."""

from __future__ import annotations

from osmia.explain import checks
from osmia.explain.build_pointers import maybe_null
from osmia.explain.case import CALL, Case, callee
from osmia.explain.model import Check, Origin
from osmia.explain.names import name_of
from osmia.explain.returns import RELEASES
from osmia.explain.rule import Draft

MOST = 4
"""Branches that are shown of the way from acquiring to the end."""
LOCKS = ("bpf_spin_lock", "bpf_res_spin_lock", "bpf_res_spin_lock_irqsave")


def reference_leak(case: Case, draft: Draft) -> None:
    """Something was acquired and not released on this path."""
    found = case.numbers(r"Unreleased reference id=\d+ alloc_insn=(\d+)")
    if not found:
        return
    slot = found[0]
    name = callee(case, case.env.insns[slot])
    variable = _variable_of(case, slot)
    draft.variable = variable
    shown = f"`{variable}`" if variable else "it"
    place = case.place_of(slot)
    release = RELEASES.get(name, "its release function").format(it=variable or "it")
    end = "at the call of {call}()" if case.is_call else "when this path ends"
    draft.headline = f"what {name}() acquired on {place} is still held {end}"
    draft.fix(f"Release {shown} on this path too: {release}.", "", case.place)
    draft.origins.append(Origin("call", f"acquired by {name}()", place))
    draft.path += branches_since(case, slot)


def _variable_of(case: Case, slot: int) -> str:
    """The variable that a call's result was put into."""
    from osmia.explain.source import assigned

    return assigned(case.place_of(slot))


def branches_since(case: Case, slot: int) -> list[Check]:
    """The branches on the path behind an instruction: what leads to where the release is missing."""
    found: list[Check] = []
    step = case.step
    while step is not None and step.before is not None and len(found) < MOST:
        before = step.before
        if before.insn == slot:
            break
        insn = case.env.insns[before.insn]
        if checks.is_branch(insn):
            found.append(Check(checks.condition(case, before, step), case.place_of(before.insn)))
        step = before
    return found[::-1]


def lock_held(case: Case, draft: Draft) -> None:
    """A lock that was taken on this path and is still held."""
    slot = last_call(case, LOCKS)
    if slot < 0:
        return
    name = callee(case, case.env.insns[slot])
    place = case.place_of(slot)
    draft.origins.append(Origin("call", f"locked by {name}()", place))
    draft.path += branches_since(case, slot)
    draft.headline = f"the lock that was taken on {place} is still held when this path ends"
    draft.fixes.clear()
    draft.fix(f"Unlock on this path too: {name.replace('_lock', '_unlock')}(…) before this.", "", case.place)


def call_under_lock(case: Case, draft: Draft) -> None:
    """A call between lock and unlock."""
    slot = last_call(case, LOCKS)
    if slot < 0:
        return
    place = case.place_of(slot)
    draft.headline = f"{{call}}() is called while the lock that was taken on {place} is held"
    draft.origins.append(Origin("call", f"locked by {callee(case, case.env.insns[slot])}()", place))
    if case.callee in LOCKS:
        draft.headline = f"a second lock is taken while the one that was taken on {place} is held"
        draft.fix("Unlock the first one before, or use one lock for both; bpf_res_spin_lock may be nested.")


def section_open(case: Case, draft: Draft) -> None:
    """An RCU, preempt or interrupt section that this path leaves open."""
    opening = {
        "rcu-held": ("bpf_rcu_read_lock", "bpf_rcu_read_unlock()"),
        "preempt-disabled": ("bpf_preempt_disable", "bpf_preempt_enable()"),
        "irq-disabled": ("bpf_local_irq_save", "bpf_local_irq_restore(&flags)"),
    }
    name, closing = opening[case.kind]
    slot = last_call(case, (name,))
    if slot < 0:
        return
    place = case.place_of(slot)
    draft.headline = f"the section that {name}() began on {place} is still open when this path ends"
    draft.origins.append(Origin("call", f"begun by {name}()", place))
    draft.path += branches_since(case, slot)
    draft.fixes.clear()
    draft.fix(f"Call {closing} on this path too.", "", case.place)


def last_call(case: Case, names: tuple[str, ...]) -> int:
    """The slot of the last call of one of these on the path; -1 if there is none."""
    step = case.step.before if case.step is not None else None
    while step is not None:
        insn = case.env.insns[step.insn]
        if insn.code == (CALL | 5) and callee(case, insn) in names:
            return step.insn
        step = step.before
    return -1


def release(case: Case, draft: Draft) -> None:
    """Released twice, or never acquired."""
    reg = case.reg(case.regno) if case.regno >= 0 else case.reg(1)
    if reg is not None and reg.type & 0x100 and reg.ref_obj_id:
        maybe_null(case, draft)
        return
    slot = last_call(case, (case.callee,))
    if slot >= 0:
        draft.notes.append(f"{case.callee}() was called on this path already, at {case.place_of(slot)}.")


def holder_name(case: Case, regno: int) -> str:
    """The variable that a register stands for."""
    step = case.step
    return name_of(case, step, len(step.frames) - 1, regno) if step is not None else ""
