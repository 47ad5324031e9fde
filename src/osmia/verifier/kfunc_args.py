"""The arguments of a kernel function's call: what each register must be.

(``check_kfunc_args`` in kernel/bpf/verifier.c; Linux 6.18.)
"""

from __future__ import annotations

from errno import EACCES, EINVAL

from osmia.btf import Ptr
from osmia.verifier import consts as c
from osmia.verifier.arg_names import arg_name, arg_plain, sized_args
from osmia.verifier.backtrack import mark_chain_precision
from osmia.verifier.call_meta import CallMeta
from osmia.verifier.env import Env
from osmia.verifier.errors import Rejected
from osmia.verifier.global_func import kind_name
from osmia.verifier.helper_args import register_is_null
from osmia.verifier.helper_mem import check_mem_size_reg
from osmia.verifier.helper_types import check_func_arg_reg_off
from osmia.verifier.kfunc_kinds import KINDS
from osmia.verifier.kfunc_meta import KfuncMeta
from osmia.verifier.kfunc_types import REG_STRUCTS, is_scalar, ptr_arg_kind
from osmia.verifier.nulls import is_trusted_reg, ptr_not_null_reg
from osmia.verifier.regs import Reg

MAX_REGISTER_ARGS = 5


def check_kfunc_args(env: Env, meta: KfuncMeta) -> None:
    """Judge the registers that the function takes, and note in ``meta`` what they tell.  Raises Rejected."""
    desc = meta.desc
    if len(desc.params) > MAX_REGISTER_ARGS:
        text = f"Function {desc.name} has {len(desc.params)} > {MAX_REGISTER_ARGS} args\n"
        raise env.reject(EINVAL, "kfunc-args", text)
    i = 0
    while i < len(desc.params):
        i += _check_arg(env, meta, i)
    if desc.release and not meta.release_regno:
        text = f"release kernel function {desc.name} expects refcounted PTR_TO_BTF_ID\n"
        raise env.reject(EINVAL, "release-unreferenced", text)


def _check_arg(env: Env, meta: KfuncMeta, i: int) -> int:
    """One argument; how many were judged (a buffer's size is judged with it)."""
    desc, btf = meta.desc, meta.desc.btf
    name, regno = desc.params[i].name, i + 1
    if name.endswith(("__ign", "__prog")):
        return 1
    if is_scalar(btf, desc.params[i].type_id):
        _check_scalar(env, meta, name, regno)
        return 1
    found = btf.type(btf.resolve(desc.params[i].type_id))
    if not isinstance(found, Ptr):
        text = f"Unrecognized {arg_name(env, i)} type {kind_name(found)}\n"
        raise env.reject(EINVAL, "kfunc-arg", text, reg=regno)
    reg = env.state.regs()[regno]
    maybe_null = register_is_null(reg) or bool(reg.type & c.PTR_MAYBE_NULL)
    if (desc.trusted_args or desc.rcu) and maybe_null and not name.endswith("__nullable"):
        text = f"Possibly NULL pointer passed to trusted {arg_plain(env, i)}\n"
        raise env.reject(EACCES, "kfunc-null", text, reg=regno)
    if reg.ref_obj_id:
        meta.ref_obj_id = reg.ref_obj_id
        if desc.release:
            meta.release_regno = regno
    elif desc.release and env.rules.release_by_register:
        text = f"release kfunc {desc.name} expects referenced PTR_TO_BTF_ID passed to R{regno}\n"
        raise env.reject(EINVAL, "release-unreferenced", text, reg=regno)
    ref_id = btf.resolve(found.type_id)
    kind = ptr_arg_kind(env, desc, i, found, ref_id)
    if kind == "null":
        return 1
    if kind == "map":
        _note_map(env, meta, reg, regno)
    if kind in ("map", "alloc", "btf"):
        _check_trust(env, meta, reg, regno)
    check_func_arg_reg_off(env, reg, regno, 0, c.OBJ_RELEASE if desc.release and reg.ref_obj_id else 0)
    if kind == "mem size":
        _check_sized(env, meta, i)
        return 2
    KINDS[kind](env, meta, i, reg, ref_id)
    return 1


def _check_scalar(env: Env, meta: KfuncMeta, name: str, regno: int) -> None:
    """A number; some must be known: ``…__k``, and the sizes of memory that is returned."""
    reg = env.state.regs()[regno]
    if reg.type != c.SCALAR_VALUE:
        raise env.reject(EINVAL, "not-scalar", f"R{regno} is not a scalar\n", reg=regno)
    if name.endswith("__k"):
        if reg.mask:
            raise env.reject(EINVAL, "not-constant", f"R{regno} must be a known constant\n", reg=regno)
        mark_chain_precision(env, regno)
        meta.constant = reg.value
    elif name in ("rdonly_buf_size", "rdwr_buf_size"):
        meta.r0_rdonly = meta.r0_rdonly or name == "rdonly_buf_size"
        if meta.r0_size:
            text = "2 or more rdonly/rdwr_buf_size parameters for kfunc"
            raise env.reject(EINVAL, "kfunc-sizes", text)
        if reg.mask:
            raise env.reject(EINVAL, "not-constant", f"R{regno} is not a const\n", reg=regno)
        meta.r0_size = reg.value & 0xFFFFFFFF
        mark_chain_precision(env, regno)


def _note_map(env: Env, meta: KfuncMeta, reg: Reg, regno: int) -> None:
    if reg.map is None:
        if reg.btf is not None or reg.mem_size or reg.range or reg.subprogno or reg.dynptr_type:
            return  # the kernel keeps these in the same word, and finds out later
        raise env.reject(EINVAL, "not-a-map", f"pointer in R{regno} isn't map pointer\n", reg=regno)
    record = reg.map.record
    other = meta.map is not None and (meta.map is not reg.map or meta.map_uid != reg.map_uid)
    if other and record is not None and (record.has("wq") or record.has("task_work")):
        uids = f"map_uid={meta.map_uid} doesn't match map pointer in", f"map_uid={reg.map_uid}\n"
        if record.has("task_work"):
            text = f"bpf_task_work pointer in R2 {uids[0]} R3 {uids[1]}"
            raise env.reject(EINVAL, "task-work-map", text)
        text = f"workqueue pointer in R1 {uids[0]} R2 {uids[1]}"
        raise env.reject(EINVAL, "workqueue-map", text)
    meta.map, meta.map_uid = reg.map, reg.map_uid


def _check_trust(env: Env, meta: KfuncMeta, reg: Reg, regno: int) -> None:
    """Must something vouch for the object, a reference or RCU?"""
    desc = meta.desc
    if not (desc.trusted_args or desc.rcu) or is_trusted(reg):
        return
    if not desc.rcu:
        text = f"R{regno} must be referenced or trusted\n"
        raise env.reject(EINVAL, "kfunc-untrusted", text, reg=regno)
    if not reg.type & c.MEM_RCU:
        raise env.reject(EINVAL, "kfunc-untrusted", f"R{regno} must be a rcu pointer\n", reg=regno)


def is_trusted(reg: Reg) -> bool:
    """As ``is_trusted_reg``; a socket or a map pointer without flags is trusted, too."""
    base = reg.type & c.BASE_TYPE_MASK
    return is_trusted_reg(reg) or (base in REG_STRUCTS and reg.type == base)


def _check_sized(env: Env, meta: KfuncMeta, i: int) -> None:
    """Memory whose length is the next argument."""
    desc, regno = meta.desc, i + 1
    regs = env.state.regs()
    size = regs[regno + 1]
    if not register_is_null(regs[regno]) or not desc.params[i].name.endswith("__opt"):
        try:
            check_kfunc_mem_size_reg(env, size, regno + 1)
        except Rejected:
            env.say(f"{sized_args(env, i)} memory, len pair leads to invalid memory access\n")
            raise
    if desc.params[i + 1].name.endswith("__szk"):
        if size.mask:
            text = f"R{regno + 1} must be a known constant\n"
            raise env.reject(EINVAL, "not-constant", text, reg=regno + 1)
        meta.constant = size.value


def check_kfunc_mem_size_reg(env: Env, size: Reg, regno: int) -> None:
    """May the memory before R``regno`` be read and written?  A null that may be is not looked at.  Raises Rejected."""
    regs = env.state.regs()
    memory = regs[regno - 1]
    if memory.type & c.PTR_MAYBE_NULL:
        regs[regno - 1] = ptr_not_null_reg(memory)
    call = CallMeta(0)
    check_mem_size_reg(env, size, regno, c.BPF_READ, True, call)
    check_mem_size_reg(env, size, regno, c.BPF_WRITE, True, call)
    regs[regno - 1] = memory
