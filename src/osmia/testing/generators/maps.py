"""Maps that generated programs use: every type, a few sizes.  The same few all the time, so that fds can be kept."""

from __future__ import annotations

from functools import cache
from random import Random

from osmia.isa import consts as c
from osmia.obj.model import MapSpec, Program

RDONLY_PROG = 1 << 7
_WRONLY_PROG = 1 << 8
_NO_PREALLOC = 1
BY_INDEX = {c.BPF_PSEUDO_MAP_FD: c.BPF_PSEUDO_MAP_IDX, c.BPF_PSEUDO_MAP_VALUE: c.BPF_PSEUDO_MAP_IDX_VALUE}
"""Loads of maps, and the same by a place in an ``fd_array``."""


@cache
def pool() -> tuple[MapSpec, ...]:
    """All of them; names are the types, with a number where a type has several."""
    constants = bytes(range(1, 17))
    inner = MapSpec("inner", "array", 4, 8, 1)
    return (
        MapSpec("array8", "array", 4, 8, 1), MapSpec("array48", "array", 4, 48, 1), MapSpec("array3", "array", 4, 3, 2),
        MapSpec("hash8", "hash", 4, 8, 4), MapSpec("hash64", "hash", 16, 64, 8), MapSpec("hash1", "hash", 1, 1, 2),
        MapSpec("rdonly", "array", 4, 16, 1, RDONLY_PROG, data=constants, frozen=True),
        MapSpec("rdonly_open", "array", 4, 16, 1, RDONLY_PROG), MapSpec("wronly", "hash", 4, 16, 1, _WRONLY_PROG),
        MapSpec("percpu_array", "percpu_array", 4, 16, 2), MapSpec("percpu_hash", "percpu_hash", 8, 8, 4),
        MapSpec("lru_hash", "lru_hash", 4, 24, 4), MapSpec("lru_percpu", "lru_percpu_hash", 4, 8, 4),
        MapSpec("lpm_trie", "lpm_trie", 8, 16, 4, _NO_PREALLOC),
        MapSpec("array_of_maps", "array_of_maps", 4, 4, 2, inner=inner),
        MapSpec("hash_of_maps", "hash_of_maps", 4, 4, 2, inner=MapSpec("inner_h", "hash", 4, 16, 2)),
        MapSpec("prog_array", "prog_array", 4, 4, 2), MapSpec("perf_events", "perf_event_array", 4, 4, 2),
        MapSpec("stack_trace", "stack_trace", 4, 80, 2), MapSpec("cgroup_array", "cgroup_array", 4, 4, 1),
        MapSpec("devmap", "devmap", 4, 8, 2), MapSpec("devmap_hash", "devmap_hash", 4, 4, 2),
        MapSpec("cpumap", "cpumap", 4, 8, 2), MapSpec("xskmap", "xskmap", 4, 4, 2),
        MapSpec("sockmap", "sockmap", 4, 8, 2), MapSpec("sockhash", "sockhash", 8, 8, 2),
        MapSpec("queue", "queue", 0, 16, 4), MapSpec("stack", "stack", 0, 8, 4),
        MapSpec("bloom", "bloom_filter", 0, 8, 4), MapSpec("ringbuf", "ringbuf", 0, 0, 4096),
        MapSpec("user_ringbuf", "user_ringbuf", 0, 0, 4096),
        MapSpec("reuseport", "reuseport_sockarray", 4, 8, 2),
        MapSpec("cgroup_storage", "cgroup_storage", 16, 16, 0),
    )  # fmt: skip


PLAIN = ("array", "hash", "percpu_array", "percpu_hash", "lru_hash", "lru_percpu_hash", "lpm_trie")
"""Types whose elements programs look up and change."""

FOR_HELPER = {
    "bpf_tail_call": ("prog_array",),
    "bpf_perf_event_read": ("perf_event_array",),
    "bpf_perf_event_output": ("perf_event_array",),
    "bpf_perf_event_read_value": ("perf_event_array",),
    "bpf_skb_output": ("perf_event_array",),
    "bpf_xdp_output": ("perf_event_array",),
    "bpf_get_stackid": ("stack_trace",),
    "bpf_skb_under_cgroup": ("cgroup_array",),
    "bpf_current_task_under_cgroup": ("cgroup_array",),
    "bpf_redirect_map": ("devmap", "devmap_hash", "cpumap", "xskmap"),
    "bpf_sk_redirect_map": ("sockmap",),
    "bpf_sk_redirect_hash": ("sockhash",),
    "bpf_msg_redirect_map": ("sockmap",),
    "bpf_msg_redirect_hash": ("sockhash",),
    "bpf_sock_map_update": ("sockmap",),
    "bpf_sock_hash_update": ("sockhash",),
    "bpf_sk_select_reuseport": ("reuseport_sockarray", "sockmap", "sockhash"),
    "bpf_map_push_elem": ("queue", "stack", "bloom_filter"),
    "bpf_map_pop_elem": ("queue", "stack"),
    "bpf_map_peek_elem": ("queue", "stack", "bloom_filter"),
    "bpf_ringbuf_output": ("ringbuf",),
    "bpf_ringbuf_reserve": ("ringbuf",),
    "bpf_ringbuf_query": ("ringbuf",),
    "bpf_get_local_storage": ("cgroup_storage",),
    "bpf_map_lookup_percpu_elem": ("percpu_array", "percpu_hash", "lru_percpu_hash"),
}
"""The map types that a helper goes with; every other helper takes any."""


@cache
def for_helper(name: str) -> tuple[MapSpec, ...]:
    """Maps that fit a helper."""
    types = FOR_HELPER.get(name, (*PLAIN, "array_of_maps", "hash_of_maps", "sockmap", "xskmap"))
    return tuple(spec for spec in pool() if spec.type in types)


def by_index(rng: Random, program: Program) -> None:
    """Let some loads name their maps by a place in an ``fd_array``, which may hold more, and belong to the program."""
    numbers = list(range(len(program.maps)))
    if not numbers:
        return
    array = [rng.choice(numbers) for _ in range(1 + int(rng.random() * 4))] if rng.random() < 0.1 else numbers
    if rng.random() < 0.3:
        array = array[::-1]
    program.fd_array = array
    if rng.random() < 0.4:
        program.fd_array_cnt = int(rng.random() * (len(array) + 1))
    for slot, insn in enumerate(program.insns):
        loads = insn.is_wide and insn.src_reg in BY_INDEX
        if loads and insn.imm in array and rng.random() < 0.7:
            place = array.index(insn.imm) if rng.random() < 0.97 else int(rng.random() * len(array))
            program.insns[slot] = insn._replace(src_reg=BY_INDEX[insn.src_reg], imm=place)
