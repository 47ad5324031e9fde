"""Kept programs that Linux accepts run on packets made to hurt: nothing faults, no register leaves what was known."""

import re
from pathlib import Path
from random import Random

import pytest

from osmia.testing.cases import parse
from osmia.testing.soundness import violations

GOLDEN = Path(__file__).parent / "golden"
OBJECTS = re.compile(r"untrusted|\bptr_[a-z]|^type: struct_ops", re.M)
"""Programs that follow pointers to the kernel's own objects, which a bare machine has none of."""
ACCEPTED = sorted(
    path
    for path in GOLDEN.glob("*/*.txt")
    if "\nerrno: 0\n" in (text := path.read_text("utf-8")) and not OBJECTS.search(text)
)


@pytest.mark.parametrize("path", ACCEPTED, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_an_accepted_program_keeps_its_facts(path):
    program = parse(path.read_text("utf-8")).program
    assert [v.text for v in violations(program, Random(path.stem), 2)] == []


def test_there_are_such_programs():
    assert len(ACCEPTED) > 40
