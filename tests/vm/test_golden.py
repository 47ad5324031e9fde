"""Every instruction gives what the kernel gave (tests/vm/golden; no kernel needed here)."""

from __future__ import annotations

from pathlib import Path

import pytest
from vm import golden_cases, golden_io

from osmia.isa import OPS
from osmia.vm import Machine

FILES = sorted((Path(__file__).parent / "golden").glob("*.txt"))


@pytest.mark.parametrize("engine", ["interp", "jit"])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_golden(path, engine):
    if engine == "jit":
        pytest.importorskip("llvmlite")
    cases = golden_io.read(path)
    assert cases
    for case in cases:
        machine = Machine(case.program, engine=engine)
        result = machine.run(case.context())
        assert machine.note == ""
        assert (hex(result.retval), case.visible(result.data)) == (hex(case.retval), case.visible(case.out)), case.name


@pytest.mark.parametrize("name", golden_cases.FILES)
def test_files_hold_what_the_generator_makes(name):
    kept = {case.name: case.insns for path in FILES if path.stem == name for case in golden_io.read(path)}
    assert kept == {case.name: case.insns for case in golden_cases.FILES[name]()}


def test_every_instruction_is_there():
    names = {case.name for path in FILES for case in golden_io.read(path)}
    plain = {op.name for op in OPS if op.cls in (1, 2, 3, 4, 5, 6, 7)}
    elsewhere = {"addr_space_cast", "ja", "gotol", "call", "call_local", "call_kfunc", "callx", "exit"}
    assert plain - names == elsewhere
