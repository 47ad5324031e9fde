"""The fields of a map value that the kernel keeps for itself: found by type name in the value's BTF.

An update copies around them and a bpf(2) lookup shows them as zeros (kernel/bpf/btf.c: btf_parse_fields).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from osmia.errors import BtfError

if TYPE_CHECKING:
    from osmia.obj.model import MapSpec

SIZES = {
    "bpf_spin_lock": 4,
    "bpf_res_spin_lock": 4,
    "bpf_timer": 16,
    "bpf_wq": 16,
    "bpf_task_work": 8,
    "bpf_list_head": 16,
    "bpf_list_node": 24,
    "bpf_rb_root": 16,
    "bpf_rb_node": 32,
    "bpf_refcount": 4,
}
"""Bytes of each kind of special field (Linux 6.18)."""

LOCKS = ("bpf_spin_lock", "bpf_res_spin_lock")


def special_fields(spec: MapSpec) -> tuple[tuple[tuple[int, int], ...], int]:
    """``((offset, size), …)`` sorted by offset, and the offset of the spin lock or -1."""
    found, lock = [], -1
    for name, offset in _named(spec):
        if name in SIZES and offset + SIZES[name] <= spec.value_size:
            found.append((offset, SIZES[name]))
            lock = offset if name == "bpf_spin_lock" else lock
    return tuple(sorted(found)), lock


def _named(spec: MapSpec) -> list[tuple[str, int]]:
    """Type name and byte offset of every struct member of the value, outer ones first."""
    if spec.btf is None or not spec.btf_value_type_id:
        return []
    from osmia.btf import Struct

    out: list[tuple[str, int]] = []
    todo = [(spec.btf_value_type_id, 0)]
    try:
        while todo and len(out) < 1000:
            type_id, base = todo.pop()
            made = spec.btf.type(spec.btf.resolve(type_id))
            if isinstance(made, Struct):
                out.append((made.name, base))
                todo += [(m.type_id, base + m.bit_offset // 8) for m in made.members]
    except BtfError:
        return []  # broken BTF is reported where it is read, not here
    return out
