"""bpf_loop with a known callback and no flags: a loop around a direct call, which LLVM may inline.

The blocks: ``head`` compares the index with the count, ``body`` calls, ``again`` leaves because the callback said so;
``done`` joins the ways out.  In checked code the callback itself looks at the fuel, so the loop ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from osmia.vm.jit.invoke import arguments_of, test_depth
from osmia.vm.jit.kinds import ZERO
from osmia.vm.jit.writer import FUEL

if TYPE_CHECKING:
    from osmia.vm.jit.writer import Writer

MAX_LOOPS = 1 << 23
TOO_MANY = (1 << 32) - 7
"""-E2BIG in 32 bits, as the verifier writes it in place of the call (inline_bpf_loop, kernel/bpf/verifier.c)."""


def loop(w: Writer) -> bool:
    """The call; False where it has to go to the native body."""
    callback, flags = w.state[2], w.state[4]
    if callback is None or callback.name != "function" or flags != ZERO:
        return False
    Loop(w, callback.number).write()
    return True


class Loop:
    """One loop on its way to IR."""

    def __init__(self, w: Writer, target: int) -> None:
        self.w, self.target = w, target
        self.head, self.body, self.again, self.done = (w.fresh(name) for name in ("head", "body", "again", "done"))
        self.count = w.let(f"and i64 {w.num(1)}, {0xFFFFFFFF}")
        self.words, self.pointers = {1: f"%{self.head}.i", 2: w.num(3)}, {2: w.ptr(3)}

    def write(self) -> None:
        """All of it; R0 is how often the callback was called."""
        w = self.w
        if w.checked:
            test_depth(w, w.let(f"icmp ult i64 {w.let(f'sub i64 {self.count}, 1')}, {MAX_LOOPS}"))
        before, paid = w.label, w.nums[FUEL]
        many = w.let(f"icmp ugt i64 {self.count}, {MAX_LOOPS}")
        w.do(f"br i1 {many}, label %{self.done}, label %{self.head}")
        joins = self._write_head()
        following = self._write_body()
        last, left = w.label, w.nums[FUEL]
        w.at(self.again)
        w.do(f"br label %{self.done}")
        w.lines[joins] = f"  %{self.head}.i = phi i64 [ 0, %{before} ], [ {following}, %{last} ]"
        if w.checked:
            w.lines[joins] += f"\n  %{self.head}.fuel = phi i64 [ {paid}, %{before} ], [ {left}, %{last} ]"
        w.at(self.done)
        result = self._join(before, str(TOO_MANY), self.count, following)
        if w.checked:
            w.nums[FUEL] = self._join(before, str(paid), f"%{self.head}.fuel", str(left))
        w.set_num(0, result)

    def _write_head(self) -> int:
        """Returns the line that the joins of index and fuel go to, once it is known what comes round."""
        w = self.w
        w.at(self.head)
        joins = len(w.lines)
        w.lines.append("")
        if w.checked:
            w.nums[FUEL] = f"%{self.head}.fuel"
        more = w.let(f"icmp ult i64 %{self.head}.i, {self.count}")
        w.do(f"br i1 {more}, label %{self.body}, label %{self.done}")
        return joins

    def _write_body(self) -> str:
        """Returns the index of the next round, which is how often the callback was called."""
        w = self.w
        w.at(self.body)
        w.sync()
        arguments = arguments_of(w, self.target, self.words, self.pointers)
        answer = w.let(f"call i64 @f{self.target}({arguments})")
        w.resync()
        if w.module.fails[self.target]:
            w.check_fault()
        following = w.let(f"add i64 %{self.head}.i, 1")
        stop = w.let(f"icmp ne i64 {answer}, 0")
        w.do(f"br i1 {stop}, label %{self.again}, label %{self.head}")
        return following

    def _join(self, before: str, refused: str, ended: str, stopped: str) -> str:
        """One value, by the way out that was taken."""
        parts = f"[ {refused}, %{before} ], [ {ended}, %{self.head} ], [ {stopped}, %{self.again} ]"
        return self.w.let(f"phi i64 {parts}")
