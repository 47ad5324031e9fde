"""Queues, stacks and bloom filters under threads, through the C functions in their handles."""

import ctypes
import threading
import time

import pytest

from osmia.maps import create
from osmia.maps.handle import WORD
from osmia.obj.model import MapSpec
from osmia.raw import Buffer, ld64, st64


def operation(m, name):
    """An operation as native code calls it; uncompiled, the method."""
    function = ld64(m.address + WORD[name])
    if not function:
        return getattr(m, name)
    call = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_uint64] * 5)(function)
    return lambda *given: call(ld64(m.address), *given, *[0] * (4 - len(given)))


@pytest.mark.parametrize("kind", ["queue", "stack"])
def test_every_value_comes_out_exactly_once(kind):
    m, each = create(MapSpec("q", kind, 0, 24, 50)), 3000
    push, pop = operation(m, "push"), operation(m, "pop")
    taken, done = [[], []], threading.Event()

    def produce(who):
        room = Buffer(24)
        for n in range(each):
            for at in range(3):  # three words alike: a torn value would show
                st64(room.address + 8 * at, who << 32 | n)
            while push(room.address, 0):
                time.sleep(0)

    def take(out):
        room = Buffer(24)
        while True:
            ended = done.is_set()
            if pop(room.address) == 0:
                out.append([ld64(room.address + 8 * at) for at in range(3)])
            elif ended:
                return
            else:
                time.sleep(0)

    producers = [threading.Thread(target=produce, args=(who,)) for who in (0, 1)]
    takers = [threading.Thread(target=take, args=(out,)) for out in taken]
    for t in producers + takers:
        t.start()
    for t in producers:
        t.join()
    done.set()
    for t in takers:
        t.join()
    assert all(a == b == c for out in taken for a, b, c in out)
    assert sorted(v[0] for out in taken for v in out) == [w << 32 | n for w in (0, 1) for n in range(each)]
    if kind == "queue":
        for out in taken:  # what one thread pushed comes out in order
            for who in (0, 1):
                mine = [v[0] for v in out if v[0] >> 32 == who]
                assert mine == sorted(mine)
    assert len(m) == 0 and m.contents() == []


def test_contents_are_those_of_one_moment():
    for kind, want in (("queue", [3, 4, 5]), ("stack", [5, 4, 3])):
        m = create(MapSpec("q", kind, 0, 4, 3))
        for n in range(6):
            assert m.push(Buffer.of(n.to_bytes(4, "little")).address, 2) == 0
        assert [v for _, v in m.items()] == want and m[None] == want[0] and len(m) == 3


def test_a_filter_denies_nothing_that_two_threads_added():
    m = create(MapSpec("b", "bloom_filter", 0, 8, 4000, map_extra=3))
    push, peek = operation(m, "push"), operation(m, "peek")

    def add(who):
        room = Buffer(8)
        for n in range(2000):
            st64(room.address, who << 32 | n)
            assert push(room.address, 0) == 0

    threads = [threading.Thread(target=add, args=(who,)) for who in (0, 1)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    room, wrong = Buffer(8), 0
    for n in range(2000):
        for who in (0, 1, 2):
            st64(room.address, who << 32 | n)
            assert peek(room.address) in ((0, -2) if who == 2 else (0,))
            wrong += who == 2 and peek(room.address) == 0
    assert wrong < 600
