"""osmia disasm against llvm-objdump -d on the same object, whole processes, side by side: python bench/disasm.py.

Two objects of 128,000 slots: ``program`` is what compilers make (instructions come again), ``random`` holds valid
instructions with random registers, offsets and immediates (hardly one comes twice).  Runs alternate; medians.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from osmia.asm import elf_write, llvm_print
from osmia.isa import OPS, Insn
from osmia.isa import macros as m

SLOTS = 128_000
RUNS = 15


def program() -> list[Insn]:
    """A loop's worth of ordinary code with some variety, again and again."""
    rng, made = random.Random(1), list[Insn]()
    while len(made) < SLOTS:
        k = rng.randrange(40)
        made += [
            m.BPF_MOV64_REG(6, 1), m.BPF_LDX_MEM(0, 2, 6, 4 * k), m.BPF_JMP_IMM(0x50, 2, k, 5),
            m.BPF_ALU64_IMM(0, 2, k), m.BPF_STX_MEM(0x18, 10, 2, -8 * k), *m.BPF_LD_IMM64(1, k << 32),
            m.BPF_EMIT_CALL(k), m.BPF_ALU32_REG(0xB0, 3, 0), m.BPF_ALU64_IMM(0x70, 3, k & 31),
            m.BPF_ST_MEM(0, 10, -4 * k, k), m.BPF_JMP_REG(0x20, 3, 2, -4), m.BPF_EXIT_INSN(),
        ]  # fmt: skip
    return made[:SLOTS]


def anything() -> list[Insn]:
    """Valid instructions of every row."""
    rng, made = random.Random(2), list[Insn]()
    rows = [op for op in OPS if not op.wide or op.name == "ld_imm64"]
    while len(made) < SLOTS:
        op = rng.choice(rows)
        free = (rng.randrange(11), rng.randrange(11), rng.randrange(-512, 512), rng.randrange(-(1 << 31), 1 << 31))
        fixed = (op.dst, op.src, op.off, op.imm)
        made.append(Insn(op.code, *(f if isinstance(f, int) else v for f, v in zip(fixed, free, strict=True))))
        if op.wide:
            made.append(Insn(0, imm=rng.randrange(-(1 << 31), 1 << 31)))
    return made[:SLOTS]


def timed(command: list[str]) -> tuple[float, float]:
    """Seconds of wall clock and of CPU (user and system)."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    took, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    objdump = shutil.which("llvm-objdump-19") or shutil.which("llvm-objdump")
    ours = [sys.executable, "-m", "osmia.cli.main", "disasm"]
    print(f"osmia {'compiled' if llvm_print.__file__.endswith('.so') else 'not compiled'}, {os.cpu_count()} CPUs")
    with tempfile.TemporaryDirectory() as room:
        for name, insns in (("program", program()), ("random", anything())):
            path = Path(room) / f"{name}.o"
            path.write_bytes(elf_write.bare(insns))
            commands = {"osmia disasm": [*ours, str(path)]}
            if objdump:
                commands["llvm-objdump -d"] = [objdump, "-d", str(path)]
                texts = [subprocess.run(c, capture_output=True, check=True).stdout for c in commands.values()]
                assert texts[0] == texts[1], "the two listings differ"
            times: dict[str, list[tuple[float, float]]] = {c: [] for c in commands}
            for _ in range(RUNS):
                for label, command in commands.items():
                    times[label].append(timed(command))
            report(name, times)


def report(name: str, times: dict[str, list[tuple[float, float]]]) -> None:
    medians = {label: [statistics.median(t) for t in zip(*rows, strict=True)] for label, rows in times.items()}
    for label, (wall, cpu) in medians.items():
        speed = f"{SLOTS / wall / 1e6:5.2f} M slots/s"
        print(f"{name:8} {label:16} {wall * 1000:7.1f} ms  {speed}  CPU {cpu * 1000:6.1f} ms")
    if len(medians) > 1:
        (wall, cpu), (their_wall, their_cpu) = medians.values()
        print(f"{name:8} faster by a factor of {their_wall / wall:.2f} (CPU {their_cpu / cpu:.2f})")


if __name__ == "__main__":
    main()
