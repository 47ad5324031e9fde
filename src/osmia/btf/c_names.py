"""BTF names as C names: one name per type, none twice, and declarators around them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from osmia.btf import types as t
from osmia.btf.layout import MAX_DEPTH
from osmia.btf.model import Btf
from osmia.errors import BtfError

_BUILTIN = re.compile(
    r"(?:(?:un)?signed|char|short|int|long|_Bool|__int128|float|double|_Float16|__bf16|_Complex|\s)+\Z"
)
_STANDARD = {1: "char", 2: "short", 4: "int", 8: "long long", 16: "__int128"}
_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*\Z", re.ASCII)

VA_LIST = "__builtin_va_list"

MAX_NESTING = 8
"""Prototypes as parameters of prototypes."""

BODY = Callable[[int], str]
"""Writes the definition of an anonymous struct, union or enum where it is used."""


def is_builtin(name: str) -> bool:
    """Whether a compiler knows the integer or float by that name."""
    return bool(name) and bool(_BUILTIN.match(name))


def standard_int(made: t.Int | t.Float) -> str:
    """A C type of the same size and sign, for integers that C has no name for (Rust's u8, NEON's __Poly8_t)."""
    if isinstance(made, t.Float):
        return {4: "float", 8: "double"}.get(made.size, "long double")
    if made.encoding & t.BOOL and made.size == 1:
        return "_Bool"
    base = _STANDARD.get(made.size)
    if base is None:
        raise BtfError(f"integer {made.name!r} of {made.size} bytes has no counterpart in C")
    return base if made.signed and made.size > 1 else ("signed " if made.signed else "unsigned ") + base


def safe(name: str) -> str:
    """A name that C accepts: other characters (Rust's ``::``) become underscores."""
    if _IDENTIFIER.match(name):
        return name
    cleaned = re.sub(r"[^\w$]", "_", name, flags=re.ASCII)
    return cleaned if not cleaned[:1].isdigit() else "_" + cleaned


_NAMED = (t.Struct, t.Union, t.Enum, t.Enum64, t.Typedef, t.Fwd, t.Int, t.Float)


def tables(btf: Btf) -> list[Btf]:
    """A table and what it stands on, the base first."""
    return [*(tables(btf.base) if btf.base else ()), btf]


def all_ids(btf: Btf, *kinds: type[t.Type]) -> list[int]:
    """The ids of those kinds, the base's among them."""
    return [i for table in tables(btf) for i in table.ids(*kinds)]


class Names:
    """The C name of every named type of a table.

    Tags and ordinary identifiers are separate name spaces; the second type of a name is called ``name___2``.
    """

    def __init__(self, btf: Btf) -> None:
        self.btf = btf
        self._names: dict[int, str] = {}
        self._enumerators: dict[tuple[int, int], str] = {}
        self._tags: Counter[str] = Counter()
        self._idents: Counter[str] = Counter()
        self._tag_of: dict[tuple[str, bool], str] = {}
        self._budget = 10_000 + 4 * sum(len(table.encode()) for table in tables(btf))
        self._assign()

    def _assign(self) -> None:
        fwds: list[tuple[int, t.Fwd]] = []
        for type_id in all_ids(self.btf, *_NAMED):
            found = self.btf.type(type_id)
            if isinstance(found, t.Fwd):
                fwds.append((type_id, found))
            elif isinstance(found, t.Composite | t.AnyEnum) and found.name:
                self._names[type_id] = name = _unique(self._tags, found.name)
                self._tag_of.setdefault((found.name, isinstance(found, t.Union)), name)
            elif isinstance(found, t.Typedef | t.Int | t.Float) and not is_builtin(found.name):
                self._names[type_id] = _unique(self._idents, found.name)
        for type_id, fwd in fwds:
            known = self._tag_of.get((fwd.name, fwd.is_union))
            self._names[type_id] = known or _unique(self._tags, fwd.name)

    def __getitem__(self, type_id: int) -> str:
        return self._names.get(type_id) or self.btf.type(type_id).name

    def spend(self) -> None:
        """Count a declaration: prototypes within prototypes could otherwise grow without end.  Raises BtfError."""
        self._budget -= 1
        if self._budget < 0:
            raise BtfError("prototypes and anonymous structs repeat one another too often")

    def enumerator(self, name: str) -> str:
        """The next free spelling of an enumerator; they share a name space with typedefs."""
        return _unique(self._idents, name)

    def spell(self, type_id: int) -> str:
        """``struct task_struct``, ``u32``, ``void``."""
        found = self.btf.type(type_id)
        if isinstance(found, t.Void):
            return "void"
        if isinstance(found, t.AnyEnum):
            return f"enum {self[type_id]}"
        if isinstance(found, t.Composite):
            return f"{'union' if isinstance(found, t.Union) else 'struct'} {self[type_id]}"
        if isinstance(found, t.Fwd):
            return f"{'union' if found.is_union else 'struct'} {self[type_id]}"
        if isinstance(found, t.Typedef | t.Int | t.Float):
            return self[type_id]
        raise BtfError(f"type {type_id} ({type(found).__name__} {found.name}) is no type of an object in C")


def _unique(taken: Counter[str], name: str) -> str:
    name = safe(name)
    taken[name] += 1
    return name if taken[name] == 1 else f"{name}___{taken[name]}"


_QUALIFIERS: dict[type[t.Type], str] = {t.Const: "const", t.Volatile: "volatile", t.Restrict: "restrict"}


def _qualifier(made: t.Type) -> str:
    if isinstance(made, t.TypeTag):
        inside = made.name if made.kind_flag else f'btf_type_tag("{made.name}")'
        return f"__attribute__(({inside}))"
    return _QUALIFIERS[type(made)]


def declare(names: Names, type_id: int, text: str = "", body: BODY | None = None, depth: int = 0) -> str:
    """A C declaration of ``text`` with that type: ``int (*handler)(struct file *, long[4])``.

    ``body`` writes anonymous structs and enums in full.  Raises BtfError for types nested without end.
    """
    names.spend()
    btf, qualifiers = names.btf, list[str]()
    for _ in range(MAX_DEPTH):
        found = btf.type(type_id)
        if isinstance(found, t.MODIFIERS):
            word = _qualifier(found)
            qualifiers = [word, *(q for q in qualifiers if q != word)]
        elif isinstance(found, t.Ptr):
            text = _pointer(btf, found, qualifiers, text)
            qualifiers = []
        elif isinstance(found, t.Array):
            text += f"[{found.nelems}]"
        elif isinstance(found, t.Typedef) and found.name == VA_LIST:
            pass  # a C compiler has its own, of another shape: name what the table's stands for
        elif isinstance(found, t.FuncProto):
            text, qualifiers = f"{text}({_params(names, found, body, depth + 1)})", []
        else:
            return _base(names, type_id, qualifiers, text, body)
        type_id = found.type_id
    raise BtfError(f"a declaration nests deeper than {MAX_DEPTH}, or in a circle")


def _pointer(btf: Btf, made: t.Ptr, qualifiers: list[str], text: str) -> str:
    words = " ".join(qualifiers)
    text = f"* {words} {text}".rstrip() if words else "*" + text
    inner = btf.type(btf.skip_modifiers(made.type_id))
    return f"({text})" if isinstance(inner, t.Array | t.FuncProto) else text


def _params(names: Names, proto: t.FuncProto, body: BODY | None, depth: int) -> str:
    if depth > MAX_NESTING:
        raise BtfError(f"function types nest deeper than {MAX_NESTING}, or in a circle")
    if not proto.params:
        return "void"
    parts = [declare(names, p.type_id, safe(p.name) if p.name else "", body, depth) for p in proto.params]
    if proto.params[-1].type_id == 0:
        parts[-1] = "..."
    return ", ".join(parts)


def _base(names: Names, type_id: int, qualifiers: list[str], text: str, body: BODY | None) -> str:
    found = names.btf.type(type_id)
    anonymous = isinstance(found, t.Composite | t.AnyEnum) and not found.name
    tags = [q for q in qualifiers if q.startswith("__")]
    plain = [q for q in qualifiers if not q.startswith("__") and q != "restrict"]
    base = body(type_id) if anonymous and body else names.spell(type_id)
    return " ".join([*plain, base, *tags, *([text] if text else [])])
