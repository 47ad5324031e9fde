"""Which stack slots may still be read: facts entered by hand, and what follows from them, with the kernel's words."""

import pytest

from osmia.asm import llvm
from osmia.kernel import profile
from osmia.obj.model import Program
from osmia.verifier import live_stack
from osmia.verifier.env import Env, Powers
from osmia.verifier.log import Log
from osmia.verifier.order import compute_postorder
from osmia.verifier.state import Frame, State
from osmia.verifier.subprogs import add_subprog_and_kfunc, check_subprogs

PROFILE = profile.load("6.18")

BRANCHES = """
    r0 = 1
    if r0 == 2 goto other
    *(u64 *)(r10 - 8) = 1
    goto join
    other:
    r0 = 3
    join:
    r0 = *(u64 *)(r10 - 8)
    exit
"""
CALL = """
    *(u64 *)(r10 - 8) = 1
    r1 = r10
    call f
    r0 = *(u64 *)(r10 - 8)
    exit
    f:
    r0 = *(u64 *)(r1 - 16)
    *(u64 *)(r1 - 8) = 7
    exit
"""


def make_env(text, level=2):
    env = Env(Program("t", "xdp", llvm.parse(text), license="GPL"), PROFILE, Powers(), Log(level))
    add_subprog_and_kfunc(env)
    check_subprogs(env)
    compute_postorder(env)
    live_stack.stack_liveness_init(env)
    env.log.reset(0)
    env.state = State()
    env.state.frames, env.state.branches = [Frame(-1, 0, 0)], 1
    return env


def step(env, insn_idx, reads=0, writes=0, frameno=0):
    """One instruction of the current path."""
    env.insn_idx = env.state.insn_idx = insn_idx
    live_stack.reset_stack_write_marks(env, insn_idx)
    if reads:
        live_stack.mark_stack_read(env, frameno, insn_idx, reads)
    if writes:
        live_stack.mark_stack_write(env, frameno, writes)
    live_stack.commit_stack_write_marks(env)


def live_at(env, insn_idx, frameno=0):
    env.state.insn_idx = insn_idx
    live_stack.live_stack_query_init(env, env.state)
    return live_stack.live_slots(env, frameno)


def said(env):
    """The lines since the last question, without the ends of lines that nobody sees."""
    lines = [line.rstrip() for line in str(env.log).splitlines()]
    env.log.reset(0)
    return lines


def test_a_read_is_live_up_to_the_write_before_it():
    env = make_env(BRANCHES)
    step(env, 2, writes=1)
    step(env, 5, reads=1)
    live_stack.update_live_stack(env)
    assert [live_at(env, i) for i in range(7)] == [1, 1, 0, 1, 1, 1, 0]
    assert said(env) == [
        "(0) frame 0 insn 5 +live -8",
        "(0) frame 0 insn 2 +written -8",
        "(0) frame 0 insn 0 +live -8",
        "(0) live stack update done in 2 iterations",
    ]


def test_nothing_new_means_nothing_to_do():
    env = make_env(BRANCHES)
    for _ in range(2):
        step(env, 2, writes=1)
        step(env, 5, reads=1)
        live_stack.update_live_stack(env)
    assert len([line for line in said(env) if "done in" in line]) == 1


def test_what_one_path_does_not_write_is_not_written():
    env = make_env(BRANCHES)
    step(env, 2, writes=0b11)
    step(env, 5, reads=0b11)
    live_stack.update_live_stack(env)
    assert live_at(env, 2) == 0
    said(env)
    step(env, 2, writes=0b10)
    live_stack.update_live_stack(env)
    assert live_at(env, 2) == 0b01
    assert said(env)[0] == "(0) frame 0 insn 2 +live -8"
    step(env, 2)
    live_stack.update_live_stack(env)
    assert live_at(env, 2) == 0b11
    step(env, 2, writes=0b11)
    live_stack.update_live_stack(env)
    assert live_at(env, 2) == 0b11, "once not written is never surely written"


def test_an_instruction_that_wrote_nothing_first_never_writes():
    env = make_env(BRANCHES)
    step(env, 2)
    step(env, 2, writes=1)
    step(env, 5, reads=1)
    live_stack.update_live_stack(env)
    assert live_at(env, 2) == 1


def test_far_slots_are_lost_to_32_bits():
    """Slot 49 is written the first time only, and the kernel doesn't see it; with a near slot changing it does."""
    env = make_env(BRANCHES)
    step(env, 2, writes=1 << 49)
    step(env, 2, writes=1)
    step(env, 5, reads=1 << 49)
    live_stack.update_live_stack(env)
    assert live_at(env, 2) == 0
    env = make_env(BRANCHES)
    step(env, 2, writes=1 << 49 | 1)
    step(env, 2)
    step(env, 5, reads=1 << 49)
    live_stack.update_live_stack(env)
    assert live_at(env, 2) == 1 << 49


@pytest.mark.parametrize("written_on_all_paths", [True, False])
def test_a_function_tells_its_caller(written_on_all_paths):
    env = make_env(CALL)
    step(env, 0, writes=1)
    env.state.frames.append(Frame(2, 1, 1))
    env.state.curframe = 1
    live_stack.reset_live_stack_callchain(env)
    step(env, 5, reads=0b10)
    step(env, 6, writes=1 if written_on_all_paths else 0)
    live_stack.update_live_stack(env)
    del env.state.frames[1]
    env.state.curframe = 0
    live_stack.reset_live_stack_callchain(env)
    step(env, 3, reads=1)
    live_stack.update_live_stack(env)
    assert live_at(env, 2) == (0b10 if written_on_all_paths else 0b11)
    lines = said(env)
    assert "(2,5) frame 0 insn 5 +live -16" in lines
    assert ("(2,5) frame 0 insn 5 +written -8" in lines) == written_on_all_paths
    assert ("(0) frame 0 insn 2 +live -8" in lines) == (not written_on_all_paths)


def test_a_callers_slot_is_live_in_the_callee_while_the_caller_reads_it_later():
    env = make_env(CALL)
    step(env, 3, reads=1)
    env.state.frames.append(Frame(2, 1, 1))
    env.state.curframe = 1
    live_stack.update_live_stack(env)
    assert live_at(env, 6) == 1 and live_at(env, 6, 1) == 0
    live_stack.live_stack_query_init(env, env.state)
    assert live_stack.live_slots(env, 0) & 0b11 == 0b01
    env.insns[2].calls_callback = True
    step(env, 6, reads=0b100)
    live_stack.update_live_stack(env)
    assert live_at(env, 6) == 0b101, "what the next round of a callback reads is live at the call"


def test_without_level_2_nothing_is_said():
    env = make_env(BRANCHES, level=1)
    step(env, 2, writes=1)
    live_stack.update_live_stack(env)
    assert said(env) == []
