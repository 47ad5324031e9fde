"""Where a walk begins: the first state of the main program and of every global function.

(``do_check_common``, ``do_check_main``, ``do_check_subprogs`` in kernel/bpf/verifier.c, Linux 6.18.)
"""

from __future__ import annotations

from errno import EFAULT, EINVAL
from typing import Any

from osmia.verifier.check import do_check
from osmia.verifier.consts import (
    MEM_RDONLY,
    PTR_MAYBE_NULL,
    PTR_TO_BTF_ID,
    PTR_TO_CTX,
    PTR_TO_MEM,
    PTR_TRUSTED,
    PTR_UNTRUSTED,
)
from osmia.verifier.dynptr import mark_dynptr_cb_reg
from osmia.verifier.dynptr_slots import LOCAL
from osmia.verifier.env import Env
from osmia.verifier.errors import Rejected
from osmia.verifier.func_args_early import match_func_args, prepare_func_args
from osmia.verifier.global_func import btf_prepare_func_args
from osmia.verifier.marks import mark_verifier_state_scratched, next_id, unknown_scalar
from osmia.verifier.regs import Reg, pointer
from osmia.verifier.state import Frame, State
from osmia.verifier.struct_ops import acquire_args

GLOBAL = 1  # linkage of a function in BTF


def do_check_main(env: Env) -> None:
    """Walk the main program.  Raises Rejected."""
    env.insn_idx = 0
    do_check_common(env, 0)


def do_check_subprogs(env: Env) -> None:
    """Walk every global function that is called, until no new one turns up.  Raises Rejected."""
    if not env.program.func_info:
        return
    if env.exception_callback_subprog:
        env.subprogs[env.exception_callback_subprog].called = True
    all_of_them = not env.rules.lazy_globals
    found = True
    while found:
        found = False
        for number, subprog in enumerate(env.subprogs):
            wanted = subprog.called or all_of_them
            if number and subprog.linkage == GLOBAL and wanted and not subprog.verified:
                check_global(env, number)
                found = True


def check_global(env: Env, number: int) -> None:
    """Walk one global function for every argument that its prototype allows."""
    subprog = env.subprogs[number]
    env.insn_idx = subprog.start
    do_check_common(env, number)
    if env.log.verbose:
        name = f" ('{subprog.name}')" if env.rules.lazy_globals else ""
        env.say(f"Func#{number}{name} is safe for any args that match its prototype\n")
    subprog.verified = True


def do_check_common(env: Env, number: int) -> None:
    """Walk function ``number`` from its first state; what was said of its paths is taken back below level 2."""
    env.prev_linfo = None
    env.pass_cnt += 1
    state = env.state = first_state(env, number)
    regs = state.frames[0].regs
    if number or "own type" in env.room:
        set_func_args(env, number, regs)
    else:
        regs[1] = pointer(PTR_TO_CTX)
        if env.program.func_info:
            judge_main_proto(env)
    if not number and env.prog_type == "struct_ops":
        acquire_args(env)
    do_check(env)
    if not env.log.level2:
        env.log.reset(0)
    free_states(env)


def first_state(env: Env, number: int) -> State:
    """One frame, nothing known."""
    state = State()
    state.branches = 1
    state.in_sleepable = env.sleepable
    state.frames = [Frame(-1, 0, number)]
    mark_verifier_state_scratched(env)
    state.first_insn_idx = env.subprogs[number].start
    state.last_insn_idx = -1
    return state


def judge_main_proto(env: Env) -> None:
    """A main program whose BTF does not say "one context" has BTF that extensions may not rely on."""
    main = env.subprogs[0]
    if not env.rules.args_of_prototype:
        no = match_func_args(env, 0, env.state.frames[0].regs, False)
        if no is not None and no.errno == EFAULT:
            raise no
        return
    try:
        btf_prepare_func_args(env, 0)
        main.unreliable = main.arg_cnt != 1 or main.args[0].base != "PTR_TO_CTX"
    except Rejected:
        main.unreliable = True


def free_states(env: Env) -> None:
    """Forget the states of a finished walk."""
    env.stack = []
    env.explored = [None] * env.n_insns
    env.scc_info = {}
    env.state = State()


def set_func_args(env: Env, number: int, regs: list[Reg]) -> None:
    """The arguments of a global function, from its BTF."""
    subprog = env.subprogs[number]
    env.say(f"Validating {subprog.name}() func#{number}...\n")
    if env.rules.args_of_prototype:
        btf_prepare_func_args(env, number)
    else:
        prepare_func_args(env, number)
        env.id_gen += sum(arg.base == "PTR_TO_MEM" for arg in subprog.args)  # each gets its id twice
    if subprog.is_exception_cb:
        env.state.frames[0].in_exception_callback_fn = True
        if subprog.arg_cnt != 1 or subprog.args[0].base != "ANYTHING":
            raise env.reject(EINVAL, "exception-cb-args", "exception cb only supports single integer argument\n")
    for i in range(subprog.arg_cnt):
        regs[i + 1] = argument(env, subprog.args[i])


def argument(env: Env, arg: Any) -> Reg:
    """The register that an argument arrives in."""
    if arg.base == "PTR_TO_CTX":
        return pointer(PTR_TO_CTX)
    if arg.base in ("ANYTHING", "PTR_TO_ARENA"):
        return unknown_scalar(env)
    if arg.base == "PTR_TO_MEM":
        reg = pointer(PTR_TO_MEM | (arg.flags & (PTR_MAYBE_NULL | PTR_UNTRUSTED | MEM_RDONLY)))
        reg.mem_size = arg.mem_size
        if arg.flags & PTR_MAYBE_NULL:
            reg.id = next_id(env)
        return reg
    if arg.base == "PTR_TO_DYNPTR":
        return mark_dynptr_cb_reg(env, LOCAL)
    reg = pointer(PTR_TO_BTF_ID | (arg.flags & (PTR_MAYBE_NULL | PTR_UNTRUSTED | PTR_TRUSTED)))
    reg.btf, reg.btf_id = env.vmlinux, arg.btf_id
    reg.id = next_id(env)
    return reg
