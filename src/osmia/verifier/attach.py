"""What the program attaches to, where BTF names it: functions, tracepoints, iterators, struct members, programs.

(``check_attach_btf_id`` and ``bpf_check_attach_target`` in kernel/bpf/verifier.c, Linux 6.18.)  What is found stands in
``env.room``: "attach_proto" (None: nothing is sure about the arguments), "attach_name" and "attach_btf".
"""

from __future__ import annotations

from errno import EINVAL, ENOENT
from typing import TYPE_CHECKING

from osmia.btf import Btf, Func, FuncProto, Ptr, Struct, Type, Typedef
from osmia.kernel.attach import is_in
from osmia.verifier.attach_lsm import is_sleepable_hook, verify_lsm
from osmia.verifier.attach_prog import Target, check_target, inherit, match_extension
from osmia.verifier.btf_info import known_type
from osmia.verifier.env import Env
from osmia.verifier.kfunc_meta import distill_func_proto
from osmia.verifier.struct_ops import check_struct_ops_btf_id
from osmia.verifier.symbols import has_address

if TYPE_CHECKING:
    from osmia.kernel.profile import Shape

BTF_TRACE = "btf_trace_"
PREFIXES = {"trace_raw_tp": BTF_TRACE, "trace_iter": "bpf_iter_", "lsm_mac": "bpf_lsm_", "lsm_cgroup": "bpf_lsm_"}
"""What stands in front of a target's name in the kernel's BTF, by attach type."""
MAY_SLEEP = ("trace_fentry", "trace_fexit", "modify_return", "trace_iter")
FAULTABLE = ("sys_enter", "sys_exit")
"""Tracepoints where a page of the user's may be missing."""
FUNCTIONS = ("modify_return", "lsm_mac", "lsm_cgroup", "trace_fentry", "trace_fexit")
BY_BTF = ("tracing", "lsm", "ext")
SECURITY = "security_"


def check_attach_btf_id(env: Env) -> None:
    """May a program like this attach to what it names, and may it sleep there?  Raises Rejected."""
    if env.prog_type == "syscall":
        if not env.sleepable:
            raise env.reject(EINVAL, "syscall-sleepable", "Syscall programs can only be sleepable\n")
        return
    if env.sleepable and not can_be_sleepable(env):
        raise env.reject(EINVAL, "sleepable", sleepable_text(env))
    if env.prog_type == "struct_ops":
        check_struct_ops_btf_id(env, attach_btf_id(env))
    elif env.prog_type in BY_BTF:
        check_attach_target(env)


def can_be_sleepable(env: Env) -> bool:
    """Is there a way to attach such a program where sleeping is fine?"""
    kind = env.program.expected_attach_type
    if not env.rules.sleepable_by_attach_type:
        return env.prog_type in ("tracing", "lsm") or (env.prog_type == "kprobe" and env.rules.sleepable_uprobes)
    if env.prog_type == "tracing":
        faultable = env.rules.sleepable_tracepoints and env.program.attach_target in FAULTABLE
        return kind in MAY_SLEEP or (kind == "trace_raw_tp" and faultable)
    if env.prog_type == "lsm":
        return kind != "lsm_cgroup"
    return env.prog_type in ("kprobe", "struct_ops")


def sleepable_text(env: Env) -> str:
    """What the log says of a program that may not sleep."""
    if not env.rules.sleepable_by_attach_type:
        others = ", lsm, and kprobe/uprobe" if env.rules.sleepable_uprobes else " and lsm"
        return f"Only fentry/fexit/fmod_ret{others} programs can be sleepable\n"
    if not env.rules.sleepable_tracepoints:
        return "Only fentry/fexit/fmod_ret, lsm, iter, uprobe, and struct_ops programs can be sleepable\n"
    if env.prog_type == "tracing" and env.program.expected_attach_type == "trace_raw_tp":
        return f"Sleepable program cannot attach to non-faultable tracepoint {env.program.attach_target}\n"
    return "Program of this type cannot be sleepable\n"


def shape_of(env: Env) -> Shape:
    """The row of the profile that this program belongs to."""
    program = env.program
    return env.profile.shape(env.prog_type, program.expected_attach_type, program.attach_target)


def attach_btf_id(env: Env) -> int:
    """The id of the target in its BTF, a program's or the kernel's; 0 where nothing there has the name."""
    program = env.program
    if not program.attach_target or env.prog_type not in (*BY_BTF, "struct_ops"):
        return 0
    btf = env.vmlinux if program.attach_prog is None else program.attach_prog.btf
    if btf is None:
        return 0
    if program.attach_prog is not None:
        return btf.find(program.attach_target, Func) or 0
    if env.prog_type == "struct_ops":
        return btf.find(program.attach_target.partition(".")[0], Struct) or 0
    name = PREFIXES.get(program.expected_attach_type, "") + program.attach_target
    return btf.find(name, Typedef if name.startswith(BTF_TRACE) else Func) or 0


# -- functions and tracepoints


def check_attach_target(env: Env) -> None:
    """The target's kind and prototype, by attach type, and whether it takes such programs.  Raises Rejected."""
    target: Target | None = env.room.get("target")
    target_id = attach_btf_id(env)
    btf = env.vmlinux if target is None else target.btf
    if btf is None and env.program.attach_target:
        who = "Tracing" if env.rules.fsession else "FENTRY/FEXIT"
        text = f"{who} program can only be attached to another program annotated with BTF\n"
        raise env.reject(EINVAL, "target-btf", text)
    if not target_id or btf is None:
        raise env.reject(EINVAL, "no-attach-btf-id", "Tracing programs must provide btf_id\n")
    found = btf.type(target_id)
    subprog = check_target(env, target, target_id, found.name)
    kind = env.program.expected_attach_type
    proto: FuncProto | None
    if kind == "trace_raw_tp":
        proto = tracepoint_proto(env, btf, target_id, found)
    elif kind == "trace_iter" or kind in FUNCTIONS or env.prog_type == "ext":
        proto = function_proto(env, btf, target_id, found)
        if target is not None and target.unreliable[subprog]:
            proto = None
        if proto is not None:
            distill_func_proto(env, btf, proto, found.name)
        if kind != "trace_iter":
            check_function(env, kind, found.name)
    else:
        raise env.reject(EINVAL, "attach-type", "")
    env.room["attach_proto"], env.room["attach_name"], env.room["attach_btf"] = proto, found.name, btf
    own_type = env.prog_type
    if target is not None and own_type == "ext":
        inherit(env, target)
    kind = env.program.expected_attach_type
    if kind == "trace_iter":
        check_iterator(env, found.name)
    elif kind != "trace_raw_tp":
        check_denied(env, own_type, found.name, target_id)


def check_iterator(env: Env, name: str) -> None:
    """Is there an iterator whose function has that name?  Raises Rejected."""
    wanted = name.removeprefix(PREFIXES["trace_iter"])
    errno = env.profile.shape("tracing", "trace_iter", wanted).errno if wanted != name else EINVAL
    if errno:
        raise env.reject(errno, "iterator", "")


def tracepoint_proto(env: Env, btf: Btf, target_id: int, found: Type) -> FuncProto:
    """The prototype behind ``btf_trace_NAME``: with argument names where the template's function has them."""
    if env.room.get("target") is not None:
        text = "Only FENTRY/FEXIT progs are attachable to another BPF prog\n"
        raise env.reject(EINVAL, "tracepoint-prog", text)
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
    """The prototype of a function; of one that is to be replaced, it must be the program's own."""
    if not isinstance(found, Func):
        raise env.reject(EINVAL, "target-kind", f"attach_btf_id {target_id} is not a function\n")
    if env.prog_type == "ext":
        match_extension(env, btf, found)
    proto = known_type(btf, found.type_id)
    if not isinstance(proto, FuncProto):
        raise env.reject(EINVAL, "target-proto", "")
    return proto


def check_function(env: Env, kind: str, name: str) -> None:
    """Is the function there, may a program sleep in it, may its result be changed?  Raises Rejected."""
    target = env.room.get("target")
    if target is None and not has_address(env, name):
        text = f"The address of function {name} cannot be found\n"
        raise env.reject(ENOENT, "target-address", text)
    if env.sleepable:
        if not may_sleep_in(env, name):
            raise env.reject(EINVAL, "target-sleepable", f"{name} is not sleepable\n")
    elif kind == "modify_return":
        if target is not None:
            raise env.reject(EINVAL, "modify-program", "can't modify return codes of BPF programs\n")
        if not is_modifiable(env, name):
            raise env.reject(EINVAL, "not-modifiable", f"{name}() is not modifiable\n")


def may_sleep_in(env: Env, name: str) -> bool:
    """Is the function called only where sleeping is fine, as far as the kernel knows?"""
    version = env.profile.version
    if env.prog_type == "lsm":
        return is_sleepable_hook(env, name)
    if env.prog_type != "tracing" or env.room.get("target") is not None:
        return False
    if is_injectable(env, name) and not is_in("injected-awake", name, version):
        return True
    return is_in("trace-sleepable", name, version)


def is_modifiable(env: Env, name: str) -> bool:
    """May programs change what the function returns?"""
    if is_injectable(env, name) or name.startswith(SECURITY):
        return True
    return is_in("trace-modifiable", name, env.profile.version)


def is_injectable(env: Env, name: str) -> bool:
    """May fault injection let the function fail?  Only in kernels that are built for it."""
    return "error-injection" in env.profile.features and is_in("error-injection", name, env.profile.version)


def check_denied(env: Env, own_type: str, name: str, target_id: int) -> None:
    """Functions that no program may follow, and functions that have no end.  Raises Rejected."""
    kernel = env.room.get("target") is None
    version = env.profile.version
    without_end = env.program.expected_attach_type in ("trace_fexit", "modify_return")
    if own_type == "lsm":
        verify_lsm(env, name, target_id)
    elif kernel and is_in("trace-denied", name, version):
        text = f"Attaching tracing programs to function '{name}' is rejected.\n"
        raise env.reject(EINVAL, "denied-function", text if env.rules.denied_target_told else "")
    elif kernel and without_end and is_in("trace-noreturn", name, version):
        what = f"function '{name}'" if env.rules.denied_target_told else "functions"
        kinds = "fexit/fsession/fmod_ret" if env.rules.fsession else "fexit/fmod_ret"
        text = f"Attaching {kinds} to __noreturn {what} is rejected.\n"
        raise env.reject(EINVAL, "noreturn-function", text)
