"""Would the kernel make such a map?  Sizes, counts and flags of every map type, and what each takes to be allowed.

One row per type in ``RULES``; what can't be said in a row is a function of its own.  (``map_create`` in
kernel/bpf/syscall.c and the ``map_alloc_check`` of each type, Linux 6.18, x86-64.)  Whether there is memory enough
is not asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from dataclasses import dataclass
from errno import E2BIG, EINVAL, EPERM, ERANGE

from osmia.kernel.profile_rows import MapFacts
from osmia.kernel.uapi import MAP_FLAGS as F
from osmia.obj.model import MapSpec
from osmia.verifier.env import Env, Powers
from osmia.verifier.map_btf import map_check_btf
from osmia.verifier.maps import VMap

ENOTSUPP = 524
PAGE = 4096
KMALLOC_MAX = 1 << 22
PCPU_MIN_UNIT = 1 << 15
INT_MAX = (1 << 31) - 1
HTAB_ELEM, LPM_NODE = 48, 20
LOCAL_VALUE_MAX = 65407
MAX_STACK_DEPTH = 127
RINGBUF_MAX = (1 << 36) - 1
NAME = re.compile(r"[A-Za-z0-9_.]*\Z")

ACCESS = F["rdonly"] | F["wronly"] | F["rdonly_prog"] | F["wronly_prog"]
USER = F["rdonly"] | F["wronly"]
NUMA = F["numa_node"]
UNASKED = NUMA | F["path_fd"] | F["vtype_btf_obj_fd"] | F["token_fd"]
"""Flags that no profile knows of: they bring a file along, or ask for a part of the machine."""


class Sizes:
    """Sizes from ``low`` to ``high`` bytes, every ``step`` of them."""

    def __init__(self, low: int, high: int = (1 << 32) - 1, step: int = 1) -> None:
        self.low, self.high, self.step = low, high, step

    def __contains__(self, size: object) -> bool:
        return isinstance(size, int) and self.low <= size <= self.high and size % self.step == 0


ANY, SOME = Sizes(0), Sizes(1)
ONLY_4, ONLY_0, FD_OR_8 = (4,), (0,), (4, 8)
Check = Callable[[MapSpec], int]


@dataclass(frozen=True)
class Rule:
    """What BPF_MAP_CREATE takes of one type; anything else is EINVAL.

    ``must`` are flags that have to be there.  ``first`` is asked before the row, ``then`` after it: both give an errno
    or 0.  ``cap`` is the capability that the type takes; it is asked for before the sizes are looked at, or, for types
    that check them ``early``, after that.
    """

    key: Container[object]
    value: Container[object]
    entries: Container[object]
    flags: int
    must: int = 0
    first: Check | None = None
    then: Check | None = None
    cap: str = ""
    early: bool = False


# -- rules of single types


def hash_table(spec: MapSpec) -> int:
    """Flags of the hash tables that exclude one another, before their sizes are looked at."""
    lru, percpu = spec.type.startswith("lru_"), "percpu" in spec.type
    own_lists = bool(spec.flags & F["no_common_lru"])
    if spec.flags & ~(F["no_prealloc"] | F["no_common_lru"] | NUMA | ACCESS | F["zero_seed"]) or not access_ok(spec):
        return EINVAL
    if own_lists and not lru:
        return EINVAL
    if lru and spec.flags & F["no_prealloc"]:
        return ENOTSUPP
    return EINVAL if spec.flags & NUMA and (percpu or own_lists) else 0


def hash_sizes(spec: MapSpec) -> int:
    """An element has to fit into one allocation, and the table into the address space."""
    if spec.key_size + spec.value_size >= KMALLOC_MAX - HTAB_ELEM:
        return E2BIG
    if "percpu" in spec.type and percpu_too_big(spec):
        return E2BIG
    return E2BIG if spec.max_entries > 1 << 31 else 0


def array_sizes(spec: MapSpec) -> int:
    """Values of an array."""
    if spec.type != "array" and spec.flags & (F["mmapable"] | F["inner_map"]):
        return EINVAL
    if spec.type != "perf_event_array" and spec.flags & F["preserve_elems"]:
        return EINVAL
    if spec.type == "percpu_array" and spec.flags & NUMA:
        return EINVAL
    if spec.value_size > INT_MAX:
        return E2BIG
    return E2BIG if spec.type == "percpu_array" and percpu_too_big(spec) else 0


def percpu_too_big(spec: MapSpec) -> bool:
    """Has no CPU's area room for one value?"""
    return (spec.value_size + 7) // 8 * 8 > PCPU_MIN_UNIT


def stack_trace(spec: MapSpec) -> int:
    """Whole frames, not more than a stack may be deep."""
    frame = 32 if spec.flags & F["stack_build_id"] else 8
    if spec.value_size % frame or spec.value_size // frame > MAX_STACK_DEPTH:
        return EINVAL
    return E2BIG if spec.max_entries > 1 << 31 else 0


def devmap_hash(spec: MapSpec) -> int:
    """The table's size is rounded up to a power of two."""
    return EINVAL if spec.max_entries > 1 << 31 else 0


def sockhash(spec: MapSpec) -> int:
    """Keys come from the stack."""
    return E2BIG if spec.key_size > 512 else 0


def queue(spec: MapSpec) -> int:
    """One allocation."""
    return E2BIG if spec.value_size > KMALLOC_MAX else 0


def local_storage(spec: MapSpec) -> int:
    """Storage on kernel objects needs BTF for its key and its value."""
    if not spec.btf_key_type_id or not spec.btf_value_type_id:
        return EINVAL
    return E2BIG if spec.value_size > LOCAL_VALUE_MAX else 0


def cgroup_storage(spec: MapSpec) -> int:
    """Storage of a cgroup, asked in the kernel's order: value before flags and count."""
    limit = PCPU_MIN_UNIT if spec.type.startswith("percpu") else KMALLOC_MAX
    if spec.key_size not in (8, 16) or not spec.value_size:
        return EINVAL
    return E2BIG if spec.value_size > min(limit, LOCAL_VALUE_MAX) else 0


def ringbuf(spec: MapSpec) -> int:
    """Pages, a power of two of them."""
    if not spec.max_entries or spec.max_entries & (spec.max_entries - 1) or spec.max_entries % PAGE:
        return EINVAL
    return E2BIG if spec.max_entries > RINGBUF_MAX else 0


def bloom_filter(spec: MapSpec) -> int:
    """``map_extra`` counts hash functions."""
    if spec.map_extra & ~0xF:
        return EINVAL
    return E2BIG if spec.value_size > KMALLOC_MAX else 0


def arena(spec: MapSpec) -> int:
    """At most 4 GiB that don't cross a multiple of 4 GiB in user space."""
    if spec.map_extra % PAGE:
        return EINVAL
    size = spec.max_entries * PAGE
    if size > 1 << 32:
        return E2BIG
    return ERANGE if spec.map_extra >> 32 != (spec.map_extra + size - 1) >> 32 else 0


def rhash(spec: MapSpec) -> int:
    """``map_extra`` says how many elements to expect; a key's length is kept in 16 bits."""
    if spec.map_extra > spec.max_entries:
        return EINVAL
    return E2BIG if spec.key_size >= 1 << 16 or spec.key_size + spec.value_size >= KMALLOC_MAX - HTAB_ELEM else 0


def struct_ops(spec: MapSpec) -> int:
    """A struct of functions needs the kernel's type of its value."""
    return 0 if spec.btf_vmlinux_value_type else EINVAL


_HASH = Rule(SOME, SOME, SOME, 0xFFFFFFFF, first=hash_table, then=hash_sizes)
_LRU = Rule(SOME, SOME, SOME, 0xFFFFFFFF, first=hash_table, then=hash_sizes, cap="bpf", early=True)
_ARRAY_FLAGS = NUMA | F["mmapable"] | ACCESS | F["preserve_elems"] | F["inner_map"]
_ARRAY = Rule(ONLY_4, SOME, SOME, _ARRAY_FLAGS, then=array_sizes)
_FDS = Rule(ONLY_4, ONLY_4, SOME, _ARRAY_FLAGS & ~(F["rdonly_prog"] | F["wronly_prog"]), then=array_sizes)
_QUEUE = Rule(ONLY_0, SOME, SOME, NUMA | ACCESS, then=queue, cap="bpf", early=True)
_LOCAL = Rule(
    *(ONLY_4, SOME, ONLY_0, F["no_prealloc"] | F["clone"], F["no_prealloc"]),
    then=local_storage,
    cap="bpf",
    early=True,
)
_CGROUP = Rule((8, 16), SOME, ONLY_0, NUMA | ACCESS, first=cgroup_storage)
_RINGBUF = Rule(ONLY_0, ONLY_0, ANY, NUMA, then=ringbuf)
_DEVICES = Rule(ONLY_4, FD_OR_8, SOME, NUMA | USER, cap="net_admin", early=True)

RULES: dict[str, Rule] = {
    "hash": _HASH,
    "percpu_hash": _HASH,
    "lru_hash": _LRU,
    "lru_percpu_hash": _LRU,
    "hash_of_maps": Rule(SOME, ONLY_4, SOME, 0xFFFFFFFF, first=hash_table, then=hash_sizes),
    "rhash": Rule(SOME, SOME, SOME, F["no_prealloc"] | NUMA | ACCESS, must=F["no_prealloc"], then=rhash),
    "array": _ARRAY,
    "percpu_array": _ARRAY,
    "prog_array": _FDS,
    "perf_event_array": _FDS,
    "cgroup_array": _FDS,
    "array_of_maps": _FDS,
    "reuseport_sockarray": Rule(ONLY_4, FD_OR_8, SOME, _ARRAY_FLAGS, then=array_sizes, cap="bpf", early=True),
    "stack_trace": Rule(ONLY_4, Sizes(8), SOME, NUMA | USER | F["stack_build_id"], then=stack_trace, cap="bpf"),
    "lpm_trie": Rule(
        *(Sizes(5, 260), Sizes(1, KMALLOC_MAX - 260 - LPM_NODE), SOME, F["no_prealloc"] | NUMA | ACCESS),
        must=F["no_prealloc"],
        cap="bpf",
    ),
    "devmap": _DEVICES,
    "devmap_hash": Rule(ONLY_4, FD_OR_8, SOME, NUMA | USER, then=devmap_hash, cap="net_admin", early=True),
    "sockmap": Rule(ONLY_4, FD_OR_8, SOME, NUMA | USER, cap="net_admin"),
    "sockhash": Rule(SOME, FD_OR_8, SOME, NUMA | USER, then=sockhash, cap="net_admin"),
    "cpumap": Rule(ONLY_4, FD_OR_8, SOME, NUMA, cap="bpf"),
    "xskmap": Rule(ONLY_4, ONLY_4, SOME, NUMA | USER, cap="net_admin"),
    "cgroup_storage": _CGROUP,
    "percpu_cgroup_storage": _CGROUP,
    "queue": _QUEUE,
    "stack": _QUEUE,
    "sk_storage": _LOCAL,
    "inode_storage": _LOCAL,
    "task_storage": _LOCAL,
    "cgrp_storage": _LOCAL,
    "ringbuf": _RINGBUF,
    "user_ringbuf": _RINGBUF,
    "bloom_filter": Rule(ONLY_0, SOME, SOME, NUMA | ACCESS | F["zero_seed"], then=bloom_filter, cap="bpf"),
    "arena": Rule(
        *(ONLY_0, ONLY_0, SOME, F["mmapable"] | F["segv_on_fault"] | F["no_user_conv"]),
        must=F["mmapable"],
        then=arena,
        cap="bpf",
    ),
    "struct_ops": Rule(
        ONLY_4, ANY, (1,), F["link"] | F["vtype_btf_obj_fd"], first=struct_ops, cap="bpf", early=True
    ),
}  # fmt: skip


def map_create(env: Env, found: VMap) -> int:
    """The errno of BPF_MAP_CREATE, 0 where the map is made.  Its value's special fields are noted in ``record``."""
    spec = found.spec
    rule, facts = RULES.get(spec.type), env.profile.maps.get(spec.type)
    if rule is None or facts is None:
        return EINVAL
    allowed = EPERM if rule.cap and not getattr(env.powers, rule.cap) else 0
    return (
        common_errno(spec)
        or (0 if rule.early else allowed)
        or sizes_errno(rule, facts, spec, env.powers)
        or allowed
        or (E2BIG if spec.type == "cpumap" and spec.max_entries > env.profile.limit("max_cpus") else 0)
        or inner_errno(found)
        or name_errno(spec)
        or map_check_btf(env, found)
    )


def common_errno(spec: MapSpec) -> int:
    """Attributes that are looked at whatever the type."""
    if spec.btf_vmlinux_value_type:
        if spec.type != "struct_ops" or spec.btf_key_type_id or spec.btf_value_type_id:
            return EINVAL
    elif spec.btf_key_type_id and not spec.btf_value_type_id:
        return EINVAL
    if spec.map_extra and spec.type not in ("bloom_filter", "arena", "rhash"):
        return EINVAL
    if spec.flags & USER == USER or spec.flags & F["token_fd"]:
        return EINVAL
    return EINVAL if spec.flags & NUMA and (spec.numa_node or 0) > 0 else 0


def flags_of(rule: Rule, facts: MapFacts) -> int:
    """The flags that a type takes on this kernel: the rule's, as far as the kernel knows them, and newer ones."""
    if rule.first is hash_table:
        return rule.flags
    return rule.flags & (facts.flags | rule.must | UNASKED) | facts.flags


def sizes_errno(rule: Rule, facts: MapFacts, spec: MapSpec, powers: Powers) -> int:
    """The row of the type, and what the kernel says of it."""
    if facts.max_value and spec.value_size > facts.max_value and spec.key_size in rule.key:
        return E2BIG
    if spec.type == "hash_of_maps" and spec.value_size not in ONLY_4:
        return EINVAL
    if rule.first is hash_table and spec.flags & F["zero_seed"] and not powers.sys_admin:
        return EPERM
    wrong = rule.first(spec) if rule.first else 0
    if wrong:
        return wrong
    fits = spec.key_size in rule.key and spec.value_size in rule.value and spec.max_entries in rule.entries
    if not fits or spec.flags & ~flags_of(rule, facts) or spec.flags & rule.must != rule.must or not access_ok(spec):
        return EINVAL
    if facts.max_key and spec.key_size > facts.max_key:
        return E2BIG
    return rule.then(spec) if rule.then else 0


def access_ok(spec: MapSpec) -> bool:
    """A program has to be left one way to use the map."""
    both = F["rdonly_prog"] | F["wronly_prog"]
    return spec.flags & both != both


def inner_errno(found: VMap) -> int:
    """A map of maps needs a template, which is no map of maps itself, nor of a type that can't be one."""
    if found.spec.type not in ("array_of_maps", "hash_of_maps"):
        return 0
    if found.inner is None:
        return EINVAL
    if found.inner.spec.type in ("array_of_maps", "hash_of_maps"):
        return EINVAL
    return ENOTSUPP if found.inner.spec.type in NO_TEMPLATES else 0


NO_TEMPLATES = ("prog_array", "struct_ops", "cgroup_storage", "percpu_cgroup_storage", "arena", "task_storage")


def name_errno(spec: MapSpec) -> int:
    """Names are letters, digits, ``_`` and ``.``."""
    return 0 if NAME.match(spec.name[:15]) else EINVAL
