"""Loads through pointers that BTF types: kernel structs, and maps as the kernel sees them.

What a loaded pointer is worth depends on the one it was loaded through: trusted, under RCU, untrusted.  Source:
``check_ptr_to_btf_access``, ``check_ptr_to_map_access`` and neighbours, kernel/bpf/verifier.c of Linux 6.18.
"""

from __future__ import annotations

from errno import EACCES, EFAULT, EINVAL, EPERM
from typing import Any

from osmia.btf import Btf
from osmia.btf import types as btf_types
from osmia.kernel.uapi import MAP_TYPES
from osmia.verifier.btf_walk import Found, WalkError, struct_access
from osmia.verifier.btf_write import check_btf_write
from osmia.verifier.consts import (
    BASE_TYPE_MASK,
    BPF_READ,
    BPF_WRITE,
    MEM_ALLOC,
    MEM_PERCPU,
    MEM_RCU,
    MEM_USER,
    NON_OWN_REF,
    PTR_MAYBE_NULL,
    PTR_TO_BTF_ID,
    PTR_TRUSTED,
    PTR_UNTRUSTED,
    SCALAR_VALUE,
)
from osmia.verifier.env import Env
from osmia.verifier.errors import Rejected
from osmia.verifier.fields import object_record
from osmia.verifier.kernel_types import kernel_btf
from osmia.verifier.marks import known_zero_of, mark_reg_unknown, next_id
from osmia.verifier.regs import Reg
from osmia.verifier.text import tnum_strn
from osmia.words import s64

GPL = ("GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL")
"""What ``license_is_gpl_compatible`` takes (include/linux/license.h)."""
TRUSTED_FLAGS = MEM_ALLOC | PTR_TRUSTED | NON_OWN_REF
ENOTSUPP = 524
_HASH, _ARRAY = "bpf_htab", "bpf_array"
MAP_STRUCTS = {
    "hash": _HASH,
    "percpu_hash": _HASH,
    "lru_hash": _HASH,
    "lru_percpu_hash": _HASH,
    "hash_of_maps": _HASH,
    "array": _ARRAY,
    "percpu_array": _ARRAY,
    "prog_array": _ARRAY,
    "perf_event_array": _ARRAY,
    "cgroup_array": _ARRAY,
    "array_of_maps": _ARRAY,
    "stack_trace": "bpf_stack_map",
    "lpm_trie": "lpm_trie",
    "devmap": "bpf_dtab",
    "devmap_hash": "bpf_dtab",
    "sockmap": "bpf_stab",
    "sockhash": "bpf_shtab",
    "cpumap": "bpf_cpu_map",
    "xskmap": "xsk_map",
    "cgroup_storage": "bpf_cgroup_storage_map",
    "percpu_cgroup_storage": "bpf_cgroup_storage_map",
    "reuseport_sockarray": "reuseport_array",
    "queue": "bpf_queue_stack",
    "stack": "bpf_queue_stack",
    "sk_storage": "bpf_local_storage_map",
    "inode_storage": "bpf_local_storage_map",
    "task_storage": "bpf_local_storage_map",
    "cgrp_storage": "bpf_local_storage_map",
    "struct_ops": "bpf_struct_ops_map",
    "ringbuf": "bpf_ringbuf_map",
    "user_ringbuf": "bpf_ringbuf_map",
    "bloom_filter": "bpf_bloom_filter",
    "arena": "bpf_arena",
}
"""What a map pointer points to, by map type (``map_btf_id`` of its operations)."""


def check_ptr_to_btf_access(env: Env, regno: int, off: int, size: int, t: int, value_regno: int) -> None:
    """An access of ``size`` bytes at ``off`` of the struct behind R``regno``; a read goes into R``value_regno`` or (-1)
    nowhere.  Raises Rejected.
    """
    regs = env.state.regs()
    reg = regs[regno]
    if env.rules.offset_in_var_off and reg.mask == 0:
        off += s64(reg.value)
    _check_pointer(env, reg, regno, off)
    if reg.type & MEM_ALLOC:
        _access_object(env, reg, regno, off, size, t, value_regno)
        return
    if t == BPF_WRITE:
        check_btf_write(env, reg, regno, off, size)
        return
    found = _walk(env, reg.btf, reg.btf_id, off, size)
    if t == BPF_READ and value_regno >= 0:
        flags = _flags_after(env, reg, found) if found.type == PTR_TO_BTF_ID else found.flags
        mark_btf_ld_reg(env, regs, value_regno, found, reg.btf, flags)


def _access_object(env: Env, reg: Reg, regno: int, off: int, size: int, t: int, value_regno: int) -> None:
    """An object that the program allocated: it may be written, except for what is the kernel's in it.

    Pointers that are read from it are numbers.
    """
    if t == BPF_WRITE and reg.type & PTR_UNTRUSTED:
        raise env.reject(EACCES, "btf-write", "only read is supported\n", reg=regno)
    if not (reg.type & (NON_OWN_REF | MEM_RCU) or reg.ref_obj_id):
        text = "verifier bug: ref_obj_id for allocated object must be non-zero\n"
        raise env.reject(EFAULT, "object-unreferenced", text, reg=regno)
    record = object_record(env, reg.btf, reg.btf_id)
    for field in record.fields if record is not None else ():
        if off < field.offset + field.size and field.offset < off + size:
            text = f"direct access to {field.type_name} is disallowed\n"
            raise env.reject(EACCES, "object-field", text, reg=regno, found=field.type_name)
    found = _walk(env, reg.btf, reg.btf_id, off, size)
    if t == BPF_READ and value_regno >= 0:
        if found.type == PTR_TO_BTF_ID:
            found = Found(SCALAR_VALUE)
        mark_btf_ld_reg(env, env.state.regs(), value_regno, found, reg.btf, found.flags)


def _check_pointer(env: Env, reg: Reg, regno: int, off: int) -> None:
    """May the pointer be followed at all?"""
    name = reg.btf.type(reg.btf_id).name
    if not env.allow_ptr_leaks:
        text = f"'struct {name}' access is allowed only to CAP_PERFMON and CAP_SYS_ADMIN\n"
        raise env.reject(EPERM, "btf-privilege", text, reg=regno)
    if env.program.license not in GPL and reg.btf is env.vmlinux:
        text = f"Cannot access kernel 'struct {name}' from non-GPL compatible program\n"
        raise env.reject(EINVAL, "btf-license", text, reg=regno)
    if off < 0:
        text = f"R{regno} is ptr_{name} invalid negative access: off={off}\n"
        raise env.reject(EACCES, "btf-negative", text, reg=regno)
    if reg.mask or (reg.value and not env.rules.offset_in_var_off):
        tnum = tnum_strn(reg.value, reg.mask)
        text = f"R{regno} is ptr_{name} invalid variable offset: off={off}, var_off={tnum}\n"
        raise env.reject(EACCES, "btf-variable-offset", text, reg=regno)
    if reg.type & MEM_USER:
        text = f"R{regno} is ptr_{name} access user memory: off={off}\n"
        raise env.reject(EACCES, "btf-user-memory", text, reg=regno)
    if reg.type & MEM_PERCPU:
        text = f"R{regno} is ptr_{name} access percpu memory: off={off}\n"
        raise env.reject(EACCES, "btf-percpu-memory", text, reg=regno)


def _walk(env: Env, btf: Btf, btf_id: int, off: int, size: int) -> Found:
    """The field, looked up once a program.  Raises Rejected with the walk's text."""
    seen: dict[Any, Found | WalkError] = env.room.setdefault("btf walks", {})
    key = id(btf), btf_id, off, size
    found = seen.get(key)
    if found is None:
        try:
            found = struct_access(btf, btf_id, off, size)
        except WalkError as error:
            found = error
        seen[key] = found
    if isinstance(found, WalkError):
        raise _refused(env, found)
    return found


def _refused(env: Env, error: WalkError) -> Rejected:
    env.say(error.text)
    return Rejected(error.errno, "btf-access", error.text.strip(), env.insn_idx)


def _flags_after(env: Env, reg: Reg, found: Found) -> int:
    """How far a pointer may be trusted that was loaded through ``reg``."""
    flags = found.flags
    if not env.rules.trusted_pointers:
        return (flags & ~(TRUSTED_FLAGS | MEM_RCU)) | (reg.type & PTR_UNTRUSTED)
    if reg.type & PTR_UNTRUSTED:
        return PTR_UNTRUSTED
    if not (is_trusted_reg(reg) or reg.type & MEM_RCU):
        return flags & ~(TRUSTED_FLAGS | MEM_RCU)
    if _is_safe(reg, found, "__safe_trusted"):
        return flags | PTR_TRUSTED
    if _is_safe(reg, found, "__safe_trusted_or_null"):
        return flags | PTR_TRUSTED | PTR_MAYBE_NULL
    if not in_rcu_cs(env) or reg.type & PTR_MAYBE_NULL:
        return PTR_UNTRUSTED
    if _is_safe(reg, found, "__safe_rcu"):
        return flags | MEM_RCU
    listed = _is_safe(reg, found, "__safe_rcu_or_null")
    if flags & MEM_RCU or listed:
        flags |= MEM_RCU | PTR_MAYBE_NULL
        return flags & ~PTR_UNTRUSTED if listed else flags
    if flags & (MEM_PERCPU | MEM_USER):
        return flags
    return flags & ~(TRUSTED_FLAGS | MEM_RCU)


def in_rcu_cs(env: Env) -> bool:
    """Are objects under RCU safe here?"""
    state = env.state
    return bool(state.active_rcu_lock or state.active_locks or not state.in_sleepable)


def is_trusted_reg(reg: Reg) -> bool:
    """Is the BTF pointer valid for sure: referenced, or of a trusted source?"""
    if reg.ref_obj_id:
        return True
    flags = reg.type & ~BASE_TYPE_MASK
    return bool(flags & TRUSTED_FLAGS) and not flags & ~TRUSTED_FLAGS


def _is_safe(reg: Reg, found: Found, suffix: str) -> bool:
    """Does the kernel list the field among the safe ones?  The lists are structs in its BTF: ``file__safe_trusted``."""
    btf: Btf = reg.btf
    owner = btf.type(reg.btf_id)
    listed = btf.find(f"{owner.name}{suffix}", type(owner))
    if listed is None:
        return False
    struct = btf.type(listed)
    if not isinstance(struct, btf_types.Struct | btf_types.Union):
        return False
    for member in struct.members:
        pointer = btf.type(member.type_id)
        if member.name == found.field and isinstance(pointer, btf_types.Ptr):
            return btf.resolve(pointer.type_id) == found.btf_id
    return False


def mark_btf_ld_reg(env: Env, regs: list[Reg], regno: int, found: Found, btf: Btf, flags: int) -> None:
    """Put what was loaded in a register."""
    if found.type == SCALAR_VALUE:
        mark_reg_unknown(env, regs, regno)
        return
    reg = known_zero_of(regs[regno])
    reg.type = found.type | flags
    if found.type == PTR_TO_BTF_ID:
        reg.btf, reg.btf_id = btf, found.btf_id
        if flags & PTR_MAYBE_NULL:
            reg.id = next_id(env)
    regs[regno] = reg


def check_ptr_to_map_access(env: Env, regno: int, off: int, size: int, t: int, value_regno: int) -> None:
    """An access to the kernel's own struct of a map, through a map pointer.  Raises Rejected."""
    regs = env.state.regs()
    found_map = regs[regno].map
    assert found_map is not None
    name = MAP_STRUCTS.get(MAP_TYPES[found_map.type], "")
    btf = kernel_btf(env)
    btf_id = btf.find(name, btf_types.Struct) if name else None
    if btf_id is None:
        text = f"map_ptr access not supported for map type {found_map.type}\n"
        raise env.reject(ENOTSUPP, "map-pointer", text, reg=regno)
    if not env.allow_ptr_leaks:
        text = f"'struct {name}' access is allowed only to CAP_PERFMON and CAP_SYS_ADMIN\n"
        raise env.reject(EPERM, "btf-privilege", text, reg=regno)
    if off < 0:
        raise env.reject(EACCES, "btf-negative", f"R{regno} is {name} invalid negative access: off={off}\n", reg=regno)
    if t != BPF_READ:
        raise env.reject(EACCES, "btf-write", f"only read from {name} is supported\n", reg=regno)
    found = _walk(env, btf, btf_id, off, size)
    if value_regno >= 0:
        mark_btf_ld_reg(env, regs, value_regno, found, btf, found.flags)
