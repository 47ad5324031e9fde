"""Time and chance where a host of somebody else's answers (others: ``fast_clock``); per-CPU kernel variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osmia.helpers.access import cpu_of
from osmia.helpers.registry import helper

if TYPE_CHECKING:
    from osmia.vm.env import Env


@helper("bpf_ktime_get_ns")
def ktime_get_ns(env: Env) -> int:
    """CLOCK_MONOTONIC, nanoseconds."""
    return env.host.ktime_ns()


@helper("bpf_ktime_get_boot_ns")
def ktime_get_boot_ns(env: Env) -> int:
    """CLOCK_BOOTTIME, nanoseconds."""
    return env.host.boot_ns()


@helper("bpf_ktime_get_coarse_ns")
def ktime_get_coarse_ns(env: Env) -> int:
    """The monotonic clock as of the last tick: the clock itself, where the host has no other."""
    return env.host.ktime_ns()


@helper("bpf_ktime_get_tai_ns")
def ktime_get_tai_ns(env: Env) -> int:
    """CLOCK_TAI, nanoseconds."""
    return env.host.tai_ns()


@helper("bpf_jiffies64")
def jiffies64(env: Env) -> int:
    """The tick counter."""
    return env.host.jiffies()


@helper("bpf_get_prandom_u32")
def get_prandom_u32(env: Env) -> int:
    """A pseudo-random number."""
    return env.host.prandom_u32() & 0xFFFFFFFF


@helper("bpf_per_cpu_ptr")
def per_cpu_ptr(env: Env, pointer: int, cpu: int) -> int:
    """A CPU's copy of a per-CPU kernel variable; 0 for a CPU that there is not."""
    if cpu >= env.host.cpus:
        return 0
    place = getattr(env.host, "percpu_address", None)
    return int(place(pointer, cpu)) if place else pointer


@helper("bpf_this_cpu_ptr")
def this_cpu_ptr(env: Env, pointer: int) -> int:
    """This CPU's copy of a per-CPU kernel variable."""
    return per_cpu_ptr(env, pointer, cpu_of(env))
