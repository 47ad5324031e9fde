"""The kinds of pointers that kernel functions take: what the register must be, and what it tells about the call.

One function a kind, given the number of the argument, its register, and the type that it points to.  (The second
``switch`` of ``check_kfunc_args`` in kernel/bpf/verifier.c; Linux 6.18.)
"""

from __future__ import annotations

from collections.abc import Callable
from errno import EFAULT, EINVAL

from osmia.btf import Struct, Union
from osmia.errors import UsageError
from osmia.verifier import consts as c
from osmia.verifier.alloc import check_dropped, check_refcounted
from osmia.verifier.arg_names import arg_name, arg_plain
from osmia.verifier.const_arg import check_reg_const_str
from osmia.verifier.dynptr import process_dynptr_func
from osmia.verifier.dynptr_slots import get_dynptr_type_flag, known_dynptr
from osmia.verifier.env import Env
from osmia.verifier.fields import check_map_field_pointer
from osmia.verifier.graph import check_list_node, check_rb_node, check_root
from osmia.verifier.helper_mem import check_mem_reg
from osmia.verifier.irq_flags import process_irq_flag
from osmia.verifier.iterators import process_iter_arg
from osmia.verifier.kfunc_meta import KfuncMeta
from osmia.verifier.kfunc_types import REG_STRUCTS, process_btf_arg
from osmia.verifier.locks import process_spin_lock
from osmia.verifier.prog_ctx import kernel_ctx
from osmia.verifier.regs import Reg
from osmia.verifier.text import reg_type_str

SAFE_FLAGS = c.MEM_ALLOC | c.PTR_TRUSTED | c.NON_OWN_REF
RES_LOCKS = ("bpf_res_spin_lock", "bpf_res_spin_lock_irqsave")
FROM_PACKET = {
    "bpf_dynptr_from_skb": c.DYNPTR_TYPE_SKB,
    "bpf_dynptr_from_xdp": c.DYNPTR_TYPE_XDP,
    "bpf_dynptr_from_skb_meta": c.DYNPTR_TYPE_SKB_META,
}


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
