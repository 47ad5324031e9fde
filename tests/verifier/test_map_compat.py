"""Which maps go with which helpers: the two tables, and the running kernel's answers."""

import pytest
from verifier.callkit import live_kernel, program, said, same_as_kernel

from osmia.kernel.helpers import helper_by_name
from osmia.kernel.uapi import MAP_TYPES
from osmia.obj.model import MapSpec
from osmia.verifier.map_compat import HELPER_TAKES, MAP_TAKES, compatible

SIZES = {
    "prog_array": (4, 4, 4), "perf_event_array": (4, 4, 4), "ringbuf": (0, 0, 4096), "user_ringbuf": (0, 0, 4096),
    "stack_trace": (4, 64, 4), "cgroup_array": (4, 4, 4), "devmap": (4, 4, 4), "devmap_hash": (4, 4, 4),
    "cpumap": (4, 4, 2), "xskmap": (4, 4, 4), "sockmap": (4, 4, 4), "sockhash": (4, 4, 4), "queue": (0, 8, 4),
    "stack": (0, 8, 4), "bloom_filter": (0, 8, 4), "reuseport_sockarray": (4, 4, 4), "hash": (4, 8, 4),
    "percpu_array": (4, 8, 4), "lpm_trie": (8, 8, 4), "cgroup_storage": (16, 8, 0),
}  # fmt: skip
CALLS = {
    "map_lookup_elem": "r2 = r10\nr2 += -16\ncall 1",
    "map_delete_elem": "r2 = r10\nr2 += -16\ncall 3",
    "map_push_elem": "r2 = r10\nr2 += -16\nr3 = 0\ncall 87",
    "map_pop_elem": "r2 = r10\nr2 += -16\ncall 88",
    "map_peek_elem": "r2 = r10\nr2 += -16\ncall 89",
    "redirect_map": "r2 = 0\nr3 = 0\ncall 51",
    "ringbuf_query": "r2 = 0\ncall 134",
    "map_lookup_percpu_elem": "r2 = r10\nr2 += -16\nr3 = 0\ncall 195",
}


def spec(kind):
    return MapSpec("m", kind, *SIZES[kind], 1 if kind == "lpm_trie" else 0)


def call(kind, func, prog_type="xdp"):
    text = f"*(u64 *)(r10 - 16) = 0\n*(u64 *)(r10 - 8) = 0\nr1 = map 0\n{CALLS[func]}\nr0 = 0\nexit"
    return program(prog_type, text, spec(kind))


def test_tables_name_what_there_is():
    assert set(MAP_TAKES) <= set(MAP_TYPES)
    for func, kinds in HELPER_TAKES.items():
        assert helper_by_name("bpf_" + func) and set(kinds) <= set(MAP_TYPES)
        assert any(compatible(kind, func) for kind in kinds)


def test_both_sides_must_agree():
    assert compatible("hash", "map_lookup_elem")
    assert not compatible("queue", "map_lookup_elem")
    assert not compatible("hash", "map_push_elem")
    assert compatible("bloom_filter", "map_peek_elem") and not compatible("bloom_filter", "map_pop_elem")


def test_the_words():
    assert said(call("cpumap", "map_lookup_elem")) == (22, "cannot pass map_type 16 into func bpf_map_lookup_elem#1")


def test_sockets_change_where_none_is_locked():
    assert said(call("sockmap", "map_delete_elem"))[0] == 0
    log = said(call("sockmap", "map_delete_elem", "kprobe"))
    assert log == (22, "cannot pass map_type 15 into func bpf_map_delete_elem#3")


@live_kernel
@pytest.mark.live
@pytest.mark.parametrize("kind", SIZES)
def test_as_the_kernel_does(kind):
    for func in CALLS:
        same_as_kernel(call(kind, func))
        same_as_kernel(call(kind, func, "kprobe"))
