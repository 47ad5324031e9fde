"""Random walks that meet again, here and in the running kernel: the same log, so the same states at the same places."""

import os
import random
from itertools import zip_longest

import pytest
from verifier.walks import program

from osmia import live
from osmia.obj.model import Program
from osmia.testing.answers import Kernel, ask_osmia
from osmia.verifier.env import Powers

WHY_NOT = live.available()
pytestmark = [pytest.mark.live, pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))]
PROGRAMS = int(os.environ.get("OSMIA_PROGRAMS", "12"))
POWERS = {"all": Powers(), "bpf": Powers(True, False, False, False)}
STATE_FREQ = 1 << 3
MOST = 1500


@pytest.mark.parametrize("flags", [0, STATE_FREQ])
@pytest.mark.parametrize("powers", ["all", "bpf"])
def test_as_the_running_kernel(powers, flags):
    seeds = random.Random(os.environ.get("OSMIA_SEED", f"prune {powers} {flags}"))
    with Kernel() as kernel:
        for _ in range(PROGRAMS):
            seed = seeds.getrandbits(32)
            made = Program("walk", "socket_filter", program(random.Random(seed)), license="GPL")
            if kernel.ask(made, 4, POWERS[powers]).processed > MOST:
                continue
            made.flags = flags  # after that question: a long walk with every state kept takes gigabytes of the kernel
            ours, theirs = ask_osmia(made, 2, POWERS[powers]), kernel.ask(made, 2, POWERS[powers])
            lines = zip_longest(ours.log.splitlines(), theirs.log.splitlines())
            assert [pair for pair in lines if pair[0] != pair[1]][:1] == [], f"seed {seed}"
            assert ours.errno == theirs.errno, f"seed {seed}"
