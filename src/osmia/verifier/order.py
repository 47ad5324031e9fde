"""The order in which data flows back through each function, and the loops: strongly connected components.

Both walk ``insn_successors`` with stacks of their own; numbers of components follow the order in which they are
completed, as the log shows them (``compute_postorder``, ``compute_scc``, kernel/bpf/verifier.c; Linux 6.18).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.verifier.flow import insn_successors

if TYPE_CHECKING:
    from osmia.verifier.env import Env

DISCOVERED, EXPLORED = 1, 2
CLOSED = 0xFFFFFFFF
"""The low number of an instruction whose component is complete."""


def compute_postorder(env: Env) -> None:
    """``env.insn_postorder``: function by function, every instruction behind those that it leads to.

    A function's part begins at its ``postorder_start`` and ends where the next one's begins.
    """
    seen = bytearray(env.n_insns)
    order: list[int] = []
    for subprog in env.subprogs:
        subprog.postorder_start = len(order)
        stack = [subprog.start]
        while stack:
            top = stack[len(stack) - 1]
            if seen[top] & EXPLORED:
                order.append(top)
                stack.pop()
                continue
            seen[top] = DISCOVERED | EXPLORED
            first, second = insn_successors(env, top)
            if first >= 0 and not seen[first]:
                seen[first] = DISCOVERED
                stack.append(first)
            if second >= 0 and not seen[second]:
                seen[second] = DISCOVERED
                stack.append(second)
    env.insn_postorder = order


class Components:
    """Tarjan's algorithm.  ``pre`` numbers instructions as they are met, ``low`` is the earliest one they lead to."""

    def __init__(self, env: Env) -> None:
        self.env = env
        self.pre = [0] * env.n_insns
        self.low = [0] * env.n_insns
        self.met = 0
        self.next_scc = 1
        self.stack: list[int] = []
        self.path: list[int] = []

    def run(self) -> None:
        """Visit every slot, the second halves of 64-bit loads too."""
        for slot in range(self.env.n_insns):
            if self.pre[slot] == 0:
                self.path.append(slot)
                self.walk()

    def walk(self) -> None:
        """Finish what ``path`` leads to."""
        while self.path:
            at = self.path[len(self.path) - 1]
            if self.pre[at] == 0:
                self.met += 1
                self.pre[at] = self.low[at] = self.met
                self.stack.append(at)
            first, second = insn_successors(self.env, at)
            if self.enter(at, first) or self.enter(at, second):
                continue
            if self.low[at] == self.pre[at]:
                self.close(at, first == at or second == at)
            self.path.pop()

    def enter(self, at: int, successor: int) -> bool:
        """Go on to a successor that is new; of one that was met, take over how far back it leads."""
        if successor < 0:
            return False
        if self.pre[successor] == 0:
            self.path.append(successor)
            return True
        if self.low[successor] < self.low[at]:
            self.low[at] = self.low[successor]
        return False

    def close(self, at: int, loops: bool) -> None:
        """Everything met since ``at`` leads back to it: one component.  It has a number if it is a loop."""
        insn = self.env.insns[at]
        if insn.calls_callback and self.env.rules.callback_loops:
            loops = True
        number = self.next_scc if loops or self.stack[len(self.stack) - 1] != at else 0
        while True:
            member = self.stack.pop()
            self.low[member] = CLOSED
            insn = self.env.insns[member]
            insn.scc = number
            if member == at:
                break
        if number:
            self.next_scc += 1


def compute_scc(env: Env) -> None:
    """Number the loops: ``scc`` of every instruction, 0 outside of loops; ``env.scc_cnt`` is one more than the last."""
    components = Components(env)
    components.run()
    env.scc_cnt = components.next_scc
