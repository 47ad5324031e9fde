"""Merging tables: types that are equal become one.

Two types are equal unless something tells them apart: their own record, or (however far away) that of a type
they refer to.  So start with one class for every shape, and split classes until types of one class refer to
the same classes; cycles need no special care.  A forward declaration stands for the struct of its name, as
long as the tables agree on one.  The outcome is that of libbpf's btf__dedup, except that a declaration whose
name has several definitions stays a declaration here (libbpf picks a definition by context).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from osmia.btf import types as t
from osmia.btf.model import Btf
from osmia.btf.refs import references, remap, shape
from osmia.errors import BtfError

Name = tuple[str, type[t.Type]]
_UNIQUE = (t.Var, t.Datasec)
MAX_ROUNDS = 64
"""How far away a difference may be.  A kernel's 126,610 types take 7 rounds."""


def merge(tables: Sequence[Btf]) -> tuple[Btf, list[list[int]]]:
    """One table with the types of all; beside it, for each table, the new id of each of its old ids.

    The first of equal types keeps its place, variables and sections are never merged.  The result has the
    byte order of the first table.  Raises BtfError for split tables and for references to types that are none.
    """
    if not tables:
        raise BtfError("nothing to merge")
    joined, maps = concatenate(tables)
    made, new = deduplicate(joined)
    return made, [[new[i] for i in ids] for ids in maps]


def concatenate(tables: Iterable[Btf]) -> tuple[Btf, list[list[int]]]:
    """All types one after the other, and for each table the new id of each old id."""
    joined: Btf | None = None
    maps = []
    for table in tables:
        if table.base is not None:
            raise BtfError("split BTF can't be merged; merge it with its base")
        joined = joined or Btf(byteorder=table.byteorder, pointer_size=table.pointer_size)
        shift = len(joined) - 1
        for _, found in table:
            joined.add(remap(found, lambda i, shift=shift: i + shift if i else 0))  # type: ignore[misc]
        maps.append([i + shift if i else 0 for i in range(len(table))])
    return joined or Btf(), maps


def deduplicate(btf: Btf) -> tuple[Btf, list[int]]:
    """A table without repeated types, and the new id of each old one."""
    types = [btf.type(i) for i in range(len(btf))]
    _check_references(btf, types)
    declared = _Declarations(types)
    classes = _partition(types, declared.stands_for)
    while declared.drop_ambiguous(classes):
        classes = _partition(types, declared.stands_for)
    return _compact(btf, types, [classes[i] for i in declared.stands_for])


def _check_references(btf: Btf, types: Sequence[t.Type]) -> None:
    for type_id, found in enumerate(types):
        for other in references(found):
            if other >= len(types):
                raise BtfError(f"type {type_id} refers to type {other}, which is none", offset=btf.offset_of(type_id))


def _name(x: t.Type) -> Name | None:
    """The key under which a declaration finds its definition: the name and the kind of tag."""
    if isinstance(x, t.Fwd):
        return x.name, t.Union if x.is_union else t.Struct
    if isinstance(x, t.AnyEnum):
        return x.name, t.Enum
    return (x.name, type(x)) if isinstance(x, t.Composite) else None


def _is_declaration(x: t.Type) -> bool:
    return isinstance(x, t.Fwd) or (isinstance(x, t.AnyEnum) and not x.values)


class _Declarations:
    """Declared and defined names: for each type, the one that stands for it."""

    def __init__(self, types: Sequence[t.Type]) -> None:
        self.stands_for = list(range(len(types)))
        self._definitions: dict[Name, list[int]] = {}
        self._declared: dict[Name, list[int]] = {}
        for type_id, found in enumerate(types):
            name = _name(found)
            if name is not None and name[0]:
                table = self._declared if _is_declaration(found) else self._definitions
                table.setdefault(name, []).append(type_id)
        for name, ids in self._declared.items():
            self._redirect(ids, self._definitions.get(name))

    def _redirect(self, ids: list[int], definitions: list[int] | None) -> None:
        for type_id in ids:
            self.stands_for[type_id] = definitions[0] if definitions else type_id

    def drop_ambiguous(self, classes: Sequence[int]) -> bool:
        """Let declarations stand for themselves whose definitions differ; whether there were any."""
        found = [n for n in self._declared if len({classes[i] for i in self._definitions.get(n, ())}) > 1]
        for name in found:
            self._redirect(self._declared.pop(name), None)
        return bool(found)


def _partition(types: Sequence[t.Type], stands_for: Sequence[int]) -> list[int]:
    """The class of each type: the coarsest partition in which equal types have equal references."""
    targets = [tuple(stands_for[r] for r in references(x)) for x in types]
    numbers: dict[object, int] = {}
    classes = [
        numbers.setdefault((type(x), i if isinstance(x, _UNIQUE) else shape(x)), len(numbers))
        for i, x in enumerate(types)
    ]
    for _ in range(MAX_ROUNDS):
        count, numbers, old = len(numbers), {}, classes
        classes = [
            numbers.setdefault((old[i], *[old[r] for r in refs]), len(numbers)) for i, refs in enumerate(targets)
        ]
        if count == len(numbers):
            return classes
    raise BtfError(f"types differ only {MAX_ROUNDS} references deep; no compiler's output nests so")


def _compact(btf: Btf, types: Sequence[t.Type], classes: Sequence[int]) -> tuple[Btf, list[int]]:
    """Write the first type of each class; a declaration only where nothing defines it."""
    first: dict[int, int] = {}
    for type_id, number in enumerate(classes):
        if number not in first or (_is_declaration(types[first[number]]) and not _is_declaration(types[type_id])):
            first[number] = type_id
    kept = sorted(first.values())
    place = {classes[old]: new for new, old in enumerate(kept)}
    new_ids = [place[c] for c in classes]
    made = Btf(byteorder=btf.byteorder, pointer_size=btf.pointer_size)
    for old in kept[1:]:
        made.add(remap(types[old], new_ids.__getitem__))
    return made, new_ids
