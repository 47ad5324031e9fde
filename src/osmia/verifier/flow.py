"""Where one instruction leads: its kind, its successors, and the marks that the walk will look for.

``insn_successors`` stays inside one function: a call's successor is the instruction behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.isa.consts import (
        BPF_CALL,
        BPF_EXIT,
        BPF_JA,
        BPF_JCOND,
        BPF_JMP,
        BPF_JMP32,
        BPF_MAY_GOTO,
        BPF_PSEUDO_CALL,
        BPF_PSEUDO_FUNC,
        BPF_PSEUDO_KFUNC_CALL,
        LD_IMM64,
    )
    from osmia.verifier.insn import VInsn

if TYPE_CHECKING:
    from osmia.verifier.env import Env

JUMP_MAX = 0xE0
"""The highest operation of the jump classes that jumps; 0xF0 is no operation."""


def is_pseudo_func(insn: VInsn) -> bool:
    """The load of a function's address."""
    return insn.code == LD_IMM64 and insn.src == BPF_PSEUDO_FUNC


def is_helper_call(insn: VInsn) -> bool:
    """A call of a helper by number."""
    return insn.code == (BPF_JMP | BPF_CALL) and insn.src == 0


def is_pseudo_call(insn: VInsn) -> bool:
    """A call of a function of the same program."""
    return insn.code == (BPF_JMP | BPF_CALL) and insn.src == BPF_PSEUDO_CALL


def is_kfunc_call(insn: VInsn) -> bool:
    """A call of a kernel function by BTF id."""
    return insn.code == (BPF_JMP | BPF_CALL) and insn.src == BPF_PSEUDO_KFUNC_CALL


def is_may_goto(insn: VInsn) -> bool:
    """The jump that the kernel takes once it has had enough of a loop."""
    return insn.code == (BPF_JMP | BPF_JCOND) and insn.src == BPF_MAY_GOTO


def jmp_offset(env: Env, insn: VInsn) -> int:
    """How far a jump goes, in slots from the one behind it (``gotol``, where it is known, says it in imm)."""
    return insn.imm if insn.code == (BPF_JMP32 | BPF_JA) and env.rules.gotol else insn.off


def insn_successors(env: Env, idx: int) -> tuple[int, int]:
    """The instructions that may follow: the next one, then the jump's target; -1 for one that there is not.

    An instruction with a single successor has it in the first place.  Slots are those of the whole program.
    """
    insn = env.insns[idx]
    code = insn.code
    if (code & 7) == BPF_JMP or (code & 7) == BPF_JMP32:
        op = code & 0xF0
        if op == BPF_EXIT:
            return -1, -1
        if op == BPF_JA:
            return idx + 1 + jmp_offset(env, insn), -1
        if op != BPF_CALL and op <= JUMP_MAX:
            return idx + 1, idx + 1 + jmp_offset(env, insn)
        return idx + 1, -1
    return (idx + 2 if code == LD_IMM64 else idx + 1), -1


def calls_callback(env: Env, idx: int) -> bool:
    """Does the instruction call a function that calls back before it returns?"""
    insn = env.insns[idx]
    return insn.calls_callback


def mark_prune_point(env: Env, idx: int) -> None:
    """Look there for a state that was seen before."""
    insn = env.insns[idx]
    insn.prune_point = True


def mark_jmp_point(env: Env, idx: int) -> None:
    """The way there is not always the straight one: keep it in the history."""
    insn = env.insns[idx]
    insn.jmp_point = bool(env.rules.fewer_prune_points)


def mark_force_checkpoint(env: Env, idx: int) -> None:
    """Save the state there every time."""
    insn = env.insns[idx]
    insn.force_checkpoint = True
