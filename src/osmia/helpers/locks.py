"""Spin locks.  Nothing runs beside the program here, so they only tell misuse: twice locked, not locked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osmia.errors import Fault
from osmia.helpers.registry import helper
from osmia.raw import ld32, st32

if TYPE_CHECKING:
    from osmia.vm.env import Env


@helper("bpf_spin_lock")
def spin_lock(env: Env, lock: int) -> int:
    """Take the lock."""
    env.check(lock, 4, True)
    if ld32(lock):
        raise Fault(f"the lock at {env.memory.describe(lock)} is taken already", address=lock)
    st32(lock, 1)
    return 0


@helper("bpf_spin_unlock")
def spin_unlock(env: Env, lock: int) -> int:
    """Let the lock go."""
    env.check(lock, 4, True)
    if not ld32(lock):
        raise Fault(f"the lock at {env.memory.describe(lock)} is not taken", address=lock)
    st32(lock, 0)
    return 0
