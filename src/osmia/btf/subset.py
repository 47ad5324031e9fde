"""A part of a table: chosen types with what they need, small enough to ship with a program."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from osmia.btf import types as t
from osmia.btf.core import CoreResult
from osmia.btf.core_spec import TYPE_MATCHES, Spec
from osmia.btf.model import Btf
from osmia.btf.refs import references, remap
from osmia.errors import UsageError

Keep = Mapping[int, Collection[int] | None]
"""The numbers of the members (enumerators) to keep of a struct, union or enum; None means all of them."""


_TAGS: dict[str, tuple[type[t.Type], ...]] = {
    "struct": (t.Struct,), "union": (t.Union,), "enum": (t.Enum, t.Enum64), "typedef": (t.Typedef,),
}  # fmt: skip


def by_name(btf: Btf, names: Iterable[str]) -> list[int]:
    """All ids with those names: ``foo`` of any kind, ``struct foo`` only that.  Raises UsageError if there is none."""
    ids = []
    for name in names:
        word, _, rest = name.partition(" ")
        found = list(btf.find_all(rest, *_TAGS[word]) if word in _TAGS else btf.find_all(name))
        if not found:
            raise UsageError(f"there is no type {name!r}")
        ids += found
    return ids


def subset(btf: Btf, roots: Iterable[int], *, depth: int | None = None, keep: Keep | None = None) -> Btf:
    """The types ``roots`` with all they refer to, in the old order.

    ``depth``: follow that many pointers; structs and unions beyond become forward declarations.
    ``keep``: structs, unions and enums have only those members left (none if not mentioned); sizes and offsets stay.
    """
    taker = _Taker(btf, keep)
    taker.take(roots, depth)
    return taker.write()


class _Taker:
    """Collects types: ``full`` as they are, ``declared`` as forward declarations."""

    def __init__(self, btf: Btf, keep: Keep | None) -> None:
        self.btf = btf
        self.keep = keep
        self.full: dict[int, int] = {}
        self.declared: set[int] = set()

    def type(self, type_id: int) -> t.Type:
        """The type with only the members to keep."""
        found = self.btf.type(type_id)
        wanted = None if self.keep is None else self.keep.get(type_id, ())
        if wanted is None:
            return found
        if isinstance(found, t.Composite):
            return replace(found, members=tuple(m for i, m in enumerate(found.members) if i in wanted))
        if isinstance(found, t.AnyEnum):
            return replace(found, values=tuple(v for i, v in enumerate(found.values) if i in wanted))
        return found

    def take(self, roots: Iterable[int], depth: int | None) -> None:
        """Walk from the roots; a type met again with more pointers left is walked again."""
        limit = len(self.btf) if depth is None else depth
        todo = [(i, limit) for i in roots if i]
        while todo:
            type_id, left = todo.pop()
            if self.full.get(type_id, -2) >= left:
                continue
            self.full[type_id] = left
            found = self.type(type_id)
            inside = max(left - 1, -1) if isinstance(found, t.Ptr) else left
            todo += [(i, inside) for i in references(found) if i and self._enter(i, inside)]

    def _enter(self, type_id: int, left: int) -> bool:
        """Whether to go on into a type; a struct behind the last pointer is only declared."""
        if left >= 0 or not isinstance(self.btf.type(type_id), t.Composite):
            return True
        self.declared.add(type_id)
        return False

    def write(self) -> Btf:
        """The table: old order, new ids."""
        ids = sorted({*self.full, *self.declared})
        new = {old: at for at, old in enumerate(ids, 1)} | {0: 0}
        made = Btf(byteorder=self.btf.byteorder, pointer_size=self.btf.pointer_size)
        for old in ids:
            made.add(remap(self.type(old), new.__getitem__) if old in self.full else self._declaration(old))
        return made

    def _declaration(self, type_id: int) -> t.Type:
        found = self.btf.type(type_id)
        if found.name:
            return t.Fwd(found.name, isinstance(found, t.Union))
        assert isinstance(found, t.Composite)
        return replace(found, members=())


def needed_by(results: Iterable[CoreResult]) -> tuple[list[int], dict[int, set[int] | None]]:
    """The roots and members of the target in which CO-RE relocations found their answers: arguments for ``subset``.

    A program relocated against that subset becomes what it becomes against the whole table, type ids apart.
    """
    roots, keep = list[int](), dict[int, set[int] | None]()
    for target in (r.target for r in results if r.target is not None):
        roots.append(target.root)
        if target.kind == TYPE_MATCHES:
            _keep_whole(target.btf, target.root, keep)
        elif target.raw:
            _keep_path(target, keep)
    return roots, keep


def _add(keep: dict[int, set[int] | None], type_id: int, idx: int) -> None:
    members = keep.setdefault(type_id, set())
    if members is not None:
        members.add(idx)


def _keep_path(spec: Spec, keep: dict[int, set[int] | None]) -> None:
    """Note every member on the way of an access, the anonymous ones too."""
    btf, here = spec.btf, spec.btf.resolve(spec.root)
    if isinstance(btf.type(here), t.AnyEnum):
        _add(keep, here, spec.raw[0])
        return
    for idx in spec.raw[1:]:
        found = btf.type(here := btf.resolve(here))
        if isinstance(found, t.Composite):
            _add(keep, here, idx)
            here = found.members[idx].type_id
        elif isinstance(found, t.Array):
            here = found.type_id


def _keep_whole(btf: Btf, type_id: int, keep: dict[int, set[int] | None]) -> None:
    """Keep all members of the structs and enums that a shape comparison looks at."""
    todo, seen = [type_id], set[int]()
    while todo:
        here = todo.pop()
        if here not in seen:
            seen.add(here)
            found = btf.type(here)
            if isinstance(found, t.Composite | t.AnyEnum):
                keep[here] = None
            todo += references(found)
