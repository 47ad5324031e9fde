"""Samples into perf_event_array maps from Python bodies (programs write theirs natively, ``fast_perf``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from osmia.errors import Fault
from osmia.helpers.access import cpu_of
from osmia.helpers.registry import helper
from osmia.kernel.uapi import BPF_F_CURRENT_CPU, BPF_F_INDEX_MASK
from osmia.maps.perf import PerfEventArray

if TYPE_CHECKING:
    from osmia.vm.env import Env


def perf_array(m: object) -> PerfEventArray:
    """The map as what it must be; Fault when it is another."""
    if not isinstance(m, PerfEventArray):
        raise Fault(f"{m!r} is no perf_event_array")
    return m


def output(env: Env, m: object, flags: int, sample: bytes) -> int:
    """Write to the slot that the flags name."""
    index = flags & BPF_F_INDEX_MASK
    cpu = cpu_of(env)
    return perf_array(m).output(cpu if index == BPF_F_CURRENT_CPU else index, cpu, sample)


@helper("bpf_perf_event_output")
def perf_event_output(env: Env, ctx: Any, m: object, flags: int, data: int, size: int) -> int:
    """Fault: what gets here is no perf_event_array."""
    perf_array(m)
    raise Fault(f"{m!r} takes no samples")
