"""Where a value came from: back along the path through registers, stack slots, calls and frames."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from osmia.explain import checks
from osmia.explain.case import Case
from osmia.explain.effects import Spot, cause, value_at
from osmia.explain.model import Check, Origin
from osmia.explain.names import maker, name_of
from osmia.explain.words import value_words
from osmia.verifier import consts as c

if TYPE_CHECKING:
    from osmia.explain.trail import Step
    from osmia.verifier.regs import Reg

FAR = 20_000
"""Steps that are looked back."""


@dataclass
class Story:
    """The life of a value, newest first while it is collected.  ``root`` is the step before its beginning.

    ``index`` is where the story went over from a pointer to the number that was added to it; ``changed`` the newest
    check that taught something and the arithmetic that came after it (``later``, while it is collected).
    """

    origins: list[Origin] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    compared: list[Check] = field(default_factory=list)
    index: tuple[Step, Spot] | None = None
    later: Origin | None = None
    changed: tuple[Check, Origin] | None = None
    root: Step | None = None
    root_kind: str = ""


def follow(case: Case, step: Step, spot: Spot, *, index: bool = False) -> Story:
    """The life of what is in ``spot`` before ``step``.

    Where a pointer was moved by an unknown number, the story is that number's with ``index``, else the pointer's.
    """
    story = Story()
    here: Spot | None = spot
    for _ in range(FAR):
        before = step.before
        if before is None:
            reg = value_at(step, here) if here is not None else None
            if reg is not None and reg.type != c.NOT_INIT:
                story.origins.append(Origin("start", _given(case, step, here), None, value_words(case.env, reg)))
            story.root, story.root_kind = step, "start"
            break
        if step.left_out:
            story.origins.append(Origin("gap", f"{step.left_out} steps of the path were not kept"))
            story.root, story.root_kind = step, "gap"
            break
        assert here is not None
        _note_branch(case, story, before, step, here)
        link = cause(case, before, step, here, index)
        if link is not None:
            reg = value_at(step, here)
            known = value_words(case.env, reg) if reg is not None else ""
            if link.text:
                named = name_of(case, before, link.named.frame, link.named.number) if link.named else ""
                text = link.text.replace("{name}", f"{named}, " if named else "")
                story.origins.append(Origin(link.kind, text, case.place_of(maker(before, link)), known))
                if link.kind == "arithmetic" and not link.index:
                    story.later = story.origins[-1]
            if link.to is None:
                story.root, story.root_kind = before, link.kind
                break
            if link.index:
                story.index = before, link.to
            here = link.to
        step = before
    story.origins.reverse()
    story.checks.reverse()
    story.compared.reverse()
    return story


def _given(case: Case, step: Step, spot: Spot | None) -> str:
    if spot is not None and not spot.stack and spot.number == 10:
        return "R10 is the frame pointer"
    if spot is not None and not spot.stack and spot.number == 1 and step.frames[0].subprog == 0:
        return "R1 is the program's argument"
    return "given to the function by whoever calls it"


def _note_branch(case: Case, story: Story, before: Step, after: Step, spot: Spot) -> None:
    """A comparison of the value, and what it taught the verifier."""
    insn = case.env.insns[before.insn]
    if not checks.is_branch(insn):
        return
    was, now = value_at(before, spot), value_at(after, spot)
    learned = "" if same_value(was, now) or now is None else value_words(case.env, now)
    direct = not spot.stack and spot.frame == len(before.frames) - 1 and checks.compares(insn, spot.number)
    if learned or direct:
        found = Check(checks.condition(case, before, after), case.place_of(before.insn), learned)
        (story.checks if learned else story.compared).append(found)
        if learned and story.later is not None and story.changed is None:
            story.changed = found, story.later


def same_value(a: Reg | None, b: Reg | None) -> bool:
    """Is the same known of both?"""
    if a is None or b is None:
        return a is b
    return a is b or (a.same_type_info(b) and a.same_bounds(b))
