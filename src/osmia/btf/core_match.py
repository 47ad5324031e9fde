"""When is a type or member of the target the one that the program was compiled against?

Three relations, each looser than equality: fields (``fields_compatible``), types for existence and size
(``Shapes.compatible``), and the strict comparison of ``bpf_core_type_matches`` (``Shapes.match``).
The rules are those of libbpf's relo_core.c.
"""

from __future__ import annotations

from osmia.btf import types as t
from osmia.btf.core_spec import (
    ENUM_KINDS,
    MAX_SPEC,
    TYPE_KINDS,
    TYPE_MATCHES,
    Access,
    Spec,
    essential_name,
    is_flexible,
)
from osmia.btf.layout import size_of
from osmia.btf.model import Btf
from osmia.errors import CoreError

MAX_LEVEL = 32
"""How deep types are compared, as in libbpf and the kernel."""


def kinds_compatible(a: t.Type, b: t.Type) -> bool:
    """The same kind, or two enums of any width."""
    return a.kind == b.kind or (isinstance(a, t.AnyEnum) and isinstance(b, t.AnyEnum))


def fields_compatible(local: Btf, local_id: int, target: Btf, target_id: int) -> bool:
    """Whether a target member can stand for a local one: any two structs, pointers, integers; enums by name."""
    for _ in range(MAX_LEVEL):
        a, b = local.type(local.resolve(local_id)), target.type(target.resolve(target_id))
        if isinstance(a, t.Composite) and isinstance(b, t.Composite):
            return True
        if not kinds_compatible(a, b):
            return False
        if isinstance(a, t.Array) and isinstance(b, t.Array):
            local_id, target_id = a.type_id, b.type_id
            continue
        return _same_leaf(a, b)
    raise CoreError("arrays nest too deep to compare")


def _same_leaf(a: t.Type, b: t.Type) -> bool:
    if isinstance(a, t.Ptr | t.Float):
        return True
    if isinstance(a, t.Fwd | t.Enum | t.Enum64):
        return not a.name or not b.name or essential_name(a.name) == essential_name(b.name)
    if isinstance(a, t.Int) and isinstance(b, t.Int):
        return a.offset == 0 and b.offset == 0
    return False


class Shapes:
    """Compares types of ``local`` with types of ``target``; remembers what it compared, so that no nesting is slow."""

    def __init__(self, local: Btf, target: Btf) -> None:
        self.local = local
        self.target = target
        self._known: dict[tuple[str, int, int], bool] = {}

    def compatible(self, local_id: int, target_id: int, level: int = MAX_LEVEL) -> bool:
        """Whether two types have the same outline: kinds alike, down through pointers, arrays and prototypes."""
        if level <= 0:
            raise CoreError("types nest too deep to compare")
        key = ("outline", self.local.resolve(local_id), self.target.resolve(target_id))
        if key not in self._known:
            self._known[key] = self._compatible(self.local.type(key[1]), self.target.type(key[2]), level - 1)
        return self._known[key]

    def _compatible(self, a: t.Type, b: t.Type, level: int) -> bool:
        if not kinds_compatible(a, b):
            return False
        if isinstance(a, t.Int) and isinstance(b, t.Int):
            return a.offset == 0 and b.offset == 0
        if isinstance(a, t.Ptr | t.Array) and isinstance(b, t.Ptr | t.Array):
            return self.compatible(a.type_id, b.type_id, level)
        if isinstance(a, t.FuncProto) and isinstance(b, t.FuncProto):
            return len(a.params) == len(b.params) and all(
                self.compatible(p, q, level) for p, q in zip(_types_of(a), _types_of(b), strict=True)
            )
        return isinstance(a, t.Void | t.Struct | t.Union | t.Enum | t.Enum64 | t.Fwd)

    def match(self, local_id: int, target_id: int, behind_ptr: bool = False, level: int = MAX_LEVEL) -> bool:
        """The strict relation: all members and enumerators of the local type exist in the target and match."""
        if level <= 0:
            raise CoreError("types nest too deep to compare")
        relation = "behind pointer" if behind_ptr else "shape"
        key = (relation, self.local.resolve(local_id), self.target.resolve(target_id))
        if key not in self._known:
            a, b = self.local.type(key[1]), self.target.type(key[2])
            self._known[key] = _names_match(a.name, b.name) and self._match(a, b, behind_ptr, level - 1)
        return self._known[key]

    def _match(self, a: t.Type, b: t.Type, behind_ptr: bool, level: int) -> bool:
        if isinstance(a, t.Composite) and not behind_ptr:
            return isinstance(b, t.Composite) and a.kind == b.kind and self._members_match(a, b, level)
        if isinstance(a, t.FuncProto):
            return isinstance(b, t.FuncProto) and self._params_match(a, b, behind_ptr, level)
        if isinstance(a, t.Ptr):
            return isinstance(b, t.Ptr) and self.match(a.type_id, b.type_id, True, level)
        if isinstance(a, t.Array):
            same = isinstance(b, t.Array) and a.nelems == b.nelems
            return same and self.match(a.type_id, b.type_id, behind_ptr, level)  # type: ignore[attr-defined]
        return _leaf_matches(a, b)

    def _members_match(self, a: t.Composite, b: t.Composite, level: int) -> bool:
        return len(a.members) <= len(b.members) and all(
            any(_names_match(m.name, n.name) and self.match(m.type_id, n.type_id, False, level) for n in b.members)
            for m in a.members
        )

    def _params_match(self, a: t.FuncProto, b: t.FuncProto, behind_ptr: bool, level: int) -> bool:
        return len(a.params) == len(b.params) and all(
            self.match(p, q, behind_ptr, level) for p, q in zip(_types_of(a), _types_of(b), strict=True)
        )


def _types_of(proto: t.FuncProto) -> list[int]:
    """The parameters' types, and last the returned one."""
    return [*(p.type_id for p in proto.params), proto.type_id]


def _names_match(a: str, b: str) -> bool:
    return essential_name(a) == essential_name(b)


def _leaf_matches(a: t.Type, b: t.Type) -> bool:
    """Void, integers, enums, and structs behind a pointer or merely declared."""
    if isinstance(a, t.Void):
        return isinstance(b, t.Void)
    if isinstance(a, t.Int):
        return isinstance(b, t.Int) and (a.size, a.signed) == (b.size, b.signed)
    if isinstance(a, t.AnyEnum):
        return isinstance(b, t.AnyEnum) and _enumerators_match(a, b)
    return _is_union(a) is not None and _is_union(a) == _is_union(b)


def _is_union(found: t.Type) -> bool | None:
    if isinstance(found, t.Fwd):
        return found.is_union
    return isinstance(found, t.Union) if isinstance(found, t.Composite) else None


def _enumerators_match(a: t.AnyEnum, b: t.AnyEnum) -> bool:
    theirs = {essential_name(v.name) for v in b.values}
    return len(a.values) <= len(b.values) and all(essential_name(v.name) in theirs for v in a.values)


def match_spec(local: Spec, shapes: Shapes, target_id: int) -> Spec | None:
    """The local spec carried over to a candidate type of the target, or None when it does not fit."""
    target = shapes.target
    made = Spec(target, target_id, local.kind)
    if local.kind in TYPE_KINDS:
        relation = shapes.match if local.kind == TYPE_MATCHES else shapes.compatible
        return made if relation(local.root, target_id) else None
    if local.kind in ENUM_KINDS:
        return made if _match_enumerator(local, made) else None
    here: int | None = target_id
    for i, step in enumerate(local.steps):
        here = target.resolve(here or 0)
        here = _match_member(local.btf, step, made, here) if step.name else _match_element(made, here, step.idx, i)
        if here is None:
            return None
    return made


def _match_enumerator(local: Spec, made: Spec) -> bool:
    here = made.btf.resolve(made.root)
    found, wanted = made.btf.type(here), essential_name(local.steps[0].name or "")
    if not isinstance(found, t.AnyEnum):
        return False
    for i, value in enumerate(found.values):
        if essential_name(value.name) == wanted:
            made.steps, made.raw = [Access(here, i, value.name)], [i]
            return True
    return False


def _match_element(made: Spec, here: int, idx: int, position: int) -> int | None:
    """Step into array element ``idx``; the first step indexes the object itself.  Answers the element's type."""
    if position:
        found = made.btf.type(here)
        if not isinstance(found, t.Array):
            return None
        if idx >= found.nelems and not is_flexible(made.btf, made.steps[-1], found):
            return None
        here = made.btf.resolve(found.type_id)
    _check_depth(made)
    made.steps.append(Access(here, idx))
    made.raw.append(idx)
    made.bit_offset += idx * size_of(made.btf, here) * 8
    return here


def _check_depth(made: Spec) -> None:
    if len(made.raw) >= MAX_SPEC:
        raise CoreError(f"the target nests deeper than {MAX_SPEC} steps")


def _match_member(local: Btf, step: Access, made: Spec, target_id: int, seen: set[int] | None = None) -> int | None:
    """Find the member of that name, also inside anonymous structs (each searched once); answers its type.

    A member of the name whose type does not fit ends the search of its struct.
    """
    target_id, seen = made.btf.resolve(target_id), seen or set()
    found = made.btf.type(target_id)
    if not isinstance(found, t.Composite) or target_id in seen:
        return None
    seen.add(target_id)
    for i, member in enumerate(found.members):
        if member.name not in ("", step.name):
            continue
        _check_depth(made)
        made.bit_offset += member.bit_offset
        made.raw.append(i)
        inner = _enter(local, step, made, Access(target_id, i, member.name), member.type_id, seen)
        if inner is not None:
            return inner
        made.bit_offset -= member.bit_offset
        made.raw.pop()
        if member.name:
            return None
    return None


def _enter(local: Btf, step: Access, made: Spec, here: Access, type_id: int, seen: set[int]) -> int | None:
    """Take the member of the right name if its type fits, else search the anonymous one."""
    if not here.name:
        return _match_member(local, step, made, type_id, seen)
    if not fields_compatible(local, _member_type(local, step), made.btf, type_id):
        return None
    made.steps.append(here)
    return type_id


def _member_type(local: Btf, step: Access) -> int:
    found = local.type(step.type_id)
    assert isinstance(found, t.Composite)
    return found.members[step.idx].type_id
