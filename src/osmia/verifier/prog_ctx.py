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
CTX_CONVERT = "bpf_ctx_convert"
"""The struct that pairs what programs see with what the kernel has."""
USER_PT_REGS = "bpf_user_pt_regs_t"
ANY_CTX = ("tracepoint", "syscall", "ext")
U64_CTX = ("raw_tracepoint", "raw_tracepoint_writable", "lsm", "struct_ops")
U64_ATTACH = ("trace_raw_tp", "trace_fentry", "trace_fexit", "modify_return")


def ctx_struct(kind: str) -> str:
    """The struct that programs of a type have as context; empty when they have none with a name."""
    name = prog_type(kind).context
    return name.removeprefix("struct ") if name.startswith("struct ") else ""


def is_prog_ctx_type(env: Env, btf: Btf, ptr: Ptr, i: int, kind: str = "") -> bool:
    """Does the pointer lead to a program type's context, by name?  The program's own, where no ``kind`` is given."""
    kind = kind or env.prog_type
    if kind == "kprobe" and _is_user_pt_regs(btf, ptr.type_id):
        return True
    found = btf.type(btf.resolve(ptr.type_id))
    if not isinstance(found, (Struct, Union)):
        return False
    wanted = ctx_struct(kind)
    if kind == "kprobe" and found.name == USER_PT_REGS:
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
    wanted = ctx_struct(env.prog_type)
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


def kernel_ctx(env: Env, kind: str) -> int:
    """The BTF id of the kernel's own struct behind the context of programs of a type (``find_kern_ctx_type_id``).

    It may be no struct; 0 where the kernel's BTF does not say.
    """
    btf = env.vmlinux
    found = btf.find(CTX_CONVERT, Struct) if btf else None
    made = btf.type(found) if btf and found else None
    members = {m.name: m.type_id for m in made.members} if isinstance(made, Struct) else {}
    return members.get(f"BPF_PROG_TYPE_{kind.upper()}_kern", 0)
