"""The numbers of bpf(2): types by name, flags, constants (include/uapi/linux/bpf.h of Linux 6.18, newer ones last).

``PROG_TYPES``, ``ATTACH_TYPES`` and ``MAP_TYPES`` are tuples of names without prefix, in lower case: the index is the
number.  What follows the ``*_6_18`` counts came after 6.18 (7.0 to 7.2).
"""

from __future__ import annotations

from typing import Final

from osmia.errors import UsageError

PROG_TYPES: Final[tuple[str, ...]] = (
    *("unspec", "socket_filter", "kprobe", "sched_cls", "sched_act", "tracepoint", "xdp", "perf_event"),
    *("cgroup_skb", "cgroup_sock", "lwt_in", "lwt_out", "lwt_xmit", "sock_ops", "sk_skb", "cgroup_device"),
    *("sk_msg", "raw_tracepoint", "cgroup_sock_addr", "lwt_seg6local", "lirc_mode2", "sk_reuseport"),
    *("flow_dissector", "cgroup_sysctl", "raw_tracepoint_writable", "cgroup_sockopt", "tracing", "struct_ops"),
    *("ext", "lsm", "sk_lookup", "syscall", "netfilter"),
)
PROG_TYPES_6_18: Final = 33

ATTACH_TYPES: Final[tuple[str, ...]] = (
    *("cgroup_inet_ingress", "cgroup_inet_egress", "cgroup_inet_sock_create", "cgroup_sock_ops"),
    *("sk_skb_stream_parser", "sk_skb_stream_verdict", "cgroup_device", "sk_msg_verdict"),
    *("cgroup_inet4_bind", "cgroup_inet6_bind", "cgroup_inet4_connect", "cgroup_inet6_connect"),
    *("cgroup_inet4_post_bind", "cgroup_inet6_post_bind", "cgroup_udp4_sendmsg", "cgroup_udp6_sendmsg"),
    *("lirc_mode2", "flow_dissector", "cgroup_sysctl", "cgroup_udp4_recvmsg", "cgroup_udp6_recvmsg"),
    *("cgroup_getsockopt", "cgroup_setsockopt", "trace_raw_tp", "trace_fentry", "trace_fexit", "modify_return"),
    *("lsm_mac", "trace_iter", "cgroup_inet4_getpeername", "cgroup_inet6_getpeername"),
    *("cgroup_inet4_getsockname", "cgroup_inet6_getsockname", "xdp_devmap", "cgroup_inet_sock_release"),
    *("xdp_cpumap", "sk_lookup", "xdp", "sk_skb_verdict", "sk_reuseport_select"),
    *("sk_reuseport_select_or_migrate", "perf_event", "trace_kprobe_multi", "lsm_cgroup", "struct_ops"),
    *("netfilter", "tcx_ingress", "tcx_egress", "trace_uprobe_multi", "cgroup_unix_connect"),
    *("cgroup_unix_sendmsg", "cgroup_unix_recvmsg", "cgroup_unix_getpeername", "cgroup_unix_getsockname"),
    *("netkit_primary", "netkit_peer", "trace_kprobe_session", "trace_uprobe_session"),
    *("trace_fsession", "trace_fentry_multi", "trace_fexit_multi", "trace_fsession_multi"),
)
ATTACH_TYPES_6_18: Final = 58

MAP_TYPES: Final[tuple[str, ...]] = (
    *("unspec", "hash", "array", "prog_array", "perf_event_array", "percpu_hash", "percpu_array", "stack_trace"),
    *("cgroup_array", "lru_hash", "lru_percpu_hash", "lpm_trie", "array_of_maps", "hash_of_maps", "devmap"),
    *("sockmap", "cpumap", "xskmap", "sockhash", "cgroup_storage", "reuseport_sockarray"),
    *("percpu_cgroup_storage", "queue", "stack", "sk_storage", "devmap_hash", "struct_ops", "ringbuf"),
    *("inode_storage", "task_storage", "bloom_filter", "user_ringbuf", "cgrp_storage", "arena"),
    *("insn_array", "rhash"),
)
MAP_TYPES_6_18: Final = 34

PROG_TYPE: Final = {name: number for number, name in enumerate(PROG_TYPES)}
ATTACH_TYPE: Final = {name: number for number, name in enumerate(ATTACH_TYPES)}
MAP_TYPE: Final = {name: number for number, name in enumerate(MAP_TYPES)}

# Flags of BPF_PROG_LOAD (BPF_F_ and the name in capitals).
PROG_FLAGS: Final = {
    "strict_alignment": 1 << 0,
    "any_alignment": 1 << 1,
    "test_rnd_hi32": 1 << 2,
    "test_state_freq": 1 << 3,
    "sleepable": 1 << 4,
    "xdp_has_frags": 1 << 5,
    "xdp_dev_bound_only": 1 << 6,
    "test_reg_invariants": 1 << 7,
    "token_fd": 1 << 16,
}

# Flags of BPF_MAP_CREATE (BPF_F_ and the name in capitals).
MAP_FLAGS: Final = {
    "no_prealloc": 1 << 0,
    "no_common_lru": 1 << 1,
    "numa_node": 1 << 2,
    "rdonly": 1 << 3,
    "wronly": 1 << 4,
    "stack_build_id": 1 << 5,
    "zero_seed": 1 << 6,
    "rdonly_prog": 1 << 7,
    "wronly_prog": 1 << 8,
    "clone": 1 << 9,
    "mmapable": 1 << 10,
    "preserve_elems": 1 << 11,
    "inner_map": 1 << 12,
    "link": 1 << 13,
    "path_fd": 1 << 14,
    "vtype_btf_obj_fd": 1 << 15,
    "token_fd": 1 << 16,
    "segv_on_fault": 1 << 17,
    "no_user_conv": 1 << 18,
    "rb_overwrite": 1 << 19,
}

# Limits.
BPF_OBJ_NAME_LEN: Final = 16
BPF_TAG_SIZE: Final = 8
MAX_BPF_STACK: Final = 512
MAX_CALL_FRAMES: Final = 8
MAX_TAIL_CALL_CNT: Final = 33
BPF_MAX_LOOPS: Final = 8 * 1024 * 1024
TASK_COMM_LEN: Final = 16
MAX_TRACE_PRINTK_VARARGS: Final = 3
MAX_BPRINTF_VARARGS: Final = 12
MAX_CPUMASK: Final = 0xFFFFFFFF

# Map element operations.
BPF_ANY: Final = 0
BPF_NOEXIST: Final = 1
BPF_EXIST: Final = 2
BPF_F_LOCK: Final = 4
BPF_F_CPU: Final = 8  # 7.0
BPF_F_ALL_CPUS: Final = 16  # 7.0

# Per-CPU indices in flags arguments (perf events, redirects).
BPF_F_INDEX_MASK: Final = 0xFFFFFFFF
BPF_F_CURRENT_CPU: Final = 0xFFFFFFFF
BPF_F_CTXLEN_MASK: Final = 0xFFFFF << 32
BPF_F_CURRENT_NETNS: Final = -1

# Ring buffers.
BPF_RB_NO_WAKEUP: Final = 1
BPF_RB_FORCE_WAKEUP: Final = 2
BPF_RB_AVAIL_DATA: Final = 0
BPF_RB_RING_SIZE: Final = 1
BPF_RB_CONS_POS: Final = 2
BPF_RB_PROD_POS: Final = 3
BPF_RB_OVERWRITE_POS: Final = 4  # 6.19
BPF_RINGBUF_BUSY_BIT: Final = 1 << 31
BPF_RINGBUF_DISCARD_BIT: Final = 1 << 30
BPF_RINGBUF_HDR_SZ: Final = 8

# Stacks.
BPF_F_SKIP_FIELD_MASK: Final = 0xFF
BPF_F_USER_STACK: Final = 1 << 8
BPF_F_FAST_STACK_CMP: Final = 1 << 9
BPF_F_REUSE_STACKID: Final = 1 << 10
BPF_F_USER_BUILD_ID: Final = 1 << 11

# Packets: bpf_skb_store_bytes, bpf_l3_csum_replace, bpf_l4_csum_replace, bpf_csum_level, bpf_skb_adjust_room.
BPF_F_RECOMPUTE_CSUM: Final = 1 << 0
BPF_F_INVALIDATE_HASH: Final = 1 << 1
BPF_F_HDR_FIELD_MASK: Final = 0xF
BPF_F_PSEUDO_HDR: Final = 1 << 4
BPF_F_MARK_MANGLED_0: Final = 1 << 5
BPF_F_MARK_ENFORCE: Final = 1 << 6
BPF_F_IPV6: Final = 1 << 7
BPF_CSUM_LEVEL_QUERY: Final = 0
BPF_CSUM_LEVEL_INC: Final = 1
BPF_CSUM_LEVEL_DEC: Final = 2
BPF_CSUM_LEVEL_RESET: Final = 3
BPF_ADJ_ROOM_NET: Final = 0
BPF_ADJ_ROOM_MAC: Final = 1
BPF_F_ADJ_ROOM_FIXED_GSO: Final = 1 << 0
BPF_F_ADJ_ROOM_ENCAP_L3_IPV4: Final = 1 << 1
BPF_F_ADJ_ROOM_ENCAP_L3_IPV6: Final = 1 << 2
BPF_F_ADJ_ROOM_ENCAP_L4_GRE: Final = 1 << 3
BPF_F_ADJ_ROOM_ENCAP_L4_UDP: Final = 1 << 4
BPF_F_ADJ_ROOM_NO_CSUM_RESET: Final = 1 << 5
BPF_F_ADJ_ROOM_ENCAP_L2_ETH: Final = 1 << 6
BPF_F_ADJ_ROOM_DECAP_L3_IPV4: Final = 1 << 7
BPF_F_ADJ_ROOM_DECAP_L3_IPV6: Final = 1 << 8
BPF_HDR_START_MAC: Final = 0
BPF_HDR_START_NET: Final = 1

# Redirects.
BPF_F_INGRESS: Final = 1 << 0
BPF_F_BROADCAST: Final = 1 << 3
BPF_F_EXCLUDE_INGRESS: Final = 1 << 4
BPF_F_NEIGH: Final = 1 << 16
BPF_F_PEER: Final = 1 << 17
BPF_F_NEXTHOP: Final = 1 << 18

# Tunnels.
BPF_F_TUNINFO_IPV6: Final = 1 << 0
BPF_F_ZERO_CSUM_TX: Final = 1 << 1
BPF_F_DONT_FRAGMENT: Final = 1 << 2
BPF_F_SEQ_NUMBER: Final = 1 << 3
BPF_F_NO_TUNNEL_KEY: Final = 1 << 4

# bpf_fib_lookup.
BPF_FIB_LOOKUP_DIRECT: Final = 1 << 0
BPF_FIB_LOOKUP_OUTPUT: Final = 1 << 1
BPF_FIB_LOOKUP_SKIP_NEIGH: Final = 1 << 2
BPF_FIB_LOOKUP_TBID: Final = 1 << 3
BPF_FIB_LOOKUP_SRC: Final = 1 << 4
BPF_FIB_LOOKUP_MARK: Final = 1 << 5
BPF_FIB_LKUP_RET_SUCCESS: Final = 0
BPF_FIB_LKUP_RET_BLACKHOLE: Final = 1
BPF_FIB_LKUP_RET_UNREACHABLE: Final = 2
BPF_FIB_LKUP_RET_PROHIBIT: Final = 3
BPF_FIB_LKUP_RET_NOT_FWDED: Final = 4
BPF_FIB_LKUP_RET_FWD_DISABLED: Final = 5
BPF_FIB_LKUP_RET_UNSUPP_LWT: Final = 6
BPF_FIB_LKUP_RET_NO_NEIGH: Final = 7
BPF_FIB_LKUP_RET_FRAG_NEEDED: Final = 8
BPF_FIB_LKUP_RET_NO_SRC_ADDR: Final = 9

# Local storage, timers, sockets.
BPF_LOCAL_STORAGE_GET_F_CREATE: Final = 1
BPF_SK_STORAGE_GET_F_CREATE: Final = 1
BPF_F_TIMER_ABS: Final = 1
BPF_F_TIMER_CPU_PIN: Final = 2
BPF_SK_LOOKUP_F_REPLACE: Final = 1
BPF_SK_LOOKUP_F_NO_REUSEPORT: Final = 2
BPF_LOAD_HDR_OPT_TCP_SYN: Final = 1
BPF_F_SYSCTL_BASE_NAME: Final = 1
BPF_F_BPRM_SECUREEXEC: Final = 1
BPF_SKB_CLOCK_REALTIME: Final = 0
BPF_SKB_CLOCK_MONOTONIC: Final = 1
BPF_SKB_CLOCK_TAI: Final = 2

# BPF_PROG_TEST_RUN.
BPF_F_TEST_RUN_ON_CPU: Final = 1 << 0
BPF_F_TEST_XDP_LIVE_FRAMES: Final = 1 << 1
BPF_F_TEST_SKB_CHECKSUM_COMPLETE: Final = 1 << 2

# What XDP programs return.
XDP_ABORTED: Final = 0
XDP_DROP: Final = 1
XDP_PASS: Final = 2
XDP_TX: Final = 3
XDP_REDIRECT: Final = 4

# What tc classifiers return (include/uapi/linux/pkt_cls.h); tcx knows -1, 0, 2 and 7 (TCX_NEXT, PASS, DROP, REDIRECT).
TC_ACT_UNSPEC: Final = -1
TC_ACT_OK: Final = 0
TC_ACT_RECLASSIFY: Final = 1
TC_ACT_SHOT: Final = 2
TC_ACT_PIPE: Final = 3
TC_ACT_STOLEN: Final = 4
TC_ACT_QUEUED: Final = 5
TC_ACT_REPEAT: Final = 6
TC_ACT_REDIRECT: Final = 7
TC_ACT_TRAP: Final = 8

# What the others return.
SK_DROP: Final = 0
SK_PASS: Final = 1
BPF_OK: Final = 0
BPF_DROP: Final = 2
BPF_REDIRECT: Final = 7
BPF_LWT_REROUTE: Final = 128
BPF_FLOW_DISSECTOR_CONTINUE: Final = 129
NF_DROP: Final = 0
NF_ACCEPT: Final = 1


def prog_type(name: str) -> int:
    """The number of a program type; raises UsageError."""
    return _number(name, PROG_TYPE, "program type")


def attach_type(name: str) -> int:
    """The number of an attach type; raises UsageError."""
    return _number(name, ATTACH_TYPE, "attach type")


def map_type(name: str) -> int:
    """The number of a map type; raises UsageError."""
    return _number(name, MAP_TYPE, "map type")


def _number(name: str, table: dict[str, int], what: str) -> int:
    if name not in table:
        raise UsageError(f"unknown {what} {name!r}; known: {', '.join(table)}")
    return table[name]
