"""Loads and stores: plain where a verifier was there before, tested where nobody was.

In checked code an access that ``Kind.inside`` does not prove is tested inline against what its pointer
probably points to (the own frame, the frames in use, the packet, the window of the last look-up), then by ``may``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from osmia.vm.jit import spills
from osmia.vm.jit.kinds import Kind
from osmia.vm.jit.scopes import LIKELY, STATE_ACCESS, UNLIKELY, WORDS_ONLY, access
from osmia.vm.jit.types import SPILLS
from osmia.vm.jit.writer import signed
from osmia.vm.ops import FRAME_SIZE, FRAME_STRIDE, IMM, OPS
from osmia.vm.packetwords import OFFSETS as PACKET

if TYPE_CHECKING:
    from osmia.vm.jit.writer import Writer

_LOADS = {OPS[f"LDX{bits}"]: (bits, "zext") for bits in (8, 16, 32, 64)}
_LOADS |= {OPS[f"LDSX{bits}"]: (bits, "sext") for bits in (8, 16, 32)}
_STORES = {OPS[f"ST{bits}"]: bits for bits in (8, 16, 32, 64)}
RDONLY_PROG = 1 << 7
_KERNEL_POINTER = re.compile(r".*ptr_(or_null_)?|.*untrusted_mem")
"""Types of pointers into kernel objects, as the verifier names them (Fact.types)."""


def load(w: Writer) -> None:
    """A row of LDX."""
    row = w.row
    bits, extend = _LOADS[row.op]
    if _is_probe(w):
        _probe(w, bits, extend)
        return
    pointer, kind = place(w, row.src, row.off, bits // 8, False)
    notes = access(_name(kind), w.checked)
    if w.source.plain(w.slot):
        align = alignment(kind, row.off, bits // 8)
        if bits == 64 and _loads_pointer(w):
            w.set_ptr(row.dst, w.let(f"load ptr, ptr {pointer}, align {align}{notes}"))
            return
        value = w.let(f"load i{bits}, ptr {pointer}, align {align}{notes}")
    else:
        value = ordered(w, bits, pointer, kind, f"load atomic i{bits}, ptr {pointer} acquire, align {bits // 8}")
    w.set_num(row.dst, value if bits == 64 else w.let(f"{extend} i{bits} {value} to i64"))


def store(w: Writer) -> None:
    """A row of ST or STX."""
    row = w.row
    bits = _STORES[row.op]
    if bits == 64 and row.src != IMM and w.ptrs[row.src] is not None and w.source.plain(w.slot):
        _store_pointer(w)
        return
    value = str(_cut(row.imm, bits)) if row.src == IMM else w.num(row.src)
    pointer, kind = place(w, row.dst, row.off, bits // 8, True)
    if bits < 64 and row.src != IMM:
        value = w.let(f"trunc i64 {value} to i{bits}")
    notes = access(_name(kind), w.checked)
    if w.source.plain(w.slot):
        w.do(f"store i{bits} {value}, ptr {pointer}, align {alignment(kind, row.off, bits // 8)}{notes}")
    else:
        ordered(
            w, bits, pointer, kind, f"store atomic i{bits} {value}, ptr {pointer} release, align {bits // 8}", value
        )


def _loads_pointer(w: Writer) -> bool:
    """Is it a pointer that was spilled?  Loaded as one, it stays the same pointer for LLVM."""
    kind = spills.load(w.state[SPILLS], w.row, w.state[w.row.src], w.checked)
    return kind is not None and kind.is_pointer


def _store_pointer(w: Writer) -> None:
    row = w.row
    pointer, kind = place(w, row.dst, row.off, 8, True)
    align = alignment(kind, row.off, 8)
    w.do(f"store ptr {w.ptr(row.src)}, ptr {pointer}, align {align}{access(_name(kind), w.checked)}")


def ordered(w: Writer, bits: int, pointer: str, kind: Kind | None, text: str, stored: str = "") -> str:
    """load_acquire and store_release; where nobody has checked the alignment, a plain access for what has none."""
    write = w.do if stored else w.let
    if not w.checked or bits == 8 or alignment(kind, w.row.off, bits // 8) == bits // 8:
        return write(text) or ""
    odd, even, done = w.fresh("odd"), w.fresh("even"), w.fresh("done")
    w.do(f"br i1 {misaligned(w, pointer, bits // 8)}, label %{odd}, label %{even}{UNLIKELY}")
    w.at(odd)
    plain = f"store i{bits} {stored}, ptr {pointer}, align 1" if stored else f"load i{bits}, ptr {pointer}, align 1"
    slow = write(plain)
    w.do(f"br label %{done}")
    w.at(even)
    fast = write(text)
    w.do(f"br label %{done}")
    w.at(done)
    return "" if stored else w.let(f"phi i{bits} [ {slow}, %{odd} ], [ {fast}, %{even} ]")


def misaligned(w: Writer, pointer: str, size: int) -> str:
    """Is the address no multiple of the size?  An i1."""
    low = w.let(f"and i64 {w.let(f'ptrtoint ptr {pointer} to i64')}, {size - 1}")
    return w.let(f"icmp ne i64 {low}, 0")


def place(w: Writer, register: int, offset: int, size: int, write: bool) -> tuple[str, Kind | None]:
    """Where an access goes, as ptr, once it is known to be allowed; and the kind of its pointer."""
    kind = w.state[register]
    if w.checked and not _proved(w, kind, offset, size, write):
        check(w, register, offset, size, write)
    return displaced(w, w.ptr(register), offset), kind


def check_bytes(w: Writer, register: int, size: int, write: bool) -> None:
    """In checked code: may the bytes behind a register, an argument, be touched?"""
    if size and not _proved(w, w.state[register], 0, size, write):
        check(w, register, 0, size, write)


def displaced(w: Writer, pointer: str, offset: int) -> str:
    """The pointer so many bytes further on."""
    return w.let(f"getelementptr i8, ptr {pointer}, i64 {offset}") if offset else pointer


def alignment(kind: Kind | None, offset: int, size: int) -> int:
    """What is known of the alignment of an access, up to its size."""
    if kind is None or kind.offset is None or kind.name not in ("stack", "value"):
        return 1
    at = kind.offset + offset
    return min(size, (at & -at) or 8, 8)


def _proved(w: Writer, kind: Kind | None, offset: int, size: int, write: bool) -> bool:
    if kind is None:
        return False
    shape = w.source.shape(kind.number)
    if write and kind.name == "value" and shape is not None and shape.flags & RDONLY_PROG:
        return False
    return kind.inside(offset, size, shape)


def _name(kind: Kind | None) -> str:
    return kind.name if kind is not None else ""


def _cut(value: int, bits: int) -> int:
    return signed(value) if bits == 64 else value & ((1 << bits) - 1)


# -- checks ----------------------------------------------------------------------------------------------------------


def check(w: Writer, register: int, offset: int, size: int, write: bool) -> None:
    """Go on if the bytes may be touched; leave the function with a fault if not."""
    number = w.num(register)
    at = w.let(f"add i64 {number}, {offset}") if offset else number
    kind = _name(w.state[register])
    test = _TESTS.get(kind) if size <= FRAME_SIZE and not (write and kind == "ctx") else None
    fine = _in_window(w, at, size, write) if test is None else test(w, at, size)
    slow, go = w.fresh("slow"), w.fresh("go")
    w.do(f"br i1 {fine}, label %{go}, label %{slow}{LIKELY}")
    w.at(slow)
    refund = w.refund()
    w.module.tool("admit")
    allowed = w.let(f"call i1 @admit(ptr %run, i64 {at}, i64 {size}, i64 {int(write)}, i64 {w.slot}){WORDS_ONLY}")
    w.do(f"br i1 {allowed}, label %{go}, label %{w.failing(refund)}")
    w.at(go)


def within(w: Writer, distance: str, room: str, size: int) -> str:
    """Do ``size`` bytes so far from a start lie in ``room`` bytes from there?  One comparison, wrapping included."""
    if size > 1:
        room = w.let(f"call i64 @llvm.usub.sat.i64(i64 {room}, i64 {size - 1})")
    return w.let(f"icmp ult i64 {distance}, {room}")


def _beside(w: Writer, at: str, low: str, room: str, size: int) -> str:
    return within(w, w.let(f"sub i64 {at}, {low}"), room, size)


def _in_own_frame(w: Writer, at: str, size: int) -> str:
    low = w.let(f"sub i64 {w.num(10)}, {FRAME_SIZE}")
    return w.let(f"icmp ult i64 {w.let(f'sub i64 {at}, {low}')}, {FRAME_SIZE - size + 1}")


def _in_frames(w: Writer, at: str, size: int) -> str:
    distance = w.let(f"sub i64 {at}, {w.let('ptrtoint ptr %stack to i64')}")
    in_use = w.let(f"icmp ult i64 {distance}, %above")
    inside = w.let(f"icmp ule i64 {w.let(f'and i64 {distance}, {FRAME_STRIDE - 1}')}, {FRAME_SIZE - size}")
    return w.let(f"and i1 {in_use}, {inside}")


def _in_packet(w: Writer, at: str, size: int) -> str:
    start, end = (packet_word(w, name) for name in ("start", "end"))
    return _beside(w, at, start, w.let(f"sub i64 {end}, {start}"), size)


def packet_word(w: Writer, name: str) -> str:
    """A word of the packet's state; in a function that calls nothing it is read once, at the start."""
    if w.is_leaf:
        w.packet_words.add(name)
        return f"%packet.{name}"
    pointer = w.let(f"getelementptr i8, ptr {w.packet()}, i64 {PACKET[name]}")
    return w.let(f"load i64, ptr {pointer}, align 8{STATE_ACCESS}")


def _in_ctx(w: Writer, at: str, size: int) -> str:
    return _beside(w, at, packet_word(w, "ctx"), packet_word(w, "size"), size)


def _in_window(w: Writer, at: str, size: int, write: bool) -> str:
    fine = _beside(w, at, w.load_word("low"), w.load_word("span"), size)
    if not write:
        return fine
    bit = w.let(f"trunc i64 {w.load_word('writable')} to i1")
    return w.let(f"and i1 {fine}, {bit}")


_TESTS = {"stack": _in_own_frame, "frame": _in_frames, "packet": _in_packet, "ctx": _in_ctx}


# -- pointers into kernel objects ------------------------------------------------------------------------------------


def _is_probe(w: Writer) -> bool:
    kinds = w.source.options.kinds
    if w.checked or kinds is None:
        return False
    types = kinds.get(w.slot, {}).get(w.row.src, frozenset())
    return any(_KERNEL_POINTER.fullmatch(t) for t in types)


def _probe(w: Writer, bits: int, extend: str) -> None:
    """What the kernel does for them: a bad address reads as 0."""
    row = w.row
    at = w.let(f"add i64 {w.num(row.src)}, {row.off}")
    value = w.module.call(w, "probe", [at, str(bits // 8)])
    if extend == "sext":
        value = w.let(f"sext i{bits} {w.let(f'trunc i64 {value} to i{bits}')} to i64")
    w.set_num(row.dst, value)
