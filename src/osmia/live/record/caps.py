"""Which capabilities a loader needs: for a type of program, for single helpers, for fields of the context."""

from __future__ import annotations

from dataclasses import replace

from osmia.kernel.helpers import HELPERS
from osmia.live.record.facts import Asking, Facts, Row, helper_name, probe_helpers, read, write
from osmia.live.record.shapes import Shape

SETS = (("bpf",), ("bpf", "net_admin"), ("bpf", "perfmon"), ("bpf", "perfmon", "net_admin"), ("bpf", "sys_admin"))
POLICY = {"ext": ("bpf", "perfmon", "net_admin"), "lsm": ("bpf", "perfmon")}
"""Types that can't be asked about, or that the recording machine's policy may refuse."""
UNPRIVILEGED = ("socket_filter", "cgroup_skb")
"""The types that a loader without capabilities may load, where the machine allows that at all."""
BELIEVED = """
cgrp_storage_delete cgrp_storage_get current_task_under_cgroup dynptr_data dynptr_from_mem dynptr_read dynptr_write
for_each_map_elem get_current_ancestor_cgroup_id get_current_cgroup_id jiffies64 kptr_xchg loop per_cpu_ptr
ringbuf_discard_dynptr ringbuf_reserve_dynptr ringbuf_submit_dynptr spin_lock spin_unlock this_cpu_ptr timer_cancel
timer_init timer_set_callback timer_start user_ringbuf_drain
""".split()
"""Helpers that unprivileged programs don't have, where the machine loads none of those."""
FIELDS = {("r", 76), ("r", 80), ("w", 152)}
"""Fields of cgroup_skb that unprivileged programs may not touch (``cg_skb_is_valid_access`` in net/core/filter.c)."""


def needed(shape: Shape, value: int) -> Asking:
    """The fewest capabilities that load it."""
    answers = yield [replace(shape.asks(value=value), caps=caps) for caps in SETS]
    return next((caps for caps, a in zip(SETS, answers, strict=True) if not a.errno), POLICY.get(shape.type, SETS[-1]))


def numbers_of(facts: Facts) -> list[int]:
    """The numbers of the helpers that a program with all capabilities knows."""
    names = {name.removeprefix("!") for name in facts.helpers}
    return [h.id for h in HELPERS if helper_name(h.id) in names]


def without_perfmon(shape: Shape, facts: Facts) -> Asking:
    """The helpers that a program of this type loses when its loader has no CAP_PERFMON."""
    left = yield from probe_helpers(shape, facts.value, ("bpf", "net_admin"), numbers_of(facts))
    return set(facts.helpers - left)


def without_any(shape: Shape, facts: Facts) -> Asking:
    """The helpers that it loses when its loader has no capability; None where nothing loads then."""
    (plain,) = yield [replace(shape.asks(value=facts.value), caps=())]
    if plain.errno:
        return None
    left = yield from probe_helpers(shape, facts.value, (), numbers_of(facts))
    return set(facts.helpers - left)


def fields(shape: Shape, facts: Facts, rows: tuple[Row, ...]) -> Asking:
    """The places of the context (kind, size, offset) that a loader without capabilities may not touch."""
    places = [(r.kind, r.size, off) for r in rows for off in range(r.first, r.last + 1, r.step)]
    (plain,) = yield [replace(shape.asks(value=facts.value), caps=())]
    if plain.errno:
        return {(kind, size, off) for kind, size, off in places if (kind, off) in FIELDS}
    make = {"r": read, "w": write}
    answers = yield [replace(make[k](shape, off, size, facts.value), caps=()) for k, size, off in places]
    return {place for place, a in zip(places, answers, strict=True) if a.errno}
