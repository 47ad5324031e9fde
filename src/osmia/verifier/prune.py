"""Has the walk been here before in a state like this one?  States are remembered at some instructions to answer that.

Remembering every state would cost more than it saves, so there are rules of thumb: when a state is remembered, when one
that never matches is given up.  They decide how many instructions are processed, so they are exactly the kernel's.
(``is_state_visited``, ``update_branch_counts`` and neighbours in kernel/bpf/verifier.c, Linux 6.18.)
"""

from __future__ import annotations

from errno import EINVAL

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.verifier.errors import Rejected
from osmia.verifier.live_marks import DONE, READ, marks_of, propagate_liveness, start_over
from osmia.verifier.loops_early import inherit, path_done, unfinished_entry, update_loop_entry
from osmia.verifier.prune_early import is_state_visited_early
from osmia.verifier.singular_ids import clear_singular_ids
from osmia.verifier.stack_use import live_halves

if not cython.compiled:
    from osmia.verifier.backtrack import mark_all_scalars_imprecise, push_jmp_history  # noqa: I001
    from osmia.verifier.consts import (
        BPF_COMPLEXITY_LIMIT_STATES, BPF_ITER_STATE_ACTIVE, EXACT, NOT_EXACT, RANGE_WITHIN, SCALAR_VALUE, STACK_DYNPTR,
        STACK_IRQ_FLAG, STACK_ITER, STACK_MISC, STACK_SPILL, U32_MAX,
    )  # fmt: skip
    from osmia.verifier.env import Env
    from osmia.verifier.equal import frame_insn_idx, same_callsites, states_equal, states_maybe_looping
    from osmia.verifier.flow import is_may_goto
    from osmia.verifier.insn import VInsn
    from osmia.verifier.lines import verbose_linfo
    from osmia.verifier.live_stack import live_slots, live_stack_query_init
    from osmia.verifier.loops import (
        add_scc_backedge, incomplete_read_marks, maybe_enter_scc, maybe_exit_scc, propagate_precision,
        state_done, update_peak_states,
    )  # fmt: skip
    from osmia.verifier.printing import print_verifier_state
    from osmia.verifier.regs import not_init
    from osmia.verifier.slots import make_slot
    from osmia.verifier.state import Frame, Slot, State

DEAD_REG = not_init()
"""A register that nobody reads any more."""
DEAD_SLOT = make_slot(0, DEAD_REG)
"""A stack slot that nobody reads any more."""

OBJECT_BYTES = (STACK_DYNPTR, STACK_ITER, STACK_IRQ_FLAG)
UPPER = 0xFFFFFFFF00000000

# what came of comparing with a state whose paths are still walked
MISS, HIT, LOOP_HIT = 0, 1, 2


def is_state_visited(env: Env, insn_idx: int) -> bool:
    """Has a state like the current one been walked, or is it being walked, from ``insn_idx``?

    If not, the current state may be remembered.  Raises Rejected when the walk would go round for ever.
    """
    insn = env.insns[insn_idx]
    cur = env.state
    if not env.rules.precise_across_calls:
        found: bool = is_state_visited_early(env, explored_states(env, cur, insn_idx), insn_idx)
        return found
    forced = env.test_state_freq or insn.force_checkpoint or (len(cur.history) > 40 and long_is_enough(env))
    jumps = env.jmps_processed - env.prev_jmps_processed
    steps = env.insn_processed - env.prev_insn_processed
    add_new = forced or (jumps >= 2 and steps >= 8)
    too_soon = not forced and jumps < 20 and steps < 100  # for another state of a loop that is being walked
    states = explored_states(env, cur, insn_idx)
    if env.rules.stack_use_static:
        clean_current_state(env, cur, insn_idx)
    else:
        clean_live_states(env, states, insn, cur)
    states_cnt = len(states)
    loop = False
    i = states_cnt
    while i > 0:
        i -= 1
        old = states[i]
        if old.insn_idx != insn.idx:
            continue
        if old.branches:
            outcome = compare_unfinished(env, insn, old, cur)
            if outcome == LOOP_HIT:
                loop = True
                if not env.rules.loops_by_component:
                    update_loop_entry(env, cur, old)
            elif outcome == MISS and too_soon:
                add_new = False
        else:
            entry = None if env.rules.loops_by_component else unfinished_entry(env, old)
            loop = entry is not None or incomplete_read_marks(old)
            outcome = HIT if states_equal(env, old, cur, RANGE_WITHIN if loop else NOT_EXACT) else MISS
            if outcome == HIT and entry is not None:
                update_loop_entry(env, cur, entry)
        if outcome != MISS:
            hit(env, insn, old, cur, loop)
            return True
        if add_new:
            old.miss_cnt += 1
        if is_useless(insn, old):
            del states[i]
            give_up(env, old)
    if env.max_states_per_insn < states_cnt:
        env.max_states_per_insn = states_cnt
    if add_new and (env.bpf_capable or states_cnt <= BPF_COMPLEXITY_LIMIT_STATES):
        remember(env, states, insn_idx, cur)
    return False


def long_is_enough(env: Env) -> bool:
    """Is a long way reason enough to remember a state?"""
    return bool(env.rules.checkpoint_after_40)


def explored_states(env: Env, cur: State, insn_idx: int) -> list[State]:
    """The states remembered at an instruction, oldest first, and those of others that share its place in the table."""
    frame = cur.frames[cur.curframe]
    at = ((insn_idx ^ frame.callsite) & U32_MAX) % env.n_insns
    states = env.explored[at]
    if states is None:
        states = env.explored[at] = []
    return states


def compare_unfinished(env: Env, insn: VInsn, old: State, cur: State) -> int:
    """Compare with a state whose paths have not all ended: such a match is a loop.  HIT, LOOP_HIT or MISS.

    Iterators, may_goto and callbacks end their loops by themselves; any other loop that comes back to the very same
    state is refused.
    """
    frame = old.frames[old.curframe]
    if frame.in_async_callback_fn:
        cur_frame = cur.frames[cur.curframe]
        if frame.async_entry_cnt != cur_frame.async_entry_cnt:
            return MISS
    if insn.is_iter_next:
        return LOOP_HIT if states_equal(env, old, cur, RANGE_WITHIN) and iter_is_active(cur) else MISS
    if is_may_goto(insn) and old.may_goto_depth != cur.may_goto_depth and states_equal(env, old, cur, RANGE_WITHIN):
        return LOOP_HIT
    if insn.calls_callback:
        if not states_equal(env, old, cur, RANGE_WITHIN):
            return MISS
        return LOOP_HIT if env.rules.callback_loops else HIT
    if (
        old.may_goto_depth == cur.may_goto_depth
        and old.callback_unroll_depth == cur.callback_unroll_depth
        and states_maybe_looping(old, cur)
        and states_equal(env, old, cur, EXACT if env.rules.exact_loop_check else NOT_EXACT)
        and not iter_active_depths_differ(old, cur)
    ):
        raise endless(env, insn, old, cur)
    return MISS


def endless(env: Env, insn: VInsn, old: State, cur: State) -> Rejected:
    """Say that the walk goes round, and in which states."""
    verbose_linfo(env, insn.idx, "; ")
    no = env.reject(EINVAL, "infinite-loop", f"infinite loop detected at insn {insn.idx}\n")
    if not env.rules.loop_shows_states:
        return no
    env.say("cur state:")
    print_verifier_state(env, cur, cur.curframe, True)
    env.say("old state:")
    print_verifier_state(env, old, cur.curframe, True)
    return no


def iter_is_active(cur: State) -> bool:
    """Does the iterator that R1 points to have more to give?"""
    frame = cur.frames[cur.curframe]
    reg = frame.regs[1]
    frame = cur.frames[reg.frameno]
    off = (0 - reg.off - reg.value) & 0x3FF
    slot = frame.stack[(off - 1) // 8]
    spilled = slot.spilled
    return spilled.iter_state == BPF_ITER_STATE_ACTIVE


def iter_active_depths_differ(old: State, cur: State) -> bool:
    """Is an active iterator at another turn than it was?"""
    for fr in range(old.curframe + 1):
        frame, cur_frame = old.frames[fr], cur.frames[fr]
        stack, cur_stack = frame.stack, cur_frame.stack
        for i in range(len(stack)):
            slot = stack[i]
            if (slot.types & 0xFF) == STACK_ITER:
                reg = slot.spilled
                slot = cur_stack[i]
                cur_reg = slot.spilled
                if reg.iter_state == BPF_ITER_STATE_ACTIVE and reg.iter_depth != cur_reg.iter_depth:
                    return True
    return False


def hit(env: Env, insn: VInsn, old: State, cur: State, loop: bool) -> None:
    """The current path need not be walked on: what matters in the old state matters on the way here, too."""
    old.hit_cnt += 1
    if env.live_stack is None:
        propagate_liveness(env, old, cur)
    if insn.jmp_point:
        push_jmp_history(env, cur, 0, 0)
    propagate_precision(env, old, cur)
    if loop and env.rules.loops_by_component:
        visit = old.scc_visit
        backedge = cur.copy()
        backedge.equal_state = old
        backedge.insn_idx = insn.idx
        add_scc_backedge(env, visit, backedge)


def is_useless(insn: VInsn, old: State) -> bool:
    """Has a state missed so often that it isn't worth the comparison?  More patience where loops must meet it."""
    patience = 64 if insn.force_checkpoint and old.branches > 0 else 3
    return old.miss_cnt > old.hit_cnt * patience + patience


def give_up(env: Env, old: State) -> None:
    """A state is compared no more; it counts as kept until all its paths have ended."""
    old.in_free_list = True
    if env.rules.states_freed:
        env.free_list_size += 1
        env.explored_states_size -= 1
        maybe_free(env, old)
    elif old.cleaned:
        env.peak_states -= 1


def maybe_free(env: Env, state: State) -> None:
    """A state that was given up is needed no more once all its paths, and the loop it stands in, are done."""
    if state.in_free_list and state.branches == 0 and not incomplete_read_marks(state):
        env.free_list_size -= 1


def remember(env: Env, states: list[State], insn_idx: int, cur: State) -> None:
    """Keep a copy of the current state; the path goes on as its child, with a way and precision marks of its own."""
    env.total_states += 1
    if env.rules.states_freed:
        env.explored_states_size += 1
        update_peak_states(env)
    else:
        env.peak_states += 1
    env.prev_jmps_processed = env.jmps_processed
    env.prev_insn_processed = env.insn_processed
    if env.bpf_capable:
        mark_all_scalars_imprecise(env, cur)
    if env.rules.singular_ids_dropped:
        clear_singular_ids(cur)
    history = cur.history
    cur.history = []
    new = cur.copy()
    new.history = history
    new.insn_idx = insn_idx
    if env.live_stack is None:
        start_over(cur, new)
    if not env.rules.loops_by_component:
        inherit(env, new, cur)
    maybe_enter_scc(env, new)
    cur.parent = new
    cur.first_insn_idx = insn_idx
    cur.dfs_depth = new.dfs_depth + 1
    states.append(new)


def update_branch_counts(env: Env, state: State) -> None:
    """A path has ended: its state, and every one before it that has no other path left, is done."""
    at: State | None = state
    while at is not None:
        at.branches -= 1
        if at.branches:
            return
        if not env.rules.loops_by_component:
            path_done(env, at)
        maybe_exit_scc(env, at)
        maybe_free(env, at)
        parent = at.parent
        state_done(at)
        at = parent


def clean_live_states(env: Env, states: list[State], insn: VInsn, cur: State) -> None:
    """Forget what nobody reads any more in the states, reached by the same calls, whose paths have all ended."""
    for i in range(len(states)):
        old = states[i]
        if old.cleaned or old.branches or old.insn_idx != insn.idx:
            continue
        if same_callsites(old, cur) and not incomplete_read_marks(old):
            if env.live_stack is None:
                clean_by_marks(env, old)
            else:
                clean_verifier_state(env, old)


def clean_verifier_state(env: Env, state: State) -> None:
    """Forget the registers and stack slots of a state that nobody reads any more."""
    live_stack_query_init(env, state)
    state.cleaned = True
    for i in range(state.curframe + 1):
        frame = state.frames[i]
        clean_func_state(env, frame, frame_insn_idx(state, i), live_slots(env, i))


def clean_current_state(env: Env, cur: State, insn_idx: int) -> None:
    """Forget what the path that is walked will not read any more (Linux 7.1): registers, halves of stack slots."""
    cur.insn_idx = insn_idx
    halves = live_halves(env, cur)
    for i in range(cur.curframe + 1):
        frame = cur.frames[i]
        insn = env.insns[frame_insn_idx(cur, i)]
        clean_func_halves(frame, insn.live_regs_before, halves[i])


def clean_func_halves(frame: Frame, live_regs: int, halves: int) -> None:
    """The same for one frame.  Objects stay, and so does a spilled pointer of which only the upper half is dead."""
    for i in range(10):
        if not live_regs >> i & 1:
            frame.regs[i] = DEAD_REG
    dead = (1 << 2 * len(frame.stack)) - 1 & ~halves
    if dead:
        frame.dead |= dead
    for i in range(len(frame.stack)):
        live = halves >> 2 * i & 3
        slot = frame.stack[i]
        if live == 3 or not slot.types or slot.types & 0xFF in OBJECT_BYTES:
            continue
        if live == 0:
            frame.stack[i] = DEAD_SLOT
        elif live == 2:
            frame.stack[i] = make_slot(slot.types & 0xFFFFFFFF, slot.spilled)
        else:
            frame.stack[i] = upper_half(slot)


def upper_half(slot: Slot) -> Slot:
    """A slot whose lower four bytes nobody reads: a spilled number becomes bytes, a pointer or zero stays whole."""
    if slot.types & 0xFF != STACK_SPILL:
        return make_slot(slot.types & UPPER, slot.spilled)
    reg = slot.spilled
    if reg.type != SCALAR_VALUE or (reg.mask == 0 and reg.value == 0):
        return slot
    types = 0
    for at in range(4, 8):
        kind = slot.types >> 8 * at & 0xFF
        types |= (STACK_MISC if kind == STACK_SPILL else kind) << 8 * at
    return make_slot(types, DEAD_REG)


def clean_by_marks(env: Env, state: State) -> None:
    """The same by the marks that reads have left on the state; nobody will mark it any more."""
    state.cleaned = True
    static = env.rules.live_registers_static
    for fr in range(state.curframe + 1):
        frame = state.frames[fr]
        marks = marks_of(frame)
        insn = env.insns[frame_insn_idx(state, fr)]
        live = insn.live_regs_before if static else marks.read_regs()
        for i in range(10):
            if not live >> i & 1:
                frame.regs[i] = DEAD_REG
            marks.regs[i] |= DONE
        for i in range(len(frame.stack)):
            if not marks.slot(i) & READ:
                frame.stack[i] = DEAD_SLOT
            marks.mark_slot(i, DONE)


def clean_func_state(env: Env, frame: Frame, insn_idx: int, live: int) -> None:
    """The same for one frame: ``live`` are its slots that may still be read."""
    insn = env.insns[insn_idx]
    live_regs = insn.live_regs_before
    regs = frame.regs
    for i in range(10):
        if (live_regs >> i & 1) == 0:
            regs[i] = DEAD_REG
    stack = frame.stack
    for i in range(len(stack)):
        if (live >> i & 1) == 0:
            stack[i] = DEAD_SLOT
