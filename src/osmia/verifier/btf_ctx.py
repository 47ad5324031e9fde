"""The context of programs that the kernel's BTF types: the arguments of a function, each in 64-bit words.

So it is for tracing, LSM and struct_ops programs and for those that replace others.  Source: ``btf_ctx_access`` in
kernel/bpf/btf.c of Linux 6.18, which says of a pointer to a struct what it is each time an instruction loads it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from osmia.btf import Btf
from osmia.btf import types as t
from osmia.verifier import consts
from osmia.verifier.attach_lsm import is_trusted_hook
from osmia.verifier.consts import (
    BASE_TYPE_MASK,
    MEM_PERCPU,
    MEM_USER,
    PTR_MAYBE_NULL,
    PTR_TO_BTF_ID,
    PTR_TRUSTED,
    SCALAR_VALUE,
)
from osmia.verifier.env import Env
from osmia.verifier.prog_ctx import is_prog_ctx_type, kernel_ctx
from osmia.verifier.struct_ops import marked_arg

MAX_ARGS = 12
TRACEPOINT = "btf_trace_"
NULLABLE = "__nullable"
MAX_REGISTER_ARGS = 5
BY_RULE = ("tracing", "lsm", "struct_ops")
"""Program types whose context holds a function's arguments, whichever it is."""
WITH_RESULT = ("trace_fexit", "lsm_mac", "lsm_cgroup")
"""Attach types where what the function returned stands behind them; fmod_ret has it of functions that return int."""
TRUSTED = ("trace_raw_tp", "trace_iter")
PROMOTED = {"tcp_congestion_ops": ("sock", "tcp_sock"), "Qdisc_ops": ("sk_buff", "bpf_sk_buff_ptr")}
"""Members get one struct, and programs see the larger one around it (``bpf_tcp_ca_is_valid_access`` and others)."""
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
MAY_BE_ERROR: dict[str, tuple[int, ...]] = {
    "cachefiles_lookup": (2,), "nfs4_inode_callback_event": (2,), "nfs4_inode_stateid_callback_event": (2,),
    "mr_integ_alloc": (3,),
}  # fmt: skip
"""Arguments of tracepoints that may be an error instead of a pointer, from the same table of the kernel; no recorded
kernel has these tracepoints built in."""


class Arg(NamedTuple):
    """What a load of an argument gives, and the ``text`` that the log then says; ``valid`` False: it is refused.

    ``returned``: it is what the hook returned.
    """

    valid: bool
    text: str = ""
    type: int = SCALAR_VALUE
    btf_id: int = 0
    ref_obj_id: int = 0
    returned: bool = False


class Target(NamedTuple):
    """The function whose arguments the context holds; a tracepoint's has one more in front (``hidden``).

    ``proto`` is None where nothing is known: five numbers then.  ``prog_type`` is that of the program that the function
    belongs to, empty of the kernel's own.
    """

    name: str
    btf: Btf
    proto: t.FuncProto | None
    hidden: int
    prog_type: str


def btf_ctx_arg(env: Env, off: int, size: int, write: bool) -> Arg:
    """What ``size`` bytes at ``off`` of the context are.  Raises Unsupported where the target's types are not there."""
    lsm = env.prog_type == "lsm"
    if not lsm and (off < 0 or off >= 8 * MAX_ARGS or write or off % size):
        return Arg(False)  # programs on LSM hooks may write their own copy of the arguments
    target = target_of(env)
    name, btf, proto = target.name, target.btf, target.proto
    if off % 8:
        return Arg(False, f"func '{name}' offset {off} is not multiple of 8\n")
    number = off // 8 if proto is None or not env.rules.struct_arguments else _arg_number(btf, proto, off)
    count = MAX_REGISTER_ARGS if proto is None else len(proto.params) - target.hidden
    if number > count or off < 0:
        return Arg(False, f"func '{name}' doesn't have {number + 1}-th argument\n")
    if proto is None:
        return _unknown_arg(env, target, number, count)
    if number < count:
        return promoted(env, argument(env, target, number, off, size))
    return _result(env, target, number, size)


def _unknown_arg(env: Env, target: Target, number: int, count: int) -> Arg:
    """Of a function of which nothing is sure."""
    kind = env.program.expected_attach_type
    if number < count or kind in WITH_RESULT:
        return Arg(True)
    if kind == "modify_return":
        return Arg(False)
    return Arg(False, f"func '{target.name}' doesn't have {number + 1}-th argument\n")


def _result(env: Env, target: Target, number: int, size: int) -> Arg:
    """What the function returned, where the program runs behind it."""
    kind = env.program.expected_attach_type
    assert target.proto is not None
    btf, type_id = target.btf, target.proto.type_id
    if kind == "modify_return":
        found = btf.type(btf.resolve(type_id))
        if not (isinstance(found, t.Int) and found.size <= 8):
            return Arg(False, f"ret type {_kind(found)} not allowed for fmod_ret\n")
    elif kind not in WITH_RESULT:
        return Arg(False, f"func '{target.name}' doesn't have {number + 1}-th argument\n")
    return typed(env, target, number, size, type_id)._replace(returned=kind == "lsm_mac")


def argument(env: Env, target: Target, number: int, off: int, size: int) -> Arg:
    """An argument of the function; those that the kernel's stubs mark, and iterators declare, are what it says."""
    assert target.proto is not None
    type_id = target.proto.params[number + target.hidden].type_id
    found = typed(env, target, number, size, type_id)
    pointer = target.btf.type(target.btf.resolve(type_id))
    if size != 8 or not isinstance(pointer, t.Ptr):
        return found
    declared = declared_arg(env, off)
    if declared is not None and (found.type != SCALAR_VALUE or not found.valid or declared.btf_id == 0):
        return declared
    return found


def declared_arg(env: Env, off: int) -> Arg | None:
    """A pointer that its owner declares: of an iterator the profile says so, of a struct_ops the stub's names."""
    if env.program.expected_attach_type == "trace_iter":
        program = env.program
        shape = env.profile.shape(env.prog_type, program.expected_attach_type, program.attach_target)
        field = shape.ctx_access(off, 8, False)
        if field is None or not field.type.endswith("PTR_MAYBE_NULL"):
            return None
        btf_id = env.vmlinux.find(field.btf, t.Struct) if env.vmlinux and field.btf else None
        return Arg(True, "", _number_of(field.type), btf_id or 0)
    marked = marked_arg(env, off)
    return Arg(True, "", marked.type, marked.btf_id, marked.ref_obj_id) if marked is not None else None


def _number_of(words: str) -> int:
    """A register type by the kernel's names."""
    type = 0
    for word in words.split(" | "):
        type |= int(getattr(consts, word))
    return type


def typed(env: Env, target: Target, number: int, size: int, type_id: int) -> Arg:
    """What BTF says of an argument, or of the result."""
    btf, name = target.btf, target.name
    found = btf.type(btf.resolve(type_id))
    if _is_plain(found) and _is_taken(env, found):
        return Arg(True)
    if not isinstance(found, t.Ptr):
        shown = found.name or "(anon)"
        text = f"func '{name}' arg{number} '{shown}' has type {_kind(found)}. Only pointer access is allowed\n"
        return Arg(False, text)
    if size != 8 and env.rules.ctx_pointer_size:
        return Arg(False, f"func '{name}' size {size} must be 8\n")
    return _translated(env, target, number, found) if target.prog_type else _pointer(env, target, number, found)


def _kind(found: t.Type) -> str:
    return _KINDS.get(type(found), "UNKNOWN")


def _is_plain(found: t.Type) -> bool:
    """A number, or a struct that is passed by value."""
    return isinstance(found, t.Enum | t.Enum64 | t.Struct | t.Union) or (isinstance(found, t.Int) and found.size <= 8)


def _is_taken(env: Env, found: t.Type) -> bool:
    """Does the kernel know how to hand over such a type by value?"""
    if isinstance(found, t.Union):
        return env.rules.union_arguments
    return env.rules.struct_arguments or not isinstance(found, t.Struct)


def _arg_number(btf: Btf, proto: t.FuncProto, off: int) -> int:
    """Which argument lies at an offset; the result lies behind the last one."""
    end = 0
    if off < 0:
        return len(proto.params) + 1  # the kernel compares without sign
    for number, type_id in enumerate([*(param.type_id for param in proto.params), proto.type_id]):
        found: Any = btf.type(btf.resolve(type_id))
        end += 8 if isinstance(found, t.Ptr) else (getattr(found, "size", 0) + 7) // 8 * 8
        if off < end:
            return number
    return len(proto.params) + 1


def _translated(env: Env, target: Target, number: int, pointer: t.Ptr) -> Arg:
    """A pointer that a program's function takes: the kernel's own struct, if it is the context; else it is refused."""
    pointed = target.btf.type(target.btf.resolve(pointer.type_id))
    if isinstance(pointed, t.Void | t.Int):
        return Arg(True)
    if not is_prog_ctx_type(env, target.btf, pointer, number, target.prog_type):
        return Arg(False)
    found = kernel_ctx(env, target.prog_type)
    return Arg(True, "", PTR_TO_BTF_ID, found) if found else Arg(False)


def _pointer(env: Env, target: Target, number: int, pointer: t.Ptr) -> Arg:
    """A pointer of the kernel's: one to numbers is a number itself, one to a struct is typed."""
    btf = target.btf
    target_id = btf.resolve(pointer.type_id)
    found = btf.type(target_id)
    struct = isinstance(found, t.Struct | t.Union)
    if isinstance(found, t.Int) or (env.rules.ctx_any_pointer and not struct):
        return Arg(True)
    if isinstance(found, t.Void) and (env.rules.ctx_void_qualified or not pointer.type_id):
        return Arg(True)
    if not isinstance(found, t.Struct | t.Union):
        return Arg(False, f"func '{target.name}' arg{number} type {_kind(found)} is not a struct\n")
    flags = _flags(env, target, number)
    tag = btf.type(pointer.type_id)
    if isinstance(tag, t.TypeTag) and not tag.kind_flag:
        flags |= _TAGS.get(tag.name, 0)
    shown = found.name or "(anon)"
    text = f"func '{target.name}' arg{number} has btf_id {target_id} type {_kind(found)} '{shown}'\n"
    if target.hidden and number in MAY_BE_ERROR.get(target.name, ()):
        return Arg(True, text + f"marking pointer arg{number} as scalar as it may encode error")
    return Arg(True, text, PTR_TO_BTF_ID | flags, target_id)


def _flags(env: Env, target: Target, number: int) -> int:
    """Is the pointer trusted, may it be null?"""
    assert target.proto is not None
    flags = PTR_TRUSTED if env.rules.trusted_pointers and args_trusted(env, target) else 0
    place = number + target.hidden
    if place < len(target.proto.params) and target.proto.params[place].name.endswith(NULLABLE):
        flags |= PTR_MAYBE_NULL
    if target.hidden and number in MAY_BE_NULL.get(target.name, ()):
        flags |= PTR_MAYBE_NULL
    return flags


def args_trusted(env: Env, target: Target) -> bool:
    """Are the arguments whole objects for sure?  (``prog_args_trusted``.)"""
    if env.prog_type == "lsm":
        return is_trusted_hook(env, target.name)
    return env.prog_type == "struct_ops" or env.program.expected_attach_type in TRUSTED


def promoted(env: Env, arg: Arg) -> Arg:
    """Members of some structs get less than programs see."""
    small, large = PROMOTED.get(env.room.get("struct_ops", ""), ("", ""))
    if not small or not arg.valid or arg.type & BASE_TYPE_MASK != PTR_TO_BTF_ID or env.vmlinux is None:
        return arg
    if arg.type & ~BASE_TYPE_MASK & ~PTR_TRUSTED or arg.btf_id != env.vmlinux.find(small, t.Struct):
        return arg
    return arg._replace(btf_id=env.vmlinux.find(large, t.Struct) or arg.btf_id)


def target_of(env: Env) -> Target:
    """The function that the program is attached to, as ``attach`` found it; raises Unsupported where it did not."""
    found: Target | None = env.room.get("ctx target")
    if found is None:
        found = env.room["ctx target"] = _find_target(env)
    return found


def _find_target(env: Env) -> Target:
    btf: Btf | None = env.room.get("attach_btf")
    assert btf is not None  # ``check_attach_btf_id`` came before the walk, and found the target or refused the program
    traced = env.program.expected_attach_type == "trace_raw_tp"
    target = env.room.get("target")
    name = env.room["attach_name"].removeprefix(TRACEPOINT) if traced else env.room["attach_name"]
    return Target(name, btf, env.room["attach_proto"], 1 if traced else 0, target.prog_type if target else "")
