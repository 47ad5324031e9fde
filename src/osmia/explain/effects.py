"""What one instruction did to one register or stack slot: where its content was before, or how it began."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from osmia.explain.case import ALU, ALU64, EXIT, JMP, LD, LD_IMM64, LDX, ST, STX, Case, callee, is_call
from osmia.explain.words import bytes_of, map_words, number, value_words
from osmia.isa.consts import BPF_PSEUDO_CALL
from osmia.verifier import consts as c

if TYPE_CHECKING:
    from osmia.explain.trail import Step
    from osmia.verifier.insn import VInsn
    from osmia.verifier.regs import Reg

MOV, END, NEG = 0xB0, 0xD0, 0x80
ARITHMETIC = {
    0x00: "+", 0x10: "-", 0x20: "*", 0x30: "/", 0x40: "|", 0x50: "&", 0x60: "<<", 0x70: ">>", 0x90: "%", 0xA0: "^",
    0xC0: ">>",
}  # fmt: skip
ATOMIC, FETCH, CMPXCHG = 0xC0, 0x01, 0xF1
SPILL = 1
"""The kind of a stack byte that holds part of a spilled register."""


@dataclass(frozen=True)
class Spot:
    """A register or (``stack``) an eight-byte slot, 0 for fp-8, of a frame, outermost 0."""

    frame: int
    number: int
    stack: bool = False


@dataclass
class Link:
    """What one step did to a value: ``to`` is where it was before, None where it began.

    ``index``: that is the number which was added to a pointer.  ``{name}`` in the text is for the name of ``named``.
    """

    kind: str
    text: str
    to: Spot | None = None
    index: bool = False
    named: Spot | None = None


def value_at(step: Step, spot: Spot) -> Reg | None:
    """What the verifier knew of a spot; None where the slot holds no register, or the frame is not there."""
    if spot.frame >= len(step.frames):
        return None
    frame = step.frames[spot.frame]
    if not spot.stack:
        return frame.regs[spot.number]
    if spot.number >= len(frame.stack):
        return None
    slot = frame.stack[spot.number]
    return slot.spilled if slot.type_at(7) == SPILL else None


def cause(case: Case, before: Step, after: Step, spot: Spot, index: bool = False) -> Link | None:
    """How the instruction between two steps made what is in ``spot`` behind it; None where it did nothing to it."""
    insn = case.env.insns[before.insn]
    inner, outer = len(before.frames) - 1, len(after.frames) - 1
    if is_call(insn) and outer > inner and spot.frame == outer:
        return _entered(case, insn, inner, spot)
    if outer < inner:
        return _returned(case, insn, before, inner, outer, spot)
    if spot.stack:
        return _stored(case, insn, before, after, spot)
    if spot.frame != inner:
        return None
    return _written(case, insn, before, after, spot, index)


def _entered(case: Case, insn: VInsn, inner: int, spot: Spot) -> Link:
    """A new frame begins: its arguments are the caller's registers; a callback's come from the kernel."""
    if spot.stack:
        return Link("lost", "the function's stack is empty when it begins")
    if spot.number == 10:
        return Link("start", "")
    name = callee(case, insn)
    if insn.src == BPF_PSEUDO_CALL:
        if 1 <= spot.number <= 5:
            return Link("argument", f"passed to {name}() as argument {spot.number}", Spot(inner, spot.number))
        return Link("lost", f"R{spot.number} holds nothing when {name}() begins")
    if 1 <= spot.number <= 5:
        return Link("argument", f"argument {spot.number} of the callback that {name}() calls")
    return Link("lost", f"R{spot.number} holds nothing when the callback begins")


def _returned(case: Case, insn: VInsn, before: Step, inner: int, outer: int, spot: Spot) -> Link | None:
    if spot.frame != outer or spot.stack:
        return None
    if spot.number == 0 and insn.code & 0xF0 == EXIT and insn.code & 7 == JMP:
        name = case.sources.function(before.insn)
        return Link("return", f"returned by {name}()" if name else "returned by the function", Spot(inner, 0))
    if 1 <= spot.number <= 5:
        return Link("lost", _clobbered(spot.number, case.sources.function(before.insn) or "the function"))
    return None


def _clobbered(regno: int, name: str) -> str:
    return f"R{regno} is lost when {name}() is called: calls leave nothing in R1 to R5"


def _stored(case: Case, insn: VInsn, before: Step, after: Step, spot: Spot) -> Link | None:
    """A store to the stack, or a call that writes there."""
    kind = insn.code & 7
    if kind in (ST, STX):
        reg = before.regs[insn.dst]
        if reg.type != c.PTR_TO_STACK or reg.frameno != spot.frame:
            return None
        at, size = reg.off + insn.off + _s64(reg.value), (4, 2, 1, 8)[insn.code >> 3 & 3]
        low = -8 * (spot.number + 1)
        if reg.mask:
            changed = _slot(before, spot) is not _slot(after, spot)
            return Link("lost", "overwritten by a store at a variable offset") if changed else None
        if at + size <= low or at >= low + 8:
            return None
        if kind == STX and insn.code & 0xE0 == 0x60 and value_at(after, spot) is not None:
            return Link("spill", f"saved on the stack at fp{at:+d}", Spot(len(before.frames) - 1, insn.src))
        what = f"the constant {number(insn.imm)}" if kind == ST else f"R{insn.src}"
        return Link("store", f"{bytes_of(size)} of the stack at fp{at:+d} written: {what}")
    if is_call(insn) and _slot(before, spot) is not _slot(after, spot):
        return Link("call", f"written by {callee(case, insn)}()")
    return None


def _slot(step: Step, spot: Spot) -> object:
    frame = step.frames[spot.frame] if spot.frame < len(step.frames) else None
    return frame.stack[spot.number] if frame is not None and spot.number < len(frame.stack) else None


def _written(case: Case, insn: VInsn, before: Step, after: Step, spot: Spot, index: bool) -> Link | None:
    """A register of the innermost frame."""
    kind, regno = insn.code & 7, spot.number
    if kind in (ALU, ALU64):
        return _computed(case, insn, before, spot, index) if insn.dst == regno else None
    if kind == LDX:
        return _loaded(case, insn, before, spot) if insn.dst == regno else None
    if kind == LD:
        return _constant(case, insn, after, spot)
    if is_call(insn):
        return _called(case, insn, before, after, spot)
    if kind == STX and insn.code & 0xE0 == ATOMIC:
        fetched = 0 if insn.imm & 0xFF == CMPXCHG else insn.src
        if insn.imm & FETCH and regno == fetched:
            return Link("load", "what an atomic operation found in memory")
    return None


def _computed(case: Case, insn: VInsn, before: Step, spot: Spot, index: bool) -> Link:
    op, wide = insn.code & 0xF0, insn.code & 7 == ALU64
    frame, by_reg = spot.frame, bool(insn.code & 8)
    if op == MOV:
        if not by_reg:
            return Link("constant", f"set to {number(insn.imm)}")
        source = Spot(frame, insn.src)
        if insn.off in (8, 16, 32):
            return Link("arithmetic", f"the lowest {insn.off} bits of it, as a signed number", source)
        cut = not wide and before.regs[insn.src].umax >> 32
        return Link("arithmetic", "the lower 32 bits of it", source) if cut else Link("move", "", source)
    if op == END:
        return Link("arithmetic", "its bytes in another order", spot)
    if op == NEG:
        return Link("arithmetic", "its negative", spot)
    sign = ARITHMETIC.get(op, "?")
    if not by_reg:
        text = f"- {number(-insn.imm)}" if op == 0 and insn.imm < 0 else f"{sign} {number(insn.imm)}"
        return Link("arithmetic", text, spot)
    other = Spot(frame, insn.src)
    return _combined(case, before, spot, other, sign, index)


def _combined(case: Case, before: Step, spot: Spot, other: Spot, sign: str, index: bool) -> Link:
    """Two registers make one: the story goes on with the pointer, the unknown number, or the left side."""
    left, right = before.regs[spot.number], before.regs[other.number]
    pointer = left if left.type != c.SCALAR_VALUE else right if right.type != c.SCALAR_VALUE else None
    if pointer is None:
        text = f"{sign} {value_words(case.env, right)}"
        return Link("arithmetic", text, other if left.mask == 0 and right.mask else spot)
    scalar, base = (other, spot) if pointer is left else (spot, other)
    amount = before.regs[scalar.number]
    if index and amount.mask:
        return Link("arithmetic", f"added to {value_words(case.env, pointer)}", scalar, index=True)
    if index and pointer.mask == 0 and amount.mask == 0:
        return Link("arithmetic", f"{sign} {value_words(case.env, amount)}", base)
    return Link("arithmetic", f"{sign} {{name}}{value_words(case.env, amount)}", base, named=scalar)


def _loaded(case: Case, insn: VInsn, before: Step, spot: Spot) -> Link:
    reg, size = before.regs[insn.src], (4, 2, 1, 8)[insn.code >> 3 & 3]
    if reg.type == c.PTR_TO_STACK and not reg.mask:
        at = reg.off + insn.off + _s64(reg.value)
        slot = Spot(reg.frameno, (-at - 1) // 8, stack=True)
        if value_at(before, slot) is not None:
            return Link("fill", f"read back from the stack at fp{at:+d}", slot)
        return Link("load", f"{bytes_of(size)} read from the stack at fp{at:+d}")
    expression = case.sources.loaded(before.insn)
    what = f"{expression}: " if expression else ""
    return Link("load", f"{what}{bytes_of(size)} read from {_memory(reg)}")


def _memory(reg: Reg) -> str:
    base = reg.type & c.BASE_TYPE_MASK
    known = {
        c.PTR_TO_CTX: "the context", c.PTR_TO_PACKET: "the packet", c.PTR_TO_STACK: "the stack",
        c.PTR_TO_BTF_ID: "kernel memory", c.PTR_TO_MEM: "memory",
    }  # fmt: skip
    if base == c.PTR_TO_MAP_VALUE:
        return f"a value of {map_words(reg)}"
    return known.get(base, "memory")


def _constant(case: Case, insn: VInsn, after: Step, spot: Spot) -> Link | None:
    if insn.code == LD_IMM64:
        if insn.dst != spot.number:
            return None
        reg = value_at(after, spot)
        return Link("constant", f"set to {value_words(case.env, reg)}" if reg is not None else "set")
    if spot.number == 0:
        return Link("load", "read from the packet by a classic load")
    return Link("lost", "a classic packet load leaves nothing in R1 to R5") if 1 <= spot.number <= 5 else None


def _called(case: Case, insn: VInsn, before: Step, after: Step, spot: Spot) -> Link | None:
    name = callee(case, insn)
    if spot.number == 0:
        return Link("call", f"returned by {name}()")
    if spot.number <= 5:
        return Link("lost", _clobbered(spot.number, name))
    was, now = value_at(before, spot), value_at(after, spot)
    if was is None or now is None or was.type == now.type:
        return None
    if was.type & c.BASE_TYPE_MASK in (c.PTR_TO_PACKET, c.PTR_TO_PACKET_META, c.PTR_TO_PACKET_END):
        return Link("lost", f"{name}() may move the packet, so every pointer into it is void afterwards", spot)
    return Link("lost", f"{name}() ended what it pointed to", spot)


def _s64(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value
