"""Would map_create accept this?  The kernel's rules for every type that has a body here, in the kernel's order.

Sources: kernel/bpf/syscall.c (map_create), arraymap.c, hashtab.c, queue_stack_maps.c, ringbuf.c, lpm_trie.c,
bloom_filter.c, devmap.c, cpumap.c, net/xdp/xskmap.c; Linux 6.18.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING

from osmia.kernel.uapi import BPF_OBJ_NAME_LEN, MAP_FLAGS, MAP_TYPE, MAP_TYPES_6_18

if TYPE_CHECKING:
    from osmia.obj.model import MapSpec

ENOTSUPP = 524
PAGE_SIZE = 4096
KMALLOC_MAX = 4 << 20
HTAB_ELEM = 48
"""``sizeof(struct htab_elem)``, the bookkeeping in front of a hash element's key."""
PERCPU_MAX = 32 << 10
"""The largest per-CPU allocation (PCPU_MIN_UNIT_SIZE)."""
NR_CPUS = 8192
"""CONFIG_NR_CPUS of the distributions' kernels; smaller ones refuse large cpumaps earlier."""
BUCKETS_MAX = 0xFFFFFFFF // 16
LPM_DATA_MAX, LPM_NODE = 256, 40

_F = MAP_FLAGS
PROG_ACCESS = _F["rdonly_prog"] | _F["wronly_prog"]
FILE_ACCESS = _F["rdonly"] | _F["wronly"]
ACCESS = FILE_ACCESS | PROG_ACCESS
ARRAY_FLAGS = _F["numa_node"] | _F["mmapable"] | ACCESS | _F["preserve_elems"] | _F["inner_map"]
HASH_FLAGS = _F["no_prealloc"] | _F["no_common_lru"] | _F["numa_node"] | ACCESS | _F["zero_seed"]
QUEUE_FLAGS = _F["numa_node"] | ACCESS
LPM_FLAGS = _F["no_prealloc"] | _F["numa_node"] | ACCESS
BLOOM_FLAGS = _F["numa_node"] | _F["zero_seed"] | ACCESS
NO_ENTRIES = frozenset(("sk_storage", "inode_storage", "task_storage", "cgrp_storage", "cgroup_storage", "struct_ops"))
KEYLESS = frozenset(("ringbuf", "user_ringbuf", "queue", "stack", "bloom_filter"))
KEYS_OF_4 = frozenset("array percpu_array prog_array perf_event_array array_of_maps devmap cpumap xskmap".split())
DEV_FLAGS = _F["numa_node"] | FILE_ACCESS


def check_create(spec: MapSpec, cpus: int = 1) -> int:
    """0, or the errno (positive) that BPF_MAP_CREATE answers to root.  Memory is not asked for here."""
    bad = _common(spec)
    if bad:
        return bad
    return RULES.get(spec.type, _bodiless)(spec, cpus)


def why_not(spec: MapSpec) -> str:
    """A word on the commonest reasons for EINVAL, "" for others: what is missing or too much in the definition."""
    if spec.type not in NO_ENTRIES and not spec.max_entries:
        return "max_entries is missing"
    if spec.type == "ringbuf" and (spec.key_size or spec.value_size):
        return "its key and value sizes must be 0"
    if spec.type in KEYLESS:
        return "it has no keys: its key size must be 0" if spec.key_size else ""
    if not spec.key_size:
        return "the key's size is missing"
    if spec.type in KEYS_OF_4 and spec.key_size != 4:
        return f"its keys have 4 bytes, not {spec.key_size}"
    if not spec.value_size:
        return "the value's size is missing"
    return ""


def _common(s: MapSpec) -> int:
    number = MAP_TYPE.get(s.type, 0)
    if not 0 < number < MAP_TYPES_6_18 or not _fits(s):
        return errno.EINVAL
    if s.map_extra and s.type not in ("bloom_filter", "arena"):
        return errno.EINVAL
    if s.flags & FILE_ACCESS == FILE_ACCESS or (s.flags & _F["numa_node"] and s.numa_node not in (None, 0)):
        return errno.EINVAL
    if s.btf_key_type_id and not s.btf_value_type_id:
        return errno.EINVAL
    return 0


def _bodiless(s: MapSpec, cpus: int) -> int:
    """Types whose own rules are not known here: no more memory than one allocation of the kernel's."""
    return errno.E2BIG if max(s.key_size, s.value_size) > KMALLOC_MAX else 0


def _fits(s: MapSpec) -> bool:
    return all(0 <= n <= 0xFFFFFFFF for n in (s.key_size, s.value_size, s.max_entries, s.flags))


def check_name(name: str) -> int:
    """EINVAL for a name that the kernel does not take: up to 15 letters, digits, ``_`` and ``.``."""
    good = len(name) < BPF_OBJ_NAME_LEN and all(c.isascii() and (c.isalnum() or c in "_.") for c in name)
    return 0 if good else errno.EINVAL


def _one_sided(flags: int) -> bool:
    """Not both read-only and write-only for programs."""
    return flags & PROG_ACCESS != PROG_ACCESS


def _round8(size: int) -> int:
    return (size + 7) & ~7


def _array(s: MapSpec, cpus: int) -> int:
    percpu = s.type == "percpu_array"
    shape = s.max_entries == 0 or s.key_size != 4 or s.value_size == 0
    if shape or s.flags & ~ARRAY_FLAGS or not _one_sided(s.flags) or (percpu and s.flags & _F["numa_node"]):
        # NUMA_NO_NODE may be asked for by number too, which no loader does
        return errno.EINVAL
    if s.type != "array" and s.flags & (_F["mmapable"] | _F["inner_map"]):
        return errno.EINVAL
    if s.type != "perf_event_array" and s.flags & _F["preserve_elems"]:
        return errno.EINVAL
    if s.value_size > 0x7FFFFFFF or (percpu and _round8(s.value_size) > PERCPU_MAX):
        return errno.E2BIG
    return 0


def _fd_array(s: MapSpec, cpus: int) -> int:
    if s.value_size != 4 or s.flags & PROG_ACCESS:
        return errno.EINVAL
    return _array(s, cpus)


def _hash(s: MapSpec, cpus: int) -> int:
    percpu, lru = "percpu" in s.type, s.type.startswith("lru")
    own_lru = bool(s.flags & _F["no_common_lru"])
    if s.flags & ~HASH_FLAGS or not _one_sided(s.flags) or (own_lru and not lru):
        return errno.EINVAL
    if lru and s.flags & _F["no_prealloc"]:
        return ENOTSUPP
    if s.flags & _F["numa_node"] and (percpu or own_lru):
        return errno.EINVAL
    if not (s.max_entries and s.key_size and s.value_size):
        return errno.EINVAL
    if s.key_size + s.value_size >= KMALLOC_MAX - HTAB_ELEM or (percpu and _round8(s.value_size) > PERCPU_MAX):
        return errno.E2BIG
    return _hash_size(s, cpus)


def _hash_size(s: MapSpec, cpus: int) -> int:
    entries = s.max_entries
    if s.flags & _F["no_common_lru"]:
        entries = -(-entries // cpus) * cpus
    return errno.E2BIG if entries > 1 << 31 or 1 << (entries - 1).bit_length() > BUCKETS_MAX else 0


def _fd_hash(s: MapSpec, cpus: int) -> int:
    return _hash(s, cpus) if s.value_size == 4 else errno.EINVAL


def _queue(s: MapSpec, cpus: int) -> int:
    if not s.max_entries or s.key_size or not s.value_size or s.flags & ~QUEUE_FLAGS or not _one_sided(s.flags):
        return errno.EINVAL
    return errno.E2BIG if s.value_size > KMALLOC_MAX else 0


def _ringbuf(s: MapSpec, cpus: int) -> int:
    n = s.max_entries
    odd_size = n == 0 or n & (n - 1) or n % PAGE_SIZE
    return errno.EINVAL if s.flags & ~_F["numa_node"] or s.key_size or s.value_size or odd_size else 0


def _lpm(s: MapSpec, cpus: int) -> int:
    flags_ok = s.flags & _F["no_prealloc"] and not s.flags & ~LPM_FLAGS and _one_sided(s.flags)
    key_ok = 5 <= s.key_size <= 4 + LPM_DATA_MAX
    value_ok = 1 <= s.value_size <= KMALLOC_MAX - LPM_DATA_MAX - LPM_NODE
    return 0 if s.max_entries and flags_ok and key_ok and value_ok else errno.EINVAL


def _bloom(s: MapSpec, cpus: int) -> int:
    if s.value_size > KMALLOC_MAX:
        return errno.E2BIG
    shape = s.key_size == 0 and s.value_size and s.max_entries
    flags_ok = not s.flags & ~BLOOM_FLAGS and _one_sided(s.flags)
    return 0 if shape and flags_ok and not s.map_extra & ~0xF else errno.EINVAL


def _devmap(s: MapSpec, cpus: int) -> int:
    good = s.max_entries and s.key_size == 4 and s.value_size in (4, 8) and not s.flags & ~DEV_FLAGS
    return 0 if good else errno.EINVAL


def _cpumap(s: MapSpec, cpus: int) -> int:
    if not s.max_entries or s.key_size != 4 or s.value_size not in (4, 8) or s.flags & ~_F["numa_node"]:
        return errno.EINVAL
    return errno.E2BIG if s.max_entries > NR_CPUS else 0


def _xskmap(s: MapSpec, cpus: int) -> int:
    good = s.max_entries and s.key_size == 4 and s.value_size == 4 and not s.flags & ~DEV_FLAGS
    return 0 if good else errno.EINVAL


RULES: dict[str, Callable[[MapSpec, int], int]] = {
    **dict.fromkeys(("array", "percpu_array"), _array),
    **dict.fromkeys(("prog_array", "perf_event_array", "array_of_maps"), _fd_array),
    **dict.fromkeys(("hash", "percpu_hash", "lru_hash", "lru_percpu_hash"), _hash),
    **dict.fromkeys(("queue", "stack"), _queue),
    **dict.fromkeys(("devmap", "devmap_hash"), _devmap),
    "hash_of_maps": _fd_hash,
    "ringbuf": _ringbuf,
    "lpm_trie": _lpm,
    "bloom_filter": _bloom,
    "cpumap": _cpumap,
    "xskmap": _xskmap,
}
