"""Perf buffers: the records in them, what is lost, the reader, and producers on other threads."""

import ctypes
import random
import threading
import time
import zlib

import pytest

from osmia import native
from osmia.maps import create
from osmia.maps.perf import Sample
from osmia.maps.reader import Poller
from osmia.obj.model import MapSpec
from osmia.raw import Buffer, ld16, ld32, ld64, st32, write

COMPILED = bool(native.address_of("osmia.maps.perfring", "output"))


def perf(cpus=2, pages=1):
    return create(MapSpec("e", "perf_event_array", 4, 4, 0), cpus=cpus).open(pages)


def test_the_records_are_the_kernels():
    m = perf()
    data = m.buffers[0].ring + 64
    assert m.output(0, 0, b"x" * 13) == 0
    assert (ld32(data), ld16(data + 6), ld32(data + 8)) == (9, 32, 13)
    while m.output(0, 0, b"y" * 200) == 0:
        pass
    assert m.lost == 1 and m.output(0, 0, b"y" * 200) == -28 and m.lost == 2
    first = len(m)
    assert m.buffers[0].read() == b"x" * 13 and m.buffers[0].read() == b"y" * 200
    assert m.output(0, 0, b"z") == 0 and m.lost == 2
    at = data + 32 + (first - 1) * 216
    assert (ld32(at), ld16(at + 6), ld64(at + 16)) == (2, 24, 2), "two were lost before this one"
    assert ld32(at + 24) == 9 and [s.data for s in m.consume()][-1] == b"z" and len(m) == 0


def test_records_wrap_in_one_piece():
    m, rnd = perf(), random.Random(3)
    for _ in range(300):
        data = rnd.randbytes(rnd.randrange(3000))
        assert m.output(1, 1, data) == 0
        assert m.poll(0) == [Sample(1, data)]
    assert m.lost == 0 and not m.ready()


def test_a_closed_slot_answers_enoent():
    m, key = perf(), Buffer(4)
    st32(key.address, 1)
    assert m.delete(key.address) == 0 and m.delete(key.address) == -2 and m.output(1, 1, b"x") == -2
    assert m.output(0, 1, b"x") == -95 and m.output(9, 9, b"") == -7 and m.output(0, 0, bytes(65524)) == -7
    m.settle()
    m.open(1, cpus=[1])
    assert m.output(1, 1, b"x") == 0


def test_readers_sleep_and_wake():
    m, other = perf(), perf()
    threading.Timer(0.05, m.output, (1, 1, b"late")).start()
    assert m.poll(20) == [Sample(1, b"late")]
    with Poller(m, other) as poller:
        other.output(0, 0, b"x")
        assert poller.poll() == [(other, Sample(0, b"x"))] and poller.poll(0.01) == []


@pytest.mark.skipif(not COMPILED, reason="uncompiled, everything runs under the interpreter lock")
def test_two_producers_lose_only_what_is_counted():
    m, total, wrote = perf(cpus=2, pages=2), 3000, [0, 0]
    output = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_uint64] * 7)(
        native.address_of("osmia.maps.perfring", "output")
    )

    def produce(who):
        rnd, room, rest = random.Random(who), Buffer(600), Buffer(600)
        for n in range(total):
            body = n.to_bytes(4, "little") + rnd.randbytes(rnd.randrange(500))
            data = zlib.crc32(body).to_bytes(4, "little") + body
            cut = rnd.randrange(len(data))
            write(room.address, data[:cut])
            write(rest.address, data[cut:])
            wrote[who] += output(m.address, who, who, room.address, cut, rest.address, len(data) - cut) == 0
            if n % 50 == 0:
                time.sleep(0)

    threads = [threading.Thread(target=produce, args=(who,)) for who in (0, 1)]
    for t in threads:
        t.start()
    seen, last = [0, 0], [-1, -1]
    while any(t.is_alive() for t in threads) or m.ready():
        for sample in m.poll(0.05):
            number = int.from_bytes(sample.data[4:8], "little")
            assert (
                zlib.crc32(sample.data[4:]) == int.from_bytes(sample.data[:4], "little") and number > last[sample.cpu]
            )
            seen[sample.cpu], last[sample.cpu] = seen[sample.cpu] + 1, number
    assert seen == wrote and sum(seen) + m.lost == 2 * total
