"""Does a call of a function of the program pass what the function's BTF says it takes?

(``btf_check_subprog_call`` in kernel/bpf/verifier.c; Linux 6.18.)
"""

from __future__ import annotations

from errno import EFAULT, EINVAL

from osmia.verifier.call_meta import CallMeta
from osmia.verifier.consts import (
    ARG_PTR_TO_BTF_ID,
    ARG_PTR_TO_DYNPTR,
    PTR_MAYBE_NULL,
    PTR_TO_ARENA,
    PTR_TO_CTX,
    PTR_UNTRUSTED,
    SCALAR_VALUE,
)
from osmia.verifier.dynptr import process_dynptr_func
from osmia.verifier.env import Env
from osmia.verifier.errors import Rejected
from osmia.verifier.func_args_early import check_memory, match_func_args
from osmia.verifier.global_func import SubprogArg, btf_prepare_func_args
from osmia.verifier.helper_types import check_func_arg_reg_off, check_reg_type
from osmia.verifier.kptrs import is_null
from osmia.verifier.regs import Reg
from osmia.verifier.text import btf_type_name


def btf_check_subprog_call(env: Env, number: int, regs: list[Reg]) -> Rejected | None:
    """Why the arguments of function ``number`` do not match its BTF, which is fatal for global functions only.

    The reason is in the log already.  EFAULT is fatal for static functions, too.
    """
    subprog = env.subprogs[number]
    if not env.rules.args_of_prototype:
        return match_func_args(env, number, regs, True)
    if not env.program.func_info:
        return Rejected(EINVAL, "func-no-btf", "", env.insn_idx)
    if not subprog.func_type_id:
        return Rejected(EFAULT, "func-no-btf", "", env.insn_idx)
    if subprog.unreliable:
        return Rejected(EINVAL, "func-unreliable-btf", "", env.insn_idx)
    try:
        btf_prepare_func_args(env, number)
        for i, arg in enumerate(subprog.args):
            _check_arg(env, i, arg, regs[i + 1])
    except Rejected as no:
        subprog.unreliable = True
        return no
    return None


def _check_arg(env: Env, i: int, arg: SubprogArg, reg: Reg) -> None:
    """One register against one argument.  Raises Rejected."""
    regno = i + 1
    if arg.base == "ANYTHING":
        if reg.type != SCALAR_VALUE:
            raise env.reject(EINVAL, "func-arg-type", f"R{regno} is not a scalar\n", reg=regno)
    elif arg.flags & PTR_UNTRUSTED:
        pass  # may be anything: what is read through it is read with care
    elif arg.base == "PTR_TO_CTX":
        check_func_arg_reg_off(env, reg, regno, 0, 0)
        if reg.type != PTR_TO_CTX:
            raise env.reject(EINVAL, "func-arg-type", f"arg#{i} expects pointer to ctx\n", reg=regno)
    elif arg.base == "PTR_TO_MEM":
        check_func_arg_reg_off(env, reg, regno, 0, 0)
        check_memory(env, regno, arg.mem_size, reg)
        if not arg.flags & PTR_MAYBE_NULL and reg.type & PTR_MAYBE_NULL:
            raise env.reject(EINVAL, "func-arg-null", f"arg#{i} is expected to be non-NULL\n", reg=regno)
    elif arg.base == "PTR_TO_DYNPTR":
        check_func_arg_reg_off(env, reg, regno, ARG_PTR_TO_DYNPTR, 0)
        process_dynptr_func(env, regno, -1, arg.flags)
    elif arg.base == "PTR_TO_ARENA":
        if reg.type != PTR_TO_ARENA and reg.type != SCALAR_VALUE:
            text = f"R{regno} is not a pointer to arena or scalar.\n"
            raise env.reject(EINVAL, "func-arg-type", text, reg=regno)
    elif not (arg.flags & PTR_MAYBE_NULL and is_null(reg)):
        meta = CallMeta(0)
        meta.btf_id = arg.btf_id
        wanted = btf_type_name(env.vmlinux, arg.btf_id)
        check_reg_type(env, regno, ARG_PTR_TO_BTF_ID, arg.flags, wanted, meta)
        check_func_arg_reg_off(env, reg, regno, ARG_PTR_TO_BTF_ID, arg.flags)
