"""Random programs that the kernel's verifier accepts, for comparing the interpreter with the kernel.

Every scalar register and 64 bytes of stack are set up first, from constants and from the packet; then come
random pieces (arithmetic, accesses, atomics, branches, loops, calls); at the end everything is folded into 32
bits of R0.  R6 holds the packet (the context, for a socket filter) throughout.
"""

from __future__ import annotations

import random

from osmia.isa import Insn
from osmia.isa import consts as c
from osmia.isa import macros as m
from osmia.isa.insn import s32

TYPES = ("socket_filter", "xdp", "sched_cls")
PACKET = 64
SLOTS = range(-64, 0, 8)
SCALARS = (0, 1, 2, 3, 4, 5, 7, 8)
COUNTER = 9  # of loops
SIZES = (c.BPF_B, c.BPF_H, c.BPF_W, c.BPF_DW)
ALU = (c.BPF_ADD, c.BPF_SUB, c.BPF_MUL, c.BPF_OR, c.BPF_AND, c.BPF_XOR, c.BPF_MOV)
SHIFTS = (c.BPF_LSH, c.BPF_RSH, c.BPF_ARSH)
CONDITIONS = (
    c.BPF_JEQ, c.BPF_JGT, c.BPF_JGE, c.BPF_JSET, c.BPF_JNE, c.BPF_JSGT, c.BPF_JSGE, c.BPF_JLT, c.BPF_JLE, c.BPF_JSLT,
    c.BPF_JSLE,
)  # fmt: skip
FETCHES = (c.BPF_ADD, c.BPF_OR, c.BPF_AND, c.BPF_XOR)
EDGES = (0, 1, 2, 7, 31, 32, 63, 64, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0x7FFFFFFF, -1, -2, -128, -32768, -0x80000000)
WIDE_EDGES = (
    0, 1, 0xFFFFFFFF, 0x100000000, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF, 0xFFFFFFFF80000000,
    0x0123456789ABCDEF, 0x80000000, 0x8000000080000000,
)  # fmt: skip

Piece = list[Insn]


class Generator:
    """One program per ``program()``; the same seed gives the same programs."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.functions: list[Piece] = []
        self.fixed = 0  # slots that set up registers and stack: a smaller program must keep them

    def packet(self) -> bytes:
        """Random bytes with an even destination address, so that nothing depends on how a link sees it."""
        return bytes(6) + self.random.randbytes(PACKET - 6)

    def program(self, prog_type: str, pieces: int = 14) -> list[Insn]:
        """A whole program for that type."""
        self.prog_type, self.functions = prog_type, []
        prologue = self._prologue()
        self.fixed = len(prologue)
        return self._link([*prologue, *self._pieces(pieces), *self._fold()])

    # -- set-up and end ----------------------------------------------------------------------------------------

    def _prologue(self) -> Piece:
        out: Piece = [m.BPF_MOV64_REG(6, 1)]
        if self.prog_type != "socket_filter":
            data, end = (0, 4) if self.prog_type == "xdp" else (76, 80)
            out = [
                m.BPF_LDX_MEM(c.BPF_W, 6, 1, data),
                m.BPF_LDX_MEM(c.BPF_W, 2, 1, end),
                m.BPF_MOV64_REG(3, 6),
                m.BPF_ALU64_IMM(c.BPF_ADD, 3, PACKET),
                m.BPF_JMP_REG(c.BPF_JLE, 3, 2, 2),
                m.BPF_MOV64_IMM(0, 1),
                m.BPF_EXIT_INSN(),
            ]
        for slot in SLOTS:
            out += [*m.BPF_LD_IMM64(2, self._wide()), m.BPF_STX_MEM(c.BPF_DW, 10, 2, slot)]
        for reg in (*SCALARS, COUNTER):
            out += self._fresh(reg) if self.random.random() < 0.5 else m.BPF_LD_IMM64(reg, self._wide())
        return out

    def _fresh(self, reg: int) -> Piece:
        """Something the verifier knows nothing of: from the packet, or from the stack."""
        if self.prog_type == "socket_filter":
            return [*m.BPF_LD_IMM64(reg, self._wide())]
        size = self.random.choice(SIZES)
        return [m.BPF_LDX_MEM(size, reg, 6, self.random.randrange(PACKET - c.SIZE_BYTES[size] + 1))]

    def _fold(self) -> Piece:
        out: Piece = []
        for reg in (1, 2, 3, 4, 5, 7, 8, 9):
            out += [m.BPF_ALU64_IMM(c.BPF_MUL, 0, 0x01000193), m.BPF_ALU64_REG(c.BPF_XOR, 0, reg)]
        for slot in SLOTS:
            out += [m.BPF_LDX_MEM(c.BPF_DW, 1, 10, slot), m.BPF_ALU64_IMM(c.BPF_MUL, 0, 0x01000193)]
            out += [m.BPF_ALU64_REG(c.BPF_XOR, 0, 1)]
        out += [m.BPF_MOV64_REG(1, 0), m.BPF_ALU64_IMM(c.BPF_RSH, 1, 32), m.BPF_ALU64_REG(c.BPF_XOR, 0, 1)]
        return [*out, m.BPF_EXIT_INSN()]

    # -- pieces ------------------------------------------------------------------------------------------------

    def _pieces(self, count: int, *, nested: bool = False) -> Piece:
        kinds = [self._alu] * 8 + [self._special] * 3 + [self._access] * 4 + [self._atomic] * 2
        if not nested:
            kinds += [self._branch] * 3 + [self._loop, self._call]
            kinds += [self._legacy] * 2 if self.prog_type == "socket_filter" else []
        out: Piece = []
        for _ in range(count):
            out += self.random.choice(kinds)()
        return out

    def _reg(self) -> int:
        return self.random.choice(SCALARS)

    def _imm(self) -> int:
        return self.random.choice(EDGES) if self.random.random() < 0.5 else s32(self.random.getrandbits(32))

    def _wide(self) -> int:
        return self.random.choice(WIDE_EDGES) if self.random.random() < 0.5 else self.random.getrandbits(64)

    def _alu(self) -> Piece:
        wide = self.random.random() < 0.5
        cls = c.BPF_ALU64 if wide else c.BPF_ALU
        choice = self.random.random()
        if choice < 0.5:
            return [self._operate(cls, self.random.choice(ALU), 0)]
        if choice < 0.75:
            return [self._operate(cls, self.random.choice(SHIFTS), 0, limit=64 if wide else 32)]
        op, off = self.random.choice((c.BPF_DIV, c.BPF_MOD)), self.random.choice((0, 1))
        return [self._operate(cls, op, off, nonzero=True)]

    def _operate(self, cls: int, op: int, off: int, limit: int = 0, nonzero: bool = False) -> Insn:
        if self.random.random() < 0.6:
            return Insn(cls | op | c.BPF_X, self._reg(), self._reg(), off)
        imm = self.random.randrange(limit) if limit else self._imm()
        return Insn(cls | op | c.BPF_K, self._reg(), 0, off, imm or 1 if nonzero else imm)

    def _special(self) -> Piece:
        reg, other = self._reg(), self._reg()
        return self.random.choice(
            (
                [m.BPF_NEG64(reg)],
                [m.BPF_NEG32(reg)],
                [m.BPF_ENDIAN(self.random.choice((c.BPF_TO_LE, c.BPF_TO_BE)), reg, self.random.choice((16, 32, 64)))],
                [m.BPF_BSWAP(reg, self.random.choice((16, 32, 64)))],
                [m.BPF_MOVSX64_REG(reg, other, self.random.choice((8, 16, 32)))],
                [m.BPF_MOVSX32_REG(reg, other, self.random.choice((8, 16)))],
                [*m.BPF_LD_IMM64(reg, self._wide())],
            )
        )

    def _place(self, size: int) -> tuple[int, int]:
        """Base register and offset of an access: the stack, aligned, or anywhere in the packet."""
        width = c.SIZE_BYTES[size]
        if self.prog_type == "socket_filter" or self.random.random() < 0.6:
            return 10, self.random.randrange(-64, 0, width)
        return 6, self.random.randrange(PACKET - width + 1)

    def _access(self) -> Piece:
        size = self.random.choice(SIZES)
        base, off = self._place(size)
        choice = self.random.randrange(6)
        if choice < 2:
            return [m.BPF_LDX_MEM(size, self._reg(), base, off)]
        if choice == 2 and size != c.BPF_DW:
            return [m.BPF_LDX_MEMSX(size, self._reg(), base, off)]
        if choice == 3:
            return [m.BPF_ST_MEM(size, base, off, self._imm())]
        if choice == 4:
            return self._ordered(size)
        return [m.BPF_STX_MEM(size, base, self._reg(), off)]

    def _ordered(self, size: int) -> Piece:
        """Load-acquire and store-release: the stack only."""
        off = self.random.randrange(-64, 0, c.SIZE_BYTES[size])
        if self.random.random() < 0.5:
            return [m.BPF_LOAD_ACQ(size, self._reg(), 10, off)]
        return [m.BPF_STORE_REL(size, 10, self._reg(), off)]

    def _atomic(self) -> Piece:
        size = self.random.choice((c.BPF_W, c.BPF_DW))
        off = self.random.randrange(-64, 0, c.SIZE_BYTES[size])
        ops = (*FETCHES, *(op | c.BPF_FETCH for op in FETCHES), c.BPF_XCHG, c.BPF_CMPXCHG, c.BPF_CMPXCHG)
        op = self.random.choice(ops)
        insn = m.BPF_ATOMIC_OP(size, op, 10, self._reg(), off)
        if op == c.BPF_CMPXCHG and self.random.random() < 0.5:  # let it succeed
            return [m.BPF_LDX_MEM(size, 0, 10, off), insn]
        return [insn]

    def _branch(self) -> Piece:
        skipped = self._pieces(self.random.randint(1, 3), nested=True)
        choice = self.random.random()
        if choice < 0.2:
            return self._either(skipped)
        cls = self.random.choice((c.BPF_JMP, c.BPF_JMP32))
        op = self.random.choice(CONDITIONS)
        if self.random.random() < 0.5:
            return [Insn(cls | op | c.BPF_X, self._reg(), self._reg(), len(skipped)), *skipped]
        return [Insn(cls | op | c.BPF_K, self._reg(), 0, len(skipped), self._imm()), *skipped]

    def _either(self, first: Piece) -> Piece:
        """if … else …, with a jump over the second part, short or long."""
        second = self._pieces(1, nested=True)
        over = self.random.choice((m.BPF_JMP_A, m.BPF_JMP32_A))(len(second))
        condition = m.BPF_JMP_REG(self.random.choice(CONDITIONS), self._reg(), self._reg(), len(first) + 1)
        return [condition, *first, over, *second]

    def _loop(self) -> Piece:
        body = self._pieces(self.random.randint(1, 3), nested=True)
        back = -len(body) - 2
        start = [m.BPF_MOV64_IMM(COUNTER, self.random.randint(1, 5))]
        return [*start, *body, m.BPF_ALU64_IMM(c.BPF_SUB, COUNTER, 1), m.BPF_JMP_IMM(c.BPF_JNE, COUNTER, 0, back)]

    def _legacy(self) -> Piece:
        """A packet load from inside the packet; it spoils R1 to R5."""
        size = self.random.choice(SIZES[:3])
        off = self.random.randrange(PACKET - 14 - c.SIZE_BYTES[size] + 1)
        if self.random.random() < 0.5:
            return [m.BPF_LD_ABS(size, off), *self._restore()]
        part = self.random.randrange(off + 1)
        return [m.BPF_MOV64_IMM(7, part), m.BPF_LD_IND(size, 7, off - part), *self._restore()]

    def _restore(self) -> Piece:
        return [insn for reg in range(1, 6) for insn in m.BPF_LD_IMM64(reg, self._wide())]

    def _call(self) -> Piece:
        """A call of a function of its own, whose number stands in imm until ``_link``."""
        number = self.random.randrange(3)
        if number >= len(self.functions):
            number = len(self.functions)
            self.functions.append(self.random.choice((self._function, self._calling_function))())
        return [m.BPF_CALL_REL(number), *self._restore()]

    def _function(self) -> Piece:
        """R0 from R1 to R5; it spoils R6 to R9, which the machine must give back."""
        out: Piece = [m.BPF_MOV64_REG(0, 1), m.BPF_STX_MEM(c.BPF_DW, 10, 2, -8)]
        for reg in (6, 7, 8, 9):
            out += [m.BPF_MOV64_REG(reg, self.random.randint(1, 5))]
        for _ in range(self.random.randint(2, 6)):
            cls, op = self.random.choice((c.BPF_ALU, c.BPF_ALU64)), self.random.choice((*ALU, c.BPF_DIV, c.BPF_MOD))
            out += [Insn(cls | op | c.BPF_X, self.random.randrange(10), self.random.randrange(10))]
        return [*out, m.BPF_LDX_MEM(c.BPF_DW, 1, 10, -8), m.BPF_ALU64_REG(c.BPF_XOR, 0, 1), m.BPF_EXIT_INSN()]

    def _calling_function(self) -> Piece:
        """The same, and it calls an earlier function on the way."""
        out = self._function()
        if not self.functions:
            return out
        call = [m.BPF_CALL_REL(self.random.randrange(len(self.functions))), m.BPF_ALU64_REG(c.BPF_ADD, 0, 6)]
        return [*out[:-3], *call, *out[-3:]]

    def _link(self, body: Piece) -> list[Insn]:
        """Put the functions behind the body and turn their numbers into distances."""
        starts, out = [], list(body)
        for function in self.functions:
            starts.append(len(out))
            out += function
        for pc, insn in enumerate(out):
            if insn.code == c.BPF_JMP | c.BPF_CALL and insn.src_reg == c.BPF_PSEUDO_CALL:
                out[pc] = insn._replace(imm=starts[insn.imm] - pc - 1)
        return out
