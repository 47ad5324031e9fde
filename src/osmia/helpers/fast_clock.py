"""Native bodies: time, chance, the CPU (kernel/bpf/helpers.c).  A host without words answers in ``clock``."""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.kernel.helpers import helper_by_name

if not cython.compiled:
    from osmia.helpers.fallback import python_body
    from osmia.raw import ld64
    from osmia.vm.hostwords import HOST_TAI, jiffies_of, random_64, step_clock
    from osmia.vm.runwords import R_CPU, R_HOST

M64 = 0xFFFFFFFFFFFFFFFF
KTIME, BOOT, COARSE, TAI, JIFFIES, PRANDOM = (
    helper_by_name(f"bpf_{name}").id
    for name in (
        *("ktime_get_ns", "ktime_get_boot_ns", "ktime_get_coarse_ns", "ktime_get_tai_ns", "jiffies64"),
        "get_prandom_u32",
    )
)


def ktime_get_ns(run: int, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
    """CLOCK_MONOTONIC, nanoseconds."""
    host = ld64(run + R_HOST)
    return step_clock(host) if host else python_body(run, KTIME, r1, r2, r3, r4, r5)


def ktime_get_boot_ns(run: int, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
    """CLOCK_BOOTTIME, nanoseconds: a world's machine never sleeps."""
    host = ld64(run + R_HOST)
    return step_clock(host) if host else python_body(run, BOOT, r1, r2, r3, r4, r5)


def ktime_get_coarse_ns(run: int, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
    """The monotonic clock as of the last tick; here the clock itself."""
    host = ld64(run + R_HOST)
    return step_clock(host) if host else python_body(run, COARSE, r1, r2, r3, r4, r5)


def ktime_get_tai_ns(run: int, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
    """CLOCK_TAI, nanoseconds."""
    host = ld64(run + R_HOST)
    if host == 0:
        return python_body(run, TAI, r1, r2, r3, r4, r5)
    return (ld64(host + HOST_TAI) + step_clock(host)) & M64


def jiffies64(run: int, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
    """The tick counter."""
    host = ld64(run + R_HOST)
    return jiffies_of(host) if host else python_body(run, JIFFIES, r1, r2, r3, r4, r5)


def get_prandom_u32(run: int, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
    """A pseudo-random number: the upper half of the generator's."""
    host = ld64(run + R_HOST)
    return random_64(host) >> 32 if host else python_body(run, PRANDOM, r1, r2, r3, r4, r5)


def get_smp_processor_id(run: int, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
    """The CPU's number."""
    return ld64(run + R_CPU)


def get_numa_node_id(run: int, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
    """The memory node of this CPU; there is one."""
    return 0
