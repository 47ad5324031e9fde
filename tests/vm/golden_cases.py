"""The programs behind the golden files: every instruction with values at the edges.

``tests/live/record_golden.py`` asks the kernel for the answers and writes the files.
"""

from __future__ import annotations

from collections.abc import Iterator

from vm.golden_io import Case

from osmia.isa import OPS, Insn, Kind, Op
from osmia.isa import consts as c
from osmia.isa import macros as m

MIN64, ONES = 1 << 63, (1 << 64) - 1
PAIRS = (
    (0x0123456789ABCDEF, 0x00000000FFFFFFFF),
    (MIN64, ONES),
    (0xFFFFFFFF80000000, 0xFFFFFFFFFFFFFFFF),
    (0xFEDCBA9876543210, 0),
    (7, 0xFFFFFFFFFFFFFFFE),
    (0x8000000000000001, 0x21),
)
IMMS = (1, -1, 7, -0x80000000, 0x7FFFFFFF)
PACKET = bytes(6) + bytes.fromhex("f1e2d3c4b5a6080045") + bytes((37 * n + 11) & 0xFF for n in range(49))


def _folded(pieces: list[list[Insn]]) -> list[Insn]:
    """Each piece leaves something in R1; all of it goes into the 32 bits of R0.  R9 is in use, R6 the context."""
    out = [m.BPF_MOV64_REG(6, 1), m.BPF_MOV64_IMM(9, 0)]
    for piece in pieces:
        out += [*piece, m.BPF_ALU64_IMM(c.BPF_MUL, 9, 0x01000193), m.BPF_ALU64_REG(c.BPF_XOR, 9, 1)]
    out += [m.BPF_MOV64_REG(0, 9), m.BPF_ALU64_IMM(c.BPF_RSH, 0, 32), m.BPF_ALU64_REG(c.BPF_XOR, 0, 9)]
    return [*out, m.BPF_EXIT_INSN()]


def _case(name: str, pieces: list[list[Insn]]) -> Case:
    return Case(name, "socket_filter", PACKET, _folded(pieces))


def _fixed(field: Kind | int, value: int) -> int:
    return field if isinstance(field, int) else value


def _shaped(op: Op, dst: int, src: int, off: int, imm: int) -> Insn:
    """The instruction with those operands, where its row leaves them open."""
    return Insn(op.code, _fixed(op.dst, dst), _fixed(op.src, src), _fixed(op.off, off), _fixed(op.imm, imm))


def _imms(op: Op) -> tuple[int, ...]:
    if op.name.startswith(("lsh", "rsh", "arsh")):
        return (0, 1, 7, 31)
    return IMMS


def arithmetic() -> Iterator[Case]:
    """R1 op R2, or R1 op imm."""
    for op in OPS:
        if op.cls not in (c.BPF_ALU, c.BPF_ALU64) or op.name == "addr_space_cast":
            continue
        if op.imm is Kind.IMM:
            values = [(a, 0, imm) for a, _ in PAIRS[:3] for imm in _imms(op)]
        else:
            values = [(a, b, 0) for a, b in PAIRS]
        yield _case(op.name, [
            [*m.BPF_LD_IMM64(1, a), *m.BPF_LD_IMM64(2, b), _shaped(op, 1, 2, 0, imm)] for a, b, imm in values
        ])  # fmt: skip


def jumps() -> Iterator[Case]:
    """R1 is 1 where the jump was taken."""
    for op in OPS:
        if op.off is not Kind.JUMP or op.dst is not Kind.REG:
            continue
        pairs = [*PAIRS, (5, 5), (ONES, 0x7FFFFFFF), (0x80000000, MIN64), (MIN64, MIN64)]
        pieces = []
        for a, b in pairs:
            imm = ((b & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000
            jump = _shaped(op, 3, 4, 1, imm)
            load = [*m.BPF_LD_IMM64(3, a), *m.BPF_LD_IMM64(4, b)]
            pieces.append([*load, m.BPF_MOV64_IMM(1, 1), jump, m.BPF_MOV64_IMM(1, 0)])
        yield _case(op.name, pieces)
    yield _case("ja_and_gotol", [
        [m.BPF_MOV64_IMM(1, 1), m.BPF_JMP32_IMM(c.BPF_JEQ, 6, 0, 1), m.BPF_JMP_A(1), m.BPF_MOV64_IMM(1, 0)],
        [m.BPF_MOV64_IMM(1, 1), m.BPF_JMP32_IMM(c.BPF_JEQ, 9, 0, 1), m.BPF_JMP32_A(1), m.BPF_MOV64_IMM(1, 0)],
    ])  # fmt: skip
    yield _case("may_goto", [
        [m.BPF_MOV64_IMM(1, 0), m.BPF_MAY_GOTO(3), m.BPF_ALU64_IMM(c.BPF_ADD, 1, 3),
         m.BPF_JMP_IMM(c.BPF_JGT, 1, 50, 1), m.BPF_JMP_A(-4)],
    ])  # fmt: skip


def memory() -> Iterator[Case]:
    """Stack accesses of every size; atomics, with what they leave in memory and in registers."""
    start = [*m.BPF_LD_IMM64(2, 0x8182838485868788), m.BPF_STX_MEM(c.BPF_DW, 10, 2, -16)]
    after = [m.BPF_LDX_MEM(c.BPF_DW, 3, 10, -16), m.BPF_ALU64_REG(c.BPF_XOR, 1, 3)]
    for op in OPS:
        if op.cls not in (c.BPF_LDX, c.BPF_ST, c.BPF_STX):
            continue
        pieces = []
        for value in (0x1122334455667788, 0xFFFFFFFFFFFFFFFF, 0x8182838485868788, 0x0000000085868788):
            setup = [*start, *m.BPF_LD_IMM64(4, value), *m.BPF_LD_IMM64(0, 0x8182838485868788), m.BPF_MOV64_REG(5, 10)]
            if op.cls == c.BPF_LDX or op.name.startswith("load_acquire"):
                body = [_shaped(op, 1, 5, -16, 0)]
            else:
                body = [_shaped(op, 5, 4, -16, -2), m.BPF_MOV64_REG(1, 4), m.BPF_ALU64_REG(c.BPF_ADD, 1, 0)]
            pieces.append([*setup, *body, *after])
        yield _case(op.name, pieces)


def legacy() -> Iterator[Case]:
    """Packet loads inside, at the end, outside (the program then returns 0) and through negative offsets."""
    for size, name in ((c.BPF_B, "b"), (c.BPF_H, "h"), (c.BPF_W, "w")):
        for off in (0, 46, 49, 50, 1000, -1, -0x100000, -0x200000 + 12, -0x200000 + 60, -0x200000 + 64, -0x300000):
            yield _case(f"ldabs_{name}_{off}", [[m.BPF_LD_ABS(size, off), m.BPF_MOV64_REG(1, 0)]])
        for index, off in ((0, 3), (45, 1), (-2, 4), (0x7FFFFFFF, 1), (-0x200000, 12)):
            start = [m.BPF_MOV64_IMM(7, index), m.BPF_LD_IND(size, 7, off)]
            yield _case(f"ldind_{name}_{index}_{off}", [[*start, m.BPF_MOV64_REG(1, 0)]])


def calls() -> Iterator[Case]:
    """Eight frames deep; a function that spoils R6 to R9; recursion of stacks through a pointer."""
    out = [m.BPF_MOV64_IMM(1, 1), m.BPF_CALL_REL(1), m.BPF_EXIT_INSN()]
    for _ in range(6):
        out += [m.BPF_ALU64_IMM(c.BPF_MUL, 1, 3), m.BPF_CALL_REL(2), m.BPF_ALU64_IMM(c.BPF_ADD, 0, 1)]
        out += [m.BPF_EXIT_INSN()]
    yield Case("eight_frames", "socket_filter", PACKET, [*out, m.BPF_MOV64_REG(0, 1), m.BPF_EXIT_INSN()])
    yield Case("callee_saves", "socket_filter", PACKET, [
        *(m.BPF_MOV64_IMM(reg, reg) for reg in (6, 7, 8, 9)), m.BPF_CALL_REL(6), m.BPF_MOV64_IMM(0, 0),
        *(m.BPF_ALU64_REG(c.BPF_ADD, 0, reg) for reg in (6, 7, 8, 9)), m.BPF_EXIT_INSN(),
        *(m.BPF_MOV64_IMM(reg, 100 * reg) for reg in (6, 7, 8, 9)), m.BPF_MOV64_IMM(0, 1), m.BPF_EXIT_INSN(),
    ])  # fmt: skip
    yield Case("callers_stack", "socket_filter", PACKET, [
        m.BPF_ST_MEM(c.BPF_DW, 10, -8, 40), m.BPF_MOV64_REG(1, 10), m.BPF_ALU64_IMM(c.BPF_ADD, 1, -8),
        m.BPF_CALL_REL(2), m.BPF_LDX_MEM(c.BPF_DW, 0, 10, -8), m.BPF_EXIT_INSN(),
        m.BPF_ST_MEM(c.BPF_DW, 10, -8, 7), m.BPF_LDX_MEM(c.BPF_DW, 2, 1, 0), m.BPF_ALU64_IMM(c.BPF_ADD, 2, 2),
        m.BPF_STX_MEM(c.BPF_DW, 1, 2, 0), m.BPF_MOV64_IMM(0, 0), m.BPF_EXIT_INSN(),
    ])  # fmt: skip


FILES = {"arithmetic": arithmetic, "jumps": jumps, "memory": memory, "legacy": legacy, "calls": calls}
