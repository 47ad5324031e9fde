"""Contexts of packet programs: ``struct xdp_md`` and ``struct __sk_buff`` over packet memory below 4 GiB.

Limits and answers are those of Linux 6.18, asked through BPF_PROG_TEST_RUN.  Packets are linear: an XDP
program sees all of a large packet, which the kernel would split into fragments.
"""

from __future__ import annotations

import errno
import struct
import sys

from osmia.errors import UsageError
from osmia.memory import Region
from osmia.raw import fill, read, st32, write
from osmia.vm.context import Context, Outcome
from osmia.vm.lowmem import LowBuffer

HEADROOM = 256  # XDP_PACKET_HEADROOM
XDP_FRAME = 40  # sizeof(struct xdp_frame): it sits at the start of the head room
LINEAR = 3520  # a page without the head room and struct skb_shared_info
MAX_META = 252
ETH_HLEN = 14
LL_OFF, NET_OFF = -0x200000, -0x100000  # SKF_LL_OFF, SKF_NET_OFF


class PacketContext(Context):
    """Shared by both: a packet ``[start, end)`` in its buffer, metadata right before it, room on either side."""

    fields: dict[str, tuple[int, str]] = {}

    def __init__(self, packet: bytes, ctx_size: int, meta: bytes = b"") -> None:
        self._room = LowBuffer(HEADROOM + max(len(packet), LINEAR))
        self._low = self._room.address
        self._high = self._low + HEADROOM + max(len(packet), LINEAR)
        self.start = self._low + HEADROOM
        self.end = self.start + len(packet)
        self.meta = self.start - len(meta)
        write(self.meta, meta + packet)
        super().__init__(bytes(ctx_size))
        self._point()

    def _own_regions(self) -> list[Region]:
        packet = Region("packet", self.start, self.end - self.start, True, "packet", owner=self._room)
        meta = Region("packet metadata", self.meta, self.start - self.meta, True, "packet", owner=self._room)
        return [*super()._own_regions(), packet, meta]

    def set(self, name: str, value: int) -> None:
        """Set a field of the context.  Raises UsageError for a name or value that does not fit."""
        if name not in self.fields:
            raise UsageError(f"{self.kind} has no field {name!r}; it has {', '.join(self.fields)}")
        offset, code = self.fields[name]
        try:
            write(self.address + offset, struct.pack(f"={code}", value & ((1 << 8 * struct.calcsize(code)) - 1)))
        except (struct.error, TypeError):
            raise UsageError(f"{self.kind}.{name} takes a number, not {value!r}") from None

    def get(self, name: str) -> int:
        """Read a field of the context.  Raises UsageError for an unknown name."""
        if name not in self.fields:
            raise UsageError(f"{self.kind} has no field {name!r}; it has {', '.join(self.fields)}")
        offset, code = self.fields[name]
        value: int = struct.unpack(f"={code}", read(self.address + offset, struct.calcsize(code)))[0]
        return value

    def _point(self) -> None:
        """Let the context's pointer fields say where the packet is."""
        for name, value in (("data", self.start), ("data_end", self.end), ("data_meta", self.meta)):
            st32(self.address + self.fields[name][0], value)

    def _moved(self) -> None:
        self._point()
        super()._moved()

    @property
    def packet(self) -> bytes:
        """The packet as it is now."""
        return read(self.start, self.end - self.start)

    def load_bytes(self, offset: int, size: int) -> bytes | None:
        """``size`` bytes of the packet; None where that is outside of it."""
        if offset < 0 or size < 0 or offset + size > self.end - self.start:
            return None
        return read(self.start + offset, size)

    def store_bytes(self, offset: int, data: bytes) -> bool:
        """Overwrite bytes of the packet; False where that is outside of it."""
        if offset < 0 or offset + len(data) > self.end - self.start:
            return False
        write(self.start + offset, data)
        return True


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
    ) -> None:
        if ctx is not None:
            words = struct.unpack("=6I", ctx[:24].ljust(24, b"\0"))
            meta, packet = packet[: words[0]], packet[words[0] :]
            ingress_ifindex, rx_queue_index, egress_ifindex = words[3:]
        if len(meta) > MAX_META or len(meta) % 4:
            raise UsageError(f"metadata takes a multiple of 4 bytes, at most {MAX_META}, not {len(meta)}")
        super().__init__(packet, 24, meta)
        for offset, value in ((12, ingress_ifindex), (16, rx_queue_index), (20, egress_ifindex)):
            st32(self.address + offset, value & 0xFFFFFFFF)

    def adjust_head(self, delta: int) -> int:
        """Move the start of the packet; 0 or -EINVAL (bpf_xdp_adjust_head).  Metadata moves along."""
        start, size = self.start + delta, self.start - self.meta
        if start < self._low + XDP_FRAME + size or start > self.end - ETH_HLEN:
            return -errno.EINVAL
        write(start - size, read(self.meta, size))
        self.start, self.meta = start, start - size
        self._moved()
        return 0

    def adjust_tail(self, delta: int) -> int:
        """Move the end of the packet, new bytes zero; 0 or -EINVAL (bpf_xdp_adjust_tail)."""
        end = self.end + delta
        if end > self._high or end < self.start + ETH_HLEN:
            return -errno.EINVAL
        if delta > 0:
            fill(self.end, 0, delta)
        self.end = end
        self._moved()
        return 0

    def adjust_meta(self, delta: int) -> int:
        """Move the start of the metadata; 0, -EINVAL or -EACCES (bpf_xdp_adjust_meta)."""
        meta = self.meta + delta
        if meta < self._low + XDP_FRAME or meta > self.start:
            return -errno.EINVAL
        if (self.start - meta) % 4 or self.start - meta > MAX_META:
            return -errno.EACCES
        self.meta = meta
        self._moved()
        return 0

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
        **fields: int,
    ) -> None:
        if start not in (None, "mac", "network"):
            raise UsageError(f"start takes 'mac' or 'network', not {start!r}")
        super().__init__(frame, self.SIZE)
        self.mac = self.start
        self.network = min(self.mac + ETH_HLEN, self.end)
        if ctx is not None:
            write(self.address, ctx[: self.SIZE])
        if start == "network" or (start is None and prog_type not in self.L2):
            self.start = self.meta = self.network
            self._regions = self._own_regions()
        self._describe(frame, fields, known=ctx is not None)
        self._point()

    def _describe(self, frame: bytes, fields: dict[str, int], known: bool) -> None:
        made = {"protocol": protocol_of(frame), "pkt_type": packet_type_of(frame)}
        if not known:
            made["ifindex"] = 1
        for name, value in {**made, **fields, "len": self.end - self.start}.items():
            self.set(name, value)
        if "wire_len" not in fields and not (known and self.get("wire_len")):
            self.set("wire_len", self.end - self.start)

    def _moved(self) -> None:
        self.set("len", self.end - self.start)
        super()._moved()

    def move_start(self, delta: int) -> bool:
        """Push (negative) or pull (positive) at the front of the data; False where there is no room."""
        start = self.start + delta
        if start < self._low or start > self.end:
            return False
        self.start = self.meta = start
        self._moved()
        return True

    def move_end(self, delta: int) -> bool:
        """Grow (zeros) or trim at the end; False where there is no room."""
        end = self.end + delta
        if end > self._high or end < self.start:
            return False
        if delta > 0:
            fill(self.end, 0, delta)
        self.end = end
        self._moved()
        return True

    def legacy_load(self, offset: int, size: int) -> int:
        """BPF_LD_ABS and BPF_LD_IND: from the data on, or from a header (SKF_LL_OFF, SKF_NET_OFF); -1 outside."""
        base = self.start
        if offset < 0:
            if offset < LL_OFF:
                return -1
            base, offset = (self.mac, offset - LL_OFF) if offset < NET_OFF else (self.network, offset - NET_OFF)
        if base + offset + size > self.end:
            return -1
        return int.from_bytes(read(base + offset, size), "big")

    def result(self) -> Outcome:
        """The whole frame, MAC header included, and the context without its pointers."""
        ctx = bytearray(read(self.address, self.SIZE))
        for name in ("data", "data_end", "data_meta"):
            offset = self.fields[name][0]
            ctx[offset : offset + 4] = bytes(4)
        begin = min(self.mac, self.start)
        return Outcome(read(begin, self.end - begin), bytes(ctx))


def protocol_of(frame: bytes) -> int:
    """``skb->protocol`` in network order as a program reads it (eth_type_trans)."""
    if len(frame) < ETH_HLEN:
        return 0
    number = int.from_bytes(frame[12:14], "big")
    if number < 0x600:  # a length: 802.3, raw (ETH_P_802_3) or with an LLC header (ETH_P_802_2)
        number = 1 if frame[14:16] == b"\xff\xff" else 4
    return int.from_bytes(number.to_bytes(2, "big"), sys.byteorder)


def packet_type_of(frame: bytes) -> int:
    """``skb->pkt_type`` on a loopback device: 0 to this host, 2 multicast, 3 to another host."""
    if len(frame) < ETH_HLEN or frame[:6] == bytes(6):
        return 0
    return 2 if frame[0] & 1 else 3
