"""One argument of a helper: what the register may be, and what its value tells about the call.

(``check_func_arg`` and what it calls in kernel/bpf/verifier.c; Linux 6.18.)
"""

from __future__ import annotations

from errno import EACCES, EINVAL

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.verifier.const_arg import check_reg_const_str
from osmia.verifier.dynptr import check_dynptr_release, process_dynptr_func
from osmia.verifier.fields import process_timer_func
from osmia.verifier.graph import in_rbtree_callback
from osmia.verifier.kptrs import process_kptr_func
from osmia.verifier.locks import process_spin_lock

if not cython.compiled:
    from osmia.verifier.backtrack import mark_chain_precision
    from osmia.verifier.call_meta import CallMeta
    from osmia.verifier.const_arg import get_constant_map_key
    from osmia.verifier.consts import (
        ARG_ANYTHING,
        ARG_CONST_ALLOC_SIZE_OR_ZERO,
        ARG_CONST_MAP_PTR,
        ARG_CONST_SIZE,
        ARG_CONST_SIZE_OR_ZERO,
        ARG_DONTCARE,
        ARG_KPTR_XCHG_DEST,
        ARG_PTR_TO_BTF_ID_SOCK_COMMON,
        ARG_PTR_TO_CONST_STR,
        ARG_PTR_TO_DYNPTR,
        ARG_PTR_TO_FUNC,
        ARG_PTR_TO_MAP_KEY,
        ARG_PTR_TO_MAP_VALUE,
        ARG_PTR_TO_MEM,
        ARG_PTR_TO_PERCPU_BTF_ID,
        ARG_PTR_TO_SPIN_LOCK,
        ARG_PTR_TO_TIMER,
        BASE_TYPE_MASK,
        BPF_READ,
        BPF_WRITE,
        MEM_ALIGNED,
        MEM_FIXED_SIZE,
        MEM_RCU,
        MEM_UNINIT,
        MEM_WRITE,
        OBJ_RELEASE,
        PTR_MAYBE_NULL,
        PTR_TO_PACKET,
        PTR_TO_PACKET_META,
        SCALAR_VALUE,
    )
    from osmia.verifier.env import Env
    from osmia.verifier.helper_mem import check_helper_mem_access, check_mem_size_reg
    from osmia.verifier.helper_proto import HelperRule
    from osmia.verifier.helper_types import check_func_arg_reg_off, check_reg_type
    from osmia.verifier.maps import VMap
    from osmia.verifier.marks import check_reg_arg
    from osmia.verifier.regions import check_ptr_alignment, may_access_direct_pkt_data
    from osmia.verifier.regs import Reg

ARRAY, PERCPU_ARRAY, SOCKMAP, SOCKHASH, BLOOM_FILTER = 2, 6, 15, 18, 30
MAP_PEEK_ELEM, SPIN_LOCK = 89, 93
SK_LOOKUPS = (84, 85, 99)


def register_is_null(reg: Reg) -> bool:
    """Is it the number 0?"""
    return reg.type == SCALAR_VALUE and reg.mask == 0 and reg.value == 0


def can_elide_value_nullness(map: VMap) -> bool:
    """May a look-up with a known key in range be relied upon to find something?"""
    return map.type == ARRAY or map.type == PERCPU_ARRAY


def check_func_arg(env: Env, arg: int, meta: CallMeta, rule: HelperRule, insn_idx: int) -> None:
    """Judge argument ``arg`` (from 0) of a call and note in ``meta`` what it tells.  Raises Rejected."""
    spec = rule.args[arg]
    base, flags = spec.base, spec.flags
    if base == ARG_DONTCARE:
        return
    regno = arg + 1
    check_reg_arg(env, regno, 0)
    reg = env.state.regs()[regno]
    if base == ARG_ANYTHING:
        if not env.allow_ptr_leaks and reg.type != SCALAR_VALUE:
            text = f"R{regno} leaks addr into helper function\n"
            raise env.reject(EACCES, "pointer-leak", text, reg=regno)
        return
    pointed = reg.type & BASE_TYPE_MASK
    in_packet = pointed == PTR_TO_PACKET or pointed == PTR_TO_PACKET_META
    if in_packet and not may_access_direct_pkt_data(env, meta, BPF_READ):
        text = "helper access to the packet is not allowed\n"
        raise env.reject(EACCES, "packet-argument", text, reg=regno)
    if base == ARG_PTR_TO_MAP_VALUE:
        base, flags = resolve_map_arg_type(env, meta, base, flags)
    if not (flags & PTR_MAYBE_NULL and register_is_null(reg)):
        check_reg_type(env, regno, base, flags, spec.struct, meta)
        check_func_arg_reg_off(env, reg, regno, base, flags)
    if flags & OBJ_RELEASE:
        _note_release(env, regno, reg, base, meta)
    if reg.ref_obj_id and base != ARG_KPTR_XCHG_DEST:
        _note_reference(env, regno, reg, meta)
    _check_kind(env, arg, base, flags, reg, meta, rule)


def resolve_map_arg_type(env: Env, meta: CallMeta, base: int, flags: int) -> tuple[int, int]:
    """What "a map's value" means for the map of this call: a socket where sockets are kept."""
    map = meta.map
    assert map is not None  # in every prototype the map stands in front of its value
    if map.type == SOCKMAP or map.type == SOCKHASH:
        if flags:
            raise env.reject(EINVAL, "sockmap-argument", "invalid arg_type for sockmap/sockhash\n")
        return ARG_PTR_TO_BTF_ID_SOCK_COMMON, 0
    if map.type == BLOOM_FILTER and meta.func_id == MAP_PEEK_ELEM:
        return ARG_PTR_TO_MAP_VALUE, 0
    return base, flags


def _note_release(env: Env, regno: int, reg: Reg, base: int, meta: CallMeta) -> None:
    """The helper lets go of what the register refers to: there must be a reference."""
    if base == ARG_PTR_TO_DYNPTR:
        check_dynptr_release(env, regno, reg)
    elif env.rules.release_args and not reg.ref_obj_id and not register_is_null(reg):
        text = f"R{regno} must be referenced when passed to release function\n"
        raise env.reject(EINVAL, "release-unreferenced", text, reg=regno)
    meta.release_regno = regno


def _note_reference(env: Env, regno: int, reg: Reg, meta: CallMeta) -> None:
    """At most one argument may be a reference."""
    if meta.ref_obj_id:
        text = f"more than one arg with ref_obj_id R{regno} {reg.ref_obj_id} {meta.ref_obj_id}"
        raise env.reject(EACCES, "two-references", text, reg=regno)
    meta.ref_obj_id = reg.ref_obj_id


def _check_kind(env: Env, arg: int, base: int, flags: int, reg: Reg, meta: CallMeta, rule: HelperRule) -> None:
    """What is particular to the kind of argument."""
    regno = arg + 1
    access = BPF_WRITE if flags & MEM_WRITE else BPF_READ
    if base == ARG_CONST_MAP_PTR:
        _note_map(env, reg, meta)
    elif base == ARG_PTR_TO_MAP_KEY:
        _check_map_key(env, regno, reg, meta)
    elif base == ARG_PTR_TO_MAP_VALUE:
        if not (flags & PTR_MAYBE_NULL and register_is_null(reg)):
            meta.raw_mode = flags & MEM_UNINIT != 0
            map = meta.map
            assert map is not None  # resolve_map_arg_type saw to it
            check_helper_mem_access(env, regno, map.value_size, access, False, meta)
    elif base == ARG_PTR_TO_MEM:
        _check_mem(env, arg, flags, access, reg, meta, rule)
    elif base == ARG_CONST_SIZE or base == ARG_CONST_SIZE_OR_ZERO:
        before = rule.args[arg - 1]
        access = BPF_WRITE if before.flags & MEM_WRITE else BPF_READ
        may_be_zero = base == ARG_CONST_SIZE_OR_ZERO
        if rule.id in SK_LOOKUPS and not env.rules.tuple_of_no_bytes:
            may_be_zero = False
        check_mem_size_reg(env, reg, regno, access, may_be_zero, meta)
    elif base == ARG_CONST_ALLOC_SIZE_OR_ZERO:
        if reg.mask and not env.rules.alloc_size_precise:
            text = f"R{regno} unbounded size, use 'var &= const' or 'if (var < const)'\n"
            raise env.reject(EACCES, "size-not-constant", text, reg=regno)
        if reg.mask:
            raise env.reject(EACCES, "size-not-constant", f"R{regno} is not a known constant'\n", reg=regno)
        meta.mem_size = reg.value & 0xFFFFFFFF
        if env.rules.alloc_size_precise:
            mark_chain_precision(env, regno)
    elif base == ARG_PTR_TO_FUNC:
        meta.subprogno = reg.subprogno
    elif base == ARG_PTR_TO_CONST_STR:
        check_reg_const_str(env, reg, regno)
    elif base == ARG_PTR_TO_PERCPU_BTF_ID:
        if not reg.btf_id:
            raise env.reject(EACCES, "percpu-btf", f"Helper has invalid btf_id in R{regno}\n", reg=regno)
        meta.ret_btf, meta.ret_btf_id = reg.btf, reg.btf_id
        meta.percpu_object = reg.type & MEM_RCU != 0
    elif base == ARG_PTR_TO_DYNPTR:
        process_dynptr_func(env, regno, env.insn_idx, flags)
    elif base == ARG_PTR_TO_SPIN_LOCK:
        if in_rbtree_callback(env):
            text = "can't spin_{lock,unlock} in rbtree cb\n"
            raise env.reject(EACCES, "in-tree-callback", text, reg=regno)
        process_spin_lock(env, regno, meta.func_id == SPIN_LOCK)
    elif base == ARG_PTR_TO_TIMER:
        process_timer_func(env, regno, meta)
    elif base == ARG_KPTR_XCHG_DEST:
        process_kptr_func(env, regno, meta)


def _note_map(env: Env, reg: Reg, meta: CallMeta) -> None:
    """A map argument; of two, as bpf_timer_init has, both must be the same."""
    if meta.map is not None and (meta.map is not reg.map or meta.map_uid != reg.map_uid):
        text = f"timer pointer in R1 map_uid={meta.map_uid} doesn't match map pointer in R2 map_uid={reg.map_uid}\n"
        raise env.reject(EINVAL, "timer-map", text)
    meta.map = reg.map
    meta.map_uid = reg.map_uid


def _check_map_key(env: Env, regno: int, reg: Reg, meta: CallMeta) -> None:
    """The key's bytes must be readable; a key that is known now is kept for arrays."""
    map = meta.map
    assert map is not None  # in every prototype the map stands in front of its key
    check_helper_mem_access(env, regno, map.key_size, BPF_READ, False, None)
    if can_elide_value_nullness(map):
        meta.const_map_key = get_constant_map_key(env, reg, map.key_size)


def _check_mem(env: Env, arg: int, flags: int, access: int, reg: Reg, meta: CallMeta, rule: HelperRule) -> None:
    """Memory of a fixed size is judged now, other memory with the size argument behind it."""
    meta.raw_mode = flags & MEM_UNINIT != 0
    if not flags & MEM_FIXED_SIZE:
        return
    spec = rule.args[arg]
    check_helper_mem_access(env, arg + 1, spec.size, access, False, meta)
    if flags & MEM_ALIGNED:
        check_ptr_alignment(env, reg, 0, spec.size, True)
