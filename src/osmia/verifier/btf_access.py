"""Loads through pointers that BTF types: kernel structs, and maps as the kernel sees them."""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.verifier.env import Env


def check_ptr_to_btf_access(env: Env, regno: int, off: int, size: int, t: int, value_regno: int) -> None:
    """An access of ``size`` bytes at ``off`` of the struct behind R``regno``."""
    raise env.unsupported("BTF pointers")


def check_ptr_to_map_access(env: Env, regno: int, off: int, size: int, t: int, value_regno: int) -> None:
    """An access to ``struct bpf_map`` through a map pointer."""
    raise env.unsupported("loads through map pointers")
