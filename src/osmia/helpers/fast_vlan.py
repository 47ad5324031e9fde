"""Native bodies: VLAN tags (net/core/skbuff.c: skb_vlan_push, skb_vlan_pop; include/linux/if_vlan.h).

As in Linux the outermost tag is kept beside the packet, in the fields of the context; a second one goes into the frame.
"""

from __future__ import annotations

import errno
import sys

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.helpers.fast_packet import packet_of
    from osmia.raw import copy, ld16, ld32, ld64, st16, st32, st64
    from osmia.vm.packetstate import ETH_HLEN, SKB, protocol_at, skb_start
    from osmia.vm.packetwords import P_END, P_MAC, P_NETWORK, P_START
    from osmia.words import swap16

    PROTOCOL, PRESENT, TCI, PROTO = 16, 20, 24, 28  # offsets in struct __sk_buff
    MACS, TAG = 12, 4  # bytes of the two addresses, and of a tag

M16, M64 = 0xFFFF, 0xFFFFFFFFFFFFFFFF
EINVAL, ENOMEM = -errno.EINVAL & M64, -errno.ENOMEM & M64
"""Negative errnos as R0 holds them."""
LITTLE = sys.byteorder == "little"
DOT1Q, DOT1AD = (int.from_bytes(proto, sys.byteorder) for proto in (b"\x81\x00", b"\x88\xa8"))
"""ETH_P_8021Q and ETH_P_8021AD in network order, as two bytes are read here."""


def is_vlan(protocol: int) -> int:
    """Is it the number of a VLAN tag?"""
    return 1 if protocol in (DOT1Q, DOT1AD) else 0


def host16(value: int) -> int:
    """Two bytes in network order as the number they stand for, or the other way round."""
    return swap16(value) if LITTLE else value


def put_beside(ctx: int, proto: int, tci: int) -> None:
    """Make it the tag that is kept beside the packet."""
    st32(ctx + PRESENT, 1)
    st32(ctx + TCI, tci)
    st32(ctx + PROTO, proto)


def insert(state: int, ctx: int) -> int:
    """Write the tag that is beside the packet into the frame; 0 or a negative errno."""
    start = ld64(state + P_START)
    if start != ld64(state + P_MAC) or ld64(state + P_END) - start < ETH_HLEN:
        return EINVAL
    if skb_start(state, -TAG):
        return ENOMEM
    start -= TAG
    copy(start, start + TAG, MACS)
    st16(start + MACS, ld32(ctx + PROTO))
    st16(start + MACS + 2, host16(ld32(ctx + TCI)))
    st64(state + P_MAC, start)
    st64(state + P_NETWORK, ld64(state + P_NETWORK) - TAG)
    st32(ctx + PROTOCOL, ld32(ctx + PROTO))
    return 0


def remove(state: int, ctx: int) -> int:
    """Take the tag out of the frame; what it says, or a negative errno."""
    start = ld64(state + P_START)
    if start != ld64(state + P_MAC):
        return EINVAL
    if ld64(state + P_END) - start < ETH_HLEN + TAG:
        return ENOMEM
    tci = host16(ld16(start + MACS + 2))
    copy(start + TAG, start, MACS)
    skb_start(state, TAG)
    start += TAG
    st64(state + P_MAC, start)
    if ld64(state + P_NETWORK) < start + ETH_HLEN:
        st64(state + P_NETWORK, start + ETH_HLEN)
    st32(ctx + PROTOCOL, protocol_at(start, ld64(state + P_END) - start))
    return tci


def skb_vlan_push(run: int, ctx: int, proto: int, tci: int, r4: int, r5: int) -> int:
    """Put a tag before the packet; another protocol than 802.1Q and 802.1ad means 802.1Q."""
    state = packet_of(run, ctx, SKB)
    if state == 0:
        return 0
    if ld32(ctx + PRESENT):
        bad = insert(state, ctx)
        if bad:
            return bad
    put_beside(ctx, proto & M16 if is_vlan(proto & M16) else DOT1Q, tci & M16)
    return 0


def skb_vlan_pop(run: int, ctx: int, r2: int, r3: int, r4: int, r5: int) -> int:
    """Take off the outermost tag; the one behind it is kept beside the packet then."""
    state = packet_of(run, ctx, SKB)
    if state == 0:
        return 0
    if ld32(ctx + PRESENT):
        st32(ctx + PRESENT, 0)
        st32(ctx + TCI, 0)
        st32(ctx + PROTO, 0)
    elif is_vlan(ld32(ctx + PROTOCOL)):
        tci = remove(state, ctx)
        if tci > M16:
            return tci
    else:
        return 0
    if is_vlan(ld32(ctx + PROTOCOL)) == 0:
        return 0
    proto = ld32(ctx + PROTOCOL)
    tci = remove(state, ctx)
    if tci > M16:
        return tci
    put_beside(ctx, proto, tci)
    return 0
