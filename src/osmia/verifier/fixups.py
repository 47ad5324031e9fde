"""What the kernel rewrites after acceptance, as far as it can still refuse the program or changes the statistics.

Programs themselves stay as they are.  (``opt_remove_dead_code``, ``optimize_bpf_loop``, ``do_misc_fixups`` in
kernel/bpf/verifier.c, Linux 6.18, on a host whose JIT times ``may_goto``: x86-64.)
"""

from __future__ import annotations

from errno import EFAULT, EINVAL

from osmia.verifier.env import Env, Subprog
from osmia.verifier.insn import VInsn

TAIL_CALL = 12
CALL_HELPER, MAY_GOTO = 0x85, 0xE5
LD_IMM64, PSEUDO_FUNC, KFUNC_CALL = 0x18, 4, 2
JUMPS = (0x05, 0x06)
BRANCHES = (5, 6)
MAY_GOTO_ROOM = 16  # a count and the time the loop began


def optimize_bpf_loop(env: Env) -> None:
    """An inlined bpf_loop keeps three registers below the function's own stack."""
    for number, subprog in enumerate(env.subprogs):
        loops = any(insn.notes == "bpf_loop-inline" for insn in env.insns[subprog.start : env.subprog_end(number)])
        if loops:
            subprog.stack_depth += 24 + -subprog.stack_depth % 8


def do_misc_fixups(env: Env) -> None:
    """Room for may_goto; tail calls through maps that differ by path.  Raises Rejected."""
    for number, subprog in enumerate(env.subprogs):
        insns = env.insns[subprog.start : env.subprog_end(number)]
        for insn in insns:
            if insn.seen and insn.code == CALL_HELPER and insn.src == 0 and insn.imm == TAIL_CALL:
                check_tail_call_map(env, insn.map_ptr_poison, insn.map_ptr_unpriv)
            if insn.code == CALL_HELPER and insn.src == KFUNC_CALL and not insn.imm and insn.seen:
                text = "invalid kernel function call not eliminated in verifier pass\n"
                raise env.reject(EINVAL, "kfunc-number", text)
        if any(insn.seen and insn.code == MAY_GOTO and skips_something(env, insn) for insn in insns):
            subprog.stack_depth += MAY_GOTO_ROOM


def skips_something(env: Env, insn: VInsn) -> bool:
    """Does a may_goto still lead elsewhere once code that was never walked is removed?  It is removed itself if not."""
    between = env.insns[insn.idx + 1 : insn.idx + 1 + insn.off]
    return insn.off < 0 or not env.bpf_capable or any(other.seen for other in between)


def check_tail_call_map(env: Env, poisoned: bool, unpriv: bool) -> None:
    """Without CAP_BPF the map of a tail call must be the same one on every path."""
    if unpriv and poisoned:
        raise env.reject(EINVAL, "tail-call-map", "tail_call abusing map_ptr\n")


def remove_dead_subprogs(env: Env) -> None:
    """Functions that no path reached go, for loaders with CAP_BPF: the statistics don't count them."""
    if env.bpf_capable:
        env.subprogs = kept_subprogs(env)
    if env.seen_exception and not env.exception_callback_subprog:
        env.subprogs.append(Subprog(env.n_insns))  # the kernel's own callback: it returns what was thrown


def kept_subprogs(env: Env) -> list[Subprog]:
    """The functions that some path reached."""
    return [subprog for number, subprog in enumerate(env.subprogs) if was_walked(env, number)]


def check_removed_callbacks(env: Env) -> None:
    """A function that is loaded but never called goes with the rest of the dead code, and its address leads nowhere.

    The kernel takes the next function's address instead; where none follows it stumbles in its compiler (EFAULT).  The
    number it gives counts what it has rewritten; here dead code is taken off, and nothing else is known.
    """
    kept = kept_subprogs(env)
    hidden = env.seen_exception and not env.exception_callback_subprog  # stands behind all others
    if not env.bpf_capable or len(kept) < 2 or len(kept) == len(env.subprogs) or hidden:
        return
    last = kept[-1].start
    for insn in env.insns:
        if insn.seen and insn.code == LD_IMM64 and insn.src == PSEUDO_FUNC and insn.idx + insn.imm + 1 > last:
            text = f"verifier bug: No program to jit at insn {length_without_dead_code(env)} (subprog < 0)\n"
            raise env.reject(EFAULT, "removed-callback", text)


def length_without_dead_code(env: Env) -> int:
    """Slots that are left once code that was never walked is gone, and the jumps that lead over nothing else."""
    return sum(bool(insn.seen) and not leads_over_nothing(env, insn) for insn in env.insns)


def leads_over_nothing(env: Env, insn: VInsn) -> bool:
    """Is it a jump, or a branch that never went the other way, which the end of dead code leaves without a purpose?"""
    if insn.code not in JUMPS and not (insn.code & 7 in BRANCHES and insn.code & 0xF0 not in (0x00, 0x80, 0x90, 0xE0)):
        return False
    target = insn.idx + 1 + (insn.imm if insn.code == JUMPS[1] else insn.off)
    between = env.insns[insn.idx + 1 : target]
    if target <= insn.idx or any(other.seen for other in between):
        return False
    return insn.code in JUMPS or bool(between) or not env.insns[target].seen


def was_walked(env: Env, number: int) -> bool:
    """Did any path reach the function?"""
    return any(insn.seen for insn in env.insns[env.subprogs[number].start : env.subprog_end(number)])
