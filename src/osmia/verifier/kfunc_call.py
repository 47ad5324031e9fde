"""Calls of kernel functions by BTF id."""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.verifier.env import Env
    from osmia.verifier.insn import VInsn


def check_kfunc_call(env: Env, insn: VInsn) -> bool:
    """Apply the call to the current state; True when it never returns (bpf_throw)."""
    raise env.unsupported("kfunc calls")
