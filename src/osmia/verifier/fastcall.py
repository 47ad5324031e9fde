"""Spills around a call that keeps its registers: patterns that the kernel takes out again (``bpf_fastcall``).

A pattern is a call with ``*(u64 *)(r10 - Y) = rX`` in front of it and ``rX = *(u64 *)(r10 - Y)`` behind it, one or
more pairs nested around the call, at the lowest stack offsets of the function, for registers that the callee's
prototype does not name.  While nothing else touches these slots, the function needs no stack for them
(``mark_fastcall_patterns`` and ``remove_fastcall_spills_fills``, kernel/bpf/verifier.c; Linux 6.18).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.isa.consts import BPF_DW, BPF_LDX, BPF_MEM, BPF_REG_10, BPF_STX
from osmia.verifier.summary import CallSummary, call_summary

if not cython.compiled:
    from osmia.verifier.env import Subprog
    from osmia.verifier.insn import VInsn
    from osmia.verifier.state import Frame

if TYPE_CHECKING:
    from osmia.verifier.env import Env

SPILL = BPF_STX | BPF_MEM | BPF_DW
FILL = BPF_LDX | BPF_MEM | BPF_DW
CALL = 0x85
CALLER_SAVED = 6
LOWEST = -(1 << 15)
"""``fastcall_stack_off`` of a function whose patterns are given up: no offset is lower."""


def mark_fastcall_patterns(env: Env) -> None:
    """Find the patterns of every function: ``fastcall_pattern``, ``fastcall_spills_num``, ``fastcall_stack_off``."""
    for number, subprog in enumerate(env.subprogs):
        insns = env.insns[subprog.start : env.subprog_end(number)]
        lowest = min((i.off for i in insns if i.code == SPILL and i.dst == BPF_REG_10), default=0)
        for insn in insns:
            if insn.code == CALL:
                mark_pattern(env, subprog, insn.idx, min(lowest, 0))


def mark_pattern(env: Env, subprog: Subprog, call: int, lowest: int) -> None:
    """The pattern around one call, if there is one."""
    insn = env.insns[call]
    summary = call_summary(env, insn)
    if summary is None:
        return
    pairs = count_pairs(env, call, lowest, unclobbered(summary))
    if not pairs:
        return
    if summary.fastcall:
        insn.fastcall_spills_num = pairs
    else:
        subprog.keep_fastcall_stack = True
    subprog.fastcall_stack_off = min(subprog.fastcall_stack_off, lowest + 8 * pairs)


def unclobbered(summary: CallSummary) -> int:
    """The caller-saved registers that the callee's prototype does not name, as a mask."""
    named = ((2 << summary.params) - 1) & ~int(summary.void)
    return (1 << CALLER_SAVED) - 1 & ~named


def count_pairs(env: Env, call: int, lowest: int, registers: int) -> int:
    """How many pairs stand around the call, each for another register; they are marked."""
    pairs = 0
    while pairs < CALLER_SAVED and call > pairs and call + pairs + 1 < env.n_insns:
        spill, fill = env.insns[call - pairs - 1], env.insns[call + pairs + 1]
        if not is_pair(spill, fill, lowest + 8 * pairs) or not registers >> spill.src & 1:
            break
        registers &= ~(1 << spill.src)
        spill.fastcall_pattern = fill.fastcall_pattern = True
        pairs += 1
    return pairs


def is_pair(spill: VInsn, fill: VInsn, off: int) -> bool:
    """The spill of a register to that offset from r10, and its fill from there."""
    return (
        (spill.code == SPILL and fill.code == FILL)
        and (spill.dst == BPF_REG_10 and fill.src == BPF_REG_10)
        and (spill.src == fill.dst and spill.off == off and fill.off == off)
    )


def check_fastcall_stack_contract(env: Env, state: Frame, insn_idx: int, off: int) -> None:
    """An access to the patterns' slots from elsewhere gives up all patterns of the function."""
    subprog = env.subprogs[state.subprogno]
    insn = env.insns[insn_idx]
    if subprog.fastcall_stack_off <= off or insn.fastcall_pattern:
        return
    subprog.fastcall_stack_off = LOWEST
    for slot in range(subprog.start, env.subprog_end(state.subprogno)):
        insn = env.insns[slot]
        insn.fastcall_spills_num = 0
        insn.fastcall_pattern = False


def remove_fastcall_spills_fills(env: Env) -> None:
    """The stack depth of a function without the spills that go: down to the patterns' first slot."""
    for number, subprog in enumerate(env.subprogs):
        insns = env.insns[subprog.start : env.subprog_end(number)]
        if not subprog.keep_fastcall_stack and any(insn.fastcall_spills_num for insn in insns):
            subprog.stack_depth = -subprog.fastcall_stack_off
