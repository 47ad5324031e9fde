"""Operations: random sequences on one of our maps and on a map of the running kernel; errnos and contents agree.

Hash maps may list their keys in another order than the kernel's, so keys are compared as sets; tries have its order.
"""

import os
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from maps import realmap

from osmia.errors import MapError
from osmia.kernel.uapi import MAP_FLAGS
from osmia.maps import commands, create
from osmia.obj.model import MapSpec

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(realmap.unavailable()), reason=str(realmap.unavailable()))]

CPUS = realmap.possible_cpus()
RANGE = {"array": 1, "percpu_array": 1, "hash": 5, "percpu_hash": 5, "queue": 3, "stack": 3, "lru_hash": 4}
TYPES = [
    *("array", "percpu_array", "hash", "percpu_hash", "lru_hash", "lru_percpu_hash"),
    *("queue", "stack", "bloom_filter", "ringbuf", "prog_array", "perf_event_array", "lpm_trie"),
    *("devmap", "devmap_hash"),
]
DEVICES = ("devmap", "devmap_hash")
LOOPBACK = 1  # an interface that there is everywhere
KEYLESS = ("queue", "stack", "bloom_filter", "ringbuf")


def spec_of(type_, value_size, entries, flags):
    key_size = 0 if type_ in KEYLESS else 8 if type_ == "lpm_trie" else 4
    if type_ == "ringbuf":
        value_size, entries = 0, 4096
    if type_ in ("prog_array", "perf_event_array"):
        value_size = 4
    if type_ in DEVICES:
        value_size = 8 if value_size > 4 else 4
    if type_ == "lpm_trie":
        flags |= MAP_FLAGS["no_prealloc"]
    return MapSpec("m", type_, key_size, value_size, entries, flags)


def ours(call, *args):
    """Bytes, 0 or a negative errno, like the kernel's answers."""
    try:
        got = call(*args)
    except MapError as e:
        return -e.errno
    return 0 if got is None else got


def next_ours(m, key):
    got = ours(commands.next_key, m, key)
    return -2 if got == 0 else got


class Pair:
    """The same map here and in the kernel."""

    def __init__(self, spec):
        self.spec = spec
        self.mine = create(spec, cpus=CPUS)
        fd = realmap.create(spec)
        assert fd >= 0, os.strerror(-fd)
        self.real = realmap.RealMap(spec, fd)

    def do(self, op, key, value, flags):
        key = None if self.spec.key_size == 0 else key
        if op == "lookup":
            return ours(commands.lookup_elem, self.mine, key, flags, value), self.real.lookup(key, flags, value)
        if op == "update":
            return ours(commands.update_elem, self.mine, key, value, flags), self.real.update(key, value, flags)
        if op == "delete":
            return ours(commands.delete_elem, self.mine, key), self.real.delete(key)
        if op == "take":
            return ours(commands.lookup_and_delete_elem, self.mine, key, flags), self.real.take(key, flags)
        if op == "freeze":
            return ours(commands.freeze, self.mine), self.real.freeze()
        return self.do_next(key)

    def do_next(self, key):
        mine, real = next_ours(self.mine, key), self.real.next_key(key)
        ordered = "array" in self.spec.type or isinstance(mine, int) or isinstance(real, int)
        if self.spec.type == "lpm_trie" or (ordered and "hash" not in self.spec.type):
            return mine, real
        return 0, 0  # the order is ours; contents() compares the keys

    def contents(self, walk_next, lookup):
        out, key = {}, walk_next(None)
        while not isinstance(key, int):
            out[key] = lookup(key)
            key = walk_next(key)
        return out

    def both(self):
        mine = self.contents(lambda k: next_ours(self.mine, k), lambda k: ours(commands.lookup_elem, self.mine, k))
        real = self.contents(self.real.next_key, self.real.lookup)
        return mine, real


def op_strategy(type_):
    numbers = [0, 1, 2, 3, 4, 7, 0xFFFFFFFF]
    if type_ == "lpm_trie":
        addresses = st.sampled_from([b"\0\0\0\0", b"\x0a\0\0\0", b"\x0a\x80\0\0", b"\x0a\x80\1\0", b"\xff\xff\xff\xff"])
        bits = st.sampled_from([0, 1, 7, 8, 9, 16, 17, 24, 31, 32, 33])
        keys = st.builds(lambda n, a: n.to_bytes(4, "little") + a, bits, addresses)
    else:
        keys = st.sampled_from(numbers).map(lambda n: n.to_bytes(4, "little"))
    names = ["update"] * 4 + ["lookup"] * 2 + ["delete", "take", "next"]
    flags = st.sampled_from([0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 8, 16, 1 << 32, 1 << 63])
    return st.tuples(st.sampled_from(names), keys, st.integers(0, 255), flags)


FLAGS = st.sampled_from([0, 0, 0, 0, *(MAP_FLAGS[n] for n in ("rdonly", "wronly", "rdonly_prog", "no_prealloc"))])


@pytest.mark.parametrize("type_", TYPES)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_sequences(type_, data):
    flags = data.draw(FLAGS)
    if flags == MAP_FLAGS["no_prealloc"] and type_ not in ("hash", "percpu_hash", "lpm_trie"):
        flags = 0
    if type_ in DEVICES and flags == MAP_FLAGS["rdonly_prog"]:
        flags = 0
    if type_ == "bloom_filter" and not flags:
        flags = data.draw(st.sampled_from([0, MAP_FLAGS["zero_seed"]]))
    if type_ == "ringbuf" or (flags == MAP_FLAGS["rdonly_prog"] and type_ in ("prog_array", "perf_event_array")):
        flags = 0
    spec = spec_of(type_, data.draw(st.sampled_from([1, 4, 8, 13])), data.draw(st.sampled_from([1, 3, 4])), flags)
    pair = Pair(spec)
    try:
        run(pair, data)
    finally:
        pair.real.close()


def flags_of(pair, name):
    return pair.spec.flags & MAP_FLAGS[name]


def run(pair, data):
    done, added = [], []
    fd_values = pair.spec.type in ("prog_array", "perf_event_array")
    freeze_at = data.draw(st.sampled_from([None, None, None, 3, 9]))
    for i, (op, key, byte, flags) in enumerate(data.draw(st.lists(op_strategy(pair.spec.type), max_size=25))):
        if i == freeze_at:
            op = "freeze"
        if op == "update" and (fd_values or pair.spec.type == "ringbuf"):
            continue  # file descriptors as values have tests of their own
        value = bytes((byte + j) & 0xFF for j in range(pair.real.value_size))
        if pair.spec.type in DEVICES:
            value = (LOOPBACK if byte % 4 else 0).to_bytes(pair.real.value_size, "little")
        mine, real = pair.do(op, key, value, flags)
        done.append((op, key, byte, flags))
        if (
            pair.spec.type == "bloom_filter"
            and not flags_of(pair, "zero_seed")
            and {visible(pair, mine), visible(pair, real)} == {-2, value}
        ):
            assert value not in added  # only the false positives differ
            continue
        if op == "update" and mine == 0:
            added.append(value)
        assert visible(pair, mine) == visible(pair, real), done
    if pair.spec.flags & MAP_FLAGS["wronly"] or pair.spec.type in KEYLESS:
        return
    mine, real = pair.both()
    assert {k: visible(pair, v) for k, v in mine.items()} == {k: visible(pair, v) for k, v in real.items()}, done
    if pair.spec.type == "lpm_trie":
        assert list(mine) == list(real), done


@pytest.mark.parametrize("size", [1, 3, 4, 7, 8, 12, 13, 16, 24, 25, 37, 64])
@pytest.mark.parametrize("hashes", [0, 1, 15])
def test_a_filter_without_seed_affirms_what_the_kernels_does(size, hashes):
    rnd = random.Random(size)
    spec = MapSpec("m", "bloom_filter", 0, size, 70, MAP_FLAGS["zero_seed"], map_extra=hashes)
    pair, said = Pair(spec), []
    try:
        for _ in range(60 if size > 1 else 20):
            assert pair.do("update", None, rnd.randbytes(size), 0) == (0, 0)
        for _ in range(400):
            mine, real = pair.do("lookup", None, rnd.randbytes(size), 0)
            assert mine == real
            said.append(real)
        assert any(isinstance(s, bytes) for s in said) or hashes == 15, "no false positive to compare"
    finally:
        pair.real.close()


@pytest.mark.parametrize("size", [8, 9, 20, 24])
def test_longer_prefixes(size):
    """Keys of 4 to 20 bytes, in and out, in the kernel's order."""
    rnd = random.Random(size)
    pair = Pair(MapSpec("m", "lpm_trie", size, 8, 40, MAP_FLAGS["no_prealloc"]))
    try:
        for turn in range(1500):
            data = bytes(rnd.choice((0, 0x80, 0xFF, 1)) for _ in range(size - 4))
            key = rnd.randint(0, 8 * (size - 4) + 1).to_bytes(4, "little") + data
            op, flags = rnd.choice(("update", "update", "lookup", "delete", "next")), rnd.choice((0, 0, 0, 1, 2, 3))
            mine, real = pair.do(op, key, turn.to_bytes(8, "little"), flags if op == "update" else 0)
            assert mine == real, (op, key, turn)
        mine, real = pair.both()
        assert list(mine.items()) == list(real.items()) and len(mine) > 5
    finally:
        pair.real.close()


@pytest.mark.parametrize("type_", ["lru_hash", "lru_percpu_hash"])
@pytest.mark.parametrize("flags", [0, MAP_FLAGS["no_common_lru"]])
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_same_elements_are_evicted(type_, flags, data):
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {0})  # each CPU has lists of its own, and ours works as CPU 0
    spec = MapSpec("m", type_, 4, 4, data.draw(st.sampled_from([1, 2, 5, 16, 40, 300])), flags)
    pair = Pair(spec)
    try:
        numbers = st.integers(0, 2 * spec.max_entries)
        ops = st.tuples(st.sampled_from("uuuuuude"), numbers, st.sampled_from([0, 0, 1, 2]))
        for op, number, flag in data.draw(st.lists(ops, min_size=20, max_size=400)):
            key, value = number.to_bytes(4, "little"), bytes(pair.real.value_size)
            name = {"u": "update", "d": "delete", "e": "lookup"}[op]
            mine, real = pair.do(name, key, value, flag if op == "u" else 0)
            assert visible(pair, mine) == visible(pair, real)
        mine, real = pair.both()
        assert mine.keys() == real.keys()
    finally:
        pair.real.close()
        os.sched_setaffinity(0, before)


def visible(pair, answer):
    """Per-CPU values without the padding up to eight bytes, which the kernel does not clear."""
    if isinstance(answer, int) or "percpu" not in pair.spec.type:
        return answer
    stride = pair.spec.value_size + 7 & ~7
    return [answer[at : at + pair.spec.value_size] for at in range(0, len(answer), stride)]
