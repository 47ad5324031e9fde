"""From a verdict to an explanation: the words for its kind, what the case knows besides, and the value's life."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from osmia.explain import build_bounds as bounds
from osmia.explain import build_calls as calls
from osmia.explain import build_memory as memory
from osmia.explain import build_moves as moves
from osmia.explain import build_objects as objects
from osmia.explain import build_packet as packet
from osmia.explain import build_pointers as pointers
from osmia.explain import build_program as program
from osmia.explain import build_stack as stack
from osmia.explain import rules_attach, rules_calls, rules_memory, rules_objects, rules_program
from osmia.explain.case import Case
from osmia.explain.effects import Spot
from osmia.explain.model import Check, Explanation, Fix, Known, Origin
from osmia.explain.names import index_name, name_of
from osmia.explain.origin import Story, follow
from osmia.explain.rule import Draft, Rule
from osmia.explain.source import accessed
from osmia.explain.words import bytes_of, value_words
from osmia.verifier import consts as c
from osmia.verifier.verdict import errno_name

RULES: dict[str, Rule] = rules_memory.RULES | rules_calls.RULES | rules_objects.RULES | rules_attach.RULES
RULES |= rules_program.RULES
"""The words for every kind of refusal."""
UNKNOWN = Rule(
    "{said}",
    "The verifier refuses what it can't prove to be safe on every path.",
    ("Look at the kernel's message and at the instruction: osmia verify --log-level 2 shows every step.",),
)
"""For a kind that has no words yet."""
Builder = Callable[[Case, Draft], None]
BUILDERS: dict[str, Builder] = {
    "invalid-mem-access": pointers.invalid_mem_access, "out-of-bounds": bounds.out_of_bounds,
    "unbounded-access": bounds.unbounded, "negative-offset": bounds.negative, "packet-range": packet.packet_range,
    "pointer-arithmetic": moves.pointer_arithmetic, "pointer-maybe-null": moves.pointer_maybe_null,
    "pointer-offset": moves.pointer_offset, "misaligned": memory.misaligned, "read-only": memory.read_only,
    "ctx-access": memory.ctx_access,
    "uninit-register": stack.uninit_register, "stack-read": stack.stack_read, "stack-bounds": stack.stack_bounds,
    "stack-unbounded": stack.stack_unbounded, "stack-depth": stack.stack_depth, "tail-call-depth": stack.stack_depth,
    "return-range": stack.return_range,
    "argument-type": calls.argument_type, "helper-memory": calls.helper_memory,
    "argument-maybe-null": calls.argument_maybe_null, "kfunc-null": calls.argument_maybe_null,
    "func-arg-null": calls.argument_maybe_null,
    "zero-size": calls.zero_size, "size-negative": calls.size_of_argument, "size-unbounded": calls.size_of_argument,
    "helper-not-offered": calls.helper_not_offered, "unknown-helper": calls.unknown_helper,
    "map-helper-mismatch": calls.map_helper_mismatch,
    "timer-map": calls.other_map, "workqueue-map": calls.other_map, "task-work-map": calls.other_map,
    "reserved-fields": program.reserved_fields, "call-depth": stack.call_depth, "no-end": program.no_end,
    "reference-leak": objects.reference_leak, "lock-held": objects.lock_held,
    "call-under-lock": objects.call_under_lock, "rcu-held": objects.section_open,
    "preempt-disabled": objects.section_open, "irq-disabled": objects.section_open,
    "release-unreferenced": objects.release, "release-not-held": objects.release,
    "insn-count": program.insn_count, "too-many-insns": program.too_many_insns,
    "too-many-jumps": program.too_many_jumps, "infinite-loop": program.infinite_loop,
    "unreachable": program.slot_in_text, "back-edge": program.slot_in_text, "jump-target": program.slot_in_text,
    "jump-into-load": program.slot_in_text, "map-create": program.map_create,
    "func-info-count": program.func_info_count, "func-info-layout": program.func_info_count,
    "prog-capability": program.prog_capability, "prog-type": program.prog_type,
    "no-attach-btf-id": program.no_target, "struct-ops-target": program.no_target,
}  # fmt: skip
"""What is found out about a case besides the words for its kind."""
MOST_ORIGINS, MOST_CHECKS = 7, 4
QUIET = frozenset(
    (
        *("packet-write", "ctx-access", "special-field", "map-read-only", "map-write-only", "misaligned"),
        *("dynptr-argument", "dynptr-uninitialized", "dynptr-initialized", "dynptr-type", "dynptr-place"),
        *("iter-uninit", "iter-in-use", "iter-type", "iter-place", "irq-flag-uninit", "irq-flag-in-use"),
        *("atomic-opcode", "stack-read", "call-depth"),
    )
)
"""Kinds where the pointer's life does not matter: it is the access that is wrong."""


def explain_case(case: Case) -> Explanation:
    """Everything there is to say about a refusal."""
    words = RULES.get(case.kind, UNKNOWN)
    draft = Draft(words.headline or "{said}", words.rule)
    if case.step is not None and 0 <= case.regno <= 10:
        draft.spot = Spot(len(case.step.frames) - 1, case.regno)
        draft.variable = name_of(case, case.step, draft.spot.frame, case.regno)
        if not draft.variable and case.size and case.place is not None:
            draft.variable = accessed(case.place)
    draft.place = case.place
    builder = BUILDERS.get(case.kind)
    if builder is not None:
        builder(case, draft)
    program.missing_symbols(case, draft)
    if not draft.fixes:
        draft.fixes += [Fix(text) for text in words.fixes or UNKNOWN.fixes]
    story = follow(case, case.step, draft.spot, index=draft.index) if draft.spot and case.step else Story()
    if draft.index:
        _call_the_index(case, draft, story)
    _note_global(case, draft, story)
    return _filled(case, draft, story)


def _call_the_index(case: Case, draft: Draft, story: Story) -> None:
    """What is to blame is the number that was added to the pointer: call it by its name."""
    draft.variable = ""
    if story.index is not None:
        step, spot = story.index
        if not spot.stack:
            draft.variable = index_name(case, step, spot)
            draft.it = f"`{draft.variable}`" if draft.variable else f"the number in R{spot.number}"
            return
    reg = case.reg(draft.spot.number) if draft.spot is not None else None
    draft.it = "the offset" if reg is not None and reg.type != c.SCALAR_VALUE else ""


def _note_global(case: Case, draft: Draft, story: Story) -> None:
    """A value that came into a global function: what its callers checked does not count."""
    root = story.root
    if story.root_kind != "start" or root is None or len(root.frames) != 1 or root.frame.callback:
        return
    if root.frame.subprog and draft.spot is not None and case.kind not in QUIET:
        name = case.sources.function(root.insn) or "the function"
        draft.notes.append(
            f"{name}() is a global function: it is verified by itself, with any arguments of its types, whatever its "
            "callers have checked. Check inside of it, or make it static: then it is verified at each call."
        )


def _filled(case: Case, draft: Draft, story: Story) -> Explanation:
    fill = _filler(case, draft)
    origins = tuple(draft.origins) or tuple(_shortened(story.origins))
    checks = tuple(draft.path) or tuple((story.checks + story.compared)[-MOST_CHECKS:])
    return Explanation(
        program=case.env.program.name,
        prog_type=case.env.prog_type,
        kernel=case.kernel,
        errno=case.verdict.errno,
        error=errno_name(case.verdict.errno),
        kind=case.kind,
        headline=fill(draft.headline),
        rule=fill(draft.rule),
        message=case.said,
        where=case.verdict.where,
        place=draft.place,
        origins=origins if (draft.spot is not None and case.kind not in QUIET) or draft.origins else (),
        checks=_ordered(checks),
        known=tuple(_known(case, draft)),
        notes=tuple(dict.fromkeys(fill(note) for note in draft.notes)),
        fixes=tuple(Fix(fill(fix.text), fill(fix.code), fix.place) for fix in draft.fixes),
    )


def _ordered(checks: tuple[Check, ...]) -> tuple[Check, ...]:
    return tuple(dict.fromkeys(checks))


def _shortened(origins: list[Origin]) -> list[Origin]:
    """The beginning and the end of a long story; turns of a loop say the same again and again."""
    found: list[Origin] = []
    known = ""
    for step in origins:
        origin = replace(step, known="") if step.known == known or step.known in step.text else step
        known = step.known or known
        if origin.kind != "move" and not (found and _same_turn(found[-1], origin)):
            found.append(origin)
    if len(found) <= MOST_ORIGINS:
        return found
    left = len(found) - MOST_ORIGINS + 1
    return [*found[:2], Origin("gap", f"{left} more steps"), *found[2 + left :]]


def _same_turn(a: Origin, b: Origin) -> bool:
    return (
        a.place is not None
        and b.place is not None
        and (a.place.insn, a.text, a.known) == (b.place.insn, b.text, b.known)
    )


def _known(case: Case, draft: Draft) -> list[Known]:
    """The value to blame, then what the rule found out."""
    found = []
    reg = case.reg(draft.spot.number) if draft.spot is not None and not draft.spot.stack else None
    if reg is not None and draft.spot is not None:
        name = f" ({draft.variable})" if draft.variable and not draft.index else ""
        found.append(Known(f"R{draft.spot.number}{name}", value_words(case.env, reg)))
    return found + draft.known


def _filler(case: Case, draft: Draft) -> Callable[[str], str]:
    """Puts the case's facts into a sentence."""
    spot = draft.spot
    it = draft.it or (
        f"`{draft.variable}`" if draft.variable else f"R{spot.number}" if spot and not spot.stack else "it"
    )
    plain = draft.variable.isidentifier()
    facts = {
        "it": it,
        "name": draft.variable if plain or not draft.variable else "n",
        "declare": "" if plain or not draft.variable else f"__u64 n = {draft.variable}; ",
        "call": case.callee or "the call",
        "arg": str(case.regno) if case.regno > 0 else _argument(case),
        "type": case.env.prog_type,
        "said": case.text or "the kernel refuses without a word",
        "size": bytes_of(case.size) if case.size else "bytes",
        "bytes": str(case.size or "their size"),
        "number": str(case.insn.imm) if case.insn is not None else "",
        "insns": str(case.env.n_insns),
        "map": f'"{case.text.removeprefix("map ")}"' if case.text.startswith("map ") else "",
    }
    if not draft.variable:
        facts["name"] = "index" if draft.index else "value"
    return lambda text: re.sub(r"\{(\w+)\}", lambda m: facts.get(m.group(1), m.group(0)), text)


def _argument(case: Case) -> str:
    """The number of the argument that a message speaks of, from 1."""
    found = re.search(r"arg ?#?(\d+)", case.text)
    return str(int(found.group(1)) + ("#" in found.group(0))) if found else "1"
