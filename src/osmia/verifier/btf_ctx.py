"""The context of programs that the kernel's BTF types: the arguments of a function, each in 64-bit words.

So it is for tracing programs.  Source: ``btf_ctx_access`` in kernel/bpf/btf.c of Linux 6.18, which says of a pointer to
a struct what it is each time an instruction loads it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from osmia.btf import Btf
from osmia.btf import types as t
from osmia.verifier.consts import (
    MEM_PERCPU,
    MEM_USER,
    PTR_MAYBE_NULL,
    PTR_TO_BTF_ID,
    PTR_TRUSTED,
    SCALAR_VALUE,
)
from osmia.verifier.env import Env

MAX_ARGS = 12
TRACEPOINT = "btf_trace_"
NULLABLE = "__nullable"
BY_RULE = ("trace_raw_tp", "trace_fentry", "trace_fexit", "modify_return")
"""Attach types of tracing programs whose context holds a function's arguments, whichever it is."""
WITH_RESULT = ("trace_fexit", "modify_return")
"""What the function returned stands behind them."""
_TAGS = {"user": MEM_USER, "percpu": MEM_PERCPU}
_KINDS = {
    t.Void: "UNKNOWN", t.Int: "INT", t.Ptr: "PTR", t.Array: "ARRAY", t.Struct: "STRUCT", t.Union: "UNION",
    t.Enum: "ENUM", t.Fwd: "FWD", t.Func: "FUNC", t.FuncProto: "FUNC_PROTO", t.Float: "FLOAT", t.Enum64: "ENUM64",
}  # fmt: skip

MAY_BE_NULL: dict[str, tuple[int, ...]] = {
    "break_lease_block": (1,), "break_lease_noblock": (1,), "break_lease_unblock": (1,), "ext4_mballoc_discard": (1,),
    "ext4_mballoc_free": (1,), "fcntl_setlk": (1,), "fib_table_lookup": (2,), "flock_lock_inode": (1,),
    "folio_wait_writeback": (1,), "generic_delete_lease": (1,), "hugetlbfs_alloc_inode": (1,), "kfree_skb": (3,),
    "locks_remove_posix": (1,), "mm_collapse_huge_page_isolate": (0,), "mm_khugepaged_collapse_file": (1,),
    "mm_khugepaged_scan_file": (1,), "mm_khugepaged_scan_pmd": (1,), "mm_page_alloc": (0,),
    "mm_page_alloc_zone_locked": (0,), "mm_page_pcpu_drain": (0,), "posix_lock_inode": (1,), "qdisc_dequeue": (3,),
    "sched_pi_setprio": (1,), "sched_stick_numa": (2,), "sched_swap_numa": (2,), "tcp_send_reset": (0, 1),
    "tcp_sendmsg_locked": (2,), "time_out_leases": (1,), "tmigr_update_events": (0,), "writeback_dirty_folio": (1,),
    "xfs_blockgc_flush_all": (0,), "xfs_blockgc_free_space": (1,), "xfs_blockgc_start": (0,), "xfs_blockgc_stop": (0,),
    "xfs_blockgc_worker": (0,), "xfs_btree_overlapped_query_range": (2,), "xfs_btree_updkeys": (2,),
    "xfs_defer_add_item": (0,), "xfs_defer_cancel_item": (0,), "xfs_defer_cancel_list": (0,),
    "xfs_defer_create_intent": (0,), "xfs_defer_finish_item": (0,), "xfs_defer_isolate_paused": (0,),
    "xfs_defer_item_pause": (0,), "xfs_defer_item_unpause": (0,), "xfs_defer_pending_abort": (0,),
    "xfs_defer_pending_finish": (0,), "xfs_defer_relog_intent": (0,), "xfs_fs_sync_fs": (0,),
    "xfs_inodegc_flush": (0,), "xfs_inodegc_push": (0,), "xfs_inodegc_queue": (0,), "xfs_inodegc_start": (0,),
    "xfs_inodegc_stop": (0,), "xfs_inodegc_throttle": (0,), "xfs_ioc_free_eofblocks": (1,),
    "xfs_map_blocks_alloc": (4,), "xfs_map_blocks_found": (4,),
}  # fmt: skip
"""Arguments of tracepoints that may be null, recorded from 6.18 by asking it of every one in its BTF."""


class Arg(NamedTuple):
    """What a load of an argument gives, and the ``text`` that the log then says; ``valid`` False: it is refused."""

    valid: bool
    text: str = ""
    type: int = SCALAR_VALUE
    btf_id: int = 0


class Target(NamedTuple):
    """The function whose arguments the context holds; a tracepoint's has one more in front (``hidden``)."""

    name: str
    btf: Btf
    proto: t.FuncProto
    hidden: int


def btf_ctx_arg(env: Env, off: int, size: int, write: bool) -> Arg:
    """What ``size`` bytes at ``off`` of a tracing program's context are."""
    if off < 0 or off >= 8 * MAX_ARGS or write or off % size:
        return Arg(False)
    target = target_of(env)
    name, btf = target.name, target.btf
    if off % 8:
        return Arg(False, f"func '{name}' offset {off} is not multiple of 8\n")
    number = _arg_number(btf, target.proto, off)
    count = len(target.proto.params) - target.hidden
    returned = number == count and env.program.expected_attach_type in WITH_RESULT
    if number >= count and not returned:
        return Arg(False, f"func '{name}' doesn't have {number + 1}-th argument\n")
    type_id = target.proto.type_id if returned else target.proto.params[number + target.hidden].type_id
    found = btf.type(btf.resolve(type_id))
    if _is_plain(found):
        return Arg(True)
    if not isinstance(found, t.Ptr):
        kind, shown = _KINDS.get(type(found), "UNKNOWN"), found.name or "(anon)"
        return Arg(False, f"func '{name}' arg{number} '{shown}' has type {kind}. Only pointer access is allowed\n")
    if size != 8:
        return Arg(False, f"func '{name}' size {size} must be 8\n")
    return _pointer(env, target, number, found)


def _is_plain(found: t.Type) -> bool:
    """A number, or a struct that is passed by value."""
    return isinstance(found, t.Enum | t.Enum64 | t.Struct | t.Union) or (isinstance(found, t.Int) and found.size <= 8)


def _arg_number(btf: Btf, proto: t.FuncProto, off: int) -> int:
    """Which argument lies at an offset; the result lies behind the last one."""
    end = 0
    for number, type_id in enumerate([*(param.type_id for param in proto.params), proto.type_id]):
        found: Any = btf.type(btf.resolve(type_id))
        end += 8 if isinstance(found, t.Ptr) else (getattr(found, "size", 0) + 7) // 8 * 8
        if off < end:
            return number
    return len(proto.params) + 1


def _pointer(env: Env, target: Target, number: int, pointer: t.Ptr) -> Arg:
    btf = target.btf
    target_id = btf.resolve(pointer.type_id)
    found = btf.type(target_id)
    if isinstance(found, t.Void | t.Int):
        return Arg(True)
    kind = _KINDS.get(type(found), "UNKNOWN")
    if not isinstance(found, t.Struct | t.Union):
        return Arg(False, f"func '{target.name}' arg{number} type {kind} is not a struct\n")
    flags = _flags(env, target, number)
    tag = btf.type(pointer.type_id)
    if isinstance(tag, t.TypeTag) and not tag.kind_flag:
        flags |= _TAGS.get(tag.name, 0)
    shown = found.name or "(anon)"
    text = f"func '{target.name}' arg{number} has btf_id {target_id} type {kind} '{shown}'\n"
    return Arg(True, text, PTR_TO_BTF_ID | flags, target_id)


def _flags(env: Env, target: Target, number: int) -> int:
    """Is the pointer trusted, may it be null?"""
    flags = PTR_TRUSTED if env.program.expected_attach_type in ("trace_raw_tp", "trace_iter") else 0
    place = number + target.hidden
    if place < len(target.proto.params) and target.proto.params[place].name.endswith(NULLABLE):
        flags |= PTR_MAYBE_NULL
    if target.hidden and number in MAY_BE_NULL.get(target.name, ()):
        flags |= PTR_MAYBE_NULL
    return flags


def target_of(env: Env) -> Target:
    """The function that the program is attached to, as ``attach`` found it; raises Unsupported where it did not."""
    found: Target | None = env.room.get("ctx target")
    if found is None:
        found = env.room["ctx target"] = _find_target(env)
    return found


def _find_target(env: Env) -> Target:
    btf: Btf | None = env.vmlinux
    proto: t.FuncProto | None = env.room.get("attach_proto")
    if btf is None or proto is None:
        raise env.unsupported("context typed by BTF")
    hidden = 1 if env.program.expected_attach_type == "trace_raw_tp" else 0
    return Target(env.room["attach_name"].removeprefix(TRACEPOINT), btf, proto, hidden)
