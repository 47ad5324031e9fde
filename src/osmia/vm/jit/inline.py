"""Helpers as IR instead of calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from osmia.vm.jit import mapcalls
from osmia.vm.jit.invoke import arguments_of, test_depth
from osmia.vm.jit.kinds import ZERO
from osmia.vm.jit.writer import FUEL

if TYPE_CHECKING:
    from osmia.vm.jit.writer import Writer

MAX_LOOPS = 1 << 23
TOO_MANY = (1 << 32) - 7
"""-E2BIG in 32 bits, as the verifier writes it in place of the call (inline_bpf_loop, kernel/bpf/verifier.c)."""


def cpu(w: Writer) -> bool:
    """bpf_get_smp_processor_id."""
    w.set_num(0, w.load_word("cpu"))
    return True


def loop(w: Writer) -> bool:
    """bpf_loop with a known callback and no flags: a loop around a direct call, which LLVM may inline."""
    callback, flags = w.state[2], w.state[4]
    if callback is None or callback.name != "function" or flags != ZERO:
        return False
    target = callback.number
    count = w.let(f"and i64 {w.num(1)}, {0xFFFFFFFF}")
    words, pointers = {2: w.num(3)}, {2: w.ptr(3)}
    if w.checked:
        test_depth(w, w.let(f"icmp ult i64 {w.let(f'sub i64 {count}, 1')}, {MAX_LOOPS}"))
    many = w.let(f"icmp ugt i64 {count}, {MAX_LOOPS}")
    head, body, again, done = (w.fresh(name) for name in ("head", "body", "again", "done"))
    before, fuel = w.label, w.nums[FUEL]
    w.do(f"br i1 {many}, label %{done}, label %{head}")
    w.at(head)
    fuel_line, index_line = len(w.lines), len(w.lines) + 1
    w.lines += ["", ""]
    if w.checked:
        w.nums[FUEL] = f"%{head}.fuel"
    entry_fuel = w.nums[FUEL]
    w.do(f"br i1 {w.let(f'icmp ult i64 %{head}.i, {count}')}, label %{body}, label %{done}")
    w.at(body)
    w.sync()
    words[1] = f"%{head}.i"
    answer = w.let(f"call i64 @f{target}({arguments_of(w, target, words, pointers)})")
    w.resync()
    if w.module.fails[target]:
        w.check_fault()
    following = w.let(f"add i64 %{head}.i, 1")
    stop = w.let(f"icmp ne i64 {answer}, 0")
    last = w.label
    w.do(f"br i1 {stop}, label %{again}, label %{head}")
    w.at(again)
    w.do(f"br label %{done}")
    w.lines[index_line] = f"  %{head}.i = phi i64 [ 0, %{before} ], [ {following}, %{last} ]"
    if w.checked:
        w.lines[fuel_line] = f"  %{head}.fuel = phi i64 [ {fuel}, %{before} ], [ {w.nums[FUEL]}, %{last} ]"
    w.at(done)
    result = w.let(f"phi i64 [ {TOO_MANY}, %{before} ], [ {count}, %{head} ], [ {following}, %{again} ]")
    if w.checked:
        spent = f"[ {fuel}, %{before} ], [ {entry_fuel}, %{head} ], [ {w.nums[FUEL]}, %{again} ]"
        w.nums[FUEL] = w.let(f"phi i64 {spent}")
    w.set_num(0, result)
    return True


INLINE: dict[str, Callable[[Writer], bool]] = {
    **dict.fromkeys(mapcalls.CALLS, mapcalls.write),
    "bpf_get_smp_processor_id": cpu,
    "bpf_loop": loop,
}
"""Helper → what writes it; False where this call has to go to the native body."""
