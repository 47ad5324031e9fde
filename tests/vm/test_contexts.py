"""Contexts: where packets live, what moves with them, what comes back."""

from __future__ import annotations

import errno
import struct
from itertools import pairwise
from mmap import PAGESIZE

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osmia.errors import Fault, UsageError
from osmia.isa import consts as c
from osmia.isa import macros as m
from osmia.memory import Memory
from osmia.obj.model import Program
from osmia.vm import Context, Machine, PtRegsContext, SkbContext, XdpContext
from osmia.vm.lowmem import LowBuffer

FRAME = bytes.fromhex("aabbccddeeff1122334455660800") + bytes(range(50))
EXIT = m.BPF_EXIT_INSN()


def run(insns, ctx, **helpers):
    bodies = {int(number[1:]): body for number, body in helpers.items()}
    return Machine(Program("test", "xdp", [*insns, EXIT]), helpers=bodies).run(ctx)


def field(offset):
    return [m.BPF_LDX_MEM(c.BPF_W, 0, 1, offset)]


def test_low_memory_is_low_zeroed_and_used_again():
    first = LowBuffer(100)
    address = first.address
    assert 0 < address < 1 << 32 and first.size == PAGESIZE and bytes(first) == bytes(PAGESIZE)
    from osmia.raw import write

    write(address, b"dirty")
    others = [LowBuffer(5000) for _ in range(5)]
    assert all(b.address >= a.address + a.size or b.address < a.address for a, b in pairwise(others))
    del first
    again = [LowBuffer(50) for _ in range(3)]
    assert address in [b.address for b in again] and all(bytes(b) == bytes(PAGESIZE) for b in again)


def test_xdp_fields():
    ctx = XdpContext(FRAME, ingress_ifindex=3, rx_queue_index=4, meta=b"metadata")
    data, end, meta = (run(field(offset), ctx).r0 for offset in (0, 4, 8))
    assert (end - data, data - meta) == (len(FRAME), 8)
    assert [run(field(offset), ctx).r0 for offset in (12, 16, 20)] == [3, 4, 0]
    result = run([m.BPF_MOV64_IMM(0, 0)], ctx)
    assert result.data == b"metadata" + FRAME
    assert struct.unpack("=6I", result.ctx) == (8, 8 + len(FRAME), 0, 3, 4, 0)


def test_xdp_context_as_test_run_takes_it():
    ctx = XdpContext(b"meta" + FRAME, ctx=struct.pack("=6I", 4, 4 + len(FRAME), 0, 7, 1, 0))
    assert (ctx.packet, ctx.get("ingress_ifindex")) == (FRAME, 7)
    with pytest.raises(UsageError, match="multiple of 4"):
        XdpContext(FRAME, meta=b"odd")


def test_packet_accesses_are_checked():
    load = [m.BPF_LDX_MEM(c.BPF_W, 2, 1, 0)]
    assert run([*load, m.BPF_LDX_MEM(c.BPF_DW, 0, 2, 56)], XdpContext(FRAME)).r0 == int.from_bytes(FRAME[56:], "little")
    for access in (m.BPF_LDX_MEM(c.BPF_DW, 0, 2, 57), m.BPF_LDX_MEM(c.BPF_B, 0, 2, -1), m.BPF_ST_MEM(c.BPF_W, 1, 0, 0)):
        with pytest.raises(Fault):
            run([*load, access], XdpContext(FRAME))


@given(st.lists(st.tuples(st.sampled_from(["head", "tail", "meta"]), st.integers(-300, 300)), max_size=8))
def test_adjustments_keep_the_regions_right(moves):
    ctx, memory = XdpContext(FRAME), Memory()
    ctx.attach(memory)
    for which, delta in moves:
        before = (ctx.meta, ctx.start, ctx.end)
        answer = {"head": ctx.adjust_head, "tail": ctx.adjust_tail, "meta": ctx.adjust_meta}[which](delta)
        assert answer in (0, -errno.EINVAL, -errno.EACCES)
        assert answer == 0 or before == (ctx.meta, ctx.start, ctx.end)
        assert ctx.low + 40 <= ctx.meta <= ctx.start <= ctx.end - 14 and ctx.end <= ctx.high
        assert [ctx.get(name) for name in ("data_meta", "data", "data_end")] == [ctx.meta, ctx.start, ctx.end]
        assert memory.check(ctx.start, ctx.end - ctx.start, True) and not memory.check(ctx.end, 1, False)
        assert not memory.check(ctx.meta - 1, 1, False)
    ctx.detach(memory)
    assert len(memory) == 0


def test_the_window_follows_an_adjusted_packet():
    """After a helper moved the packet, the old addresses fault, also those used right before."""
    insns = [
        m.BPF_MOV64_REG(6, 1), m.BPF_LDX_MEM(c.BPF_W, 7, 1, 0), m.BPF_LDX_MEM(c.BPF_B, 0, 7, 0), m.BPF_MOV64_IMM(2, 20),
        m.BPF_EMIT_CALL(44), m.BPF_LDX_MEM(c.BPF_B, 0, 7, 0),
    ]  # fmt: skip
    with pytest.raises(Fault, match="20 bytes before packet") as caught:
        run(insns, XdpContext(FRAME), h44=lambda env, r1, r2, *rest: env.ctx.adjust_head(r2))
    assert caught.value.pc == 5


def test_skb_fields_and_starts():
    ctx = SkbContext(FRAME, mark=7, cb2=9)
    assert [run(field(offset), ctx).r0 for offset in (0, 8, 16, 40, 56)] == [64, 7, 8, 1, 9]
    assert SkbContext(FRAME, prog_type="cgroup_skb").get("len") == 50
    assert SkbContext(FRAME, prog_type="socket_filter").get("len") == 64
    assert SkbContext(FRAME, prog_type="socket_filter", start="network").packet == FRAME[14:]
    for wrong in ({"nonsense": 1}, {"mark": "seven"}, {"start": "middle"}):
        with pytest.raises(UsageError):
            SkbContext(FRAME, **wrong)


def test_skb_results():
    result = run([m.BPF_ST_MEM(c.BPF_W, 1, 8, 5), *field(76), m.BPF_ST_MEM(c.BPF_B, 0, 0, 0x99)], SkbContext(FRAME))
    assert result.data == b"\x99" + FRAME[1:] and struct.unpack_from("=I", result.ctx, 8) == (5,)
    assert result.ctx[76:84] == bytes(8)


def test_skb_data_move():
    ctx = SkbContext(FRAME)
    assert ctx.move_start(-10) and ctx.get("len") == 74 and ctx.move_end(-4) and len(ctx.packet) == 70
    assert not ctx.move_start(-1000) and not ctx.move_end(-1000) and not ctx.move_end(1 << 20)
    assert ctx.load_bytes(10, 3) == FRAME[:3] and ctx.load_bytes(69, 2) is None
    assert ctx.store_bytes(10, b"abc") and not ctx.store_bytes(69, b"xx") and ctx.packet[10:13] == b"abc"


@pytest.mark.parametrize("size", [0, 1, 13, 14, 15, 4000, 70000])
def test_packets_of_any_size(size):
    for ctx in (XdpContext(bytes(size)), SkbContext(bytes(size)), SkbContext(bytes(size), start="network")):
        assert run([m.BPF_MOV64_IMM(0, 1)], ctx).data == bytes(size)


def test_registers():
    ctx = PtRegsContext((11, 22), arch="x86_64", ip=0x1000)
    assert run([m.BPF_LDX_MEM(c.BPF_DW, 0, 1, 14 * 8)], ctx).r0 == 11
    assert run([m.BPF_LDX_MEM(c.BPF_DW, 0, 1, 13 * 8)], ctx).r0 == 22
    assert run([m.BPF_LDX_MEM(c.BPF_DW, 0, 1, 16 * 8)], ctx).r0 == 0x1000
    arm = PtRegsContext((11, 22, 33), arch="aarch64")
    assert run([m.BPF_LDX_MEM(c.BPF_DW, 0, 1, 16)], arm).r0 == 33
    assert run([m.BPF_LDX_MEM(c.BPF_DW, 0, 1, 0)], PtRegsContext(retval=5, arch="aarch64")).r0 == 5
    assert run([m.BPF_LDX_MEM(c.BPF_DW, 0, 1, 80)], PtRegsContext((1,), 5, arch="x86_64")).r0 == 5
    for wrong in ({"arch": "vax"}, {"nonsense": 1, "arch": "x86_64"}, {"args": range(7), "arch": "x86_64"}):
        with pytest.raises(UsageError):
            PtRegsContext(**wrong)


def test_plain_contexts_come_back():
    result = run([m.BPF_ST_MEM(c.BPF_H, 1, 2, 0x4142)], Context(b"abcd"))
    assert (result.data, result.ctx) == (None, b"abBA")
