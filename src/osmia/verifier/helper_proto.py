"""The helpers' prototypes as the verifier uses them: kinds as numbers and flags, and what some helpers do besides.

(``struct bpf_func_proto``, ``bpf_helper_changes_pkt_data`` and the ``is_…_function`` predicates of
kernel/bpf/verifier.c; Linux 6.18.)
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from osmia.errors import UsageError
from osmia.kernel import helpers
from osmia.kernel.helpers import HelperProto, helper_by_id, helper_by_name
from osmia.verifier import consts

if TYPE_CHECKING:
    from osmia.verifier.env import Env

TAIL_CALL = 12
CHANGE_PACKET = (
    *("clone_redirect", "l3_csum_replace", "l4_csum_replace", "lwt_push_encap", "lwt_seg6_action"),
    *("lwt_seg6_adjust_srh", "lwt_seg6_store_bytes", "msg_pop_data", "msg_pull_data", "msg_push_data"),
    *("skb_adjust_room", "skb_change_head", "skb_change_proto", "skb_change_tail", "skb_pull_data"),
    *("skb_store_bytes", "skb_vlan_pop", "skb_vlan_push", "store_hdr_opt", "xdp_adjust_head"),
    *("xdp_adjust_meta", "xdp_adjust_tail"),
)
"""Helpers after which no pointer into the packet holds any more."""
ACQUIRE = ("sk_lookup_tcp", "sk_lookup_udp", "skc_lookup_tcp", "ringbuf_reserve", "kptr_xchg")
CAST = (
    *("tcp_sock", "sk_fullsock", "skc_to_tcp_sock", "skc_to_tcp6_sock", "skc_to_udp6_sock", "skc_to_mptcp_sock"),
    *("skc_to_tcp_timewait_sock", "skc_to_tcp_request_sock"),
)
"""Helpers whose result is the object that was passed, under another type: its reference goes along."""
RECORD_MAP = (
    *("tail_call", "map_lookup_elem", "map_update_elem", "map_delete_elem", "map_push_elem", "map_pop_elem"),
    *("map_peek_elem", "for_each_map_elem", "redirect_map", "map_lookup_percpu_elem"),
)
"""Helpers that the kernel may bind to the map they are called with."""
SPECIAL = (
    *("tail_call", "get_local_storage", "for_each_map_elem", "timer_set_callback", "find_vma", "snprintf", "loop"),
    *("set_retval", "per_cpu_ptr", "this_cpu_ptr", "user_ringbuf_drain", "get_func_ip"),
    *("dynptr_from_mem", "dynptr_write", "dynptr_data"),
)
"""Helpers with rules of their own."""
WRITE_MAP = ("map_delete_elem", "map_update_elem", "map_push_elem", "map_pop_elem")
RETURNED_STRUCTS = {"bpf_task_pt_regs": "pt_regs"}
"""Structs that a helper's C prototype does not name."""


class ArgRule:
    """One argument: ``base`` (an ARG_… number), ``flags``, the bytes of fixed-size memory, a BTF pointer's struct."""

    def __init__(self, base: int, flags: int, size: int, struct: str) -> None:
        self.base = base
        self.flags = flags
        self.size = size
        self.struct = struct


class HelperRule:
    """One helper in one program type.  ``args`` are five; ``ret_base`` is a RET_… number."""

    def __init__(self, proto: HelperProto, prog_type: str) -> None:
        ret, kinds = proto.kinds(prog_type)
        structs, free = proto.arg_structs or {}, False
        for variant in proto.variants:
            if prog_type in variant.prog_types:
                structs, free = variant.arg_structs, variant.free
        sizes = proto.arg_sizes or {}
        self.id = proto.id
        self.name = proto.name
        self.ret_base, self.ret_flags = parse_kind("RET_", ret)
        self.ret_struct = RETURNED_STRUCTS.get(proto.name, proto.c_ret.removeprefix("struct ").rstrip(" *"))
        self.args = [ArgRule(*parse_kind("ARG_", k), sizes.get(i, 0), structs.get(i, "")) for i, k in enumerate(kinds)]
        self.n_args = len(self.args)
        self.args += [ArgRule(consts.ARG_DONTCARE, 0, 0, "")] * (5 - self.n_args)
        self.gpl_only, self.pkt_access = proto.gpl_only and not free, proto.pkt_access
        self.might_sleep = proto.might_sleep
        short = proto.name.removeprefix("bpf_")
        self.changes_pkt_data = short in CHANGE_PACKET
        self.special = short in SPECIAL
        self.acquires, self.casts = short in ACQUIRE, short in CAST
        self.records_map, self.writes_map = short in RECORD_MAP, short in WRITE_MAP

    def __repr__(self) -> str:
        return f"<HelperRule {self.name}>"


@cache
def parse_kind(prefix: str, kind: str) -> tuple[int, int]:
    """The number and the flags behind a kind's name (``"PTR_TO_MEM_OR_NULL | MEM_RDONLY"``)."""
    base, *flags = kind.split(" | ")
    bits = sum(getattr(consts, flag) for flag in flags)
    for text, part in PARTS:
        if not hasattr(consts, prefix + base) and text in base:
            base, bits = base.replace(text, "", 1), bits | part
    return getattr(consts, prefix + base), bits


PARTS = (
    ("_OR_NULL", consts.PTR_MAYBE_NULL),
    ("_TRUSTED", consts.PTR_TRUSTED),
    ("UNINIT_", consts.MEM_UNINIT | consts.MEM_WRITE),
    ("FIXED_SIZE_", consts.MEM_FIXED_SIZE),
    ("RINGBUF_", consts.MEM_RINGBUF),
    ("DYNPTR_", 0),
)
"""Flags that a kind's own name says."""


@cache
def helper_rule(func_id: int, prog_type: str) -> HelperRule:
    """The helper of that id as a program type sees it; raises UsageError."""
    return HelperRule(helper_by_id(func_id), prog_type)


@cache
def helper_id(name: str) -> int:
    """The number of a helper by its name without prefix."""
    return helper_by_name("bpf_" + name).id


@cache
def func_id_name(func_id: int) -> str:
    """How the log names a helper's number."""
    if func_id == 0:
        return "bpf_unspec"
    try:
        return helper_by_id(func_id).name
    except UsageError:
        return "unknown"


def helper_text(env: Env, func_id: int) -> str:
    """The same in the log of this kernel, which knows helpers up to some number."""
    return func_id_name(func_id) if func_id <= env.profile.limit("helpers") else "unknown"


def max_func_id() -> int:
    """The first number that no helper has."""
    return len(helpers.HELPERS) + 1


@cache
def helper_changes_pkt_data(func_id: int) -> bool:
    """Does a call of that helper make pointers into the packet invalid?"""
    return func_id_name(func_id).removeprefix("bpf_") in CHANGE_PACKET


def is_sync_callback_calling_function(func_id: int) -> bool:
    """Does the helper call a function of the program before it returns?"""
    return func_id in _sync_callers()


def is_async_callback_calling_function(func_id: int) -> bool:
    """Does the helper have a function of the program called later?"""
    return func_id == helper_id("timer_set_callback")


@cache
def _sync_callers() -> frozenset[int]:
    return frozenset(helper_id(name) for name in ("for_each_map_elem", "find_vma", "loop", "user_ringbuf_drain"))
