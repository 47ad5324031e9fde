"""The same outcome in every engine: R0, packet, context and maps of programs made up at random and at the edges.

The seed changes with every run unless OSMIA_SEED is set; a failure names it.  ``osmia diff --engines all`` does the
same for as long as one likes.
"""

from __future__ import annotations

import os
import random
from importlib.util import find_spec
from pathlib import Path

import pytest

from osmia import live
from osmia.native import address_of
from osmia.testing import engine_diff, engines
from osmia.testing.engine_diff import KINDS, Plan, attempt
from osmia.testing.engines import ENGINES, SAFE, run_osmia
from osmia.testing.generators import edges, observed
from osmia.testing.isolate import each
from osmia.testing.trial_text import dump, parse, visible
from osmia.testing.trials import Outcome

GOLDEN = Path(__file__).parent / "golden" / "trials"
FILES = sorted(GOLDEN.glob("*.txt"))
COMPILED = address_of("osmia.vm.run", "may") != 0
COUNT = int(os.environ.get("OSMIA_PROGRAMS", "120" if COMPILED else "40"))
SEED = int(os.environ.get("OSMIA_SEED", random.randrange(1 << 32)))
LLVM = find_spec("llvmlite") is not None
NATIVE = ("jit-checked", "jit") if LLVM else ()
OURS = tuple(name for name in ENGINES if name not in ("interp", "kernel") and (LLVM or "jit" not in name))
LIVE = pytest.mark.skipif(live.available() is not None, reason=str(live.available()))


def compared(plan):
    """Nothing differs; returns the report."""
    report = engine_diff.run(plan)
    assert not report.groups, engine_diff.describe(plan, report)
    return report


def test_random_programs():
    report = compared(Plan(SEED, 600, tuple(observed.KINDS), OURS, programs=COUNT))
    assert report.accepted > 0.75 * COUNT
    assert all(report.same[name] > 0.7 * COUNT for name in OURS), report.reasons


@pytest.mark.live
@LIVE
def test_random_programs_in_the_kernel():
    report = compared(Plan(SEED + 1, 600, tuple(observed.KINDS), ("kernel",), programs=COUNT))
    assert report.same["kernel"] > 0.7 * COUNT, report.reasons


@pytest.mark.slow
@pytest.mark.live
@LIVE
def test_random_programs_for_long():
    report = compared(Plan(SEED + 2, 240, tuple(observed.KINDS), (*OURS, "kernel")))
    assert all(report.same[name] > 100 for name in (*OURS, "kernel")), report.reasons


EVERY = 8 if COMPILED else 24
"""Of so many edge trials one runs as native code in the short test, each time another one; all in the long one."""


def at_the_edge(number):
    trial = engine_diff.edge_trials()[number]
    return [f"{trial.program.name}: {f}" for f in attempt(trial, NATIVE, True) if f.text or f.refused]


@pytest.mark.parametrize("step", [EVERY, pytest.param(1, marks=pytest.mark.slow)])
def test_every_instruction_at_the_edges(step):
    total = len(engine_diff.edge_trials())
    assert total > 250
    for number, wrong in each(range(SEED % step, total, step), at_the_edge):
        assert wrong == [], number


@pytest.mark.live
@LIVE
def test_every_instruction_at_the_edges_in_the_kernel():
    total = len(engine_diff.edge_trials())
    report = compared(Plan(0, 600, ("edges",), ("kernel",), programs=total))
    assert report.same["kernel"] == total, report.reasons


def test_all_instructions_are_at_the_edges():
    from osmia.isa import OPS

    names = {trial.program.name for trial in edges.trials()}
    there = [op for op in OPS if any(name.startswith(op.name[:12]) for name in names)]
    missing = {op.name for op in OPS if op.cls in (1, 2, 3, 4, 5, 6, 7)} - {op.name for op in there}
    jumps = {"ja", "gotol", "may_goto", "call", "call_local", "call_kfunc", "callx", "exit"}
    assert missing <= jumps | {"addr_space_cast"} | {name for name in missing if name.startswith("ld")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("engine", ["interp", *OURS])
def test_kept_programs(path, engine):
    """Each once went wrong in some engine; the outcome is the kernel's, or, for what it refuses, stated by hand."""
    trial, expected = parse(path.read_text())
    if engine not in SAFE and not engine_diff.accepted(trial):
        pytest.skip("only for programs that a verifier accepts")
    outcome = ENGINES[engine](trial)
    assert visible(trial, outcome._replace(r0=outcome.r0 & 0xFFFFFFFF)) == visible(trial, expected)


@pytest.mark.live
@LIVE
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_kept_programs_in_the_kernel(path):
    trial, expected = parse(path.read_text())
    try:
        outcome = ENGINES["kernel"](trial)
    except engines.Refused as error:
        pytest.skip(str(error).strip().splitlines()[-1])
    assert visible(trial, outcome) == visible(trial, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_a_trial_survives_writing_and_reading(kind):
    trial = engine_diff.make(Plan(SEED, kinds=(kind,)), 0)
    outcome = run_osmia(trial, engine="interp")
    text = dump(trial, "why", outcome)
    again, expected = parse(text)
    assert dump(again, "", expected) == text
    assert not run_osmia(again, engine="interp").differs(outcome)


def test_a_difference_is_noticed_and_made_small(monkeypatch):
    """The comparison works: an engine that gets xor wrong is found out, with a program of a few instructions."""

    def wrong(trial):
        outcome = run_osmia(trial, engine="interp")
        xors = any(insn.code in (0xA7, 0xAF) for insn in trial.program.insns)
        return outcome._replace(r0=outcome.r0 ^ 1) if xors and not outcome.error else outcome

    monkeypatch.setitem(ENGINES, "wrong", wrong)
    report = engine_diff.run(Plan(3, 60, ("alu",), ("wrong",), programs=3))
    (group,) = report.groups.values()
    assert group.count == 3 and group.engine == "wrong"
    assert len(group.example.program.insns) <= 12


def test_a_crash_is_a_difference(monkeypatch):
    def crash(trial):
        os.kill(os.getpid(), 11)
        return Outcome()

    monkeypatch.setitem(ENGINES, "crash", crash)
    report = engine_diff.run(Plan(3, 60, ("alu",), ("crash",), shrink=False, programs=2))
    assert [group.text for group in report.groups.values()] == ["the process was killed by SIGSEGV"]
    assert report.programs == 2 and report.differences == 2
