"""The way to where a walk ended: every step of the path with the registers and stack slots that it found.

A ``Trail`` is put where ``env.facts`` stands and told of each instruction, and of each path that is set aside.  Steps
point back to the one before, so paths share what they have in common, and what no path needs any more is freed.  The
verifier's registers and slots are never changed, so a step holds references, not copies.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from osmia.verifier.env import Env
    from osmia.verifier.regs import Reg
    from osmia.verifier.state import Frame, Slot, State

FIRST, LAST = 1024, 8192
"""Of a path longer than both, so many steps are kept at its beginning, and from so many to twice as many at its end."""


class View:
    """One frame as a step found it.  ``callsite`` is the slot of the call that made it, -1 for the outermost."""

    __slots__ = ("callback", "callsite", "regs", "stack", "subprog")

    def __init__(self, frame: Frame, regs: tuple[Reg, ...], stack: tuple[Slot, ...]) -> None:
        self.regs = regs
        self.stack = stack
        self.callsite = frame.callsite
        self.subprog = frame.subprogno
        self.callback = frame.in_callback_fn or frame.in_async_callback_fn


class Step:
    """The path stands before instruction ``insn``.  ``frames`` are outermost first.

    ``left_out`` counts the steps that were forgotten between ``before`` and this one.  ``refs`` are the references
    that the path holds; ``modes`` how deep it stands in lock, preempt, irq and RCU sections.
    """

    __slots__ = ("before", "depth", "frames", "insn", "left_out", "modes", "refs", "speculative")

    before: Step | None
    depth: int

    def __init__(self, insn: int, before: Step | None, state: State, frames: tuple[View, ...]) -> None:
        self.insn = insn
        self.before = before
        self.depth = before.depth + 1 if before is not None else 0
        self.left_out = 0
        self.frames = frames
        self.refs = state.refs
        self.modes = (
            state.active_locks, state.active_preempt_locks, state.active_irq_id, int(state.active_rcu_lock)
        )  # fmt: skip
        self.speculative = state.speculative

    @property
    def frame(self) -> View:
        """The innermost frame."""
        return self.frames[-1]

    @property
    def regs(self) -> tuple[Reg, ...]:
        """Its registers."""
        return self.frames[-1].regs


class Trail:
    """Takes notes of a walk: ``last`` is the newest step of the path being walked, ``steps`` how many there were.

    ``visits`` counts by slot how often the walk came there, on all paths.
    """

    def __init__(self) -> None:
        self.env: Env | None = None
        self.last: Step | None = None
        self.steps = 0
        self.visits: dict[int, int] = {}
        self.pruned: set[int] = set()
        self._state: Any = None
        self._aside: list[tuple[State, Step | None]] = []

    def note(self, env: Env) -> None:
        """The path stands before ``env.insn_idx``."""
        state = env.state
        before = self.last
        if state is not self._state:
            before = self._taken_up(state)
            self._state = state
        insn = env.insn_idx
        self.visits[insn] = self.visits.get(insn, 0) + 1
        self.steps += 1
        self.last = step = Step(insn, before, state, _views(state, before))
        if step.depth > FIRST and step.depth % LAST == 0:
            forget(step)

    def fork(self, state: State) -> None:
        """A path is set aside: it goes on from here later, as ``state``."""
        self._aside.append((state, self.last))

    def _taken_up(self, state: State) -> Step | None:
        """Where a path that was set aside comes from; those set aside after it have ended.  None for a new walk."""
        while self._aside:
            aside, step = self._aside.pop()
            if aside is state:
                return step
        return None

    def close(self, env: Env) -> None:
        """The walk has ended.  Where it ended before an instruction was looked at, that one is the last step."""
        self.env = env
        if not env.insn_processed or not env.state.frames or not 0 <= env.insn_idx < env.n_insns:
            return
        if self.last is None or self.last.insn != env.insn_idx or env.state is not self._state:
            self.note(env)

    def back(self) -> Iterator[Step]:
        """The steps of the path, newest first."""
        step = self.last
        while step is not None:
            yield step
            step = step.before

    def kept(self) -> list[Step]:
        """The same in the order in which they were taken."""
        return list(self.back())[::-1]

    @property
    def left_out(self) -> int:
        """How many steps of the path were forgotten."""
        return sum(step.left_out for step in self.back())


def _views(state: State, before: Step | None) -> tuple[View, ...]:
    """The frames, shared with the step before where nothing changed."""
    old = before.frames if before is not None else ()
    return tuple([_view(frame, old[i] if i < len(old) else None) for i, frame in enumerate(state.frames)])


def _view(frame: Frame, old: View | None) -> View:
    regs, stack = tuple(frame.regs), tuple(frame.stack)
    if old is None or old.callsite != frame.callsite or old.subprog != frame.subprogno:
        return View(frame, regs, stack)
    same_regs, same_stack = regs == old.regs, stack == old.stack  # neither has __eq__: the very same objects
    if same_regs and same_stack:
        return old
    return View(frame, old.regs if same_regs else regs, old.stack if same_stack else stack)


def forget(newest: Step) -> None:
    """Leave out the middle of a long path: what lies between its first steps and the last ``LAST`` ones.

    Steps in between from which other paths go on stay by themselves, behind the first ones.
    """
    kept: Step | None = newest
    while kept is not None and kept.depth > newest.depth - LAST:
        kept = kept.before
    middle = []
    step = kept
    while step is not None and step.depth > FIRST:
        middle.append(step)
        step = step.before
    for one in middle:
        one.before = step
        one.left_out = one.depth - FIRST - 1
