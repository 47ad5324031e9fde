"""Packet helpers without a kernel beside them: contexts, checksums against the textbook, hashes, redirects."""

import contextlib
import re
import struct
from pathlib import Path

import pytest
from helpers.bench import Bench
from hypothesis import given, settings
from hypothesis import strategies as st

from osmia.errors import Fault
from osmia.helpers import fast, fast_redirect
from osmia.kernel import uapi
from osmia.maps import create
from osmia.maps.handle import WORD
from osmia.obj.model import MapSpec
from osmia.raw import read
from osmia.sim import packet
from osmia.vm.context import Context
from osmia.vm.host import BareHost
from osmia.vm.packet import PacketContext, SkbContext, XdpContext

FRAME = bytes(12) + b"\x08\x00" + bytes(range(50))


def test_the_compiled_side_knows_the_same_words():
    text = Path(fast.__file__).with_name("fast_redirect.pxd").read_text()
    words = dict(re.findall(r"\bH_(\w+) = (\d+)", text))
    assert words == {name: str(WORD[name.lower()]) for name in words} and len(words) == 3
    assert fast_redirect.__name__ == "osmia.helpers.fast_redirect"


@pytest.mark.parametrize("name", ["skb_load_bytes", "skb_change_tail", "l4_csum_replace", "xdp_adjust_head"])
def test_another_pointer_is_not_the_context(name):
    bench = Bench(ctx=XdpContext(FRAME) if name.startswith("xdp") else SkbContext(FRAME))
    with pytest.raises(Fault, match=r"buffer is not the context"):
        bench.call(f"bpf_{name}", bench.room(64).address, 0, 0, 0, 0)


def test_another_context_is_no_packet_of_that_kind():
    bench = Bench(ctx=XdpContext(FRAME))
    for name in ("skb_change_head", "skb_load_bytes_relative", "get_hash_recalc", "set_hash", "skb_pull_data"):
        with pytest.raises(Fault, match=r"the context is no socket buffer$"):
            bench.call(f"bpf_{name}", bench.ctx.address, 0, 0, 0, 0)
    for ctx in (SkbContext(FRAME), Context(FRAME)):
        bench = Bench(ctx=ctx)
        for name in ("adjust_head", "adjust_tail", "adjust_meta", "get_buff_len", "load_bytes", "store_bytes"):
            with pytest.raises(Fault, match=r"the context is no XDP frame$"):
                bench.call(f"bpf_xdp_{name}", ctx.address, 0, 0, 0, 0)


def test_any_context_has_bytes():
    bench = Bench(ctx=Context(b"0123456789"))
    room = bench.room(4)
    assert bench.call("bpf_skb_load_bytes", bench.ctx.address, 6, room.address, 4) == 0 and bytes(room) == b"6789"
    assert bench.call("bpf_skb_load_bytes", bench.ctx.address, 7, room.address, 4) == -14 and bytes(room) == bytes(4)


@pytest.mark.parametrize(("name", "args"), [
    ("skb_load_bytes", (0, None, 9)), ("skb_store_bytes", (0, None, 9, 0)),
    ("skb_load_bytes_relative", (0, None, 9, 0)),
])  # fmt: skip
def test_memory_of_the_program_is_checked(name, args):
    bench = Bench(ctx=SkbContext(FRAME))
    room = bench.room(8)
    with pytest.raises(Fault, match="of 9 bytes at"):
        bench.call(f"bpf_{name}", bench.ctx.address, *(room.address if a is None else a for a in args))


def test_sums_check_both_sides():
    bench = Bench()
    room = bench.room(8)
    for args in ((room.address, 12, 0, 0), (0, 0, room.address + 4, 8), (8, 4, 0, 0)):
        with pytest.raises(Fault, match="read of"):
            bench.call("bpf_csum_diff", *args, 0)
    assert bench.call("bpf_csum_diff", 8, 0, 12, 0, 0x12345) == 0x2346, "no bytes are read where there are none"


NATIVE = sorted(n for n, (module, _) in fast.FAST.items()
                if module.rpartition("_")[2] in ("packet", "csum", "xdp", "vlan", "room", "redirect"))  # fmt: skip
WILD = st.one_of(
    st.sampled_from([0, 1, 2, 4, 8, 14, 20, 40, 60, 64, 0x81, 0x0008, 0xDD86, 1 << 31, 1 << 32, 1 << 63]),
    st.integers(-70, 70).map(lambda n: n % (1 << 64)),
    st.integers(0, (1 << 64) - 1),
    st.sampled_from(["ctx", "room", "room's end", "packet"]),
)
CONTEXTS = st.sampled_from([
    lambda data: XdpContext(data), lambda data: SkbContext(data), lambda data: SkbContext(data, prog_type="cgroup_skb"),
    lambda data: XdpContext(b"meta" + data, ctx=bytes([4]) + bytes(23)), lambda data: Context(data),
])  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    CONTEXTS,
    st.binary(max_size=90),
    st.lists(st.tuples(st.sampled_from(NATIVE), st.lists(WILD, min_size=4, max_size=4))),
)
def test_no_arguments_lead_out_of_the_packet(make, data, calls):
    """Whatever a program that nobody verified passes on: an answer or a fault, and a packet that lies in its buffer."""
    bench = Bench(ctx=make(data))
    room, ctx = bench.room(64), bench.ctx
    for name, args in calls:
        start = ctx.start if isinstance(ctx, PacketContext) else 0
        places = {"ctx": ctx.address, "room": room.address, "room's end": room.address + 60, "packet": start}
        if isinstance(ctx, SkbContext) and len(data) % 2:  # what programs may write: nothing may rely on it
            ctx.set("protocol", 8)
            ctx.set("vlan_present", 1)
        with contextlib.suppress(Fault):
            bench.call(name, ctx.address, *(places.get(arg, arg) for arg in args))
        if isinstance(ctx, PacketContext):
            assert ctx.low <= ctx.meta <= ctx.start <= ctx.end <= ctx.high <= ctx.low + ctx._room.size
            assert not any(read(ctx.high, ctx.low + ctx._room.size - ctx.high)), "nothing is written behind the buffer"
            ctx.store_bytes(0, b"\xff" * (ctx.end - ctx.start))


def textbook(data, seed=0):
    """RFC 1071: the sum of 16-bit words with carries added again, the last one padded."""
    total = seed + sum(word for (word,) in struct.iter_unpack("=H", data + bytes(len(data) & 1)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@given(st.binary(max_size=70), st.integers(0, 0xFFFFFFFF))
def test_sums_are_the_textbook_s(data, seed):
    bench = Bench()
    room = bench.room(data or 1)
    assert bench.call("bpf_csum_diff", 0, 0, room.address, len(data), seed) == textbook(data, seed)


@given(st.binary(min_size=20, max_size=20), st.integers(0, 7), st.integers(0, 0xFFFF))
def test_a_replaced_word_keeps_the_sum_right(header, word, value):
    """Replacing a word and correcting the checksum gives a header whose words add up as before."""
    offset = 2 * (word if word < 5 else word + 1)
    bench = Bench(ctx=SkbContext(FRAME[:14] + header + FRAME[34:]))
    before, after = (int.from_bytes(part, "little") for part in (header[offset : offset + 2], struct.pack("<H", value)))
    total = textbook(header)
    assert bench.call("bpf_l3_csum_replace", bench.ctx.address, 14 + 10, before, after, 2) == 0
    room = bench.room(struct.pack("<H", value))
    assert bench.call("bpf_skb_store_bytes", bench.ctx.address, 14 + offset, room.address, 2, 0) == 0
    assert textbook(bench.ctx.packet[14:34]) % 0xFFFF == total % 0xFFFF


def flow(frame):
    bench = Bench(ctx=SkbContext(frame))
    return bench.call("bpf_get_hash_recalc", bench.ctx.address)


def test_a_flow_has_one_hash():
    there = packet.udp4("10.0.0.1", "10.0.0.2", 1000, 53, b"question", ident=1)
    again = packet.udp4("10.0.0.1", "10.0.0.2", 1000, 53, b"another question", ident=2)
    back = packet.udp4("10.0.0.2", "10.0.0.1", 53, 1000, b"answer", ident=3)
    others = [
        packet.udp4("10.0.0.1", "10.0.0.2", 1001, 53, b"question", ident=1),
        packet.udp4("10.0.0.1", "10.0.0.3", 1000, 53, b"question", ident=1),
    ]
    assert flow(there) == flow(again) == flow(back) != 0
    assert len({flow(there), *map(flow, others)}) == 3


@given(st.binary(max_size=80), st.sampled_from([b"\x45", b"\x60", b"\x4f", b"\x40"]))
def test_every_frame_has_a_hash(rest, first):
    assert 0 < flow(FRAME[:14] + first + rest) <= 0xFFFFFFFF


def test_a_hash_stays_until_it_is_forgotten():
    bench = Bench(ctx=SkbContext(FRAME))
    ctx = bench.ctx.address
    made = bench.call("bpf_get_hash_recalc", ctx)
    bench.call("bpf_set_hash", ctx, 77)
    assert bench.call("bpf_get_hash_recalc", ctx) == 77 == bench.ctx.get("hash")
    bench.call("bpf_set_hash_invalid", ctx)
    assert bench.ctx.get("hash") == 0 and bench.call("bpf_get_hash_recalc", ctx) == made


# -- redirects ---------------------------------------------------------------------------------------------------------


class Told:
    """A host of somebody else's, without words."""

    cpu, cpus = 0, 1

    def __init__(self):
        self.targets = []

    def redirect(self, ifindex, flags):
        self.targets.append((ifindex, flags))


@pytest.mark.parametrize("host", [BareHost(), Told()], ids=["words", "no words"])
def test_redirects_reach_any_host(host):
    devices = create(MapSpec("d", "devmap", 4, 4, 4))
    devices[2] = 7
    bench = Bench(devices, ctx=XdpContext(FRAME), host=host)
    assert bench.call("bpf_redirect", 3, 0) == 4 and bench.call("bpf_redirect", 3, 1) == 0
    assert bench.call("bpf_redirect_map", devices.address, 2, 0) == 4
    bench = Bench(ctx=SkbContext(FRAME), host=host)
    assert bench.call("bpf_redirect_peer", 9, 0) == 7 and bench.call("bpf_redirect_peer", 9, 1) == 2
    assert bench.call("bpf_redirect_neigh", 5, 0, 0, 0) == 7
    seen = host.targets if isinstance(host, Told) else [host.redirected]
    assert seen == [(3, 0), (7, 0), (9, uapi.BPF_F_PEER), (5, uapi.BPF_F_NEIGH)][-len(seen) :]


@pytest.mark.parametrize("type_", ["devmap", "devmap_hash", "cpumap", "xskmap"])
def test_maps_of_targets(type_):
    targets = create(MapSpec("t", type_, 4, 4, 4))
    targets[2] = 1
    bench = Bench(targets, ctx=XdpContext(FRAME))
    assert [bench.call("bpf_redirect_map", targets.address, key, 2) for key in (2, 1, 9, 1 << 32 | 2)] == [4, 2, 2, 4]
    assert bench.call("bpf_redirect_map", targets.address, 1, 8) == (4 if type_.startswith("dev") else 0)
    assert bench.call("bpf_redirect_map", targets.address, 1, 32) == 0


def test_other_maps_hold_no_targets():
    other = create(MapSpec("a", "array", 4, 4, 4))
    bench = Bench(other, ctx=XdpContext(FRAME))
    with pytest.raises(Fault, match="map a of type array holds no redirect targets"):
        bench.call("bpf_redirect_map", other.address, 0, 0)
    with pytest.raises(Fault, match="is no map"):
        bench.call("bpf_redirect_map", other.address + 8, 0, 0)
