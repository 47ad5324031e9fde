"""What a kernel function leaves in R0.

(The second half of ``check_kfunc_call`` and ``check_special_kfunc`` in kernel/bpf/verifier.c; Linux 6.18.)
"""

from __future__ import annotations

from errno import EINVAL

from osmia.btf import Btf, Ptr, Struct, Type, Union, Void
from osmia.errors import InputError
from osmia.verifier import consts as c
from osmia.verifier.alloc import ALLOCATES, REFCOUNT_ACQUIRE, may_be_null, new_object, one_more
from osmia.verifier.dynptr_slots import get_dynptr_type_flag
from osmia.verifier.env import Env
from osmia.verifier.fields import may_point_to_lock
from osmia.verifier.global_func import kind_name
from osmia.verifier.graph import borrowed, graph_node
from osmia.verifier.iterators import iter_of
from osmia.verifier.kfunc_kinds import RES_LOCKS
from osmia.verifier.kfunc_meta import SCALARS, KfuncMeta
from osmia.verifier.loaded import zero_scalar
from osmia.verifier.marks import mark_reg_unknown, next_id, unknown_scalar
from osmia.verifier.refs import acquire_reference
from osmia.verifier.regions import may_access_direct_pkt_data
from osmia.verifier.regs import Reg, pointer
from osmia.words import s64

SLICES = ("bpf_dynptr_slice", "bpf_dynptr_slice_rdwr")
NODES = ("bpf_list_node", "bpf_rb_node")


def set_kfunc_return(env: Env, meta: KfuncMeta) -> None:
    """R0 after the call; R0 to R5 are forgotten already.  Raises Rejected."""
    desc, btf = meta.desc, meta.desc.btf
    found = btf.type(btf.resolve(desc.proto.type_id))
    if desc.acquire and not _is_struct_ptr(btf, found) and desc.name not in ALLOCATES:
        text = "acquire kernel function does not return PTR_TO_BTF_ID\n"
        raise env.reject(EINVAL, "kfunc-return", text)
    regs = env.state.regs()
    if isinstance(found, SCALARS):
        if desc.name in RES_LOCKS:
            regs[0] = zero_scalar(env)
        else:
            mark_reg_unknown(env, regs, 0)
    elif isinstance(found, Ptr):
        reg = _pointer(env, meta, btf.resolve(found.type_id))
        maybe_null = may_be_null(meta)
        if maybe_null:
            reg.type |= c.PTR_MAYBE_NULL
            reg.id = next_id(env)
        if desc.acquire:
            reg.ref_obj_id = acquire_reference(env, env.insn_idx)
            if maybe_null:
                reg.id = reg.ref_obj_id
        elif meta.graph_root is not None:
            reg = borrowed(env, reg)
        if not reg.id and may_point_to_lock(env, reg):
            reg.id = next_id(env)
        regs[0] = reg


def _is_struct_ptr(btf: Btf, found: Type) -> bool:
    return isinstance(found, Ptr) and isinstance(btf.type(btf.resolve(found.type_id)), (Struct, Union))


def _pointer(env: Env, meta: KfuncMeta, ref_id: int) -> Reg:
    """The pointer, without what flags add to it."""
    desc, btf = meta.desc, meta.desc.btf
    target = btf.type(ref_id)
    special = _special(env, meta, target)
    if special is not None:
        return special
    if isinstance(target, Void):
        return unknown_scalar(env)
    if not isinstance(target, Struct):
        return _memory(env, meta, ref_id, target)
    reg = pointer(c.PTR_TO_BTF_ID)
    reg.btf, reg.btf_id = btf, ref_id
    if desc.name == "bpf_get_kmem_cache":
        reg.type |= c.PTR_UNTRUSTED
    elif desc.rcu_protected:
        reg.type |= c.MEM_RCU
    if desc.iter_next:
        reg.type |= c.MEM_RCU if iter_of(env.state, meta).type & c.MEM_RCU else c.PTR_TRUSTED
    return reg


def _memory(env: Env, meta: KfuncMeta, ref_id: int, target: Type) -> Reg:
    """Memory of the size that an argument said, or of the type's, which is then read-only."""
    desc = meta.desc
    if not meta.r0_size:
        try:
            meta.r0_size, meta.r0_rdonly = desc.btf.size_of(ref_id), True
        except InputError:
            meta.r0_size = 0
    if not meta.r0_size:
        text = (
            f"kernel function {desc.name} returns pointer type {kind_name(target)} "
            f"{getattr(target, 'name', '')} is not supported\n"
        )
        raise env.reject(EINVAL, "kfunc-return", text)
    reg = pointer(c.PTR_TO_MEM | (c.MEM_RDONLY if meta.r0_rdonly else 0))
    reg.mem_size = meta.r0_size
    reg.ref_obj_id = meta.ref_obj_id
    if desc.rcu_protected:
        reg.type |= c.MEM_RCU
    return reg


def _special(env: Env, meta: KfuncMeta, target: Type) -> Reg | None:
    """Functions whose result hangs on their arguments; None for the others."""
    desc = meta.desc
    name = desc.name
    if name in SLICES:
        return _slice(env, meta)
    if name == REFCOUNT_ACQUIRE:
        return one_more(meta)
    if name in ALLOCATES:
        return new_object(env, meta)
    if getattr(target, "name", "") in NODES:
        return graph_node(env, meta.graph_root)
    if name == "bpf_cast_to_kern_ctx":
        reg = pointer(c.PTR_TO_BTF_ID | c.PTR_TRUSTED)
        reg.btf, reg.btf_id = desc.btf, meta.ret_btf_id
        return reg
    return _rdonly_cast(env, meta) if name == "bpf_rdonly_cast" else None


def _slice(env: Env, meta: KfuncMeta) -> Reg:
    """A piece of what a dynptr stands for."""
    reg = pointer(c.PTR_TO_MEM | get_dynptr_type_flag(meta.dynptr_type))
    reg.mem_size = (meta.constant or 0) & 0xFFFFFFFF
    reg.dynptr_id = meta.dynptr_id
    if meta.desc.name == "bpf_dynptr_slice":
        reg.type |= c.MEM_RDONLY
    elif not may_access_direct_pkt_data(env, None, c.BPF_WRITE):
        text = "the prog does not allow writes to packet data\n"
        raise env.reject(EINVAL, "packet-write", text)
    return reg


def _rdonly_cast(env: Env, meta: KfuncMeta) -> Reg:
    """Any number taken for a pointer to a struct of the kernel's, or (void) to bytes: what is read may fail."""
    btf, type_id = meta.desc.btf, meta.constant or 0
    try:
        found = btf.type(type_id & 0xFFFFFFFF)
    except InputError:
        text = f"Unknown type ID {s64(type_id)} passed to kfunc bpf_rdonly_cast\n"
        raise env.reject(EINVAL, "cast-type", text) from None
    if isinstance(found, (Struct, Union)):
        reg = pointer(c.PTR_TO_BTF_ID | c.PTR_UNTRUSTED)
        reg.btf, reg.btf_id = btf, type_id & 0xFFFFFFFF
        return reg
    if isinstance(found, Void):
        return pointer(c.PTR_TO_MEM | c.MEM_RDONLY | c.PTR_UNTRUSTED)
    text = "kfunc bpf_rdonly_cast type ID argument must be of a struct or void\n"
    raise env.reject(EINVAL, "cast-type", text)
