"""The recording of a walk: one path, shared beginnings, bounded memory."""

import osmia
from osmia.explain import explain
from osmia.explain.trail import FIRST, LAST, Trail
from osmia.verifier.judge import watch


def walked(text, prog_type="xdp", **more):
    trail = Trail()
    return watch(osmia.Program(text, prog_type, **more), trail), trail


def test_the_path_to_the_error():
    verdict, trail = walked("r2 = *(u32 *)(r1 + 16)\nr0 = 0\nif r2 > 7 goto +1\nr0 = r3\nexit")
    assert verdict.error.insn == 3
    assert [step.insn for step in trail.kept()] == [0, 1, 2, 3]
    assert trail.last.regs[2].umax == 7


def test_a_path_that_was_set_aside_goes_on_where_it_forked():
    text = "r2 = *(u32 *)(r1 + 16)\nr0 = 0\nif r2 > 7 goto +2\nr0 = 1\nexit\nr0 = r3\nexit"
    verdict, trail = walked(text)
    assert verdict.error.insn == 5
    assert [step.insn for step in trail.kept()] == [0, 1, 2, 5]
    assert trail.last.regs[2].umin == 8
    assert trail.visits[3] == 1


def test_frames_and_what_is_shared():
    text = "r6 = 7\nr1 = 5\ncall sub\nexit\nsub:\nr0 = r2\nexit"
    verdict, trail = walked(text)
    assert verdict.error.insn == 4
    last = trail.last
    assert len(last.frames) == 2 and last.frames[0].regs[6].value == 7
    assert last.frames[0] is last.before.frames[0] or last.frames[0].regs[6] is last.before.frames[0].regs[6]


def test_long_paths_keep_both_ends():
    turns = 12_000
    text = f"r0 = 0\nr6 = 0\nagain:\nr6 += 1\nif r6 < {turns} goto again\nr0 = r3\nexit"
    verdict, trail = walked(text)
    assert verdict.error.kind == "uninit-register"
    steps = trail.kept()
    assert len(steps) <= FIRST + 1 + 2 * LAST
    assert steps[0].insn == 0 and steps[-1].insn == 4
    assert trail.left_out == steps[-1].depth + 1 - len(steps) > 0
    assert any(step.left_out for step in steps)


def test_a_story_that_reaches_into_the_gap_says_so():
    turns = 12_000
    text = (
        f"r7 = *(u32 *)(r1 + 16)\nr0 = 0\nr6 = 0\nagain:\nr6 += 1\nif r6 < {turns} goto again\n"
        "r0 = *(u8 *)(r7 + 0)\nexit"
    )
    said = explain(osmia.Program(text, "xdp"))
    assert said.kind == "invalid-mem-access"
    assert [origin.kind for origin in said.origins] == ["gap"]


def test_an_accepted_program_needs_no_words():
    assert explain(osmia.Program("r0 = 2\nexit", "xdp")) is None
