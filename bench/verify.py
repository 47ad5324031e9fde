"""The verifier beside the running kernel's: ``python bench/verify.py``.

Both judge the same programs in one run, by turns; the figures are medians of processor time, which other work on the
machine disturbs least, and their ratio (above 1: Osmia is faster).  Needs bpf(2).  ``--level 1`` and ``2`` ask both for
a log.  ``MiB`` is the most memory that the process has held so far.
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable
from errno import ENOSPC

from osmia.isa import Insn
from osmia.isa import consts as c
from osmia.isa import macros as m
from osmia.obj.model import MapSpec, Program

LIMIT = 1_000_000


def counting_loop() -> Program:
    """A loop that the verifier walks turn by turn, a million instructions."""
    turns = LIMIT // 3 - 10
    body = [m.BPF_MOV64_IMM(6, 0), m.BPF_MOV64_IMM(0, 0), m.BPF_ALU64_IMM(c.BPF_ADD, 6, 1),
            m.BPF_ALU64_IMM(c.BPF_XOR, 0, 3), m.BPF_JMP_IMM(c.BPF_JLT, 6, turns, -3), m.BPF_EXIT_INSN()]  # fmt: skip
    return Program("loop", "socket_filter", body, license="GPL")


def stack_loop() -> Program:
    """The same with stores, loads and a branch on an unknown number in each turn."""
    turns = 120_000
    body = [m.BPF_MOV64_IMM(6, 0), m.BPF_MOV64_IMM(0, 0), m.BPF_STX_MEM(c.BPF_DW, 10, 6, -8),
            m.BPF_LDX_MEM(c.BPF_DW, 7, 10, -8), m.BPF_ALU64_REG(c.BPF_ADD, 0, 7), m.BPF_ALU64_IMM(c.BPF_AND, 0, 255),
            m.BPF_STX_MEM(c.BPF_W, 10, 0, -16), m.BPF_LDX_MEM(c.BPF_W, 8, 10, -16), m.BPF_ALU64_IMM(c.BPF_ADD, 6, 1),
            m.BPF_JMP_IMM(c.BPF_JLT, 6, turns, -8), m.BPF_MOV64_IMM(0, 0), m.BPF_EXIT_INSN()]  # fmt: skip
    return Program("stack loop", "socket_filter", body, license="GPL")


class Generator:
    """Programs like those that compilers make of long functions: branches that meet again, spills, packets."""

    def __init__(self, seed: int, blocks: int) -> None:
        self.random = random.Random(seed)
        self.code: list[Insn] = []
        self.blocks = blocks

    def program(self) -> Program:
        """One program of about 20 instructions a block."""
        code = self.code
        code += [m.BPF_MOV64_REG(6, 1), m.BPF_LDX_MEM(c.BPF_W, 7, 6, 4), m.BPF_LDX_MEM(c.BPF_W, 8, 6, 0)]
        code += [m.BPF_MOV64_IMM(9, 0), m.BPF_STX_MEM(c.BPF_DW, 10, 9, -8), m.BPF_STX_MEM(c.BPF_DW, 10, 9, -16)]
        for _ in range(self.blocks):
            self.random.choice((self.branch, self.branch, self.spill, self.lookup, self.packet))()
        code += [m.BPF_MOV64_IMM(0, 2), m.BPF_EXIT_INSN()]
        return Program(f"{len(code)} insns", "xdp", code, maps=[MapSpec("counts", "array", 4, 64, 16)], license="GPL")

    def branch(self) -> None:
        """A condition on an unknown byte that leaves two different numbers in R9."""
        slot, bit = self.random.choice((-8, -16)), 1 << self.random.randrange(5)
        self.code += [
            m.BPF_LDX_MEM(c.BPF_W, 2, 6, 12), m.BPF_ALU64_IMM(c.BPF_AND, 2, 255),
            m.BPF_LDX_MEM(c.BPF_DW, 9, 10, slot),
            m.BPF_JMP_IMM(c.BPF_JGT, 2, self.random.randrange(200), 2),
            m.BPF_ALU64_IMM(c.BPF_OR, 9, bit), m.BPF_JMP_A(1), m.BPF_ALU64_IMM(c.BPF_AND, 9, 31 ^ bit),
            m.BPF_ALU64_IMM(c.BPF_AND, 9, 31), m.BPF_STX_MEM(c.BPF_DW, 10, 9, slot),
        ]  # fmt: skip

    def spill(self) -> None:
        """Pointers and numbers to the stack and back."""
        at = -8 * self.random.randrange(4, 12)
        self.code += [
            m.BPF_STX_MEM(c.BPF_DW, 10, 7, at), m.BPF_STX_MEM(c.BPF_DW, 10, 6, at - 8),
            m.BPF_LDX_MEM(c.BPF_DW, 3, 10, at), m.BPF_LDX_MEM(c.BPF_DW, 4, 10, at - 8),
            m.BPF_LDX_MEM(c.BPF_W, 5, 4, 16), m.BPF_ALU64_IMM(c.BPF_LSH, 5, 3), m.BPF_ALU64_IMM(c.BPF_RSH, 5, 2),
        ]  # fmt: skip

    def lookup(self) -> None:
        """A map value, and a byte of it chosen by the numbers of the branches."""
        self.code += [
            m.BPF_LDX_MEM(c.BPF_DW, 9, 10, -8), m.BPF_ALU64_IMM(c.BPF_AND, 9, 31),
            m.BPF_STX_MEM(c.BPF_W, 10, 9, -20), m.BPF_MOV64_REG(2, 10), m.BPF_ALU64_IMM(c.BPF_ADD, 2, -20),
            *m.BPF_LD_MAP_FD(1, 0), m.BPF_EMIT_CALL(1), m.BPF_JMP_IMM(c.BPF_JEQ, 0, 0, 3),
            m.BPF_ALU64_REG(c.BPF_ADD, 0, 9), m.BPF_LDX_MEM(c.BPF_B, 1, 0, 3), m.BPF_STX_MEM(c.BPF_B, 0, 1, 5),
        ]  # fmt: skip

    def packet(self) -> None:
        """A packet access of fixed length behind its check."""
        off = self.random.randrange(14, 60, 2)
        self.code += [
            m.BPF_LDX_MEM(c.BPF_W, 7, 6, 4), m.BPF_LDX_MEM(c.BPF_W, 8, 6, 0), m.BPF_MOV64_REG(2, 8),
            m.BPF_ALU64_IMM(c.BPF_ADD, 2, off), m.BPF_JMP_REG(c.BPF_JGT, 2, 7, 3),
            m.BPF_LDX_MEM(c.BPF_H, 3, 8, off - 2), m.BPF_ALU64_IMM(c.BPF_AND, 3, 15), m.BPF_LDX_MEM(c.BPF_B, 4, 8, 0),
        ]  # fmt: skip


def programs() -> dict[str, Program]:
    """What is measured."""
    made = [counting_loop(), stack_loop(), *(Generator(seed, blocks).program() for seed, blocks in SIZES)]
    return {program.name: program for program in made}


SIZES = ((1, 150), (2, 300), (5, 400))


def seconds(work: Callable[[], object]) -> float:
    """How long it takes once, in the program and in the kernel on its behalf."""
    began = time.process_time()
    work()
    return time.process_time() - began


def memory() -> int:
    """MiB that the process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> int:
    """The table."""
    from osmia import live
    from osmia.errors import KernelError
    from osmia.verifier.judge import judge

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--level", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    if why := live.available():
        print(why, file=sys.stderr)
        return 3

    def ask(program: Program) -> int:
        try:
            live.load(program, log_level=args.level).close()
        except KernelError as e:
            return e.errno
        return 0

    print(f"{'program':14} {'processed':>9} {'kernel ms':>9} {'osmia ms':>9} {'ratio':>6} {'M insns/s':>9} {'MiB':>4}")
    for name, program in programs().items():
        if args.only not in name:
            continue
        verdict = judge(program, log_level=args.level)
        if ask(program) not in (verdict.errno, ENOSPC):  # a log that does not fit is no verdict
            print(f"{name}: the kernel says {ask(program)}, Osmia {verdict.errno}")
        pairs = [(seconds(lambda p=program: ask(p)), seconds(lambda p=program: judge(p, log_level=args.level)))
                 for _ in range(args.rounds)]  # fmt: skip
        kernel, ours = (statistics.median(side) for side in zip(*pairs, strict=True))
        print(f"{name:14} {verdict.processed:9} {kernel * 1e3:9.1f} {ours * 1e3:9.1f} {kernel / ours:6.2f} "
              f"{verdict.processed / ours / 1e6:9.2f} {memory():4}  {verdict}")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
