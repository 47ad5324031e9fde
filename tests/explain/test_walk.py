"""The recording behind the page: every path, where it comes from, how it ended, what each step found."""

import json

import pytest

from osmia.api import Program
from osmia.explain.html import changes, document, page, shown, walked
from osmia.explain.walk import Walk
from osmia.verifier.judge import judge, watch

BRANCHES = """
r0 = *(u32 *)(r1 + 12)
if r0 > 5 goto +2
*(u64 *)(r10 - 8) = r0
r0 = *(u64 *)(r10 - 8)
r0 &= 1
exit
"""
REFUSED = "r0 = *(u32 *)(r1 + 12)\nif r0 == 0 goto +1\nr0 = r5\nexit"
FANNED = (
    "r7 = *(u32 *)(r1 + 12)\nr6 = -200\n"
    + "".join(f"if r7 & {1 << bit} goto +1\nr6 += {1 << bit}\n" for bit in range(7))
    + "r0 = r10\nr0 += r6\n*(u8 *)(r0 - 1) = 0\nr0 = 0\nexit"
)
"""Every path knows another number, so none is like an earlier one."""
LOOP = "r6 = 0\nr6 += 1\nif r6 < 900 goto -2\nr0 = 0\nexit"


def walk(text, most=40_000, long=4_000):
    made = Walk(most, long)
    return made, watch(Program(text, "xdp"), made)


def states(data, number):
    """The state before each step of a path's whole line, as the page's script makes it."""
    path = data["paths"][number]
    line = []
    if path["parent"] is not None:
        parent, index = path["parent"]
        above = states(data, parent)
        line = above[: len(above) - len(data["paths"][parent]["steps"]) + index + 1]
    for slot, changed in path["steps"]:
        known = dict(line[-1][1]) if line else {}
        for name, text in changed.items():
            known.pop(name) if text is None else known.update({name: text})
        line.append((slot, known))
    return line


def test_paths_and_their_ends():
    made, verdict = walk(BRANCHES)
    assert verdict.ok and [path.end for path in made.paths] == ["exit", "exit"]
    first, second = made.paths
    assert [s.insn for s in first.steps] == [0, 1, 2, 3, 4, 5]
    assert second.parent is first and second.fork.insn == 1 and [s.insn for s in second.steps] == [4, 5]


def test_a_refusal_ends_the_newest_path():
    made, verdict = walk(REFUSED)
    data = document(made, verdict, "6.18")
    assert data["paths"][-1]["end"] == "refused" and data["error"]["insn"] == 2
    assert data["insns"][3]["visits"] == made.visits.get(3, 0)


@pytest.mark.parametrize("text", [BRANCHES, REFUSED, LOOP, FANNED])
def test_changes_add_up_to_the_states(text):
    made, verdict = walk(text)
    data = document(made, verdict, "6.18")
    for number, path in enumerate(made.paths):
        line = states(data, number)
        for step, (slot, known) in zip(path.steps, line[len(line) - len(path.steps) :], strict=True):
            assert slot == step.insn and known == shown(made.env, step)


def test_the_states_are_the_logs():
    log = judge(Program(BRANCHES, "xdp"), log_level=2).log
    data = walked(Program(BRANCHES, "xdp"), "6.18")
    for _, known in states(data, 0)[1:]:
        assert f"R0={known['R0']}" in log or f"R0_w={known['R0']}" in log
    assert any("fp-8" in known for _, known in states(data, 0))


def test_changes():
    assert changes({"R1": "ctx()", "R2": "1"}, {"R1": "ctx()", "R3": "2"}) == {"R3": "2", "R2": None}


def test_a_long_path_loses_its_middle():
    made, verdict = walk(LOOP, long=50)
    whole = walk(LOOP)[0]
    assert verdict.ok and made.kept_steps < 400 < whole.kept_steps
    assert sum(p.left_out for p in made.paths) + made.kept_steps == whole.kept_steps
    document(made, verdict, "6.18")


def test_a_long_walk_loses_paths_that_ended():
    made, verdict = walk(FANNED, most=300)
    assert verdict.ok and made.dropped > 0 and made.walked == made.dropped + len(made.paths)
    document(made, verdict, "6.18")


def test_refused_before_any_path():
    data = walked(Program("r0 = 0\ngoto +5\nexit", "xdp"), "6.18")
    assert data["paths"] == [] and "jump out of range" in data["verdict"]["text"] and page([data])


def test_nothing_in_the_data_ends_the_script():
    made, verdict = walk("r0 = 0\nexit")
    text = page([document(made, verdict, "6.18", "</script><b>")])
    assert text.count("</script>") == 2
    inside = text.partition('type="application/json">')[2].partition("</script>")[0]
    assert json.loads(inside)[0]["explanation"] == "</script><b>"


def test_the_reason_is_on_it():
    assert "nothing was written to it on this path" in walked(Program(REFUSED, "xdp"), "6.18")["explanation"]


def test_it_loads_nothing():
    text = page([walked(Program(BRANCHES, "xdp"), "6.18")])
    assert not any(word in text for word in ("http:", "https:", "src=", "@import", "url("))
