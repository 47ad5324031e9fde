"""eBPF to LLVM IR: ``emit(code, options)`` gives the text and the names in it.

One LLVM function ``i64 @f<slot>(run, registers that it reads…)`` per function of the program, internal, so that LLVM
may inline it.  The text is written row by row without an IR library in between: under a millisecond for a hundred
instructions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from osmia.vm.jit import alu, atomic, helpers, invoke, memory
from osmia.vm.jit import blocks as b
from osmia.vm.jit.module import Module
from osmia.vm.jit.scopes import UNLIKELY, WORDS_ONLY
from osmia.vm.jit.source import Source
from osmia.vm.jit.unit import Options, Unit
from osmia.vm.jit.writer import FUEL, LOOPS, Writer, code_address

if TYPE_CHECKING:
    from osmia.vm.decode import Code
    from osmia.vm.jit.blocks import Block, Function

__all__ = ["Options", "emit"]


def emit(code: Code, options: Options) -> Unit:
    """The program as IR.  Raises Unavailable where its functions share so many rows that the text would explode."""
    found = b.functions(code)
    module = Module(Source(code, options), found)
    return module.unit([_function(module, function) for function in found.values()])


def _function(module: Module, function: Function) -> str:
    w = Writer(module, function)
    parameters = ", ".join(("ptr %run", *(f"{t} %a{n}" for n, t in module.parameters(function.entry))))
    w.begin()
    for block in function.blocks.values():
        w.open(block)
        _block(w, block)
    body = w.finish()
    return f"define internal i64 @f{function.entry}({parameters}) #0 {{\n{body}\n}}"


def _block(w: Writer, block: Block) -> None:
    _pay(w, block)
    count = len(block.slots)
    for index, slot in enumerate(block.slots):
        w.slot, w.row, w.rest = slot, w.rows[slot], count - index - 1
        if not _ends(w, block):
            _row(w)
            w.types.step(slot, w.state)
    if block.next and w.row.op not in b.FORKS and w.row.op != b.JA:
        w.goto(block.next[0])


def _row(w: Writer) -> None:
    write = WRITERS.get(w.row.op)
    if write is not None:
        write(w)
    else:
        alu.write(w)


def _ends(w: Writer, block: Block) -> bool:
    """The jumps."""
    op = w.row.op
    if op == b.JA:
        w.goto(block.next[0])
        return True
    if op in b.BRANCHES:
        w.fork(alu.condition(w), w.slot + 1 + w.row.off, w.slot + 1)
        return True
    if op == b.MAY_GOTO:
        _may_goto(w)
        return True
    return False


def _may_goto(w: Writer) -> None:
    """Falls through as often as the frame's budget says, then jumps."""
    left = w.nums[LOOPS] or "0"
    spent = w.let(f"icmp eq i64 {left}, 0")
    w.nums[LOOPS] = w.let(f"call i64 @llvm.usub.sat.i64(i64 {left}, i64 1)")
    w.fork(spent, w.slot + 1 + w.row.off, w.slot + 1)


def _wide(w: Writer) -> None:
    """A constant, or the address of something outside."""
    how, slot, dst = w.source.insns[w.slot].src_reg, w.slot, w.row.dst
    if how == 0:
        w.set_num(dst, w.operand())
    elif how == 4:
        target = slot + 1 + w.source.insns[slot].imm
        w.set_num(dst, code_address(w.module.code(), target))
    else:
        name, symbol, offset = w.source.wide_symbol(slot)
        pointer = w.module.symbol(name, symbol)
        w.set_ptr(dst, memory.displaced(w, pointer, offset))


def _pay(w: Writer, block: Block) -> None:
    """Checked code: at the head of a loop or function ask for fuel where it is spent, then pay for the block."""
    if not w.checked:
        return
    if block.header or block is w.function.first:
        fuel = w.nums[FUEL]
        more, go, label = w.fresh("more"), w.fresh("go"), w.label
        empty = w.let(f"icmp slt i64 {fuel}, 1")
        w.do(f"br i1 {empty}, label %{more}, label %{go}{UNLIKELY}")
        w.at(more)
        w.store_word("fuel", fuel or "0")
        w.store_word("pc", str(block.start))
        w.module.call(w, "refill", [], WORDS_ONLY)
        stop = w.let(f"icmp ne i64 {w.load_word('fault')}, 0")  # set even where the answer got lost: Ctrl-C
        granted = w.load_word("fuel")
        w.do(f"br i1 {stop}, label %{w.failing(granted)}, label %{go}")
        w.at(go)
        w.nums[FUEL] = w.let(f"phi i64 [ {fuel}, %{label} ], [ {granted}, %{more} ]")
    w.nums[FUEL] = w.let(f"sub i64 {w.nums[FUEL]}, {len(block.slots)}")


WRITERS = {
    **dict.fromkeys(b.LOADS, memory.load),
    **dict.fromkeys(b.STORES, memory.store),
    **dict.fromkeys(b.ATOMICS, atomic.write),
    **invoke.ROWS,
    b.HELPER: helpers.helper,
    b.WIDE: _wide,
}
"""What writes each kind of row; the rest is arithmetic (``alu.ALL``), or a jump."""
