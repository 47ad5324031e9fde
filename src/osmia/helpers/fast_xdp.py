"""Native bodies: XDP frames (net/core/filter.c).  The limits are ``vm.packetstate``'s; fragments there are none."""

from __future__ import annotations

import errno

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.helpers.fast_packet import packet_of
    from osmia.raw import copy, ld64
    from osmia.vm.packetstate import XDP, at, xdp_head, xdp_meta, xdp_tail
    from osmia.vm.packetwords import P_END, P_START
    from osmia.vm.run import may, refuse
    from osmia.words import s32

M32, M64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
EINVAL, EFAULT = -errno.EINVAL & M64, -errno.EFAULT & M64
"""Negative errnos as R0 holds them."""
OFFSET_MAX = 0xFFFF


def xdp_adjust_head(run: int, ctx: int, delta: int, r3: int, r4: int, r5: int) -> int:
    """Move the start of the packet."""
    state = packet_of(run, ctx, XDP)
    return xdp_head(state, s32(delta)) & M64 if state else 0


def xdp_adjust_tail(run: int, ctx: int, delta: int, r3: int, r4: int, r5: int) -> int:
    """Move the end of the packet."""
    state = packet_of(run, ctx, XDP)
    return xdp_tail(state, s32(delta)) & M64 if state else 0


def xdp_adjust_meta(run: int, ctx: int, delta: int, r3: int, r4: int, r5: int) -> int:
    """Move the start of the metadata."""
    state = packet_of(run, ctx, XDP)
    return xdp_meta(state, s32(delta)) & M64 if state else 0


def xdp_get_buff_len(run: int, ctx: int, r2: int, r3: int, r4: int, r5: int) -> int:
    """Bytes of the packet."""
    state = packet_of(run, ctx, XDP)
    return ld64(state + P_END) - ld64(state + P_START) if state else 0


def xdp_load_bytes(run: int, ctx: int, offset: int, to: int, size: int, r5: int) -> int:
    """Copy out of the packet."""
    state = packet_of(run, ctx, XDP)
    if state == 0:
        return 0
    offset &= M32
    size &= M32
    if may(run, to, size, 1) == 0:
        return refuse(run, to, size, 1)
    if offset > OFFSET_MAX or size > OFFSET_MAX:
        return EFAULT
    source = at(state, offset, size)
    if source == 0:
        return EINVAL
    copy(to, source, size)
    return 0


def xdp_store_bytes(run: int, ctx: int, offset: int, source: int, size: int, r5: int) -> int:
    """Copy into the packet."""
    state = packet_of(run, ctx, XDP)
    if state == 0:
        return 0
    offset &= M32
    size &= M32
    if may(run, source, size, 0) == 0:
        return refuse(run, source, size, 0)
    if offset > OFFSET_MAX or size > OFFSET_MAX:
        return EFAULT
    to = at(state, offset, size)
    if to == 0:
        return EINVAL
    copy(to, source, size)
    return 0
