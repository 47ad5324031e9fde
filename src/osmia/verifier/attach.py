"""What the program attaches to, where the kernel's BTF names it: functions, tracepoints, iterators, struct members.

(``check_attach_btf_id``, ``bpf_check_attach_target`` and ``check_struct_ops_btf_id`` in kernel/bpf/verifier.c,
Linux 6.18.)  The prototype that is found stands in ``env.room["attach_proto"]``.
"""

from __future__ import annotations

from errno import EINVAL, EOPNOTSUPP
from typing import TYPE_CHECKING

from osmia.btf import Btf, Func, FuncProto, Ptr, Struct, Type, Typedef
from osmia.verifier.btf_info import known_type
from osmia.verifier.env import Env
from osmia.verifier.errors import Rejected

if TYPE_CHECKING:
    from osmia.kernel.profile import Shape

ENOTSUPP = 524
BTF_TRACE = "btf_trace_"
PREFIXES = {"trace_raw_tp": BTF_TRACE, "trace_iter": "bpf_iter_", "lsm_mac": "bpf_lsm_", "lsm_cgroup": "bpf_lsm_"}
"""What stands in front of a target's name in the kernel's BTF, by attach type."""
MAY_SLEEP = ("trace_fentry", "trace_fexit", "modify_return", "trace_iter")
FUNCTIONS = ("modify_return", "lsm_mac", "lsm_cgroup", "trace_fentry", "trace_fexit")
BY_BTF = ("tracing", "lsm", "ext")
GPL_LICENSES = ("GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL")
DENIED = ("migrate_disable", "migrate_enable", "rcu_read_unlock_strict", "__rcu_read_lock", "__rcu_read_unlock")
NO_RETURN = (
    *("__ia32_sys_exit", "__ia32_sys_exit_group", "__x64_sys_exit", "__x64_sys_exit_group", "do_exit"),
    *("do_group_exit", "kthread_complete_and_exit", "kthread_exit", "make_task_dead", "__module_put_and_kthread_exit"),
)
MAX_ARGS = 12
MAX_ARG_SIZE = 16


def check_attach_btf_id(env: Env) -> None:
    """May a program like this attach to what it names, and may it sleep there?  Raises Rejected, Unsupported."""
    if env.prog_type == "syscall":
        if not env.sleepable:
            raise env.reject(EINVAL, "syscall-sleepable", "Syscall programs can only be sleepable\n")
        return
    if env.sleepable and not can_be_sleepable(env):
        raise env.reject(
            EINVAL, "sleepable",
            "Only fentry/fexit/fmod_ret, lsm, iter, uprobe, and struct_ops programs can be sleepable\n",
        )  # fmt: skip
    if env.prog_type == "struct_ops":
        check_struct_ops_btf_id(env)
    elif env.prog_type in BY_BTF:
        check_attach_target(env)


def can_be_sleepable(env: Env) -> bool:
    """Is there a way to attach such a program where sleeping is fine?"""
    if env.prog_type == "tracing":
        return env.program.expected_attach_type in MAY_SLEEP
    return env.prog_type in ("lsm", "kprobe", "struct_ops")


def shape_of(env: Env) -> Shape:
    """The row of the profile that this program belongs to."""
    program = env.program
    return env.profile.shape(env.prog_type, program.expected_attach_type, program.attach_target)


# -- functions and tracepoints


def attach_btf_id(env: Env) -> int:
    """The id of the target in the kernel's BTF; 0 where the program names none that is there."""
    program = env.program
    if not program.attach_target or env.vmlinux is None or env.prog_type not in (*BY_BTF, "struct_ops"):
        return 0
    if env.prog_type == "struct_ops":
        return env.vmlinux.find(program.attach_target.partition(".")[0], Struct) or 0
    name = PREFIXES.get(program.expected_attach_type, "") + program.attach_target
    return env.vmlinux.find(name, Typedef if name.startswith(BTF_TRACE) else Func) or 0


def check_attach_target(env: Env) -> None:
    """The target's kind and prototype, by attach type."""
    kind = env.program.expected_attach_type
    target_id = attach_btf_id(env)
    btf = env.vmlinux
    if not target_id or btf is None:
        raise env.reject(EINVAL, "no-attach-btf-id", "Tracing programs must provide btf_id\n")
    if env.prog_type == "ext":
        raise env.reject(EINVAL, "ext-kernel", "Cannot replace kernel functions\n")
    found = btf.type(target_id)
    if kind == "trace_raw_tp":
        proto = tracepoint_proto(env, btf, target_id, found)
    elif kind == "trace_iter" or kind in FUNCTIONS:
        proto = function_proto(env, btf, target_id, found)
        distill_func_proto(env, btf, proto, found.name)
    else:
        raise env.reject(EINVAL, "attach-type", "")
    env.room["attach_proto"], env.room["attach_name"] = proto, found.name
    if kind == "trace_iter":
        shape = shape_of(env)
        if shape.errno:
            raise env.reject(shape.errno, "iterator", "")
    elif kind != "trace_raw_tp":
        check_function(env, kind, found.name)


def tracepoint_proto(env: Env, btf: Btf, target_id: int, found: Type) -> FuncProto:
    """The prototype behind ``btf_trace_NAME``: with argument names where the template's function has them."""
    if not isinstance(found, Typedef):
        raise env.reject(EINVAL, "tracepoint-kind", f"attach_btf_id {target_id} is not a typedef\n")
    if not found.name.startswith(BTF_TRACE):
        text = f"attach_btf_id {target_id} points to wrong type name {found.name}\n"
        raise env.reject(EINVAL, "tracepoint-name", text)
    template = btf.find("__bpf_trace_" + found.name.removeprefix(BTF_TRACE), Func)
    func = btf.type(template) if template else None
    pointer = btf.type(found.type_id)
    proto_id = func.type_id if isinstance(func, Func) else pointer.type_id if isinstance(pointer, Ptr) else 0
    proto = known_type(btf, proto_id)
    if not isinstance(proto, FuncProto):
        raise env.reject(EINVAL, "tracepoint-proto", "")
    return proto


def function_proto(env: Env, btf: Btf, target_id: int, found: Type) -> FuncProto:
    """The prototype of a function."""
    if not isinstance(found, Func):
        raise env.reject(EINVAL, "target-kind", f"attach_btf_id {target_id} is not a function\n")
    proto = known_type(btf, found.type_id)
    if not isinstance(proto, FuncProto):
        raise env.reject(EINVAL, "target-proto", "")
    return proto


def distill_func_proto(env: Env, btf: Btf, proto: FuncProto, name: str) -> None:
    """Can a trampoline hand on these arguments?  (``btf_distill_func_proto`` in kernel/bpf/btf.c.)"""
    if len(proto.params) > MAX_ARGS:
        text = f"The function {name} has {len(proto.params)} arguments. Too many.\n"
        raise env.reject(EINVAL, "too-many-arguments", text)
    result = btf.type(btf.resolve(proto.type_id))
    if proto.type_id and isinstance(result, Struct) and result.size > 8:
        text = f"The function {name} return type struct is unsupported.\n"
        raise env.reject(EINVAL, "return-struct", text)
    for i, param in enumerate(proto.params):
        kind = btf.type(btf.resolve(param.type_id))
        if not param.name and not param.type_id:
            text = f"The function {name} with variable args is unsupported.\n"
            raise env.reject(EINVAL, "variadic", text)
        if isinstance(kind, Struct) and kind.size > MAX_ARG_SIZE:
            text = f"The function {name} arg{i} type struct is unsupported.\n"
            raise env.reject(EINVAL, "argument-struct", text)


def check_function(env: Env, kind: str, name: str) -> None:
    """May this function be traced, changed or guarded?"""
    if env.sleepable:
        raise env.unsupported("sleepable fentry, fexit, fmod_ret and LSM programs")
    if kind == "modify_return" and not name.startswith("security_"):
        raise env.unsupported("fmod_ret of functions that are not security hooks")
    if env.prog_type == "lsm":
        check_lsm(env, name)
    elif name in DENIED:
        text = f"Attaching tracing programs to function '{name}' is rejected.\n"
        raise env.reject(EINVAL, "denied-function", text)
    elif kind in ("trace_fexit", "modify_return") and name in NO_RETURN:
        text = f"Attaching fexit/fmod_ret to __noreturn function '{name}' is rejected.\n"
        raise env.reject(EINVAL, "noreturn-function", text)


def check_lsm(env: Env, name: str) -> None:
    """LSM programs are GPL and attach to the hooks' own functions (``bpf_lsm_verify_prog``, kernel/bpf/bpf_lsm.c)."""
    if env.program.license not in GPL_LICENSES:
        raise env.reject(EINVAL, "lsm-license", "LSM programs must have a GPL compatible license\n")
    if not name.startswith("bpf_lsm_"):
        target_id = attach_btf_id(env)
        raise env.reject(EINVAL, "lsm-hook", f"attach_btf_id {target_id} points to wrong type name {name}\n")


# -- struct_ops


def check_struct_ops_btf_id(env: Env) -> None:
    """The member of a struct of functions that the program stands in for."""
    if env.program.license not in GPL_LICENSES:
        text = "struct ops programs must have a GPL compatible license\n"
        raise env.reject(EINVAL, "struct-ops-license", text)
    target_id = attach_btf_id(env)
    btf = env.vmlinux
    if not target_id or btf is None:
        raise env.reject(ENOTSUPP, "struct-ops-target", "")
    found = btf.type(target_id)
    assert isinstance(found, Struct)
    if not btf.find(f"bpf_struct_ops_{found.name}", Struct):
        raise env.reject(ENOTSUPP, "struct-ops-struct", f"attach_btf_id {target_id} is not a supported struct\n")
    env.room["attach_proto"], env.room["attach_name"] = member_proto(env, btf, found)


def member_proto(env: Env, btf: Btf, found: Struct) -> tuple[FuncProto, str]:
    """The prototype and name of the member whose number is the expected attach type."""
    number = int(env.program.expected_attach_type or "0")
    if number >= len(found.members):
        text = f"attach to invalid member idx {number} of struct {found.name}\n"
        raise env.reject(EINVAL, "struct-ops-member", text)
    member = found.members[number]
    pointer = btf.type(btf.resolve(member.type_id))
    proto = btf.type(btf.resolve(pointer.type_id)) if isinstance(pointer, Ptr) else None
    if not isinstance(proto, FuncProto):
        text = f"attach to invalid member {member.name}(@idx {number}) of struct {found.name}\n"
        raise env.reject(EINVAL, "struct-ops-function", text)
    shape = shape_of(env)
    if shape.errno or (env.sleepable and shape.sleepable == "no"):
        raise unsupported_member(env, shape, member.name, found.name)
    return proto, member.name


def unsupported_member(env: Env, shape: Shape, member: str, struct: str) -> Rejected:
    """The kernel has no use for a program there."""
    text = f"attach to unsupported member {member} of struct {struct}\n"
    return env.reject(shape.errno or EOPNOTSUPP, "struct-ops-unsupported", text)
