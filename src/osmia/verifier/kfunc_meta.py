"""Calls of kernel functions: which function it is, what the kernel's BTF says of it, what the arguments tell.

(``add_kfunc_call``, ``fetch_kfunc_meta`` in kernel/bpf/verifier.c, ``btf_distill_func_proto`` in kernel/bpf/btf.c;
Linux 6.18.)
"""

from __future__ import annotations

from collections.abc import Sequence
from errno import E2BIG, EBADF, EFAULT, EINVAL, EPROTO
from typing import Any

from osmia.btf import Btf, Enum, Enum64, Func, FuncProto, Int, Param, Ptr, Struct, Type, Union, Void
from osmia.errors import InputError
from osmia.kernel.kfuncs import Kfunc
from osmia.kernel.symbols import without_address
from osmia.verifier.env import Env
from osmia.verifier.global_func import kind_name
from osmia.verifier.insn import VInsn
from osmia.verifier.maps import VMap

ENOTSUPP = 524
MAX_KFUNC_DESCS = 256
OPEN_FDS = 3
"""Standard input, output and error: descriptors that exist and are no BTF."""
MAX_ARGS = 12  # of any function of the kernel that has an address in a program
MAX_ARG_SIZE = 16
SCALARS = (Int, Enum, Enum64)
GPL_LICENSES = ("GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL")
ASYNC_CALLBACKS = (
    *("bpf_wq_set_callback_impl", "bpf_task_work_schedule_signal_impl", "bpf_task_work_schedule_resume_impl"),
)
"""Functions whose callback runs later."""
ANY_TYPE = "socket_filter"
"""A program type that may call only what all types may."""
DEV_BOUND = ("bpf_xdp_metadata_rx_timestamp", "bpf_xdp_metadata_rx_hash", "bpf_xdp_metadata_rx_vlan_tag")
"""Functions of a network device's driver, for programs that are loaded for that device."""


class KfuncDesc:
    """One kernel function as programs see it: prototype and flags (``Kfunc.flags``)."""

    def __init__(self, btf: Btf, btf_id: int, name: str, proto: FuncProto, rule: Kfunc | None) -> None:
        self.btf = btf
        self.id = btf_id
        self.name = name
        self.proto = proto
        self.params: Sequence[Param] = proto.params
        self.rule = rule
        flags = rule.flags if rule is not None else frozenset[str]()
        self.acquire, self.release, self.ret_null = "acquire" in flags, "release" in flags, "ret_null" in flags
        self.rcu, self.rcu_protected, self.sleepable = "rcu" in flags, "rcu_protected" in flags, "sleepable" in flags
        self.trusted_args = "trusted" in flags or self.release
        self.destructive, self.fastcall = "destructive" in flags, "fastcall" in flags
        self.iter_new, self.iter_next, self.iter_destroy = (f"iter_{x}" in flags for x in ("new", "next", "destroy"))
        self.is_iter = self.iter_new or self.iter_next or self.iter_destroy

    @property
    def changes_pkt_data(self) -> bool:
        """May packets move under the program's pointers?"""
        return self.name == "bpf_xdp_pull_data"

    @property
    def returns_void(self) -> bool:
        """Does it return nothing at all?"""
        return isinstance(self.btf.type(self.proto.type_id), Void)


class KfuncMeta:
    """What one call's arguments tell (``struct bpf_kfunc_call_arg_meta``).

    ``constant`` is a known argument's value, None when there was none; ``r0_size`` and ``r0_rdonly`` the memory that is
    returned; ``iter_spi`` and ``iter_frameno`` where the iterator lies; ``graph_root`` the ``Field`` of the list or
    tree; ``arg_btf``, ``arg_btf_id`` the struct of an allocated object, ``arg_owning_ref`` whether it is one's own.
    """

    def __init__(self, desc: KfuncDesc) -> None:
        self.desc = desc
        self.ref_obj_id = self.release_regno = 0
        self.constant: int | None = None
        self.r0_size = 0
        self.r0_rdonly = False
        self.iter_spi = self.iter_frameno = 0
        self.map: VMap | None = None
        self.map_uid = 0
        self.subprogno = 0
        self.ret_btf_id = 0
        self.dynptr_id = self.dynptr_type = self.dynptr_ref_obj_id = 0
        self.arg_btf: Any = None
        self.arg_btf_id = 0
        self.arg_owning_ref = False
        self.graph_root: Any = None


# -- before the walk


def add_kfunc_call(env: Env, insn: VInsn) -> None:
    """A call of a kernel function: is there one of that number?  Raises Rejected."""
    known: dict[int, KfuncDesc] = env.room.setdefault("kfuncs", {})
    if "kfunc license" not in env.room:
        _check_program(env)
    env.room["kfunc license"] = True
    func_id, offset = insn.imm, insn.off
    if not func_id and not offset:
        return
    if offset:
        raise _no_module(env, offset)
    if func_id in known:
        return
    if len(known) == MAX_KFUNC_DESCS:
        raise env.reject(E2BIG, "too-many-kfuncs", "too many different kernel function calls\n")
    known[func_id] = _describe(env, func_id)


def _check_program(env: Env) -> None:
    if env.vmlinux is None:
        text = "calling kernel function is not supported without CONFIG_DEBUG_INFO_BTF\n"
        raise env.reject(ENOTSUPP, "kfunc-no-btf", text)
    if env.program.license not in GPL_LICENSES:
        text = "cannot call kernel function from non-GPL compatible program\n"
        raise env.reject(EINVAL, "kfunc-license", text)


def _no_module(env: Env, offset: int) -> Exception:
    """Functions of modules are named by a BTF's place in fd_array, which holds nothing but maps here."""
    array = env.program.fd_array
    errno = EINVAL
    if offset < 0:
        env.say("negative offset disallowed for kernel module function call\n")
    elif array is None:
        errno = EPROTO
        env.say("kfunc offset > 0 without fd_array is invalid\n")
    elif offset >= len(array):
        errno = EFAULT  # beyond what the loader has there
    else:
        errno = EINVAL if 0 <= array[offset] < max(OPEN_FDS, len(env.maps)) else EBADF
        env.say("invalid module BTF fd specified\n")
    return env.reject(errno, "kfunc-btf", "failed to find BTF for kernel function\n")


def _type(btf: Btf, type_id: int) -> Type | None:
    try:
        return btf.type(type_id)
    except InputError:
        return None


def _describe(env: Env, func_id: int) -> KfuncDesc:
    """The function of that BTF id, if its prototype can be called."""
    btf = env.vmlinux
    assert btf is not None  # _check_program saw to it
    func = _type(btf, func_id)
    if not isinstance(func, Func):
        text = f"kernel btf_id {func_id & 0xFFFFFFFF} is not a function\n"
        raise env.reject(EINVAL, "kfunc-id", text)
    proto = _type(btf, func.type_id)
    if not isinstance(proto, FuncProto):
        text = f"kernel function btf_id {func_id & 0xFFFFFFFF} does not have a valid func_proto\n"
        raise env.reject(EINVAL, "kfunc-id", text)
    if func.name in without_address(env.profile.name):
        text = f"cannot find address for kernel function {func.name}\n"
        raise env.reject(EINVAL, "kfunc-address", text, found=func.name)
    if func.name in DEV_BOUND:
        text = "metadata kfuncs require device-bound program\n"
        raise env.reject(EINVAL, "kfunc-device", text, found=func.name)
    distill_func_proto(env, btf, proto, func.name)
    return KfuncDesc(btf, func_id, func.name, proto, env.profile.kfuncs.get(func.name))


def distill_func_proto(env: Env, btf: Btf, proto: FuncProto, name: str) -> None:
    """Can compiled programs hand over arguments and result?  Raises Rejected."""
    if len(proto.params) > MAX_ARGS:
        text = f"The function {name} has {len(proto.params)} arguments. Too many.\n"
        raise env.reject(EINVAL, "kfunc-proto", text)
    found, size = _size(btf, proto.type_id)
    if size is None or isinstance(found, (Struct, Union)):
        text = f"The function {name} return type {kind_name(found)} is unsupported.\n"
        raise env.reject(EINVAL, "kfunc-proto", text)
    for i, param in enumerate(proto.params):
        if i == len(proto.params) - 1 and param.type_id == 0:
            text = f"The function {name} with variable args is unsupported.\n"
            raise env.reject(EINVAL, "kfunc-proto", text)
        found, size = _size(btf, param.type_id)
        refused = isinstance(found, Union) and not env.rules.union_arguments
        refused = refused or (isinstance(found, Struct) and not env.rules.struct_arguments)
        if size is None or size > MAX_ARG_SIZE or refused:
            text = f"The function {name} arg{i} type {kind_name(found)} is unsupported.\n"
            raise env.reject(EINVAL, "kfunc-proto", text)
        if size == 0:
            text = f"The function {name} has malformed void argument.\n"
            raise env.reject(EINVAL, "kfunc-proto", text)


def _size(btf: Btf, type_id: int) -> tuple[Type, int | None]:
    """A type without names, and its bytes; 0 for void, None where it can't be handed over."""
    found = btf.type(btf.resolve(type_id))
    if isinstance(found, Void):
        return found, 0
    if isinstance(found, Ptr):
        return found, 8
    return found, found.size if isinstance(found, (*SCALARS, Struct, Union)) else None


# -- during the walk


def fetch_kfunc_meta(env: Env, insn: VInsn) -> KfuncDesc | None:
    """The function that a call names, when this program may call it; else None.  ``kfunc_of`` knows it even so."""
    desc = kfunc_of(env, insn)
    if desc is None or not is_allowed(env, desc):
        return None
    return desc


def kfunc_of(env: Env, insn: VInsn) -> KfuncDesc | None:
    """The function that a call names; None for number 0."""
    known: dict[int, KfuncDesc] = env.room.get("kfuncs", {})
    return known.get(insn.imm)


def is_allowed(env: Env, desc: KfuncDesc) -> bool:
    """Is the function offered to programs of this kind?"""
    seen: dict[int, bool] = env.room.setdefault("kfuncs allowed", {})
    found = seen.get(desc.id)
    if found is None:
        program, rule = env.program, desc.rule
        attach = program.expected_attach_type or ("0" if env.prog_type == "struct_ops" else "cgroup_inet_ingress")
        if rule is None and not env.profile.kfuncs:
            raise env.unsupported(f"kernel functions of {env.profile.name}")
        kind = ANY_TYPE if env.prog_type == "ext" else env.prog_type  # until its target is known
        found = rule is not None and rule.may_be_called(kind, attach, program.attach_target)
        seen[desc.id] = found
    return found
