"""Fields of a struct that belong to the kernel: locks, timers, kernel pointers, lists, trees.

BTF marks them by the names of their types, pointers by type tags, and lists and trees by a declaration tag
``contains:STRUCT:MEMBER`` (``btf_parse_fields`` and ``btf_find_field`` in kernel/bpf/btf.c, Linux 6.18).
"""

from __future__ import annotations

from collections.abc import Callable
from errno import E2BIG, EEXIST, EFAULT, EINVAL, ENOENT
from typing import NamedTuple

from osmia.btf import Array, Btf, Datasec, DeclTag, Ptr, Struct, Type, TypeTag, Var, Volatile

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
ONCE = ("spin_lock", "res_spin_lock", "timer", "wq", "task_work")
"""Fields of which a struct may have one."""
REPEATED = ("kptr", "uptr", "list_head", "rb_root")
"""Fields that may stand in arrays."""
NODES = {"list_head": "list_node", "rb_root": "rb_node"}
"""What the objects of a list or a tree have to have."""
WITH_MAP = frozenset(("timer", "wq", "task_work"))
"""Fields that calls take together with the map that they lie in."""
IN_VALUES = frozenset(
    "spin_lock res_spin_lock timer kptr list_head rb_root refcount wq uptr task_work".split()
)  # fmt: skip
IN_OBJECTS = frozenset("spin_lock res_spin_lock list_head list_node rb_root rb_node refcount kptr".split())
MAX_FIELDS = 11
MAX_DEPTH = 32
CONTAINS = "contains:"
_SIZES = dict(SPECIAL.values()) | {"kptr": 8, "uptr": 8}


class Field(NamedTuple):
    """One field: its kind and its place in the value in bytes.

    Of pointers also their tag, and the struct ``type_id`` of ``btf`` that they lead to.  Of lists and trees the struct
    ``type_id`` of ``btf`` that they hold, and where in it the node lies.
    """

    kind: str
    offset: int
    tag: str = ""
    btf: Btf | None = None
    type_id: int = 0
    node_offset: int = 0
    node: str = ""

    @property
    def size(self) -> int:
        """Bytes of the field."""
        return _SIZES[self.kind]

    @property
    def type_name(self) -> str:
        """The field as messages name it (``btf_field_type_name``)."""
        if self.kind in ("kptr", "uptr"):
            return "percpu_kptr" if self.tag == "percpu_kptr" else self.kind
        return f"bpf_{self.kind}"


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

    def find(self, kind: str, offset: int) -> Field | None:
        """The field of that kind at that offset."""
        return next((field for field in self.fields if field.kind == kind and field.offset == offset), None)

    def __repr__(self) -> str:
        return f"<Record {', '.join(f'{field.kind}@{field.offset}' for field in self.fields)}>"


class BadRecord(Exception):
    """Fields that can't stand like that."""

    def __init__(self, errno: int) -> None:
        super().__init__(errno)
        self.errno = errno


MayOwn = Callable[[Field], bool]
"""May a value own what such a pointer leads to?"""


def parse_record(
    btf: Btf, type_id: int, kinds: frozenset[str], size: int, may_own: MayOwn | None = None, each_level: bool = True
) -> Record | None:
    """The special fields of a struct or data section; None where it has none.  Raises BadRecord."""
    return RecordParser(btf, kinds, may_own, each_level).parse(type_id, size)


class RecordParser:
    """Finds the fields of ``kinds`` in the structs of one BTF.  ``may_own``: None lets values own everything.

    ``each_level``: what may stand once may stand again in a struct inside, and reference counts any number of times.
    """

    def __init__(self, btf: Btf, kinds: frozenset[str], may_own: MayOwn | None = None, each_level: bool = True) -> None:
        self.btf = btf
        self.kinds = kinds
        self.may_own = may_own
        self.once = ONCE if each_level else (*ONCE, "refcount")
        self.each_level = each_level
        self._tags: dict[tuple[int, int], list[str]] | None = None

    def parse(self, type_id: int, size: int) -> Record | None:
        """The fields of a struct or section of ``size`` bytes; None for none.  Raises BadRecord."""
        found = self.btf.type(type_id)
        if isinstance(found, Struct):
            fields = self._in_struct(type_id, found, MAX_FIELDS, 0, set())
        elif isinstance(found, Datasec):
            fields = self._in_datasec(found)
        else:
            raise BadRecord(EINVAL)
        if not fields:
            return None
        end = 0
        for i, field in enumerate(fields):
            if field.offset + field.size > size:
                raise BadRecord(EFAULT)
            if field.offset < end:
                raise BadRecord(EEXIST)
            end = field.offset + field.size
            fields[i] = self._complete(field)
        check_kinds({field.kind for field in fields})
        return Record(sorted(fields, key=lambda field: field.offset))

    # -- where fields are

    def _in_struct(self, type_id: int, found: Struct, room: int, level: int, outside: set[str]) -> list[Field]:
        fields: list[Field] = []
        seen: set[str] = set() if self.each_level else outside
        for i, member in enumerate(found.members):
            if member.bit_offset % 8:
                raise BadRecord(EINVAL)
            at = member.bit_offset // 8
            fields += self._one((type_id, i), member.type_id, at, 0, seen, room - len(fields), level)
        return fields

    def _in_datasec(self, found: Datasec) -> list[Field]:
        fields: list[Field] = []
        seen: set[str] = set()
        for row in found.vars:
            var = self.btf.type(row.type_id)
            if isinstance(var, Var):
                room = MAX_FIELDS - len(fields)
                fields += self._one((row.type_id, -1), var.type_id, row.offset, row.size, seen, room, 0)
        return fields

    def _one(
        self, owner: tuple[int, int], type_id: int, offset: int, expected: int, seen: set[str], room: int, level: int
    ) -> list[Field]:
        """The fields of one member or variable; an array repeats its element's.

        ``owner``: what a declaration tag stands on; ``expected``: the bytes it has to have, 0 for any.
        """
        found, count, depth = self.btf.type(type_id), 1, 0
        while isinstance(found, Array):
            depth += 1
            if depth == MAX_DEPTH:
                raise BadRecord(E2BIG)
            count, type_id = count * found.nelems, found.type_id
            found = self.btf.type(type_id)
        if not count:
            return []
        kind = self._kind(found, seen)
        if not kind:
            if not isinstance(found, Struct) or (expected and expected != found.size * count):
                return []
            return self._nested(type_id, found, offset, count, room, level + 1, seen)
        size = _SIZES[kind]
        if (expected and expected != size * count) or offset % min(size, 8):
            return []
        field = self._field(kind, owner, found, offset)
        if field is None:
            return []
        if room <= 0:
            raise BadRecord(E2BIG)
        return repeated([field], count, size, room)

    def _nested(
        self, type_id: int, found: Struct, offset: int, count: int, room: int, level: int, seen: set[str]
    ) -> list[Field]:
        if level >= MAX_DEPTH:
            raise BadRecord(E2BIG)
        inner = self._in_struct(type_id, found, room, level, seen)
        moved = [field._replace(offset=field.offset + offset) for field in inner]
        return repeated(moved, count, found.size, room) if moved else []

    def _kind(self, found: Type, seen: set[str]) -> str:
        """The kind of field that a type may be, or nothing.  Whatever is no struct may be a pointer."""
        kind = SPECIAL.get(found.name, ("", 0))[0]
        if kind in self.kinds:
            if kind in self.once and kind in seen:
                raise BadRecord(E2BIG)
            seen.add(kind)
            return kind
        return "kptr" if self.kinds & {"kptr", "uptr"} and not isinstance(found, Struct) else ""

    def _field(self, kind: str, owner: tuple[int, int], found: Type, offset: int) -> Field | None:
        """The field, if the type is what its name says."""
        if kind == "kptr":
            return find_kptr(self.btf, found, offset, self.kinds)
        if not isinstance(found, Struct) or found.size != _SIZES[kind]:
            return None
        return self._root(kind, owner, offset) if kind in NODES else Field(kind, offset)

    def _root(self, kind: str, owner: tuple[int, int], offset: int) -> Field:
        """A list or tree, and what its declaration tag says that it holds."""
        values = [name.removeprefix(CONTAINS) for name in self._tags_of(owner) if name.startswith(CONTAINS)]
        if len(values) != 1 or ":" not in values[0]:
            raise BadRecord(EINVAL)
        name, _, node = values[0].partition(":")
        type_id = self.btf.find(name, Struct)
        if type_id is None:
            raise BadRecord(ENOENT)
        if not node:
            raise BadRecord(EINVAL)
        return Field(kind, offset, "", self.btf, type_id, 0, node)

    def _tags_of(self, owner: tuple[int, int]) -> list[str]:
        if self._tags is None:
            self._tags = {}
            for i in self.btf.ids(DeclTag):
                tag = self.btf.type(i)
                assert isinstance(tag, DeclTag)
                self._tags.setdefault((tag.type_id, tag.component_idx), []).append(tag.name)
        return self._tags.get(owner, [])

    # -- what they need

    def _complete(self, field: Field) -> Field:
        """The field, once what it leads to was looked at.  Raises BadRecord."""
        if field.kind in NODES:
            return field._replace(node_offset=node_offset(self.btf, field))
        if field.tag == "kptr" and self.may_own is not None and not self.may_own(field):
            raise BadRecord(ENOENT)
        return field


def repeated(fields: list[Field], count: int, size: int, room: int) -> list[Field]:
    """The fields of one element for all of an array's.  Raises BadRecord for what can't stand in one."""
    if count == 1:
        return fields
    if any(field.kind not in REPEATED for field in fields):
        raise BadRecord(EINVAL)
    if len(fields) * count > room:
        raise BadRecord(E2BIG)
    return [field._replace(offset=field.offset + i * size) for i in range(count) for field in fields]


def find_kptr(btf: Btf, found: Type, offset: int, kinds: frozenset[str]) -> Field | None:
    """The pointer with a type tag that a type is, if any.  Raises BadRecord for tags that say nothing."""
    if isinstance(found, Volatile):
        found = btf.type(found.type_id)
    if not isinstance(found, Ptr):
        return None
    tag = btf.type(found.type_id)
    if not isinstance(tag, TypeTag) or tag.kind_flag:
        return None
    kind = TAGS.get(tag.name, "")
    if isinstance(btf.type(tag.type_id), TypeTag) or not kind:
        raise BadRecord(EINVAL)
    if kind not in kinds:
        return None
    target = btf.resolve(tag.type_id)
    if not isinstance(btf.type(target), Struct):
        raise BadRecord(EINVAL)
    return Field(kind, offset, tag.name, btf, target)


def node_offset(btf: Btf, root: Field) -> int:
    """Where the node lies in what a list or tree holds.  Raises BadRecord."""
    held = btf.type(root.type_id)
    assert isinstance(held, Struct)  # _root saw to it
    named = [member for member in held.members if member.name == root.node]
    for member in named:
        node = btf.type(member.type_id)
        if not isinstance(node, Struct) or node.name != f"bpf_{NODES[root.kind]}" or member.bit_offset % 64:
            raise BadRecord(EINVAL)
    if len(named) > 1:
        raise BadRecord(EINVAL)
    if not named:
        raise BadRecord(ENOENT)
    return named[0].bit_offset // 8


def check_kinds(kinds: set[str]) -> None:
    """One kind of lock, which lists and trees need; objects in a list and a tree count their owners."""
    locked = kinds & {"spin_lock", "res_spin_lock"}
    if len(locked) == 2 or (kinds & {"list_head", "rb_root"} and not locked):
        raise BadRecord(EINVAL)
    if {"list_node", "rb_node"} <= kinds and "refcount" not in kinds:
        raise BadRecord(EINVAL)
