"""Fields of a struct that belong to the kernel: locks, timers, kernel pointers, lists, trees.

BTF marks them by the names of their types, and pointers by tags (``btf_parse_fields`` and ``btf_parse_struct_metas`` in
kernel/bpf/btf.c, Linux 6.18).
"""

from __future__ import annotations

from collections.abc import Callable
from errno import E2BIG, EEXIST, EFAULT, EINVAL, ENOENT
from typing import NamedTuple

from osmia.btf import Array, Btf, Datasec, Ptr, Struct, Type, TypeTag, Union, Var, Volatile

SPECIAL = {
    "bpf_spin_lock": ("spin_lock", 4),
    "bpf_res_spin_lock": ("res_spin_lock", 4),
    "bpf_timer": ("timer", 16),
    "bpf_wq": ("wq", 16),
    "bpf_task_work": ("task_work", 8),
    "bpf_list_head": ("list_head", 16),
    "bpf_list_node": ("list_node", 24),
    "bpf_rb_root": ("rb_root", 16),
    "bpf_rb_node": ("rb_node", 32),
    "bpf_refcount": ("refcount", 4),
}
"""Structs of the kernel's by name: kind of the field, bytes."""
TAGS = {"kptr_untrusted": "kptr", "kptr": "kptr", "percpu_kptr": "kptr", "uptr": "uptr"}
ONCE = ("spin_lock", "res_spin_lock", "timer", "wq", "task_work", "refcount")
"""Fields of which a struct may have one."""
IN_VALUES = frozenset(
    "spin_lock res_spin_lock timer kptr list_head rb_root refcount wq uptr task_work".split()
)  # fmt: skip
IN_OBJECTS = frozenset("spin_lock res_spin_lock list_head list_node rb_root rb_node refcount kptr".split())
OBJECT_MARKS = ("bpf_spin_lock", "bpf_list_head", "bpf_list_node", "bpf_rb_root", "bpf_rb_node", "bpf_refcount")
MAX_FIELDS = 11
MAX_DEPTH = 32
_SIZES = dict(SPECIAL.values()) | {"kptr": 8, "uptr": 8}


class Field(NamedTuple):
    """One field: its kind and its place in the value in bytes.

    Of pointers also their tag, and the struct ``type_id`` of ``btf`` that they lead to.
    """

    kind: str
    offset: int
    tag: str = ""
    btf: Btf | None = None
    type_id: int = 0


class Record:
    """The special fields of a value, in order."""

    def __init__(self, fields: list[Field]) -> None:
        self.fields = fields
        self.kinds = frozenset(field.kind for field in fields)
        self.has_lock = "spin_lock" in self.kinds or "res_spin_lock" in self.kinds
        self.has_timer = "timer" in self.kinds

    def has(self, kind: str) -> bool:
        """Is there a field of that kind?"""
        return kind in self.kinds

    def __repr__(self) -> str:
        return f"<Record {', '.join(f'{field.kind}@{field.offset}' for field in self.fields)}>"


class BadRecord(Exception):
    """Fields that can't stand like that."""

    def __init__(self, errno: int) -> None:
        super().__init__(errno)
        self.errno = errno


def parse_record(btf: Btf, type_id: int, kinds: frozenset[str], size: int) -> Record | None:
    """The special fields of a struct or data section; None where it has none.  Raises BadRecord."""
    found = btf.type(type_id)
    if isinstance(found, Struct | Union):
        fields = in_struct(btf, found, 0, kinds, 0)
    elif isinstance(found, Datasec):
        fields = in_datasec(btf, found, kinds)
    else:
        raise BadRecord(EINVAL)
    if len(fields) > MAX_FIELDS:
        raise BadRecord(E2BIG)
    check_places(fields, size)
    return Record(sorted(fields, key=lambda field: field.offset)) if fields else None


def check_places(fields: list[Field], size: int) -> None:
    """Fields lie inside, apart from each other; lists and trees have a lock."""
    end = 0
    for kind, offset, *_ in fields:
        if offset + _SIZES[kind] > size:
            raise BadRecord(EFAULT)
        if offset < end:
            raise BadRecord(EEXIST)
        end = offset + _SIZES[kind]
    kinds = {field.kind for field in fields}
    locked = kinds & {"spin_lock", "res_spin_lock"}
    if len(locked) == 2 or (kinds & {"list_head", "rb_root"} and not locked):
        raise BadRecord(EINVAL)
    if {"list_node", "rb_node"} <= kinds and "refcount" not in kinds:
        raise BadRecord(EINVAL)


def in_struct(btf: Btf, found: Struct | Union, offset: int, kinds: frozenset[str], depth: int) -> list[Field]:
    """The fields of a struct that stands at an offset."""
    if depth > MAX_DEPTH:
        raise BadRecord(E2BIG)
    fields: list[Field] = []
    seen: set[str] = set()
    for member in found.members:
        if member.bit_offset % 8:
            raise BadRecord(EINVAL)
        place = offset + member.bit_offset // 8
        fields += at_place(btf, btf.type(member.type_id), place, -1, kinds, seen, depth)
    return fields


def in_datasec(btf: Btf, found: Datasec, kinds: frozenset[str]) -> list[Field]:
    """The fields of a section's variables."""
    fields: list[Field] = []
    seen: set[str] = set()
    for row in found.vars:
        var = btf.type(row.type_id)
        if isinstance(var, Var):
            fields += at_place(btf, btf.type(var.type_id), row.offset, row.size, kinds, seen, 0)
    return fields


def at_place(
    btf: Btf, found: Type, offset: int, room: int, kinds: frozenset[str], seen: set[str], depth: int
) -> list[Field]:
    """The fields of one member or variable; an array repeats its element's.  ``room`` is its size, -1 if unknown."""
    count = 1
    while isinstance(found, Array):
        count, found = count * found.nelems, btf.type(found.type_id)
    if not count:
        return []
    found = pointer_of(btf, found)
    kind = special_kind(btf, found, kinds, seen)
    if kind:
        size = _SIZES[kind]
        fits = room in (-1, size * count) and offset % min(size, 8) == 0
        whole = isinstance(found, Ptr) or (isinstance(found, Struct) and found.size == size)
        tag, type_id = pointee(btf, found) if isinstance(found, Ptr) else ("", 0)
        fields = [Field(kind, offset, tag, btf if tag else None, type_id)] if fits and whole else []
    elif isinstance(found, Struct):
        size = found.size
        fields = in_struct(btf, found, offset, kinds, depth + 1) if room in (-1, size * count) else []
    else:
        return []
    if len(fields) * count > MAX_FIELDS:
        raise BadRecord(E2BIG)
    return [field._replace(offset=field.offset + i * size) for i in range(count) for field in fields]


def special_kind(btf: Btf, found: Type, kinds: frozenset[str], seen: set[str]) -> str:
    """The kind of field that a type is, or nothing.  Raises BadRecord."""
    if isinstance(found, Ptr):
        tag = btf.type(found.type_id)
        if not isinstance(tag, TypeTag) or tag.kind_flag:
            return ""
        kind = TAGS.get(tag.name, "")
        if not kind or isinstance(btf.type(tag.type_id), TypeTag):
            raise BadRecord(EINVAL)
        if kind in kinds and not isinstance(btf.type(btf.resolve(tag.type_id)), Struct):
            raise BadRecord(EINVAL)
        return kind if kind in kinds else ""
    kind = SPECIAL.get(found.name, ("", 0))[0]
    if kind not in kinds:
        return ""
    if kind in ONCE and kind in seen:
        raise BadRecord(E2BIG)
    seen.add(kind)
    return kind


def pointer_of(btf: Btf, found: Type) -> Type:
    """A volatile pointer counts as a pointer."""
    inner = btf.type(found.type_id) if isinstance(found, Volatile) else found
    return inner if isinstance(inner, Ptr) else found


def pointee(btf: Btf, found: Ptr) -> tuple[str, int]:
    """A tagged pointer's tag, and the struct that it leads to."""
    tag = btf.type(found.type_id)
    assert isinstance(tag, TypeTag)  # it has a kind
    return tag.name, btf.resolve(found.type_id)


def struct_metas_errno(btf: Btf, may_be_owned: Callable[[Record], bool] | None = None) -> int:
    """The program's own structs that may be objects with special fields: BPF_BTF_LOAD looks at them.

    ``may_be_owned``: may such an object own what its pointers lead to?
    """
    marks = {btf.find(name, Struct) for name in OBJECT_MARKS} - {None}
    marks |= {i for kind in (Ptr, Volatile) for i in btf.ids(kind) if _is_kptr(btf, i)}
    if not marks:
        return 0
    for type_id in btf.ids(Struct):
        found = btf.type(type_id)
        if isinstance(found, Struct) and any(member.type_id in marks for member in found.members):
            try:
                record = parse_record(btf, type_id, IN_OBJECTS, found.size)
            except BadRecord as bad:
                return bad.errno
            if record is None:
                return EFAULT
            if may_be_owned is not None and not may_be_owned(record):
                return ENOENT
    return 0


def _is_kptr(btf: Btf, type_id: int) -> bool:
    try:
        return special_kind(btf, pointer_of(btf, btf.type(type_id)), IN_OBJECTS, set()) == "kptr"
    except BadRecord:
        return False
