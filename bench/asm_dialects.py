"""How fast the kernel and uBPF dialects are, and the conversion of classic filters: python bench/asm_dialects.py."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

from osmia.asm import classic, kernel, ubpf
from osmia.asm.classic import SockFilter
from osmia.isa import macros as m

PROGRAM = [
    m.BPF_MOV64_IMM(1, 5), m.BPF_LDX_MEM(0x18, 2, 1, 8), m.BPF_ALU64_REG(0, 1, 2), m.BPF_JMP_IMM(0x10, 1, 5, 2),
    m.BPF_STX_MEM(0, 10, 1, -8), m.BPF_EMIT_CALL(1), *m.BPF_LD_IMM64(3, 1 << 40),
] * 16_000  # fmt: skip
FILTER = [SockFilter(0x15, 1, 0, i) if i % 2 else SockFilter(0x30, 0, 0, i % 60) for i in range(4094)]
FILTER += [SockFilter(0x16), SockFilter(0x16)]


def measure(name: str, count: int, run: Callable[[], Any]) -> Any:
    """Print the best of three runs; return the result."""
    result, took = None, 1e9
    for _ in range(3):
        gc.collect()
        gc.freeze()
        start = time.perf_counter()
        result = run()
        took = min(took, time.perf_counter() - start)
    print(f"{name:<20} {count:>7} slots {took * 1000:8.1f} ms {count / took / 1e6:6.2f} M/s")
    return result


def main() -> None:
    text = measure("kernel.format", len(PROGRAM), lambda: kernel.format(PROGRAM))
    measure("kernel.format_insn", len(PROGRAM), lambda: [kernel.format_insn(i, i) for i in PROGRAM])
    measure("kernel.parse", len(PROGRAM), lambda: kernel.parse(text))
    text = measure("ubpf.format", len(PROGRAM), lambda: ubpf.format(PROGRAM))
    measure("ubpf.parse", len(PROGRAM), lambda: ubpf.parse(text))
    measure("classic.to_ebpf", len(FILTER), lambda: classic.to_ebpf(FILTER))


if __name__ == "__main__":
    main()
