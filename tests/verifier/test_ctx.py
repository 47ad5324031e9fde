"""Contexts, sockets and kernel structs, here and in the running kernel."""

import pytest

from osmia import live
from osmia.errors import KernelError
from osmia.isa import Insn
from osmia.obj.model import Program
from osmia.testing.answers import Kernel, ask_osmia
from osmia.verifier.consts import PTR_TO_SOCK_COMMON, PTR_TO_SOCKET, PTR_TO_TCP_SOCK, PTR_TO_XDP_SOCK
from osmia.verifier.env import Powers
from osmia.verifier.sock import may_read

LOADS = {1: 0x71, 2: 0x69, 4: 0x61, 8: 0x79}
END = [Insn(0xB7), Insn(0x95)]
TYPES = [
    *(("socket_filter", ""), ("kprobe", ""), ("sched_cls", ""), ("tracepoint", ""), ("xdp", "xdp"), ("perf_event", "")),
    *(
        ("cgroup_skb", "cgroup_inet_egress"),
        ("cgroup_sock", "cgroup_inet4_post_bind"),
        ("lwt_in", ""),
        ("sock_ops", ""),
    ),
    *(("sk_skb", "sk_skb_stream_parser"), ("cgroup_device", "cgroup_device"), ("sk_msg", "sk_msg_verdict")),
    *(("raw_tracepoint", ""), ("cgroup_sock_addr", "cgroup_udp6_sendmsg"), ("sk_reuseport", "sk_reuseport_select")),
    *(("flow_dissector", "flow_dissector"), ("cgroup_sysctl", "cgroup_sysctl"), ("raw_tracepoint_writable", "")),
    *(("cgroup_sockopt", "cgroup_getsockopt"), ("sk_lookup", "sk_lookup"), ("netfilter", "netfilter")),
]
TRACEPOINTS = ("sched_switch", "kfree_skb", "task_rename", "initcall_finish", "sys_enter", "posix_lock_inode")


@pytest.fixture(scope="module")
def kernel():
    if (why := live.available()) is not None:
        pytest.skip(str(why))
    return Kernel()


def same(kernel, program):
    try:
        theirs = kernel.ask(program, 2, Powers())
    except KernelError as error:
        pytest.skip(str(error))
    ours = ask_osmia(program, 2, Powers())
    assert (ours.errno, ours.log) == (theirs.errno, theirs.log)


@pytest.mark.parametrize("size", LOADS)
@pytest.mark.parametrize(
    ("type", "yes", "no"),
    [
        (PTR_TO_SOCKET, {1: 28, 2: 44, 4: 20, 8: -1}, {1: 45, 2: 50, 4: 6, 8: 24}),
        (PTR_TO_SOCK_COMMON, {1: 4, 2: 4, 4: 0, 8: -1}, {1: 8, 2: 12, 4: 16, 8: 0}),
        (PTR_TO_TCP_SOCK, {1: -1, 2: -1, 4: 0, 8: 80}, {1: 0, 2: 0, 4: 80, 8: 96}),
        (PTR_TO_XDP_SOCK, {1: -1, 2: -1, 4: 0, 8: -1}, {1: 0, 2: 0, 4: 4, 8: 0}),
    ],
)
def test_sockets(type, yes, no, size):
    assert yes[size] < 0 or may_read(type, yes[size], size)
    assert not may_read(type, no[size], size)
    assert not may_read(type, -size, size)
    assert not may_read(type, 1000, size)


@pytest.mark.live
@pytest.mark.parametrize(("kind", "attach"), TYPES, ids=[kind for kind, _ in TYPES])
def test_every_field_is_as_in_the_kernel(kernel, kind, attach):
    for off in (*range(0, 40), *range(40, 200, 4)):
        for code in LOADS.values():
            program = Program("t", kind, [Insn(code, 0, 1, off), *END], expected_attach_type=attach, license="GPL")
            same(kernel, program)


@pytest.mark.live
@pytest.mark.parametrize("name", TRACEPOINTS)
def test_tracepoints_by_btf(kernel, name):
    """Each argument, and what lies behind it."""
    for off in range(0, 40, 4):
        for behind in (0, 8, 16, 64, 1000):
            insns = [Insn(0x79, 2, 1, off), Insn(0x79, 3, 2, behind), Insn(0x71, 4, 3, 0), *END]
            program = Program("t", "tracing", insns, license="GPL")
            program.expected_attach_type, program.attach_target = "trace_raw_tp", name
            same(kernel, program)
