"""The differential tool: cases, shrinking, comparison, generation, and the command; mostly without a kernel."""

import os
import signal
from contextlib import suppress
from dataclasses import replace
from random import Random

import pytest
from click.testing import CliRunner

from osmia import live
from osmia.errors import UsageError
from osmia.isa import Insn
from osmia.live import powers
from osmia.obj.model import FuncInfo, MapSpec, Program
from osmia.testing import compare as comparing
from osmia.testing import verify_diff
from osmia.testing.answers import Answer, Kernel, masked
from osmia.testing.cases import Case, dump, parse
from osmia.testing.compare import Comparison, what_differs
from osmia.testing.generate import KINDS, generate
from osmia.testing.mutate import mutate
from osmia.testing.shrink import shrink, target, without
from osmia.testing.soundness import run_once, violations
from osmia.verifier.env import Powers
from osmia.verifier.judge import judge

R0, EXIT = Insn(0xB7), Insn(0x95)
needs_kernel = pytest.mark.skipif(live.available() is not None, reason=str(live.available()))


def program(*insns, kind="xdp", **more):
    return Program("p", kind, list(insns), license="GPL", **more)


# -- cases


def test_a_case_keeps_everything():
    inner = MapSpec("in", "array", 4, 8, 1)
    maps = [
        MapSpec("a", "array", 4, 16, 1, 128, data=bytes(16), frozen=True),
        MapSpec("o", "array_of_maps", 4, 4, 1, inner=inner),
    ]
    made = program(Insn(0x18, 1, 1, 0, 0), Insn(0), R0, EXIT, kind="tracing", maps=maps, flags=16)
    made.expected_attach_type, made.attach_target = "trace_iter", "task"
    made.func_info.append(FuncInfo(0, 3))
    text = dump(Case(made, 5, Powers(True, False, False, False), 13, "no\n", "why\nit is"))
    again = parse(text)
    assert dump(again) == text
    assert again.program.maps == maps and again.program.insns == made.insns
    assert (again.level, again.errno, again.log, again.why) == (5, 13, "no\n", "why\nit is\n")
    assert again.powers == Powers(True, False, False, False)


def untyped(spec):
    return replace(spec, btf=None, inner=spec.inner and untyped(spec.inner))


@pytest.mark.parametrize("kind", KINDS)
def test_generated_programs_survive_as_cases(kind):
    for number in range(20):
        made = generate(Random(number), kind)
        again = parse(dump(Case(made, 2))).program
        assert again.insns == made.insns and again.func_info == made.func_info
        assert list(map(untyped, again.maps)) == list(map(untyped, made.maps))


@pytest.mark.parametrize("text", ["", "level: 2\nlog:\n", "what\nlog:\n", "map: a\n\nlog:\n", "  0: zz\n\nlog:\n"])
def test_bad_cases(text):
    if text.startswith("level"):
        assert parse(text).level == 2
        return
    with pytest.raises(UsageError):
        parse(text)


# -- shrinking


def test_without_keeps_jumps_and_calls():
    made = program(Insn(0x15, 0, 0, 3, 0), R0, R0, Insn(0x85, 0, 1, 0, 1), EXIT, Insn(0x05, 0, 0, -1), EXIT)
    smaller = without(made, 1, 2)
    assert [target(insn, at) for at, insn in enumerate(smaller.insns)] == [2, 3, -1, 3, -1]
    assert without(program(Insn(0x05, 0, 0, 9), EXIT), 1, 1) is None


def test_functions_move_along():
    made = replace(program(R0, R0, EXIT, R0, EXIT), func_info=[FuncInfo(0, 1), FuncInfo(3, 2)])
    assert without(made, 0, 1).func_info == [FuncInfo(0, 1), FuncInfo(2, 2)]
    assert without(made, 3, 1).func_info == [FuncInfo(0, 1)]


def test_shrink_finds_the_one_that_matters():
    wanted = Insn(0x07, 3, 0, 0, 1000)
    insns = [Insn(0xB7, n % 10, 0, 0, n) for n in range(60)]
    insns[37] = wanted
    maps = [MapSpec(str(n), "array", 4, 8, 1) for n in range(3)]
    load = [Insn(0x18, 1, 1, 0, 2), Insn(0)]
    made = program(*insns, *load, EXIT, maps=maps)
    small = shrink(
        made, lambda p: any(i.code == 7 and i.imm > 10 for i in p.insns) and any(i.code == 24 for i in p.insns)
    )
    assert len(small.insns) <= 3
    assert [m.name for m in small.maps] == ["2"]
    assert next(i for i in small.insns if i.code == 7).imm < 32


# -- comparing


def compared(kernel, osmia):
    return Comparison(program(R0, EXIT), Powers(), 2, kernel, osmia)


@pytest.mark.parametrize(
    ("kernel", "osmia", "kind", "differs"),
    [
        (Answer(0, "a"), Answer(0, "a"), "same", False),
        (Answer(0, "a"), Answer(0, "b"), "log", True),
        (Answer(13, "a"), Answer(0, "a"), "accepts", True),
        (Answer(0, "a"), Answer(13, "a"), "rejects", True),
        (Answer(22, "a"), Answer(13, "a"), "errno", True),
        (Answer(22, "a"), Answer(-1, crash="x"), "crash", True),
        (Answer(22, "a"), Answer(-1, unsupported="x"), "unsupported", False),
        (Answer(22, "a"), comparing.NOT_ASKED, "too long", False),
    ],
)
def test_kinds_of_comparisons(kernel, osmia, kind, differs):
    found = compared(kernel, osmia)
    assert (found.kind, found.differs) == (kind, differs)


def test_causes_don_t_depend_on_numbers():
    a = compared(Answer(13, "R1 off=8\nprocessed 1 insns\n"), Answer(22, "R2 bad 7\n"))
    b = compared(Answer(13, "R3 off=64\nprocessed 9 insns\n"), Answer(22, "R9 bad 1\n"))
    assert a.cause == b.cause
    assert what_differs("5: R1=scalar(smin=1,umax=4)", "5: R1=scalar(smin=2,umax=4)") == "bounds | bounds"


def test_addresses_of_maps_are_masked_only():
    made = program(Insn(0x18, 1, 1), Insn(0), Insn(0x18, 2, 0, 0, -1), Insn(0, 0, 0, 0, -1), R0, EXIT)
    log = "0: (18) r1 = 0xffff888012345678\n2: (18) r2 = 0xffffffffffffffff\nverification time 17 usec\n"
    said = "0: (18) r1 = 0xADDR\n2: (18) r2 = 0xffffffffffffffff\nverification time N usec\n"
    assert masked(log, made) == said


# -- generating


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_makes_the_same_program(kind):
    assert dump(Case(generate(Random("a 1"), kind))) == dump(Case(generate(Random("a 1"), kind)))


def test_mutating_leaves_the_original_alone():
    insns = [R0] * 20 + [EXIT]
    changed = [mutate(Random(n), insns, 3) for n in range(20)]
    assert insns == [R0] * 20 + [EXIT]
    assert sum(c != insns for c in changed) > 15
    assert all(len(c) == len(insns) for c in changed)


@pytest.mark.live
@needs_kernel
def test_most_programs_are_nearly_valid():
    accepted = total = 0
    with Kernel() as kernel:
        for kind in set(KINDS) - {"random", "mutants"}:
            for number in range(25):
                with suppress(UsageError):  # a mutated number of a map
                    accepted += not kernel.ask(generate(Random(number), kind), 0, Powers()).errno
                    total += 1
    assert 0.3 < accepted / total < 0.9


# -- both judges


@pytest.mark.live
@needs_kernel
def test_capabilities_come_back():
    before = powers.effective()
    with powers.only(Powers(True, False, False, False)):
        during = powers.effective()
    assert powers.effective() == before
    assert during == before & ~sum(1 << powers.CAPS[c] for c in ("perfmon", "net_admin", "sys_admin"))


@pytest.mark.live
@needs_kernel
def test_a_difference_is_found_shrunk_and_told(monkeypatch):
    right = comparing.ask_osmia

    def wrong(program, level, powers):
        answer = right(program, level, powers)
        return replace(answer, errno=99) if any(i.code == 0x95 for i in program.insns) else answer

    monkeypatch.setattr(comparing, "ask_osmia", wrong)
    plan = verify_diff.Plan(1, seconds=20, kinds=("alu",), programs=3)
    report = verify_diff.run(plan)
    assert report.programs == report.differences == 3
    group = next(iter(report.groups.values()))
    text = verify_diff.describe("cause", group)
    assert "osmia: errno 99" in text and "(95) exit" in text
    assert len(group.example.program.insns) <= 3


@pytest.mark.live
@needs_kernel
def test_a_kernel_that_stumbles_costs_one_stretch(monkeypatch):
    right = verify_diff.one

    def stumbles(plan, number, kernel, report):
        if number == 7:
            os.kill(os.getpid(), signal.SIGKILL)
        right(plan, number, kernel, report)

    monkeypatch.setattr(verify_diff, "one", stumbles)
    monkeypatch.setattr(verify_diff, "STRETCH", 5)
    report = verify_diff.run(verify_diff.Plan(1, seconds=60, kinds=("alu",), programs=15))
    assert report.programs == 10 and report.lost == {5: "was killed by SIGKILL"}


@pytest.mark.live
@needs_kernel
def test_the_command(tmp_path):
    from osmia.cli.diff import command

    args = ["--programs", "5", "--seed", "1", "--kind", "alu", "--seconds", "20", "--json", "--save", str(tmp_path)]
    said = CliRunner().invoke(command, args, standalone_mode=False)
    assert said.exception is None
    assert '"programs": 5' in said.output
    with pytest.raises(UsageError, match="no kind"):
        CliRunner().invoke(command, ["--kind", "nonsense"], standalone_mode=False, catch_exceptions=False)


# -- soundness


def test_accepted_programs_run_as_the_verifier_knew():
    for number in range(12):
        made = generate(Random(number), ("alu", "stack", "maps", "packets")[number % 4])
        assert list(violations(made, Random(number), 1)) == []


def test_a_wrong_fact_is_noticed():
    made = program(Insn(0xB7, 1, 0, 0, 5), Insn(0xBF, 0, 1), EXIT)
    facts = judge(made, log_level=0, facts=True).facts
    fact = facts.of(1, 1)
    fact.umin = fact.umax = fact.value = 6
    found = run_once(made, facts, bytes(64))
    assert found.slot == 1 and "R1 is 0x5" in found.text
