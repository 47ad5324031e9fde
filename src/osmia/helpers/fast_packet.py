"""Native bodies: socket buffers and what every context allows (net/core/filter.c, Linux 6.18).

Packets are linear and unchecksummed by any device (CHECKSUM_NONE), as those of BPF_PROG_TEST_RUN are.
"""

from __future__ import annotations

import errno

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.kernel import uapi

if not cython.compiled:
    from osmia.raw import copy, fill, ld8, ld16, ld32, ld64, st32, st64
    from osmia.vm.packetstate import PLAIN, SKB, at, header_at, skb_end, skb_start, word
    from osmia.vm.packetwords import P_CTX, P_ENCAPSULATED, P_END, P_KIND, P_MAC, P_NETWORK, P_START, P_TRANSPORT
    from osmia.vm.run import may, refuse
    from osmia.vm.runwords import F_CONTEXT, R_ADDRESS, R_CHECKED, R_CTX, R_FAULT, R_PACKET, R_SIZE
    from osmia.words import s32

    PKT_TYPE, PROTOCOL, HASH = 4, 16, 68  # offsets in struct __sk_buff

M32, M64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
EINVAL, EFAULT, ENOMEM, ENOTSUPP = (-number & M64 for number in (errno.EINVAL, errno.EFAULT, errno.ENOMEM, 524))
"""Negative errnos as R0 holds them."""
INT_MAX = 0x7FFFFFFF
F_INVALIDATE_HASH = uapi.BPF_F_INVALIDATE_HASH
STORE_FLAGS = uapi.BPF_F_RECOMPUTE_CSUM | uapi.BPF_F_INVALIDATE_HASH
MAX_LEN = 16384 - 320
"""The longest that a packet may be made (SKB_MAX_ALLOC).  Our buffer ends earlier: -ENOMEM beyond 3520 bytes."""
OTHERHOST = 3
"""PACKET_OTHERHOST."""
MIX = 0x9E3779B97F4A7C15


def packet_of(run: int, ctx: int, kind: int) -> int:
    """The state of the packet whose context that is, of a kind (PLAIN: of any); or 0 with the fault noted."""
    state = ld64(run + R_PACKET)
    if ld64(run + R_CHECKED) == 0:
        return state
    right = ctx == ld64(run + R_CTX)
    if right and (kind == PLAIN or ld64(state + P_KIND) == kind):
        return state
    st64(run + R_FAULT, F_CONTEXT)
    st64(run + R_ADDRESS, ctx)
    st64(run + R_SIZE, kind if right else 0)
    return 0


# -- bytes -------------------------------------------------------------------------------------------------------------


def give(run: int, to: int, size: int, source: int) -> int:
    """Copy to the program; zeros and -EFAULT where there is no source."""
    if may(run, to, size, 1) == 0:
        return refuse(run, to, size, 1)
    if source == 0:
        fill(to, 0, size)
        return EFAULT
    copy(to, source, size)
    return 0


def skb_load_bytes(run: int, ctx: int, offset: int, to: int, size: int, r5: int) -> int:
    """Copy out of the packet; -EFAULT and zeros where it is too short."""
    state = packet_of(run, ctx, PLAIN)
    if state == 0:
        return 0
    offset &= M32
    size &= M32
    return give(run, to, size, at(state, offset, size) if offset <= INT_MAX else 0)


def skb_load_bytes_relative(run: int, ctx: int, offset: int, to: int, size: int, header: int) -> int:
    """The same from the MAC or the network header on."""
    state = packet_of(run, ctx, SKB)
    if state == 0:
        return 0
    offset &= M32
    size &= M32
    return give(run, to, size, header_at(state, header & M32, offset, size) if offset <= INT_MAX else 0)


def skb_store_bytes(run: int, ctx: int, offset: int, source: int, size: int, flags: int) -> int:
    """Overwrite bytes of the packet."""
    state = packet_of(run, ctx, PLAIN)
    if state == 0:
        return 0
    offset &= M32
    size &= M32
    if may(run, source, size, 0) == 0:
        return refuse(run, source, size, 0)
    if flags & ~STORE_FLAGS:
        return EINVAL
    to = at(state, offset, size) if offset <= INT_MAX else 0
    if to == 0:
        return EFAULT
    copy(to, source, size)
    if flags & F_INVALIDATE_HASH and ld64(state + P_KIND) == SKB:
        st32(ld64(state + P_CTX) + HASH, 0)
    return 0


# -- length and kind ---------------------------------------------------------------------------------------------------


def skb_pull_data(run: int, ctx: int, size: int, r3: int, r4: int, r5: int) -> int:
    """Make bytes directly readable, which they are; -ENOMEM where the packet is shorter."""
    state = packet_of(run, ctx, SKB)
    if state == 0:
        return 0
    return ENOMEM if (size & M32) > ld64(state + P_END) - ld64(state + P_START) else 0


def skb_change_tail(run: int, ctx: int, size: int, flags: int, r4: int, r5: int) -> int:
    """Trim or grow to ``size`` bytes; not within a tunnel that a program made."""
    state = packet_of(run, ctx, SKB)
    if state == 0:
        return 0
    wanted = word(state + P_START) + (size & M32)
    if flags or (size & M32) > MAX_LEN or wanted < least_end(state):
        return EINVAL
    if ld64(state + P_ENCAPSULATED):
        return ENOTSUPP
    return skb_end(state, wanted - word(state + P_END)) & M64


def least_end(state: int) -> int:
    """The address before which no packet may end: its network header, or the transport header where that is known."""
    transport = word(state + P_TRANSPORT)
    return transport if transport > word(state + P_START) else word(state + P_NETWORK)


def skb_change_head(run: int, ctx: int, room: int, flags: int, r4: int, r5: int) -> int:
    """Grow at the front by zeros, for a MAC header."""
    state = packet_of(run, ctx, SKB)
    if state == 0:
        return 0
    room &= M32
    if flags or room > INT_MAX or ld64(state + P_END) - ld64(state + P_START) + room > MAX_LEN:
        return EINVAL
    if skb_start(state, -s32(room)):
        return ENOMEM
    fill(ld64(state + P_START), 0, room)
    st64(state + P_MAC, ld64(state + P_START))
    return 0


def skb_change_type(run: int, ctx: int, kind: int, r3: int, r4: int, r5: int) -> int:
    """Set pkt_type to host, broadcast, multicast or other host."""
    if packet_of(run, ctx, SKB) == 0:
        return 0
    if (kind & M32) > OTHERHOST or ld32(ctx + PKT_TYPE) > OTHERHOST:
        return EINVAL
    st32(ctx + PKT_TYPE, kind & M32)
    return 0


# -- hash --------------------------------------------------------------------------------------------------------------


def get_hash_recalc(run: int, ctx: int, r2: int, r3: int, r4: int, r5: int) -> int:
    """The flow's hash; made from the headers when there is none.  The kernel's has a random key, ours is fixed."""
    state = packet_of(run, ctx, SKB)
    if state == 0:
        return 0
    if ld32(ctx + HASH) == 0:
        st32(ctx + HASH, flow_hash(ld64(state + P_NETWORK), ld64(state + P_END), ld32(ctx + PROTOCOL)))
    return ld32(ctx + HASH)


def set_hash(run: int, ctx: int, value: int, r3: int, r4: int, r5: int) -> int:
    """Set the flow's hash."""
    if packet_of(run, ctx, SKB):
        st32(ctx + HASH, value & M32)
    return 0


def set_hash_invalid(run: int, ctx: int, r2: int, r3: int, r4: int, r5: int) -> int:
    """Forget the flow's hash."""
    if packet_of(run, ctx, SKB):
        st32(ctx + HASH, 0)
    return 0


def flow_hash(network: int, end: int, protocol: int) -> int:
    """32 bits, never 0, the same for all packets of an IP flow in both directions (net/core/flow_dissector.c)."""
    addresses, ports, count = 0, 0, 0
    if end >= network + 20 and ld8(network) >> 4 == 4:
        addresses, count = network + 12, 4
        ports = ports_at(network + 4 * (ld8(network) & 15), end, ld8(network + 9))
        if (ld8(network + 6) & 0x1F) | ld8(network + 7):  # not the first fragment: no ports in it
            ports = 0
        protocol = ld8(network + 9)
    elif end >= network + 40 and ld8(network) >> 4 == 6:
        addresses, count = network + 8, 16
        ports = ports_at(network + 40, end, ld8(network + 6))
        protocol = ld8(network + 6)
    mixed = mix(protocol, count)
    for offset in range(0, count, 4):
        mixed = mix_pair(mixed, ld32(addresses + offset), ld32(addresses + count + offset))
    if ports:
        mixed = mix_pair(mixed, ld16(ports), ld16(ports + 2))
    return mixed >> 32 or 1


def ports_at(header: int, end: int, protocol: int) -> int:
    """Where the ports of TCP, UDP, DCCP, SCTP or UDP-Lite stand, or 0."""
    if protocol not in (6, 17, 33, 132, 136) or header + 4 > end:
        return 0
    return header


def mix(state: int, value: int) -> int:
    """Spread a value over the state."""
    state = ((state ^ value) * MIX) & M64
    return state ^ (state >> 29)


def mix_pair(state: int, a: int, b: int) -> int:
    """Mix in two values, whichever comes first."""
    return mix(mix(state, a + b), a ^ b)
