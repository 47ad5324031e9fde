"""Time, chance and the CPU: what the host answers (kernel/bpf/helpers.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    """The monotonic clock as of the last tick; here the clock itself."""
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


@helper("bpf_get_smp_processor_id")
def get_smp_processor_id(env: Env) -> int:
    """The CPU's number."""
    return env.host.cpu


@helper("bpf_get_numa_node_id")
def get_numa_node_id(env: Env) -> int:
    """The memory node of this CPU; there is one."""
    return 0


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
    return per_cpu_ptr(env, pointer, env.host.cpu)
