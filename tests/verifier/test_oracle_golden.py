"""Recorded verdicts of Linux 6.18 on random programs, and ours (tools/verify_golden.py shows the differences)."""

import importlib.util
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "verify_golden.py"
spec = importlib.util.spec_from_file_location("verify_golden", TOOL)
golden = importlib.util.module_from_spec(spec)
spec.loader.exec_module(golden)

pytestmark = pytest.mark.skipif(not golden.GOLDEN.is_file(), reason="no recorded verdicts (OSMIA_ORACLE)")

WANTED = {"verdict": 1.0, "error": 0.99, "processed": 0.99, "states": 0.99, "log1": 0.99, "log2": 0.95}


def agreement(limit):
    results = [golden.careful((line, (1, 2))) for line in golden.chosen(most_processed=3000, limit=limit)]
    assert [r["feature"] for r in results if r["where"] == "crash"] == []
    judged = [r for r in results if r["same"]]
    assert len(judged) > len(results) // 2
    made = {}
    for check in WANTED:
        asked = [r["same"][check] for r in judged if check in r["same"]]
        made[check] = sum(asked) / len(asked)
    return made


def test_a_sample_agrees():
    made = agreement(300)
    assert {check: share for check, share in made.items() if share < WANTED[check]} == {}


@pytest.mark.slow
def test_all_agree():
    made = agreement(0)
    assert {check: share for check, share in made.items() if share < WANTED[check]} == {}
