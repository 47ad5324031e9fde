"""Programs with the log of other kernels (``golden/kernels/KERNEL/NAME.txt``): Osmia as that kernel says the same.

``tools/guest_diff.py KERNEL --save`` finds such programs, ``--record`` asks the kernel's guest again.
"""

from pathlib import Path

import pytest

from osmia.kernel.types import types_of
from osmia.testing.answers import ask_osmia
from osmia.testing.cases import dump, parse

CASES = sorted((Path(__file__).parent / "golden" / "kernels").glob("*/*.txt"))


@pytest.mark.parametrize("path", CASES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_osmia_says_what_that_kernel_said(path):
    case = parse(path.read_text("utf-8"))
    if (case.program.externs or case.program.attach_target) and types_of(path.parent.name) is None:
        pytest.skip("needs the types of that kernel")
    answer = ask_osmia(case.program, case.level, case.powers, kernel=path.parent.name)
    assert (answer.crash, answer.unsupported) == ("", "")
    assert answer.errno == case.errno
    assert answer.log == case.log


@pytest.mark.parametrize("path", CASES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_case_survives_reading_and_writing(path):
    text = path.read_text("utf-8")
    assert dump(parse(text)) == text
