"""How much stack a chain of calls takes: 512 bytes at most, 8 frames, 256 bytes in front of a tail call.

Functions with enough stack of their own get it elsewhere in tracing programs ("private stack", x86-64 and arm64);
then only each one alone is limited (``check_max_stack_depth``, kernel/bpf/verifier.c; Linux 6.18, with a JIT).
"""

from __future__ import annotations

from dataclasses import dataclass
from errno import E2BIG, EACCES, EFAULT, EINVAL

from osmia.verifier.consts import MAX_BPF_STACK, MAX_CALL_FRAMES
from osmia.verifier.env import Env, Subprog
from osmia.verifier.flow import is_kfunc_call, is_pseudo_call, is_pseudo_func
from osmia.verifier.insn import VInsn
from osmia.verifier.kfunc_meta import kfunc_of

UNKNOWN, NO_PRIVATE, PRIVATE = 0, 1, 2
"""``Subprog.priv_stack_mode``."""
THROW = -1
MIN_PRIVATE = 64
TAIL_CALL_DEPTH = 256
PRIVATE_TYPES = ("kprobe", "tracepoint", "perf_event", "raw_tracepoint")


@dataclass(frozen=True, slots=True)
class Call:
    """At slot ``insn`` a call of a function, or (``direct`` false) a load of its address; ``callee`` -1: bpf_throw."""

    callee: int
    direct: bool
    insn: int


@dataclass(slots=True)
class Level:
    """A function on the way down: its number, the stack up to and including it, the next of its calls."""

    number: int
    depth: int
    next: int = 0


def check_max_stack_depth(env: Env) -> None:
    """Check every chain of calls from the main function and from asynchronous callbacks.  Raises Rejected."""
    calls = [calls_of(env, number) for number in range(len(env.subprogs))]
    private = env.rules.private_stacks and supports_private_stack(env)
    for number in reversed(range(len(env.subprogs))):
        if number == 0 or env.subprogs[number].is_async_cb:
            check_chains(env, calls, number, number == 0 and private)


def supports_private_stack(env: Env) -> bool:
    """Does the program's type have private stacks?  Not together with tail calls."""
    if any(subprog.has_tail_call for subprog in env.subprogs):
        return False
    tracing = env.prog_type == "tracing" and env.program.expected_attach_type != "trace_iter"
    return tracing or env.prog_type in PRIVATE_TYPES


def calls_of(env: Env, number: int) -> list[Call]:
    """What a function calls, in the order of its instructions."""
    found = []
    for insn in env.insns[env.subprogs[number].start : env.subprog_end(number)]:
        direct = is_pseudo_call(insn)
        if direct or is_pseudo_func(insn):
            found.append(Call(env.find_subprog(insn.idx + insn.imm + 1), direct, insn.idx))
        elif is_kfunc_call(insn) and is_throw(env, insn):
            found.append(Call(THROW, True, insn.idx))
    return found


def is_throw(env: Env, insn: VInsn) -> bool:
    """Does a call of a kernel function throw an exception?"""
    desc = kfunc_of(env, insn)
    return desc is not None and desc.name == "bpf_throw"


def check_chains(env: Env, calls: list[list[Call]], number: int, private: bool) -> None:
    """Walk down every chain of calls, each depth of each function once."""
    done: set[tuple[int, int, int, bool]] = set()
    levels = [Level(number, enter(env, number, 0, 0, private))]
    tail_calls = False
    while levels:
        level = levels[-1]
        if level.next == len(calls[level.number]):
            levels.pop()
            if tail_calls and any(env.subprogs[above.number].is_exception_cb for above in levels):
                raise env.reject(EINVAL, "exception-cb-tail-call", "cannot tail call within exception cb\n")
            continue
        call = calls[level.number][level.next]
        level.next += 1
        if call.callee == THROW:
            check_throw(env, levels, call)
            continue
        if env.subprogs[call.callee].is_async_cb and not check_async_call(env, call):
            continue
        tail_calls = tail_calls or env.subprogs[call.callee].has_tail_call
        if len(levels) >= MAX_CALL_FRAMES:
            raise env.reject(E2BIG, "call-depth", f"the call stack of {len(levels)} frames is too deep !\n")
        key = (call.callee, level.depth, len(levels), any(env.subprogs[above.number].is_cb for above in levels))
        if key not in done:
            done.add(key)
            levels.append(Level(call.callee, enter(env, call.callee, level.depth, len(levels), private)))


def check_throw(env: Env, levels: list[Level], call: Call) -> None:
    """No exception leaves a function that the kernel called: it could not unwind its own frames."""
    if any(env.subprogs[level.number].is_cb for level in levels):
        text = f"bpf_throw kfunc (insn {call.insn}) cannot be called from callback subprog {levels[-1].number}\n"
        raise env.reject(EINVAL, "throw-in-callback", text)


def check_async_call(env: Env, call: Call) -> bool:
    """What the kernel calls some time later counts for a chain only if the program calls it, too."""
    callee = env.subprogs[call.callee]
    if callee.has_tail_call:
        raise env.reject(EFAULT, "async-cb-tail-call", "verifier bug: subprog has tail_call and async cb\n")
    if call.direct and callee.is_exception_cb:
        text = f"insn {call.insn} cannot call exception cb directly"  # without a newline, as in the kernel
        raise env.reject(EINVAL, "exception-cb-call", text)
    return call.direct


def enter(env: Env, number: int, depth: int, frame: int, private: bool) -> int:
    """The stack of the chain with one more function; ``depth`` is what its callers take, ``frame`` their number."""
    subprog = env.subprogs[number]
    if not private:
        subprog.priv_stack_mode = NO_PRIVATE
    if number and subprog.has_tail_call and depth >= TAIL_CALL_DEPTH:
        raise env.reject(
            EACCES, "tail-call-depth",
            f"tail_calls are not allowed when call stack of previous frames is {depth} bytes. Too large\n",
        )  # fmt: skip
    own = rounded(env, subprog)
    if private and subprog.priv_stack_mode == UNKNOWN and own >= MIN_PRIVATE:
        subprog.priv_stack_mode = PRIVATE
    if subprog.priv_stack_mode != PRIVATE:
        depth += own
        if depth > MAX_BPF_STACK:
            raise env.reject(
                EACCES, "stack-depth", f"combined stack size of {frame + 1} calls is {depth}. Too large\n"
            )  # fmt: skip
    elif own > MAX_BPF_STACK:
        raise env.reject(EACCES, "stack-depth", f"stack size of subprog {number} is {own}. Too large\n")
    return depth


def rounded(env: Env, subprog: Subprog) -> int:
    """A function's stack as the JIT lays it out, or as the interpreter does: 32 bytes at least, then."""
    if env.rules.stack_rounds_to_16:
        return (subprog.stack_depth + 15) & ~15
    return (max(subprog.stack_depth, 1) + 31) & ~31
