"""Random rows of packet helpers as one program, for the kernel and for us: what each answered, and what is left.

After each call the program keeps R0, the packet's length, the metadata's (XDP) or hash, protocol and VLAN tag (socket
buffers), and the start of the packet, read directly.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from helpers.both import CTX
from hypothesis import strategies as st

from osmia import helpers, live
from osmia.isa import consts as c
from osmia.isa import macros as m
from osmia.kernel.helpers import helper_by_name
from osmia.live.maps import LiveMap
from osmia.maps import create
from osmia.obj.model import MapSpec, Program
from osmia.vm import Machine
from osmia.vm.packet import SkbContext, XdpContext

KEPT = 32
"""Bytes that are kept of each call."""
ROOM = 80
"""Bytes of the buffer that calls read and write, behind what is kept."""
BUFFER = "buffer"
"""An argument that points to the buffer."""


@dataclass(frozen=True)
class Row:
    """A program type, a packet, the calls ``(helper, arguments)``, the buffer's first bytes."""

    prog_type: str
    packet: bytes
    calls: tuple
    buffer: bytes

    def spec(self):
        data = bytes(KEPT * len(self.calls)) + self.buffer
        return MapSpec("kept", "array", 4, len(data), 1, data=data)

    def program(self):
        code = [m.BPF_MOV64_REG(6, 1), *m.BPF_LD_MAP_VALUE(7, 0, 0)]
        for number, (name, args) in enumerate(self.calls):
            code += called(name, args, KEPT * len(self.calls))
            code += kept(self.prog_type, KEPT * number)
        code += [m.BPF_MOV64_IMM(0, 2), m.BPF_EXIT_INSN()]
        return Program("row", self.prog_type, code, maps=[self.spec()])


def called(name, args, buffer):
    """The instructions of one call; R0 is its answer."""
    code = []
    for reg, arg in enumerate(args, 1):
        if arg is CTX:
            code.append(m.BPF_MOV64_REG(reg, 6))
        elif arg is BUFFER:
            code += [m.BPF_MOV64_REG(reg, 7), m.BPF_ALU64_IMM(c.BPF_ADD, reg, buffer)]
        else:
            code += m.BPF_LD_IMM64(reg, arg & 0xFFFFFFFFFFFFFFFF)
    return [*code, m.BPF_EMIT_CALL(helper_by_name(name).id)]


def kept(prog_type, at):
    """Keep R0 and what the packet is like now."""
    xdp = prog_type == "xdp"
    data, end, meta = (0, 4, 8) if xdp else (76, 80, 140)
    code = [m.BPF_STX_MEM(c.BPF_DW, 7, 0, at), m.BPF_LDX_MEM(c.BPF_W, 2, 6, data), m.BPF_LDX_MEM(c.BPF_W, 3, 6, end)]
    if xdp:
        code += [m.BPF_LDX_MEM(c.BPF_W, 4, 6, meta), m.BPF_MOV64_REG(5, 2), m.BPF_ALU64_REG(c.BPF_SUB, 5, 4)]
    else:
        for field, place in ((16, 26), (24, 28), (28, 30)):  # protocol, vlan_tci, vlan_proto
            code += [m.BPF_LDX_MEM(c.BPF_W, 5, 6, field), m.BPF_STX_MEM(c.BPF_H, 7, 5, at + place)]
        code += [m.BPF_LDX_MEM(c.BPF_W, 5, 6, 68)]
    code += [
        m.BPF_STX_MEM(c.BPF_W, 7, 5, at + 12),
        m.BPF_MOV64_REG(4, 3), m.BPF_ALU64_REG(c.BPF_SUB, 4, 2), m.BPF_STX_MEM(c.BPF_W, 7, 4, at + 8),
        m.BPF_MOV64_REG(4, 2), m.BPF_ALU64_IMM(c.BPF_ADD, 4, 14), m.BPF_JMP_REG(c.BPF_JGT, 4, 3, 4),
        m.BPF_LDX_MEM(c.BPF_DW, 4, 2, 0), m.BPF_STX_MEM(c.BPF_DW, 7, 4, at + 16),
        m.BPF_LDX_MEM(c.BPF_H, 4, 2, 12), m.BPF_STX_MEM(c.BPF_H, 7, 4, at + 24),
    ]  # fmt: skip
    return code


def by_kernel(row):
    """Packet and context afterwards, and what the program kept."""
    with LiveMap(row.spec()) as kept_, live.load(row.program(), [kept_]) as loaded:
        result = loaded.test_run(row.packet)
        return result.retval, result.data, seen(row, result.ctx), kept_[bytes(4)]


def by_us(row, **options):
    """The same from a machine."""
    made = create(row.spec())
    ctx = XdpContext(row.packet) if row.prog_type == "xdp" else SkbContext(row.packet, prog_type=row.prog_type)
    result = Machine(row.program(), maps=[made], helpers=helpers.table(), **options).run(ctx)
    return result.retval, result.data, seen(row, result.ctx), bytes(made.copy_value(key()))


def key():
    """Address of the key 0."""
    from osmia.raw import Buffer

    key.room = Buffer(4)
    return key.room.address


def seen(row, ctx):
    """The fields of the context that BPF_PROG_TEST_RUN gives back."""
    if row.prog_type == "xdp":
        return ctx
    return [struct.unpack_from("=I", ctx, at)[0] for at in (8, 32, 40, *range(48, 68, 4), 160)]


NUMBERS = st.integers(0, 90)
OFFSETS = st.one_of(NUMBERS, NUMBERS, st.sampled_from([0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]))
SIZES = st.integers(1, ROOM)
DELTAS = st.one_of(st.integers(-40, 40), st.integers(-300, 300), st.sampled_from([4, -4, -8, -32, 0]))
SUMS = st.one_of(st.integers(0, 0xFFFFFFFF), st.sampled_from([0, 0xFFFF, 0xFFFFFFFF]))
WORDS = st.integers(0, ROOM // 4).map(lambda n: 4 * n)


def call(name, *args):
    """A call whose arguments are drawn."""
    drawn = [a if isinstance(a, st.SearchStrategy) else st.just(a) for a in args]
    return st.tuples(st.just(f"bpf_{name}"), st.tuples(*drawn))


CSUM_DIFF = call("csum_diff", BUFFER, WORDS, BUFFER, WORDS, SUMS)
FRAME_CALLS = st.one_of(
    call("xdp_adjust_head", CTX, DELTAS),
    call("xdp_adjust_tail", CTX, DELTAS),
    call("xdp_adjust_meta", CTX, DELTAS),
    call("xdp_adjust_meta", CTX, st.integers(-10, 2).map(lambda n: 4 * n)),
    call("xdp_load_bytes", CTX, OFFSETS, BUFFER, SIZES),
    call("xdp_store_bytes", CTX, OFFSETS, BUFFER, SIZES),
    call("xdp_get_buff_len", CTX),
    CSUM_DIFF,
)
ROOMS = st.one_of(st.integers(-60, 60), st.sampled_from([20, -20, 40, -40, 0x1000, -0x1000, 1 << 31]))
TUNNELS = st.builds(lambda one, two, inner: one | two | inner << 56, st.sampled_from([0, 2, 4, 128, 256]),
                    st.sampled_from([0, 0, 2, 4, 8, 16, 24, 64, 128]), st.sampled_from([0, 0, 13, 14, 18]))  # fmt: skip
ROOM_CALLS = st.one_of(
    call("skb_adjust_room", CTX, ROOMS, st.sampled_from([0, 1, 1, 2]), st.sampled_from([0, 0, 32, 1, 512])),
    call("skb_adjust_room", CTX, ROOMS, st.sampled_from([0, 1]), TUNNELS),
    call("skb_adjust_room", CTX, st.integers(14, 60), st.sampled_from([0, 1]), st.sampled_from([2, 4, 10, 18, 20, 34])),
    call("skb_adjust_room", CTX, st.integers(-60, -1), st.sampled_from([0, 1]), st.sampled_from([0, 128, 256])),
    call("skb_change_proto", CTX, st.sampled_from([0x0008, 0xDD86, 0x0608]), st.sampled_from([0, 0, 0, 1])),
)
PLACES = st.integers(0, 45).map(lambda n: 2 * n)
SKB_CALLS = st.one_of(
    call("skb_load_bytes", CTX, OFFSETS, BUFFER, SIZES),
    call("skb_load_bytes_relative", CTX, OFFSETS, BUFFER, SIZES, st.sampled_from([0, 1, 1, 2])),
    call("skb_store_bytes", CTX, OFFSETS, BUFFER, SIZES, st.sampled_from([0, 0, 1, 2, 3, 4])),
    call("l3_csum_replace", CTX, PLACES, SUMS, SUMS, st.sampled_from([2, 4, 3])),
    call("l3_csum_replace", CTX, PLACES, 0, SUMS, 0),
    call("l4_csum_replace", CTX, PLACES, SUMS, SUMS, st.sampled_from([2, 4, 18, 20, 34, 52, 16, 1])),
    call("skb_change_tail", CTX, st.one_of(NUMBERS, st.integers(0, 400)), 0),
    call("skb_change_head", CTX, st.sampled_from([0, 1, 4, 14, 18, 32]), 0),
    call("skb_change_type", CTX, st.integers(0, 4)),
    call("skb_pull_data", CTX, st.one_of(st.just(0), NUMBERS)),
    call("set_hash", CTX, st.integers(1, 0xFFFFFFFF)),
    call("set_hash_invalid", CTX),
    ROOM_CALLS,
    call("skb_vlan_push", CTX, st.sampled_from([0x81, 0x0081, 0xA888, 0]), st.integers(0, 0xFFFF)),
    call("skb_vlan_pop", CTX),
    call("csum_level", CTX, st.integers(0, 4)),
    call("csum_update", CTX, SUMS),
    CSUM_DIFF,
)
TYPES_OF_ETHER = [b"\x08\x00", b"\x86\xdd", b"\x08\x06", b"\x81\x00", b"\x00\x30", b"\xff\xff"]
MACS = st.sampled_from([bytes(6), b"\xff" * 6, b"\x02\0\0\0\0\1", b"\x01\x00\x5e\0\0\1"])


def rows(prog_type, calls=None, ether=TYPES_OF_ETHER):
    """Rows of up to six calls."""
    some = {"xdp": FRAME_CALLS, "sched_cls": SKB_CALLS}[prog_type] if calls is None else calls
    payload = st.one_of(st.binary(min_size=40, max_size=90), st.just(b"\x45" + bytes(range(69))))
    packets = st.builds(lambda mac, kind, rest: mac + bytes(6) + kind + rest, MACS, st.sampled_from(ether), payload)
    lists = st.lists(some, min_size=1, max_size=6).map(tuple)
    return st.builds(Row, st.just(prog_type), packets, lists, st.binary(min_size=ROOM, max_size=ROOM))


TUNNEL_ROWS = rows("sched_cls", st.one_of(ROOM_CALLS, ROOM_CALLS, SKB_CALLS), TYPES_OF_ETHER[:2])
"""Rows that often succeed in making room in IP packets."""
