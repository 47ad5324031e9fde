"""Arguments of functions before Linux 6.8, where each call and the main program match their registers with BTF.

Feature ``args-of-prototype`` chooses between this and ``func_args.py``.  What does not match is fatal for global
functions only, and told of all, the main program among them.  Before 5.12 (``global-memory-args``) there are only
numbers, and the context by the name of its struct.  (``btf_check_func_arg_match``,
``btf_prepare_func_args``, ``btf_get_prog_ctx_type`` in kernel/bpf/btf.c, Linux 5.10 and 6.1.)
"""

from __future__ import annotations

from errno import EFAULT, EINVAL

from osmia.btf import Enum, Func, FuncProto, Int, Ptr, Struct, Union
from osmia.verifier.consts import PTR_TO_CTX, SCALAR_VALUE
from osmia.verifier.env import Env
from osmia.verifier.errors import Rejected
from osmia.verifier.global_func import GLOBAL, SCALARS, SubprogArg, kind_name, memory_arg, program_btf
from osmia.verifier.helper_mem import check_mem_reg
from osmia.verifier.helper_types import check_func_arg_reg_off
from osmia.verifier.prog_ctx import USER_PT_REGS, ctx_struct, is_prog_ctx_type
from osmia.verifier.regions import check_ptr_off_reg
from osmia.verifier.regs import Reg

MAX_ARGS = 5


def match_func_args(env: Env, number: int, regs: list[Reg], is_call: bool) -> Rejected | None:
    """Why the registers do not match what function ``number`` takes by its BTF; the reason is in the log."""
    subprog = env.subprogs[number]
    if not env.program.func_info or subprog.unreliable:
        return Rejected(EINVAL, "func-unreliable-btf", "", env.insn_idx)
    try:
        name, proto = _prototype(env, number)
        if len(proto.params) > MAX_ARGS:
            text = f"Function {name} has {len(proto.params)} > {MAX_ARGS} args\n"
            raise env.reject(EINVAL, "func-args", text)
        for i, param in enumerate(proto.params):
            if env.rules.global_memory_args:
                _match_call(env, number, name, i, param.type_id, regs[i + 1], is_call)
            else:
                _match_arg(env, i, param.type_id, regs[i + 1])
    except Rejected as no:
        if no.errno == EFAULT:
            return no
        subprog.unreliable = True
        errno = no.errno if env.rules.global_memory_args else EINVAL
        return Rejected(errno, no.kind, no.text, env.insn_idx)
    return None


def _prototype(env: Env, number: int) -> tuple[str, FuncProto]:
    """A function's name and prototype.  Raises Rejected."""
    btf = program_btf(env)
    func = btf.type(env.subprogs[number].func_type_id)
    if not isinstance(func, Func):
        raise env.reject(EFAULT, "func-btf", f"BTF of func#{number} doesn't point to KIND_FUNC\n")
    proto = btf.type(func.type_id)
    if not isinstance(proto, FuncProto):
        raise env.reject(EFAULT, "func-btf", f"Invalid BTF of func {func.name}\n")
    return func.name, proto


def _match_arg(env: Env, i: int, type_id: int, reg: Reg) -> None:
    """One register against one argument.  Raises Rejected."""
    btf = program_btf(env)
    found = btf.type(btf.resolve(type_id))
    regno = i + 1
    if isinstance(found, Int | Enum):
        if reg.type != SCALAR_VALUE:
            raise env.reject(EINVAL, "func-arg-type", f"R{regno} is not a scalar\n", reg=regno)
        return
    if isinstance(found, Ptr):
        if reg.type == SCALAR_VALUE:
            raise env.reject(EINVAL, "func-arg-type", f"R{regno} is not a pointer\n", reg=regno)
        if leads_to_ctx(env, found, i):
            if reg.type != PTR_TO_CTX:
                text = f"arg#{i} expected pointer to ctx, but got {kind_name(found)}\n"
                raise env.reject(EINVAL, "func-arg-type", text, reg=regno)
            check_ptr_off_reg(env, reg, regno)
            return
    text = f"Unrecognized arg#{i} type {kind_name(found)}\n"
    raise env.reject(EINVAL, "func-arg", text, reg=regno)


def _match_call(env: Env, number: int, name: str, i: int, type_id: int, reg: Reg, is_call: bool) -> None:
    """The same from 5.12 on; memory is taken by global functions, and looked at where one is called."""
    btf = program_btf(env)
    found = btf.type(btf.resolve(type_id))
    regno = i + 1
    if isinstance(found, SCALARS):
        if reg.type != SCALAR_VALUE:
            raise env.reject(EINVAL, "func-arg-type", f"R{regno} is not a scalar\n", reg=regno)
        return
    if not isinstance(found, Ptr):
        raise env.reject(EINVAL, "func-arg", f"Unrecognized arg#{i} type {kind_name(found)}\n", reg=regno)
    check_func_arg_reg_off(env, reg, regno, 0, 0)
    subprog = env.subprogs[number]
    if is_prog_ctx_type(env, btf, found, i):
        if reg.type != PTR_TO_CTX:
            text = f"arg#{i} expected pointer to ctx, but got {kind_name(found)}\n"
            raise env.reject(EINVAL, "func-arg-type", text, reg=regno)
    elif is_call and subprog.linkage == GLOBAL:
        check_memory(env, regno, memory_arg(env, i, found, set()).mem_size, reg)
    else:
        text = f"reg type unsupported for arg#{i} function {name}#{subprog.func_type_id}\n"
        raise env.reject(EINVAL, "func-arg-type", text, reg=regno)


def check_memory(env: Env, regno: int, size: int, reg: Reg) -> None:
    """The memory rules' own errno is lost on the way."""
    try:
        check_mem_reg(env, reg, regno, size)
    except Rejected as no:
        no.errno = EINVAL
        raise


def leads_to_ctx(env: Env, ptr: Ptr, i: int) -> bool:
    """Does argument ``i`` point to a struct of the context's name?  Says so where it is no struct at all."""
    btf = program_btf(env)
    found = btf.type(btf.resolve(ptr.type_id))
    if not isinstance(found, Struct | Union):
        if env.log.verbose:
            env.say(f"arg#{i} type is not a struct\n")
        return False
    if not found.name:
        env.say(f"arg#{i} struct doesn't have a name\n")
        return False
    return found.name == ctx_struct(env.prog_type) or (env.prog_type == "kprobe" and found.name == USER_PT_REGS)


def is_context(env: Env, ptr: Ptr, i: int) -> bool:
    """Is argument ``i`` the context?"""
    if env.rules.global_memory_args:
        return is_prog_ctx_type(env, program_btf(env), ptr, i)
    return leads_to_ctx(env, ptr, i)


def prepare_func_args(env: Env, number: int) -> None:
    """What a global function's arguments are when it is walked by itself.  Raises Rejected."""
    subprog = env.subprogs[number]
    btf = program_btf(env)
    name, proto = _prototype(env, number)
    if subprog.unreliable:
        raise env.reject(EFAULT, "func-unreliable-btf", f"Verifier bug in function {name}()\n")
    if len(proto.params) > MAX_ARGS:
        text = f"Global function {name}() with {len(proto.params)} > {MAX_ARGS} args. Buggy compiler.\n"
        raise env.reject(EINVAL, "func-args", text)
    scalars = SCALARS if env.rules.global_memory_args else (Int, Enum)
    if not isinstance(btf.type(btf.resolve(proto.type_id)), scalars):
        text = f"Global function {name}() doesn't return scalar. Only those are supported.\n"
        raise env.reject(EINVAL, "func-return", text)
    args = []
    for i, param in enumerate(proto.params):
        found = btf.type(btf.resolve(param.type_id))
        if isinstance(found, scalars):
            args.append(SubprogArg("ANYTHING"))
        elif isinstance(found, Ptr) and is_context(env, found, i):
            args.append(SubprogArg("PTR_TO_CTX"))
        elif isinstance(found, Ptr) and env.rules.global_memory_args:
            args.append(memory_arg(env, i, found, set()))
        else:
            text = f"Arg#{i} type {kind_name(found)} in {name}() is not supported yet.\n"
            raise env.reject(EINVAL, "func-arg", text)
    subprog.args, subprog.arg_cnt, subprog.args_cached = args, len(args), True
