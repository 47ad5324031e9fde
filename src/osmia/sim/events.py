"""The context bytes of tracepoint programs, from fields by name.

System calls have two layouts of their own (``struct syscall_trace_enter`` and ``_exit``); every other event's
comes from the kernel's BTF: ``struct trace_event_raw_NAME``, whose strings (``__data_loc``) follow the record.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any

from osmia.errors import UsageError
from osmia.sim.kmem import Kmem
from osmia.sim.kobject import store

CLASSES = {
    "sched_process_exit": "sched_process_template", "sched_process_free": "sched_process_template",
    "sched_wakeup": "sched_wakeup_template", "sched_wakeup_new": "sched_wakeup_template",
    "net_dev_queue": "net_dev_template", "netif_receive_skb": "net_dev_template", "netif_rx": "net_dev_template",
}  # fmt: skip
"""Events whose record is that of a class (DECLARE_EVENT_CLASS); newer kernels give some of them one of their own."""

_COMMON = struct.Struct("=HBBi")
_DATA_LOC = "__data_loc_"

SYSCALLS: dict[str, tuple[int, tuple[str, ...]]] = {
    "read": (0, ("fd", "buf", "count")),
    "write": (1, ("fd", "buf", "count")),
    "close": (3, ("fd",)),
    "sendto": (44, ("fd", "buff", "len", "flags", "addr", "addr_len")),
    "socket": (41, ("family", "type", "protocol")),
    "clone": (56, ("clone_flags", "newsp", "parent_tidptr", "child_tidptr", "tls")),
    "execve": (59, ("filename", "argv", "envp")),
    "exit_group": (231, ("error_code",)),
    "kill": (62, ("pid", "sig")),
    "getpgid": (121, ("pid",)),
    "clock_nanosleep": (230, ("which_clock", "flags", "rqtp", "rmtp")),
    "openat": (257, ("dfd", "filename", "flags", "mode")),
    "mkdir": (83, ("pathname", "mode")),
    "rmdir": (84, ("pathname",)),
    "unlink": (87, ("pathname",)),
    "unlinkat": (263, ("dfd", "pathname", "flag")),
    "connect": (42, ("fd", "uservaddr", "addrlen")),
    "dup": (32, ("fildes",)),
    "getpid": (39, ()),
    "rename": (82, ("oldname", "newname")),
    "chmod": (90, ("filename", "mode")),
}
"""x86-64's numbers and the parameters' names, of the calls that fields may be given for by name."""


def common(name: str, pid: int) -> bytes:
    """The eight bytes that every record starts with.  The event's number differs between kernels: ours is stable."""
    return _COMMON.pack(zlib.crc32(name.encode()) % 2048 + 1, 0, 0, pid)


def syscall_enter(name: str, pid: int, number: int, args: list[int]) -> bytes:
    """``struct syscall_trace_enter``: number, then six arguments of eight bytes."""
    full = [a & 0xFFFFFFFFFFFFFFFF for a in [*args, *[0] * 6][:6]]
    return common(name, pid) + struct.pack("=q6Q", number, *full)


def syscall_exit(name: str, pid: int, number: int, ret: int) -> bytes:
    """``struct syscall_trace_exit``: number, then the result."""
    return common(name, pid) + struct.pack("=qq", number, ret)


def record(kmem: Kmem, target: str, pid: int, args: list[int], fields: dict[str, Any]) -> bytes:
    """The context of a tracepoint "group/name".  Raises UsageError for an event or field that the kernel lacks."""
    group, _, name = target.rpartition("/")
    if group == "syscalls":
        return _syscall(name, pid, args, fields)
    return _from_btf(kmem, name, pid, {"args": args, **fields} if args else fields)


def _syscall(name: str, pid: int, args: list[int], fields: dict[str, Any]) -> bytes:
    call = name.removeprefix("sys_enter_").removeprefix("sys_exit_")
    number, params = SYSCALLS.get(call, (fields.pop("__syscall_nr", -1), ()))
    if name.startswith("sys_exit_"):
        return syscall_exit(name, pid, number, int(fields.pop("ret", args[0] if args else 0)))
    if not name.startswith("sys_enter_"):
        raise UsageError(f"no tracepoint syscalls/{name}: they are sys_enter_… and sys_exit_…")
    unknown = set(fields) - set(params)
    if unknown:
        raise UsageError(f"{name} has no field {', '.join(sorted(unknown))} (it has: {', '.join(params) or 'args'})")
    named = [int(fields.get(p, 0)) for p in params]
    return syscall_enter(name, pid, number, args or named)


def is_known(kmem: Kmem, target: str) -> bool:
    """Whether the record of a tracepoint "group/name" can be built from its fields."""
    group, _, name = target.rpartition("/")
    names = (name, CLASSES.get(name, name))
    return group == "syscalls" or any(kmem.has_type(f"struct trace_event_raw_{n}") for n in names)


def struct_name(kmem: Kmem, name: str) -> str:
    """The BTF struct of an event's record.  Raises UsageError when there is none."""
    for candidate in (name, CLASSES.get(name, name)):
        if kmem.has_type(f"struct trace_event_raw_{candidate}"):
            return f"struct trace_event_raw_{candidate}"
    raise UsageError(f"this kernel's BTF describes no tracepoint {name!r}; give its record as ctx=bytes")


def _from_btf(kmem: Kmem, name: str, pid: int, fields: dict[str, Any]) -> bytes:
    kind = struct_name(kmem, name)
    made = kmem.new(kind)
    type_id, start = made.type_id, len(bytes(made))
    if kmem.has_field(type_id, "__data"):
        start = kmem.field(type_id, "__data").offset
    tail = b""
    try:
        for field, value in fields.items():
            loc = _DATA_LOC + field
            if kmem.has_field(type_id, loc):
                text = (value.encode() if isinstance(value, str) else bytes(value)) + b"\0"
                store(kmem, kmem.field(type_id, loc), made.address, len(text) << 16 | start + len(tail))
                tail += text
            else:
                made[field] = value
        return common(name, pid) + bytes(made)[8:start] + tail
    finally:
        kmem.free(made)
