"""The functions of a program: where they start, and that control stays inside them."""

from __future__ import annotations

from errno import E2BIG, EINVAL, EPERM

from osmia.btf import DeclTag
from osmia.isa import consts as c
from osmia.isa.insn import s32
from osmia.verifier.consts import BPF_MAX_SUBPROGS
from osmia.verifier.env import Env, Subprog
from osmia.verifier.flow import is_helper_call, is_kfunc_call, is_pseudo_call, is_pseudo_func, jmp_offset
from osmia.verifier.insn import VInsn
from osmia.verifier.kfunc_meta import add_kfunc_call

TAIL_CALL = 12
ENDS = (c.BPF_JMP | c.BPF_EXIT, c.BPF_JMP32 | c.BPF_JA, c.BPF_JMP | c.BPF_JA)
"""What may stand last in a function."""


def add_subprog_and_kfunc(env: Env) -> None:
    """Find every function that is called or pointed to, in the order of their slots; level 2 lists them.

    Raises Rejected for a call that leads out of the program, too many functions, or a loader without CAP_BPF; the
    functions found until then are known all the same.
    """
    starts = {0}
    try:
        collect_functions(env, starts)
    finally:
        env.subprogs = [Subprog(start) for start in sorted(starts)]
    if env.log.level2:
        for number, subprog in enumerate(env.subprogs):
            env.say(f"func#{number} @{subprog.start}\n")


def collect_functions(env: Env, starts: set[int]) -> None:
    """Every call and every address of a function adds to ``starts``."""
    for insn in env.insns:
        if not (is_pseudo_func(insn) or is_pseudo_call(insn) or is_kfunc_call(insn)):
            continue
        if not env.bpf_capable:
            raise env.reject(
                EPERM, "function-calls",
                "loading/calling other bpf or kernel functions are allowed for CAP_BPF and CAP_SYS_ADMIN\n",
            )  # fmt: skip
        if is_kfunc_call(insn):
            add_kfunc_call(env, insn)
        else:
            add_subprog(env, starts, insn.idx + insn.imm + 1)
    check_exception_callback(env)


def add_subprog(env: Env, starts: set[int], slot: int) -> None:
    """One more function, unless it is known."""
    if not 0 <= slot < env.n_insns:
        raise env.reject(EINVAL, "call-target", "call to invalid destination\n")
    if slot not in starts and len(starts) >= BPF_MAX_SUBPROGS:
        raise env.reject(E2BIG, "too-many-subprogs", "too many subprograms\n")
    starts.add(slot)


def check_exception_callback(env: Env) -> None:
    """A declaration tag on the main function that names a callback for exceptions."""
    program = env.program
    if not program.func_info or program.btf is None:
        return
    for name in program.btf.names():
        if name.startswith("exception_callback:") and program.btf.find(name, DeclTag):
            raise env.unsupported("exception callbacks")


def check_subprogs(env: Env) -> None:
    """No jump leaves its function, and no function runs into the next; notes who tail-calls and who reads packets."""
    number = 0
    subprog, end = env.subprogs[0], env.subprog_end(0)
    for insn in env.insns:
        note_kind(subprog, insn)
        if is_jump(insn):
            target = s32(insn.idx + jmp_offset(insn) + 1)
            if not subprog.start <= target < end:
                raise env.reject(EINVAL, "jump-target", f"jump out of range from insn {insn.idx} to {target}\n")
        if insn.idx == end - 1:
            if insn.code not in ENDS:
                raise env.reject(EINVAL, "no-end", "last insn is not an exit or jmp\n")
            number += 1
            if number < len(env.subprogs):
                subprog, end = env.subprogs[number], env.subprog_end(number)


def note_kind(subprog: Subprog, insn: VInsn) -> None:
    """What later rules ask about the whole function."""
    if is_helper_call(insn) and insn.imm == TAIL_CALL:
        subprog.has_tail_call = subprog.tail_call_reachable = True
    if insn.code & 7 == c.BPF_LD and insn.code & 0xE0 in (c.BPF_ABS, c.BPF_IND):
        subprog.has_ld_abs = True


def is_jump(insn: VInsn) -> bool:
    """Any code of the jump classes but calls and exits."""
    return insn.code & 7 in (c.BPF_JMP, c.BPF_JMP32) and insn.code & 0xF0 not in (c.BPF_EXIT, c.BPF_CALL)
