"""Native bodies: internet checksums (net/core/filter.c, lib/checksum.c, include/net/checksum.h; RFC 1071, RFC 1624)."""

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
    from osmia.raw import ld8, ld16, ld32, ld64, st16, st64
    from osmia.vm.packetstate import PLAIN, at
    from osmia.vm.packetwords import P_SUMS
    from osmia.vm.run import may, refuse

M16, M32, M64 = 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
EINVAL, EFAULT, EACCES, ENOTSUPP = (-number & M64 for number in (errno.EINVAL, errno.EFAULT, errno.EACCES, 524))
"""Negative errnos as R0 holds them."""
LITTLE = sys.byteorder == "little"
FIELD_MASK = uapi.BPF_F_HDR_FIELD_MASK
MANGLED, ENFORCE = uapi.BPF_F_MARK_MANGLED_0, uapi.BPF_F_MARK_ENFORCE
L4_FLAGS = MANGLED | ENFORCE | uapi.BPF_F_PSEUDO_HDR | FIELD_MASK | uapi.BPF_F_IPV6
LEVEL_QUERY, LEVEL_INC = uapi.BPF_CSUM_LEVEL_QUERY, uapi.BPF_CSUM_LEVEL_INC
LEVEL_DEC, LEVEL_RESET = uapi.BPF_CSUM_LEVEL_DEC, uapi.BPF_CSUM_LEVEL_RESET
MAX_SUMS = 4
"""SKB_MAX_CSUM_LEVEL, which is counted from 0, and one."""
BAD = -1


# -- arithmetic --------------------------------------------------------------------------------------------------------


def folded(total: int) -> int:
    """64 bits down to 32, carries added again."""
    total = (total & M32) + (total >> 32)
    return (total & M32) + (total >> 32)


def fold16(value: int) -> int:
    """32 bits down to 16; not inverted."""
    value = (value & M16) + (value >> 16)
    return (value & M16) + (value >> 16)


def partial(address: int, size: int, seed: int) -> int:
    """32-bit one's complement sum over the bytes and the seed; odd bytes at the end are padded with zeros."""
    total = sum64(address, size >> 3)
    total = folded(total) + seed
    address += size & ~7
    if size & 4:
        total += ld32(address)
        address += 4
    return folded(total + last_bytes(address, size & 3))


def sum64(address: int, count: int) -> int:
    """64-bit one's complement sum over words of eight bytes."""
    M64 = 0xFFFFFFFFFFFFFFFF
    total, carries = 0, 0
    if count & 1:
        total = ld64(address)
        address += 8
    end = address + 16 * (count >> 1)
    while address < end:
        one = ld64(address)
        two = ld64(address + 8)
        total = (total + one) & M64
        carries += total < one
        total = (total + two) & M64
        carries += total < two
        address += 16
    total = (total + carries) & M64
    return (total + (total < carries)) & M64


def last_bytes(address: int, count: int) -> int:
    """Up to three bytes as the first of a word of four."""
    value = 0
    for number in range(count):
        value |= ld8(address + number) << (8 * number if LITTLE else 24 - 8 * number)
    return value


def replaced(checksum: int, before: int, after: int) -> int:
    """A 16-bit checksum after 32 bits that it covers changed."""
    return replaced_by(checksum, folded(after + (~before & M32)))


def replaced_by(checksum: int, difference: int) -> int:
    """A 16-bit checksum after its sum changed by a difference."""
    return ~fold16(folded(difference + (~checksum & M32))) & M16


def replaced16(checksum: int, before: int, after: int) -> int:
    """The sixteen-bit way, which differs in how it writes zero (csum_replace2)."""
    total = (~checksum & M16) + (~before & M16)
    total = (total & M16) + (total >> 16) + (after & M16)
    return ~((total & M16) + (total >> 16)) & M16


def renewed(checksum: int, before: int, after: int, size: int) -> int:
    """The checksum after ``size`` bytes changed, 2 or 4; 0: by the difference ``after``.  BAD for other sizes."""
    if size == 0:
        return replaced_by(checksum, after & M32) if before == 0 else BAD
    if size == 2:
        return replaced(checksum, before & M16, after & M16)
    return replaced(checksum, before & M32, after & M32) if size == 4 else BAD


# -- helpers -----------------------------------------------------------------------------------------------------------


def csum_diff(run: int, old: int, old_size: int, new: int, new_size: int, seed: int) -> int:
    """The sum of ``new`` minus the sum of ``old`` plus ``seed``, folded to 16 bits.

    Any size will do, as in Linux 6.18; kernels before 6.13 want multiples of four and do not fold.
    """
    old_size &= M32
    new_size &= M32
    seed &= M32
    if may(run, old, old_size, 0) == 0:
        return refuse(run, old, old_size, 0)
    if may(run, new, new_size, 0) == 0:
        return refuse(run, new, new_size, 0)
    if old_size == 0:
        return fold16(partial(new, new_size, seed))
    if new_size == 0:
        return fold16(~partial(old, old_size, ~seed & M32) & M32)
    return fold16(folded(partial(new, new_size, seed) + (~partial(old, old_size, 0) & M32)))


def sum_at(state: int, offset: int) -> int:
    """Address of a checksum field; 0 for an odd offset or one outside of the packet."""
    return 0 if offset > M16 or offset & 1 else at(state, offset, 2)


def l3_csum_replace(run: int, ctx: int, offset: int, before: int, after: int, flags: int) -> int:
    """Correct the IP header's checksum for a changed field of 2 or 4 bytes, or by a difference."""
    state = packet_of(run, ctx, PLAIN)
    if state == 0:
        return 0
    if flags & ~FIELD_MASK:
        return EINVAL
    place = sum_at(state, offset & M32)
    if place == 0:
        return EFAULT
    made = replaced16(ld16(place), before, after) if flags == 2 else renewed(ld16(place), before, after, flags)
    if made < 0:
        return EINVAL
    st16(place, made)
    return 0


def l4_csum_replace(run: int, ctx: int, offset: int, before: int, after: int, flags: int) -> int:
    """Correct a TCP, UDP or ICMP checksum; flags care for UDP's "no checksum"."""
    state = packet_of(run, ctx, PLAIN)
    if state == 0:
        return 0
    if flags & ~L4_FLAGS:
        return EINVAL
    place = sum_at(state, offset & M32)
    if place == 0:
        return EFAULT
    if flags & MANGLED and flags & ENFORCE == 0 and ld16(place) == 0:
        return 0
    made = renewed(ld16(place), before, after, flags & FIELD_MASK)
    if made < 0:
        return EINVAL
    st16(place, M16 if made == 0 and flags & MANGLED else made)
    return 0


def csum_update(run: int, ctx: int, csum: int, r3: int, r4: int, r5: int) -> int:
    """Add to the device's checksum, which there is none."""
    return ENOTSUPP if packet_of(run, ctx, PLAIN) else 0


def csum_level(run: int, ctx: int, level: int, r3: int, r4: int, r5: int) -> int:
    """Ask for, or change, how many checksums in a row are known to be right: up to four."""
    state = packet_of(run, ctx, PLAIN)
    if state == 0:
        return 0
    sums = ld64(state + P_SUMS)
    if level == LEVEL_QUERY:
        return sums - 1 if sums else EACCES
    if level == LEVEL_INC:
        st64(state + P_SUMS, sums + 1 if sums < MAX_SUMS else sums)
    elif level == LEVEL_DEC:
        st64(state + P_SUMS, sums - 1 if sums else 0)
    elif level == LEVEL_RESET:
        st64(state + P_SUMS, 0)
    else:
        return EINVAL
    return 0
