"""Is the table sound?  What the kernel's btf.c refuses in BPF_BTF_LOAD, as one BtfError with its place.

``Btf.parse`` checks what it needs to index the types; this follows every reference.  Data sections of a
fresh object have no sizes yet (a loader fills them in), so a size of zero is accepted there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from osmia.btf import types as t
from osmia.btf.layout import size_of
from osmia.btf.model import Btf
from osmia.errors import BtfError

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,510}\Z")
_SECTION = re.compile(r"[\x20-\x7e]{1,511}\Z")
_NO_OBJECTS = (t.Void, t.Fwd, t.Func, t.FuncProto, t.Var, t.Datasec, t.DeclTag)
MAX_DEPTH = 64
"""How deep types may contain one another by value.  The kernel ends at 32 for programs' BTF; its own goes deeper."""


def check(btf: Btf) -> None:
    """Raises BtfError for the first type that the kernel would refuse."""
    checker = _Checker(btf)
    for type_id in range(btf.first_id, len(btf)):
        try:
            checker.check(type_id)
        except BtfError as error:
            raise error.at(offset=btf.offset_of(type_id)) from None


class _Checker:
    def __init__(self, btf: Btf) -> None:
        self.btf = btf
        self._sound = {0}

    def check(self, type_id: int) -> None:
        found = self.btf.type(type_id)
        if (wrong := _RULES[found.kind](self.btf, found)) is not None:
            raise BtfError(f"type {type_id} ({t.KIND_NAMES[found.kind]} {found.name}".rstrip() + f"): {wrong}")
        self._follow(type_id)

    def _follow(self, root: int) -> None:
        """Raises BtfError when ``root`` contains itself, or others too deep."""
        todo, open_now = [(root, _contains(self.btf, root))], {root}
        while todo:
            here, inner = todo[-1]
            below = next((i for i in inner if i not in self._sound), None)
            if below is None:
                todo.pop()
                open_now.discard(here)
                self._sound.add(here)
            elif below in open_now:
                raise BtfError(f"type {here} contains itself through type {below}")
            elif len(todo) >= MAX_DEPTH:
                raise BtfError(f"type {root} nests deeper than {MAX_DEPTH}")
            else:
                todo.append((below, _contains(self.btf, below)))
                open_now.add(below)


def _contains(btf: Btf, type_id: int) -> Iterator[int]:
    """The types whose size this type's size depends on."""
    found = btf.type(type_id)
    if isinstance(found, t.Composite):
        return (m.type_id for m in found.members)
    if isinstance(found, (*t.MODIFIERS, t.Typedef, t.Array, t.Var)):
        return iter((found.type_id,))
    return iter(())


def _identifier(name: str) -> bool:
    return bool(_IDENTIFIER.match(name))


def _has_size(btf: Btf, type_id: int) -> bool:
    return not isinstance(btf.type(btf.resolve(type_id)), _NO_OBJECTS)


# A rule answers what is wrong, or None.


def _int(btf: Btf, x: t.Int) -> str | None:
    if x.encoding not in (0, t.SIGNED, t.CHAR, t.BOOL):
        return f"encoding {x.encoding} is unknown"
    if not 0 < x.bits <= 128 or x.size > 16 or x.offset + x.bits > x.size * 8:
        return f"{x.bits} bits at {x.offset} do not fit in {x.size} bytes"
    return None


def _target(btf: Btf, x: Any) -> str | None:
    if isinstance(btf.type(x.type_id), t.Datasec | t.Var | t.DeclTag) or (
        not isinstance(x, t.Ptr) and isinstance(btf.type(x.type_id), t.Func)
    ):
        return f"type {x.type_id} can't be referred to"
    return None


def _typedef(btf: Btf, x: t.Typedef) -> str | None:
    return _target(btf, x) if _identifier(x.name) else "its name is no identifier"


def _array(btf: Btf, x: t.Array) -> str | None:
    if not isinstance(btf.type(btf.resolve(x.index_type_id)), t.Int):
        return "its index type is no integer"
    if not _has_size(btf, x.type_id):
        return f"its elements (type {x.type_id}) have no size"
    if x.nelems * size_of(btf, x.type_id) > 0xFFFFFFFF:
        return "it is larger than 4 GiB"
    return None


def _composite(btf: Btf, x: t.Composite) -> str | None:
    if x.name and not _identifier(x.name):
        return "its name is no identifier"
    last = 0
    for m in x.members:
        if m.name and not _identifier(m.name):
            return f"the member name {m.name!r} is no identifier"
        if not _has_size(btf, m.type_id):
            return f"member {m.name!r} (type {m.type_id}) has no size"
        if isinstance(x, t.Union) and m.bit_offset:
            return f"member {m.name!r} of a union does not start at 0"
        if m.bit_offset < last:
            return f"member {m.name!r} starts before the one in front of it"
        if _end(btf, m) > x.size * 8:
            return f"member {m.name!r} ends beyond its size of {x.size} bytes"
        last = m.bit_offset
    return None


def _end(btf: Btf, m: t.Member) -> int:
    if m.bitfield_size:
        return m.bit_offset + m.bitfield_size
    inner = btf.type(btf.resolve(m.type_id))
    return m.bit_offset + (inner.bits if isinstance(inner, t.Int) else size_of(btf, m.type_id) * 8)


def _enum(btf: Btf, x: t.AnyEnum) -> str | None:
    if x.size not in (1, 2, 4, 8):
        return f"size {x.size} is impossible"
    if x.name and not _identifier(x.name):
        return "its name is no identifier"
    bad = next((v.name for v in x.values if not _identifier(v.name)), None)
    return None if bad is None else f"the enumerator {bad!r} is no identifier"


def _named(btf: Btf, x: t.Fwd) -> str | None:
    return None if _identifier(x.name) else "its name is no identifier"


def _func(btf: Btf, x: t.Func) -> str | None:
    if not _identifier(x.name):
        return "its name is no identifier"
    if x.linkage > t.EXTERN:
        return f"linkage {x.linkage} is unknown"
    return None if isinstance(btf.type(x.type_id), t.FuncProto) else f"type {x.type_id} is no prototype"


def _proto(btf: Btf, x: t.FuncProto) -> str | None:
    if isinstance(btf.type(btf.resolve(x.type_id)), t.Func | t.FuncProto | t.Var | t.Datasec):
        return "it returns what no function can"
    for i, p in enumerate(x.params):
        last = i == len(x.params) - 1
        if p.type_id == 0 and not (last and not p.name):
            return f"parameter {i + 1} has no type"
        if p.type_id and not _has_size(btf, p.type_id):
            return f"parameter {i + 1} has a type without size"
    return None


def _var(btf: Btf, x: t.Var) -> str | None:
    if not _SECTION.match(x.name):
        return "it has no name"
    if x.linkage > t.EXTERN:
        return f"linkage {x.linkage} is unknown"
    found = btf.type(btf.resolve(x.type_id))
    if x.linkage == t.EXTERN and isinstance(found, t.Void | t.Fwd):
        return None
    return None if _has_size(btf, x.type_id) else f"its type {x.type_id} has no size"


def _datasec(btf: Btf, x: t.Datasec) -> str | None:
    if not _SECTION.match(x.name):
        return "it has no name"
    end = 0
    for v in x.vars:
        if not isinstance(btf.type(v.type_id), t.Var | t.Func):
            return f"type {v.type_id} is no variable"
        if x.size and (v.offset < end or v.offset + v.size > x.size):
            return f"the variable at {v.offset} overlaps another or ends beyond the section"
        end = v.offset + v.size if x.size else 0
    return None


def _float(btf: Btf, x: t.Float) -> str | None:
    return None if x.size in (2, 4, 8, 12, 16) else f"size {x.size} is impossible"


def _decl_tag(btf: Btf, x: t.DeclTag) -> str | None:
    if not x.name:
        return "it has no value"
    owner = btf.type(x.type_id)
    if not isinstance(owner, t.Composite | t.Func | t.Var | t.Typedef | t.AnyEnum):
        return f"type {x.type_id} can't be tagged"
    return None if -1 <= x.component_idx < _components(btf, owner) else f"there is no component {x.component_idx}"


def _components(btf: Btf, owner: t.Type) -> int:
    if isinstance(owner, t.Composite):
        return len(owner.members)
    if isinstance(owner, t.Func):
        proto = btf.type(owner.type_id)
        return len(proto.params) if isinstance(proto, t.FuncProto) else 0
    return 0


def _type_tag(btf: Btf, x: t.TypeTag) -> str | None:
    return _target(btf, x) if x.name else "it has no value"


_RULES: tuple[Callable[[Btf, Any], str | None], ...] = (
    lambda btf, x: "void stands at an id", _int, _target, _array, _composite, _composite, _enum, _named, _typedef,
    _target, _target, _target, _func, _proto, _var, _datasec, _float, _decl_tag, _type_tag, _enum,
)  # fmt: skip
