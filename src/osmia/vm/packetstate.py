"""Where a packet is: the native words behind every context, and the operations on them that need no Python.

Native helpers, legacy packet loads and the JIT's range checks read the words ``PACKET`` at ``run.packet``; Python reads
and moves the same words through ``PacketState``.  A context that is no packet has them as well: kind ``PLAIN``, its
bytes being the packet.

Functions of a ``state`` take its address.  They hold no interpreter lock, make no object and raise nothing: the answer
is 0 or a negative errno, an address or 0.  Limits are Linux 6.18's (net/core/filter.c, net/bpf/test_run.c).
"""

from __future__ import annotations

import errno
import sys

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.raw import Buffer, write
from osmia.vm.packetwords import OFFSETS

if not cython.compiled:
    from osmia.raw import copy, fill, ld8, ld16, ld32, ld64, st32, st64
    from osmia.vm.packetwords import (  # isort: skip
        P_AHEAD, P_CTX, P_END, P_GIVEN, P_HIGH, P_KIND, P_LOW, P_LOWEST, P_MAC, P_META, P_NETWORK, P_ROOM, P_SIZE,
        P_ENCAPSULATED, P_START, P_SUMS, P_TRANSPORT, P_VERSION,
    )  # fmt: skip

    PLAIN, XDP, SKB = range(3)
    HEADROOM, XDP_FRAME, LINEAR, MAX_META, ETH_HLEN = 256, 40, 3520, 252, 14
    LL_OFF, NET_OFF = -0x200000, -0x100000
    AT_NETWORK, GIVEN_PROTOCOL, GIVEN_TYPE, GIVEN_WIRE = 1, 2, 4, 8
    P_WORDS = 144

EINVAL, EACCES, ENOMEM = errno.EINVAL, errno.EACCES, errno.ENOMEM
LITTLE = sys.byteorder == "little"

# HEADROOM is XDP_PACKET_HEADROOM, with struct xdp_frame of XDP_FRAME bytes at its start; up to LINEAR bytes, a page
# without the head room and struct skb_shared_info, a packet may grow.  Legacy loads read the MAC header from
# SKF_LL_OFF and the network header from SKF_NET_OFF on.  Bits of ``given``: the data start at the network header; the
# caller gave these fields, so that they do not follow from the frame.


# -- placing a packet --------------------------------------------------------------------------------------------------


def reset(state: int, packet: int, size: int) -> int:
    """Put the next packet, ``size`` bytes at ``packet``, into the same context, whose fields become as at first.

    1, or 0 where the buffer is too small for it.  For batches: all it takes is a copy of packet and context.
    """
    ahead = ld64(state + P_AHEAD)
    if size < ahead or HEADROOM + size - ahead > ld64(state + P_ROOM):
        return 0
    first = ld64(state + P_LOW) + HEADROOM
    lowest = ld64(state + P_LOWEST)
    if lowest < first:
        fill(lowest, 0, first - lowest)
    copy(first - ahead, packet, size)
    copy(ld64(state + P_CTX), ld64(state + P_CTX) + ld64(state + P_SIZE), ld64(state + P_SIZE))
    place(state, size - ahead)
    return 1


def place(state: int, size: int) -> None:
    """Say that a packet of ``size`` bytes begins behind the head room, and fill in the context what follows from it."""
    first = ld64(state + P_LOW) + HEADROOM
    st64(state + P_HIGH, first + (size if size > LINEAR else LINEAR))
    st64(state + P_END, first + size)
    st64(state + P_MAC, first)
    st64(state + P_NETWORK, first + (size if size < ETH_HLEN else ETH_HLEN))
    st64(state + P_LOWEST, first - ld64(state + P_AHEAD))
    st64(state + P_START, first)
    st64(state + P_META, first - ld64(state + P_AHEAD))
    st64(state + P_SUMS, 0)
    st64(state + P_TRANSPORT, 0)
    st64(state + P_ENCAPSULATED, 0)
    if ld64(state + P_KIND) == SKB:
        describe(state, first, size)
    moved(state)


def describe(state: int, frame: int, size: int) -> None:
    """The fields of a socket buffer that follow from its frame: protocol, pkt_type, wire_len."""
    ctx = ld64(state + P_CTX)
    given = ld64(state + P_GIVEN)
    if given & AT_NETWORK:
        st64(state + P_START, ld64(state + P_NETWORK))
        st64(state + P_META, ld64(state + P_NETWORK))
    if given & GIVEN_PROTOCOL == 0:
        st32(ctx + 16, protocol_at(frame, size))
    if given & GIVEN_TYPE == 0:
        st32(ctx + 4, packet_type_at(frame, size))
    if given & GIVEN_WIRE == 0:
        st32(ctx + 160, ld64(state + P_END) - ld64(state + P_START))


def protocol_at(frame: int, size: int) -> int:
    """``skb->protocol`` as a program reads it, in network order (net/ethernet/eth.c: eth_type_trans)."""
    if size < ETH_HLEN:
        return 0
    if ld8(frame + 12) >= 6:
        return ld16(frame + 12)
    # a length: 802.3, raw (ETH_P_802_3) or with an LLC header (ETH_P_802_2)
    raw = size >= ETH_HLEN + 2 and ld16(frame + 14) == 0xFFFF
    return network16(1 if raw else 4)


def network16(value: int) -> int:
    """A small number as two bytes in network order are read here."""
    return value << 8 if LITTLE else value


def packet_type_at(frame: int, size: int) -> int:
    """``skb->pkt_type`` on a loopback device: 0 to this host, 2 multicast, 3 to another host."""
    if size < ETH_HLEN or (ld32(frame) | ld16(frame + 4)) == 0:
        return 0
    return 2 if ld8(frame) & 1 else 3


def moved(state: int) -> None:
    """The packet is elsewhere: let the context's fields say where, and count."""
    ctx = ld64(state + P_CTX)
    start = ld64(state + P_START)
    end = ld64(state + P_END)
    meta = ld64(state + P_META)
    if meta < ld64(state + P_LOWEST):
        st64(state + P_LOWEST, meta)
    if ld64(state + P_KIND) == XDP:
        st32(ctx, start)
        st32(ctx + 4, end)
        st32(ctx + 8, meta)
    elif ld64(state + P_KIND) == SKB:
        st32(ctx, end - start)
        st32(ctx + 76, start)
        st32(ctx + 80, end)
        st32(ctx + 140, meta)
    st64(state + P_VERSION, ld64(state + P_VERSION) + 1)


# -- reading and writing -----------------------------------------------------------------------------------------------


def at(state: int, offset: int, size: int) -> int:
    """Address of ``size`` bytes of the packet from ``offset`` on, both below 2**63; 0 where that is outside of it."""
    start = ld64(state + P_START)
    length = ld64(state + P_END) - start
    if ld64(state + P_KIND) == PLAIN:
        start = ld64(state + P_CTX)
        length = ld64(state + P_SIZE)
    return start + offset if size <= length and offset <= length - size else 0


def header_at(state: int, header: int, offset: int, size: int) -> int:
    """The same from a header on: 0 the MAC header, 1 the network header; 0 for other headers."""
    if header > 1:
        return 0
    begin = ld64(state + (P_NETWORK if header else P_MAC))
    end = ld64(state + P_END)
    if begin > end or size > end - begin or offset > end - begin - size:
        return 0
    return begin + offset


def legacy_load(state: int, offset: int, size: int) -> int:
    """BPF_LD_ABS and BPF_LD_IND of 1, 2 or 4 bytes, in host order; -1 outside of the packet.

    A negative offset counts from a header of a socket buffer (kernel/bpf/core.c: bpf_internal_load_pointer_neg_helper).
    """
    place = 0
    if offset >= 0:
        place = at(state, offset, size)
    elif offset >= LL_OFF and ld64(state + P_KIND) == SKB:
        if offset >= NET_OFF:
            place = header_at(state, 1, offset - NET_OFF, size)
        else:
            place = header_at(state, 0, offset - LL_OFF, size)
    if place == 0:
        return -1
    if size == 1:
        return ld8(place)
    if size == 2:
        return ld8(place) << 8 | ld8(place + 1)
    return ld8(place) << 24 | ld8(place + 1) << 16 | ld8(place + 2) << 8 | ld8(place + 3)


# -- moving ------------------------------------------------------------------------------------------------------------


def word(at: int) -> int:
    """A word as a signed number, which differences of addresses below 4 GiB are."""
    return ld64(at)


def xdp_head(state: int, delta: int) -> int:
    """Move the start of an XDP frame, metadata with it: 0 or -EINVAL (bpf_xdp_adjust_head)."""
    start = word(state + P_START)
    size = start - word(state + P_META)
    start += delta
    if start < word(state + P_LOW) + XDP_FRAME + size or start + ETH_HLEN > word(state + P_END):
        return -EINVAL
    if size:
        copy(start - size, word(state + P_META), size)
    st64(state + P_START, start)
    st64(state + P_META, start - size)
    moved(state)
    return 0


def xdp_tail(state: int, delta: int) -> int:
    """Move the end, new bytes zero: 0 or -EINVAL (bpf_xdp_adjust_tail)."""
    before = word(state + P_END)
    end = before + delta
    if end > word(state + P_HIGH) or end < word(state + P_START) + ETH_HLEN:
        return -EINVAL
    if end > before:
        fill(before, 0, end - before)
    st64(state + P_END, end)
    moved(state)
    return 0


def xdp_meta(state: int, delta: int) -> int:
    """Move the start of the metadata: 0, -EINVAL or -EACCES (bpf_xdp_adjust_meta)."""
    start = word(state + P_START)
    meta = word(state + P_META) + delta
    if meta < word(state + P_LOW) + XDP_FRAME or meta > start:
        return -EINVAL
    if (start - meta) & 3 or start - meta > MAX_META:
        return -EACCES
    st64(state + P_META, meta)
    moved(state)
    return 0


def skb_start(state: int, delta: int) -> int:
    """Push (negative) or pull (positive) at the front of a socket buffer's data: 0, or -ENOMEM without room."""
    start = word(state + P_START) + delta
    if start < word(state + P_LOW) or start > word(state + P_END):
        return -ENOMEM
    st64(state + P_START, start)
    st64(state + P_META, start)
    moved(state)
    return 0


def skb_end(state: int, delta: int) -> int:
    """Grow by zeros, or trim, at the end: 0 or -ENOMEM where there is no room."""
    before = word(state + P_END)
    end = before + delta
    if end > word(state + P_HIGH) or end < word(state + P_START):
        return -ENOMEM
    if end > before:
        fill(before, 0, end - before)
    st64(state + P_END, end)
    moved(state)
    return 0


# -- Python's view -----------------------------------------------------------------------------------------------------


class PacketState:
    """The words of one context, followed by the context's bytes and, for a packet, by the copy of them.

    ``room`` bytes at ``low`` are the packet's buffer, head room included; the kind ``PLAIN`` has none.
    """

    def __init__(self, kind: int, ctx: bytes, low: int = 0, room: int = 0) -> None:
        self._words = Buffer(P_WORDS + 2 * len(ctx) if kind else P_WORDS + len(ctx))
        self.address = self._words.address
        self.ctx = self.address + P_WORDS
        """Address of the context's bytes."""
        self.size = len(ctx)
        st64(self.address + P_KIND, kind)
        st64(self.address + P_CTX, self.ctx)
        st64(self.address + P_SIZE, len(ctx))
        st64(self.address + P_LOW, low)
        st64(self.address + P_LOWEST, low + HEADROOM)
        st64(self.address + P_ROOM, room)
        write(self.ctx, ctx)
        if kind:
            write(self.ctx + len(ctx), ctx)

    def get(self, offset: int) -> int:
        """A word by its offset (``packetwords``)."""
        return int(ld64(self.address + offset))

    def first(self, packet: bytes, ahead: int, given: int) -> None:
        """Place the first packet, with ``ahead`` bytes of metadata in front of it.  It must fit into the room."""
        st64(self.address + P_AHEAD, ahead)
        st64(self.address + P_GIVEN, given)
        write(self.get(P_LOW) + HEADROOM - ahead, packet)
        place(self.address, len(packet) - ahead)

    def reset(self, packet: int, size: int) -> bool:
        """See ``reset``."""
        return reset(self.address, packet, size) == 1

    def at(self, offset: int, size: int) -> int:
        """Address of bytes of the packet, or 0; also for offsets below 0 and beyond all bounds."""
        if offset < 0 or size < 0 or offset + size >= 1 << 63:
            return 0
        return int(at(self.address, offset, size))

    def legacy_load(self, offset: int, size: int) -> int:
        """See ``legacy_load``."""
        return int(legacy_load(self.address, offset, size))

    def xdp_head(self, delta: int) -> int:
        """See ``xdp_head``."""
        return int(xdp_head(self.address, delta))

    def xdp_tail(self, delta: int) -> int:
        """See ``xdp_tail``."""
        return int(xdp_tail(self.address, delta))

    def xdp_meta(self, delta: int) -> int:
        """See ``xdp_meta``."""
        return int(xdp_meta(self.address, delta))

    def skb_start(self, delta: int) -> int:
        """See ``skb_start``."""
        return int(skb_start(self.address, delta))

    def skb_end(self, delta: int) -> int:
        """See ``skb_end``."""
        return int(skb_end(self.address, delta))

    def __repr__(self) -> str:
        words = ", ".join(f"{name} {self.get(offset):#x}" for name, offset in OFFSETS.items())
        return f"<PacketState {words}>"
