"""The words of packets against a model in plain bytes, and packets that take turns in one context."""

import errno

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osmia.errors import UsageError
from osmia.raw import read, write
from osmia.vm import Context, SkbContext, XdpContext
from osmia.vm.packetstate import HEADROOM, LINEAR, XDP_FRAME
from osmia.vm.packetwords import P_AHEAD, P_VERSION

FRAME = bytes.fromhex("aabbccddeeff1122334455660800") + bytes(range(50))


class Model:
    """A packet with metadata as bytes; ``room`` is what is left in front of both, ``tail`` behind them."""

    def __init__(self, packet, meta=b""):
        self.meta, self.packet = meta, packet
        self.room, self.tail = HEADROOM - len(meta), max(LINEAR - len(packet), 0)
        self.head = bytes(self.room)

    def adjust_head(self, delta):
        if delta > len(self.packet) - 14 or self.room + delta < XDP_FRAME:
            return -errno.EINVAL
        every = self.head + self.meta + self.packet
        # metadata move as they are; what they lay upon stays and is packet, or head room, now
        at = self.room + delta
        self.packet = every[at + len(self.meta) :]
        self.head = every[:at]
        self.room = at
        return 0

    def adjust_tail(self, delta):
        if delta > self.tail or len(self.packet) + delta < 14:
            return -errno.EINVAL
        self.packet = self.packet + bytes(delta) if delta > 0 else self.packet[: len(self.packet) + delta]
        self.tail -= delta
        return 0

    def adjust_meta(self, delta):
        if self.room + delta < XDP_FRAME or delta > len(self.meta):
            return -errno.EINVAL
        if (len(self.meta) - delta) % 4 or len(self.meta) - delta > 252:
            return -errno.EACCES
        every = self.head + self.meta
        self.room += delta
        self.head, self.meta = every[: self.room], every[self.room :]
        return 0


MOVES = st.tuples(
    st.sampled_from(["adjust_head", "adjust_tail", "adjust_meta"]),
    st.one_of(
        st.integers(-300, 300), st.integers(-12, 12).map(lambda n: 4 * n), st.integers(-(1 << 31), (1 << 31) - 1)
    ),
)


@given(st.binary(min_size=14, max_size=90), st.integers(0, 8), st.lists(MOVES, max_size=10))
def test_frames_move_as_bytes_do(packet, words, moves):
    meta = bytes(range(1, 4 * words + 1))
    model, ctx = Model(packet, meta), XdpContext(packet, meta=meta)
    for name, delta in moves:
        before = ctx.state.get(P_VERSION)
        answer = getattr(ctx, name)(delta)
        assert answer == getattr(model, name)(delta)
        assert (ctx.state.get(P_VERSION) != before) == (answer == 0)
        assert (read(ctx.meta, ctx.start - ctx.meta), ctx.packet) == (model.meta, model.packet)
        assert [ctx.get(name) for name in ("data_meta", "data", "data_end")] == [ctx.meta, ctx.start, ctx.end]


@given(st.binary(max_size=90), st.lists(st.tuples(st.booleans(), st.integers(-300, 300)), max_size=10))
def test_socket_buffers_move_as_bytes_do(packet, moves):
    ctx = SkbContext(packet)
    whole, start, end = bytes(HEADROOM) + packet + bytes(LINEAR), HEADROOM, HEADROOM + len(packet)
    for front, delta in moves:
        moved = ctx.move_start(delta) if front else ctx.move_end(delta)
        if front and 0 <= start + delta <= end:
            start += delta
        elif not front and start <= end + delta <= HEADROOM + max(LINEAR, len(packet)):
            whole = whole[:end] + bytes(max(delta, 0)) + whole[end + max(delta, 0) :]
            end += delta
        else:
            assert not moved
            continue
        assert moved and ctx.packet == whole[start:end] and ctx.get("len") == end - start


@given(st.binary(max_size=60), st.integers(-5, 70), st.integers(0, 70))
def test_bytes_are_loaded_within_bounds_only(data, offset, size):
    expected = data[offset : offset + size] if offset >= 0 and offset + size <= len(data) else None
    for ctx in (Context(data), XdpContext(data), SkbContext(data)):
        assert ctx.load_bytes(offset, size) == expected


@given(
    st.binary(max_size=60),
    st.sampled_from([0, -0x200000, -0x100000]),
    st.integers(-5, 70),
    st.sampled_from([1, 2, 4]),
    st.sampled_from(["mac", "network"]),
)
def test_legacy_loads_count_from_the_data_or_a_header(data, header, offset, size, start):
    network = min(14, len(data))
    base = {0: network if start == "network" else 0, -0x200000: 0, -0x100000: network}[header]
    part = data[base:][offset : offset + size] if offset >= 0 else b""
    expected = int.from_bytes(part, "big") if len(part) == size else -1
    assert SkbContext(data, start=start).state.legacy_load(header + offset, size) == expected


@given(st.binary(max_size=20), st.integers(-(1 << 31), (1 << 31) - 1), st.sampled_from([1, 2, 4]))
def test_legacy_loads_of_other_contexts_know_no_headers(data, offset, size):
    inside = 0 <= offset <= len(data) - size
    expected = int.from_bytes(data[offset : offset + size], "big") if inside else -1
    for ctx in (Context(data), XdpContext(data)):
        assert ctx.state.legacy_load(offset, size) == expected


# -- the next packet in the same context -------------------------------------------------------------------------------


def picture(ctx):
    """Everything that can be seen of a packet, without addresses."""
    low = ctx.low
    words = [getattr(ctx, name) - low for name in ("start", "end", "meta", "mac", "network", "high")]
    fields = {name: ctx.get(name) for name in ctx.fields if not name.startswith("data")}
    return words, fields, read(low, ctx.end - low), ctx.result().data


def disturb(ctx, moves):
    """Do what programs do: move, write to packet and context."""
    for name, delta in moves:
        if isinstance(ctx, XdpContext):
            getattr(ctx, name)(delta)
        else:
            ctx.move_end(delta) if name == "adjust_tail" else ctx.move_start(delta)
        ctx.store_bytes(0, b"\xee" * (ctx.end - ctx.start))
    if isinstance(ctx, SkbContext):
        write(ctx.address, b"\xdd" * ctx.size)


KINDS = st.sampled_from([
    lambda packet: XdpContext(packet, ingress_ifindex=3, room=100),
    lambda packet: XdpContext(b"meta" + packet, ctx=bytes([4]) + bytes(23)),
    lambda packet: SkbContext(packet, mark=5, cb1=7),
    lambda packet: SkbContext(packet, prog_type="cgroup_skb"),
    lambda packet: SkbContext(packet, protocol=9, wire_len=1000, pkt_type=1),
])  # fmt: skip


@settings(max_examples=200)
@given(KINDS, st.binary(max_size=100), st.lists(MOVES, max_size=6), st.binary(max_size=100))
def test_the_next_packet_finds_a_context_like_new(make, first, moves, second):
    ctx, new = make(first), make(second)
    disturb(ctx, moves)
    ahead = b"meta" if ctx.state.get(P_AHEAD) else b""
    ctx.reset(ahead + second)
    assert picture(ctx) == picture(new)


def test_packets_that_do_not_fit():
    ctx = XdpContext(FRAME)
    ctx.reset(bytes(3840))  # what the page has behind the head room
    with pytest.raises(UsageError, match="does not fit here"):
        ctx.reset(bytes(3841))
    assert len(ctx.packet) == 3840
    ctx = SkbContext(FRAME, room=70000)
    ctx.reset(bytes(70000))
    assert ctx.get("len") == 70000
    with pytest.raises(UsageError):
        XdpContext(b"meta" + FRAME, ctx=bytes([4]) + bytes(23)).reset(b"me")
