"""States that are remembered, met again, given up: the counts behind them (whole programs stand in golden/prune)."""

import pytest

from osmia.isa import Insn
from osmia.kernel import profile
from osmia.obj.model import Program
from osmia.verifier.env import Env, Powers, Subprog
from osmia.verifier.live_stack import stack_liveness_init
from osmia.verifier.log import Log
from osmia.verifier.loops import SccVisit
from osmia.verifier.prune import (
    clean_func_state,
    explored_states,
    give_up,
    is_state_visited,
    is_useless,
    iter_active_depths_differ,
    update_branch_counts,
)
from osmia.verifier.regs import known_value, pointer
from osmia.verifier.state import Frame, Slot, State

PROFILE = profile.load("6.18")


def make_env(**powers):
    env = Env(Program("t", "xdp", [Insn(0xB7), Insn(0xB7), Insn(0x95)]), PROFILE, Powers(**powers), Log(0))
    env.state = State()
    env.state.frames, env.state.branches = [Frame(-1, 0, 0)], 1
    for insn in env.insns:
        insn.live_regs_before = 0x7FF
    env.subprogs = [Subprog(0)]
    stack_liveness_init(env)
    return env


def visit(env, insn_idx=1, jumps=2, insns=8):
    env.state.insn_idx = insn_idx
    env.jmps_processed += jumps
    env.insn_processed += insns
    return is_state_visited(env, insn_idx)


@pytest.mark.parametrize("jumps, insns, remembered", [(2, 8, 1), (1, 8, 0), (2, 7, 0)])
def test_a_state_is_remembered_after_two_jumps_and_eight_instructions(jumps, insns, remembered):
    env = make_env()
    assert not visit(env, jumps=jumps, insns=insns)
    assert (env.total_states, env.peak_states, env.max_states_per_insn) == (remembered, remembered, 0)


@pytest.mark.parametrize("length, remembered", [(40, 0), (41, 1)])
def test_a_long_way_forces_a_state(length, remembered):
    env = make_env()
    env.state.history = [None] * length
    visit(env, jumps=0, insns=0)
    assert env.total_states == remembered


def test_the_way_goes_to_the_remembered_state():
    env = make_env()
    env.state.history = history = [None]
    visit(env)
    kept = env.state.parent
    assert kept.history is history and env.state.history == []
    assert (kept.branches, kept.insn_idx, env.state.first_insn_idx, env.state.dfs_depth) == (1, 1, 1, 1)


def test_a_finished_state_ends_an_equal_path():
    env = make_env()
    visit(env)
    update_branch_counts(env, env.state)
    again = State()
    again.frames, again.branches = [Frame(-1, 0, 0)], 1
    env.state = again
    assert visit(env, jumps=0, insns=0)
    assert explored_states(env, again, 1)[0].hit_cnt == 1


def test_an_unfinished_loop_waits_for_twenty_jumps_or_a_hundred_instructions():
    for jumps, insns, total in ((19, 99, 1), (20, 8, 2), (2, 100, 2)):
        env = make_env()
        env.state.frames[0].regs[6] = known_value(0)
        visit(env)
        env.state.frames[0].regs[6] = known_value(1)
        assert not visit(env, jumps=jumps, insns=insns)
        assert env.total_states == total and env.max_states_per_insn == 1


def test_states_that_miss_are_given_up_and_counted_until_they_are_done():
    env = make_env()
    visit(env)
    old = env.state.parent
    old.miss_cnt = 4
    insn = env.insns[1]
    assert is_useless(insn, old)
    old.miss_cnt = 3
    assert not is_useless(insn, old)
    old.hit_cnt, old.miss_cnt = 1, 6
    assert not is_useless(insn, old)
    insn.force_checkpoint = True
    old.hit_cnt, old.miss_cnt = 0, 64
    assert not is_useless(insn, old)
    give_up(env, old)
    assert (env.explored_states_size, env.free_list_size) == (0, 1)
    update_branch_counts(env, env.state)
    assert env.free_list_size == 0


def test_a_given_up_state_of_an_open_loop_stays_counted():
    env = make_env()
    visit(env)
    old = env.state.parent
    old.branches = 0
    old.scc_visit = SccVisit((), 1)
    old.scc_visit.backedges = [State()]
    give_up(env, old)
    assert env.free_list_size == 1


def test_one_place_in_the_table_holds_states_of_several_instructions():
    env = make_env()
    callee = State()
    callee.frames, callee.curframe = [Frame(-1, 0, 0), Frame(1, 1, 1)], 1
    main = env.state
    assert explored_states(env, main, 2) is explored_states(env, main, 2)
    assert explored_states(env, main, 2) is explored_states(env, callee, 0)  # ~2 modulo 3, and 0 ^ 1
    assert explored_states(env, main, 0) is not explored_states(env, main, 1)


def test_without_cap_bpf_there_is_a_limit():
    env = make_env(bpf=False)
    states = explored_states(env, env.state, 1)
    other = State()
    other.frames, other.branches, other.insn_idx = [Frame(-1, 0, 0)], 1, 0
    states += [other] * 64
    visit(env)
    assert env.total_states == 1
    env.state.frames[0].regs[6] = known_value(1)
    visit(env, jumps=20)
    assert env.total_states == 1 and env.max_states_per_insn == 65


def test_dead_registers_and_slots_are_forgotten():
    env = make_env()
    frame = Frame(-1, 0, 0)
    frame.regs[3], frame.regs[4] = known_value(1), known_value(2)
    frame.stack = [Slot(0x0101010101010101, known_value(3)) for _ in range(3)]
    env.insns[1].live_regs_before = 1 << 3
    clean_func_state(env, frame, 1, 0b101)
    assert [frame.regs[i].type for i in (3, 4)] == [1, 0] and frame.regs[10].frameno == 0
    assert [slot.types != 0 for slot in frame.stack] == [True, False, True]


def test_an_iterator_that_moved_on_is_no_endless_loop():
    def at(depth, state):
        reg = pointer(6)
        reg.iter_depth, reg.iter_state = depth, state
        made = State()
        made.frames = [Frame(-1, 0, 0)]
        made.frames[0].stack = [Slot(0x0505050505050505, reg)]
        return made

    assert iter_active_depths_differ(at(1, 1), at(2, 1))
    assert not iter_active_depths_differ(at(1, 1), at(1, 1))
    assert not iter_active_depths_differ(at(1, 2), at(2, 2))


def test_a_long_way_is_let_go_without_a_deep_stack():
    env = make_env()
    for _ in range(30_000):
        env.state.frames[0].regs[6] = known_value(env.total_states)
        visit(env, jumps=100)
    assert env.total_states == 30_000
    env.explored = []
    env.state = State()
