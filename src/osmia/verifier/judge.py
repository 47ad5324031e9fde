"""One program, one kernel, one verdict: everything between a Program and what BPF_PROG_LOAD would answer."""

from __future__ import annotations

import os
from collections.abc import Iterable
from errno import ENOSPC
from functools import cache
from pathlib import Path
from time import perf_counter_ns
from typing import Protocol

from osmia.btf import Btf
from osmia.errors import UsageError
from osmia.kernel import profile as profiles
from osmia.obj.model import Program
from osmia.verifier.attach_prog import target_of
from osmia.verifier.env import Env, Powers
from osmia.verifier.errors import Rejected, Unsupported
from osmia.verifier.facts import Facts
from osmia.verifier.given import check_given
from osmia.verifier.kernel_types import ShippedBtf
from osmia.verifier.lines import insn_text, source_of
from osmia.verifier.log import Log, Sink, attr_errno
from osmia.verifier.state import State
from osmia.verifier.verdict import Reason, Verdict

RUNNING = Path("/sys/kernel/btf/vmlinux")
CAPS = ("bpf", "perfmon", "net_admin", "sys_admin")
DEFAULT_KERNEL = "6.18"
MAX_TARGETS = 32


def powers(privileged: bool = True, caps: Iterable[str] | None = None) -> Powers:
    """What a loader with these capabilities may do; CAP_SYS_ADMIN stands for the others.

    ``caps`` (bpf, perfmon, net_admin, sys_admin) wins over ``privileged``.  Raises UsageError.
    """
    held = set(CAPS if privileged else ()) if caps is None else set(caps)
    unknown = sorted(held - set(CAPS))
    if unknown:
        raise UsageError(f"no capability {unknown[0]!r} (known: {', '.join(CAPS)})")
    return Powers(**{cap: cap in held or "sys_admin" in held for cap in CAPS})


@cache
def running_btf() -> Btf | None:
    """The running kernel's types, where it has any."""
    return Btf.parse(RUNNING.read_bytes()) if RUNNING.is_file() else None


@cache
def kernel_btf(kernel: str = DEFAULT_KERNEL) -> Btf:
    """A kernel's types: the running one's where it is the very kernel that was recorded, else those that are shipped.

    For a recorded file without types beside it they are those of the nearest older kernel.  Raises UsageError.
    """
    profile = profiles.load(kernel)
    mine = running_btf() if profile.release == os.uname().release else None
    return mine or _shipped(profile.types)


@cache
def _shipped(kernel: str) -> ShippedBtf:
    from osmia.kernel.layout import types_btf
    from osmia.kernel.types import types_of

    return ShippedBtf.parse(types_of(kernel) or types_btf())


def judge(
    program: Program,
    kernel: str | profiles.Profile = DEFAULT_KERNEL,
    power: Powers | None = None,
    *,
    log_level: int = 1,
    log_size: int = 0,
    sink: Sink | None = None,
    btf: Btf | None = None,
    facts: bool = False,
) -> Verdict:
    """The verdict of a kernel (a profile, or its name) on a program as it stands, for a loader with some powers.

    ``program.attach_prog`` is judged first: where it is refused, that is the verdict, with "target" in ``where``.
    ``log_level`` is the BPF_LOG_… mask, ``log_size`` the buffer's bytes (0: no end), ``sink`` takes a level-2 log in
    pieces.  ``btf`` are the kernel's types, by default ``kernel_btf(kernel)``.  ``facts`` collects what was known
    before each instruction.  Raises UsageError for a kernel that there is no profile of, and UsageError or DecodeError
    for a program that no attribute of bpf(2) could hold.
    """
    profile = profiles.load(kernel) if isinstance(kernel, str) else kernel
    check_given(program)
    bad = attr_errno(log_level, log_size)
    if bad:
        return Verdict(False, bad, error=Reason("log-attributes", ""))
    env = Env(program, profile, power or Powers(), Log(log_level, log_size, sink), btf or kernel_btf(profile.name))
    env.facts = Facts() if facts else None
    refused = _judge_target(env, program.attach_prog)
    return _verdict(env) if refused is None else refused


def _judge_target(env: Env, program: Program | None, depth: int = 0) -> Verdict | None:
    """Judge the program that another one attaches to, and keep what is asked of it; its verdict where it is refused.

    Raises UsageError where programs attach to each other in a ring.
    """
    env.room["recorded types"] = env.vmlinux is kernel_btf(env.profile.name)
    if program is None:
        return None
    if depth >= MAX_TARGETS:
        raise UsageError(f"attach_prog: {MAX_TARGETS} programs and more, each attached to the next")
    check_given(program)
    made = Env(program, env.profile, env.powers, Log(0), env.vmlinux)
    verdict = _judge_target(made, program.attach_prog, depth + 1)
    verdict = _ask(made) if verdict is None else verdict
    if not verdict.ok:
        verdict.where = verdict.where if verdict.unsupported else "target"
        return verdict
    env.room["target"] = target_of(made)
    return None


class Watcher(Protocol):
    """Who looks on while a program is walked, in the place of ``Facts``: see ``osmia.explain.trail``."""

    pruned: set[int]

    def note(self, env: Env) -> None:
        """The path stands before ``env.insn_idx``."""

    def fork(self, state: State) -> None:
        """A path is set aside, to be walked later."""

    def close(self, env: Env) -> None:
        """The walk has ended, where ``env`` says."""


def watch(
    program: Program,
    watcher: Watcher,
    kernel: str = DEFAULT_KERNEL,
    power: Powers | None = None,
    btf: Btf | None = None,
) -> Verdict:
    """The verdict, at log level 1, on a program whose walk somebody watches."""
    profile = profiles.load(kernel)
    check_given(program)
    env = Env(program, profile, power or Powers(), Log(1), btf or kernel_btf(kernel))
    env.facts = watcher
    refused = _judge_target(env, program.attach_prog)
    made = _verdict(env) if refused is None else refused
    made.facts = None
    watcher.close(env)
    return made


def _verdict(env: Env) -> Verdict:
    began = perf_counter_ns()
    env.room["began"] = began
    made = _ask(env)
    if env.log.finish() and not made.unsupported:
        made = Verdict(
            False, ENOSPC, error=Reason("log-buffer", f"the log takes {env.log.true_size} bytes"), log_cut=True
        )
    made.log, made.log_true_size = str(env.log), env.log.true_size
    made.processed, made.max_states_per_insn = env.insn_processed, env.max_states_per_insn
    made.total_states, made.peak_states = env.total_states, env.peak_states
    made.stack_depth = tuple(subprog.stack_depth for subprog in env.subprogs)
    made.facts = env.facts
    made.usec = (perf_counter_ns() - began) // 1000
    return made


def _ask(env: Env) -> Verdict:
    """Yes, no, or can't say."""
    from osmia.verifier.load import bpf_prog_load

    try:
        refused = bpf_prog_load(env)
    except Unsupported as e:
        return Verdict(False, where="unsupported", unsupported=e.feature)
    if refused is None:
        return Verdict(True)
    return Verdict(False, refused.errno, error=_reason(env, refused), where=getattr(refused, "where", "load"))


def _reason(env: Env, no: Rejected) -> Reason:
    slot = no.insn if 0 <= no.insn < env.n_insns and env.insn_processed else -1
    source = source_of(env, slot) if slot >= 0 and env.program.line_info else None
    shown = insn_text(env, env.insns[slot]).rstrip("\n") if slot >= 0 else ""
    return Reason(no.kind, no.text, slot, no.reg, no.expected, no.found, source.text if source else "", shown)
