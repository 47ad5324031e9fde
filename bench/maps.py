"""How long does a map call of a program take?  ``python bench/maps.py [calls]``: look-up and update in a loop.

A turn of the loop is part of the figure: six instructions besides the call.
"""

from __future__ import annotations

import sys
from time import perf_counter

from osmia import helpers
from osmia.isa import macros as m
from osmia.isa.consts import BPF_ADD, BPF_DW, BPF_JNE, BPF_SUB, BPF_W
from osmia.maps import base, create
from osmia.obj.model import MapSpec, Program
from osmia.vm import BareHost, Machine

TYPES = ("array", "percpu_array", "hash", "percpu_hash", "lru_hash", "lru_percpu_hash")
ENGINES = ("interp", "jit")
RUNS = 5


def loop(update: bool, calls: int):
    """The slots of a program that calls ``calls`` times."""
    code = [m.BPF_MOV64_IMM(6, calls), m.BPF_ST_MEM(BPF_W, 10, -4, 5), m.BPF_ST_MEM(BPF_DW, 10, -16, 5)]
    body = [*m.BPF_LD_MAP_FD(1, 0), m.BPF_MOV64_REG(2, 10), m.BPF_ALU64_IMM(BPF_ADD, 2, -4)]
    if update:
        body += [m.BPF_MOV64_REG(3, 10), m.BPF_ALU64_IMM(BPF_ADD, 3, -16), m.BPF_MOV64_IMM(4, 0)]
    body += [m.BPF_EMIT_CALL(2 if update else 1), m.BPF_ALU64_IMM(BPF_SUB, 6, 1)]
    return [*code, *body, m.BPF_JMP_IMM(BPF_JNE, 6, 0, -(len(body) + 1)), m.BPF_MOV64_IMM(0, 0), m.BPF_EXIT_INSN()]


def measure(type_: str, update: bool, calls: int, engine: str) -> float:
    """Nanoseconds per turn of the loop, the best of a few runs."""
    spec = MapSpec("m", type_, 4, 8, 1024)
    made = create(spec)
    made[5] = 1
    program = Program("p", "socket_filter", loop(update, calls), maps=[spec])
    machine = Machine(program, maps=[made], helpers=helpers.table(), host=BareHost(), engine=engine, checked=False)
    best = float("inf")
    for _ in range(RUNS):
        begin = perf_counter()
        machine.run(bytes(64))
        best = min(best, perf_counter() - begin)
    return best / calls * 1e9


def main() -> None:
    """Print the table."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    print("compiled" if base.__file__.endswith(".so") else "plain Python")
    for type_ in TYPES:
        print(f"{type_:16}", end="")
        for engine in ENGINES:
            look, put = (measure(type_, update, calls, engine) for update in (False, True))
            print(f"  {engine}: lookup {look:7.1f} ns, update {put:7.1f} ns", end="")
        print()


if __name__ == "__main__":
    main()
