"""A CO-RE relocation in llvm-objdump's words: ``<byte_off> [18] struct outer::in.b[2] (0:0:1:2)``.

libbpf's words, which its log and ours use, differ (``struct outer.in.b[2]``): they are in ``osmia.btf.core_spec``.
"""

from __future__ import annotations

from osmia.btf import Array, Btf, Enum, Enum64, Fwd, Struct, Typedef, Union
from osmia.btf.core_spec import ENUM_KINDS, KINDS, TYPE_KINDS
from osmia.btf.ext import CoreRelo
from osmia.errors import BtfError


def describe(btf: Btf, relo: CoreRelo) -> str:
    """The words for one relocation.  What can't be followed comes out in angle brackets, never as an error."""
    kind = KINDS[relo.kind] if relo.kind < len(KINDS) else f"unknown {relo.kind}"
    try:
        spec = btf.str_at(relo.access_off)
        return f"<{kind}> [{relo.type_id}] {_type_name(btf, relo.type_id)}{_access(btf, relo, spec)}"
    except BtfError as e:
        return f"<{kind}> [{relo.type_id}] <{e.reason}>"


def _type_name(btf: Btf, type_id: int) -> str:
    found = btf.type(type_id)
    words = {Struct: "struct ", Union: "union ", Enum: "enum ", Enum64: "enum ", Typedef: "typedef ", Fwd: "fwd "}
    return words.get(type(found), "") + (found.name or f"<anon {type_id}>")


def _access(btf: Btf, relo: CoreRelo, spec: str) -> str:
    """What the access string leads to: a member with its path, or an enum's value."""
    if relo.kind in TYPE_KINDS:
        return ""
    steps = [int(part) for part in spec.split(":") if part.isascii() and part.isdigit()]
    if not steps or len(steps) != spec.count(":") + 1:
        return f"::<{spec!r} is no path>"
    if relo.kind in ENUM_KINDS:
        return _enumerator(btf, relo.type_id, steps[0])
    return f"::{_path(btf, relo.type_id, steps)} ({spec})"


def _enumerator(btf: Btf, type_id: int, index: int) -> str:
    found = btf.type(btf.resolve(type_id))
    if not isinstance(found, Enum | Enum64) or index >= len(found.values):
        return f"::<no value {index}>"
    return f"::{found.values[index].name} = {found.values[index].value}"


def _path(btf: Btf, type_id: int, steps: list[int]) -> str:
    """Members and indexes: ``[3].in.b[1]``."""
    text = f"[{steps[0]}]" if steps[0] else ""
    here = btf.type(btf.resolve(type_id))
    for step in steps[1:]:
        if isinstance(here, Array):
            text += f"[{step}]"
            here = btf.type(btf.resolve(here.type_id))
            continue
        if not isinstance(here, Struct | Union) or step >= len(here.members):
            return text + f"<no member {step}>"
        member = here.members[step]
        text += ("." if text else "") + (member.name or f"<anon {step}>")
        here = btf.type(btf.resolve(member.type_id))
    return text
