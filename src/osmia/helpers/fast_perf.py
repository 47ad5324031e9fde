"""Native body: samples into perf_event_array maps (bpf_trace.c, net/core/filter.c), over ``maps.perfring``."""

from __future__ import annotations

import errno

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.kernel.helpers import helper_by_name
from osmia.kernel.uapi import BPF_F_CTXLEN_MASK, BPF_F_CURRENT_CPU, BPF_F_INDEX_MASK, MAP_TYPE

if not cython.compiled:
    from osmia.helpers.fallback import is_map, no_map, python_body
    from osmia.maps.handle import WORD
    from osmia.maps.perfring import output
    from osmia.raw import ld64, st64
    from osmia.vm.packetwords import P_END, P_KIND, P_START
    from osmia.vm.run import may, refuse
    from osmia.vm.runwords import F_CONTEXT, R_ADDRESS, R_CHECKED, R_CPU, R_CTX, R_FAULT, R_PACKET

    H_KIND = WORD["kind"]

M32, M64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
INVALID, BAD_ADDRESS = -errno.EINVAL & M64, -errno.EFAULT & M64
INDEX_MASK, CTXLEN_MASK, THIS_CPU = BPF_F_INDEX_MASK, BPF_F_CTXLEN_MASK, BPF_F_CURRENT_CPU
PERF_ARRAY = MAP_TYPE["perf_event_array"]
OUTPUT = helper_by_name("bpf_perf_event_output").id


def admits(run: int, ctx: int, handle: int, data: int, size: int) -> int:
    """The program's own context, a map, memory that it may read?  1, or 0 with the fault noted."""
    if ctx != ld64(run + R_CTX):
        st64(run + R_FAULT, F_CONTEXT)
        st64(run + R_ADDRESS, ctx)
        return 0
    if is_map(run, handle) == 0:
        return no_map(run, handle)
    return 1 if may(run, data, size, 0) else refuse(run, data, size, 0)


def perf_event_output(run: int, ctx: int, handle: int, flags: int, data: int, size: int) -> int:
    """A sample of ``size`` bytes, behind it as many of the packet as the flags ask for; 0, -EINVAL, -EFAULT (the packet
    is shorter), -E2BIG, -ENOENT (nobody reads), -EOPNOTSUPP (another CPU's) or -ENOSPC (lost).
    """
    if ld64(run + R_CHECKED):
        if admits(run, ctx, handle, data, size & M32) == 0:
            return 0
        if ld64(handle + H_KIND) != PERF_ARRAY:
            return python_body(run, OUTPUT, ctx, handle, flags, data, size)
    packet = ld64(run + R_PACKET)
    wanted = (flags & CTXLEN_MASK) >> 32
    if flags & (M64 ^ (CTXLEN_MASK | INDEX_MASK)) or (wanted and (packet == 0 or ld64(packet + P_KIND) == 0)):
        return INVALID
    start = ld64(packet + P_START) if wanted else 0
    if wanted and wanted > ld64(packet + P_END) - start:
        return BAD_ADDRESS
    index = flags & INDEX_MASK
    cpu = ld64(run + R_CPU)
    return output(handle, cpu if index == THIS_CPU else index, cpu, data, size, start, wanted) & M64
