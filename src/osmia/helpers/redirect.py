"""Where a packet shall go: what ``fast_redirect`` leaves to Python, and copies that are sent at once.

Source: net/core/filter.c.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from osmia.errors import Fault
from osmia.helpers.registry import helper, raw_helper
from osmia.kernel import uapi

if TYPE_CHECKING:
    from osmia.vm.env import Env

EINVAL = errno.EINVAL
TARGET_MAPS = ("devmap", "devmap_hash", "cpumap", "xskmap")


@raw_helper("bpf_redirect")
def tell(env: Env, ifindex: int, flags: int, answer: int, r4: int, r5: int) -> int:
    """Tell a host that keeps no words; the answer is settled."""
    env.host.redirect(ifindex, flags)
    return answer


@raw_helper("bpf_redirect_map")
def target_of(env: Env, handle: int, key: int, r3: int, r4: int, r5: int) -> int:
    """Address of the entry for the key at an address, of a map whose family is Python; 0 where there is none.

    Raises Fault for a map that holds no targets.
    """
    m = env.map_at(handle)
    if m.type not in TARGET_MAPS:
        raise Fault(f"map {m.name} of type {m.type} holds no redirect targets")
    return int(m.lookup(key, env.host.cpu))


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
