"""Which functions of the kernel have an address: BTF also knows some that the compiler left only parts of.

Those (``name.isra.0`` and the like) can't be attached to.  Of the recorded kernels that is known; of another kernel
than those nothing is known but its BTF, and every function there counts as whole.
"""

from __future__ import annotations

from osmia.kernel.symbols import without_address
from osmia.verifier.env import Env


def has_address(env: Env, name: str) -> bool:
    """Is the function one whole, so that a program can be attached to it?"""
    return not env.room.get("recorded types") or name not in without_address(env.profile.name)
