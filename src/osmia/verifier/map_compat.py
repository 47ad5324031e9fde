"""Which map types may be passed to which helpers, and which helpers take which map types.

Both sides may restrict the pair (``check_map_func_compatibility`` in kernel/bpf/verifier.c, Linux 6.18).
"""

from __future__ import annotations

from errno import EINVAL
from functools import cache

from osmia.kernel.uapi import MAP_TYPES
from osmia.verifier.env import Env
from osmia.verifier.helper_proto import func_id_name
from osmia.verifier.maps import VMap

PERF = ("perf_event_read", "perf_event_output", "skb_output", "perf_event_read_value", "xdp_output")
RING = (
    *("ringbuf_output", "ringbuf_reserve", "ringbuf_query"),
    *("ringbuf_reserve_dynptr", "ringbuf_submit_dynptr", "ringbuf_discard_dynptr"),
)
CGROUP = ("skb_under_cgroup", "current_task_under_cgroup")
QUEUE = ("map_peek_elem", "map_pop_elem", "map_push_elem")

MAP_TAKES: dict[str, tuple[str, ...]] = {
    "prog_array": ("tail_call",),
    "perf_event_array": PERF,
    "ringbuf": RING,
    "user_ringbuf": ("user_ringbuf_drain",),
    "stack_trace": ("get_stackid",),
    "cgroup_array": CGROUP,
    "cgroup_storage": ("get_local_storage",),
    "percpu_cgroup_storage": ("get_local_storage",),
    "devmap": ("redirect_map", "map_lookup_elem"),
    "devmap_hash": ("redirect_map", "map_lookup_elem"),
    "cpumap": ("redirect_map",),
    "xskmap": ("redirect_map", "map_lookup_elem"),
    "array_of_maps": ("map_lookup_elem",),
    "hash_of_maps": ("map_lookup_elem",),
    "sockmap": ("sk_redirect_map", "sock_map_update", "msg_redirect_map", "sk_select_reuseport", "map_lookup_elem"),
    "sockhash": ("sk_redirect_hash", "sock_hash_update", "msg_redirect_hash", "sk_select_reuseport", "map_lookup_elem"),
    "reuseport_sockarray": ("sk_select_reuseport",),
    "queue": QUEUE,
    "stack": QUEUE,
    "sk_storage": ("sk_storage_get", "sk_storage_delete", "kptr_xchg"),
    "inode_storage": ("inode_storage_get", "inode_storage_delete", "kptr_xchg"),
    "task_storage": ("task_storage_get", "task_storage_delete", "kptr_xchg"),
    "cgrp_storage": ("cgrp_storage_get", "cgrp_storage_delete", "kptr_xchg"),
    "bloom_filter": ("map_peek_elem", "map_push_elem"),
}
"""A map of that type goes to these helpers only; types that are not here go to any."""

HELPER_TAKES: dict[str, tuple[str, ...]] = {
    "tail_call": ("prog_array",),
    **dict.fromkeys(PERF, ("perf_event_array",)),
    **dict.fromkeys(RING, ("ringbuf",)),
    "user_ringbuf_drain": ("user_ringbuf",),
    "get_stackid": ("stack_trace",),
    **dict.fromkeys(CGROUP, ("cgroup_array",)),
    "redirect_map": ("devmap", "devmap_hash", "cpumap", "xskmap"),
    **dict.fromkeys(("sk_redirect_map", "msg_redirect_map", "sock_map_update"), ("sockmap",)),
    **dict.fromkeys(("sk_redirect_hash", "msg_redirect_hash", "sock_hash_update"), ("sockhash",)),
    "get_local_storage": ("cgroup_storage", "percpu_cgroup_storage"),
    "sk_select_reuseport": ("reuseport_sockarray", "sockmap", "sockhash"),
    "map_pop_elem": ("queue", "stack"),
    "map_peek_elem": ("queue", "stack", "bloom_filter"),
    "map_push_elem": ("queue", "stack", "bloom_filter"),
    "map_lookup_percpu_elem": ("percpu_array", "percpu_hash", "lru_percpu_hash"),
    **dict.fromkeys(("sk_storage_get", "sk_storage_delete"), ("sk_storage",)),
    **dict.fromkeys(("inode_storage_get", "inode_storage_delete"), ("inode_storage",)),
    **dict.fromkeys(("task_storage_get", "task_storage_delete"), ("task_storage",)),
    **dict.fromkeys(("cgrp_storage_get", "cgrp_storage_delete"), ("cgrp_storage",)),
}
"""A helper takes maps of these types only; helpers that are not here take any."""

SOCKMAPS = ("sockmap", "sockhash")
UPDATE_SOCKMAP = ("map_update_elem", "map_delete_elem")
UPDATES_SOCKMAP = (*("socket_filter", "sched_cls", "sched_act", "xdp", "sk_reuseport", "flow_dissector", "sk_lookup"),)
"""Program types that never see a locked socket, so that they may put sockets into maps and take them out."""


@cache
def compatible(map_type: str, func: str) -> bool:
    """May a map of that type be passed to the helper (names without prefix), sockmap updates apart?"""
    taken = MAP_TAKES.get(map_type)
    return (taken is None or func in taken) and map_type in HELPER_TAKES.get(func, (map_type,))


def check_map_func_compatibility(env: Env, map: VMap | None, func_id: int) -> None:
    """May the helper be called with that map?  Raises Rejected."""
    if map is None:
        return
    map_type, func = MAP_TYPES[map.type], func_id_name(func_id).removeprefix("bpf_")
    if compatible(map_type, func) or (map_type in SOCKMAPS and _may_update_sockmap(env, map_type, func)):
        return
    text = f"cannot pass map_type {map.type} into func {func_id_name(func_id)}#{func_id}\n"
    raise env.reject(EINVAL, "map-helper-mismatch", text, expected=MAP_TAKES.get(map_type), found=func)


def _may_update_sockmap(env: Env, map_type: str, func: str) -> bool:
    if func in MAP_TAKES[map_type]:
        return False
    attach = env.program.expected_attach_type
    if func in UPDATE_SOCKMAP and (
        env.prog_type in UPDATES_SOCKMAP
        or (env.prog_type == "tracing" and attach == "trace_iter")
        or (env.prog_type == "sock_ops" and func == "map_delete_elem")
    ):
        return True
    if func in UPDATE_SOCKMAP:
        env.say("cannot update sockmap in this context\n")
    return False
