"""Native bodies: room for headers, between the MAC header and what is behind it (net/core/filter.c, Linux 6.18)."""

from __future__ import annotations

import errno
import sys

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.kernel import uapi

if not cython.compiled:
    from osmia.helpers.fast_packet import packet_of
    from osmia.raw import copy, fill, ld32, ld64, st32, st64
    from osmia.vm.packetstate import ETH_HLEN, SKB, skb_start
    from osmia.vm.packetwords import P_ENCAPSULATED, P_END, P_HIGH, P_MAC, P_NETWORK, P_START, P_SUMS, P_TRANSPORT
    from osmia.words import s32

    PROTOCOL, HASH = 16, 68  # offsets in struct __sk_buff
    IP_LEN, IPV6_LEN = 20, 40

M16, M32, M64 = 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
EINVAL, EFAULT, ENOMEM, EALREADY, ENOTSUPP = (
    -number & M64 for number in (errno.EINVAL, errno.EFAULT, errno.ENOMEM, errno.EALREADY, 524)
)
"""Negative errnos as R0 holds them."""
IPV4, IPV6 = (int.from_bytes(proto, sys.byteorder) for proto in (b"\x08\x00", b"\x86\xdd"))
"""ETH_P_IP and ETH_P_IPV6 in network order, as two bytes are read here."""
MAX_DIFFERENCE, MAX_LEN = 0xFFF, 16384 - 320
AT_NETWORK, AT_MAC = uapi.BPF_ADJ_ROOM_NET, uapi.BPF_ADJ_ROOM_MAC
ENCAP_IPV4, ENCAP_IPV6 = uapi.BPF_F_ADJ_ROOM_ENCAP_L3_IPV4, uapi.BPF_F_ADJ_ROOM_ENCAP_L3_IPV6
ENCAP_GRE, ENCAP_UDP = uapi.BPF_F_ADJ_ROOM_ENCAP_L4_GRE, uapi.BPF_F_ADJ_ROOM_ENCAP_L4_UDP
ENCAP_ETH, INNER_MAC_SHIFT = uapi.BPF_F_ADJ_ROOM_ENCAP_L2_ETH, 56
DECAP_IPV4, DECAP_IPV6 = uapi.BPF_F_ADJ_ROOM_DECAP_L3_IPV4, uapi.BPF_F_ADJ_ROOM_DECAP_L3_IPV6
FIXED_GSO, NO_CSUM_RESET = uapi.BPF_F_ADJ_ROOM_FIXED_GSO, uapi.BPF_F_ADJ_ROOM_NO_CSUM_RESET
ENCAP_IP, ENCAP_L4, DECAP = ENCAP_IPV4 | ENCAP_IPV6, ENCAP_GRE | ENCAP_UDP, DECAP_IPV4 | DECAP_IPV6
SHRINK_FLAGS = FIXED_GSO | DECAP | NO_CSUM_RESET
ROOM_FLAGS = SHRINK_FLAGS | ENCAP_IP | ENCAP_L4 | ENCAP_ETH | 0xFF << INNER_MAC_SHIFT


def opened(state: int, behind: int, room: int) -> int:
    """Zeros behind the first bytes, which move forward: 0 or -ENOMEM.

    Linux does not ask whether the packet is that long: what stood behind its end comes along, here too.
    """
    start = ld64(state + P_START)
    if behind > ld64(state + P_HIGH) - start or skb_start(state, -s32(room)):
        return ENOMEM
    copy(start - room, start, behind)
    fill(start - room + behind, 0, room)
    shifted(state, -s32(room))
    return 0


def closed(state: int, behind: int, room: int) -> int:
    """Take away bytes behind the first, which move backward: 0 or -ENOMEM."""
    start = ld64(state + P_START)
    length = ld64(state + P_END) - start
    if behind > length or room > length - behind:
        return ENOMEM
    copy(start + room, start, behind)
    skb_start(state, s32(room))
    shifted(state, s32(room))
    return 0


def shifted(state: int, delta: int) -> None:
    """The headers moved with the bytes in front."""
    same = ld64(state + P_TRANSPORT) == ld64(state + P_NETWORK)
    st64(state + P_MAC, ld64(state + P_MAC) + delta)
    st64(state + P_NETWORK, ld64(state + P_NETWORK) + delta)
    if same:
        st64(state + P_TRANSPORT, ld64(state + P_NETWORK))


def header_length(protocol: int) -> int:
    """Bytes of the fixed part of an IP header; 0 for other protocols."""
    return IP_LEN if protocol == IPV4 else IPV6_LEN if protocol == IPV6 else 0


# -- another protocol --------------------------------------------------------------------------------------------------


def skb_change_proto(run: int, ctx: int, proto: int, flags: int, r4: int, r5: int) -> int:
    """Make room for the longer, or take away what is too much for the shorter of both IP headers."""
    state = packet_of(run, ctx, SKB)
    if state == 0:
        return 0
    if flags:
        return EINVAL
    before = ld32(ctx + PROTOCOL)
    wanted = proto & M16
    behind = ld64(state + P_NETWORK) - ld64(state + P_MAC)
    if before == IPV4 and wanted == IPV6:
        bad = opened(state, behind, IPV6_LEN - IP_LEN)
    elif before == IPV6 and wanted == IPV4:
        bad = closed(state, behind, IPV6_LEN - IP_LEN)
    else:
        return ENOTSUPP
    if bad == 0:
        st32(ctx + PROTOCOL, wanted)
        st32(ctx + HASH, 0)
    return bad


# -- tunnels -----------------------------------------------------------------------------------------------------------


def skb_adjust_room(run: int, ctx: int, difference: int, mode: int, flags: int, r5: int) -> int:
    """Grow or shrink behind the MAC header, or behind the IP header; flags say what tunnel that makes or ends."""
    state = packet_of(run, ctx, SKB)
    if state == 0:
        return 0
    bytes_ = -s32(difference) if s32(difference) < 0 else s32(difference)
    base = header_length(ld32(ctx + PROTOCOL))
    if flags & ~ROOM_FLAGS:
        return EINVAL
    if bytes_ > MAX_DIFFERENCE:
        return EFAULT
    if base == 0 or (mode & M32) > AT_MAC:
        return ENOTSUPP
    behind = ld64(state + P_NETWORK) - ld64(state + P_MAC) + (base if (mode & M32) == AT_NETWORK else 0)
    if s32(difference) < 0:
        bad = shrink(state, ctx, behind, bytes_, flags)
    else:
        bad = grow(state, ctx, behind, bytes_, flags)
    if bad == 0 and flags & NO_CSUM_RESET == 0:
        st64(state + P_SUMS, 0)
    return bad


def shrink(state: int, ctx: int, behind: int, room: int, flags: int) -> int:
    """0 or a negative errno; what is left must hold an IP header."""
    least = header_length(ld32(ctx + PROTOCOL))
    if flags & DECAP == DECAP:
        return EINVAL
    if flags & DECAP:
        least = IP_LEN if flags & DECAP_IPV4 else IPV6_LEN
    left = ld64(state + P_END) - ld64(state + P_NETWORK)
    if room >= left or left - room < least:
        return ENOTSUPP
    if flags & ~SHRINK_FLAGS:
        return EINVAL
    bad = closed(state, behind, room)
    if bad == 0 and flags & DECAP:
        st32(ctx + PROTOCOL, IPV4 if flags & DECAP_IPV4 else IPV6)
    return bad


def grow(state: int, ctx: int, behind: int, room: int, flags: int) -> int:
    """0 or a negative errno."""
    if flags & DECAP:
        return EINVAL
    if ld64(state + P_END) - ld64(state + P_START) + room > MAX_LEN:
        return ENOTSUPP
    if flags & ENCAP_IP == 0:
        return opened(state, behind, room)
    mac_length = ld64(state + P_NETWORK) - ld64(state + P_MAC)
    bad = misfit(state, room, flags)
    if bad == 0:
        bad = opened(state, behind, room)
    if bad:
        return bad
    st64(state + P_ENCAPSULATED, 1)
    st64(state + P_NETWORK, ld64(state + P_START) + mac_length)
    if flags & ENCAP_L4:
        length = IPV6_LEN if flags & ENCAP_IPV6 else IP_LEN
        st64(state + P_TRANSPORT, ld64(state + P_NETWORK) + length)
    st32(ctx + PROTOCOL, IPV6 if flags & ENCAP_IPV6 else IPV4)
    return 0


def misfit(state: int, room: int, flags: int) -> int:
    """The negative errno of flags that make no tunnel, or 0."""
    inner_mac = flags >> INNER_MAC_SHIFT
    if flags & ENCAP_L4 == ENCAP_L4 or flags & ENCAP_IP == ENCAP_IP:
        return EINVAL
    if flags & ENCAP_ETH and inner_mac < ETH_HLEN:
        return EINVAL
    if ld64(state + P_ENCAPSULATED):
        return EALREADY
    return EINVAL if inner_mac > room else 0
