"""Writes golden/llvm-objdump-19.txt: every row of the table and odd slots, as LLVM 19 prints them.

Run it where llvm-objdump 19 is installed: ``python tests/asm/llvm_golden.py``.
"""

import itertools
import random
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from asm.llvm_tools import objdump, raw_object

from osmia.isa import OPS, Insn, encode

GOLDEN = Path(__file__).parent / "golden" / "llvm-objdump-19.txt"
IMMS = (0, 1, -1, 0x7FFFFFFF, -0x80000000)
OFFS = (0, 4, -4, 0x7FFF, -0x8000)


def rows(rng):
    """A few slots for each row, then reserved fields in use and unknown opcodes."""
    for op in OPS:
        for imm, off in zip(IMMS, OFFS, strict=True):
            free = (rng.randrange(11), rng.randrange(11), off, imm)
            fixed = (op.dst, op.src, op.off, op.imm)
            yield Insn(op.code, *(f if isinstance(f, int) else v for f, v in zip(fixed, free, strict=True)))
            if op.wide:
                yield Insn(0, 0, 0, 0, imm)
    for code, fields in itertools.product(range(256), ((1, 2, 3, 4), (11, 12, 0, 0), (12, 11, 1, 16))):
        yield Insn(code, *fields)


def main():
    texts = []
    with tempfile.TemporaryDirectory() as room:
        for order in ("little", "big"):
            path = raw_object(f"{room}/rows.o", encode(rows(random.Random(1)), order), order)
            texts.append(f"# {order}\n" + objdump(path, "-z").split("<text>:\n")[1])
    GOLDEN.write_text("".join(texts))


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as e:
        sys.exit(e.stderr)
