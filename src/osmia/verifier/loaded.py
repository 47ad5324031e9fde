"""What a load leaves in a register: an unknown number of some width, or zero.

The registers are made once and shared, since registers in a state never change.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.verifier.bounds import coerce_reg_to_size, coerce_reg_to_size_sx
    from osmia.verifier.consts import SCALAR_VALUE
    from osmia.verifier.env import Env
    from osmia.verifier.regs import Reg, known_value, unknown_value


def _zero(precise: bool) -> Reg:
    reg = known_value(0)
    reg.precise = precise
    return reg


def _unknown(precise: bool, size: int, signed: bool) -> Reg:
    reg = unknown_value(precise)
    if size < 8:
        if signed:
            coerce_reg_to_size_sx(reg, size)
        else:
            coerce_reg_to_size(None, reg, size)
    return reg


_ZEROS = [_zero(False), _zero(True)]
_UNKNOWN = [_unknown(False, 8, False), _unknown(True, 8, False)]
_LOADED = [
    _unknown(precise, size, signed) for precise in (False, True) for signed in (False, True) for size in range(1, 9)
]


_CONSTANTS: list[Reg | None] = [None] * 1024
"""Known numbers that were asked for lately."""


def constant(value: int) -> Reg:
    """The number ``value`` (u64), not marked precise; it may be shared and is not to be changed."""
    at = (value ^ value >> 10) & 1023
    reg = _CONSTANTS[at]
    if reg is None or reg.value != value:
        reg = _CONSTANTS[at] = known_value(value)
    return reg


def zero_scalar(env: Env) -> Reg:
    """The number 0; precise from the start for loaders without CAP_BPF."""
    reg = _ZEROS[0 if env.bpf_capable else 1]
    return reg


def any_scalar(env: Env) -> Reg:
    """Any 64-bit number."""
    reg = _UNKNOWN[0 if env.bpf_capable else 1]
    return reg


def loaded_scalar(env: Env, size: int, is_ldsx: bool) -> Reg:
    """Any number of ``size`` bytes (1, 2, 4, 8), zero- or sign-extended."""
    index = (0 if env.bpf_capable else 16) + (8 if is_ldsx else 0) + size - 1
    reg = _LOADED[index]
    return reg


def coerce_loaded(env: Env, regs: list[Reg], regno: int, size: int, is_ldsx: bool) -> None:
    """A scalar that came from ``size`` bytes of memory keeps no more than those, extended."""
    reg = regs[regno]
    if size == 8 or reg.type != SCALAR_VALUE:
        return
    if reg is any_scalar(env):
        regs[regno] = loaded_scalar(env, size, is_ldsx)
    elif reg is not zero_scalar(env):
        reg = reg.copy()
        if is_ldsx:
            coerce_reg_to_size_sx(reg, size)
        else:
            coerce_reg_to_size(env, reg, size)
        regs[regno] = reg
