"""The context of programs that the kernel's BTF types: an array of 64-bit arguments (tracing, LSM, struct_ops)."""

from __future__ import annotations

from typing import Any

from osmia.verifier.env import Env


def btf_ctx_access(env: Env, off: int, size: int, write: bool) -> Any:
    """What the argument at ``off`` is."""
    raise env.unsupported("context typed by BTF")
