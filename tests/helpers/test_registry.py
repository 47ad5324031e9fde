"""The table: 211 rows, conversion by the row, bodies that are missing say so."""

import pytest
from helpers.bench import Bench
from hypothesis import given, settings
from hypothesis import strategies as st

from osmia import helpers
from osmia.errors import Fault, InternalError, MissingBody, OsmiaError
from osmia.helpers import registry
from osmia.kernel.helpers import HELPERS, helper_by_name
from osmia.maps import create
from osmia.obj.model import MapSpec

M64 = 0xFFFFFFFFFFFFFFFF
WANTED = """map_lookup_elem map_update_elem map_delete_elem map_push_elem map_pop_elem map_peek_elem
ktime_get_ns ktime_get_boot_ns get_prandom_u32 get_smp_processor_id trace_printk trace_vprintk snprintf
probe_read probe_read_kernel probe_read_user probe_read_str probe_read_kernel_str probe_read_user_str
get_current_pid_tgid get_current_uid_gid get_current_comm get_current_task tail_call perf_event_output
ringbuf_output ringbuf_reserve ringbuf_submit ringbuf_discard ringbuf_query loop for_each_map_elem
strtol strtoul strncmp csum_diff xdp_adjust_head xdp_adjust_tail xdp_adjust_meta skb_load_bytes skb_store_bytes
redirect redirect_map redirect_peer redirect_neigh""".split()


def test_every_row_is_in_the_table():
    table = helpers.table()
    assert sorted(table) == list(range(1, 212)) == [row.id for row in HELPERS]


@pytest.mark.parametrize("name", WANTED)
def test_the_common_set_has_bodies(name):
    assert helpers.has_body(f"bpf_{name}")


def test_rows_without_a_body_raise_by_name():
    bench = Bench()
    for row in HELPERS:
        if not helpers.has_body(row.name):
            with pytest.raises(MissingBody, match=row.name):
                bench.table[row.id](bench.env, 0, 0, 0, 0, 0)


def test_a_body_needs_a_row_and_only_one():
    with pytest.raises(InternalError, match="two bodies"):
        registry.helper("bpf_ktime_get_ns")(lambda env: 0)


@pytest.mark.parametrize(("c_type", "raw", "value"), [
    ("__u32", M64, 0xFFFFFFFF), ("int", 0xFFFFFFFF, -1), ("__s32", 0x17FFFFFFF, 0x7FFFFFFF), ("__u64", M64, M64),
    ("__s64", M64, -1), ("__be16", 0x12345, 0x2345), ("unsigned long", M64, M64)])  # fmt: skip
def test_numbers_take_width_and_sign_of_their_c_type(c_type, raw, value):
    assert registry.number(0, c_type)(None, (raw,), []) == value


def test_parameter_types():
    assert registry.parameter_type("const void *key") == "void *"
    assert registry.parameter_type("unsigned long buf_len") == "unsigned long"
    assert registry.parameter_type("__u64 flags") == "__u64"


def test_results_are_64_bits():
    bench = Bench(create(MapSpec("a", "array", 4, 8, 1)))
    key = bench.room(bytes(8))
    a = bench.env.maps[0]
    raw = bench.table[helper_by_name("bpf_map_delete_elem").id](bench.env, a.address, key.address, 0, 0, 0)
    assert raw == M64 - 21


def test_memory_is_checked():
    bench = Bench(create(MapSpec("h", "hash", 8, 16, 4)))
    m, short, good = bench.env.maps[0], bench.room(bytes(4)), bench.room(bytes(16))
    constant = bench.room(b"x" * 16, writable=False)
    for call in (("bpf_map_lookup_elem", m.address, short.address), ("bpf_map_lookup_elem", 0, good.address),
                 ("bpf_map_lookup_elem", good.address, good.address),
                 ("bpf_map_update_elem", m.address, good.address, short.address),
                 ("bpf_get_current_comm", constant.address, 16), ("bpf_get_current_comm", good.address, 17),
                 ("bpf_xdp_adjust_head", good.address, 0), ("bpf_xdp_adjust_head", bench.ctx.address, 0),
                 ("bpf_ringbuf_submit", good.address, 0), ("bpf_spin_lock", 8)):  # fmt: skip
        with pytest.raises(Fault):
            bench.call(*call)


def test_read_only_maps_are_not_written():
    bench = Bench(create(MapSpec("ro", "array", 4, 8, 1, 1 << 7)), create(MapSpec("wo", "array", 4, 8, 1, 1 << 8)))
    ro, wo = bench.env.maps
    room = bench.room(bytes(8))
    with pytest.raises(Fault, match="read-only"):
        bench.call("bpf_map_update_elem", ro.address, room.address, room.address, 0)
    assert bench.call("bpf_map_lookup_elem", wo.address, room.address)  # only loads from the value are refused
    assert not bench.memory.check(bench.call("bpf_map_lookup_elem", ro.address, room.address), 8, True)


CHOICES = st.lists(st.integers(0, 12), min_size=5, max_size=5)


@settings(max_examples=400)
@given(st.integers(1, 211), CHOICES, st.lists(st.integers(0, M64), min_size=2))
def test_no_arguments_end_in_an_untyped_error(number, choices, numbers):
    maps = [create(MapSpec(t, t, 0 if t == "queue" else 4, 8, 4)) for t in ("array", "hash", "queue", "lru_hash")]
    maps.append(create(MapSpec("r", "ringbuf", 0, 0, 4096)))
    bench = Bench(*maps)
    bench.machine.callbacks = dict.fromkeys(range(1 << 8), lambda *a: 1)
    room, tiny = bench.room(bytes(128)), bench.room(b"\0")
    pool = [*(m.address for m in maps), room.address, room.address + 120, tiny.address, bench.ctx.address, 0, 1, 8]
    pool += [numbers[0], numbers[1]]
    try:
        got = bench.table[number](bench.env, *(pool[c % len(pool)] for c in choices))
    except (OsmiaError, KeyError) as e:
        assert isinstance(e, OsmiaError) or number in (164, 181), e  # an unknown callback is the bench's KeyError
        return
    assert 0 <= got <= M64
