"""CO-RE access specs: ``"0:2:1"`` against a local type, as a path of named members and array elements.

The rules are those of libbpf's relo_core.c (and the kernel's copy of it).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from osmia.btf import types as t
from osmia.btf.layout import size_of
from osmia.btf.model import Btf
from osmia.errors import BtfError, CoreError

MAX_SPEC = 64
"""Accessors of one spec, at most."""

KINDS = (
    "byte_off", "byte_sz", "field_exists", "signed", "lshift_u64", "rshift_u64", "local_type_id", "target_type_id",
    "type_exists", "type_size", "enumval_exists", "enumval_value", "type_matches",
)  # fmt: skip
"""Names of the relocation kinds, as libbpf's log has them; the index is the number (enum bpf_core_relo_kind)."""
(
    FIELD_BYTE_OFFSET, FIELD_BYTE_SIZE, FIELD_EXISTS, FIELD_SIGNED, FIELD_LSHIFT_U64, FIELD_RSHIFT_U64,
    TYPE_ID_LOCAL, TYPE_ID_TARGET, TYPE_EXISTS, TYPE_SIZE, ENUMVAL_EXISTS, ENUMVAL_VALUE, TYPE_MATCHES,
) = range(13)  # fmt: skip
FIELD_KINDS = frozenset(range(FIELD_BYTE_OFFSET, FIELD_RSHIFT_U64 + 1))
TYPE_KINDS = frozenset({TYPE_ID_LOCAL, TYPE_ID_TARGET, TYPE_EXISTS, TYPE_SIZE, TYPE_MATCHES})
ENUM_KINDS = frozenset({ENUMVAL_EXISTS, ENUMVAL_VALUE})

_FLAVOR = re.compile(r"(?<=[^_])___(?=[^_])")


def essential_name(name: str) -> str:
    """The name without its ``___flavor``: ``task_struct___old`` counts as ``task_struct``."""
    cut = next(reversed([m.start() for m in _FLAVOR.finditer(name)]), None) if "___" in name else None
    return name if cut is None else name[:cut]


class Access(NamedTuple):
    """One step: element ``idx`` of an array of ``type_id`` (no name), or member or enumerator ``idx``."""

    type_id: int
    idx: int
    name: str | None = None


@dataclass(slots=True)
class Spec:
    """A spec as understood against one BTF: steps with names, and the indices with the anonymous ones too."""

    btf: Btf
    root: int
    kind: int
    steps: list[Access] = field(default_factory=list)
    raw: list[int] = field(default_factory=list)
    bit_offset: int = 0

    def __str__(self) -> str:
        """In libbpf's form: ``<byte_off> [13] struct task_struct.mm (0:3 @ offset 24)``."""
        head = f"<{KINDS[self.kind]}> [{self.root}] {describe(self.btf, self.root)}"
        if self.kind in TYPE_KINDS:
            return head
        if self.kind in ENUM_KINDS:
            return f"{head}::{self.steps[0].name} = {self._enum_value()}"
        bits = self.bit_offset % 8
        at = f"{self.bit_offset // 8}.{bits}" if bits else str(self.bit_offset // 8)
        return f"{head}{self.path} ({':'.join(map(str, self.raw))} @ offset {at})"

    @property
    def path(self) -> str:
        """``.mm``, ``[2].comm[3]``: the named steps; the first one only when it indexes past the object."""
        first = f"[{self.steps[0].idx}]" if self.steps and self.steps[0].idx else ""
        return first + "".join(f".{s.name}" if s.name else f"[{s.idx}]" for s in self.steps[1:])

    def _enum_value(self) -> int:
        found = self.btf.type(self.steps[0].type_id)
        return found.values[self.steps[0].idx].value if isinstance(found, t.AnyEnum) else 0


_WORDS: dict[type[t.Type], str] = {t.Struct: "struct ", t.Union: "union ", t.Enum: "enum ", t.Enum64: "enum "}


def describe(btf: Btf, type_id: int) -> str:
    """``struct task_struct``, ``enum bpf_map_type``, ``int``."""
    found = btf.type(type_id)
    if isinstance(found, t.Fwd):
        return ("union " if found.is_union else "struct ") + found.name
    word = _WORDS.get(type(found), "typedef " if isinstance(found, t.Typedef) else "")
    return word + (found.name or ("<anon>" if word else type(found).__name__.lower()))


def parse_spec(btf: Btf, type_id: int, text: str, kind: int) -> Spec:
    """Read an access string.  Raises CoreError for a spec that does not fit its local type."""
    if not 0 <= kind < len(KINDS):
        raise CoreError(f"CO-RE relocation kind {kind} is not known")
    spec = Spec(btf, type_id, kind)
    if kind in TYPE_KINDS:
        if text != "0":
            raise CoreError(f"the access string of a type relocation is '0', not {text!r}")
        return spec
    spec.raw = _numbers(text)
    try:
        _follow(spec)
    except BtfError as error:
        raise CoreError(f"access string {text!r} on {describe(btf, type_id)}: {error.reason}") from None
    return spec


def _numbers(text: str) -> list[int]:
    if not re.fullmatch(r"[0-9]{1,9}(:[0-9]{1,9})*", text):
        raise CoreError(f"{text[:80]!r} is no access string (numbers with colons)")
    raw = [int(part) for part in text.split(":")]
    if len(raw) > MAX_SPEC:
        raise CoreError(f"an access string of {len(raw)} steps; {MAX_SPEC} is the most")
    return raw


def _follow(spec: Spec) -> None:
    btf, here = spec.btf, spec.btf.resolve(spec.root)
    first = spec.raw[0]
    if spec.kind in ENUM_KINDS:
        spec.steps.append(Access(here, first, _enumerator(btf, here, spec.raw)))
        return
    spec.steps.append(Access(here, first))
    spec.bit_offset = first * size_of(btf, here) * 8
    for idx in spec.raw[1:]:
        here = _step(spec, btf.resolve(here), idx)


def _enumerator(btf: Btf, type_id: int, raw: list[int]) -> str:
    found = btf.type(type_id)
    if not isinstance(found, t.AnyEnum) or len(raw) != 1 or raw[0] >= len(found.values):
        raise BtfError("it names no enumerator")
    return found.values[raw[0]].name


def _step(spec: Spec, here: int, idx: int) -> int:
    btf, found = spec.btf, spec.btf.type(here)
    if isinstance(found, t.Composite):
        if idx >= len(found.members):
            raise BtfError(f"{describe(btf, here)} has no member number {idx}")
        member = found.members[idx]
        spec.bit_offset += member.bit_offset
        if member.name:
            spec.steps.append(Access(here, idx, member.name))
        return member.type_id
    if isinstance(found, t.Array):
        if idx >= found.nelems and not is_flexible(btf, spec.steps[-1], found):
            raise BtfError(f"element {idx} of an array of {found.nelems}")
        element = btf.resolve(found.type_id)
        spec.steps.append(Access(element, idx))
        spec.bit_offset += idx * size_of(btf, element) * 8
        return element
    raise BtfError(f"it goes into {describe(btf, here)}, which has no parts")


def is_flexible(btf: Btf, owner: Access, array: t.Array) -> bool:
    """Whether the array has no length of its own and is the last member of its struct."""
    if owner.name is None or array.nelems:
        return False
    found = btf.type(owner.type_id)
    return isinstance(found, t.Composite) and owner.idx == len(found.members) - 1
