"""Where a packet shall go: what is asked for is told to the host and kept in ``env.scratch["redirect"]``.

Source: net/core/filter.c, include/linux/filter.h (__bpf_xdp_redirect_map).
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from osmia.errors import Fault
from osmia.helpers.registry import helper
from osmia.kernel import uapi
from osmia.maps.base import Map
from osmia.raw import Buffer, ld32, st32

if TYPE_CHECKING:
    from osmia.vm.env import Env

EINVAL = errno.EINVAL
ACTIONS = 3
"""The flag bits that bpf_redirect_map answers when the map has no such entry: XDP_ABORTED to XDP_TX."""
BROADCAST_FLAGS = uapi.BPF_F_BROADCAST | uapi.BPF_F_EXCLUDE_INGRESS
NEIGH_SIZE = 20
"""``sizeof(struct bpf_redir_neigh)``."""
TARGET_MAPS = ("devmap", "devmap_hash", "cpumap", "xskmap")


def go(env: Env, ifindex: int, flags: int, **what: Any) -> None:
    """Tell the host, and remember the rest."""
    env.scratch["redirect"] = {"ifindex": ifindex, "flags": flags, **what}
    env.host.redirect(ifindex, flags)


@helper("bpf_redirect")
def redirect(env: Env, ifindex: int, flags: int) -> int:
    """To a device: XDP_REDIRECT or TC_ACT_REDIRECT; XDP_ABORTED or TC_ACT_SHOT for bad flags."""
    if env.program is not None and env.program.prog_type == "xdp":
        if flags:
            return uapi.XDP_ABORTED
        go(env, ifindex, flags)
        return uapi.XDP_REDIRECT
    if flags & ~uapi.BPF_F_INGRESS:
        return uapi.TC_ACT_SHOT
    go(env, ifindex, flags)
    return uapi.TC_ACT_REDIRECT


@helper("bpf_redirect_peer")
def redirect_peer(env: Env, ifindex: int, flags: int) -> int:
    """To the other end of a device pair."""
    if flags:
        return uapi.TC_ACT_SHOT
    go(env, ifindex, uapi.BPF_F_PEER)
    return uapi.TC_ACT_REDIRECT


@helper("bpf_redirect_neigh")
def redirect_neigh(env: Env, ifindex: int, params: int, size: int, flags: int) -> int:
    """To a device, with the neighbour's address filled in."""
    if (size and size < NEIGH_SIZE) or flags:
        return uapi.TC_ACT_SHOT
    go(env, ifindex, uapi.BPF_F_NEIGH | (uapi.BPF_F_NEXTHOP if size else 0))
    return uapi.TC_ACT_REDIRECT


@helper("bpf_redirect_map")
def redirect_map(env: Env, m: Map, key: int, flags: int) -> int:
    """To the device, CPU or socket of a map's entry; the flags' low bits where there is none."""
    if m.type not in TARGET_MAPS:
        raise Fault(f"map {m.name} of type {m.type} holds no redirect targets")
    allowed = BROADCAST_FLAGS if m.type.startswith("devmap") else 0
    if flags & ~(ACTIONS | allowed):
        return uapi.XDP_ABORTED
    room = Buffer(4)
    st32(room.address, key)
    target = m.lookup(room.address, env.host.cpu)
    if not target and not flags & uapi.BPF_F_BROADCAST:
        return flags & ACTIONS
    go(env, ld32(target) if target else 0, flags, map=m, key=key)
    return uapi.XDP_REDIRECT


@helper("bpf_clone_redirect")
def clone_redirect(env: Env, ctx: Any, ifindex: int, flags: int) -> int:
    """Send a copy now and go on."""
    if flags & ~uapi.BPF_F_INGRESS:
        return -EINVAL
    send = getattr(env.host, "clone_redirect", None)
    if send is not None:
        return int(send(ifindex, flags, ctx.packet))
    env.scratch.setdefault("clones", []).append((ifindex, flags, ctx.packet))
    return 0
