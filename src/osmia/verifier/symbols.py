"""Which functions of the kernel have an address: what kallsyms says, where the judge is the running kernel.

BTF also knows functions of which the compiler left only parts (``name.isra.0``); those can't be attached to.  Of
another kernel than the running one nothing is known but its BTF, and every function there counts as present.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from osmia.verifier.env import Env

KALLSYMS = Path("/proc/kallsyms")


def has_address(env: Env, name: str) -> bool:
    """Is the function one whole, so that a program can be attached to it?"""
    if not env.room.get("running kernel"):
        return True
    names = symbol_names()
    return not names or name in names


@cache
def symbol_names() -> frozenset[str]:
    """The names in /proc/kallsyms of the kernel itself; none where they can't be read."""
    try:
        lines = KALLSYMS.read_text("utf-8").splitlines()
    except OSError:
        return frozenset()
    return frozenset(line.split()[2] for line in lines if "\t[" not in line)
