"""The kernel's ring buffers through the reader that ours have, alone and together."""

from __future__ import annotations

import struct
import threading

import pytest

from osmia import live, maps
from osmia.isa import consts as c
from osmia.isa import macros as m
from osmia.live.maps import LiveMap
from osmia.live.ringbuf import LiveRing, consume
from osmia.maps.reader import Poller
from osmia.obj.model import MapSpec, Program
from osmia.raw import Buffer

WHY_NOT = live.available()
pytestmark = [pytest.mark.live, pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))]
SPEC = MapSpec("records", "ringbuf", max_entries=4096)
WRITES = Program("writes", "xdp", [
    m.BPF_ST_MEM(c.BPF_DW, 10, -8, 77), *m.BPF_LD_MAP_FD(1, 0), m.BPF_MOV64_REG(2, 10),
    m.BPF_ALU64_IMM(c.BPF_ADD, 2, -8), m.BPF_MOV64_IMM(3, 8), m.BPF_MOV64_IMM(4, 0), m.BPF_EMIT_CALL(130),
    m.BPF_MOV64_IMM(0, 2), m.BPF_EXIT_INSN(),
], maps=[SPEC], license="GPL")  # fmt: skip
RECORD = struct.pack("=Q", 77)


def test_one_interface():
    shared = [n for n in vars(LiveRing) if not n.startswith("_") and n not in ("close", "map")]
    assert len(shared) >= 8 and all(hasattr(maps.create(SPEC), name) for name in shared)


def test_records_of_the_kernel():
    with LiveMap(SPEC) as ring, live.load(WRITES, [ring]) as loaded, LiveRing(ring) as reading:
        assert reading.poll(0.01) == [] and not reading.ready()
        loaded.test_run(repeat=3)
        assert reading.ready() and list(reading.consume(limit=2)) == [RECORD] * 2 and reading.poll(0) == [RECORD]
        assert reading.consumer == reading.producer == 48
        for _ in range(300):  # round and round
            loaded.test_run()
            assert list(consume(ring)) == [RECORD]


def test_the_kernel_wakes_the_reader_also_beside_our_own_ring():
    ours = maps.create(SPEC)
    with (
        LiveMap(SPEC) as ring,
        live.load(WRITES, [ring]) as loaded,
        LiveRing(ring) as reading,
        Poller(ours, reading) as poller,
    ):
        timer = threading.Timer(0.05, loaded.test_run)
        timer.start()
        assert poller.poll(20) == [(reading, RECORD)]
        timer.join()
        room = Buffer.of(b"ours")
        threading.Timer(0.05, ours.output, (room.address, 4, 0)).start()
        assert poller.poll(20) == [(ours, b"ours")]
        assert poller.poll(0.01) == []
