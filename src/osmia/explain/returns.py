"""What C programs say: how a program type returns early, the arguments of a call on a line, release functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osmia.explain.source import MOST, expression

if TYPE_CHECKING:
    from osmia.explain.model import Place

RETURNS = {"xdp": "XDP_PASS", "sched_cls": "TC_ACT_OK", "sched_act": "TC_ACT_OK", "cgroup_skb": "1",
           "sk_skb": "SK_PASS",
           "sk_msg": "SK_PASS", "sk_lookup": "SK_PASS", "cgroup_sock_addr": "1", "cgroup_sock": "1",
           "cgroup_device": "1", "cgroup_sysctl": "1", "cgroup_sockopt": "1", "flow_dissector": "BPF_OK"}  # fmt: skip
RELEASES = {
    "bpf_ringbuf_reserve": "bpf_ringbuf_submit({it}, 0) or bpf_ringbuf_discard({it}, 0)",
    "bpf_ringbuf_reserve_dynptr": "bpf_ringbuf_submit_dynptr(&ptr, 0) or bpf_ringbuf_discard_dynptr(&ptr, 0)",
    "bpf_sk_lookup_tcp": "bpf_sk_release({it})", "bpf_sk_lookup_udp": "bpf_sk_release({it})",
    "bpf_skc_lookup_tcp": "bpf_sk_release({it})", "bpf_obj_new_impl": "bpf_obj_drop({it})",
    "bpf_percpu_obj_new_impl": "bpf_percpu_obj_drop({it})", "bpf_refcount_acquire_impl": "bpf_obj_drop({it})",
    "bpf_task_acquire": "bpf_task_release({it})", "bpf_task_from_pid": "bpf_task_release({it})",
    "bpf_task_from_vpid": "bpf_task_release({it})", "bpf_cgroup_acquire": "bpf_cgroup_release({it})",
    "bpf_cgroup_from_id": "bpf_cgroup_release({it})", "bpf_cgroup_ancestor": "bpf_cgroup_release({it})",
    "bpf_task_get_cgroup1": "bpf_cgroup_release({it})", "bpf_cpumask_create": "bpf_cpumask_release({it})",
    "bpf_cpumask_acquire": "bpf_cpumask_release({it})", "bpf_get_task_exe_file": "bpf_put_file({it})",
    "bpf_kptr_xchg": "the release function of its type, or bpf_kptr_xchg() back into a map value",
    "bpf_iter_num_new": "bpf_iter_num_destroy(&it)", "bpf_local_irq_save": "bpf_local_irq_restore(&flags)",
    "bpf_list_pop_front": "bpf_obj_drop()", "bpf_list_pop_back": "bpf_obj_drop()",
    "bpf_rbtree_remove": "bpf_obj_drop()",
    "bpf_spin_lock": "bpf_spin_unlock()", "bpf_res_spin_lock": "bpf_res_spin_unlock()",
}  # fmt: skip
"""What gives back what a function acquires."""


def early_return(prog_type: str) -> str:
    """``return XDP_PASS;``: how a program of that type leaves early; ``return 0;`` of a function, type ""."""
    return f"return {RETURNS.get(prog_type, '0')};"


def arguments(place: Place) -> list[str]:
    """The arguments of the call at a place as the line writes them; empty where it does not say."""
    if not place.column or not place.code or len(place.code) > MOST:
        return []
    begin, width = expression(place.code, place.column)
    text = place.code[begin : begin + width].rstrip()
    opening = text.find("(")
    if opening < 0 or not text.endswith(")"):
        return []
    return _split(text[opening + 1 : -1])


def _split(text: str) -> list[str]:
    """At commas outside of brackets and strings."""
    parts, depth, quoted, begin = [], 0, False, 0
    for at, char in enumerate(text):
        if char == '"' and text[at - 1 : at] != "\\":
            quoted = not quoted
        elif quoted:
            continue
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(text[begin:at].strip())
            begin = at + 1
    last = text[begin:].strip()
    return [*parts, last] if parts or last else []
