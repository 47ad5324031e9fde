"""Native code for aarch64, in an emulator, comes to what the interpreter comes to here: every instruction with operands
at the edges, and random programs of nothing but instructions.
"""

from __future__ import annotations

from random import Random

import pytest
from vm import foreign
from vm.foreign import AARCH64, Prepared

from osmia.testing.engine_diff import accepted
from osmia.testing.generators import edges, observed

pytest.importorskip("llvmlite")
pytestmark = pytest.mark.skipif(
    bool(AARCH64.missing()), reason=f"needs {AARCH64.missing()} (Debian: qemu-user, gcc-aarch64-linux-gnu)"
)
KINDS = ("alu", "branches", "stack", "packets", "loops", "calls", "atomics")
COUNT = 210


def random_trials():
    made = (observed.trial(Random(f"aarch64 {n}"), KINDS[n % len(KINDS)]) for n in range(COUNT))
    return [trial for trial in made if foreign.suitable(trial) and accepted(trial)]


WAYS = (
    ("trusted, O2", False, 2, False), ("checked, O0", True, 0, False), ("trusted, O0", False, 0, True),
    ("checked, O2", True, 2, True),
)  # fmt: skip


@pytest.mark.parametrize(
    ("checked", "level"),
    [pytest.param(*way, id=name, marks=[pytest.mark.slow] if slow else []) for name, *way, slow in WAYS],
)
@pytest.mark.parametrize("trials", [lambda: list(edges.trials()), random_trials], ids=["edges", "random"])
def test_the_same(tmp_path, trials, checked, level):
    prepared = [Prepared(trial) for trial in trials()]
    assert len(prepared) > 20
    answers = foreign.run(AARCH64, prepared, tmp_path, level, checked)
    for one, answer in zip(prepared, answers, strict=True):
        assert answer == one.here(), one.trial.program.name
