"""What BTF says of a map's keys and values: do the sizes fit, and which fields of the value belong to the kernel?

(``map_check_btf`` in kernel/bpf/syscall.c, ``btf_parse_fields`` in kernel/bpf/btf.c, Linux 6.18.)
"""

from __future__ import annotations

import sys
from errno import EACCES, EINVAL, EOPNOTSUPP, EPERM
from functools import partial

from osmia.btf import Btf, Datasec, DeclTag, Enum64, Float, Int, Struct, Type, TypeTag, Void
from osmia.errors import BtfError
from osmia.kernel.uapi import MAP_FLAGS
from osmia.verifier.btf_info import known_type
from osmia.verifier.btf_resolve import btf_load_errno
from osmia.verifier.env import Env
from osmia.verifier.fields import metas_of
from osmia.verifier.kptrs import UPTR, may_be_owned, target
from osmia.verifier.map_record import IN_OBJECTS, IN_VALUES, BadRecord, Field, Record, parse_record
from osmia.verifier.maps import VMap
from osmia.verifier.struct_meta import ROOTS, check_owned, check_uptr, struct_metas

ENOTSUPP = 524
LOCAL = ("sk_storage", "inode_storage", "task_storage", "cgrp_storage")
NO_BTF = (
    *("perf_event_array", "cgroup_array", "array_of_maps", "hash_of_maps", "stack_trace", "devmap", "devmap_hash"),
    *("cpumap", "xskmap", "sockmap", "sockhash"),
)
"""Types whose contents nobody describes."""
CHECKED = ("array", "percpu_array", "lpm_trie", "cgroup_storage", "percpu_cgroup_storage", "bloom_filter", "arena")
_PLAIN = ("hash", "lru_hash", "array")
_PERCPU = ("percpu_hash", "lru_percpu_hash", "percpu_array")
HOLDS = {
    "spin_lock": ("hash", "array", "cgroup_storage", *LOCAL),
    "res_spin_lock": ("hash", "array", "cgroup_storage", *LOCAL),
    "timer": _PLAIN,
    "wq": _PLAIN,
    "task_work": _PLAIN,
    "kptr": (*_PLAIN, *_PERCPU, *LOCAL),
    "refcount": (*_PLAIN, *_PERCPU, *LOCAL),
    "uptr": ("task_storage",),
    "list_head": _PLAIN,
    "rb_root": _PLAIN,
}
"""The map types that may have such a field in their values."""
FIELD_RULES = {
    "timer": "kernel_timers",
    "kptr": "kernel_pointers",
    "list_head": "kernel_lists",
    "list_node": "kernel_lists",
    "rb_root": "kernel_trees",
    "rb_node": "kernel_trees",
    "refcount": "kernel_refcounts",
    "wq": "kernel_workqueues",
    "uptr": "user_pointers",
    "res_spin_lock": "res_spin_locks",
    "task_work": "task_works",
}
"""Fields that not every kernel knows; to others they are data."""
KIND_RULES = {"btf_float": Float, "btf_decl_tag": DeclTag, "btf_type_tag": TypeTag, "btf_enum64": Enum64}
"""Kinds of types that not every kernel knows."""


def map_check_btf(env: Env, found: VMap) -> int:
    """The errno for a map with BTF; 0 where it fits, or has none.  Notes the special fields of the value."""
    spec = found.spec
    if not spec.btf_key_type_id and not spec.btf_value_type_id:
        return 0
    if spec.btf is None:
        return EINVAL
    if spec.btf is not env.program.btf and btf_errno(env, spec.btf):
        return EINVAL
    key_id, value_id = spec.btf_key_type_id, spec.btf_value_type_id
    if key_id and sized(spec.btf, key_id) != spec.key_size:
        return EINVAL
    if not key_id and spec.type not in (*CHECKED, *LOCAL, *NO_BTF):
        return EINVAL
    if sized(spec.btf, value_id) != spec.value_size:
        return EINVAL
    record = record_of(env, spec.btf, value_id, spec.value_size)
    wrong = record_errno(env, found, record) or owned_errno(env, spec.btf, record) if record else 0
    found.record = record
    return wrong or type_errno(found, spec.btf)


def btf_errno(env: Env, btf: Btf) -> int:
    """What BPF_BTF_LOAD answers."""
    if btf.byteorder != sys.byteorder:
        return EINVAL
    if any(btf.ids(kind) for rule, kind in KIND_RULES.items() if not getattr(env.rules, rule)):
        return EINVAL
    return btf_load_errno(btf.encode())[0] or (struct_metas_errno(env, btf) if env.rules.struct_metas else 0)


def known_fields(env: Env, kinds: frozenset[str]) -> frozenset[str]:
    """Those of the kinds of fields that the kernel knows."""
    return frozenset(kind for kind in kinds if kind not in FIELD_RULES or getattr(env.rules, FIELD_RULES[kind]))


def struct_metas_errno(env: Env, btf: Btf) -> int:
    """What it answers to structs with fields of the kernel's."""
    try:
        kinds, rules = known_fields(env, IN_OBJECTS), env.rules
        may_own = partial(may_be_owned, env)
        table = struct_metas(btf, may_own, kinds, rules.fields_once_each_level, rules.objects_in_chains)
    except BadRecord as bad:
        return bad.errno
    env.room.setdefault("struct metas", {})[id(btf)] = btf, table
    return 0


def record_of(env: Env, btf: Btf, type_id: int, size: int) -> Record | None:
    """The special fields of a map's value.  Fields that can't stand like that are none, says the kernel."""
    try:
        kinds = known_fields(env, IN_VALUES)
        each_level = env.rules.fields_once_each_level
        record = parse_record(btf, btf.resolve(type_id), kinds, size, partial(may_be_owned, env), each_level)
        if record is None or env.rules.local_pointers or not any(_leads_home(env, f) for f in record.fields):
            return record
    except BadRecord:
        return None
    rest = [field for field in record.fields if field.kind != "kptr"]
    return Record(rest) if rest else None


def _leads_home(env: Env, field: Field) -> bool:
    """Is it a pointer to a struct of the program's own?"""
    return field.kind == "kptr" and target(env, field)[0] is not env.vmlinux


def owned_errno(env: Env, btf: Btf, record: Record) -> int:
    """May the value hold such objects, and point to the user's memory like that?"""
    try:
        for field in record.fields:
            if field.tag == UPTR:
                leads_to, type_id = target(env, field)
                check_uptr(leads_to, type_id, leads_to is env.vmlinux)
        if record.kinds & ROOTS:
            check_owned(record, metas_of(env, btf), env.rules.objects_in_chains)
    except BadRecord as bad:
        return bad.errno
    return 0


def sized(btf: Btf, type_id: int) -> int:
    """Bytes of a type; -1 where it has no size."""
    try:
        found = btf.type(btf.resolve(type_id))
        return found.size if isinstance(found, Datasec) else btf.size_of(type_id)
    except BtfError:
        return -1


def record_errno(env: Env, found: VMap, record: Record) -> int:
    """May a map of this type hold the fields?"""
    if not env.powers.bpf:
        return EPERM
    if found.flags & (MAP_FLAGS["rdonly_prog"] | MAP_FLAGS["wronly_prog"]):
        return EACCES
    fits = all(found.spec.type in HOLDS[kind] for kind in record.kinds)
    return 0 if fits else EOPNOTSUPP


def type_errno(found: VMap, btf: Btf) -> int:
    """What single map types demand of key and value."""
    spec = found.spec
    key = known_type(btf, btf.resolve(spec.btf_key_type_id))
    if spec.type in NO_BTF:
        return ENOTSUPP
    if spec.type in ("array", "percpu_array"):
        return array_errno(found, btf, key)
    if spec.type in LOCAL:
        return 0 if is_int(key, 4) else EINVAL
    if spec.type == "lpm_trie":
        return 0 if isinstance(key, Struct) else EINVAL
    if spec.type in ("cgroup_storage", "percpu_cgroup_storage"):
        return 0 if is_storage_key(btf, key, spec.key_size) else EINVAL
    if spec.type == "bloom_filter":
        return 0 if isinstance(key, Void) else EINVAL
    return 0


def array_errno(found: VMap, btf: Btf, key: Type | None) -> int:
    """Keys are 32-bit integers; only global data, one section, goes without."""
    if not isinstance(key, Void):
        return 0 if is_int(key, 4) else EINVAL
    value = known_type(btf, found.spec.btf_value_type_id)
    data = found.spec.type == "array" and found.max_entries == 1 and isinstance(value, Datasec)
    return 0 if data else EINVAL


def is_storage_key(btf: Btf, key: Type | None, size: int) -> bool:
    """A cgroup's number, alone or in a struct with an attach type."""
    if size == 8:
        return is_int(key, 8)
    if not isinstance(key, Struct) or [m.bit_offset for m in key.members] != [0, 64]:
        return False
    kinds = [known_type(btf, btf.resolve(m.type_id)) for m in key.members]
    return is_int(kinds[0], 8) and is_int(kinds[1], 4)


def is_int(found: Type | None, size: int) -> bool:
    """A plain integer of so many bytes."""
    return isinstance(found, Int) and found.size == size and found.bits == 8 * size and not found.offset
