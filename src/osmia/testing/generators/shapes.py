"""The program types that generated programs have, each with an attach type it goes with and what it may return."""

from __future__ import annotations

from typing import NamedTuple

SLEEPABLE = 1 << 4


class Kind(NamedTuple):
    """A program type to try.  ``weight``: how often; ``context``: the C struct behind r1, for global functions."""

    prog_type: str
    attach: str = ""
    returns: tuple[int, int] = (0, 1)
    weight: int = 1
    flags: int = 0
    context: str = ""


KINDS = (
    Kind("socket_filter", weight=4, context="__sk_buff"),
    Kind("kprobe", weight=3),
    Kind("sched_cls", weight=5, context="__sk_buff"),
    Kind("sched_act", context="__sk_buff"),
    Kind("tracepoint", weight=2),
    Kind("xdp", returns=(0, 4), weight=5, context="xdp_md"),
    Kind("perf_event", weight=1, context="bpf_perf_event_data"),
    Kind("cgroup_skb", "cgroup_inet_ingress", weight=2, context="__sk_buff"),
    Kind("cgroup_skb", "cgroup_inet_egress", (0, 3), context="__sk_buff"),
    Kind("cgroup_sock", "cgroup_inet_sock_create", context="bpf_sock"),
    Kind("cgroup_sock", "cgroup_inet4_post_bind", context="bpf_sock"),
    Kind("lwt_in", context="__sk_buff"), Kind("lwt_out", context="__sk_buff"), Kind("lwt_xmit", context="__sk_buff"),
    Kind("lwt_seg6local", context="__sk_buff"),
    Kind("sock_ops", "cgroup_sock_ops", context="bpf_sock_ops"),
    Kind("sk_skb", "sk_skb_stream_verdict", weight=2, context="__sk_buff"),
    Kind("cgroup_device", "cgroup_device", context="bpf_cgroup_dev_ctx"),
    Kind("sk_msg", "sk_msg_verdict", weight=2, context="sk_msg_md"),
    Kind("raw_tracepoint", weight=2), Kind("raw_tracepoint_writable"),
    Kind("cgroup_sock_addr", "cgroup_inet4_connect", context="bpf_sock_addr"),
    Kind("cgroup_sock_addr", "cgroup_inet6_bind", (0, 3), context="bpf_sock_addr"),
    Kind("cgroup_sock_addr", "cgroup_udp4_recvmsg", (1, 1), context="bpf_sock_addr"),
    Kind("lirc_mode2", "lirc_mode2"),
    Kind("sk_reuseport", "sk_reuseport_select", context="sk_reuseport_md"),
    Kind("flow_dissector", "flow_dissector", (0, 0), context="__sk_buff"),
    Kind("cgroup_sysctl", "cgroup_sysctl", context="bpf_sysctl"),
    Kind("cgroup_sockopt", "cgroup_setsockopt", context="bpf_sockopt"),
    Kind("cgroup_sockopt", "cgroup_getsockopt", context="bpf_sockopt"),
    Kind("sk_lookup", "sk_lookup", context="bpf_sk_lookup"),
    Kind("syscall", flags=SLEEPABLE),
    Kind("netfilter", "netfilter"),
)  # fmt: skip
WEIGHTED = tuple(kind for kind in KINDS for _ in range(kind.weight))
