"""Do two files mean the same variable, function or map?  The types of an extern and its definition, compared.

The rules are those of libbpf's linker.c (glob_syms_match): names, kinds, sizes and members must agree; behind a
pointer a struct counts by its name alone; a map counts by what its definition says.
"""

from __future__ import annotations

from osmia.btf import types as t
from osmia.btf.layout import size_of
from osmia.btf.model import Btf
from osmia.errors import BtfError

MAX_DEPTH = 100
"""Pointers to pointers, structs in structs: more than any compiler's output has."""


class Comparison:
    """Compares types of two tables; ``reason`` says what differed."""

    def __init__(self, a: Btf, b: Btf) -> None:
        self.a, self.b = a, b
        self.reason = ""
        self._assumed: set[tuple[int, int, bool]] = set()
        self._depth = 0

    def same_symbol(self, a_id: int, b_id: int, in_maps: bool) -> bool:
        """Whether a Var or Func of one table may be that of the other."""
        x, y = self.a.type(a_id), self.b.type(b_id)
        if x.kind != y.kind or not isinstance(x, t.Var | t.Func):
            return self._differ("one is a function, the other a variable")
        inner_x, inner_y = x.type_id, y.type_id  # type: ignore[attr-defined]
        return self.same_map(inner_x, inner_y) if in_maps else self.same(inner_x, inner_y, True)

    def _differ(self, reason: str) -> bool:
        self.reason = self.reason or reason
        return False

    def same(self, a_id: int, b_id: int, exact: bool) -> bool:
        """``exact``: the members of structs count, too."""
        a_id, b_id = self.a.resolve(a_id), self.b.resolve(b_id)
        if (a_id, b_id, exact) in self._assumed:
            return True
        self._assumed.add((a_id, b_id, exact))
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise BtfError(f"types nest deeper than {MAX_DEPTH}")
        found = self._same_types(a_id, b_id, exact)
        self._depth -= 1
        return found

    def _same_types(self, a_id: int, b_id: int, exact: bool) -> bool:
        x, y = self.a.type(a_id), self.b.type(b_id)
        if x.name != y.name:
            return self._differ(f"the types are {_show(x)} and {_show(y)}")
        if isinstance(x, t.Fwd) or isinstance(y, t.Fwd):
            return self._same_declared(x, y)
        if x.kind != y.kind:
            return self._differ(f"the types are {_show(x)} and {_show(y)}")
        return self._same_kind(x, y, exact)

    def _same_declared(self, x: t.Type, y: t.Type) -> bool:
        sides = [found.is_union if isinstance(found, t.Fwd) else isinstance(found, t.Union) for found in (x, y)]
        fitting = all(isinstance(found, t.Fwd | t.Struct | t.Union) for found in (x, y))
        return (fitting and sides[0] == sides[1]) or self._differ(f"the types are {_show(x)} and {_show(y)}")

    def _same_kind(self, x: t.Type, y: t.Type, exact: bool) -> bool:
        if isinstance(x, t.Ptr) and isinstance(y, t.Ptr):
            return self.same(x.type_id, y.type_id, False)
        if isinstance(x, t.Array) and isinstance(y, t.Array):
            if x.nelems != y.nelems:
                return self._differ(f"the arrays have {x.nelems} and {y.nelems} elements")
            return self.same(x.type_id, y.type_id, exact)
        if isinstance(x, t.FuncProto) and isinstance(y, t.FuncProto):
            return self._same_proto(x, y)
        if isinstance(x, t.Composite) and isinstance(y, t.Composite):
            return self._same_members(x, y, exact)
        return x == y or self._differ(f"the types are {_show(x)} and {_show(y)}")

    def _same_proto(self, x: t.FuncProto, y: t.FuncProto) -> bool:
        if len(x.params) != len(y.params):
            return self._differ(f"the functions have {len(x.params)} and {len(y.params)} parameters")
        pairs = zip(x.params, y.params, strict=True)
        return self.same(x.type_id, y.type_id, False) and all(self.same(p.type_id, q.type_id, False) for p, q in pairs)

    def _same_members(self, x: t.Composite, y: t.Composite, exact: bool) -> bool:
        if (x.size, len(x.members)) != (y.size, len(y.members)):
            return self._differ(f"{_show(x)} has {x.size} bytes in one and {y.size} in the other, or other members")
        if not exact:
            return True
        for m, n in zip(x.members, y.members, strict=True):
            if m._replace(type_id=0) != n._replace(type_id=0):
                return self._differ(f"{_show(x)} has member {m.name!r} where the other has {n.name!r}")
            if not self.same(m.type_id, n.type_id, True):
                return False
        return True

    def same_map(self, a_id: int, b_id: int) -> bool:
        """Two map definitions: each attribute of one must be that of the other."""
        x, y = self.a.type(self.a.resolve(a_id)), self.b.type(self.b.resolve(b_id))
        if not isinstance(x, t.Struct) or not isinstance(y, t.Struct):
            return self._differ("one of them is no map definition")
        mine, theirs = ({m.name: m.type_id for m in s.members} for s in (x, y))
        if mine.keys() != theirs.keys():
            return self._differ(f"only one map has {', '.join(sorted(mine.keys() ^ theirs.keys()))}")
        return all(
            _attribute(self.a, mine[name]) == _attribute(self.b, theirs[name]) or self._differ(f"{name} differs")
            for name in mine
        )


def _attribute(btf: Btf, type_id: int) -> object:
    """What ``__uint`` or ``__type`` says: the length of the array behind the pointer, or the name and size."""
    pointer = btf.type(btf.resolve(type_id))
    if not isinstance(pointer, t.Ptr):
        return type(pointer)
    inner = btf.type(btf.resolve(pointer.type_id))
    if isinstance(inner, t.Array):
        return inner.nelems
    try:
        return inner.name, size_of(btf, pointer.type_id)
    except BtfError:
        return inner.name


def _show(found: t.Type) -> str:
    return f"{t.KIND_NAMES[found.kind].lower()} {found.name}".rstrip()
