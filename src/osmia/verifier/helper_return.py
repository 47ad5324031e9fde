"""What a helper leaves in R0.

(The second half of ``check_helper_call`` and ``do_refine_retval_range`` in kernel/bpf/verifier.c; Linux 6.18.)
"""

from __future__ import annotations

import os
from errno import EINVAL
from functools import cache
from pathlib import Path

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.btf import Struct, Union
from osmia.errors import InputError
from osmia.verifier.kernel_types import kernel_type
from osmia.verifier.kptrs import exchanged

if not cython.compiled:
    from osmia.verifier.bounds import reg_bounds_sanity_check, reg_bounds_sync
    from osmia.verifier.call_meta import CallMeta
    from osmia.verifier.consts import (
        MEM_ALLOC,
        MEM_RCU,
        MEM_RDONLY,
        PTR_MAYBE_NULL,
        PTR_TO_BTF_ID,
        PTR_TO_MAP_VALUE,
        PTR_TO_MEM,
        PTR_TO_SOCK_COMMON,
        PTR_TO_SOCKET,
        PTR_TO_TCP_SOCK,
        PTR_TRUSTED,
        RET_INTEGER,
        RET_PTR_TO_MAP_VALUE,
        RET_PTR_TO_MEM,
        RET_PTR_TO_MEM_OR_BTF_ID,
        RET_PTR_TO_SOCK_COMMON,
        RET_PTR_TO_SOCKET,
        RET_PTR_TO_TCP_SOCK,
        RET_VOID,
    )
    from osmia.verifier.env import Env
    from osmia.verifier.helper_args import can_elide_value_nullness
    from osmia.verifier.helper_proto import HelperRule
    from osmia.verifier.marks import mark_reg_unknown, next_id, unknown_scalar
    from osmia.verifier.refs import acquire_reference
    from osmia.verifier.regs import Reg, pointer
    from osmia.words import s32, s64

MAP_LOOKUP_ELEM, KPTR_XCHG, DYNPTR_DATA = 1, 194, 203
SOCKMAP, SOCKHASH = 15, 18
GET_SMP_PROCESSOR_ID, GET_TASK_STACK = 8, 141
BOUNDED_BY_SIZE = frozenset((45, 67, 114, 115, 141))
"""Helpers that return a length up to the size they were given, or an errno: probe_read_…_str, get_stack …"""
MAX_ERRNO = 4095


def set_return(env: Env, meta: CallMeta, rule: HelperRule) -> None:
    """R0 after the call; R0 to R5 are forgotten already.  Raises Rejected."""
    base = rule.ret_base
    regs = env.state.regs()
    if base == RET_INTEGER:
        mark_reg_unknown(env, regs, 0)
        if rule.id == GET_SMP_PROCESSOR_ID or rule.id in BOUNDED_BY_SIZE:
            regs[0] = _refined(env, meta, rule.id) if _is_bounded(env, rule.id) else regs[0]
        return
    if base == RET_VOID:
        return
    reg = _pointer(env, meta, rule)
    if reg.type & PTR_MAYBE_NULL:
        env.id_gen += 1
        reg.id = env.id_gen
    if rule.id == DYNPTR_DATA:
        reg.dynptr_id = meta.dynptr_id
    if rule.casts or rule.id == DYNPTR_DATA:
        reg.ref_obj_id = meta.ref_obj_id
    elif rule.acquires or (rule.id == MAP_LOOKUP_ELEM and _is_sockmap(meta)):
        reg.id = reg.ref_obj_id = acquire_reference(env, env.insn_idx)
    regs[0] = reg


def _is_sockmap(meta: CallMeta) -> bool:
    map = meta.map
    return map is not None and (map.type == SOCKMAP or map.type == SOCKHASH)


def _pointer(env: Env, meta: CallMeta, rule: HelperRule) -> Reg:
    """The pointer that the helper returns, without ids."""
    base, flags = rule.ret_base, rule.ret_flags
    if not env.rules.trusted_pointers:
        flags &= PTR_TRUSTED ^ 0xFFFFFFFF
    if base == RET_PTR_TO_MAP_VALUE:
        return _map_value(env, meta, rule.id, flags)
    if base == RET_PTR_TO_SOCKET:
        return pointer(PTR_TO_SOCKET | flags)
    if base == RET_PTR_TO_SOCK_COMMON:
        return pointer(PTR_TO_SOCK_COMMON | flags)
    if base == RET_PTR_TO_TCP_SOCK:
        return pointer(PTR_TO_TCP_SOCK | flags)
    if base == RET_PTR_TO_MEM:
        reg = pointer(PTR_TO_MEM | flags)
        reg.mem_size = meta.mem_size
        return reg
    if base == RET_PTR_TO_MEM_OR_BTF_ID:
        return _percpu(env, meta, flags)
    if rule.id == KPTR_XCHG:
        return exchanged(env, meta, flags)
    reg = pointer(PTR_TO_BTF_ID | flags)
    reg.btf, reg.btf_id = env.vmlinux, kernel_type(env, rule.ret_struct)
    return reg


def _map_value(env: Env, meta: CallMeta, func_id: int, flags: int) -> Reg:
    """A value of the map; certainly there when an array is asked with a known key in range."""
    map = meta.map
    assert map is not None  # every helper that returns a map's value takes the map
    known = func_id == MAP_LOOKUP_ELEM and 0 <= meta.const_map_key < map.max_entries and env.rules.known_keys_found
    if known and can_elide_value_nullness(map):
        flags &= PTR_MAYBE_NULL ^ 0xFFFFFFFF
    reg = pointer(PTR_TO_MAP_VALUE | flags)
    reg.map, reg.map_uid = map, meta.map_uid
    if not flags & PTR_MAYBE_NULL and map.record is not None and map.record.has_lock:
        reg.id = next_id(env)
    return reg


def _percpu(env: Env, meta: CallMeta, flags: int) -> Reg:
    """One CPU's copy of a kernel variable: a struct, or memory of the variable's size."""
    btf, btf_id = meta.ret_btf, meta.ret_btf_id
    bare = btf.resolve(btf_id)
    if isinstance(btf.type(bare), (Struct, Union)):
        allocated = meta.percpu_object
        reg = pointer(PTR_TO_BTF_ID | (MEM_ALLOC | MEM_RCU if allocated else flags & (MEM_RDONLY ^ 0xFFFFFFFF)))
        reg.btf, reg.btf_id = btf, btf_id
        return reg
    reg = pointer(PTR_TO_MEM | flags)
    try:
        reg.mem_size = btf.size_of(bare)
    except InputError as error:
        name = getattr(btf.type(bare), "name", "")
        text = f"unable to resolve the size of type '{name}': {-EINVAL}\n"
        raise env.reject(EINVAL, "percpu-size", text) from error
    return reg


@cache
def possible_cpus() -> int:
    """How many CPUs the kernel that is asked about may have: this machine's, for no profile knows it."""
    try:
        numbers = Path("/sys/devices/system/cpu/possible").read_text("ascii")
        return int(numbers.strip().replace(",", "-").rpartition("-")[2]) + 1
    except (OSError, ValueError):
        return os.cpu_count() or 1


def _is_bounded(env: Env, func_id: int) -> bool:
    """Does this kernel know a range of what the helper returns?"""
    if func_id == GET_SMP_PROCESSOR_ID:
        return bool(env.rules.cpu_number_bounded)
    return func_id != GET_TASK_STACK or bool(env.rules.task_stack_bounded)


def _refined(env: Env, meta: CallMeta, func_id: int) -> Reg:
    """A returned number whose range is known."""
    reg = unknown_scalar(env)
    if func_id == GET_SMP_PROCESSOR_ID:
        last = possible_cpus() - 1
        reg.umax = reg.u32_max = reg.smax = reg.s32_max = last
        reg.umin = reg.u32_min = reg.smin = reg.s32_min = 0
    else:
        reg.smax, reg.s32_max = s64(meta.msize_max_value), s32(meta.msize_max_value)
        reg.smin = reg.s32_min = -MAX_ERRNO
    reg_bounds_sync(env, reg)
    reg_bounds_sanity_check(env, reg, "retval")
    return reg
