"""No program gets out: each of the corpus ends as it must, in the interpreter and in checked native code alike.

The cases run in a child process, so that a crash or a hang would be seen; memory beside the program's keeps its bytes.
"""

from __future__ import annotations

import re
import threading
import time
from dataclasses import replace

import pytest
from vm.hostile_cases import CASES, FAMILIES, FOREVER, Hostile
from vm.test_hostile import Hostile as Random

import osmia
from osmia.errors import OsmiaError, VmError
from osmia.isa import macros as m
from osmia.raw import Buffer, read, write
from osmia.sim import MapSet
from osmia.testing.engines import ENGINES, SAFE, Refused, run_osmia
from osmia.testing.isolate import Died, each
from osmia.testing.trials import Outcome

pytest.importorskip("llvmlite")

CANARY = b"\xc5"
SIZES = (64, 512, 4096, 16384)
HIDDEN = 1024
"""Where in the largest block the address lies that programs get to know."""
PLACE = re.compile(r" (at )?\(?-?0x.*", re.DOTALL)


def blocks():
    """Memory that no program may touch."""
    made = [Buffer(size) for size in SIZES]
    for block in made:
        write(block.address, CANARY * block.size)
    return made


def intact(made):
    return all(read(block.address, block.size) == CANARY * block.size for block in made)


def run(item):
    """The outcome, and whether all memory around is as it was."""
    name, engine = item
    before = blocks()
    trial = CASES[name].trial(before[-1].address + HIDDEN)
    after = blocks()
    outcome = ENGINES[engine](trial)
    return outcome, intact([*before, *after])


@pytest.fixture(scope="module")
def outcomes():
    """Of every case in every engine that runs such programs."""
    items = [(name, engine) for name in CASES for engine in SAFE]
    return dict(each(items, run))


def of(outcomes, name, engine):
    answer = outcomes[name, engine]
    assert not isinstance(answer, Died), answer.why
    outcome, untouched = answer
    assert untouched, "memory was written that is not the program's"
    return outcome


@pytest.mark.parametrize("engine", SAFE)
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_it_ends_as_it_must(outcomes, family, engine):
    for case in family():
        outcome = of(outcomes, case.name, engine)
        found = (outcome.error, outcome.slot if case.error not in ("", "BudgetExceeded") else case.at)
        assert found == (case.error, case.at), (case.name, outcome.why)


def words(outcome):
    """The error's words without what lies where, which is not the same in two runs."""
    return "is no map" if "is no map" in outcome.why else PLACE.sub("", " " + outcome.why)


@pytest.mark.parametrize("name", CASES)
def test_both_engines_say_the_same(outcomes, name):
    first, second = (of(outcomes, name, engine) for engine in SAFE)
    assert not first.differs(second)
    assert words(first) == words(second)


def test_a_loop_of_a_hundred_million_turns_ends_when_another_thread_says_so():
    for engine in ("interp", "jit"):
        ready = osmia.Program("loop:\nr1 += 1\nif r0 != 1 goto loop\nexit", "xdp").load(engine, budget=1 << 60)
        timer = threading.Timer(0.1, ready.machine.stop)
        timer.start()
        begin = time.monotonic()
        with pytest.raises(VmError, match="stopped"):
            ready.run(data=bytes(64))
        assert time.monotonic() - begin < 10
        timer.join()


def test_a_crash_and_a_hang_are_noticed():
    """The net itself holds: unchecked native code does what it is told."""

    def unchecked(item):
        return run_osmia(item.trial(8), engine="jit", checked=False)

    crash, hang = CASES["store 64, someone's memory"], replace(CASES["endless: jump to itself"], budget=1 << 60)
    (_, first), (_, second), (_, third) = each([crash, hang, CASES["eight frames"]], unchecked, 2.0)
    assert first == Died("was killed by SIGSEGV")
    assert second == Died("hung for 2 seconds")
    assert isinstance(third, Outcome) and third.r0 == 1


def test_writing_to_memory_of_others_is_noticed():
    """The canaries are where the programs aim."""

    def unchecked(case):
        before = blocks()
        run_osmia(case.trial(before[-1].address + HIDDEN), engine="jit", checked=False)
        return intact(before)

    ((_, untouched),) = each([CASES["store 64, someone's memory"]], unchecked)
    assert untouched is False


def random_program(number):
    """What native code and the interpreter make of a random program.  It may go by addresses (some compare two of
    them), so where they differ both run again, each time with other memory.
    """
    held = []

    def ending(engine):
        held.append(Random(number))
        kind, place = held[-1].run(engine)
        return kind, place if kind in ("Fault", "BadInsn") else 0

    native = ending("jit")
    found = [ending("interp")]
    while native not in found and len(held) < 24:
        native = ending("jit")
        found.append(ending("interp"))
    return native, found


@pytest.mark.parametrize("count", [300, pytest.param(5000, marks=pytest.mark.slow)])
def test_random_programs(count):
    seen = set()
    for number, answer in each(range(count), random_program):
        assert not isinstance(answer, Died), (number, answer)
        native, found = answer
        assert native in found, number
        seen.add(native[0])
    assert {"ran", "Fault", "BadInsn"} <= seen


def test_all_is_in_the_corpus():
    assert len(CASES) > 600
    assert {case.error for case in CASES.values()} == {"", "Fault", "BadInsn", "VmError", "BudgetExceeded"}
    assert all(isinstance(case, Hostile) and case.budget >= FOREVER for case in CASES.values())
    assert issubclass(Refused, OsmiaError)


@pytest.mark.parametrize("engine", ["interp", "jit"])
def test_a_run_without_checks_goes_to_no_program_that_the_verifier_refuses(engine):
    """Linux verifies what it puts into a prog_array; here anything may stand in one."""

    def trusting(case):
        trial = case.trial(8)
        trial.program.insns.insert(-1, m.BPF_MOV64_IMM(0, 0))  # R0 as the verifier wants it
        maps = MapSet(trial.specs)
        maps.programs = {name: osmia.Program.of(other, maps) for name, other in trial.others.items()}
        ready = osmia.Program.of(trial.program, maps).load(engine=engine, checked="auto")
        with pytest.raises(VmError, match="which the verifier refuses"):
            ready.run(data=bytes(64))
        return ready.machine.vouch is not None

    ((_, answer),) = each([CASES["to a program that faults"]], trusting)
    assert answer is True
