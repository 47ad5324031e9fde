"""BTF as rows: the text of ``bpftool btf dump`` and its JSON form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from osmia.btf import types as t
from osmia.btf.model import Btf

ANONYMOUS = "(anon)"
_LINKAGE = ("static", "global", "extern")
_ENCODING = {0: "(none)", t.SIGNED: "SIGNED", t.CHAR: "CHAR", t.BOOL: "BOOL"}
_LISTS = ("members", "values", "params", "vars")


def row(btf: Btf, type_id: int) -> dict[str, Any]:
    """One type as a JSON object with bpftool's keys."""
    found = btf.type(type_id)
    head = {"id": type_id, "kind": t.KIND_NAMES[found.kind], "name": found.name or ANONYMOUS}
    return head | _details(found)


def _details(x: t.Type) -> dict[str, Any]:
    match x:
        case t.Int():
            encoding = _ENCODING.get(x.encoding, "UNKN")
            return {"size": x.size, "bits_offset": x.offset, "nr_bits": x.bits, "encoding": encoding}
        case t.Array():
            return {"type_id": x.type_id, "index_type_id": x.index_type_id, "nr_elems": x.nelems}
        case t.Struct() | t.Union():
            return {"size": x.size, "vlen": len(x.members), "members": [_member(m, x.kind_flag) for m in x.members]}
        case t.Enum() | t.Enum64():
            values = [{"name": v.name or ANONYMOUS, "val": v.value} for v in x.values]
            encoding = "SIGNED" if x.signed else "UNSIGNED"
            return {"encoding": encoding, "size": x.size, "vlen": len(values), "values": values}
        case t.Fwd():
            return {"fwd_kind": "union" if x.is_union else "struct"}
        case t.Func() | t.Var():
            return {"type_id": x.type_id, "linkage": _LINKAGE[x.linkage] if x.linkage < 3 else "(unknown)"}
        case _:
            return _more_details(x)


def _more_details(x: t.Type) -> dict[str, Any]:
    match x:
        case t.FuncProto():
            params = [{"name": p.name or ANONYMOUS, "type_id": p.type_id} for p in x.params]
            return {"ret_type_id": x.type_id, "vlen": len(params), "params": params}
        case t.Datasec():
            return {"size": x.size, "vlen": len(x.vars), "vars": [v._asdict() for v in x.vars]}
        case t.Float():
            return {"size": x.size}
        case t.DeclTag():
            return {"type_id": x.type_id, "component_idx": x.component_idx}
        case t.Void():
            return {}
        case _:
            return {"type_id": x.type_id}  # type: ignore[attr-defined]


def _member(m: t.Member, kind_flag: bool) -> dict[str, Any]:
    made = {"name": m.name or ANONYMOUS, "type_id": m.type_id, "bits_offset": m.bit_offset}
    return made | ({"bitfield_size": m.bitfield_size} if kind_flag and m.bitfield_size else {})


def lines(btf: Btf, type_id: int) -> Iterator[str]:
    """The lines of one type in bpftool's raw format."""
    made = row(btf, type_id)
    fields = [f"{k}={v}" for k, v in made.items() if k not in ("id", "kind", "name", *_LISTS)]
    glue = ", " if made["kind"] == "VAR" else " "
    yield f"[{type_id}] {made['kind']} '{made['name']}' {glue.join(fields)}".rstrip()
    suffix = _suffix(made)
    for item in next((made[k] for k in _LISTS if k in made), ()):
        yield "\t" + (_variable(btf, item) if made["kind"] == "DATASEC" else _item(item, suffix))


def _suffix(made: dict[str, Any]) -> str:
    if made["kind"] != "ENUM64":
        return ""
    return "LL" if made["encoding"] == "SIGNED" else "ULL"


def _item(item: dict[str, Any], suffix: str) -> str:
    rest = (f"{k}={v}{suffix if k == 'val' else ''}" for k, v in item.items() if k != "name")
    return " ".join([f"'{item['name']}'", *rest])


def _variable(btf: Btf, item: dict[str, Any]) -> str:
    owner = btf.type(item["type_id"])
    place = " ".join(f"{k}={v}" for k, v in item.items())
    return f"{place} ({t.KIND_NAMES[owner.kind]} '{owner.name}')"


def dump_text(btf: Btf, ids: Iterable[int] | None = None) -> str:
    """The raw text of the table's own types, or of some."""
    chosen = range(btf.first_id, len(btf)) if ids is None else ids
    return "".join(f"{line}\n" for i in chosen for line in lines(btf, i))
