"""The paths that are still to be walked: a stack of states, newest first.

(``push_stack``, ``push_async_cb``, ``pop_stack`` in kernel/bpf/verifier.c, Linux 6.18.)
"""

from __future__ import annotations

from errno import E2BIG, EFAULT

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.verifier.loops_early import inherit

if not cython.compiled:
    from osmia.verifier.consts import BPF_COMPLEXITY_LIMIT_JMP_SEQ
    from osmia.verifier.env import Env
    from osmia.verifier.state import Frame, State


class Waiting:
    """A path to be walked from ``insn_idx``, reached from ``prev_insn_idx``; the log goes back to ``log_pos`` then."""

    def __init__(self, state: State, insn_idx: int, prev_insn_idx: int, log_pos: int) -> None:
        self.state = state
        self.insn_idx = insn_idx
        self.prev_insn_idx = prev_insn_idx
        self.log_pos = log_pos


def push_stack(env: Env, insn_idx: int, prev_insn_idx: int, speculative: bool, code: int = EFAULT) -> State:
    """Remember a copy of the current state, to go on from ``insn_idx`` later; the copy, for the caller to refine.

    Raises Rejected (errno ``code``) when too many paths wait.
    """
    state = env.state.copy()
    if speculative:
        state.speculative = True
    if not env.rules.loops_by_component:
        inherit(env, state, env.state)
    if env.rules.jumps_too_many:
        code = E2BIG
    waiting = _wait(env, state, insn_idx, prev_insn_idx)
    if waiting > BPF_COMPLEXITY_LIMIT_JMP_SEQ:
        raise env.reject(code, "too-many-jumps", f"The sequence of {waiting} jumps is too complex.\n")
    parent = state.parent
    if parent is not None:
        parent.branches += 1
    return state


def push_async_cb(env: Env, subprog: int, insn_idx: int, prev_insn_idx: int, is_sleepable: bool) -> State:
    """Remember to walk a callback that runs later, on a stack of its own, with ``subprog`` as its first frame.

    Raises Rejected when too many paths wait.
    """
    state = State()
    state.branches = 1
    state.in_sleepable = is_sleepable
    state.frames = [Frame(-1, 0, subprog)]
    waiting = _wait(env, state, insn_idx, prev_insn_idx)
    if waiting > BPF_COMPLEXITY_LIMIT_JMP_SEQ:
        text = f"The sequence of {waiting} jumps is too complex for async cb.\n"
        raise env.reject(EFAULT, "too-many-jumps", text)
    return state


def _wait(env: Env, state: State, insn_idx: int, prev_insn_idx: int) -> int:
    """Put a path on the stack; how many wait now."""
    env.stack.append(Waiting(state, insn_idx, prev_insn_idx, env.log.end_pos))
    if env.facts is not None:
        env.facts.fork(state)
    return len(env.stack)


def pop_stack(env: Env, pop_log: bool) -> bool:
    """Go on with the newest waiting path: its state is the current one, ``env.insn_idx`` its place.

    ``pop_log`` takes back what was said since the path was pushed.  False when none waits.
    """
    if not env.stack:
        return False
    waiting = env.stack.pop()
    if pop_log:
        env.log.reset(waiting.log_pos)
    env.state = waiting.state
    env.insn_idx = waiting.insn_idx
    env.prev_insn_idx = waiting.prev_insn_idx
    return True
