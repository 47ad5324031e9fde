"""Programs with allocated objects, lists and trees, in C: right, and with the mistakes that people make."""

import pytest
from cc.compilers import COMPILERS
from verifier.objectkit import live_kernel
from verifier.objects import kit

from osmia.testing.answers import Kernel, ask_osmia
from osmia.testing.compare import compare
from osmia.verifier.env import Powers

needs_compiler = pytest.mark.skipif(not COMPILERS, reason="no compiler")
ANSWERS = kit.ANSWERS.read_text("utf-8").splitlines()


@needs_compiler
@pytest.mark.parametrize("source", kit.SOURCES, ids=lambda path: path.name.split(".")[0])
def test_osmia_says_what_the_kernel_said(source):
    kept = [row for row in ANSWERS if row.startswith(source.name.split(".")[0] + " ")]
    assert list(kit.told(source, lambda program: ask_osmia(program, 1, Powers()))) == kept


def test_the_right_ones_are_accepted_and_most_mistakes_are_not():
    right = [row for row in ANSWERS if row.split()[1] == "0"]
    assert len(right) >= 15
    assert all(row.endswith(": 0 accepted") for row in right)
    refused = {tuple(row.split()[:2]) for row in ANSWERS if not row.endswith(": 0 accepted")}
    mistakes = {tuple(row.split()[:2]) for row in ANSWERS if row.split()[1] != "0"}
    assert mistakes == refused
    assert len({row.split(": ")[1] for row in ANSWERS}) > 30


@needs_compiler
@live_kernel
@pytest.mark.parametrize("source", kit.SOURCES, ids=lambda path: path.name.split(".")[0])
def test_every_line_is_the_kernel_s(source):
    with Kernel() as kernel:
        for mistake in kit.variants(source):
            for program in kit.programs(source, mistake):
                for level in (1, 2, 4):
                    asked = compare(kernel, program, level, Powers(), 100_000)
                    assert asked.kind == "same", (mistake, program.name, level, asked.first)
