"""The current task where it keeps no words (else ``fast_tasks``); what the context knows of the attachment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from osmia.helpers.registry import helper
from osmia.raw import write

if TYPE_CHECKING:
    from osmia.vm.env import Env


@helper("bpf_get_current_pid_tgid")
def get_current_pid_tgid(env: Env) -> int:
    """Process (tgid) above, thread (pid) below."""
    return (env.host.task.tgid & 0xFFFFFFFF) << 32 | (env.host.task.pid & 0xFFFFFFFF)


@helper("bpf_get_current_uid_gid")
def get_current_uid_gid(env: Env) -> int:
    """Group above, user below."""
    return (env.host.task.gid & 0xFFFFFFFF) << 32 | (env.host.task.uid & 0xFFFFFFFF)


@helper("bpf_get_current_comm")
def get_current_comm(env: Env, buf: int, size: int) -> int:
    """The command's name, cut to the buffer and padded with zeros."""
    if size:
        write(buf, env.host.task.comm.split(b"\0", 1)[0][: min(size, 16) - 1].ljust(size, b"\0"))
    return 0


@helper("bpf_get_current_task")
def get_current_task(env: Env) -> int:
    """Address of the task_struct, as a number; the first to ask has it made."""
    return env.host.task.address


@helper("bpf_get_current_task_btf")
def get_current_task_btf(env: Env) -> int:
    """Address of the task_struct, as a pointer."""
    return env.host.task.address


@helper("bpf_get_func_ip")
def get_func_ip(env: Env, ctx: Any) -> int:
    """Address of the traced function, where the context knows it."""
    return int(getattr(ctx, "func_ip", 0))


@helper("bpf_get_attach_cookie")
def get_attach_cookie(env: Env, ctx: Any) -> int:
    """The number given when the program was attached, where the context knows it."""
    return int(getattr(ctx, "cookie", 0))
