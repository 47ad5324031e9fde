"""Loads, stores and what they may touch: programs that Linux 6.18 has judged, word for word.

``golden/memory`` holds them with the kernel's log; where bpf(2) may be asked, it is asked again.
"""

from pathlib import Path

import pytest

from osmia import live
from osmia.errors import KernelError
from osmia.testing.answers import Kernel, ask_osmia
from osmia.testing.cases import parse

CASES = sorted((Path(__file__).parent / "golden" / "memory").glob("*.txt"))


@pytest.fixture(scope="module")
def kernel():
    if (why := live.available()) is not None:
        pytest.skip(str(why))
    return Kernel()


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_as_recorded(path):
    case = parse(path.read_text())
    answer = ask_osmia(case.program, case.level, case.powers)
    assert (answer.unsupported, answer.crash) == ("", "")
    assert answer.log == case.log
    assert answer.errno == case.errno


@pytest.mark.live
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_record_is_right(path, kernel):
    case = parse(path.read_text())
    try:
        answer = kernel.ask(case.program, case.level, case.powers)
    except KernelError as error:
        pytest.skip(str(error))
    assert (answer.errno, answer.log) == (case.errno, case.log)


def test_there_are_cases():
    assert len(CASES) > 90
