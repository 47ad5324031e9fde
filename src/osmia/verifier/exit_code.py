"""What a program may return.

(``check_return_code`` in kernel/bpf/verifier.c; Linux 6.18.  Which program may return what stands in the profile.)
"""

from __future__ import annotations

from errno import EACCES, EINVAL

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.verifier.ctx import shape_of
from osmia.verifier.errors import Rejected

if not cython.compiled:
    from osmia.verifier.backtrack import mark_chain_precision
    from osmia.verifier.consts import S64_MAX, S64_MIN, SCALAR_VALUE
    from osmia.verifier.env import Env
    from osmia.verifier.marks import check_reg_arg
    from osmia.verifier.regs import Reg


def check_return_code(env: Env, regno: int, reg_name: str) -> None:
    """May the program, global function or asynchronous callback end with what R``regno`` holds?  Raises Rejected."""
    frame = env.state.frames[0]
    in_subprog = frame.subprogno != 0 and not frame.in_exception_callback_fn
    shape = shape_of(env)
    if not in_subprog and returns_nothing(env):
        return
    if not in_subprog and shape.returns_by_rule:
        raise env.unsupported(f"return values of {env.prog_type} programs")
    check_reg_arg(env, regno, 0)
    reg = env.state.regs()[regno]
    if not env.allow_ptr_leaks and reg.type != SCALAR_VALUE:
        raise env.reject(EACCES, "return-pointer", f"R{regno} leaks addr as return value\n", reg=regno)
    if frame.in_async_callback_fn:
        low, high = frame.callback_ret_min, frame.callback_ret_max
        _enforce(env, regno, reg_name, low, high, "At async callback return")
    elif in_subprog:
        if reg.type != SCALAR_VALUE:
            found = env.type_str(reg.type)
            text = f"At subprogram exit the register R{regno} is not a scalar value ({found})\n"
            raise env.reject(EINVAL, "return-not-scalar", text, reg=regno, found=found)
    elif shape.returns is not None:
        low, high = shape.returns
        _enforce(env, regno, reg_name, low, high, "At program exit")


def returns_nothing(env: Env) -> bool:
    """Does it stand in for a hook or a member that is void?  Then nobody looks at R0."""
    if env.prog_type not in ("lsm", "struct_ops") or env.program.expected_attach_type == "lsm_cgroup":
        return False
    proto = env.room.get("attach_proto")
    return proto is not None and not proto.type_id


def _enforce(env: Env, regno: int, reg_name: str, low: int, high: int, where: str) -> None:
    reg = env.state.regs()[regno]
    if reg.type != SCALAR_VALUE:
        found = env.type_str(reg.type)
        text = f"{where} the register R{regno} is not a known value ({found})\n"
        raise env.reject(EINVAL, "return-not-scalar", text, reg=regno, found=found)
    mark_chain_precision(env, regno)
    if reg.smin < low or reg.smax > high:
        raise invalid_scalar(env, reg, low, high, where, reg_name)


def invalid_scalar(env: Env, reg: Reg, low: int, high: int, where: str, reg_name: str) -> Rejected:
    """A number that should have been in a range (``verbose_invalid_scalar``)."""
    known = f" smin={reg.smin}" if reg.smin > S64_MIN else ""
    known += f" smax={reg.smax}" if reg.smax < S64_MAX else ""
    text = (
        f"{where} the register {reg_name} has{known or ' unknown scalar value'} should have been in [{low}, {high}]\n"
    )
    return env.reject(EINVAL, "return-range", text, reg=0, expected=(low, high), found=(reg.smin, reg.smax))
