"""Every way in which the verifier says no has words."""

import ast
import re
from pathlib import Path

import pytest

import osmia.verifier
from osmia.explain.build import BUILDERS, RULES

VERIFIER = Path(osmia.verifier.__file__).parent
CALLS = {"reject": 1, "Rejected": 1, "step_refuses": 2, "Reason": 0}
"""Who makes a refusal, and which argument the kind is."""
NOT_REFUSALS = {"crash"}
"""A failure of Osmia's own, in a batch."""
HOLES = {"it", "call", "arg", "type", "said", "size", "bytes", "number", "insns", "map", "name", "declare"}


def kinds():
    """Every kind that a module of the verifier names, with the module."""
    found = {}
    for path in sorted(VERIFIER.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            at = CALLS.get(name)
            if at is not None and len(node.args) > at and isinstance(node.args[at], ast.Constant):
                found[node.args[at].value] = path.name
    return found


def test_every_kind_has_words():
    unspoken = {kind: where for kind, where in kinds().items() if kind not in RULES}
    assert {kind: where for kind, where in unspoken.items() if kind not in NOT_REFUSALS} == {}, (
        "add a rule to osmia/explain/rules_*.py"
    )


def test_there_are_no_words_for_nothing():
    text = "".join(path.read_text("utf-8") for path in VERIFIER.glob("*.py"))
    assert {kind for kind in RULES if f'"{kind}"' not in text} == set()
    assert set(BUILDERS) - set(RULES) == set()


@pytest.mark.parametrize("kind", sorted(RULES))
def test_words_are_whole_sentences(kind):
    rule = RULES[kind]
    assert rule.headline and not rule.headline.endswith(".")
    assert rule.rule.endswith((".", ")", "")) and len(rule.rule) < 260
    for text in (rule.headline, rule.rule, *rule.fixes):
        assert set(re.findall(r"\{(\w+)\}", text)) <= HOLES
        assert len(text) < 260
