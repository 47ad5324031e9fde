"""What messages call the argument of a kernel function: by its number, since Linux 7.1 by its register.

Arguments are counted from 0.
"""

from __future__ import annotations

from osmia.verifier.env import Env


def arg_name(env: Env, i: int) -> str:
    """``arg#0`` or ``R1``."""
    return _name(env, i, "arg#")


def arg_spaced(env: Env, i: int) -> str:
    """``arg #0`` or ``R1``."""
    return _name(env, i, "arg #")


def arg_plain(env: Env, i: int) -> str:
    """``arg0`` or ``R1``."""
    return _name(env, i, "arg")


def sized_args(env: Env, i: int) -> str:
    """Memory and its length, the argument behind it."""
    between = " and " if env.rules.args_by_register else " "
    return f"{arg_name(env, i)}{between}{arg_name(env, i + 1)}"


def _name(env: Env, i: int, word: str) -> str:
    return f"R{i + 1}" if env.rules.args_by_register else f"{word}{i}"
