"""``verify --html``: one page that holds the program, its walk and the verdict, and loads nothing from anywhere.

The data of the page are plain values (``document``); the page shows them with the script beside the template.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from osmia.explain import explain
from osmia.explain.render import text_of
from osmia.explain.source import Sources
from osmia.explain.walk import Path, Walk
from osmia.isa.consts import LD_IMM64
from osmia.verifier.consts import NOT_INIT
from osmia.verifier.judge import watch
from osmia.verifier.printing import add_slot, reg_text

if TYPE_CHECKING:
    from osmia.btf import Btf
    from osmia.explain.trail import Step, View
    from osmia.obj.model import Program
    from osmia.verifier.env import Env, Powers
    from osmia.verifier.verdict import Verdict

PAGE = FilePath(__file__).parent / "page"


def walked(program: Program, kernel: str, power: Powers | None = None, btf: Btf | None = None) -> dict[str, Any]:
    """What the page shows of one program: its walk, and why it was refused."""
    walk = Walk()
    verdict = watch(program, walk, kernel, power, btf)
    said = explain(program, kernel, power, btf)
    return document(walk, verdict, kernel, text_of(said) if said is not None else "")


def page(programs: Sequence[dict[str, Any]]) -> str:
    """The page of some programs (``walked``)."""
    parts = {
        "@TITLE@": html.escape(", ".join(one["name"] for one in programs)),
        "@STYLE@": (PAGE / "page.css").read_text("utf-8"),
        "@DATA@": json.dumps(programs, separators=(",", ":")).replace("<", "\\u003c"),
        "@SCRIPT@": (PAGE / "page.js").read_text("utf-8"),
    }
    text = (PAGE / "page.html").read_text("utf-8")
    return re.sub("|".join(parts), lambda found: parts[found[0]].rstrip("\n"), text)


def document(walk: Walk, verdict: Verdict, kernel: str, explanation: str = "") -> dict[str, Any]:
    """Everything that the page shows of one program."""
    env = walk.env
    assert env is not None
    program = env.program
    if walk.path is not None and not verdict.ok and verdict.error is not None and verdict.error.insn >= 0:
        walk.path.end = "refused"
    source, lines = _source(env)
    return {
        "name": program.name,
        "title": f"{program.name} ({program.prog_type}) on Linux {kernel}",
        "verdict": {"ok": verdict.ok, "text": str(verdict)},
        "explanation": explanation,
        "error": {"insn": verdict.error.insn} if verdict.error is not None and verdict.error.insn >= 0 else None,
        "source": source,
        "insns": _insns(env, walk, lines),
        "paths": _paths(env, walk),
        "dropped": walk.dropped,
    }


def _source(env: Env) -> tuple[list[dict[str, Any]], dict[int, int]]:
    """The lines that instructions come from, by file and number, and which of them a slot belongs to."""
    sources = Sources(env)
    places = {i: sources.place(i) for i in range(len(env.insns))}
    known = sorted({(p.file, p.line, p.code) for p in places.values() if p.line})
    rows, before = [], ""
    for file, line, code in known:
        rows.append({"line": line, "text": code} | ({"head": file} if file != before else {}))
        before = file
    number = {row: i for i, row in enumerate(known)}
    return rows, {slot: number[p.file, p.line, p.code] for slot, p in places.items() if p.line}


def _insns(env: Env, walk: Walk, lines: dict[int, int]) -> list[dict[str, Any] | None]:
    """Each slot; None for the second half of a 64-bit load."""
    sources = Sources(env)
    made: list[dict[str, Any] | None] = []
    before = ""
    for slot in range(len(env.insns)):
        if slot and env.insns[slot - 1].code == LD_IMM64 and made[-1] is not None:
            made.append(None)
            continue
        place = sources.place(slot)
        row: dict[str, Any] = {"text": place.shown, "visits": walk.visits.get(slot, 0)}
        if slot in lines:
            row["source"] = lines[slot]
        if place.function != before:
            row["head"] = before = place.function
        made.append(row)
    return made


def _paths(env: Env, walk: Walk) -> list[dict[str, Any]]:
    index = {path: i for i, path in enumerate(walk.paths)}
    return [_path(env, path, index) for path in walk.paths]


def _path(env: Env, path: Path, index: dict[Path, int]) -> dict[str, Any]:
    """A path with what each step found changed."""
    before = shown(env, path.fork) if path.fork is not None else {}
    steps = []
    for step in path.steps:
        now = shown(env, step)
        steps.append([step.insn, changes(before, now)])
        before = now
    parent = None
    if path.parent is not None and path.fork is not None:
        parent = [index[path.parent], path.parent.steps.index(path.fork)]
    return {"number": path.number, "parent": parent, "steps": steps, "end": path.end, "left_out": path.left_out}


def changes(before: dict[str, str], now: dict[str, str]) -> dict[str, str | None]:
    """What is new or different; None for what is gone."""
    made: dict[str, str | None] = {name: text for name, text in now.items() if before.get(name) != text}
    return made | {name: None for name in before if name not in now}


def shown(env: Env, step: Step) -> dict[str, str]:
    """The state before a step by name: ``R1``, ``fp-8``, of several frames ``frame1 R1``, then the path's modes."""
    made: dict[str, str] = {}
    for number, view in enumerate(step.frames):
        head = f"frame{number} " if len(step.frames) > 1 else ""
        made |= {head + name: text for name, text in _frame(env, view, number).items()}
    refs = [str(ref.id) for ref in step.refs if ref.id]
    locks, preempt, irq, rcu = step.modes
    modes = {"references": ",".join(refs), "locks": locks, "preempt": preempt, "irq": irq, "rcu": rcu}
    made |= {name: str(value) for name, value in modes.items() if value}
    return made | ({"speculative": "yes"} if step.speculative else {})


def _frame(env: Env, view: View, number: int) -> dict[str, str]:
    made = {f"R{i}": reg_text(env, reg, number) for i, reg in enumerate(view.regs) if reg.type != NOT_INIT}
    for i, slot in enumerate(view.stack):
        parts: list[str] = []
        if slot.types:
            add_slot(parts, env, slot, i, number)
        if parts:
            made[f"fp-{8 * (i + 1)}"] = "".join(parts[1:])
    return made
