"""Kept programs that Linux accepts run on packets made to hurt: nothing faults, no register leaves what was known."""

from pathlib import Path
from random import Random

import pytest

from osmia.testing.cases import parse
from osmia.testing.soundness import violations

GOLDEN = Path(__file__).parent / "golden"
ACCEPTED = sorted(p for p in GOLDEN.glob("*/*.txt") if "\nerrno: 0\n" in p.read_text("utf-8"))


@pytest.mark.parametrize("path", ACCEPTED, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_an_accepted_program_keeps_its_facts(path):
    program = parse(path.read_text("utf-8")).program
    assert [v.text for v in violations(program, Random(path.stem), 2)] == []


def test_there_are_such_programs():
    assert len(ACCEPTED) > 40
