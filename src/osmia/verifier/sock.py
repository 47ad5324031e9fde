"""What programs may read of ``struct bpf_sock``, ``bpf_tcp_sock`` and ``bpf_xdp_sock`` (include/uapi/linux/bpf.h).

The rules are those of ``bpf_sock_is_valid_access`` and its siblings, net/core/filter.c of Linux 6.18.
"""

from __future__ import annotations

from osmia.verifier.consts import PTR_TO_SOCK_COMMON, PTR_TO_SOCKET, PTR_TO_TCP_SOCK, PTR_TO_XDP_SOCK

SOCK_SIZE, TCP_SOCK_SIZE = 80, 112
COMMON = range(8, 24)
"""type, protocol, mark and priority of ``struct bpf_sock``: not for a socket that may be a request or time-wait one."""
STARTS = (4, 8, 12, 44, 72, 76)
"""family, type, protocol, source port, state, queue: the first bytes may be read alone."""
ADDRESSES = (range(24, 44), range(52, 72))
"""Source and destination: any part may be read."""
DST_PORT, DST_PORT_SIZE = range(48, 50), 2
PADDING = range(50, 52)
WIDE = (80, 88)
"""bytes_received and bytes_acked of ``struct bpf_tcp_sock`` are 64 bits wide."""


def may_read_sock(off: int, size: int) -> bool:
    """May ``size`` bytes at ``off`` of a full socket be read?"""
    if not 0 <= off < SOCK_SIZE or off % size:
        return False
    if off in DST_PORT:
        return size == 4 or size <= DST_PORT_SIZE
    if off in PADDING:
        return False
    if off in STARTS or any(off in fields for fields in ADDRESSES):
        return size <= 4
    return size == 4


def may_read_tcp_sock(off: int, size: int) -> bool:
    """May they be read of a TCP socket?"""
    return 0 <= off < TCP_SOCK_SIZE and off % size == 0 and size == (8 if off in WIDE else 4)


def may_read(type: int, off: int, size: int) -> bool:
    """May ``size`` bytes at ``off`` be read through a socket pointer of this register type?"""
    if type == PTR_TO_SOCKET:
        return may_read_sock(off, size)
    if type == PTR_TO_SOCK_COMMON:
        return off not in COMMON and may_read_sock(off, size)
    if type == PTR_TO_TCP_SOCK:
        return may_read_tcp_sock(off, size)
    return type == PTR_TO_XDP_SOCK and off == 0 and size == 4
