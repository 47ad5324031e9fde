"""What a program may return.

(``check_return_code`` in kernel/bpf/verifier.c; Linux 6.18.  Which program may return what stands in the profile.)
"""

from __future__ import annotations

from errno import EACCES, EINVAL

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.btf import Ptr
from osmia.verifier.attach_lsm import retval_range
from osmia.verifier.ctx import shape_of
from osmia.verifier.errors import Rejected

if not cython.compiled:
    from osmia.verifier.backtrack import mark_chain_precision
    from osmia.verifier.consts import S64_MAX, S64_MIN, SCALAR_VALUE, U64_MAX
    from osmia.verifier.env import Env
    from osmia.verifier.marks import check_reg_arg
    from osmia.verifier.regions import check_ptr_off_reg
    from osmia.verifier.regs import Reg
    from osmia.verifier.tnum import tnum_range


ASYNC = "At async callback"
"""How kernels before 6.8 begin to say what is wrong with an asynchronous callback's end."""


def check_return_code(env: Env, regno: int, reg_name: str) -> None:
    """May the program, global function or asynchronous callback end with what R``regno`` holds?  Raises Rejected."""
    frame = env.state.frames[0]
    in_subprog = frame.subprogno != 0 and not frame.in_exception_callback_fn
    if not in_subprog and (returns_nothing(env) or returns_object(env, frame.in_exception_callback_fn, regno)):
        return
    check_reg_arg(env, regno, 0)
    reg = env.state.regs()[regno]
    if not env.allow_ptr_leaks and reg.type != SCALAR_VALUE:
        raise env.reject(EACCES, "return-pointer", f"R{regno} leaks addr as return value\n", reg=regno)
    if frame.in_async_callback_fn:
        low, high = frame.callback_ret_min, frame.callback_ret_max
        where = "At async callback return" if env.rules.async_returns_told else ASYNC
        _enforce(env, regno, reg_name, low, high, where, False)
    elif in_subprog:
        if reg.type != SCALAR_VALUE:
            found = env.type_str(reg.type)
            text = f"At subprogram exit the register R{regno} is not a scalar value ({found})\n"
            raise env.reject(EINVAL, "return-not-scalar", text, reg=regno, found=found)
    else:
        returns, short = main_range(env)
        if returns is not None:
            low, high = returns
            _enforce(env, regno, reg_name, low, high, "At program exit", short)


def returns_nothing(env: Env) -> bool:
    """Does it stand in for a hook or a member that is void?  Then nobody looks at R0."""
    if env.prog_type not in ("lsm", "struct_ops") or env.program.expected_attach_type == "lsm_cgroup":
        return False
    proto = env.room.get("attach_proto")
    return proto is not None and not proto.type_id


def returns_object(env: Env, in_exception_callback: bool, regno: int) -> bool:
    """Does a struct_ops program end with a referenced object of the type that its member returns?  Raises Rejected."""
    if env.prog_type != "struct_ops" or in_exception_callback:
        return False
    struct = returned_struct(env)
    reg = env.state.regs()[regno]
    if struct < 0 or reg.btf is not env.vmlinux or reg.btf_id != struct or not reg.ref_obj_id:
        return False
    check_ptr_off_reg(env, reg, regno)
    return True


def returned_struct(env: Env) -> int:
    """The BTF id of what the member's result points to; -1 where it returns a number."""
    btf, proto = env.room["attach_btf"], env.room["attach_proto"]
    found = btf.type(btf.resolve(proto.type_id))
    return btf.resolve(found.type_id) if isinstance(found, Ptr) else -1


def main_range(env: Env) -> tuple[tuple[int, int] | None, bool]:
    """What the main function may return, None for anything; True where only the lower 32 bits count."""
    if env.prog_type == "lsm":
        if env.program.expected_attach_type != "lsm_cgroup":
            return retval_range(env), True
        return (0, 1) if env.room["attach_proto"].type_id else (1, 1), False
    if env.prog_type == "struct_ops":
        return (0, 0) if returned_struct(env) >= 0 else None, False
    return shape_of(env).returns, False


def _enforce(env: Env, regno: int, reg_name: str, low: int, high: int, where: str, short: bool) -> None:
    reg = env.state.regs()[regno]
    if reg.type != SCALAR_VALUE:
        found = env.type_str(reg.type)
        said = "In async callback" if where == ASYNC else where
        text = f"{said} the register R{regno} is not a known value ({found})\n"
        raise env.reject(EINVAL, "return-not-scalar", text, reg=regno, found=found)
    if env.rules.exact_return_ranges:
        mark_chain_precision(env, regno)
    if not returns_within(env, reg, low, high, short):
        refused = invalid_scalar(env, reg, low, high, where, reg_name)
        if env.prog_type == "lsm" and env.program.expected_attach_type == "lsm_cgroup" and low == 1:
            env.say("Note, BPF_LSM_CGROUP that attach to void LSM hooks can't modify return value!\n")
        raise refused


def returns_within(env: Env, reg: Reg, low: int, high: int, short: bool) -> bool:
    """Is every value of the scalar in a range?  ``short``: its low 32 bits are."""
    if not env.rules.exact_return_ranges:
        value, mask = tnum_range(low & U64_MAX, high & U64_MAX)
        return not reg.mask & ~mask and reg.value & ~mask == value
    return (reg.s32_min >= low and reg.s32_max <= high) if short else (reg.smin >= low and reg.smax <= high)


def invalid_scalar(env: Env, reg: Reg, low: int, high: int, where: str, reg_name: str) -> Rejected:
    """A number that should have been in a range (``verbose_invalid_scalar``)."""
    if not env.rules.exact_return_ranges:
        known = f"value {env.tnum_str(reg.value, reg.mask)}" if reg.mask != U64_MAX else "unknown scalar value"
        value, mask = tnum_range(low & U64_MAX, high & U64_MAX)
        wanted = env.tnum_str(value, mask)
        text = f"{where} the register {reg_name} has {known} should have been in {wanted}\n"
        return env.reject(EINVAL, "return-range", text, reg=0, expected=(low, high), found=(reg.smin, reg.smax))
    known = f" smin={reg.smin}" if reg.smin > S64_MIN else ""
    known += f" smax={reg.smax}" if reg.smax < S64_MAX else ""
    text = (
        f"{where} the register {reg_name} has{known or ' unknown scalar value'} should have been in [{low}, {high}]\n"
    )
    return env.reject(EINVAL, "return-range", text, reg=0, expected=(low, high), found=(reg.smin, reg.smax))
