"""Thousands of random programs: R0 and the packet must come out of the interpreter as out of the kernel.

A difference is shrunk and written to ``tests/vm/golden/found.txt`` in the form of ``vm.golden_io``; whoever
fixes it keeps the file.  The seed changes with every run unless OSMIA_SEED is set; a failure names it.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from vm import golden_io
from vm.golden_io import Case
from vm.progen import TYPES, Generator
from vm.shrink import shrink

import osmia.vm.interp
from osmia import live
from osmia.errors import KernelError, OsmiaError
from osmia.vm import Machine

COMPILED = not osmia.vm.interp.__file__.endswith(".py")
COUNT = int(os.environ.get("OSMIA_PROGRAMS", "3000" if COMPILED else "600"))
FOUND = Path(__file__).parent.parent / "vm" / "golden" / "found.txt"
pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(live.available() is not None, reason=str(live.available())),
]


def by_kernel(case: Case) -> tuple[int, bytes]:
    with live.load(case.program) as loaded:
        result = loaded.test_run(case.data)
    return result.retval, case.visible(result.data)


def by_us(case: Case, checked: bool = True) -> tuple[int, bytes]:
    result = Machine(case.program, checked=checked).run(case.context())
    return result.retval, case.visible(result.data)


def differs(case: Case) -> bool:
    try:
        expected = by_kernel(case)
    except KernelError:
        return False
    try:
        return by_us(case) != expected
    except OsmiaError:
        return True


def report(case: Case, fixed: int) -> str:
    """Shrink the case, keep it, and say what it is."""
    case.insns = shrink(
        case.insns, lambda smaller: differs(Case(case.name, case.prog_type, case.data, smaller)), fixed
    )
    case.retval, out = by_kernel(case)
    case.out = case.data[: len(case.data) - len(out)] + out
    text = golden_io.write(case)
    with FOUND.open("a") as file:
        file.write(text + "\n")
    return text


@pytest.mark.parametrize("prog_type", TYPES)
def test_random_programs(prog_type):
    seed = int(os.environ.get("OSMIA_SEED", random.randrange(1 << 32)))
    generator, refused = Generator(seed), []
    for number in range(COUNT // len(TYPES)):
        case = Case(f"seed{seed}_{number}", prog_type, generator.packet(), generator.program(prog_type))
        try:
            expected = by_kernel(case)
        except KernelError as error:
            refused.append(error.log.strip().splitlines()[-2:])
            continue
        try:
            same = by_us(case) == expected
        except OsmiaError:
            same = False
        assert same, f"seed {seed}, program {number}:\n{report(case, generator.fixed)}"
    assert len(refused) < COUNT // 100, refused[:3]


def test_unchecked_runs_the_same():
    generator = Generator(1)
    for _ in range(30):
        case = Case("unchecked", "xdp", generator.packet(), generator.program("xdp"))
        assert by_us(case, checked=False) == by_us(case)


def test_a_difference_is_noticed_and_shrunk(monkeypatch, tmp_path):
    """The comparison itself works: with a wrong operation it fails and leaves a small program."""
    from osmia.vm import decode
    from osmia.vm.ops import OPS

    monkeypatch.setitem(decode.PLAIN, "xor64_reg", OPS["OR64"])
    monkeypatch.setattr(f"{__name__}.FOUND", tmp_path / "found.txt")
    generator = Generator(5)
    case = Case("wrong", "xdp", generator.packet(), generator.program("xdp"))
    assert differs(case)
    length = len(case.insns)
    report(case, generator.fixed)
    (kept,) = golden_io.read(tmp_path / "found.txt")
    assert len(kept.insns) < length and kept.insns == case.insns and kept.retval == case.retval
