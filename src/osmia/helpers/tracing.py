"""Arguments and results of traced functions, process namespaces (kernel/trace/bpf_trace.c, kernel/bpf/helpers.c)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from osmia.errors import MissingBody
from osmia.helpers.perf import output
from osmia.helpers.registry import helper
from osmia.kernel.uapi import BPF_F_CTXLEN_MASK, BPF_F_INDEX_MASK
from osmia.raw import fill, ld64, read, st32, st64

if TYPE_CHECKING:
    from osmia.vm.env import Env

EINVAL = errno.EINVAL
WITH_RESULT = ("trace_fexit", "modify_return", "trace_fsession")
PIDNS_INFO = 8
"""``sizeof(struct bpf_pidns_info)``."""


def argument_count(env: Env, ctx: Any) -> int:
    """Arguments of the traced function: the context's words, without the result's."""
    with_result = env.program is not None and env.program.expected_attach_type in WITH_RESULT
    return int(ctx.size) // 8 - with_result


@helper("bpf_get_func_arg_cnt")
def get_func_arg_cnt(env: Env, ctx: Any) -> int:
    """How many arguments the traced function has."""
    return argument_count(env, ctx)


@helper("bpf_get_func_arg")
def get_func_arg(env: Env, ctx: Any, number: int, out: int) -> int:
    """One argument; -EINVAL where there is none of that number."""
    if number >= argument_count(env, ctx):
        return -EINVAL
    st64(out, ld64(ctx.address + 8 * number))
    return 0


@helper("bpf_get_func_ret")
def get_func_ret(env: Env, ctx: Any, out: int) -> int:
    """What the traced function returned."""
    count = argument_count(env, ctx)
    if 8 * count + 8 > ctx.size:
        return -errno.EOPNOTSUPP
    st64(out, ld64(ctx.address + 8 * count))
    return 0


@helper("bpf_get_ns_current_pid_tgid")
def get_ns_current_pid_tgid(env: Env, dev: int, ino: int, out: int, size: int) -> int:
    """pid and tgid as the task's namespace has them.  A host without ``pid_ns`` has one, which any (dev, ino) names."""
    space = getattr(env.host, "pid_ns", None)
    if size != PIDNS_INFO or (space is not None and space != (dev, ino)):
        fill(out, 0, size)
        return -EINVAL
    st32(out, env.host.task.pid)
    st32(out + 4, env.host.task.tgid)
    return 0


def object_output(env: Env, m: object, flags: int, data: int, size: int, name: str) -> int:
    """A sample from a tracing program that sees a packet's kernel object; the packet's bytes can't be added yet."""
    if flags & ~(BPF_F_CTXLEN_MASK | BPF_F_INDEX_MASK):
        return -EINVAL
    if flags & BPF_F_CTXLEN_MASK:
        raise MissingBody(name, "bytes of the packet behind a kernel object")
    return output(env, m, flags, read(data, size))


@helper("bpf_skb_output")
def skb_output(env: Env, skb: int, m: object, flags: int, data: int, size: int) -> int:
    """A sample beside a struct sk_buff."""
    return object_output(env, m, flags, data, size, "bpf_skb_output")


@helper("bpf_xdp_output")
def xdp_output(env: Env, xdp: int, m: object, flags: int, data: int, size: int) -> int:
    """A sample beside a struct xdp_buff."""
    return object_output(env, m, flags, data, size, "bpf_xdp_output")
