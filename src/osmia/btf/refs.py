"""Which types a type refers to, and the same type with other references."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from osmia.btf import types as t

Map = Callable[[int], int]


def references(x: t.Type) -> tuple[int, ...]:
    """The ids that a type refers to, in the order of its record."""
    if isinstance(x, t.Composite):
        return tuple(m.type_id for m in x.members)
    if isinstance(x, t.FuncProto):
        return (x.type_id, *(p.type_id for p in x.params))
    if isinstance(x, t.Array):
        return (x.type_id, x.index_type_id)
    if isinstance(x, t.Datasec):
        return tuple(v.type_id for v in x.vars)
    inner = getattr(x, "type_id", None)
    return () if inner is None else (inner,)


def remap(x: t.Type, new: Map) -> t.Type:
    """The type with every reference ``id`` replaced by ``new(id)``."""
    if isinstance(x, t.Composite):
        return replace(x, members=tuple(m._replace(type_id=new(m.type_id)) for m in x.members))
    if isinstance(x, t.FuncProto):
        return t.FuncProto(new(x.type_id), tuple(p._replace(type_id=new(p.type_id)) for p in x.params))
    if isinstance(x, t.Array):
        return t.Array(new(x.type_id), new(x.index_type_id), x.nelems)
    if isinstance(x, t.Datasec):
        return replace(x, vars=tuple(v._replace(type_id=new(v.type_id)) for v in x.vars))
    if hasattr(x, "type_id"):
        return replace(x, type_id=new(x.type_id))  # type: ignore[type-var]
    return x


def shape(x: t.Type) -> t.Type:
    """The type with all references blanked: what tells it apart from others before looking further."""
    return remap(x, lambda _: 0)
