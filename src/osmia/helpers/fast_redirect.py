"""Native bodies: where a packet shall go, noted in the host's words (net/core/filter.c, include/linux/filter.h).

A host without words, and a map of targets whose family has its bodies in Python, are asked in ``redirect``.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.kernel import uapi
from osmia.kernel.helpers import helper_by_name

if not cython.compiled:
    from osmia.helpers.fallback import is_map, no_map, python_body
    from osmia.maps.handle import WORD
    from osmia.raw import call5, ld32, ld64, st64
    from osmia.vm.hostwords import HOST_FLAGS, HOST_IFINDEX, HOST_REDIRECTED
    from osmia.vm.packetstate import XDP
    from osmia.vm.packetwords import P_KIND
    from osmia.vm.run import may, refuse
    from osmia.vm.runwords import R_CHECKED, R_CPU, R_FAULT, R_HOST, R_PACKET, R_SCRATCH3

    H_OBJECT, H_LOOKUP, H_KIND = (WORD[name] for name in ("object", "lookup", "kind"))

M32 = 0xFFFFFFFF
REDIRECT, REDIRECT_MAP = (helper_by_name(name).id for name in ("bpf_redirect", "bpf_redirect_map"))
DEVMAP, DEVMAP_HASH, CPUMAP, XSKMAP = (uapi.MAP_TYPE[name] for name in ("devmap", "devmap_hash", "cpumap", "xskmap"))
XDP_ABORTED, XDP_REDIRECT = uapi.XDP_ABORTED, uapi.XDP_REDIRECT
TC_ACT_SHOT, TC_ACT_REDIRECT = uapi.TC_ACT_SHOT, uapi.TC_ACT_REDIRECT
F_INGRESS, F_PEER, F_NEIGH, F_NEXTHOP = uapi.BPF_F_INGRESS, uapi.BPF_F_PEER, uapi.BPF_F_NEIGH, uapi.BPF_F_NEXTHOP
ACTIONS = 3
"""The flag bits that bpf_redirect_map answers when the map has no such entry: XDP_ABORTED to XDP_TX."""
F_BROADCAST = uapi.BPF_F_BROADCAST
BROADCAST_FLAGS = uapi.BPF_F_BROADCAST | uapi.BPF_F_EXCLUDE_INGRESS
NEIGH_SIZE = 20
"""``sizeof(struct bpf_redir_neigh)``."""
UNKNOWN = 1 << 63
"""Stands for the flags of a map that holds no targets."""


def told(run: int, ifindex: int, flags: int, answer: int) -> int:
    """Note where to, and answer."""
    host = ld64(run + R_HOST)
    if host == 0:
        return python_body(run, REDIRECT, ifindex, flags, answer, 0, 0)
    st64(host + HOST_IFINDEX, ifindex)
    st64(host + HOST_FLAGS, flags)
    st64(host + HOST_REDIRECTED, 1)
    return answer


def redirect(run: int, ifindex: int, flags: int, r3: int, r4: int, r5: int) -> int:
    """To a device: XDP_REDIRECT or TC_ACT_REDIRECT; XDP_ABORTED or TC_ACT_SHOT for bad flags."""
    if ld64(ld64(run + R_PACKET) + P_KIND) == XDP:
        return XDP_ABORTED if flags else told(run, ifindex & M32, 0, XDP_REDIRECT)
    if flags & ~F_INGRESS:
        return TC_ACT_SHOT
    return told(run, ifindex & M32, flags, TC_ACT_REDIRECT)


def redirect_peer(run: int, ifindex: int, flags: int, r3: int, r4: int, r5: int) -> int:
    """To the other end of a device pair."""
    return TC_ACT_SHOT if flags else told(run, ifindex & M32, F_PEER, TC_ACT_REDIRECT)


def redirect_neigh(run: int, ifindex: int, params: int, size: int, flags: int, r5: int) -> int:
    """To a device, with the neighbour's address filled in."""
    size &= M32
    if may(run, params, size, 0) == 0:
        return refuse(run, params, size, 0)
    if (size and size < NEIGH_SIZE) or flags:
        return TC_ACT_SHOT
    return told(run, ifindex & M32, F_NEIGH | (F_NEXTHOP if size else 0), TC_ACT_REDIRECT)


def flags_of(kind: int) -> int:
    """The flags that a map of targets takes, by its type; UNKNOWN for other maps."""
    if kind in (DEVMAP, DEVMAP_HASH):
        return ACTIONS | BROADCAST_FLAGS
    return ACTIONS if kind in (CPUMAP, XSKMAP) else UNKNOWN


def target_at(run: int, handle: int, key: int) -> int:
    """Address of the entry of a map of targets, or 0."""
    st64(run + R_SCRATCH3, key & M32)
    find = ld64(handle + H_LOOKUP)
    if find == 0:
        return python_body(run, REDIRECT_MAP, handle, run + R_SCRATCH3, 0, 0, 0)
    return call5(find, ld64(handle + H_OBJECT), run + R_SCRATCH3, ld64(run + R_CPU), 0, 0)


def redirect_map(run: int, handle: int, key: int, flags: int, r4: int, r5: int) -> int:
    """To the device, CPU or socket of a map's entry; the flags' low bits where there is none."""
    if ld64(run + R_CHECKED) and is_map(run, handle) == 0:
        return no_map(run, handle)
    allowed = flags_of(ld64(handle + H_KIND))
    if allowed == UNKNOWN:
        return python_body(run, REDIRECT_MAP, handle, 0, 0, 0, 0)  # which says so
    if flags & ~allowed:
        return XDP_ABORTED
    target = target_at(run, handle, key)
    if target == 0 and (flags & F_BROADCAST == 0 or ld64(run + R_FAULT)):
        return flags & ACTIONS
    return told(run, ld32(target) if target else 0, flags, XDP_REDIRECT)
