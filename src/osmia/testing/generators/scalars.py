"""Numbers: arithmetic of every kind, bounds, branches and loops."""

from __future__ import annotations

from osmia.testing.generators.builder import CODES, CONDITIONS, NONE, SCALAR, Builder

BINARY = (0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x90, 0xA0, 0xB0, 0xC0)
SHIFTS = (0x60, 0x70, 0xC0)
DIVISIONS = (0x30, 0x90)
HELPER_RANDOM = 7


def alu(b: Builder) -> None:
    """One operation on a number, with a constant or another number."""
    dst = b.scalar()
    if dst in b.keep:
        return
    wide = 0x07 if b.chance(0.6) else 0x04
    op = BINARY[b.below(len(BINARY))]
    signed = int(op in DIVISIONS and b.chance(0.3))
    if b.chance(0.4):
        src = b.scalar()
        if op == 0xB0 and b.chance(0.3):
            b.emit(wide | 0xB8, dst, src, (8, 16, 32)[b.below(3 if wide == 7 else 2)])
        else:
            b.emit(wide | op | 8, dst, src, signed)
        b.regs[dst] = max(b.regs[dst], b.regs[src])
        return
    imm = b.below(64 if wide == 7 else 32) if op in SHIFTS else b.number_like()
    if op in DIVISIONS and not imm:
        imm = 3
    b.emit(wide | op, dst, 0, signed, imm)


def unary(b: Builder) -> None:
    """Negation and byte swaps."""
    dst = b.scalar()
    if dst in b.keep:
        return
    roll = b.below(4)
    if roll == 0:
        b.emit(0x87 if b.chance(0.5) else 0x84, dst)
    else:
        b.emit((0xD4, 0xDC, 0xD7)[roll - 1], dst, 0, 0, (16, 32, 64)[b.below(3)])


def constant(b: Builder) -> None:
    """A new number, of 32 or 64 bits."""
    dst = b.free()
    roll = b.rng.random()
    if roll < 0.6:
        b.mov(dst, b.number_like())
    elif roll < 0.8:
        b.emit(0xB4, dst, 0, 0, b.number_like())
    else:
        b.emit(0x18, dst, 0, 0, b.number_like())
        b.emit(0, 0, 0, 0, b.number_like())
    b.regs[dst] = SCALAR


def unknown(b: Builder) -> None:
    """A number that nothing is known of."""
    if b.unit.world is not None:
        dst = b.free()
        b.value_of(dst, b.unit.world.noise, 8 * b.below(b.unit.world.noise.value_size // 8))
        b.load((8, 8, 4, 1)[b.below(4)], dst, dst, 0)
        return
    b.call(HELPER_RANDOM)
    b.copy(b.free(0), 0)


def copy(b: Builder) -> None:
    """The same value in two registers: what is learnt of one is learnt of the other."""
    src = b.pick("scalar", "value", "pkt", "ctx", "fp", "value?", "mem")
    if src >= 0:
        dst = b.free(src)
        b.copy(dst, src)
        if b.chance(0.3) and b.regs[src].kind == "scalar":
            b.add(dst, b.below(32) - 8)


def bound(b: Builder) -> int:
    """A number made small, by a mask or by a comparison: its register."""
    reg = b.unknown()
    if b.chance(0.5 if b.unit.world is None else 0.9) and reg not in b.keep:
        b.emit((0x57, 0x54)[b.below(2)], reg, 0, 0, (1, 3, 7, 15, 31, 63, 255)[b.below(7)])
    else:
        jump = b.emit((0x25, 0x35, 0x26, 0x65, 0x75)[b.below(5)], reg, 0, 0, 1 + b.below(64))
        b.outs.append(jump)
        if b.chance(0.4):
            b.outs.append(b.emit((0xC5, 0xD5)[b.below(2)], reg, 0, 0, b.below(3) - 1))
    return reg


def bounded(b: Builder) -> None:
    """``bound`` as an action."""
    bound(b)


def branch(b: Builder) -> None:
    """If, and sometimes else, on one number or on two."""
    if b.depth > 5:
        return alu(b)
    reg = b.unknown()
    op = CONDITIONS[b.below(len(CONDITIONS))] | (5 if b.chance(0.6) else 6)
    other = b.pick("scalar") if b.chance(0.3) else -1
    jump = b.emit(op | 8, reg, other) if other >= 0 else b.emit(op, reg, 0, 0, b.number_like())
    b.either(jump, (lambda: b.block(3)) if b.chance(0.5) else None)
    return None


def leave(b: Builder) -> None:
    """A way out on a condition."""
    if b.unit.world is not None and b.chance(0.8):
        return alu(b)
    reg = b.unknown()
    op = CONDITIONS[b.below(len(CONDITIONS))] | (5 if b.chance(0.6) else 6)
    b.outs.append(b.emit(op, reg, 0, 0, b.number_like()))
    return None


def loop(b: Builder) -> None:
    """A loop that counts, up or down, in a register that the body leaves alone."""
    counters = [n for n in (7, 8, 9) if n not in b.keep and b.regs[n].kind in ("none", "scalar")]
    if not counters or b.loops > 1 or b.depth > 4:
        return alu(b)
    counter = counters[b.below(len(counters))]
    turns = (2, 3, 5, 8, 17, 40)[b.below(6)] if not b.loops else 2 + b.below(3)
    up = b.chance(0.7)
    b.mov(counter, 0 if up else turns)
    b.keep.add(counter)
    b.loops += 1
    b.regs[:6] = [NONE] * 6
    start, before, stack = len(b.insns), b.regs[:], dict(b.stack)
    if b.chance(0.15):
        b.outs.append(b.emit(CODES["may_goto"]))
    b.block(3)
    b.add(counter, 1 if up else -1)
    code = (0xA5, 0x55, 0xC5, 0xA6)[b.below(4)] if up else (0x55, 0x25, 0x65)[b.below(3)]
    b.emit(code, counter, 0, start - len(b.insns) - 1, turns if up else 0)
    b.loops -= 1
    b.keep.discard(counter)
    b.regs = [now if now == then else NONE for now, then in zip(b.regs, before, strict=True)]
    b.regs[counter] = SCALAR
    b.stack = {off: value for off, value in b.stack.items() if stack.get(off) == value}
    return None


def forever(b: Builder) -> None:
    """A loop that only may_goto, or a number that is not known, ends."""
    if b.loops or b.depth > 3 or b.unit.world is not None:  # how long may_goto goes on is a matter of time
        return alu(b)
    b.loops += 1
    b.regs[:6] = [NONE] * 6
    start, before, stack = len(b.insns), b.regs[:], dict(b.stack)
    way_out = b.emit(CODES["may_goto"])
    b.block(2)
    b.emit(CODES["ja"] if b.chance(0.8) else CODES["gotol"], 0, 0, 0, 0)
    here = len(b.insns) - 1
    back = start - here - 1
    insn = b.insns[here]
    b.insns[here] = insn._replace(off=back) if insn.code == CODES["ja"] else insn._replace(imm=back)
    b.patch(way_out)
    b.loops -= 1
    b.regs = [now if now == then else NONE for now, then in zip(b.regs, before, strict=True)]
    b.stack = {off: value for off, value in b.stack.items() if stack.get(off) == value}
    return None
