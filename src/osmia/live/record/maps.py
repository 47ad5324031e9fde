"""Map types: which there are, which flags each takes, how large keys and values may be."""

from __future__ import annotations

from osmia.btf import Btf, Int
from osmia.kernel.uapi import MAP_FLAGS, MAP_TYPE, MAP_TYPES
from osmia.live.record.asker import MapAsked, Question
from osmia.live.record.facts import Asking
from osmia.live.record.shapes import ending

PAGE = 4096
F = MAP_FLAGS
_STORAGE = MapAsked(0, 4, 4, 0, F["no_prealloc"], btf_key=1, btf_value=1)
_PLAIN = MapAsked(0, 4, 8, 4)
_FDS = MapAsked(0, 4, 4, 4)
_QUEUE = MapAsked(0, 0, 8, 4)
_RING = MapAsked(0, 0, 0, PAGE)
_CGROUP = MapAsked(0, 16, 8, 0)
BASES: dict[str, MapAsked] = {
    **dict.fromkeys(("hash", "percpu_hash", "lru_hash", "lru_percpu_hash", "array", "percpu_array"), _PLAIN),
    **dict.fromkeys(("prog_array", "perf_event_array", "cgroup_array", "reuseport_sockarray"), _FDS),
    **dict.fromkeys(("devmap", "devmap_hash", "sockmap", "sockhash", "cpumap", "xskmap"), _FDS),
    **dict.fromkeys(("queue", "stack", "bloom_filter"), _QUEUE),
    **dict.fromkeys(("ringbuf", "user_ringbuf"), _RING),
    **dict.fromkeys(("sk_storage", "inode_storage", "task_storage", "cgrp_storage"), _STORAGE),
    **dict.fromkeys(("cgroup_storage", "percpu_cgroup_storage"), _CGROUP),
    **dict.fromkeys(("array_of_maps", "hash_of_maps"), _FDS._replace(inner=0)),
    "stack_trace": MapAsked(0, 4, 96, 4),
    "lpm_trie": MapAsked(0, 8, 8, 4, F["no_prealloc"]),
    "arena": MapAsked(0, 0, 0, 4, F["mmapable"]),
    "insn_array": MapAsked(0, 4, 16, 4),
    "rhash": MapAsked(0, 4, 8, 4, F["no_prealloc"]),
}
"""The smallest map of each type; struct_ops, whose value is a type of the kernel's, can't be asked about like this."""
NAMES = {bit: name for name, bit in MAP_FLAGS.items()}
UNASKED = ("path_fd", "vtype_btf_obj_fd", "token_fd", "numa_node")
"""Flags that bring a file along, or that only some machines take."""
LADDER = (8, 16, 512, 513, PAGE, PAGE + 1, 1 << 15, (1 << 15) + 1, 65407, 65408, 1 << 18)
TOP = LADDER[-1]
LOOSE = ("hash", "percpu_hash", "lru_hash", "lru_percpu_hash", "hash_of_maps")
"""Types whose keys have no size of their own."""
VALUED = ("cgroup_storage", "percpu_cgroup_storage")
CPUS = (1, 64, 128, 256, 512, 1024, 2048, 4096, 8192)


def asks(*maps: MapAsked) -> Question:
    """May these maps be made?  The program behind them says nothing."""
    types = Btf()
    types.add(Int("int", 4))
    return Question("socket_filter", ending(0), maps=maps, btf=types.encode("little"))


def variant(name: str, **changes: int) -> Question:
    """A map of that type, changed."""
    made = BASES[name]._replace(type=MAP_TYPE[name], **changes)
    return asks(*([MapAsked(MAP_TYPE["array"], 4, 8, 1)] if made.inner >= 0 else []), made)


def probe_map(name: str) -> Asking:
    """The row of a type; "" where there is no such type."""
    base = BASES[name]
    (plain,) = yield [variant(name)]
    if plain.where == "map":
        return ""
    flags = [bit for bit, flag in NAMES.items() if flag not in UNASKED]
    answers = yield [variant(name, flags=base.flags ^ bit) for bit in flags]
    taken = [NAMES[bit] for bit, a in zip(flags, answers, strict=True) if a.where != "map" or base.flags & bit]
    words = [name, *([f"flags={','.join(taken)}"] if taken else [])]
    for what, types in (("key", LOOSE), ("value", VALUED)):
        if name in types:
            answers = yield [variant(name, **{what: size}) for size in LADDER]
            most = max(size for size, a in zip(LADDER, answers, strict=True) if a.where != "map")
            words += [f"max_{what}={most}"] if most < TOP else []
    return " ".join(words)


def max_cpus() -> Asking:
    """The most CPUs that the kernel is built for: entries of a cpumap."""
    answers = yield [variant("cpumap", entries=n) for n in CPUS]
    return max((n for n, a in zip(CPUS, answers, strict=True) if a.where != "map"), default=CPUS[-1])


def known() -> list[str]:
    """The types that can be asked about, by number."""
    return [name for name in MAP_TYPES if name in BASES]
