"""Loops on the walk: which visit of which loop a state belongs to, and what is still to be told around its back edges.

A path may end at a state whose loop isn't walked to its end.  What values matter there can't be known yet, so the two
states are compared strictly, and the path's end is kept as a back edge.  When the walk leaves the loop for good, what
turned out to matter is passed along the kept back edges until nothing new comes of it.
(``maybe_enter_scc``, ``propagate_backedges`` and neighbours in kernel/bpf/verifier.c, Linux 6.18.)
"""

from __future__ import annotations

from errno import EFAULT

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.verifier.backtrack import mark_all_scalars_precise, mark_chain_precision_batch
    from osmia.verifier.consts import SCALAR_VALUE
    from osmia.verifier.env import Env
    from osmia.verifier.equal import frame_insn_idx
    from osmia.verifier.slots import is_spilled_reg
    from osmia.verifier.state import Frame, State

MAX_BACKEDGE_ITERS = 64


class SccVisit:
    """One loop (``scc``) as entered through ``callsites``, while it is walked.

    ``entry_state`` is the first state inside, None when no walk is under way; ``backedges`` the paths that ended inside
    at a state not yet known in full (newest last); ``done`` the states inside whose paths have all ended.
    """

    callsites: tuple[int, ...]
    entry_state: State | None
    backedges: list[State]
    done: list[State]

    def __init__(self, callsites: tuple[int, ...], scc: int) -> None:
        self.callsites = callsites
        self.scc = scc
        self.entry_state = None
        self.backedges = []
        self.done = []

    def __str__(self) -> str:
        """As the log writes it: ``(3,7,1)``; a call from slot 0 ends the list early there, too."""
        sites = self.callsites
        if 0 in sites:
            sites = sites[: sites.index(0)]
        return "(" + ",".join([str(number) for number in (*sites, self.scc)]) + ")"


def update_peak_states(env: Env) -> None:
    """Note how many states are kept, if that is a record."""
    states = env.explored_states_size + env.free_list_size + env.num_backedges
    if states > env.peak_states:
        env.peak_states = states


def scc_visit_of(env: Env, state: State, create: bool) -> SccVisit | None:
    """The visit of the outermost loop that a state stands in; None when it is in none, or the visit is not there."""
    for i in range(state.curframe + 1):
        insn = env.insns[frame_insn_idx(state, i)]
        if insn.scc:
            return _visit(env, _callsites(state, i), insn.scc, create)
    return None


def _callsites(state: State, frameno: int) -> tuple[int, ...]:
    """The calls that lead to a frame."""
    return tuple([frame_insn_idx(state, i) for i in range(frameno)])


def _visit(env: Env, callsites: tuple[int, ...], scc: int, create: bool) -> SccVisit | None:
    key = (scc, callsites)
    visit = env.scc_info.get(key)
    if visit is None and create:
        visit = SccVisit(callsites, scc)
        env.scc_info[key] = visit
    return visit


def in_scc(env: Env, state: State) -> bool:
    """Does any frame of a state stand in a loop?"""
    for i in range(state.curframe + 1):
        insn = env.insns[frame_insn_idx(state, i)]
        if insn.scc:
            return True
    return False


def maybe_enter_scc(env: Env, state: State) -> None:
    """A state is remembered: if it is the first one in a loop, the loop's visit begins with it."""
    visit = scc_visit_of(env, state, True)
    if visit is None:
        return
    state.scc_visit = visit
    if visit.entry_state is None:
        visit.entry_state = state
        if env.log.level2:
            env.say(f"SCC enter {visit}\n")


def maybe_exit_scc(env: Env, state: State) -> None:
    """All paths from a state have ended: if its loop's visit began with it, the visit is over.  Raises Rejected."""
    visit = state.scc_visit
    if visit is None:
        if not state.speculative and in_scc(env, state) and scc_visit_of(env, state, False) is None:
            raise _no_visit(env, state)
        return
    if visit.entry_state is not state:
        return
    if env.log.level2:
        env.say(f"SCC exit {visit}\n")
    visit.entry_state = None
    env.num_backedges -= len(visit.backedges)
    update_peak_states(env)
    propagate_backedges(env, visit)


def _no_visit(env: Env, state: State) -> Exception:
    """The kernel's own complaint about a path that ends in a loop where nothing was remembered."""
    visit = scc_visit_of(env, state, True)
    text = f"verifier bug: scc exit: no visit info for call chain {visit}\n"
    return env.reject(EFAULT, "verifier-bug", text)


def add_scc_backedge(env: Env, visit: SccVisit, backedge: State) -> None:
    """A path ended at a state of a loop that is not walked to its end."""
    if env.log.level2:
        env.say(f"SCC backedge {visit}\n")
    visit.backedges.append(backedge)
    env.num_backedges += 1
    update_peak_states(env)


def incomplete_read_marks(state: State) -> bool:
    """Can it still turn out that more matters in a remembered state?"""
    visit = state.scc_visit
    return visit is not None and len(visit.backedges) > 0


def state_done(state: State) -> None:
    """All paths from a remembered state have ended: what led to it need not be kept, once its loop is left."""
    visit = state.scc_visit
    if visit is None or visit.entry_state is None:
        forget_way(state)
    elif not state.in_free_list:
        visit.done.append(state)


def forget_way(state: State) -> None:
    """Let go of the states before, which nobody will go back to from here."""
    state.parent = None
    state.history = []


def propagate_backedges(env: Env, visit: SccVisit) -> None:
    """Tell the states around a loop what matters behind its back edges, until nothing changes."""
    backedges = visit.backedges[::-1]
    turns = 0
    changed = len(backedges) > 0
    while changed:
        if turns > MAX_BACKEDGE_ITERS:
            if env.log.level2:
                env.say("propagate_backedges: too many iterations\n")
            for state in backedges:
                mark_all_scalars_precise(env, state)
            break
        turns += 1
        changed = False
        for state in backedges:
            equal = state.equal_state
            if equal is not None and propagate_precision(env, equal, state):
                changed = True
    visit.backedges = []
    leave(visit)


def leave(visit: SccVisit) -> None:
    """Nobody will go back through the states of a finished visit."""
    for state in visit.done:
        forget_way(state)
    visit.done = []


def propagate_precision(env: Env, old: State, cur: State) -> bool:
    """What matters in ``old`` matters in the equal ``cur``, and in what led to it; did that change any state?"""
    found = False
    frameno = old.curframe
    while frameno >= 0:
        if want_precise(env, old.frames[frameno], frameno):
            found = True
        frameno -= 1
    return found and mark_chain_precision_batch(env, cur)


def want_precise(env: Env, frame: Frame, frameno: int) -> bool:
    """Set the precise scalars of a frame in the backtracker, and say so; was there one?"""
    bt = env.bt
    first = True
    regs = frame.regs
    for i in range(10):
        reg = regs[i]
        if reg.precise and reg.type == SCALAR_VALUE:
            if env.log.level2:
                env.say(f"frame {frameno}: propagating r{i}" if first else f",r{i}")
            bt.set_frame_reg(frameno, i)
            first = False
    stack = frame.stack
    for i in range(len(stack)):
        slot = stack[i]
        reg = slot.spilled
        if reg.precise and reg.type == SCALAR_VALUE and is_spilled_reg(slot):
            if env.log.level2:
                off = -8 * (i + 1)
                env.say(f"frame {frameno}: propagating fp{off}" if first else f",fp{off}")
            bt.set_frame_slot(frameno, i)
            first = False
    if not first:
        env.say("\n")
    return not first
