"""Samples into perf_event_array maps (kernel/trace/bpf_trace.c, net/core/filter.c)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from osmia.errors import Fault
from osmia.helpers.access import cpu_of
from osmia.helpers.registry import helper
from osmia.kernel.uapi import BPF_F_CTXLEN_MASK, BPF_F_CURRENT_CPU, BPF_F_INDEX_MASK
from osmia.maps.perf import PerfEventArray
from osmia.raw import read

if TYPE_CHECKING:
    from osmia.vm.env import Env

EINVAL, EFAULT = errno.EINVAL, errno.EFAULT
PACKET_TYPES = frozenset(
    "xdp socket_filter sched_cls sched_act cgroup_skb lwt_in lwt_out lwt_xmit lwt_seg6local sk_skb".split()
)
"""Program types whose bpf_perf_event_output can add the packet's first bytes."""


def output(env: Env, m: object, flags: int, sample: bytes) -> int:
    """Write to the slot that the flags name."""
    if not isinstance(m, PerfEventArray):
        raise Fault(f"{m!r} is no perf_event_array")
    index = flags & BPF_F_INDEX_MASK
    cpu = cpu_of(env)
    return m.output(cpu if index == BPF_F_CURRENT_CPU else index, cpu, sample)


def packet_output(env: Env, ctx: Any, m: object, flags: int, data: bytes) -> int:
    """The same with as many bytes of the packet behind the data as the flags ask for."""
    if flags & ~(BPF_F_CTXLEN_MASK | BPF_F_INDEX_MASK):
        return -EINVAL
    wanted = (flags & BPF_F_CTXLEN_MASK) >> 32
    packet = ctx.load_bytes(0, wanted) if wanted else b""
    return -EFAULT if packet is None else output(env, m, flags, data + packet)


@helper("bpf_perf_event_output")
def perf_event_output(env: Env, ctx: Any, m: object, flags: int, data: int, size: int) -> int:
    """A sample of ``size`` bytes; 0, -EINVAL, -E2BIG, -ENOENT (nobody reads) or -ENOSPC (lost)."""
    if env.program is not None and env.program.prog_type in PACKET_TYPES:
        return packet_output(env, ctx, m, flags, read(data, size))
    return -EINVAL if flags & ~BPF_F_INDEX_MASK else output(env, m, flags, read(data, size))
