"""Programs with the log of Linux 6.18, kept as text (``osmia.testing.cases``): Osmia and the kernel say the same."""

import platform
from pathlib import Path

import pytest

from osmia import live
from osmia.testing.answers import Kernel, ask_osmia
from osmia.testing.cases import dump, parse
from osmia.verifier.judge import RUNNING

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(p for p in GOLDEN.glob("*/*.txt") if "\nerrno: " in p.read_text("utf-8"))
SAME = platform.release().startswith("6.18.")


@pytest.mark.parametrize("path", CASES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_osmia_says_what_the_kernel_said(path):
    case = parse(path.read_text("utf-8"))
    if (case.program.externs or case.program.attach_target) and not (SAME and RUNNING.is_file()):
        pytest.skip("needs the types of a Linux 6.18")
    answer = ask_osmia(case.program, case.level, case.powers)
    assert (answer.crash, answer.unsupported) == ("", "")
    assert answer.log == case.log
    assert answer.errno == case.errno


@pytest.mark.parametrize("path", CASES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_case_survives_reading_and_writing(path):
    text = path.read_text("utf-8")
    assert dump(parse(text)) == text


def test_there_are_cases():
    assert sum(path.parent.name == "memory" for path in CASES) > 90


@pytest.mark.live
@pytest.mark.skipif(live.available() is not None or not SAME, reason="needs a Linux 6.18 that loads programs")
def test_the_kernel_still_says_so():
    with Kernel() as kernel:
        for path in CASES:
            case = parse(path.read_text("utf-8"))
            answer = kernel.ask(case.program, case.level, case.powers)
            assert (answer.errno, answer.log) == (case.errno, case.log), path.name
