"""Which registers may still be read from each instruction on (``compute_live_registers``; Linux 6.18).

Liveness flows back through each function until nothing changes.  Sets of registers are bit masks, bit n for rn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.verifier.lines import verbose_insn
from osmia.verifier.summary import call_summary

if not cython.compiled:
    from osmia.isa.consts import (
        BPF_ALU,
        BPF_ALU64,
        BPF_ATOMIC,
        BPF_CALL,
        BPF_CMPXCHG,
        BPF_END,
        BPF_EXIT,
        BPF_FETCH,
        BPF_JA,
        BPF_JCOND,
        BPF_JMP,
        BPF_JMP32,
        BPF_LDX,
        BPF_LOAD_ACQ,
        BPF_MEM,
        BPF_MEMSX,
        BPF_MOV,
        BPF_ST,
        BPF_STX,
        BPF_X,
        LD_IMM64,
    )
    from osmia.verifier.flow import insn_successors
    from osmia.verifier.insn import VInsn

if TYPE_CHECKING:
    from osmia.verifier.env import Env

ALL = 0xFFFF
REGISTERS = 0x7FF
CALLER_SAVED = 0x3F
ARGUMENTS = 0x3E


def compute_live_registers(env: Env) -> None:
    """Fill ``live_regs_before`` of every instruction; level 2 prints them as a table."""
    pairs = [use_def(env, insn) for insn in env.insns]
    for slot, live in enumerate(settle(env, pairs)):
        insn = env.insns[slot]
        insn.live_regs_before = live & REGISTERS
    if env.log.level2 and env.rules.live_registers_static:
        print_table(env)


def settle(env: Env, pairs: list[tuple[int, int]]) -> list[int]:
    """Let the sets grow until nothing changes.  What can't be reached has none."""
    live = [0] * env.n_insns
    changed = True
    while changed:
        changed = False
        for slot in env.insn_postorder:
            first, second = insn_successors(env, slot)
            out = 0
            if first >= 0:
                out = live[first]
            if second >= 0:
                out |= live[second]
            use, written = pairs[slot]
            new = (out & (ALL ^ written)) | use
            if new != live[slot]:
                live[slot] = new
                changed = True
    return live


def use_def(env: Env, insn: VInsn) -> tuple[int, int]:
    """The registers that an instruction reads, and those that it overwrites; an odd one reads all."""
    kind = insn.code & 7
    if kind == BPF_ALU or kind == BPF_ALU64:
        return alu_use(insn), 1 << insn.dst
    if kind == BPF_JMP or kind == BPF_JMP32:
        return jump_use(env, insn)
    return memory_use(insn)


def alu_use(insn: VInsn) -> int:
    """A move reads its source only, a byte swap its destination; everything else what it names."""
    op = insn.code & 0xF0
    if op == BPF_END:
        return 1 << insn.dst
    source = 1 << insn.src if insn.code & BPF_X else 0
    return source if op == BPF_MOV else source | 1 << insn.dst


def jump_use(env: Env, insn: VInsn) -> tuple[int, int]:
    """Jumps read what they compare; a call reads its arguments and overwrites r0 to r5."""
    op = insn.code & 0xF0
    if op == BPF_JA or op == BPF_JCOND:
        return 0, 0
    if op == BPF_EXIT:
        return 1, 0
    if op == BPF_CALL:
        summary = call_summary(env, insn)
        return (ARGUMENTS if summary is None else (2 << summary.params) - 2), CALLER_SAVED
    return 1 << insn.dst | (1 << insn.src if insn.code & BPF_X else 0), 0


def memory_use(insn: VInsn) -> tuple[int, int]:
    """Loads, stores and atomic operations."""
    kind, mode = insn.code & 7, insn.code & 0xE0
    src, dst = 1 << insn.src, 1 << insn.dst
    if insn.code == LD_IMM64:
        return 0, dst
    if kind == BPF_LDX and (mode == BPF_MEM or mode == BPF_MEMSX):
        return src, dst
    if kind == BPF_ST and mode == BPF_MEM:
        return dst, 0
    if kind == BPF_STX and mode == BPF_ATOMIC:
        return atomic_use(insn)
    if kind == BPF_STX and mode == BPF_MEM:
        return dst | src, 0
    return ALL, 0


def atomic_use(insn: VInsn) -> tuple[int, int]:
    """An atomic operation may hand the old value over: in r0, or in its source register."""
    src, dst = 1 << insn.src, 1 << insn.dst
    if insn.imm == BPF_CMPXCHG:
        return 1 | dst | src, 1
    if insn.imm == BPF_LOAD_ACQ:
        return src, dst
    return dst | src, src if insn.imm & BPF_FETCH else 0


def print_table(env: Env) -> None:
    """One line for each instruction: number of its loop, slot, live registers as digits, the instruction."""
    env.say("Live regs before insn:\n")
    half = False
    for insn in env.insns:
        if half:
            half = False
            continue
        scc = f"{insn.scc:3d} " if insn.scc else "    "
        live = "".join(str(n) if insn.live_regs_before >> n & 1 else "." for n in range(10))
        env.say(f"{scc}{insn.idx:3d}: {live} ")
        verbose_insn(env, insn)
        half = insn.code == LD_IMM64
