"""May a program use a map at all?  What its type, its sleep and the map's special fields say together.

(``check_map_prog_compatibility`` in kernel/bpf/verifier.c, Linux 6.18.)
"""

from __future__ import annotations

from errno import EBUSY, EINVAL, EPERM

from osmia.kernel.uapi import MAP_TYPE
from osmia.verifier.env import Env
from osmia.verifier.maps import VMap

TRACING = ("kprobe", "tracepoint", "perf_event", "raw_tracepoint", "raw_tracepoint_writable")
SLEEPABLE = frozenset(
    MAP_TYPE[name]
    for name in (
        *("hash", "lru_hash", "array", "percpu_hash", "percpu_array", "lru_percpu_hash", "array_of_maps"),
        *("hash_of_maps", "ringbuf", "user_ringbuf", "inode_storage", "sk_storage", "task_storage", "cgrp_storage"),
        *("queue", "stack", "arena"),
    )
)
"""Maps that may be held while a program sleeps."""
QUEUES = (MAP_TYPE["queue"], MAP_TYPE["stack"])
CGROUP_STORAGE = (MAP_TYPE["cgroup_storage"], MAP_TYPE["percpu_cgroup_storage"])
ARENA, STRUCT_OPS = MAP_TYPE["arena"], MAP_TYPE["struct_ops"]


def check_map_prog_compatibility(env: Env, found: VMap) -> None:
    """Raises Rejected where this program may not use the map."""
    if found.record is not None:
        check_fields(env, found)
    if found.type == STRUCT_OPS:
        raise env.reject(EINVAL, "struct-ops-map", "bpf_struct_ops map cannot be used in prog\n")
    if env.sleepable and (found.type not in SLEEPABLE or (found.type in QUEUES and not env.rules.sleepable_queues)):
        what = "ringbuf and local storage" if env.rules.sleepable_storage_told else "and ringbuf"
        raise env.reject(EINVAL, "sleepable-map", f"Sleepable programs can only use array, hash, {what} maps\n")
    if found.type in CGROUP_STORAGE and any(used.type == found.type for used in env.used_maps):
        raise env.reject(EBUSY, "two-cgroup-storages", "only one cgroup storage of each type is allowed\n")
    if found.type == ARENA:
        check_arena(env, found)


def check_fields(env: Env, found: VMap) -> None:
    """Locks, timers, lists and trees in values are not for programs that run anywhere at any time."""
    record = found.record
    tracing = env.prog_type in TRACING
    if tracing and (record.has("list_head") or record.has("rb_root")):
        raise env.reject(EINVAL, "graph-tracing", "tracing progs cannot use bpf_{list_head,rb_root} yet\n")
    if record.has_lock and env.prog_type == "socket_filter":
        raise env.reject(EINVAL, "lock-socket-filter", "socket filter progs cannot use bpf_spin_lock yet\n")
    if record.has_lock and tracing:
        raise env.reject(EINVAL, "lock-tracing", "tracing progs cannot use bpf_spin_lock yet\n")
    if record.has_lock and env.sleepable and not env.rules.sleepable_locks:
        raise env.reject(EINVAL, "lock-sleepable", "sleepable progs cannot use bpf_spin_lock yet\n")
    if tracing and record.has_timer:
        raise env.reject(EINVAL, "timer-tracing", "tracing progs cannot use bpf_timer yet\n")
    if tracing and record.has("wq"):
        raise env.reject(EINVAL, "wq-tracing", "tracing progs cannot use bpf_wq yet\n")


def check_arena(env: Env, found: VMap) -> None:
    """One arena a program, for loaders who may see pointers, at an address that is known before the load."""
    if any(used.type == ARENA for used in env.used_maps):
        raise env.reject(EBUSY, "two-arenas", "Only one arena per program\n")
    if not env.allow_ptr_leaks or not env.bpf_capable:
        raise env.reject(EPERM, "arena-caps", "CAP_BPF and CAP_PERFMON are required to use arena\n")
    if not found.extra:
        raise env.reject(EINVAL, "arena-address", "arena's user address must be set via map_extra or mmap()\n")
