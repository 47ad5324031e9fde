"""Has the walk been here before?  As kernels before 6.4 asked, which have no loops that end by themselves.

Feature ``precise-across-calls`` chooses between this and ``prune.py``, which says what remembering states is for.
(``is_state_visited`` in kernel/bpf/verifier.c, Linux 6.1.)
"""

from __future__ import annotations

from errno import EINVAL

from osmia.verifier.backtrack import mark_all_scalars_imprecise, push_jmp_history
from osmia.verifier.backtrack_flat import propagate_precision_flat
from osmia.verifier.consts import BPF_COMPLEXITY_LIMIT_STATES
from osmia.verifier.env import Env
from osmia.verifier.equal import same_callsites, states_maybe_looping
from osmia.verifier.equal_early import states_equal_early
from osmia.verifier.lines import verbose_linfo
from osmia.verifier.live_marks import propagate_liveness, start_over
from osmia.verifier.state import State


def is_state_visited_early(env: Env, states: list[State], insn_idx: int) -> bool:
    """Has a state like the current one been walked from ``insn_idx``?  ``states`` are those remembered there.

    If not, the current state may be remembered.  Raises Rejected when the walk would go round for ever.
    """
    cur = env.state
    jumps = env.jmps_processed - env.prev_jmps_processed
    steps = env.insn_processed - env.prev_insn_processed
    add_new = env.test_state_freq or (jumps >= 2 and steps >= 8)
    count = len(states)
    for old in states:
        if old.insn_idx == insn_idx and not old.branches and same_callsites(old, cur):
            old.cleaned = True
    for i in range(count - 1, -1, -1):
        old = states[i]
        if old.insn_idx != insn_idx:
            continue
        if old.branches:
            _refuse_endless(env, old, cur)
            if jumps < 20 and steps < 100:
                add_new = False
        elif states_equal_early(env, old, cur):
            old.hit_cnt += 1
            propagate_liveness(env, old, cur)
            push_jmp_history(env, cur, 0, 0)
            propagate_precision_flat(env, old)
            return True
        if add_new:
            old.miss_cnt += 1
        if old.miss_cnt > old.hit_cnt * 3 + 3:
            del states[i]
            env.peak_states -= old.cleaned
    env.max_states_per_insn = max(env.max_states_per_insn, count)
    if add_new and (env.bpf_capable or count <= BPF_COMPLEXITY_LIMIT_STATES):
        states.append(remember_early(env, cur, insn_idx))
    elif not env.rules.fewer_prune_points:
        push_jmp_history(env, cur, 0, 0)
    return False


def _refuse_endless(env: Env, old: State, cur: State) -> None:
    """A state whose paths are still walked, met again: the walk goes round.  Raises Rejected."""
    frame = old.frames[old.curframe]
    if frame.in_async_callback_fn and frame.async_entry_cnt != cur.frames[cur.curframe].async_entry_cnt:
        return  # another entry into the same callback
    if states_maybe_looping(old, cur) and states_equal_early(env, old, cur):
        verbose_linfo(env, env.insn_idx, "; ")
        text = f"infinite loop detected at insn {env.insn_idx}\n"
        raise env.reject(EINVAL, "infinite-loop", text)


def remember_early(env: Env, cur: State, insn_idx: int) -> State:
    """A copy of the current state; the path goes on as its child, with a way and marks of its own."""
    env.total_states += 1
    env.peak_states += 1
    env.prev_jmps_processed = env.jmps_processed
    env.prev_insn_processed = env.insn_processed
    if env.bpf_capable:
        mark_all_scalars_imprecise(env, cur)
    history = cur.history
    cur.history = []
    new = cur.copy()
    new.history = history
    new.insn_idx = insn_idx
    cur.parent = new
    cur.first_insn_idx = insn_idx
    start_over(cur, new)
    return new
