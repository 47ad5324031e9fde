"""Ring buffers: the reader's side, and several native producers against one consumer."""

import ctypes
import random
import selectors
import threading
import time
import zlib

import pytest

from osmia import native
from osmia.maps import create
from osmia.maps.reader import Poller
from osmia.obj.model import MapSpec
from osmia.raw import Buffer, ld32, read, write

COMPILED = bool(native.address_of("osmia.maps.ring", "output"))
compiled = pytest.mark.skipif(not COMPILED, reason="uncompiled, everything runs under the interpreter lock")


def ring(size=4096, name="r"):
    return create(MapSpec(name, "ringbuf", 0, 0, size))


def put(m, data, flags=0):
    room = Buffer.of(data)
    return m.output(room.address, len(data), flags)


def c_function(name, count):
    address = native.address_of("osmia.maps.ring", name)
    return ctypes.CFUNCTYPE(ctypes.c_uint64, *[ctypes.c_uint64] * count)(address)


def test_the_layout_is_the_kernels():
    m = ring()
    first, second = m.reserve(5), m.reserve(4000)
    assert second == first + 16 and first % 8 == 0
    assert ld32(first - 8) == 5 | 1 << 31 and ld32(first - 4) == 3
    m.commit(first, 0, True)
    assert ld32(first - 8) == 5 | 1 << 30
    assert read(m.ring + 4096, 8) == bytes(8) and int.from_bytes(read(m.ring + 8192, 8), "little") == 16 + 4008
    m.commit(second, 0, False)
    assert list(m.consume()) == [bytes(4000)]
    wrapped = m.reserve(100)
    assert wrapped == second + 4008 and ld32(wrapped - 4) == 3
    m.commit(wrapped, 0, False)
    assert list(m.consume()) == [bytes(100)] and m.reserve(8) == first + (4024 + 112) % 4096


def test_only_open_records_are_open():
    m = ring()
    a, b = m.reserve(64), m.reserve(64)
    write(a + 8, (64 | 1 << 31).to_bytes(4, "little"))  # what looks like a header in a record's data
    assert m.is_open(a) and m.is_open(b) and not m.is_open(a + 16) and not m.is_open(m.ring) and not m.is_open(b + 72)
    m.commit(a, 0, False)
    assert not m.is_open(a) and m.is_open(b) and m.size_of(b) == 64


def test_poll_returns_what_is_there_and_gives_up_in_time():
    m = ring()
    put(m, b"one")
    put(m, b"two")
    assert m.poll(0) == [b"one", b"two"]
    begin = time.monotonic()
    assert m.poll(0.05) == [] and 0.04 < time.monotonic() - begin < 5


def test_poll_wakes_for_another_threads_record():
    m = ring()
    timer = threading.Timer(0.1, put, (m, b"late"))
    timer.start()
    assert m.poll(20) == [b"late"]
    timer.join()


def test_a_reader_sleeps_through_records_without_wakeup():
    m, got = ring(), []
    listener = threading.Thread(target=lambda: got.extend(m.poll(20)))
    listener.start()
    time.sleep(0.1)
    put(m, b"quiet", 1)
    time.sleep(0.1)
    assert not got and m.wakeups == 0
    put(m, b"loud", 2)
    listener.join()
    assert got == [b"quiet", b"loud"] and m.wakeups == 1


def test_several_rings_in_one_poller():
    a, b = ring(name="a"), ring(name="b")
    with Poller(a) as poller:
        poller.add(b)
        threading.Timer(0.05, put, (b, b"to b")).start()
        assert poller.poll(20) == [(b, b"to b")]
        put(a, b"1")
        put(b, b"2")
        assert poller.poll() == [(a, b"1"), (b, b"2")]
        assert poller.poll(0.01) == []
    assert poller.poll() == []


def test_a_reader_ends_when_closed_or_when_nothing_comes():
    m, got = ring(), []
    for n in range(5):
        put(m, bytes([n]))
    assert [r[0] for r in m.reader(timeout=0.02)] == [0, 1, 2, 3, 4]
    with m.reader() as reader:
        listener = threading.Thread(target=lambda: got.extend(reader))
        listener.start()
        put(m, b"x")
        while not got:
            time.sleep(0.01)
    listener.join(20)
    assert got == [b"x"] and not listener.is_alive()


def test_a_ring_in_somebody_elses_event_loop():
    m = ring()
    with selectors.DefaultSelector() as selector:
        selector.register(m, selectors.EVENT_READ)
        assert selector.select(0) == []
        put(m, b"x")
        assert len(selector.select(20)) == 1
        m.disarm()
        assert list(m.consume()) == [b"x"] and selector.select(0) == []


@compiled
@pytest.mark.parametrize("reserving", [False, True])
def test_two_producers_and_a_consumer_lose_and_tear_nothing(reserving):
    """Records of random sizes with a checksum and their producer's count; those that found no room are known."""
    m, refused, total = ring(1 << 14), [0, 0], 4000
    output, reserve, commit = c_function("output", 4), c_function("reserve", 2), c_function("commit", 3)

    def produce(who):
        rnd, room = random.Random(who), Buffer(2048)
        for n in range(total):
            body = bytes([who]) + n.to_bytes(4, "little") + rnd.randbytes(rnd.choice((0, 3, 50, 1500)))
            data = zlib.crc32(body).to_bytes(4, "little") + body
            write(room.address, data)
            for _ in range(100000):
                if not reserving:
                    done = output(m.ring, room.address, len(data), 0) == 0
                elif done := (sample := reserve(m.ring, len(data))):
                    ctypes.memmove(sample, room.address, len(data))
                    gone = rnd.random() < 0.2
                    commit(sample, 0, gone)
                    done = not gone
                if done:
                    break
                refused[who] += 1
                time.sleep(0)

    threads = [threading.Thread(target=produce, args=(who,)) for who in (0, 1)]
    for t in threads:
        t.start()
    following = [0, 0]
    with m.reader() as reader:
        while sum(following) < 2 * total:
            found = reader.poll(10)
            assert found, f"asleep with {len(m)} records, {following}"
            for record in found:
                assert zlib.crc32(record[4:]) == int.from_bytes(record[:4], "little")
                assert int.from_bytes(record[5:9], "little") == following[record[4]]
                following[record[4]] += 1
    for t in threads:
        t.join()
    assert m.consumer == m.producer and m.reserve(1)
