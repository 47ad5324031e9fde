"""Lists and trees of allocated objects: their roots and nodes as arguments, who owns an object, the tree's callback.

Whoever adds an object gives its reference away and keeps a borrowed pointer, as long as the lock is held
(``process_kf_arg_ptr_to_graph_root`` and ``_node``, ``ref_convert_owning_non_owning``,
``set_rbtree_add_callback_state`` in kernel/bpf/verifier.c; Linux 6.18).
"""

from __future__ import annotations

from errno import EACCES, EFAULT, EINVAL

from osmia.verifier import consts as c
from osmia.verifier.arg_names import arg_name
from osmia.verifier.bounds import set_const
from osmia.verifier.callbacks import enter
from osmia.verifier.env import Env
from osmia.verifier.errors import Rejected
from osmia.verifier.fields import object_record, offset_of, reg_btf_record
from osmia.verifier.kfunc_meta import KfuncMeta, kfunc_of
from osmia.verifier.locks import RES_LOCKS, object_of
from osmia.verifier.map_record import Field, Record
from osmia.verifier.refs import find_lock_state, release_reference
from osmia.verifier.regs import Reg, pointer
from osmia.verifier.state import Frame
from osmia.verifier.text import btf_type_name
from osmia.words import s32

OBJECT = c.PTR_TO_BTF_ID | c.MEM_ALLOC
LIST_PUSH = ("bpf_list_push_front_impl", "bpf_list_push_back_impl")
RBTREE_ADD = "bpf_rbtree_add_impl"
ADDS = (*LIST_PUSH, RBTREE_ADD)
"""Functions that take an object into a list or a tree."""
RBTREE = (RBTREE_ADD, *(f"bpf_rbtree_{x}" for x in ("remove", "first", "root", "left", "right")))
ANY_LOCK = c.REF_TYPE_LOCK | RES_LOCKS
NONE = -EINVAL
"""Where the kernel says that a field is which a struct has not."""
_U32, _U64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF


def is_object(type: int) -> bool:
    """A pointer to an allocated object, owned or borrowed, not null or perhaps so."""
    return type & c.BASE_TYPE_MASK == c.PTR_TO_BTF_ID and bool(type & c.MEM_ALLOC)


def is_borrowed(type: int) -> bool:
    """A pointer to an object that a list or tree owns."""
    return is_object(type) and bool(type & c.NON_OWN_REF)


def in_rbtree_callback(env: Env) -> bool:
    """Is this the function that a tree asks which object is less?  The lock is held there."""
    state = env.state
    callee = state.frames[state.curframe]
    if not state.curframe or not callee.in_callback_fn:
        return False
    insn = env.insns[callee.callsite]
    desc = kfunc_of(env, insn) if insn.src == 2 else None
    return desc is not None and desc.name in RBTREE


# -- arguments


def check_root(env: Env, meta: KfuncMeta, i: int, reg: Reg, kind: str) -> None:
    """Argument ``i`` as list or tree (``kind``: "list_head", "rb_root"); notes it in ``meta``.  Raises Rejected."""
    if reg.type not in (c.PTR_TO_MAP_VALUE, OBJECT):
        text = f"{arg_name(env, i)} expected pointer to map value or allocated object\n"
        raise env.reject(EINVAL, "graph-root-type", text, reg=i + 1)
    if reg.type == OBJECT and not reg.ref_obj_id:
        raise env.reject(EINVAL, "object-unreferenced", "allocated object must be referenced\n", reg=i + 1)
    name, record = f"bpf_{kind}", reg_btf_record(env, reg)
    at = _constant_place(env, reg, i + 1, name)
    field = record.find(kind, at) if record is not None else None
    if field is None or record is None:
        raise env.reject(EINVAL, "graph-root-missing", f"{name} not found at offset={at}\n", reg=i + 1)
    _check_locked(env, reg, i + 1, name, record)
    meta.graph_root = field


def _constant_place(env: Env, reg: Reg, regno: int, name: str) -> int:
    if reg.mask:
        text = f"R{regno} doesn't have constant offset. {name} has to be at the constant offset\n"
        raise env.reject(EINVAL, "field-variable-offset", text, reg=regno)
    return (reg.off + reg.value) & _U32


def _check_locked(env: Env, reg: Reg, regno: int, name: str, record: Record) -> None:
    """Is the lock held that lies beside the list or tree?"""
    state = env.state
    if state.active_locks:
        if find_lock_state(state, ANY_LOCK, reg.id, object_of(reg)) is not None:
            return
        env.say("held lock and object are not in the same allocation\n")
    at = offset_of(record, "spin_lock")
    text = f"bpf_spin_lock at off={at if at >= 0 else NONE} must be held for {name}\n"
    raise env.reject(EINVAL, "graph-unlocked", text, reg=regno)


def check_list_node(env: Env, meta: KfuncMeta, i: int, reg: Reg) -> None:
    """Argument ``i`` as an object of one's own that goes into a list.  Raises Rejected."""
    _check_owned(env, i, reg)
    _check_node(env, meta, i, reg, "list_node")


def check_rb_node(env: Env, meta: KfuncMeta, i: int, reg: Reg) -> None:
    """Argument ``i`` as an object that goes into a tree, or is in it.  Raises Rejected."""
    name = meta.desc.name
    if name == RBTREE_ADD:
        _check_owned(env, i, reg)
    elif not is_borrowed(reg.type) and not reg.ref_obj_id:
        text = f"{name} can only take non-owning or refcounted bpf_rb_node pointer\n"
        raise env.reject(EINVAL, "graph-node-type", text, reg=i + 1)
    elif in_rbtree_callback(env):
        raise env.reject(EINVAL, "in-tree-callback", f"{name} not allowed in rbtree cb\n", reg=i + 1)
    _check_node(env, meta, i, reg, "rb_node")


def _check_owned(env: Env, i: int, reg: Reg) -> None:
    if reg.type != OBJECT:
        text = f"{arg_name(env, i)} expected pointer to allocated object\n"
        raise env.reject(EINVAL, "object-type", text, reg=i + 1)
    if not reg.ref_obj_id:
        raise env.reject(EINVAL, "object-unreferenced", "allocated object must be referenced\n", reg=i + 1)


def _check_node(env: Env, meta: KfuncMeta, i: int, reg: Reg, kind: str) -> None:
    """Does the register point to the node that the list or tree goes by, in a struct that it holds?"""
    name, root = f"bpf_{kind}", meta.graph_root
    at = _constant_place(env, reg, i + 1, name)
    record = reg_btf_record(env, reg)
    if record is None or record.find(kind, at) is None:
        raise env.reject(EINVAL, "graph-node-missing", f"{name} not found at offset={at}\n", reg=i + 1)
    assert root is not None  # each of these functions takes a root first
    wanted = btf_type_name(root.btf, root.type_id)
    if reg.btf is not root.btf or reg.btf_id != root.type_id:
        text = (
            f"operation on {root.type_name} expects arg#1 {name} at offset={root.node_offset} in struct {wanted}, "
            f"but arg is at offset={s32(at)} in struct {btf_type_name(reg.btf, reg.btf_id)}\n"
        )
        raise env.reject(EINVAL, "graph-node-struct", text, reg=i + 1, expected=wanted)
    meta.arg_btf, meta.arg_btf_id = reg.btf, reg.btf_id
    if at != root.node_offset:
        text = f"arg#1 offset={s32(at)}, but expected {name} at offset={root.node_offset} in struct {wanted}\n"
        raise env.reject(EINVAL, "graph-node-offset", text, reg=i + 1, expected=root.node_offset, found=at)


# -- who owns what


def borrowed(env: Env, reg: Reg) -> Reg:
    """The pointer, from now on to an object that is not one's own; counted objects stay for RCU's sake."""
    new = reg.copy()
    new.ref_obj_id = 0
    new.type |= c.NON_OWN_REF
    record = object_record(env, reg.btf, reg.btf_id)
    if record is not None and record.has("refcount"):
        new.type |= c.MEM_RCU
    return new


def give_away(env: Env, meta: KfuncMeta, ref_obj_id: int) -> None:
    """The list or tree owns the object now: pointers to it are borrowed, its reference is gone.  Raises Rejected."""
    desc = meta.desc
    if all(ref.id != ref_obj_id for ref in env.state.refs):
        env.say("verifier bug: ref state missing for ref_obj_id\n")
        text = f"kfunc {desc.name}#{desc.id} conversion of owning ref to non-owning failed\n"
        raise env.reject(EFAULT, "graph-ownership", text)
    for frame in env.state.frames:
        for i, reg in enumerate(frame.regs):
            if reg.ref_obj_id == ref_obj_id:
                frame.regs[i] = borrowed(env, reg)
        for i, slot in enumerate(frame.stack):
            if slot.type_at(7) == c.STACK_SPILL and slot.spilled.ref_obj_id == ref_obj_id:
                frame.stack[i] = slot.with_spilled(borrowed(env, slot.spilled))
    if not release_reference(env, ref_obj_id):
        text = f"kfunc {desc.name}#{desc.id} reference has not been acquired before\n"
        raise env.reject(EINVAL, "release-not-held", text)


def graph_node(env: Env, root: Field) -> Reg:
    """A pointer to the node of an object that a list or tree holds."""
    reg = pointer(OBJECT)
    reg.btf, reg.btf_id = root.btf, root.type_id
    if env.rules.offset_in_var_off:
        set_const(reg, root.node_offset)
    else:
        reg.off = root.node_offset
    return reg


def set_rbtree_add_callback_state(env: Env, caller: Frame, callee: Frame, insn_idx: int) -> None:
    """``less(struct bpf_rb_node *a, const struct bpf_rb_node *b)``, with the tree's lock held."""
    root = caller.regs[1]
    record = reg_btf_record(env, root)
    at = root.off + root.value if env.rules.offset_in_var_off else root.off
    field = record.find("rb_root", at & _U32) if record is not None else None
    if field is None:
        raise Rejected(EFAULT, "graph-root-missing", "", env.insn_idx)
    node = borrowed(env, graph_node(env, field))
    enter(callee, [node, node])


def check_rcu_in_callback(env: Env, name: str) -> None:
    """The tree's callback neither begins nor ends a section under RCU.  Raises Rejected."""
    if name in ("bpf_rcu_read_lock", "bpf_rcu_read_unlock") and in_rbtree_callback(env):
        text = "Calling bpf_rcu_read_{lock,unlock} in unnecessary rbtree callback\n"
        raise env.reject(EACCES, "in-tree-callback", text)
