"""Programs that make the kernel print every row of the table, and the golden file of what Linux 6.18 printed.

``python tests/asm/kernel_cases.py`` asks the running kernel and writes the golden file anew.
"""

import os
import random
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from asm import bpfcall

from osmia.isa import OPS, Insn, Kind

GOLDEN = Path(__file__).parent / "golden" / "kernel-6.18.txt"
TAIL = (Insn(0xB7), Insn(0xB7), Insn(0x95))
TABLE_ROW = re.compile(r"^\s*(?:\d+\s+)?(\d+): [.0-9]{10,11} (.*)$", re.MULTILINE)
EDGES = {"off": (0, 1, -1, 8, 32767, -32768), "imm": (0, 5, -1, 2147483647, -2147483648)}


def value(rng, kind, name):
    if isinstance(kind, int):
        return kind
    if kind is Kind.REG:
        return rng.randrange(11)
    if kind in (Kind.JUMP, Kind.SLOTS):
        return 0
    if kind is Kind.INDEX:
        return 0
    if kind is Kind.HELPER:
        return rng.choice((1, 2, 25, 130, 211, 212, 5000))
    return rng.choice(EDGES[name])


def instance(rng, op):
    """An instruction of this row, with its second slot where it has one."""
    kinds = ((op.dst, "imm"), (op.src, "imm"), (op.off, "off"), (op.imm, "imm"))
    slots = [Insn(op.code, *(value(rng, kind, name) for kind, name in kinds))]
    return [*slots, Insn(0, 0, 0, 0, rng.choice(EDGES["imm"]))] if op.wide else slots


def odd(rng):
    """Any opcode of the table with any fields."""
    op = rng.choice(OPS)
    near = op.code & 7 in (5, 6)
    off, imm = rng.choice((0, 1, 2, 8, 16, 32, -1)), rng.choice((0, 1, 0x21, 0x33, 0xE1, 0xF1, 0x100, 0x110, -5))
    jump = rng.choice((0, 1)) if near else off
    imm = rng.choice((0, 1)) if op.name == "gotol" else imm
    return [Insn(op.code, rng.randrange(11), rng.randrange(11), jump, imm)]


def printed(program):
    """({slot: what the kernel prints}, log); no slots where it refuses the program before it prints any."""
    fd, log = bpfcall.load(program)
    if fd is not None:
        os.close(fd)
    return {int(number): text for number, text in TABLE_ROW.findall(log)}, log


def record(path):
    rng = random.Random(618)
    found = {}
    cases = [instance(rng, op) for op in OPS for _ in range(2)] + [odd(rng) for _ in range(600)]
    subprogram = [*TAIL, Insn(0xB7, 1), *TAIL]
    for program in [*([*slots, *TAIL] for slots in cases), [Insn(0x85, 0, 1, 0, 3), *subprogram]]:
        rows, _ = printed(program)
        for slot in (0, 3):
            if slot in rows:
                found.setdefault(rows[slot], program[slot : slot + 1 + program[slot].is_wide])
    path.write_text("".join(f"{line}\n" for line in (*HEAD, *golden_lines(found))))
    print(len(found), "instructions")


HEAD = ("# Recorded from Linux 6.18: the log's text after", "# code, dst_reg, src_reg, off, imm (/ the second slot).")


def golden_lines(found):
    for text, slots in found.items():
        fields = " / ".join(f"{s.code:02x} {s.dst_reg} {s.src_reg} {s.off} {s.imm}" for s in slots)
        yield f"{fields:<32} | {text}"


def golden():
    """[(slots, text)] of the golden file."""
    rows = []
    for line in GOLDEN.read_text().splitlines():
        if not line.startswith("#"):
            fields, _, text = line.partition(" | ")
            slots = [s.split() for s in fields.split("/")]
            rows.append(([Insn(int(s[0], 16), *map(int, s[1:])) for s in slots], text))
    return rows


if __name__ == "__main__":
    record(GOLDEN)
