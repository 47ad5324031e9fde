"""Program types: what they get as context, and what their return value means (Linux 6.18).

The context is the struct that the program sees (``include/linux/bpf_types.h``); return values are those that the
caller of the program tells apart (``include/uapi/linux/bpf.h``, ``pkt_cls.h``, ``netfilter.h``).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from osmia.errors import UsageError
from osmia.kernel.uapi import PROG_TYPES

_VERDICT = {0: "SK_DROP", 1: "SK_PASS"}
_CGROUP = {0: "reject", 1: "allow"}
_TC = {
    -1: "TC_ACT_UNSPEC",
    0: "TC_ACT_OK",
    1: "TC_ACT_RECLASSIFY",
    2: "TC_ACT_SHOT",
    3: "TC_ACT_PIPE",
    4: "TC_ACT_STOLEN",
    5: "TC_ACT_QUEUED",
    6: "TC_ACT_REPEAT",
    7: "TC_ACT_REDIRECT",
    8: "TC_ACT_TRAP",
}
_XDP = {0: "XDP_ABORTED", 1: "XDP_DROP", 2: "XDP_PASS", 3: "XDP_TX", 4: "XDP_REDIRECT"}
_LWT = {0: "BPF_OK", 2: "BPF_DROP", 7: "BPF_REDIRECT", 128: "BPF_LWT_REROUTE"}
_FLOW = {0: "BPF_OK", 2: "BPF_DROP", 129: "BPF_FLOW_DISSECTOR_CONTINUE"}
_EGRESS = {0: "drop", 1: "pass", 2: "drop, congestion", 3: "pass, congestion"}
_REWRITE = {0: "reject", 1: "allow", 2: "reject, no privilege check", 3: "allow, no privilege check"}


@dataclass(frozen=True, slots=True)
class ProgType:
    """One program type.

    ``context`` is the C name of the context struct (``"struct xdp_md"``), ``""`` where arguments are 64-bit words
    whose types come from BTF.  ``returns`` names the return values that mean something; a value that is not in it
    means "other".  ``packet`` says that the context carries a packet.
    """

    name: str
    number: int
    context: str
    returns: dict[int, str] = field(default_factory=dict)
    packet: bool = False

    def return_name(self, value: int) -> str:
        """What the value means ("XDP_DROP"), or the plain number; takes r0 as u64 or s32."""
        signed = ((value & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000
        return self.returns.get(signed, str(signed) if self.returns else str(value))


_SKB = "struct __sk_buff"
_REGS = "struct pt_regs"

# name: (context, returns, carries a packet)
_ROWS: dict[str, tuple[str, dict[int, str], bool]] = {
    "unspec": ("", {}, False),
    "socket_filter": (_SKB, {0: "drop"}, True),
    "kprobe": (_REGS, {}, False),
    "sched_cls": (_SKB, _TC, True),
    "sched_act": (_SKB, _TC, True),
    "tracepoint": ("", {}, False),
    "xdp": ("struct xdp_md", _XDP, True),
    "perf_event": ("struct bpf_perf_event_data", {}, False),
    "cgroup_skb": (_SKB, _EGRESS, True),
    "cgroup_sock": ("struct bpf_sock", _CGROUP, False),
    "lwt_in": (_SKB, _LWT, True),
    "lwt_out": (_SKB, _LWT, True),
    "lwt_xmit": (_SKB, _LWT, True),
    "sock_ops": ("struct bpf_sock_ops", {}, False),
    "sk_skb": (_SKB, _VERDICT, True),
    "cgroup_device": ("struct bpf_cgroup_dev_ctx", _CGROUP, False),
    "sk_msg": ("struct sk_msg_md", _VERDICT, False),
    "raw_tracepoint": ("struct bpf_raw_tracepoint_args", {}, False),
    "cgroup_sock_addr": ("struct bpf_sock_addr", _REWRITE, False),
    "lwt_seg6local": (_SKB, _LWT, True),
    "lirc_mode2": ("unsigned int", {}, False),
    "sk_reuseport": ("struct sk_reuseport_md", _VERDICT, False),
    "flow_dissector": (_SKB, _FLOW, True),
    "cgroup_sysctl": ("struct bpf_sysctl", _CGROUP, False),
    "raw_tracepoint_writable": ("struct bpf_raw_tracepoint_args", {}, False),
    "cgroup_sockopt": ("struct bpf_sockopt", _CGROUP, False),
    "tracing": ("", {}, False),
    "struct_ops": ("", {}, False),
    "ext": ("", {}, False),
    "lsm": ("", {}, False),
    "sk_lookup": ("struct bpf_sk_lookup", _VERDICT, False),
    "syscall": ("", {}, False),
    "netfilter": ("struct bpf_nf_ctx", {0: "NF_DROP", 1: "NF_ACCEPT"}, False),
}

TYPES: dict[str, ProgType] = {name: ProgType(name, number, *_ROWS[name]) for number, name in enumerate(PROG_TYPES)}


def prog_type(name: str) -> ProgType:
    """The program type of that name; raises UsageError."""
    if name not in TYPES:
        raise UsageError(f"unknown program type {name!r}; known: {', '.join(TYPES)}")
    return TYPES[name]
