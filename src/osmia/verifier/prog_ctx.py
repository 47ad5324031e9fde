"""Does a function's argument take the program's context?

(``btf_is_prog_ctx_type``, ``btf_validate_prog_ctx_type`` in kernel/bpf/btf.c; Linux 6.18.)
"""

from __future__ import annotations

from errno import EINVAL

from osmia.btf import Btf, Int, Ptr, Struct, Typedef, Union, Void
from osmia.btf import types as t
from osmia.kernel.prog_types import prog_type
from osmia.verifier.env import Env

PROJECTIONS = {"__sk_buff": "sk_buff", "xdp_md": "xdp_buff"}
"""What the kernel itself calls a context that programs see as another struct."""
USER_PT_REGS = "bpf_user_pt_regs_t"
ANY_CTX = ("tracepoint", "syscall", "ext")
U64_CTX = ("raw_tracepoint", "raw_tracepoint_writable", "lsm", "struct_ops")
U64_ATTACH = ("trace_raw_tp", "trace_fentry", "trace_fexit", "modify_return")


def ctx_struct(env: Env) -> str:
    """The struct that the program's type has as context; empty when it has none with a name."""
    name = prog_type(env.prog_type).context
    return name.removeprefix("struct ") if name.startswith("struct ") else ""


def is_prog_ctx_type(env: Env, btf: Btf, ptr: Ptr, i: int) -> bool:
    """Does the pointer lead to the program type's context, by name?"""
    if env.prog_type == "kprobe" and _is_user_pt_regs(btf, ptr.type_id):
        return True
    found = btf.type(btf.resolve(ptr.type_id))
    if not isinstance(found, (Struct, Union)):
        return False
    wanted = ctx_struct(env)
    if env.prog_type == "kprobe" and found.name == USER_PT_REGS:
        return True
    return bool(wanted) and found.name in (wanted, PROJECTIONS.get(wanted, wanted))


def _is_user_pt_regs(btf: Btf, type_id: int) -> bool:
    """Is the first typedef behind the modifiers the one for registers?"""
    found = btf.type(type_id)
    while isinstance(found, (t.Const, t.Volatile, t.Restrict, t.TypeTag)):
        found = btf.type(found.type_id)
    return isinstance(found, Typedef) and found.name == USER_PT_REGS


def validate_prog_ctx_type(env: Env, btf: Btf, ptr: Ptr, i: int) -> None:
    """May an argument with the tag ``arg:ctx`` be of that type?  Raises Rejected."""
    if env.prog_type in ("kprobe", "perf_event") and _is_user_pt_regs(btf, ptr.type_id):
        return
    found = btf.type(btf.resolve(ptr.type_id))
    if isinstance(found, Void):
        return
    name = getattr(found, "name", "")
    if not name:
        raise env.reject(EINVAL, "ctx-arg", f"arg#{i} type doesn't have a name\n")
    if _is_special(env, found, name):
        return
    wanted = ctx_struct(env)
    if not wanted:
        raise env.reject(EINVAL, "ctx-arg", f"arg#{i} should be void pointer\n")
    if not isinstance(found, (Struct, Union)) or name != wanted:
        raise env.reject(EINVAL, "ctx-arg", f"arg#{i} should be `struct {wanted} *`\n")


def _is_special(env: Env, found: t.Type, name: str) -> bool:
    """Contexts that some program types have beside the struct of their own."""
    is_struct = isinstance(found, (Struct, Union))
    is_u64 = isinstance(found, Int) and found.size == 8
    attach = env.program.expected_attach_type
    if env.prog_type in ANY_CTX:
        return True
    if env.prog_type in ("kprobe", "perf_event"):
        return is_struct and name == "pt_regs"
    if env.prog_type in U64_CTX:
        return is_u64
    if env.prog_type != "tracing":
        return False
    if attach == "trace_iter":
        return is_struct and name.startswith("bpf_iter__")
    if attach == "trace_raw_tp" and is_struct and name == "bpf_raw_tracepoint_args":
        return True
    return attach in U64_ATTACH and is_u64
