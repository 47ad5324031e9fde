"""Whatever is refused can be explained, on one screen, with nothing left to fill in."""

import json
import lzma
import os
import re
from pathlib import Path
from random import Random

import pytest

from osmia.explain import explain
from osmia.explain.render import text_of
from osmia.obj import record
from osmia.testing.generate import KINDS, generate
from osmia.verifier.judge import powers

SCREEN = 40
HOLE = re.compile(r"\{[a-z]+\}")
ALL = ["bpf", "perfmon", "net_admin", "sys_admin"]
GOLDEN = Path(os.environ.get("OSMIA_ORACLE", "/nowhere")) / "golden" / "golden.jsonl.xz"
LONG = re.compile(r"processed (\d+) insns")


def checked(said):
    """An explanation is text of one screen and plain values."""
    text = text_of(said)
    assert text.count("\n") <= SCREEN, text
    assert not HOLE.search(text), text
    assert said.headline and said.rule and said.fixes and said.errno > 0
    json.dumps(said.to_json())


def refused(kind, count, seed):
    """Explain a number of programs of a kind; how many were refused."""
    rng = Random(seed)
    found = 0
    for _ in range(count):
        program = generate(Random(rng.random()), kind)
        said = explain(program, power=powers(caps=ALL if rng.random() < 0.8 else ["bpf", "net_admin"]))
        if said is not None:
            checked(said)
            found += 1
    return found


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("loops", "mixed")])
def test_random_programs(kind):
    refused(kind, 8, 20)


def test_of_many_some_are_refused():
    assert refused("packets", 15, 3) + refused("context", 15, 3) > 5


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_many_random_programs(kind):
    assert refused(kind, 150, 21) > 5


def recorded(step):
    """Every ``step``-th program of the recorded verdicts that is refused before long."""
    with lzma.open(GOLDEN, "rt") as lines:
        for number, line in enumerate(lines):
            if number % step:
                continue
            row = json.loads(line)
            theirs = row["v"].get("6.18", {})
            took = LONG.search(theirs.get("log", ""))
            if theirs.get("errno") and (took is None or int(took.group(1)) < 5000):
                yield row


@pytest.mark.skipif(not GOLDEN.is_file(), reason="no recorded verdicts (OSMIA_ORACLE)")
@pytest.mark.parametrize("step", [60, pytest.param(1, marks=pytest.mark.slow)])
def test_recorded_programs(step):
    asked = 0
    for row in recorded(step):
        line = json.dumps({key: value for key, value in row.items() if key not in ("v", "log2")}).encode()
        (program,) = record.load(line).programs.values()
        caps = row.get("caps")
        said = explain(program, power=powers(not row.get("unprivileged"), caps))
        if said is not None:
            checked(said)
            asked += 1
    assert asked > 10
