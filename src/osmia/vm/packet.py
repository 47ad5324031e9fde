"""Contexts of packet programs: ``struct xdp_md`` and ``struct __sk_buff`` over packet memory below 4 GiB.

Limits and answers are those of Linux 6.18, asked through BPF_PROG_TEST_RUN.  Packets are linear: an XDP
program sees all of a large packet, which the kernel would split into fragments.
"""

from __future__ import annotations

import struct

from osmia.errors import UsageError
from osmia.memory import Region
from osmia.raw import Buffer, ld64, read, write
from osmia.vm.context import Context, Outcome
from osmia.vm.lowmem import LowBuffer
from osmia.vm.packetstate import (
    AT_NETWORK,
    GIVEN_PROTOCOL,
    GIVEN_TYPE,
    GIVEN_WIRE,
    HEADROOM,
    LINEAR,
    MAX_META,
    SKB,
    XDP,
    PacketState,
)
from osmia.vm.packetwords import P_END, P_HIGH, P_LOW, P_MAC, P_META, P_NETWORK, P_START


class _Place:
    """An attribute kept in a word of the packet's state."""

    def __init__(self, offset: int, doc: str) -> None:
        self.offset, self.__doc__ = offset, doc

    def __get__(self, context: PacketContext, owner: type | None = None) -> int:
        return ld64(context.packet_words + self.offset)


class PacketRegion(Region):
    """A packet's buffer, of which a program may touch the packet and its metadata, wherever they are now."""

    def __init__(self, room: LowBuffer, state: PacketState) -> None:
        super().__init__("the packet's buffer", room.address, room.size, True, "packet", owner=(room, state))
        self.state = state

    def low(self, address: int) -> int:
        """The start of the packet, or of its metadata."""
        start = self.state.get(P_START)
        return start if address >= start else self.state.get(P_META)

    def window(self, low: int) -> int:
        """Bytes of the packet, or of its metadata."""
        start = self.state.get(P_START)
        return self.state.get(P_END) - start if low == start else start - low

    def admits(self, address: int, size: int, write: bool) -> bool:
        """Inside the packet, or inside its metadata?"""
        low = self.low(address)
        return low <= address and address + size <= low + self.window(low)

    def describe(self, address: int) -> str:
        """ "packet + 12", "3 bytes behind the end of packet" """
        return described(address, *(self.state.get(word) for word in (P_META, P_START, P_END)))


def described(address: int, meta: int, start: int, end: int) -> str:
    """Where an address in the packet's buffer lies, seen from the packet."""
    if address >= end:
        return f"{distance(address - end)} behind the end of packet" if address > end else "the end of packet"
    if address < meta:
        return f"{distance(meta - address)} before packet{'' if meta == start else ' metadata'}"
    name, base = ("packet metadata", meta) if address < start else ("packet", start)
    return f"{name} + {address - base}" if address > base else name


def distance(count: int) -> str:
    """In words."""
    return f"{count} byte{'' if count == 1 else 's'}"


class PacketContext(Context):
    """Shared by both: a packet ``[start, end)`` in its buffer, metadata right before it, room on either side.

    ``room`` is the longest packet that ``reset`` shall take; what the first one needs is there in any case.
    """

    fields: dict[str, tuple[int, str]] = {}
    low = _Place(P_LOW, "Where the head room begins.")
    high = _Place(P_HIGH, "Where the tail room ends.")
    start = _Place(P_START, "Where the data begin.")
    end = _Place(P_END, "Where they end.")
    meta = _Place(P_META, "Where the metadata before them begin.")
    mac = _Place(P_MAC, "The MAC header.")
    network = _Place(P_NETWORK, "The network header.")

    def _place(self, kind: int, packet: bytes, ctx: bytes, ahead: int, given: int, room: int) -> None:
        """Make the state and place the packet, whose first ``ahead`` bytes are metadata."""
        self._room = LowBuffer(HEADROOM + max(len(packet), LINEAR, room))
        state = PacketState(kind, ctx, self._room.address, self._room.size)
        state.first(packet, ahead, given)
        self._hold(state)

    def _own_regions(self) -> list[Region]:
        return [*super()._own_regions(), PacketRegion(self._room, self.state)]

    def reset(self, packet: bytes) -> None:
        """Put another packet into the same context, whose fields become as at first.  Raises UsageError: no room."""
        data = Buffer.of(packet)
        if not self.state.reset(data.address, len(packet)):
            raise UsageError(f"a packet of {len(packet)} bytes does not fit here: make the context with room=")

    def _pack(self, data: bytearray, name: str, value: int) -> None:
        offset, code = self._field(name)
        try:
            struct.pack_into(f"={code}", data, offset, value & ((1 << 8 * struct.calcsize(code)) - 1))
        except (struct.error, TypeError):
            raise UsageError(f"{self.kind}.{name} takes a number, not {value!r}") from None

    def _field(self, name: str) -> tuple[int, str]:
        if name not in self.fields:
            raise UsageError(f"{self.kind} has no field {name!r}; it has {', '.join(self.fields)}")
        return self.fields[name]

    def set(self, name: str, value: int) -> None:
        """Set a field of the context, also of those that ``reset`` makes.

        Raises UsageError for a name or value that does not fit.
        """
        for copy in (self.address, self.address + self.size):
            data = bytearray(read(copy, self.size))
            self._pack(data, name, value)
            write(copy, bytes(data))

    def get(self, name: str) -> int:
        """Read a field of the context.  Raises UsageError for an unknown name."""
        offset, code = self._field(name)
        value: int = struct.unpack(f"={code}", read(self.address + offset, struct.calcsize(code)))[0]
        return value

    @property
    def packet(self) -> bytes:
        """The packet as it is now."""
        return read(self.start, self.end - self.start)


class XdpContext(PacketContext):
    """``struct xdp_md``.  ``ctx`` is what BPF_PROG_TEST_RUN takes as ctx_in: its ``data`` is the metadata's size,
    and that many of the packet's first bytes are the metadata."""

    kind = "xdp_md"
    writable = False
    fields = {
        "data": (0, "I"),
        "data_end": (4, "I"),
        "data_meta": (8, "I"),
        "ingress_ifindex": (12, "I"),
        "rx_queue_index": (16, "I"),
        "egress_ifindex": (20, "I"),
    }

    def __init__(
        self,
        packet: bytes,
        *,
        ingress_ifindex: int = 1,
        rx_queue_index: int = 0,
        egress_ifindex: int = 0,
        meta: bytes = b"",
        ctx: bytes | None = None,
        room: int = 0,
    ) -> None:
        numbers = (ingress_ifindex, rx_queue_index, egress_ifindex)
        if ctx is not None:
            words = struct.unpack("=6I", ctx[:24].ljust(24, b"\0"))
            meta, packet, numbers = packet[: words[0]], packet[words[0] :], words[3:]
        if len(meta) > MAX_META or len(meta) % 4:
            raise UsageError(f"metadata takes a multiple of 4 bytes, at most {MAX_META}, not {len(meta)}")
        fields = struct.pack("=6I", 0, 0, 0, *(value & 0xFFFFFFFF for value in numbers))
        self._place(XDP, meta + packet, fields, len(meta), 0, room)

    def adjust_head(self, delta: int) -> int:
        """Move the start of the packet; 0 or -EINVAL (bpf_xdp_adjust_head).  Metadata moves along."""
        return self.state.xdp_head(delta)

    def adjust_tail(self, delta: int) -> int:
        """Move the end of the packet, new bytes zero; 0 or -EINVAL (bpf_xdp_adjust_tail)."""
        return self.state.xdp_tail(delta)

    def adjust_meta(self, delta: int) -> int:
        """Move the start of the metadata; 0, -EINVAL or -EACCES (bpf_xdp_adjust_meta)."""
        return self.state.xdp_meta(delta)

    def result(self) -> Outcome:
        """Metadata and packet, and xdp_md with offsets for pointers, as BPF_PROG_TEST_RUN returns them."""
        data = read(self.meta, self.end - self.meta)
        pointers = struct.pack("=3I", self.start - self.meta, len(data), 0)
        return Outcome(data, pointers + read(self.address + 12, 12))


def _skb_fields() -> dict[str, tuple[int, str]]:
    words = (
        "len pkt_type mark queue_mapping protocol vlan_present vlan_tci vlan_proto priority ingress_ifindex ifindex "
        "tc_index cb0 cb1 cb2 cb3 cb4 hash tc_classid data data_end napi_id family remote_ip4 local_ip4"
    ).split()
    fields = {name: (4 * number, "I") for number, name in enumerate(words)}
    tail = {"remote_port": 132, "local_port": 136, "data_meta": 140, "wire_len": 160, "gso_segs": 164, "gso_size": 176}
    fields |= {name: (offset, "I") for name, offset in tail.items()}
    fields |= {"flow_keys": (144, "Q"), "tstamp": (152, "Q"), "sk": (168, "Q"), "hwtstamp": (184, "Q")}
    return fields | {"tstamp_type": (180, "B")}


class SkbContext(PacketContext):
    """``struct __sk_buff`` over an Ethernet frame.

    ``start`` says where the program's data begin: "mac" or "network" (behind the 14 bytes of the Ethernet
    header).  Without it, tc programs and socket filters see the MAC header, as on a packet socket, and the
    others the network header; BPF_PROG_TEST_RUN starts socket filters at the network header as well.
    ``fields`` set what __sk_buff has (mark=7, cb0=1 …); len, protocol, pkt_type, ifindex follow from the frame.
    """

    kind = "__sk_buff"
    fields = _skb_fields()
    L2 = ("sched_cls", "sched_act", "socket_filter", "sk_skb", "flow_dissector")
    SIZE = 192

    def __init__(
        self,
        frame: bytes,
        *,
        prog_type: str = "sched_cls",
        start: str | None = None,
        ctx: bytes | None = None,
        room: int = 0,
        **fields: int,
    ) -> None:
        if start not in (None, "mac", "network"):
            raise UsageError(f"start takes 'mac' or 'network', not {start!r}")
        made = {} if ctx is not None else {"ifindex": 1}
        given, data = 0, bytearray((ctx or b"")[: self.SIZE].ljust(self.SIZE, b"\0"))
        for name, value in {**made, **fields}.items():
            self._pack(data, name, value)
            given |= {"protocol": GIVEN_PROTOCOL, "pkt_type": GIVEN_TYPE, "wire_len": GIVEN_WIRE}.get(name, 0)
        if struct.unpack_from("=I", data, self.fields["wire_len"][0])[0]:
            given |= GIVEN_WIRE
        if start == "network" or (start is None and prog_type not in self.L2):
            given |= AT_NETWORK
        self._place(SKB, frame, bytes(data), 0, given, room)

    def move_start(self, delta: int) -> bool:
        """Push (negative) or pull (positive) at the front of the data; False where there is no room."""
        return not self.state.skb_start(delta)

    def move_end(self, delta: int) -> bool:
        """Grow (zeros) or trim at the end; False where there is no room."""
        return not self.state.skb_end(delta)

    def result(self) -> Outcome:
        """The whole frame, MAC header included, and the context without its pointers."""
        ctx = bytearray(read(self.address, self.SIZE))
        for name in ("data", "data_end", "data_meta"):
            offset = self.fields[name][0]
            ctx[offset : offset + 4] = bytes(4)
        begin = min(self.mac, self.start)
        return Outcome(read(begin, self.end - begin), bytes(ctx))
