"""Random C programs: our machine and the running kernel agree on results, packets, contexts and maps.

``make test`` runs a few, the same each time unless OSMIA_SEED says otherwise; ``-m slow`` runs them for OSMIA_SECONDS
(twenty minutes).  A difference is made small and shown with both answers; ``record_golden`` keeps it.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest
from end_to_end import judge
from end_to_end.campaign import Case, campaign
from end_to_end.nodes import Node, block, expr, shrink, stmt

from osmia import live
from osmia.cc import installed_compilers

SEED = int(os.environ.get("OSMIA_SEED", "1"))
SAMPLE, LIMIT = 8, 40  # seconds, programs
SECONDS = float(os.environ.get("OSMIA_SECONDS", "1200"))
WHY_NOT = live.available() or (None if installed_compilers() else "no C compiler with the BPF target")
needs_kernel = [pytest.mark.live, pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))]


def nothing_differs(seconds: float, limit: int) -> Counter[str]:
    counts: Counter[str] = Counter()
    for case, what in campaign(SEED, seconds, counts, limit):
        text = case.shrunk(what, 300)
        _, ours, theirs = case.difference(text)
        pytest.fail(
            f"seed {case.seed}, {case.cpu} by {case.compiler}: {what}\n{text}\n-- ours\n{ours}\n-- theirs\n{theirs}"
        )
    tried = counts["compared"] + counts["refused"] + counts["not compiled"]
    assert tried - counts["compared"] <= max(3, tried // 5), counts  # the generator keeps to what verifiers take
    return counts


class TestSample:
    pytestmark = needs_kernel

    def test_a_few(self):
        assert nothing_differs(SAMPLE, LIMIT)["compared"] >= 5

    @pytest.mark.slow
    def test_many(self, capsys):
        counts = nothing_differs(SECONDS, 1 << 60)
        with capsys.disabled():
            print(dict(counts))

    def test_a_wrong_machine_is_noticed_and_the_program_made_small(self, monkeypatch):
        """The comparison itself works: with one wrong operation it finds a difference, and shrinking keeps it."""
        from osmia.vm import decode
        from osmia.vm.ops import OPS

        monkeypatch.setitem(decode.PLAIN, "xor64_reg", OPS["OR64"])
        found = next(campaign(SEED, 30, Counter()))
        before = len(str(found[0].tree))
        text = found[0].shrunk(found[1], 15)
        assert len(text) < before and found[0].difference(text)[0] == found[1]


# -- the tools -----------------------------------------------------------------------------------------------------


def test_a_seed_is_a_program():
    one, other = Case.of(77), Case.of(77)
    assert str(one.tree) == str(other.tree) and one.packets == other.packets
    assert str(Case.of(78).tree) != str(one.tree)


def test_shrinking_takes_away_what_does_not_matter():
    wanted = stmt("f(@);\n", expr("(@ + @)", expr("1234"), expr("bad(@)", expr("7"))))
    tree = Node(
        "text",
        [
            "int main() {\n",
            block([stmt("a;\n"), stmt("if (@) {\n@}\n", expr("x"), block([wanted])), stmt("b;\n")]),
            "}",
        ],
    )
    assert shrink(tree, lambda text: "bad(" in text and "f(" in text) == "int main() {\nf(bad(0));\n}"


def test_answers_that_differ_are_told_apart():
    answer = judge.Answer([(1, "aa", "bb")], {"m": [("00", "01")]})
    assert answer.difference(judge.Answer([(1, "aa", "bb")], {"m": [("00", "01")]})) is None
    for other, word in (
        (judge.Answer([(2, "aa", "bb")], answer.maps), "retval"),
        (judge.Answer([(1, "ab", "bb")], answer.maps), "packet"),
        (judge.Answer([(1, "aa", "b0")], answer.maps), "ctx"), (judge.Answer(answer.runs, {"m": []}), "map m"),
        (judge.Answer([], answer.maps), "runs"),
    ):  # fmt: skip
        assert answer.difference(other) == word
