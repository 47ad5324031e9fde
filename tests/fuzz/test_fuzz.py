"""Hostile input to every parser: it ends in time, within memory, and in nothing but an error of the tree.

A failure names target and seed: ``python -m fuzz.again TARGET SEED`` (in tests/) shows that input again, and what
is left of it after everything that does not matter is taken away.  Where the long run's time goes is
``OSMIA_FUZZ_SECONDS`` (a target; 60 when not set).
"""

from __future__ import annotations

import os
import random
import time

import pytest
from fuzz.bounds import bounded
from fuzz.targets import TARGETS, settle

SHORT = 0.6
"""Seconds a target in the ordinary run."""
LEAST = 10
BASE = 0 if os.environ.get("HYPOTHESIS_PROFILE") == "ci" else random.SystemRandom().randrange(1 << 32)
BY_NAME = [pytest.param(t, id=t.name) for t in TARGETS]


def feed(target, seconds, base):
    """Inputs of consecutive seeds until the time is up."""
    end, seed = time.monotonic() + seconds, base
    while seed < base + LEAST or time.monotonic() < end:
        data = target.make(random.Random(seed))
        try:
            with bounded():
                settle(target, data)
        except BaseException as error:
            error.add_note(f"python -m fuzz.again {target.name} {seed}")
            raise
        seed += 1
    return seed - base


@pytest.mark.parametrize("target", BY_NAME)
def test_a_little(target):
    assert feed(target, SHORT, BASE) >= LEAST


@pytest.mark.slow
@pytest.mark.parametrize("target", BY_NAME)
def test_long(target):
    seconds = float(os.environ.get("OSMIA_FUZZ_SECONDS", "60"))
    assert feed(target, seconds, random.SystemRandom().randrange(1 << 32)) >= LEAST
