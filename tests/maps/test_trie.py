"""The trie behind lpm_trie: against a plain model, and under threads through its C functions."""

import ctypes
import random
import threading

import pytest

from osmia import native
from osmia.kernel.uapi import MAP_FLAGS
from osmia.maps import create
from osmia.maps.handle import WORD
from osmia.obj.model import MapSpec
from osmia.raw import Buffer, ld32, ld64, write

COMPILED = bool(native.address_of("osmia.maps.trie", "find"))


def trie(data_size=4, entries=64, value_size=8):
    return create(MapSpec("t", "lpm_trie", 4 + data_size, value_size, entries, MAP_FLAGS["no_prealloc"]))


def key(bits, data):
    return bits.to_bytes(4, "little") + data


def starts(data, prefix, bits):
    a, b = int.from_bytes(data, "big"), int.from_bytes(prefix, "big")
    return (a ^ b) >> (8 * len(data) - bits) == 0


def longest(model, bits, data):
    found = [n for n in model if n[0] <= bits and starts(data, n[1], n[0])]
    return max(found, default=None, key=lambda n: n[0])


def cut(bits, data):
    whole = 8 * len(data)
    return (int.from_bytes(data, "big") >> (whole - bits) << (whole - bits)).to_bytes(len(data), "big")


@pytest.mark.parametrize("size", [1, 3, 4, 8, 9, 16, 31])
@pytest.mark.parametrize("seed", range(4))
def test_against_a_model(size, seed):
    rnd = random.Random(seed * 100 + size)
    m, model, room, value = trie(size, 24), {}, Buffer(4 + size), Buffer(8)
    for turn in range(1200):
        few = rnd.choice((1, 3, 8))
        data = bytes(rnd.choice((0, 0x80, 0xFF, rnd.randrange(256) & 0xE0)) if i < few else 0 for i in range(size))
        bits = rnd.choice((rnd.randint(0, 8 * size), rnd.randint(0, 10) % (8 * size + 1), 8 * size))
        write(room.address, key(bits, data))
        write(value.address, turn.to_bytes(8, "little"))
        name, action = (bits, cut(bits, data)), rnd.random()
        if action < 0.45:
            want = 0 if name in model or len(model) < 24 else -28
            assert m.update(room.address, value.address, 0, 0) == want
            if not want:
                model[name] = turn
        elif action < 0.65:
            assert m.delete(room.address) == (0 if model.pop(name, None) is not None else -2)
        else:
            at, want = m.lookup(room.address, 0), longest(model, bits, data)
            assert (ld64(at) if at else None) == (model[want] if want else None)
        assert len(m) == len(model)
    listed = [(int.from_bytes(k[:4], "little"), cut(int.from_bytes(k[:4], "little"), k[4:])) for k in m.raw_keys()]
    assert sorted(listed) == sorted(model)
    for at, (bits, data) in enumerate(listed):  # postorder: nothing that it begins with went before
        assert not any(n[0] < bits and starts(data, n[1], n[0]) for n in listed[:at])


@pytest.mark.parametrize("seed", range(12))
def test_prefixes_that_begin_alike(seed):
    """What the table of the next eight bits has to keep up with: lengths around its window, the window moving."""
    rnd = random.Random(seed)
    m, model, room, value, top, start = trie(4, 40), {}, Buffer(8), Buffer(8), rnd.getrandbits(32), rnd.randint(0, 24)
    for turn in range(1200):
        below = (1 << (32 - start)) - 1
        varied = rnd.choice((below, 0xFF000000 >> start, 0xF0000000 >> start))
        word = (top & ~below) | (rnd.getrandbits(32) & below & varied)
        bits, data = min(32, start + rnd.choice((0, 1, 3, 5, 7, 8, 9, 10, 12, 16, 32))), word.to_bytes(4, "big")
        write(room.address, key(bits, data))
        write(value.address, turn.to_bytes(8, "little"))
        name, action = (bits, cut(bits, data)), rnd.random()
        if action < 0.35:
            if m.update(room.address, value.address, 0, 0) == 0:
                model[name] = turn
        elif action < 0.6:
            assert m.delete(room.address) == (0 if model.pop(name, None) is not None else -2)
        else:
            at, want = m.lookup(room.address, 0), longest(model, bits, data)
            assert (ld64(at) if at else None) == (model[want] if want else None)


def test_an_old_value_stays_where_a_pointer_shows_it():
    m, room, value = trie(4, 2), Buffer(8), Buffer(8)
    write(room.address, key(8, b"\x0a\0\0\0"))
    seen = []
    for turn in range(50):
        write(value.address, turn.to_bytes(8, "little"))
        assert m.update(room.address, value.address, 0, 0) == 0
        seen.append(m.lookup(room.address, 0))
    assert [ld64(at) for at in seen] == list(range(50))
    region = m.regions()[1]
    assert all(region.admits(at, 8, True) and not region.admits(at, 9, False) for at in seen)


def test_memory_is_used_again():
    m, room, value = trie(4, 2, 1 << 16), Buffer(8), Buffer(1 << 16)
    write(room.address, key(8, b"\x0a\0\0\0"))
    seen = set()
    for _ in range(200):
        assert m.update(room.address, value.address, 0, 0) == 0
        seen.add(m.lookup(room.address, 0))
    assert 10 < len(seen) < 30


def by_address(m, word, count):
    function = ld64(m.address + WORD[word])
    return ctypes.CFUNCTYPE(ctypes.c_uint64, *[ctypes.c_uint64] * 5)(function), ld64(m.address)


@pytest.mark.skipif(not COMPILED, reason="uncompiled, everything runs under the interpreter lock")
def test_look_ups_while_prefixes_come_and_go():
    """Every answer is a prefix of the key that was in at some time; those that are always in are never missed."""
    m = trie(4, 600, 8)
    find, obj = by_address(m, "lookup", 2)
    put, _ = by_address(m, "update", 4)
    drop, _ = by_address(m, "delete", 1)
    rnd, done, wrong, looked = random.Random(7), threading.Event(), [], [0]

    def entry(bits, data):
        # the value tells its prefix: length and bits
        room, value = Buffer(8), Buffer(8)
        write(room.address, key(bits, cut(bits, data)))
        write(value.address, bits.to_bytes(4, "little") + cut(bits, data))
        return room, value

    base = entry(8, b"\x0a\0\0\0")
    assert put(obj, base[0].address, base[1].address, 0, 0) == 0
    pool = [entry(rnd.randint(9, 32), bytes((10, *rnd.randbytes(3)))) for _ in range(500)]

    def churn(seed):
        own = random.Random(seed)
        for _ in range(25000):
            room, value = own.choice(pool)
            if own.random() < 0.5:
                put(obj, room.address, value.address, 0, 0)
            else:
                drop(obj, room.address, 0, 0, 0)
        done.set()

    def look(seed):
        own, room = random.Random(seed), Buffer(8)
        while not done.is_set():
            data = bytes((10, *own.randbytes(3)))
            write(room.address, key(32, data))
            at = find(obj, room.address, 0, 0, 0)
            looked[0] += 1
            if not at:
                wrong.append(("missed", data))
            elif not starts(data, bytes(ctypes.string_at(at + 4, 4)), ld32(at)):
                wrong.append((data, ctypes.string_at(at, 8)))

    threads = [threading.Thread(target=churn, args=(1,)), *(threading.Thread(target=look, args=(s,)) for s in (2, 3))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    # a value may be overwritten between look-up and look when its node has rested: 4096 changes later at the soonest
    assert not wrong, wrong[:3]
    assert looked[0] > 1000
