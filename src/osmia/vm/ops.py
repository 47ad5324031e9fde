"""The interpreter's own numbering: dense, so that the compiled loop becomes one jump table.

An instruction with a register and one with a constant share a number: the decoder writes ``IMM`` for the
source register of the latter.  ``interp.pxd`` holds the same list as a C enum (tests compare the two).
"""

from __future__ import annotations

(
    # 64-bit arithmetic
    MOV64, ADD64, SUB64, MUL64, DIV64, SDIV64, MOD64, SMOD64, OR64, AND64, XOR64, LSH64, RSH64, ARSH64, NEG64,
    # 32-bit arithmetic
    MOV32, ADD32, SUB32, MUL32, DIV32, SDIV32, MOD32, SMOD32, OR32, AND32, XOR32, LSH32, RSH32, ARSH32, NEG32,
    # moves that sign extend, cuts and swaps
    SX8_64, SX16_64, SX32_64, SX8_32, SX16_32, CUT16, CUT32, SWAP16, SWAP32, SWAP64,
    # 64-bit jumps
    JEQ64, JNE64, JGT64, JGE64, JLT64, JLE64, JSGT64, JSGE64, JSLT64, JSLE64, JSET64,
    # 32-bit jumps
    JEQ32, JNE32, JGT32, JGE32, JLT32, JLE32, JSGT32, JSGE32, JSLT32, JSLE32, JSET32,
    # memory
    LDX8, LDX16, LDX32, LDX64, LDSX8, LDSX16, LDSX32, ST8, ST16, ST32, ST64, ATOMIC32, ATOMIC64,
    # the rest
    WIDE, LDABS, LDIND, JA, MAY_GOTO, HELPER, LOCAL, CALLX, TAIL, EXIT, BEYOND, FAST,
    # two rows at once, in the native copy only
    MOV_ADD, MOV_MOV, ADD_MOV, ADD_ADD, ADD_JNE, ADD_JLT, ADD_JGT, AND_JEQ, LSH_RSH, LDX8_JNE, LDX16_JNE, LDX32_JNE,
) = range(99)  # fmt: skip

OPS: dict[str, int] = {name: number for name, number in globals().items() if name.isupper() and name != "OPS"}
"""Number by name."""

FUSED = {
    ("MOV64", "ADD64"): "MOV_ADD", ("MOV64", "MOV64"): "MOV_MOV", ("ADD64", "MOV64"): "ADD_MOV",
    ("ADD64", "ADD64"): "ADD_ADD", ("ADD64", "JNE64"): "ADD_JNE", ("ADD64", "JLT64"): "ADD_JLT",
    ("ADD64", "JGT64"): "ADD_JGT", ("AND64", "JEQ64"): "AND_JEQ", ("LSH64", "RSH64"): "LSH_RSH",
    ("LDX8", "JNE64"): "LDX8_JNE", ("LDX16", "JNE64"): "LDX16_JNE", ("LDX32", "JNE64"): "LDX32_JNE",
}  # fmt: skip
"""Pairs that compilers write often: addresses, copies, the ends of loops, comparisons of fields.

The first row of a pair runs both, which saves a dispatch; the second stays as it is, for jumps that go to it.
"""

IMM = 15
"""The source register of rows whose operand is the constant."""

STEP = 1
"""Distance of two rows: positions in a list here, 16 bytes of native memory compiled."""

FRAMES = 8
"""Frames that a program may have in use, counted from the one in which it was entered."""

FRAME_SIZE = 512
FRAME_STRIDE = 1024
"""Bytes from one frame to the next: the gap between them is no memory."""

TAIL_CALLS = 33
ALL_FRAMES = FRAMES + TAIL_CALLS * (FRAMES - 1)
"""A tail call from a function leaves the frames of its callers in use: the next program returns to them."""

STACK_SIZE = ALL_FRAMES * FRAME_STRIDE
"""Bytes of all frames that a run may ever use."""

MAY_GOTO_LOOPS = 8 << 20
"""How often may_goto falls through in one frame (the kernel's BPF_MAX_LOOPS)."""

RECORD = 64
"""Bytes that a call saves: return slot, may_goto budget, R6 to R9, number of the code, the frame it was entered in."""

SLICE = 1 << 20
"""Instructions between two looks at the budget and at pending signals."""
