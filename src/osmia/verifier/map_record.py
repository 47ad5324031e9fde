"""Fields of a map value that belong to the kernel: locks, timers, kernel pointers, lists, trees.

BTF marks them by the names of their types, and pointers by tags (``btf_parse_fields`` in kernel/bpf/btf.c, Linux 6.18).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from osmia.btf import Array, Btf, Datasec, Ptr, Struct, TypeTag, Union, Var
from osmia.verifier.env import Env

KINDS = {
    "bpf_spin_lock": "spin_lock",
    "bpf_res_spin_lock": "res_spin_lock",
    "bpf_timer": "timer",
    "bpf_wq": "wq",
    "bpf_task_work": "task_work",
    "bpf_list_head": "list_head",
    "bpf_list_node": "list_node",
    "bpf_rb_root": "rb_root",
    "bpf_rb_node": "rb_node",
    "bpf_refcount": "refcount",
}
"""Structs of the kernel's, by name."""
TAGS = {"kptr_untrusted": "kptr", "kptr": "kptr", "percpu_kptr": "kptr", "uptr": "uptr"}
OBJECTS_ONLY = ("list_node", "rb_node")
"""Fields that mean something in objects of the program's own, not in map values."""
MAX_FIELDS = 11
MAX_DEPTH = 16


class Field(NamedTuple):
    """One field: its kind and its place in the value in bytes."""

    kind: str
    offset: int


class Record:
    """The special fields of a value, in order."""

    def __init__(self, fields: list[Field]) -> None:
        self.fields = sorted(fields, key=lambda field: field.offset)
        self.kinds = frozenset(field.kind for field in fields)
        self.has_lock = "spin_lock" in self.kinds or "res_spin_lock" in self.kinds
        self.has_timer = "timer" in self.kinds

    def has(self, kind: str) -> bool:
        """Is there a field of that kind?"""
        return kind in self.kinds

    def __repr__(self) -> str:
        return f"<Record {', '.join(f'{kind}@{offset}' for kind, offset in self.fields)}>"


def parse_record(env: Env, btf: Btf, type_id: int) -> Record | None:
    """The special fields of a value; None where it has none.  Raises Unsupported for too many of them."""
    fields = [field for field in find_fields(btf, type_id, 0, 0) if field.kind not in OBJECTS_ONLY]
    if len(fields) > MAX_FIELDS:
        raise env.unsupported("more than 11 special fields in a map value")
    return Record(fields) if fields else None


def find_fields(btf: Btf, type_id: int, offset: int, depth: int) -> Iterator[Field]:
    """The special fields of a type that stands at an offset in the value."""
    found = btf.type(btf.skip_modifiers(type_id)) if depth < MAX_DEPTH else None
    if isinstance(found, Struct | Union):
        kind = KINDS.get(found.name) if isinstance(found, Struct) else None
        if kind and depth:
            yield Field(kind, offset)
        elif isinstance(found, Struct):
            for member in found.members:
                yield from find_fields(btf, member.type_id, offset + member.bit_offset // 8, depth + 1)
    elif isinstance(found, Datasec):
        for row in found.vars:
            var = btf.type(row.type_id)
            if isinstance(var, Var):
                yield from find_fields(btf, var.type_id, offset + row.offset, depth + 1)
    elif isinstance(found, Array):
        size, count = btf.size_of(found.type_id), min(found.nelems, MAX_FIELDS + 1)
        for field in find_fields(btf, found.type_id, 0, depth + 1):
            yield from (Field(field.kind, offset + i * size + field.offset) for i in range(count))
    elif isinstance(found, Ptr):
        yield from tagged_pointer(btf, found, offset)


def tagged_pointer(btf: Btf, found: Ptr, offset: int) -> Iterator[Field]:
    """A pointer to a tagged type is the kernel's to keep."""
    tag = btf.type(found.type_id)
    if isinstance(tag, TypeTag) and tag.name in TAGS:
        yield Field(TAGS[tag.name], offset)
