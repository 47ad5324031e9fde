"""Several threads in one map at once: nothing lost, nothing twice, nothing half written, never more than fits.

Compiled, the threads call the C functions in the map's handle, which ctypes does without the interpreter lock.
"""

import ctypes
import random
import threading
from collections import Counter

import pytest

from osmia.btf import Btf, types
from osmia.errors import InternalError
from osmia.kernel.uapi import MAP_FLAGS
from osmia.maps import batch, commands, create
from osmia.maps.array import Array
from osmia.maps.handle import CURSOR_SIZE, WORD
from osmia.obj.model import MapSpec
from osmia.raw import Buffer, add64, ld32, ld64, read, st32, st64

THREADS, CPUS = 4, 2
ENOENT, EEXIST, E2BIG, ENOMEM = -2, -17, -7, -12
FUNCTION = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_uint64] * 5)
LOCKED, EBUSY = 4, -16
OWN = MAP_FLAGS["no_common_lru"]


class Native:
    """The operations as native code calls them, with a key and a value of this thread's own."""

    def __init__(self, m):
        self.m, self.key, self.value = m, Buffer(16), Buffer(64)
        self.calls = {name: self._function(name) for name in ("lookup", "update", "delete", "each")}

    def _function(self, name):
        word = ld64(self.m.address + WORD[name])
        return FUNCTION(word) if word else None

    def _call(self, name, a, b=0, c=0, d=0):
        function = self.calls[name]
        if function is not None:
            return function(id(self.m), a, b, c, d)
        arguments = {"lookup": (a, b), "update": (a, b, c, d), "delete": (a,), "each": (a, b)}[name]
        return getattr(self.m, name)(*arguments)

    def lookup(self, number, cpu=0):
        st32(self.key.address, number)
        return self._call("lookup", self.key.address, cpu)

    def update(self, number, word=0, flags=0, cpu=0):
        """Every word of the value is the same."""
        st32(self.key.address, number)
        for at in range(0, self.m.value_size, 8):
            st64(self.value.address + at, word)
        return self._call("update", self.key.address, self.value.address, flags, cpu)

    def delete(self, number):
        st32(self.key.address, number)
        return self._call("delete", self.key.address)


def compiled(m):
    return ld64(m.address + WORD["update"]) != 0


def make(type_, entries, value_size=8, flags=0):
    return create(MapSpec("m", type_, 4, value_size, entries, flags), cpus=CPUS)


def together(m, work, turns):
    """Run ``work(native, thread number, turns)`` in every thread and give back what each returned."""
    turns = turns if compiled(m) else max(turns // 20, 50)
    results, begin = [None] * THREADS, threading.Barrier(THREADS)

    def run(number):
        begin.wait()
        results[number] = work(Native(m), number, turns)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert None not in results
    return results


def keys_of(m):
    keys = [int.from_bytes(key, "little") for key in m.raw_keys()]
    assert len(keys) == len(set(keys)) == len(m)
    native = Native(m)
    assert all(native.lookup(key) for key in keys)
    return set(keys)


@pytest.mark.parametrize("type_", ["hash", "percpu_hash", "lru_hash", "lru_percpu_hash"])
def test_one_thread_makes_each_key(type_):
    m = make(type_, 4096)
    keys = 1000

    def work(native, number, turns):
        return [native.update(key, number, 1, number % CPUS) for key in range(min(keys, turns))]

    results = together(m, work, 20000)
    tried = range(len(results[0]))
    for key in tried:
        assert sorted(r[key] for r in results) == [EEXIST] * (THREADS - 1) + [0]
    assert keys_of(m) == set(tried)


@pytest.mark.parametrize("type_", ["array", "hash", "lru_hash"])
def test_a_counter_in_a_value_counts_every_step(type_):
    if compiled(make(type_, 1)):
        pytest.skip("atomic instructions are in programs' native code: tests/vm has them")
    m = make(type_, 8)
    Native(m).update(3)

    def work(native, number, turns):
        for _ in range(turns):
            add64(native.lookup(3), 1)
        return turns

    assert sum(together(m, work, 20000)) == ld64(Native(m).lookup(3))


@pytest.mark.parametrize("type_", ["hash", "percpu_hash"])
@pytest.mark.parametrize("flags", [0, MAP_FLAGS["no_prealloc"]])
def test_never_more_than_max_entries(type_, flags):
    m = make(type_, 50, flags=flags)

    def work(native, number, turns):
        chosen, balance = random.Random(number), 0
        for _ in range(turns):
            key = chosen.randrange(80)
            bad = native.delete(key) if chosen.random() < 0.3 else native.update(key, 1, 1)
            assert bad in (0, ENOENT, EEXIST, E2BIG)
            balance += 0 if bad else 1
            assert len(m) <= 50
        return balance

    together(m, work, 30000)
    native = Native(m)
    for key in range(100):
        native.update(key, 1)
    assert len(m) == 50 == len(keys_of(m))
    assert native.update(1000, 1) == E2BIG
    for key in keys_of(m):
        assert native.update(key, 2) == 0 and native.delete(key) == 0
    assert [native.update(key, 1) for key in range(51)] == [0] * 50 + [E2BIG]


def test_inserts_and_deletes_add_up():
    m = make("hash", 64)

    def work(native, number, turns):
        chosen, balance = random.Random(number), Counter()
        for _ in range(turns):
            key = chosen.randrange(16)
            if chosen.random() < 0.5:
                balance[key] -= native.delete(key) == 0
            else:
                balance[key] += native.update(key, 1, 1) == 0
        return balance

    results = together(m, work, 30000)
    there = keys_of(m)
    for key in range(16):
        assert sum(r[key] for r in results) == (key in there)


@pytest.mark.parametrize("type_", ["hash", "percpu_hash", "lru_hash"])
@pytest.mark.parametrize("flags", [0, MAP_FLAGS["no_prealloc"]])
def test_a_key_that_is_replaced_is_always_found(type_, flags):
    if flags and type_ == "lru_hash":
        return
    m = make(type_, 512, flags=flags)
    keys = 8
    for key in range(keys):
        Native(m).update(key)

    def work(native, number, turns):
        chosen = random.Random(number)
        for turn in range(turns):
            key = chosen.randrange(keys)
            if number % 2:
                assert native.update(key, turn, 2, 0) == 0
            else:
                assert native.lookup(key), f"key {key} in turn {turn}"
        return turns

    together(m, work, 60000)
    assert keys_of(m) == set(range(keys))


@pytest.mark.parametrize("type_", ["hash", "lru_hash"])
def test_values_are_whole(type_):
    m = make(type_, 64, value_size=48)
    keys = 4

    def work(native, number, turns):
        chosen = random.Random(number)
        for turn in range(turns):
            key = chosen.randrange(keys)
            if number:
                native.update(key, number << 32 | turn, 0, number % CPUS)
                continue
            for key in range(keys):
                try:
                    value = commands.lookup_elem(m, key.to_bytes(4, "little"))
                except commands.MapError:
                    continue
                assert value == value[:8] * 6
        return turns

    together(m, work, 8000)


def test_taking_out_loses_no_update():
    m = make("hash", 1024)

    def work(native, number, turns):
        if number == 0:
            taken = []
            while len(taken) < (THREADS - 1) * turns:
                taken += [int.from_bytes(value, "little") for _, value in batch.take_batch(m, 100).elements]
            return taken
        for turn in range(turns):
            while native.update(turn % 32, number << 32 | turn, 1):
                pass
        return turns

    taken, turns, *_ = together(m, work, 500)
    assert Counter(taken) == Counter(n << 32 | turn for n in range(1, THREADS) for turn in range(turns))
    assert len(m) == 0


@pytest.mark.parametrize("type_", ["hash", "percpu_hash"])
def test_listing_misses_no_key(type_):
    m = make(type_, 256)
    for key in range(20):
        Native(m).update(key)

    def work(native, number, turns):
        chosen = random.Random(number)
        for turn in range(turns):
            if number == 0 and turn % 16 == 0:
                keys = [int.from_bytes(key, "little") for key in m.raw_keys()]
                assert len(keys) == len(set(keys)) and set(range(20)) <= set(keys)
            native.update(chosen.randrange(20), turn, 0, number % CPUS)
            other = 100 + chosen.randrange(100)
            native.delete(other) if turn % 2 else native.update(other, turn)
        return turns

    together(m, work, 5000)


@pytest.mark.parametrize("type_", ["array", "percpu_array", "hash", "percpu_hash", "lru_hash", "lru_percpu_hash"])
def test_a_walk_ends_and_sees_keys(type_):
    entries = 64
    m = make(type_, entries)
    native, cursor = Native(m), Buffer(CURSOR_SIZE)
    for key in range(40):
        native.update(key, key + 1)
    seen = []
    while native._call("each", cursor.address, 0):
        key = int.from_bytes(read(ld64(cursor.address), 4), "little")
        seen.append(key)
        assert ld64(ld64(cursor.address + 8)) == (key + 1 if key < 40 else 0)
        if key % 2:
            native.delete(key)
    assert sorted(seen) == list(range(64 if "array" in type_ else 40))
    assert native._call("each", cursor.address, 0) == 0

    def work(native, number, turns):
        cursor = Buffer(CURSOR_SIZE)
        if number:
            for turn in range(turns):
                native.update(turn % 50, turn) if turn % 3 else native.delete(turn % 50)
        for _ in range(turns // 50):
            cursor = Buffer(CURSOR_SIZE)
            count = 0
            while native._call("each", cursor.address, 0):
                count += 1
            assert count <= 10 * entries
        return turns

    together(m, work, 3000)


@pytest.mark.parametrize("flags", [0, OWN])
@pytest.mark.parametrize("type_", ["lru_hash", "lru_percpu_hash"])
def test_lru_lists_keep_every_node(type_, flags):
    m = make(type_, 100, flags=flags)

    def work(native, number, turns):
        chosen = random.Random(number)
        for _ in range(turns):
            key, step, cpu = chosen.randrange(300), chosen.random(), number % CPUS
            if step < 0.6:
                assert native.update(key, key, chosen.choice((0, 0, 1, 2)), cpu) in (0, EEXIST, ENOENT, ENOMEM)
            elif step < 0.7:
                native.delete(key)
            else:
                native.lookup(key, cpu)
        return turns

    together(m, work, 20000)
    places = m._lru.places()
    nodes = [node for where in places.values() for node in where]
    assert sorted(nodes) == list(range(100))
    in_use = {*places["active"], *places["inactive"], *places["waiting"]}
    assert len(in_use) == len(keys_of(m)) <= 100


def test_the_handle_names_c_functions_only_for_compiled_families():
    m = make("hash", 4)
    words = [ld64(m.address + WORD[name]) != 0 for name in ("lookup", "update", "delete", "each")]
    assert len(set(words)) == 1
    assert ld64(m.address + WORD["object"]) == id(m)


def with_lock(type_):
    """A map of values ``{u32 count; struct bpf_spin_lock lock; u64 words[5]}``."""
    btf = Btf()
    u32, u64 = btf.add(types.Int("u32", 4)), btf.add(types.Int("u64", 8))
    lock = btf.add(types.Struct("bpf_spin_lock", 4, (types.Member("val", u32, 0),)))
    words = tuple(types.Member(f"w{i}", u64, 64 + 64 * i) for i in range(5))
    fields = (types.Member("count", u32, 0), types.Member("lock", lock, 32), *words)
    value = btf.add(types.Struct("value", 48, fields))
    spec = MapSpec("m", type_, 4, 48, 4, btf=btf, btf_key_type_id=u32, btf_value_type_id=value)
    return create(spec, cpus=CPUS)


@pytest.mark.parametrize("type_", ["array", "hash"])
def test_values_are_whole_under_their_lock(type_):
    m = with_lock(type_)
    key = bytes(4)
    commands.update_elem(m, key, bytes(48))

    def work(native, number, turns):
        for turn in range(turns):
            if number % 2:
                assert native.update(0, number << 32 | turn, LOCKED, number % CPUS) == 0
                continue
            value = commands.lookup_elem(m, key, LOCKED)
            assert value[4:8] == bytes(4) and value[8:] == value[8:16] * 5
        return turns

    together(m, work, 8000)
    assert ld32(Native(m).lookup(0) + 4) == 0


def test_a_lock_that_nobody_lets_go_is_an_error_and_stays():
    m = with_lock("array")
    native = Native(m)
    st32(native.lookup(0) + 4, 77)
    assert native.update(0, 1, LOCKED) == EBUSY
    assert ld32(native.lookup(0) + 4) == 77 and ld64(native.lookup(0) + 8) == 0


def test_a_compiled_map_does_not_take_half_a_family():
    class Half(Array):
        def find_elem(self, key, cpu):
            return 0

    spec = MapSpec("m", "array", 4, 8, 1)
    if compiled(make("array", 1)):
        with pytest.raises(InternalError, match="Half is not compiled"):
            Half(spec)
    else:
        assert Half(spec).lookup(0, 0) == 0
