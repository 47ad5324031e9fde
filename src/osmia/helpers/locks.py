"""Spin locks that are not to be had at once (else ``fast_control``): another thread has them, or they are misused.

A lock's word holds a number of the run that has it, 0 while it is free.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from osmia.errors import Fault
from osmia.helpers.registry import helper
from osmia.raw import ld32

if TYPE_CHECKING:
    from osmia.vm.env import Env

PATIENCE_S = 1.0
"""So long another thread may keep a lock: its program may have ended without letting it go."""


def owner(run: int) -> int:
    """What a lock's word holds while the run at that address has it."""
    return run >> 4 & 0xFFFFFFFF


@helper("bpf_spin_lock")
def spin_lock(env: Env, lock: int) -> int:
    """Let other threads run until the lock is free.  Fault when it stays taken, or is the run's own."""
    end = time.monotonic() + PATIENCE_S
    while ld32(lock) != owner(env.run) and time.monotonic() < end:
        time.sleep(0)
        if not ld32(lock):
            return 0
    raise Fault(f"the lock at {env.memory.describe(lock)} is taken already", address=lock)


@helper("bpf_spin_unlock")
def spin_unlock(env: Env, lock: int) -> int:
    """Fault: what the run does not have it can't let go."""
    raise Fault(f"the lock at {env.memory.describe(lock)} is not taken", address=lock)
