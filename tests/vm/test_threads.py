"""Several threads run programs on the same maps: nothing is torn or lost where the kernel promises that.

Native code lets go of the GIL, so that with Osmia compiled the threads really run at once (on a machine of two CPUs or
more).  Uncompiled they take turns, and the same must hold.
"""

import struct
import threading
import time
from collections import Counter

import pytest

import osmia
from osmia.errors import Unavailable
from osmia.vm.jit import batch, llvm

try:
    llvm.binding()
except Unavailable as e:
    pytest.skip(str(e), allow_module_level=True)

THREADS = 2
FEW, MANY = (20_000, 1_000_000) if batch.NOGIL else (200, 5_000)
COUNTS = [FEW, pytest.param(MANY, marks=pytest.mark.slow)]

HEAD = """
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
char LICENSE[] SEC("license") = "GPL";
#define NUMBER(ctx)                                                        \\
    ({                                                                     \\
        void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end; \\
        if (data + 16 > end)                                               \\
            return 99;                                                     \\
        *(__u64 *)data;                                                    \\
    })
#define MAP(name, kind, entries, K, V) MAP_OF(name, kind, entries, K, V)
#define MAP_OF(name, kind, entries, K, V)                                  \\
    struct {                                                               \\
        __uint(type, BPF_MAP_TYPE_##kind);                                 \\
        __uint(max_entries, entries);                                      \\
        __type(key, K);                                                    \\
        __type(value, V);                                                  \\
    } name SEC(".maps")
"""


@pytest.fixture(params=[True, False], ids=["checked", "trusted"])
def run(request):
    """Compile and load a program, run it on numbered packets in all threads, and return batch and maps."""

    def made(source, count, meanwhile=None, program="prog", defines=()):
        world = osmia.World(cpus=THREADS)
        collection = osmia.compile(HEAD + source, cpus=THREADS, defines=defines)
        loaded = collection.load(program, engine="jit", checked=request.param, world=world)
        done, failed = threading.Event(), []

        def help_out():
            try:
                meanwhile(collection, done)
            except BaseException as error:
                failed.append(error)

        helper = threading.Thread(target=help_out) if meanwhile else None
        if helper:
            helper.start()
        try:
            result = loaded.run_many((b"".join(struct.pack("=QQ", n, 0) for n in range(count)),
                                      range(0, 16 * count + 1, 16)), threads=THREADS)  # fmt: skip
        finally:
            done.set()
            if helper:
                helper.join()
        assert not failed, failed
        assert result.native and result.threads == THREADS and not result.faulted, result.faults[:3]
        return result, collection.maps

    return made


@pytest.mark.parametrize("count", COUNTS)
def test_atomic_additions_are_all_there(run, count):
    _, maps = run("""
        MAP(counts, ARRAY, 4, __u32, __u64);
        SEC("xdp") int prog(struct xdp_md *ctx)
        {
            __u64 number = NUMBER(ctx), *at;
            __u32 zero = 0, one = 1;
            at = bpf_map_lookup_elem(&counts, &zero);
            if (at)
                __sync_fetch_and_add(at, 1);
            at = bpf_map_lookup_elem(&counts, &one);
            if (at)
                __sync_fetch_and_add(at, number);
            return XDP_PASS;
        }
    """, count)  # fmt: skip
    assert maps["counts"][0] == count and maps["counts"][1] == count * (count - 1) // 2


@pytest.mark.parametrize("count", COUNTS)
def test_what_an_atomic_addition_fetches_is_met_once(run, count):
    """Tickets: every packet draws another number, and marks its place."""
    count = min(count, 100_000)
    result, maps = run("""
        MAP(tickets, ARRAY, 1, __u32, __u64);
        MAP(drawn, ARRAY, ENTRIES, __u32, __u32);
        SEC("xdp") int prog(struct xdp_md *ctx)
        {
            __u32 zero = 0, mine, *mark;
            __u64 *at = bpf_map_lookup_elem(&tickets, &zero);
            if (!at)
                return 9;
            mine = __sync_fetch_and_add(at, 1);
            mark = bpf_map_lookup_elem(&drawn, &mine);
            if (!mark)
                return 8;
            *mark += 1;
            return 1;
        }
    """, count, defines=[f"ENTRIES={count}"])  # fmt: skip
    assert result.counts == {"XDP_DROP": count}
    assert Counter(maps["drawn"].values()) == {1: count}


@pytest.mark.parametrize("count", COUNTS)
def test_every_cpu_counts_for_itself(run, count):
    _, maps = run("""
        MAP(counts, PERCPU_ARRAY, 1, __u32, __u64);
        SEC("xdp") int prog(struct xdp_md *ctx)
        {
            __u32 zero = 0;
            __u64 *at = bpf_map_lookup_elem(&counts, &zero);
            if (at)
                *at += 1;
            return bpf_get_smp_processor_id();
        }
    """, count)  # fmt: skip
    assert list(maps["counts"][0]) == [count // 2, count - count // 2]


@pytest.mark.parametrize("kind", ["ARRAY", "HASH"])
@pytest.mark.parametrize("count", COUNTS)
def test_a_spin_lock_keeps_a_pair_together(run, count, kind):
    result, maps = run("""
        struct pair { struct bpf_spin_lock lock; __u32 pad; __u64 first, second; };
        MAP(pairs, KIND, 1, __u32, struct pair);
        SEC("xdp") int prog(struct xdp_md *ctx)
        {
            __u32 zero = 0;
            struct pair fresh = {}, *pair = bpf_map_lookup_elem(&pairs, &zero);
            int torn;
            if (!pair) {
                bpf_map_update_elem(&pairs, &zero, &fresh, BPF_NOEXIST);
                pair = bpf_map_lookup_elem(&pairs, &zero);
                if (!pair)
                    return 9;
            }
            bpf_spin_lock(&pair->lock);
            torn = pair->first * 3 != pair->second;
            pair->first += 1;
            pair->second += 3;
            bpf_spin_unlock(&pair->lock);
            return torn;
        }
    """, count, defines=[f"KIND={kind}"])  # fmt: skip
    pair = maps["pairs"][0]
    assert result.counts == {"XDP_ABORTED": count}
    assert (pair["first"], pair["second"]) == (count, 3 * count)


OWN_KEYS = """
    MAP(seen, KIND, ENTRIES, __u64, __u64);
    SEC("xdp") int prog(struct xdp_md *ctx)
    {
        __u64 number = NUMBER(ctx), value = number * 7 + 1, *at;
        if (bpf_map_update_elem(&seen, &number, &value, BPF_NOEXIST))
            return 1;
        at = bpf_map_lookup_elem(&seen, &number);
        if (!at || *at != value)
            return 2;
        value += 1;
        if (bpf_map_update_elem(&seen, &number, &value, BPF_EXIST))
            return 3;
        at = bpf_map_lookup_elem(&seen, &number);
        if (!at || *at != value)
            return 4;
        if (number % 3 == 0 && bpf_map_delete_elem(&seen, &number))
            return 5;
        if (number % 3 == 0 && bpf_map_lookup_elem(&seen, &number))
            return 6;
        return 0;
    }
"""


@pytest.mark.parametrize("kind", ["HASH", "PERCPU_HASH", "LRU_HASH"])
@pytest.mark.parametrize("count", COUNTS)
def test_elements_that_one_thread_works_on_are_as_it_left_them(run, count, kind):
    count = min(count, 200_000)
    result, maps = run(OWN_KEYS, count, defines=[f"KIND={kind}", f"ENTRIES={2 * count}"])
    assert result.counts == {"XDP_ABORTED": count}
    kept = [n for n in range(count) if n % 3]
    assert sorted(maps["seen"].keys()) == kept and len(maps["seen"]) == len(kept)
    if kind != "PERCPU_HASH":
        assert all(maps["seen"][n] == n * 7 + 2 for n in kept[:: max(1, len(kept) // 1000)])


@pytest.mark.parametrize("count", COUNTS)
def test_of_two_that_insert_the_same_key_one_succeeds(run, count):
    _, maps = run("""
        MAP(seen, HASH, 1000, __u64, __u64);
        MAP(made, ARRAY, 2, __u32, __u64);
        SEC("xdp") int prog(struct xdp_md *ctx)
        {
            __u64 number = NUMBER(ctx), key = number % (COUNT / 2) % 1000, *at;
            __u32 what = bpf_map_update_elem(&seen, &key, &number, BPF_NOEXIST) != 0;
            at = bpf_map_lookup_elem(&made, &what);
            if (at)
                __sync_fetch_and_add(at, 1);
            return 0;
        }
    """, count, defines=[f"COUNT={count}"])  # fmt: skip
    keys = min(1000, count // 2)
    assert maps["made"][0] == len(maps["seen"]) == keys and maps["made"][1] == count - keys


@pytest.mark.parametrize("kind", ["HASH", "LRU_HASH", "PERCPU_HASH", "LRU_PERCPU_HASH"])
@pytest.mark.parametrize("count", COUNTS)
def test_a_hash_survives_all_at_once(run, count, kind):
    """Both threads insert, change, look up and delete the same few keys while Python walks over them."""

    def walk(collection, done):
        while not done.is_set():
            for key in list(collection.maps["seen"].keys()):
                assert key < 512
            time.sleep(0)

    _, maps = run("""
        MAP(seen, KIND, 256, __u64, __u64);
        SEC("xdp") int prog(struct xdp_md *ctx)
        {
            __u64 number = NUMBER(ctx), mixed = number * 0x9E3779B97F4A7C15ULL, key = mixed >> 55, *at;
            switch ((mixed >> 20) & 3) {
            case 0:
                return bpf_map_delete_elem(&seen, &key) != 0;
            case 1:
                at = bpf_map_lookup_elem(&seen, &key);
                return at ? 2 : 3;
            default:
                return bpf_map_update_elem(&seen, &key, &number, BPF_ANY) ? 4 : 5;
            }
        }
    """, count, walk, defines=[f"KIND={kind}"])  # fmt: skip
    keys = list(maps["seen"].keys())
    assert len(keys) == len(set(keys)) == len(maps["seen"]) <= 256 and all(key < 512 for key in keys)
    for key in keys:
        del maps["seen"][key]
    for key in range(256):  # every element can be had again: none was lost
        maps["seen"][key] = [key] * THREADS if "PERCPU" in kind else key
    assert len(maps["seen"]) == 256 or ("LRU" in kind and len(maps["seen"]) > 128)  # those make room ahead of time


@pytest.mark.parametrize("count", COUNTS)
def test_an_lru_always_makes_room(run, count):
    result, maps = run("""
        MAP(seen, LRU_HASH, 128, __u64, __u64);
        SEC("xdp") int prog(struct xdp_md *ctx)
        {
            __u64 number = NUMBER(ctx);
            return bpf_map_update_elem(&seen, &number, &number, BPF_ANY) != 0;
        }
    """, count)  # fmt: skip
    assert result.counts == {"XDP_ABORTED": count}
    assert 0 < len(maps["seen"]) <= 128 and all(maps["seen"][key] == key for key in list(maps["seen"].keys()))


@pytest.mark.parametrize("count", COUNTS)
def test_records_of_a_ring_buffer_arrive_whole_and_in_order(run, count):
    got = []

    def consume(collection, done):
        ring = collection.maps["events"]
        while True:
            ended = done.is_set()
            got.extend(ring.consume())
            if ended:
                return
            time.sleep(0)

    result, _ = run("""
        struct event { __u64 number; __u32 cpu, pad; __u64 copies[12]; };
        struct {
            __uint(type, BPF_MAP_TYPE_RINGBUF);
            __uint(max_entries, 1 << 16);
        } events SEC(".maps");
        SEC("xdp") int prog(struct xdp_md *ctx)
        {
            __u64 number = NUMBER(ctx);
            struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
            if (!event)
                return 1;
            event->number = number;
            event->cpu = bpf_get_smp_processor_id();
            event->pad = 0;
            for (int i = 0; i < 12; i++)
                event->copies[i] = number + i;
            if (number % 5 == 0)
                bpf_ringbuf_discard(event, 0);
            else
                bpf_ringbuf_submit(event, 0);
            return 2;
        }
    """, count, consume)  # fmt: skip
    events = [struct.unpack("=QII12Q", record) for record in got]
    assert all(event[3:] == tuple(event[0] + i for i in range(12)) for event in events)
    submitted = [n for n, retval in enumerate(result.retvals) if retval == 2 and n % 5]
    assert sorted(event[0] for event in events) == submitted and submitted
    for cpu in range(THREADS):
        mine = [event[0] for event in events if event[1] == cpu]
        assert mine == sorted(mine)


@pytest.mark.parametrize("kind", ["QUEUE", "STACK"])
@pytest.mark.parametrize("count", COUNTS)
def test_what_is_pushed_is_popped_once(run, count, kind):
    result, maps = run("""
        struct {
            __uint(type, BPF_MAP_TYPE_KIND);
            __uint(max_entries, 64);
            __type(value, __u64);
        } line SEC(".maps");
        MAP(sums, ARRAY, 2, __u32, __u64);
        static void add(__u32 which, __u64 what)
        {
            __u64 *at = bpf_map_lookup_elem(&sums, &which);
            if (at)
                __sync_fetch_and_add(at, what);
        }
        SEC("xdp") int prog(struct xdp_md *ctx)
        {
            __u64 number = NUMBER(ctx), value = number + 1;
            if (number * 0x9E3779B97F4A7C15ULL >> 63) {
                if (bpf_map_push_elem(&line, &value, 0))
                    return 1;
                add(0, value);
                return 2;
            }
            if (bpf_map_pop_elem(&line, &value))
                return 3;
            add(1, value);
            return 4;
        }
    """.replace("KIND", kind), count)  # fmt: skip
    left = [struct.unpack("=Q", value)[0] for value in maps["line"].contents()]
    pushed, popped = result.retvals.count(2), result.retvals.count(4)
    assert pushed - popped == len(left) and maps["sums"][0] - maps["sums"][1] == sum(left) and popped


@pytest.mark.parametrize("count", COUNTS)
def test_a_program_array_changes_under_tail_calls(run, count):
    turns = []

    def swap(collection, done):
        table, programs = collection.maps["table"], [collection["first"], collection["second"]]
        while not done.is_set() or not turns:
            turns.append(1)
            table[0] = programs[len(turns) % 2]
            if len(turns) % 3 == 0:
                del table[0]
            time.sleep(0)

    result, _ = run("""
        struct {
            __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
            __uint(max_entries, 1);
            __uint(key_size, 4);
            __uint(value_size, 4);
        } table SEC(".maps");
        SEC("xdp") int first(struct xdp_md *ctx) { return 1; }
        SEC("xdp") int second(struct xdp_md *ctx) { return 2; }
        SEC("xdp") int prog(struct xdp_md *ctx)
        {
            bpf_tail_call(ctx, &table, 0);
            return 3;
        }
    """, count, swap)  # fmt: skip
    assert set(result.retvals) <= {1, 2, 3} and turns


@pytest.mark.parametrize("count", COUNTS)
def test_a_trie_is_read_while_it_changes(run, count):
    """The default network is always there: no look-up may miss it, whatever comes and goes below it."""

    def change(collection, done):
        trie, turn = collection.maps["networks"], 0
        while not done.is_set():
            key = struct.pack("=I", 8 + turn % 25) + bytes((10, turn % 7, turn % 11, turn % 13))
            commands = osmia.maps.commands
            commands.update_elem(trie, key, struct.pack("=Q", turn))
            if turn % 2:
                commands.delete_elem(trie, key)
            turn += 1
            time.sleep(0)

    result, _ = run("""
        struct network { __u32 bits; __u8 address[4]; };
        struct {
            __uint(type, BPF_MAP_TYPE_LPM_TRIE);
            __uint(max_entries, 4096);
            __uint(map_flags, BPF_F_NO_PREALLOC);
            __type(key, struct network);
            __type(value, __u64);
        } networks SEC(".maps");
        SEC("xdp") int prog(struct xdp_md *ctx)
        {
            __u64 number = NUMBER(ctx), zero = 0;
            struct network all = {}, one = { 32, { 10, number % 7, number % 11, number % 13 } };
            if (!bpf_map_lookup_elem(&networks, &all)) {
                if (bpf_map_update_elem(&networks, &all, &zero, BPF_ANY))
                    return 2;
            }
            return bpf_map_lookup_elem(&networks, &one) ? 0 : 1;
        }
    """, count, change)  # fmt: skip
    assert result.counts == {"XDP_ABORTED": count}


def test_python_writes_while_programs_read(run):
    """A value that Python replaces under the map's lock flag is read whole under the lock."""

    def write(collection, done):
        pairs, turn = collection.maps["pairs"], 0
        commands = osmia.maps.commands
        while not done.is_set():
            turn += 1
            commands.update_elem(pairs, bytes(4), struct.pack("=IIQQ", 0, 0, turn, 5 * turn), 4)  # BPF_F_LOCK
            time.sleep(0)

    result, _ = run("""
        struct pair { struct bpf_spin_lock lock; __u32 pad; __u64 first, second; };
        MAP(pairs, ARRAY, 1, __u32, struct pair);
        SEC("xdp") int prog(struct xdp_md *ctx)
        {
            __u32 zero = 0;
            struct pair *pair = bpf_map_lookup_elem(&pairs, &zero);
            int torn;
            if (!pair)
                return 9;
            bpf_spin_lock(&pair->lock);
            torn = pair->first * 5 != pair->second;
            bpf_spin_unlock(&pair->lock);
            return torn;
        }
    """, FEW, write)  # fmt: skip
    assert result.counts == {"XDP_ABORTED": FEW}
