"""How fast is the interpreter, checked and not, next to the running kernel's JIT?

    python bench/interp.py [--runs N]

Every program runs N times (9 unless told); the table shows medians.  ns/insn counts executed eBPF instructions.
The kernel column is BPF_PROG_TEST_RUN's own mean over many repeats, and is missing where bpf(2) is.
Run it on a compiled build: the first line says which one it is.
"""

from __future__ import annotations

import argparse
import errno
import statistics
from dataclasses import dataclass

import osmia.vm.interp
from osmia import live
from osmia.errors import KernelError
from osmia.isa import Insn
from osmia.isa import consts as c
from osmia.isa import macros as m
from osmia.obj.model import Program
from osmia.vm import Machine, XdpContext

COMPILED = not osmia.vm.interp.__file__.endswith(".py")
SCALE = 1 if COMPILED else 200
PACKET = bytes(range(256)) * 5


@dataclass
class Bench:
    name: str
    insns: list[Insn]


def counted(times: int, body: list[Insn], before: tuple[Insn, ...] = ()) -> list[Insn]:
    """R1 counts down from ``times``; the body may use R0 and R2 to R5."""
    start = [m.BPF_MOV64_IMM(0, 1), *before, m.BPF_MOV64_IMM(1, max(times // SCALE, 10))]
    back = -len(body) - 2
    return [*start, *body, m.BPF_ALU64_IMM(c.BPF_SUB, 1, 1), m.BPF_JMP_IMM(c.BPF_JNE, 1, 0, back), m.BPF_EXIT_INSN()]


def integer_loop() -> list[Insn]:
    return counted(100_000, [
        m.BPF_ALU64_REG(c.BPF_ADD, 0, 1), m.BPF_ALU64_IMM(c.BPF_XOR, 0, 0x55), m.BPF_ALU64_IMM(c.BPF_LSH, 0, 1),
    ])  # fmt: skip


def lcg() -> list[Insn]:
    """A linear congruential generator: one long chain of multiplications."""
    return counted(100_000, [m.BPF_ALU64_REG(c.BPF_MUL, 0, 2), m.BPF_ALU64_REG(c.BPF_ADD, 0, 3)], (
        *m.BPF_LD_IMM64(2, 6364136223846793005), *m.BPF_LD_IMM64(3, 1442695040888963407),
    ))  # fmt: skip


def sieve() -> list[Insn]:
    """The primes below 256 with a sieve on the stack, over and over."""
    inner = [
        m.BPF_MOV64_IMM(2, 2),
        # next candidate: R3 = its place on the stack
        m.BPF_MOV64_REG(3, 10), m.BPF_ALU64_IMM(c.BPF_ADD, 3, -256), m.BPF_ALU64_REG(c.BPF_ADD, 3, 2),
        m.BPF_LDX_MEM(c.BPF_B, 4, 3, 0), m.BPF_JMP_REG(c.BPF_JEQ, 4, 1, 7),
        m.BPF_MOV64_REG(5, 2),
        # strike out its multiples with the number of the round
        m.BPF_ALU64_REG(c.BPF_ADD, 5, 2), m.BPF_JMP_IMM(c.BPF_JGT, 5, 255, 4), m.BPF_MOV64_REG(4, 10),
        m.BPF_ALU64_REG(c.BPF_ADD, 4, 5), m.BPF_STX_MEM(c.BPF_B, 4, 1, -256), m.BPF_JMP_A(-6),
        m.BPF_ALU64_IMM(c.BPF_ADD, 2, 1), m.BPF_JMP_IMM(c.BPF_JLT, 2, 256, -14),
    ]  # fmt: skip
    clear = [m.BPF_ST_MEM(c.BPF_DW, 10, off, 0) for off in range(-256, 0, 8)]
    return counted(100, inner, tuple(clear))


def checksum() -> list[Insn]:
    """The 16-bit sum over the first KiB of the packet."""
    return [
        m.BPF_LDX_MEM(c.BPF_W, 2, 1, 0), m.BPF_LDX_MEM(c.BPF_W, 3, 1, 4), m.BPF_MOV64_IMM(0, 0),
        m.BPF_MOV64_REG(4, 2), m.BPF_ALU64_IMM(c.BPF_ADD, 4, 1024), m.BPF_JMP_REG(c.BPF_JGT, 4, 3, 9),
        m.BPF_MOV64_IMM(5, 0),
        m.BPF_MOV64_REG(4, 2), m.BPF_ALU64_REG(c.BPF_ADD, 4, 5), m.BPF_LDX_MEM(c.BPF_H, 4, 4, 0),
        m.BPF_ALU64_REG(c.BPF_ADD, 0, 4), m.BPF_ALU64_IMM(c.BPF_ADD, 5, 2), m.BPF_JMP_IMM(c.BPF_JLT, 5, 1024, -6),
        m.BPF_MOV64_REG(4, 0), m.BPF_ALU64_IMM(c.BPF_RSH, 4, 16), m.BPF_ALU64_IMM(c.BPF_AND, 0, 0xFFFF),
        m.BPF_ALU64_REG(c.BPF_ADD, 0, 4), m.BPF_EXIT_INSN(),
    ]  # fmt: skip


def calls() -> list[Insn]:
    """A loop around a bpf2bpf call."""
    body = [m.BPF_MOV64_IMM(0, 0), m.BPF_MOV64_IMM(6, max(20_000 // SCALE, 10)), m.BPF_MOV64_REG(1, 0)]
    body += [m.BPF_CALL_REL(3), m.BPF_ALU64_IMM(c.BPF_SUB, 6, 1), m.BPF_JMP_IMM(c.BPF_JNE, 6, 0, -4), m.BPF_EXIT_INSN()]
    return [*body, m.BPF_MOV64_REG(0, 1), m.BPF_ALU64_IMM(c.BPF_ADD, 0, 3), m.BPF_EXIT_INSN()]


BENCHES = [
    Bench("integer loop", integer_loop()), Bench("LCG", lcg()), Bench("sieve (stack)", sieve()),
    Bench("checksum (packet)", checksum()), Bench("bpf2bpf calls", calls()),
]  # fmt: skip


def ours(bench: Bench, runs: int, checked: bool) -> tuple[float, int, int]:
    """Median ns of a run, its instructions, its R0."""
    machine = Machine(Program(bench.name, "xdp", bench.insns), checked=checked, budget=1 << 40)
    ctx = XdpContext(PACKET)
    results = [machine.run(ctx) for _ in range(runs)]
    return statistics.median(r.duration_ns for r in results), results[0].insns, results[0].retval


def kernels(bench: Bench, runs: int) -> tuple[float, int]:
    """Median of the kernel's mean ns of a run, and R0."""
    with live.load(Program("bench", "xdp", bench.insns, license="GPL")) as loaded:
        once = max(loaded.test_run(PACKET).duration_ns, 1)
        repeat = max(1, min(1_000_000, 50_000_000 // once))
        results = [loaded.test_run(PACKET, repeat=repeat) for _ in range(runs)]
    return statistics.median(r.duration_ns for r in results), results[0].retval


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    why_not = live.available()
    print(f"interpreter: {'compiled' if COMPILED else 'plain Python'}; kernel: {why_not or 'through test_run'}")
    print(f"{'program':18} {'insns':>10} {'checked':>10} {'ns/insn':>8} {'unchecked':>10} {'kernel':>10} {'ratio':>7}")
    for bench in BENCHES:
        checked, insns, r0 = ours(bench, runs, True)
        unchecked, _, _ = ours(bench, runs, False)
        line = f"{bench.name:18} {insns:10,} {checked / 1e3:7.1f} us {checked / insns:8.2f} {unchecked / 1e3:7.1f} us"
        if why_not is None:
            try:
                kernel, theirs = kernels(bench, runs)
            except KernelError as error:  # the sieve has too many paths for its verifier
                print(f"{line}  refused: {errno.errorcode.get(error.errno, error.errno)}")
                continue
            assert theirs == r0, f"{bench.name}: the kernel says {theirs:#x}, the interpreter {r0:#x}"
            line += f" {kernel / 1e3:7.1f} us {checked / kernel:6.1f}x"
        print(line)


if __name__ == "__main__":
    main()
