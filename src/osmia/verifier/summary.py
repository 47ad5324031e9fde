"""What a call of a helper or kernel function reads and writes, as far as its prototype says so before the walk."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from osmia.verifier.consts import RET_VOID
from osmia.verifier.flow import is_helper_call, is_kfunc_call
from osmia.verifier.helper_offer import get_helper_proto
from osmia.verifier.helper_proto import HelperRule
from osmia.verifier.insn import VInsn
from osmia.verifier.kfunc_meta import fetch_kfunc_meta

if TYPE_CHECKING:
    from osmia.verifier.env import Env

GET_SMP_PROCESSOR_ID = 8
INLINED_CPU_ID = frozenset(
    (
        *("kprobe", "sched_cls", "sched_act", "tracepoint", "xdp", "perf_event", "lwt_in", "lwt_out", "lwt_xmit"),
        *("raw_tracepoint", "lwt_seg6local", "raw_tracepoint_writable", "tracing", "struct_ops", "lsm", "syscall"),
    )
)
"""Types whose bpf_get_smp_processor_id may be inlined (``allow_fastcall``); the others' is another one."""


@dataclass(frozen=True, slots=True)
class CallSummary:
    """The registers that a call reads and writes: r1 … r``params``, and r0 unless ``void``.

    ``fastcall``: the others keep their values, so spilling them around the call is needless.
    """

    params: int
    void: bool
    fastcall: bool


def call_summary(env: Env, insn: VInsn) -> CallSummary | None:
    """What a call reads and writes; None for the program's own functions and for what is not offered."""
    if is_kfunc_call(insn):
        desc = fetch_kfunc_meta(env, insn)
        return CallSummary(len(desc.params), desc.returns_void, desc.fastcall) if desc else None
    rule = get_helper_proto(env, insn.imm) if is_helper_call(insn) else None
    return _summary(rule, env.prog_type) if rule else None


@cache
def _summary(rule: HelperRule, prog_type: str) -> CallSummary:
    fastcall = rule.id == GET_SMP_PROCESSOR_ID and prog_type in INLINED_CPU_ID
    return CallSummary(rule.n_args, rule.ret_base == RET_VOID, fastcall)
