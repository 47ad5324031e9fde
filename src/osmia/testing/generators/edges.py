"""Every instruction with operands at the edges, as trials: in a loop over a table, and written out as constants.

The table stands in the map ``pairs``: what is loaded from there no compiler can know.  Written out, all of it can be
worked out beforehand, and an engine that does so must come to the same.  Results go to the map ``results``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from osmia.isa import OPS, Insn, Kind, Op
from osmia.isa import consts as c
from osmia.isa import macros as m
from osmia.obj.model import MapSpec, Program
from osmia.testing.trials import Trial

M64 = (1 << 64) - 1
WORDS = (
    0, 1, 2, 7, 31, 32, 33, 63, 64, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
    0x100000000, 0x123456789ABCDEF, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFF00000000, 0xFFFFFFFF7FFFFFFF,
    0xFFFFFFFF80000000, 0xFFFFFFFFFFFFFF80, 0xFFFFFFFFFFFF8000, 0xFFFFFFFFFFFFFFFE, 0xFFFFFFFFFFFFFFFF,
)  # fmt: skip
"""Operands: around zero, around the ends of every width, around 2**32."""
IMMS = (0, 1, -1, 2, 7, 31, 32, 63, 127, -128, 255, 0x7FFF, -0x8000, 0x7FFFFFFF, -0x80000000, -2)
SHIFTS = {64: (0, 1, 7, 31, 32, 63), 32: (0, 1, 7, 15, 31)}
FEW = (0, 1, 63, 0x7F, 0xFFFFFFFF, 0x80000000, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF)
LEFT, RIGHT, PAIRS, RESULTS, COUNT, EXTRA = 1, 2, 6, 7, 8, 3
Piece = list[Insn]


def _fixed(field: Kind | int, value: int) -> int:
    return field if isinstance(field, int) else value


def shaped(op: Op, dst: int, src: int, off: int, imm: int) -> Insn:
    """The instruction with those operands, where its row leaves them open."""
    return Insn(op.code, _fixed(op.dst, dst), _fixed(op.src, src), _fixed(op.off, off), _fixed(op.imm, imm))


def imms(op: Op) -> tuple[int, ...]:
    """Constants that the instruction takes: kernels refuse shifts by the width and divisions by 0."""
    if op.name.startswith(("lsh", "rsh", "arsh")):
        return SHIFTS[64 if "64" in op.name else 32]
    if op.name.startswith(("div", "mod", "sdiv", "smod")):
        return tuple(imm for imm in IMMS if imm)
    return IMMS


def trials() -> Iterator[Trial]:
    """All of them: arithmetic and jumps in both ways, memory accesses, atomics."""
    for op in OPS:
        if op.cls in (c.BPF_ALU, c.BPF_ALU64) and op.name != "addr_space_cast":
            yield from _both(op.name, list(_arithmetic(op)), op.imm is Kind.IMM or op.src is not Kind.REG)
        elif op.off is Kind.JUMP and op.dst is Kind.REG:
            yield from _both(op.name, list(_jumps(op)), op.src is not Kind.REG)
    yield from _accesses()
    for op in OPS:
        if op.cls == c.BPF_STX and op.code & 0xE0 == 0xC0 and op.code & 0x18 in (c.BPF_W, c.BPF_DW):
            yield _looped(op.name, [_atomic(op)], WORDS, single=False)


def _arithmetic(op: Op) -> Iterator[Piece]:
    """R1 op R2, or R1 op each constant."""
    if op.imm is Kind.IMM:
        for imm in imms(op):
            yield [shaped(op, LEFT, 0, 0, imm)]
    else:
        yield [shaped(op, LEFT, RIGHT, 0, 0)]


def _jumps(op: Op) -> Iterator[Piece]:
    """R1 is 1 where the jump was taken."""
    for imm in IMMS if op.imm is Kind.IMM else (0,):
        jump = shaped(op, LEFT, RIGHT, 1, imm)
        yield [m.BPF_MOV64_IMM(EXTRA, 1), jump, m.BPF_MOV64_IMM(EXTRA, 0), m.BPF_MOV64_REG(LEFT, EXTRA)]


def _atomic(op: Op) -> Piece:
    """Memory holds the left operand, the register the right one; R0 is the left one for every other pair.

    What is left in memory, in the register and in R0 is mixed.
    """
    big = op.code & 0x18 == c.BPF_DW
    mix = [m.BPF_ALU64_IMM(c.BPF_MUL, LEFT, 0x01000193), m.BPF_ALU64_REG(c.BPF_XOR, LEFT, RIGHT)]
    return [
        m.BPF_STX_MEM(c.BPF_DW, 10, LEFT, -8),
        m.BPF_MOV64_REG(0, LEFT), m.BPF_JMP_IMM(c.BPF_JSET, COUNT, 1, 1), m.BPF_MOV64_REG(0, RIGHT),
        shaped(op, *((RIGHT, 10) if "load" in op.name else (10, RIGHT)), -8 if big else -4, 0),
        m.BPF_LDX_MEM(c.BPF_DW, LEFT, 10, -8), *mix, m.BPF_ALU64_IMM(c.BPF_MUL, LEFT, 31),
        m.BPF_ALU64_REG(c.BPF_XOR, LEFT, 0),
    ]  # fmt: skip


def _both(name: str, pieces: Sequence[Piece], single: bool) -> Iterator[Trial]:
    yield _looped(name, pieces, WORDS, single)
    yield _written_out(name, pieces, FEW, single)


def _table(words: Sequence[int], single: bool) -> bytes:
    pairs = [(a, 0) for a in words] if single else [(a, b) for a in words for b in words]
    return b"".join(struct.pack("=QQ", *pair) for pair in pairs)


def _value(reg: int, number: int) -> Piece:
    """The address of the value of the program's map of that number."""
    return [Insn(0x18, reg, c.BPF_PSEUDO_MAP_VALUE, 0, number), Insn(0)]


def _program(name: str, insns: Piece, pairs: bytes, results: int) -> Trial:
    end = [m.BPF_MOV64_IMM(0, 0), m.BPF_EXIT_INSN()]
    maps = [
        MapSpec("pairs", "array", 4, max(len(pairs), 8), 1, data=pairs or bytes(8)),
        MapSpec("results", "array", 4, 8 * results, 1),
    ]
    return Trial(Program(name[:15], "xdp", [*insns, *end], maps=maps, license="GPL"), bytes(64), budget=1 << 20)


def _looped(name: str, pieces: Sequence[Piece], words: Sequence[int], single: bool) -> Trial:
    pairs = _table(words, single)
    count = len(pairs) // 16
    body: Piece = []
    for number, piece in enumerate(pieces):
        body += [m.BPF_LDX_MEM(c.BPF_DW, LEFT, PAIRS, 0), m.BPF_LDX_MEM(c.BPF_DW, RIGHT, PAIRS, 8), *piece]
        body += [m.BPF_STX_MEM(c.BPF_DW, RESULTS, LEFT, 8 * number)]
    body += [m.BPF_ALU64_IMM(c.BPF_ADD, PAIRS, 16), m.BPF_ALU64_IMM(c.BPF_ADD, RESULTS, 8 * len(pieces))]
    body += [m.BPF_ALU64_IMM(c.BPF_ADD, COUNT, -1)]
    start = [*_value(PAIRS, 0), *_value(RESULTS, 1), m.BPF_MOV64_IMM(COUNT, count)]
    back = m.BPF_JMP_IMM(c.BPF_JNE, COUNT, 0, -len(body) - 1)
    return _program(name, [*start, *body, back], pairs, count * len(pieces))


def _written_out(name: str, pieces: Sequence[Piece], words: Sequence[int], single: bool) -> Trial:
    insns, number = _value(RESULTS, 1), 0
    for a in words:
        for b in (0,) if single else words:
            for piece in pieces:
                insns += [*m.BPF_LD_IMM64(LEFT, a), *m.BPF_LD_IMM64(RIGHT, b), *piece]
                insns.append(m.BPF_STX_MEM(c.BPF_DW, RESULTS, LEFT, 8 * number))
                number += 1
    return _program(f"{name}_c", insns, b"", number)


def _accesses() -> Iterator[Trial]:
    """Loads and stores of every size at every alignment, in a map's value and in the packet."""
    for op in OPS:
        if op.cls not in (c.BPF_LDX, c.BPF_ST, c.BPF_STX) or op.code & 0xE0 == 0xC0:
            continue
        yield _access(op, _value(PAIRS, 0), f"{op.name}_map")
        packet = [
            m.BPF_LDX_MEM(c.BPF_W, PAIRS, 1, 0), m.BPF_LDX_MEM(c.BPF_W, RIGHT, 1, 4), m.BPF_MOV64_REG(EXTRA, PAIRS),
            m.BPF_ALU64_IMM(c.BPF_ADD, EXTRA, 64), m.BPF_JMP_REG(c.BPF_JLE, EXTRA, RIGHT, 2), m.BPF_MOV64_IMM(0, 1),
            m.BPF_EXIT_INSN(),
        ]  # fmt: skip
        yield _access(op, packet, f"{op.name}_pkt")


def _access(op: Op, start: Piece, name: str) -> Trial:
    size = c.SIZE_BYTES[op.code & 0x18]
    insns = [*start, *_value(RESULTS, 1), *m.BPF_LD_IMM64(RIGHT, 0x8796A5B4C3D2E1F0)]
    offsets = range(0, 33 - size)
    for number, off in enumerate(offsets):
        if op.cls == c.BPF_LDX:
            insns += [shaped(op, LEFT, PAIRS, off, 0), m.BPF_STX_MEM(c.BPF_DW, RESULTS, LEFT, 8 * number)]
        else:
            insns.append(shaped(op, PAIRS, RIGHT, off, IMMS[number % len(IMMS)]))
            insns.append(m.BPF_ALU64_IMM(c.BPF_MUL, RIGHT, 0x01000193))
    made = _program(name, insns, bytes((37 * n + 128) & 0xFF for n in range(64)), len(offsets))
    return Trial(made.program, bytes((29 * n + 131) & 0xFF for n in range(64)))
