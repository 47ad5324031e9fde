"""Calls of functions of the program, callbacks, tail calls, legacy packet loads; and leaving a function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from osmia.vm.jit import blocks as b
from osmia.vm.jit.alu import from_network
from osmia.vm.jit.memory import packet_word, within
from osmia.vm.jit.scopes import LIKELY, UNLIKELY, access
from osmia.vm.jit.writer import FUEL
from osmia.vm.ops import FRAME_STRIDE, FRAMES, IMM
from osmia.vm.runwords import F_BEYOND, F_DEPTH

if TYPE_CHECKING:
    from osmia.vm.jit.writer import Writer


def local(w: Writer) -> None:
    """A call of a function of the program.

    A program that nobody verified may look at R1 to R5 afterwards: it finds what it put there (in the interpreter, what
    the function left there).
    """
    target = w.slot + 1 + w.row.off
    if w.checked:
        test_depth(w)
    w.sync()
    w.set_num(0, call_function(w, target))
    w.resync()
    if w.module.fails[target]:
        w.check_fault()


def call_function(w: Writer, target: int) -> str:
    """The call itself, with the registers that the function reads."""
    arguments = (f"{t} {w.ptr(n) if t == 'ptr' else w.num(n)}" for n, t in w.module.parameters(target))
    return w.let(f"call i64 @f{target}({', '.join(('ptr %run', *arguments))})")


def arguments_of(w: Writer, target: int, words: Mapping[int, str], pointers: Mapping[int, str]) -> str:
    """The arguments of a call that is given these words, some also as pointers; other registers are 0."""
    found = ["ptr %run"]
    for number, type in w.module.parameters(target):
        word = words.get(number, "0")
        if type == "i64":
            found.append(f"i64 {word}")
        else:
            found.append(f"ptr {pointers[number] if number in pointers else w.let(f'inttoptr i64 {word} to ptr')}")
    return ", ".join(found)


def test_depth(w: Writer, calls: str = "true") -> None:
    """Checked code: a call that finds no frame is a fault, where there is one (``calls``, an i1)."""
    used = w.let(f"sub i64 %above, {w.load_word('floor')}")
    deep = w.let(f"icmp uge i64 {used}, {FRAMES * FRAME_STRIDE}")
    trap(w, F_DEPTH, w.let(f"and i1 {deep}, {calls}"))


def trap(w: Writer, fault: int, bad: str) -> None:
    """Leave with a fault where ``bad`` is true."""
    w.module.tool("trap")
    label, go = w.fresh("trap"), w.fresh("go")
    w.do(f"br i1 {bad}, label %{label}, label %{go}{UNLIKELY}")
    w.at(label)
    refund = w.refund()
    size = FRAMES + 1 if fault == F_DEPTH else 0
    w.do(f"call void @trap(ptr %run, i64 {fault}, i64 {w.slot}, i64 0, i64 {size})")
    w.do(f"br label %{w.failing(refund)}")
    w.at(go)


def callx(w: Writer) -> None:
    """A call of a function by its pointer."""
    w.module.tool("callx")
    w.sync()
    words = ", ".join(f"i64 {w.num(n)}" for n in (w.row.dst, *range(1, 6)))
    w.set_num(0, w.let(f"call i64 @callx(ptr %run, {words}, i64 {w.slot})"))
    w.resync()
    w.check_fault()


def tail(w: Writer) -> None:
    """A tail call: the target takes this function's frame, and its answer is this function's."""
    w.sync()
    w.store_word("pc", str(w.slot))  # a fault in there does not know it
    target = w.module.call(w, "tail", [w.row_address(), w.num(2), w.num(3)])
    words = ", ".join(f"i64 {w.num(n)}" for n in range(1, 6))  # before the fork: both ways may need them
    go, stay = w.fresh("tail"), w.fresh("stay")
    none = w.let(f"icmp eq i64 {target}, 0")
    w.do(f"br i1 {none}, label %{stay}, label %{go}")
    w.at(go)
    _replace(w, target, words)
    w.at(stay)
    w.check_fault()


def _replace(w: Writer, target: str, words: str) -> None:
    checked, floor = w.checked, ""
    if checked:
        w.store_word("fuel", w.refund())
        w.store_word("room", "%room")
        floor = w.load_word("floor")
        w.store_word("floor", "%room")
    elif w.module.frames[w.function.entry].in_run:
        w.store_word("room", "%room")
    function = w.let(f"inttoptr i64 {target} to ptr")
    answer = w.let(f"call i64 {function}(ptr %run, {words})")
    if checked:
        w.store_word("floor", floor)
    w.do(f"ret i64 {answer}")


def legacy(w: Writer) -> None:
    """LDABS and LDIND: inside of the packet a load; elsewhere the engine knows (headers by negative offsets), and the
    function ends, with 0, where nothing is."""
    row = w.row
    bits = 8 * row.off
    offset = w.operand() if row.src == IMM else w.let(f"add i64 {w.num(row.src)}, {row.imm}")
    offset = w.let(f"sext i32 {w.let(f'trunc i64 {offset} to i32')} to i64")
    start, end = packet_word(w, "start"), packet_word(w, "end")
    inside = within(w, offset, w.let(f"sub i64 {end}, {start}"), row.off)
    near, far, done = w.fresh("near"), w.fresh("far"), w.fresh("done")
    w.do(f"br i1 {inside}, label %{near}, label %{far}{LIKELY}")
    w.at(near)
    pointer = w.let(f"inttoptr i64 {w.let(f'add i64 {start}, {offset}')} to ptr")
    loaded = w.let(f"load i{bits}, ptr {pointer}, align 1{access('packet', w.checked)}")
    value = from_network(w, loaded, bits)
    fuel = w.nums[FUEL]
    w.do(f"br label %{done}")
    w.at(far)
    other = _ask_for_packet(w, offset)
    after, far = w.nums[FUEL], w.label
    w.do(f"br label %{done}")
    w.at(done)
    w.set_num(0, w.let(f"phi i64 [ {value}, %{near} ], [ {other}, %{far} ]"))
    if w.checked:
        w.nums[FUEL] = w.let(f"phi i64 [ {fuel}, %{near} ], [ {after}, %{far} ]")


def _ask_for_packet(w: Writer, offset: str) -> str:
    w.sync()
    value = w.module.call(w, "packet", [w.row_address(), offset])
    w.resync()
    w.check_fault()
    refund = w.refund()
    outside, go = w.fresh("outside"), w.fresh("go")
    bad = w.let(f"icmp slt i64 {value}, 0")
    w.do(f"br i1 {bad}, label %{outside}, label %{go}{UNLIKELY}")
    w.at(outside)
    w.leave("0", refund)
    w.at(go)
    return value


def leave(w: Writer) -> None:
    """EXIT."""
    w.leave(w.num(0), w.nums[FUEL] or "0")


def beyond(w: Writer) -> None:
    """What runs out of the program."""
    w.module.tool("trap")
    refund = w.refund()
    w.do(f"call void @trap(ptr %run, i64 {F_BEYOND}, i64 {w.slot}, i64 0, i64 0)")
    w.do(f"br label %{w.failing(refund)}")


ROWS = {b.LOCAL: local, b.CALLX: callx, b.TAIL: tail, b.EXIT: leave, b.BEYOND: beyond}
ROWS |= dict.fromkeys(b.LEGACY, legacy)
"""What writes each of these rows."""
