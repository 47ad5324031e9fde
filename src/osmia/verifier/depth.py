"""How much stack a chain of calls takes: 512 bytes at most, 8 frames, 256 bytes in front of a tail call.

Functions with enough stack of their own get it elsewhere in tracing programs ("private stack", x86-64 and arm64);
then only each one alone is limited (``check_max_stack_depth``, kernel/bpf/verifier.c; Linux 6.18, with a JIT).
"""

from __future__ import annotations

from dataclasses import dataclass
from errno import E2BIG, EACCES

from osmia.verifier.consts import MAX_BPF_STACK, MAX_CALL_FRAMES
from osmia.verifier.env import Env, Subprog
from osmia.verifier.flow import is_pseudo_call, is_pseudo_func

UNKNOWN, NO_PRIVATE, PRIVATE = 0, 1, 2
"""``Subprog.priv_stack_mode``."""
MIN_PRIVATE = 64
TAIL_CALL_DEPTH = 256
PRIVATE_TYPES = ("kprobe", "tracepoint", "perf_event", "raw_tracepoint")


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function, or (``direct`` false) a load of its address."""

    callee: int
    direct: bool


@dataclass(slots=True)
class Level:
    """A function on the way down: its number, the stack up to and including it, the next of its calls."""

    number: int
    depth: int
    next: int = 0


def check_max_stack_depth(env: Env) -> None:
    """Check every chain of calls from the main function and from asynchronous callbacks.  Raises Rejected."""
    calls = [calls_of(env, number) for number in range(len(env.subprogs))]
    private = supports_private_stack(env)
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
            found.append(Call(env.find_subprog(insn.idx + insn.imm + 1), direct))
    return found


def check_chains(env: Env, calls: list[list[Call]], number: int, private: bool) -> None:
    """Walk down every chain of calls, each depth of each function once."""
    done: set[tuple[int, int, int]] = set()
    levels = [Level(number, enter(env, number, 0, 0, private))]
    while levels:
        level = levels[-1]
        if level.next == len(calls[level.number]):
            levels.pop()
            continue
        call = calls[level.number][level.next]
        level.next += 1
        if env.subprogs[call.callee].is_async_cb and not call.direct:
            continue
        if len(levels) >= MAX_CALL_FRAMES:
            raise env.reject(E2BIG, "call-depth", f"the call stack of {len(levels)} frames is too deep !\n")
        key = (call.callee, level.depth, len(levels))
        if key not in done:
            done.add(key)
            levels.append(Level(call.callee, enter(env, call.callee, level.depth, len(levels), private)))


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
    own = rounded(subprog)
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


def rounded(subprog: Subprog) -> int:
    """A function's stack as the JIT lays it out."""
    return (subprog.stack_depth + 15) & ~15
