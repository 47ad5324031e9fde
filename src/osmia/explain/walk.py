"""The whole walk, path by path: what ``verify --html`` shows.

A ``Walk`` is a ``Trail`` that keeps the steps of every path, not only of the last.  A path is the steps from where it
was taken up (the start, or a fork of an earlier path) to where it ended.  Of a walk that is too long, finished paths
without children are dropped, oldest first; of a path that is too long, its middle.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from osmia.explain.trail import Step, Trail
from osmia.isa.consts import BPF_EXIT, BPF_JMP

if TYPE_CHECKING:
    from osmia.verifier.env import Env

MOST = 40_000
"""Steps that are kept, of all paths."""
LONG = 4_000
"""Steps that are kept of a path's beginning, and as many of its end."""
EXIT = BPF_JMP | BPF_EXIT


@dataclass(eq=False)
class Path:
    """One path: ``parent`` and ``fork`` are the path and the step that it goes on from, None for the first.

    ``end``: "exit", "safe" (a path that was walked before covers the rest), "refused", "fenced" (only guessed, and cut
    off by a barrier), "" while it is walked.  ``left_out`` steps are missing before the step number ``gap``.
    """

    number: int
    parent: Path | None
    fork: Step | None
    steps: list[Step] = field(default_factory=list)
    end: str = ""
    left_out: int = 0
    gap: int = -1
    children: int = 0


class _Pruned(set[int]):
    """Tells the walk that a path ended there."""

    def __init__(self, walk: Walk) -> None:
        super().__init__()
        self.walk = walk

    def add(self, slot: int) -> None:
        super().add(slot)
        self.walk.safe()


class Walk(Trail):
    """Takes notes of every path.  ``dropped`` counts the paths that were let go, ``walked`` all there were."""

    def __init__(self, most: int = MOST, long: int = LONG) -> None:
        super().__init__()
        self.pruned: set[int] = _Pruned(self)
        self.paths: list[Path] = []
        self.most, self.long = most, long
        self.kept_steps = self.walked = self.dropped = 0
        self._owner: dict[Step, Path] = {}
        self.desk: Env | None = None

    @property
    def path(self) -> Path | None:
        """The newest path."""
        return self.paths[-1] if self.paths else None

    def note(self, env: Env) -> None:
        """The path stands before ``env.insn_idx``."""
        self.desk = env
        is_new = env.state is not self._state
        super().note(env)
        step = self.last
        assert step is not None
        if is_new or self.path is None:
            self._begin(step.before)
        self._keep(step)

    def safe(self) -> None:
        """The path being walked ends here: the rest is known to be safe.  It may not have made a step yet."""
        assert self.desk is not None
        state = self.desk.state
        if state is not self._state:
            self.last = self._taken_up(state)
            self._state = state
            self._begin(self.last)
        self.paths[-1].end = "safe"

    def close(self, env: Env) -> None:
        """The walk has ended."""
        self.env = env
        self._finish()

    def _begin(self, fork: Step | None) -> None:
        self._finish()
        parent = self._owner.get(fork) if fork is not None else None
        if parent is not None:
            parent.children += 1
        self.paths.append(Path(self.walked, parent, fork if parent is not None else None))
        self.walked += 1

    def _keep(self, step: Step) -> None:
        path = self.paths[-1]
        path.steps.append(step)
        self._owner[step] = path
        self.kept_steps += 1
        if len(path.steps) > 3 * self.long:
            self._cut(path)
        if self.kept_steps > self.most:
            self._drop()

    def _cut(self, path: Path) -> None:
        """Let go of the middle of a path; steps from which others wait to go on stay with it."""
        begin = path.gap if path.gap >= 0 else self.long
        end = len(path.steps) - self.long
        waiting = {step for _, step in self._aside}
        for step in path.steps[begin:end]:
            if step not in waiting:
                self._owner.pop(step, None)
        path.left_out += end - begin
        self.kept_steps -= end - begin
        path.gap = begin
        del path.steps[begin:end]

    def _drop(self) -> None:
        """Let go of the oldest finished paths that no other goes on from, until a quarter is free."""
        waiting = {self._owner.get(step) for _, step in self._aside if step is not None}
        kept = []
        for path in self.paths:
            if self.kept_steps > self.most * 3 // 4 and path.end and not path.children and path not in waiting:
                self._let_go(path)
            else:
                kept.append(path)
        self.paths = kept

    def _let_go(self, path: Path) -> None:
        for step in path.steps:
            self._owner.pop(step, None)
        self.kept_steps -= len(path.steps)
        self.dropped += 1
        if path.parent is not None:
            path.parent.children -= 1

    def _finish(self) -> None:
        path = self.path
        if path is not None and not path.end:
            assert self.desk is not None
            path.end = "exit" if self.desk.insns[path.steps[-1].insn].code == EXIT else "fenced"
