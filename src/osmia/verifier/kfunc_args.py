"""The arguments of a kernel function's call: what each register must be.

(``check_kfunc_args`` in kernel/bpf/verifier.c; Linux 6.18.)
"""

from __future__ import annotations

from collections.abc import Callable
from errno import EACCES, EFAULT, EINVAL

from osmia.btf import Ptr, Struct, Union
from osmia.errors import UsageError
from osmia.verifier import consts as c
from osmia.verifier.alloc import check_dropped, check_refcounted
from osmia.verifier.arg_names import arg_name, arg_plain, sized_args
from osmia.verifier.backtrack import mark_chain_precision
from osmia.verifier.call_meta import CallMeta
from osmia.verifier.const_arg import check_reg_const_str
from osmia.verifier.dynptr import process_dynptr_func
from osmia.verifier.dynptr_slots import get_dynptr_type_flag, known_dynptr
from osmia.verifier.env import Env
from osmia.verifier.errors import Rejected
from osmia.verifier.fields import check_map_field_pointer
from osmia.verifier.global_func import kind_name
from osmia.verifier.graph import check_list_node, check_rb_node, check_root
from osmia.verifier.helper_args import register_is_null
from osmia.verifier.helper_mem import check_mem_reg, check_mem_size_reg
from osmia.verifier.helper_types import check_func_arg_reg_off
from osmia.verifier.irq_flags import process_irq_flag
from osmia.verifier.iterators import process_iter_arg
from osmia.verifier.kfunc_meta import KfuncMeta
from osmia.verifier.kfunc_types import REG_STRUCTS, is_scalar, process_btf_arg, ptr_arg_kind
from osmia.verifier.locks import process_spin_lock
from osmia.verifier.nulls import is_trusted_reg, ptr_not_null_reg
from osmia.verifier.prog_ctx import kernel_ctx
from osmia.verifier.regs import Reg
from osmia.verifier.text import reg_type_str

MAX_REGISTER_ARGS = 5
SAFE_FLAGS = c.MEM_ALLOC | c.PTR_TRUSTED | c.NON_OWN_REF
RES_LOCKS = ("bpf_res_spin_lock", "bpf_res_spin_lock_irqsave")
FROM_PACKET = {
    "bpf_dynptr_from_skb": c.DYNPTR_TYPE_SKB,
    "bpf_dynptr_from_xdp": c.DYNPTR_TYPE_XDP,
    "bpf_dynptr_from_skb_meta": c.DYNPTR_TYPE_SKB_META,
}


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


# -- one function a kind: env, meta, number of the argument, its register, the type that it points to


def _ctx(env: Env, meta: KfuncMeta, i: int, reg: Reg, ref_id: int) -> None:
    if reg.type != c.PTR_TO_CTX:
        text = f"{arg_name(env, i)} expected pointer to ctx, but got {reg_type_str(reg.type)}\n"
        raise env.reject(EINVAL, "not-ctx", text, reg=i + 1)
    if meta.desc.name == "bpf_cast_to_kern_ctx":
        meta.ret_btf_id = _kernel_ctx(env, meta)


def _kernel_ctx(env: Env, meta: KfuncMeta) -> int:
    """The kernel's own struct behind the context of this type of program."""
    type_id = kernel_ctx(env, env.prog_type)
    if not type_id:
        raise UsageError(f"the kernel's BTF that is given does not name the context of {env.prog_type} programs")
    if not isinstance(meta.desc.btf.type(type_id), (Struct, Union)):
        raise env.reject(EINVAL, "kernel-ctx", f"kern ctx type id {type_id} is not a struct\n")
    return type_id


def _iter(env: Env, meta: KfuncMeta, i: int, reg: Reg, ref_id: int) -> None:
    if meta.desc.name == "bpf_iter_css_task_new" and not _may_walk_css_tasks(env):
        text = "css_task_iter is only allowed in bpf_lsm, bpf_iter and sleepable progs\n"
        raise env.reject(EINVAL, "iter-css-task", text)
    process_iter_arg(env, i + 1, meta)


def _may_walk_css_tasks(env: Env) -> bool:
    """The others could run into a lock that this iterator takes."""
    if env.prog_type == "lsm" or (env.prog_type == "tracing" and env.program.expected_attach_type == "trace_iter"):
        return True
    return env.state.in_sleepable


def _btf(env: Env, meta: KfuncMeta, i: int, reg: Reg, ref_id: int) -> None:
    base, flags = reg.type & c.BASE_TYPE_MASK, reg.type & ~c.BASE_TYPE_MASK
    unsafe = bool(flags & ~SAFE_FLAGS) and not reg.type & c.MEM_RCU
    if (base != c.PTR_TO_BTF_ID or unsafe) and base not in REG_STRUCTS:
        wanted = reg_type_str(base | (flags & SAFE_FLAGS))
        text = f"{arg_name(env, i)} is {reg_type_str(reg.type)} expected {wanted} or socket\n"
        raise env.reject(EINVAL, "kfunc-arg", text, reg=i + 1)
    process_btf_arg(env, reg, meta.desc, ref_id, i)


def _map(env: Env, meta: KfuncMeta, i: int, reg: Reg, ref_id: int) -> None:
    found = meta.desc.btf.find("bpf_map", Struct)
    _btf(env, meta, i, reg, found or ref_id)


def _mem(env: Env, meta: KfuncMeta, i: int, reg: Reg, ref_id: int) -> None:
    check_mem_reg(env, reg, i + 1, meta.desc.btf.size_of(ref_id))


def _const_str(env: Env, meta: KfuncMeta, i: int, reg: Reg, ref_id: int) -> None:
    if reg.type != c.PTR_TO_MAP_VALUE:
        text = f"{arg_name(env, i)} doesn't point to a const string\n"
        raise env.reject(EINVAL, "const-string-type", text, reg=i + 1)
    check_reg_const_str(env, reg, i + 1)


def _dynptr(env: Env, meta: KfuncMeta, i: int, reg: Reg, ref_id: int) -> None:
    name = meta.desc.name
    flags, original = FROM_PACKET.get(name, 0), 0
    if reg.type == c.CONST_PTR_TO_DYNPTR:
        flags |= c.MEM_RDONLY
    if not meta.desc.params[i].name.endswith("__uninit"):
        process_dynptr_func(env, i + 1, env.insn_idx, flags)
        found = known_dynptr(env, reg)
        assert found is not None  # process_dynptr_func saw to it
        meta.dynptr_id, meta.dynptr_type, meta.dynptr_ref_obj_id = found.id, found.dynptr_type, found.ref_obj_id
        return
    if flags & c.MEM_RDONLY:
        text = "verifier bug: misconfigured dynptr helper type flags\n"
        raise env.reject(EFAULT, "dynptr-const", text, reg=i + 1)
    if name == "bpf_dynptr_clone":
        flags |= get_dynptr_type_flag(meta.dynptr_type)
        original = meta.dynptr_ref_obj_id
    process_dynptr_func(env, i + 1, env.insn_idx, flags | c.MEM_UNINIT, original)


def _lock(env: Env, meta: KfuncMeta, i: int, reg: Reg, ref_id: int) -> None:
    name = meta.desc.name
    if reg.type not in (c.PTR_TO_MAP_VALUE, c.PTR_TO_BTF_ID | c.MEM_ALLOC):
        text = f"{arg_name(env, i)} doesn't point to map value or allocated object\n"
        raise env.reject(EINVAL, "kfunc-lock", text, reg=i + 1)
    process_spin_lock(env, i + 1, name in RES_LOCKS, True, "irq" in name)


def _workqueue(env: Env, meta: KfuncMeta, i: int, reg: Reg, ref_id: int) -> None:
    if reg.type != c.PTR_TO_MAP_VALUE:
        text = f"{arg_name(env, i)} doesn't point to a map value\n"
        raise env.reject(EINVAL, "kfunc-workqueue", text, reg=i + 1)
    check_map_field_pointer(env, i + 1, "wq")
    meta.map, meta.map_uid = reg.map, reg.map_uid


def _task_work(env: Env, meta: KfuncMeta, i: int, reg: Reg, ref_id: int) -> None:
    if reg.type != c.PTR_TO_MAP_VALUE:
        text = f"{arg_name(env, i)} doesn't point to a map value\n"
        raise env.reject(EINVAL, "kfunc-task-work", text, reg=i + 1)
    check_map_field_pointer(env, i + 1, "task_work")
    meta.map, meta.map_uid = reg.map, reg.map_uid


def _callback(env: Env, meta: KfuncMeta, i: int, reg: Reg, ref_id: int) -> None:
    if reg.type != c.PTR_TO_FUNC:
        raise env.reject(EINVAL, "kfunc-callback", f"{arg_plain(env, i)} expected pointer to func\n", reg=i + 1)
    meta.subprogno = reg.subprogno


def _alloc(env: Env, meta: KfuncMeta, i: int, reg: Reg, ref_id: int) -> None:
    check_dropped(env, meta, i, reg)


def _refcounted(env: Env, meta: KfuncMeta, i: int, reg: Reg, ref_id: int) -> None:
    check_refcounted(env, meta, i, reg)


def _list_head(env: Env, meta: KfuncMeta, i: int, reg: Reg, ref_id: int) -> None:
    check_root(env, meta, i, reg, "list_head")


def _rbtree_root(env: Env, meta: KfuncMeta, i: int, reg: Reg, ref_id: int) -> None:
    check_root(env, meta, i, reg, "rb_root")


def _list_node(env: Env, meta: KfuncMeta, i: int, reg: Reg, ref_id: int) -> None:
    check_list_node(env, meta, i, reg)


def _rbtree_node(env: Env, meta: KfuncMeta, i: int, reg: Reg, ref_id: int) -> None:
    check_rb_node(env, meta, i, reg)


def _irq_flag(env: Env, meta: KfuncMeta, i: int, reg: Reg, ref_id: int) -> None:
    if reg.type != c.PTR_TO_STACK:
        text = f"{arg_name(env, i)} doesn't point to an irq flag on stack\n"
        raise env.reject(EINVAL, "irq-flag-type", text, reg=i + 1)
    process_irq_flag(env, i + 1, meta)


KINDS: dict[str, Callable[[Env, KfuncMeta, int, Reg, int], None]] = {
    "ctx": _ctx, "iter": _iter, "btf": _btf, "map": _map, "mem": _mem, "const str": _const_str, "irq flag": _irq_flag,
    "dynptr": _dynptr, "res spin lock": _lock, "workqueue": _workqueue, "task work": _task_work, "alloc": _alloc,
    "refcounted kptr": _refcounted, "list head": _list_head, "list node": _list_node, "rbtree root": _rbtree_root,
    "rbtree node": _rbtree_node, "callback": _callback,
}  # fmt: skip
