"""Socket buffers: reading, writing, checksums, length (net/core/filter.c, Linux 6.18).

Packets are linear and unchecksummed by any device (CHECKSUM_NONE), as those of BPF_PROG_TEST_RUN are.
"""

from __future__ import annotations

import errno
import sys
import zlib
from typing import TYPE_CHECKING, Any

from osmia.errors import Fault
from osmia.helpers import checksum
from osmia.helpers.registry import helper
from osmia.kernel import uapi
from osmia.raw import fill, read, write
from osmia.vm.packet import SkbContext

if TYPE_CHECKING:
    from osmia.vm.env import Env

EINVAL, EFAULT, ENOMEM, EACCES = errno.EINVAL, errno.EFAULT, errno.ENOMEM, errno.EACCES
ENOTSUPP = 524
INT_MAX = 0x7FFFFFFF
OFFSET_MAX = 0xFFFF
STORE_FLAGS = uapi.BPF_F_RECOMPUTE_CSUM | uapi.BPF_F_INVALIDATE_HASH
L4_FLAGS = (
    uapi.BPF_F_MARK_MANGLED_0
    | uapi.BPF_F_MARK_ENFORCE
    | uapi.BPF_F_PSEUDO_HDR
    | uapi.BPF_F_HDR_FIELD_MASK
    | uapi.BPF_F_IPV6
)
MAX_LEN = 16384 - 320
"""The longest that a packet may be made (SKB_MAX_ALLOC).  Our buffer ends earlier: -ENOMEM beyond 3520 bytes."""
OTHERHOST = 3
M32 = 0xFFFFFFFF


def skb(ctx: Any) -> SkbContext:
    """The context as a socket buffer; Fault when it is something else."""
    if not isinstance(ctx, SkbContext):
        raise Fault(f"the context is no socket buffer but {ctx!r}")
    return ctx


def give(dst: int, size: int, data: bytes | None) -> int:
    """Copy to the program, or zeros and -EFAULT."""
    if data is None:
        fill(dst, 0, size)
        return -EFAULT
    write(dst, data)
    return 0


@helper("bpf_skb_load_bytes")
def skb_load_bytes(env: Env, ctx: Any, offset: int, dst: int, size: int) -> int:
    """Copy out of the packet; -EFAULT and zeros where it is too short."""
    return give(dst, size, ctx.load_bytes(offset, size) if offset <= INT_MAX else None)


@helper("bpf_skb_load_bytes_relative")
def skb_load_bytes_relative(env: Env, ctx: Any, offset: int, dst: int, size: int, start: int) -> int:
    """The same from the MAC or the network header on."""
    packet = skb(ctx)
    begin = {uapi.BPF_HDR_START_MAC: packet.mac, uapi.BPF_HDR_START_NET: packet.network}.get(start)
    if offset > INT_MAX or begin is None or begin + offset + size > packet.end:
        return give(dst, size, None)
    return give(dst, size, read(begin + offset, size))


@helper("bpf_skb_store_bytes")
def skb_store_bytes(env: Env, ctx: Any, offset: int, source: int, size: int, flags: int) -> int:
    """Overwrite bytes of the packet."""
    if flags & ~STORE_FLAGS:
        return -EINVAL
    if offset > INT_MAX or not ctx.store_bytes(offset, read(source, size)):
        return -EFAULT
    if flags & uapi.BPF_F_INVALIDATE_HASH and isinstance(ctx, SkbContext):
        ctx.set("hash", 0)
    return 0


# -- checksums -------------------------------------------------------------------------------------------------------


def load_sum(ctx: Any, offset: int) -> int | None:
    """The checksum field at an offset, in the machine's byte order; None where there is none."""
    raw = ctx.load_bytes(offset, 2) if offset <= OFFSET_MAX and not offset & 1 else None
    return None if raw is None else checksum.native16(raw)


def store_sum(ctx: Any, offset: int, value: int) -> None:
    """Write the checksum field."""
    ctx.store_bytes(offset, value.to_bytes(2, sys.byteorder))


def new_sum(old: int, before: int, after: int, size: int) -> int | None:
    """The checksum after ``size`` bytes changed; size 0: by the difference ``after``.  None for other sizes."""
    if size == 0:
        return None if before else checksum.replace_by_diff(old, after & M32)
    mask = {2: 0xFFFF, 4: M32}.get(size)
    return None if mask is None else checksum.replace(old, before & mask, after & mask)


@helper("bpf_l3_csum_replace")
def l3_csum_replace(env: Env, ctx: Any, offset: int, before: int, after: int, flags: int) -> int:
    """Correct the IP header's checksum for a changed field of 2 or 4 bytes, or by a difference."""
    if flags & ~uapi.BPF_F_HDR_FIELD_MASK:
        return -EINVAL
    old = load_sum(ctx, offset)
    if old is None:
        return -EFAULT
    made = new_sum16(old, before, after) if flags == 2 else new_sum(old, before, after, flags)
    if made is None:
        return -EINVAL
    store_sum(ctx, offset, made)
    return 0


def new_sum16(old: int, before: int, after: int) -> int:
    """The sixteen-bit way, which differs in how it writes zero (include/net/checksum.h: csum_replace2)."""

    def add16(a: int, b: int) -> int:
        total = a + b
        return (total & 0xFFFF) + (total >> 16)

    return ~add16(add16(~old & 0xFFFF, ~before & 0xFFFF), after & 0xFFFF) & 0xFFFF


@helper("bpf_l4_csum_replace")
def l4_csum_replace(env: Env, ctx: Any, offset: int, before: int, after: int, flags: int) -> int:
    """Correct a TCP, UDP or ICMP checksum; flags care for UDP's "no checksum"."""
    if flags & ~L4_FLAGS:
        return -EINVAL
    old = load_sum(ctx, offset)
    if old is None:
        return -EFAULT
    mangled = bool(flags & uapi.BPF_F_MARK_MANGLED_0)
    if mangled and not flags & uapi.BPF_F_MARK_ENFORCE and not old:
        return 0
    made = new_sum(old, before, after, flags & uapi.BPF_F_HDR_FIELD_MASK)
    if made is None:
        return -EINVAL
    store_sum(ctx, offset, 0xFFFF if mangled and not made else made)
    return 0


@helper("bpf_csum_update")
def csum_update(env: Env, ctx: Any, csum: int) -> int:
    """Add to the device's checksum, which there is none."""
    return -ENOTSUPP


@helper("bpf_csum_level")
def csum_level(env: Env, ctx: Any, level: int) -> int:
    """Ask for, or change, how many checksums the device verified: none."""
    if level == uapi.BPF_CSUM_LEVEL_QUERY:
        return -EACCES
    return 0 if level <= uapi.BPF_CSUM_LEVEL_RESET else -EINVAL


# -- length and kind -------------------------------------------------------------------------------------------------


@helper("bpf_skb_pull_data")
def skb_pull_data(env: Env, ctx: Any, size: int) -> int:
    """Make bytes directly readable, which they are; -ENOMEM where the packet is shorter."""
    return -ENOMEM if size > skb(ctx).end - skb(ctx).start else 0


@helper("bpf_skb_change_tail")
def skb_change_tail(env: Env, ctx: Any, size: int, flags: int) -> int:
    """Trim or grow to ``size`` bytes."""
    packet = skb(ctx)
    if flags or size > MAX_LEN or size < max(packet.network - packet.start, 0):
        return -EINVAL
    return 0 if packet.move_end(size - (packet.end - packet.start)) else -ENOMEM


@helper("bpf_skb_change_head")
def skb_change_head(env: Env, ctx: Any, room: int, flags: int) -> int:
    """Grow at the front by zeros, for a MAC header."""
    packet = skb(ctx)
    if flags or room > INT_MAX or packet.end - packet.start + room > MAX_LEN:
        return -EINVAL
    if not packet.move_start(-room):
        return -ENOMEM
    fill(packet.start, 0, room)
    packet.mac = packet.start
    return 0


@helper("bpf_skb_change_type")
def skb_change_type(env: Env, ctx: Any, kind: int) -> int:
    """Set pkt_type to host, broadcast, multicast or other host."""
    if kind > OTHERHOST or skb(ctx).get("pkt_type") > OTHERHOST:
        return -EINVAL
    ctx.set("pkt_type", kind)
    return 0


# -- hash ------------------------------------------------------------------------------------------------------------


@helper("bpf_get_hash_recalc")
def get_hash_recalc(env: Env, ctx: Any) -> int:
    """The flow's hash; made from the headers when there is none.  The kernel's has a random key, ours is fixed."""
    packet = skb(ctx)
    if not packet.get("hash"):
        packet.set("hash", zlib.crc32(packet.packet[:64]) or 1)
    return packet.get("hash")


@helper("bpf_set_hash")
def set_hash(env: Env, ctx: Any, value: int) -> int:
    """Set the flow's hash."""
    skb(ctx).set("hash", value)
    return 0


@helper("bpf_set_hash_invalid")
def set_hash_invalid(env: Env, ctx: Any) -> int:
    """Forget the flow's hash."""
    skb(ctx).set("hash", 0)
    return 0
