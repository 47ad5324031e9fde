"""Accesses that pass every check and then can't be turned into loads of the kernel's own structs.

``convert_ctx_accesses`` in kernel/bpf/verifier.c of Linux 6.18 rewrites each access to a context or socket.  Of those
that were let through it has no answer for one: the upper halves of two 64-bit counters of ``struct bpf_tcp_sock``.
"""

from __future__ import annotations

from errno import EFAULT, EINVAL

from osmia.verifier.consts import PTR_TO_TCP_SOCK
from osmia.verifier.env import Env

LDX_W = 0x61
UPPER_HALVES = (84, 92)
"""Of bytes_received and bytes_acked."""


def convert_ctx_accesses(env: Env) -> None:
    """Is there an access that can't be rewritten?  Raises Rejected."""
    if env.room.get("padding"):
        raise env.reject(EINVAL, "ctx-conversion", "bpf verifier is misconfigured\n")
    for insn in env.insns:
        if insn.seen and insn.ptr_type == PTR_TO_TCP_SOCK and insn.code == LDX_W and insn.off in UPPER_HALVES:
            raise env.reject(EFAULT, "ctx-conversion", "verifier bug: error during ctx access conversion (0)\n")
