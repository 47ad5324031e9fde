"""Program BTF for a kernel that lacks newer kinds: what libbpf puts in their place, so that the rest still loads.

Ids, sizes and string offsets stay, so func_info, line_info and relocations go on fitting.
(``bpf_object__sanitize_btf`` of tools/lib/bpf/libbpf.c, libbpf 1.5.)
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from osmia.btf import types as t
from osmia.btf.model import Btf

PLACEHOLDER = "enum64_placeholder"


def sanitize(btf: Btf, features: Collection[str]) -> Btf:
    """The table as a kernel with those features (``kernel.features``: "btf-float" …) takes it.

    The table itself where nothing is to be done, else a copy.

    >>> from osmia.btf import Btf, Float
    >>> table = Btf()
    >>> sanitize(table, ()).type(table.add(Float("double", 8))).size
    8
    """
    todo = [(kind, substitute) for name, kind, substitute in SUBSTITUTES if name not in features]
    if not any(btf.ids(kind) for kind, _ in todo):
        return btf
    made = btf.copy()
    for kind, substitute in todo:
        for type_id in made.ids(kind):
            made.replace(type_id, substitute(made, type_id))
    if "btf-enum64" not in features:
        _drop_signs(made)
    return made


def _float(btf: Btf, type_id: int) -> t.Type:
    """A struct of that size, without a name: no struct may be called ``long double``."""
    return t.Struct("", btf.size_of(type_id), ())


def _decl_tag(btf: Btf, type_id: int) -> t.Type:
    return t.Int(btf.type(type_id).name, 1, bits=8)


def _type_tag(btf: Btf, type_id: int) -> t.Type:
    tag = btf.type(type_id)
    assert isinstance(tag, t.TypeTag)
    return t.Const(tag.type_id)


def _enum64(btf: Btf, type_id: int) -> t.Type:
    """A union with a member for each name."""
    enum = btf.type(type_id)
    assert isinstance(enum, t.Enum64)
    placeholder = btf.find(PLACEHOLDER, t.Int) or btf.add(t.Int(PLACEHOLDER, 1, bits=8))
    return t.Union(enum.name, enum.size, tuple(t.Member(value.name, placeholder, 0) for value in enum.values))


def _drop_signs(btf: Btf) -> None:
    """Enums of 32 bits could not say that they are signed."""
    for type_id in btf.ids(t.Enum):
        enum = btf.type(type_id)
        assert isinstance(enum, t.Enum)
        if enum.signed:
            btf.replace(type_id, t.Enum(enum.name, enum.size, enum.values))


SUBSTITUTES: tuple[tuple[str, type[t.Type], Callable[[Btf, int], t.Type]], ...] = (
    ("btf-decl-tag", t.DeclTag, _decl_tag),
    ("btf-float", t.Float, _float),
    ("btf-type-tag", t.TypeTag, _type_tag),
    ("btf-enum64", t.Enum64, _enum64),
)
