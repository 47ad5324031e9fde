"""Atomic operations (RFC 9669 section 5.3), in the orders that Linux gives them (Documentation/bpf, "ordering").

Those that fetch, and the exchanges, are fully ordered; those that do not are atomic and no more.  Programs that
nobody verified may use addresses that are no multiple of the size: no processor promises anything for those, so they
get a load and a store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from osmia.vm.jit import blocks as b
from osmia.vm.jit.memory import alignment, misaligned, place
from osmia.vm.jit.scopes import UNLIKELY
from osmia.vm.ops import OPS

if TYPE_CHECKING:
    from osmia.vm.jit.writer import Writer

FETCH = 1
_OPERATIONS = {0x00: "add", 0x40: "or", 0x50: "and", 0xA0: "xor", 0xE0: "xchg"}


def write(w: Writer) -> None:
    """A row of ATOMIC32 or ATOMIC64."""
    row = w.row
    bits = 64 if row.op == OPS["ATOMIC64"] else 32
    pointer, kind = place(w, row.dst, row.off, bits // 8, True)
    value, expected = _narrow(w, w.num(row.src), bits), _narrow(w, w.num(0), bits)
    if not w.checked or alignment(kind, row.off, bits // 8) == bits // 8:
        old = _locked(w, pointer, bits, value, expected)
    else:
        old = _either(w, pointer, bits, value, expected)
    if row.imm & FETCH:
        target = 0 if row.imm == b.CMPXCHG else row.src
        w.set_num(target, old if bits == 64 else w.let(f"zext i32 {old} to i64"))


def _narrow(w: Writer, value: str, bits: int) -> str:
    return value if bits == 64 else w.let(f"trunc i64 {value} to i32")


def _locked(w: Writer, pointer: str, bits: int, value: str, expected: str) -> str:
    imm, align = w.row.imm, bits // 8
    if imm == b.CMPXCHG:
        pair = w.let(f"cmpxchg ptr {pointer}, i{bits} {expected}, i{bits} {value} seq_cst seq_cst, align {align}")
        return w.let(f"extractvalue {{ i{bits}, i1 }} {pair}, 0")
    order = "seq_cst" if imm & FETCH else "monotonic"
    return w.let(f"atomicrmw {_OPERATIONS[imm & 0xF0]} ptr {pointer}, i{bits} {value} {order}, align {align}")


def _either(w: Writer, pointer: str, bits: int, value: str, expected: str) -> str:
    odd, even, done = w.fresh("odd"), w.fresh("even"), w.fresh("done")
    w.do(f"br i1 {misaligned(w, pointer, bits // 8)}, label %{odd}, label %{even}{UNLIKELY}")
    w.at(odd)
    slow = _unlocked(w, pointer, bits, value, expected)
    w.do(f"br label %{done}")
    w.at(even)
    fast = _locked(w, pointer, bits, value, expected)
    w.do(f"br label %{done}")
    w.at(done)
    return w.let(f"phi i{bits} [ {slow}, %{odd} ], [ {fast}, %{even} ]")


def _unlocked(w: Writer, pointer: str, bits: int, value: str, expected: str) -> str:
    imm = w.row.imm
    old = w.let(f"load i{bits}, ptr {pointer}, align 1")
    if imm == b.CMPXCHG:
        same = w.let(f"icmp eq i{bits} {old}, {expected}")
        new = w.let(f"select i1 {same}, i{bits} {value}, i{bits} {old}")
    elif imm & 0xF0 == 0xE0:
        new = value
    else:
        new = w.let(f"{_OPERATIONS[imm & 0xF0]} i{bits} {old}, {value}")
    w.do(f"store i{bits} {new}, ptr {pointer}, align 1")
    return old
