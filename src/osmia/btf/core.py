"""CO-RE: what a relocation's local spec means in a target BTF.

``Matcher(local, target).resolve(relo)`` answers a ``CoreResult``; ``osmia.btf.core_patch`` puts results into the
instructions.  The rules are those of libbpf's relo_core.c.
"""

from __future__ import annotations

from dataclasses import dataclass

from osmia.btf import core_spec as c
from osmia.btf import types as t
from osmia.btf.core_match import Shapes, kinds_compatible, match_spec
from osmia.btf.core_spec import Spec, essential_name, parse_spec
from osmia.btf.core_value import value_of
from osmia.btf.ext import CoreRelo
from osmia.btf.model import Btf
from osmia.errors import BtfError, CoreError


@dataclass(frozen=True, slots=True)
class CoreResult:
    """What to write.  ``poison``: the instruction must not be reached; ``reason`` says why, else it is empty."""

    relo: CoreRelo
    local: Spec
    target: Spec | None
    old: int
    new: int
    validate: bool = True
    poison: bool = False
    old_size: int = 0
    new_size: int = 0
    resize: bool = True
    reason: str = ""

    def __str__(self) -> str:
        if self.poison:
            return f"{self.local}: {self.reason}"
        return f"{self.local} = {self.new}"


class Matcher:
    """CO-RE relocations of one object (``local``) against one kernel (``target``); remembers the candidates."""

    def __init__(self, local: Btf, target: Btf) -> None:
        self.local = local
        self.target = target
        self._flavors: dict[str, list[str]] | None = None
        self._shapes = Shapes(local, target)

    def candidates(self, type_id: int) -> list[int]:
        """The target's types with the local type's name, flavors apart, and its kind.

        Raises CoreError when the local type has no name.
        """
        mine = self.local.type(type_id)
        if not mine.name:
            raise CoreError(f"{c.describe(self.local, type_id)} [{type_id}] has no name to look for in the target")
        essential = essential_name(mine.name)
        names = {essential, *self._flavored().get(essential, ())}
        found = {i for name in names for i in self.target.find_all(name)}
        return sorted(i for i in found if kinds_compatible(self.target.type(i), mine))

    def _flavored(self) -> dict[str, list[str]]:
        """The target's own flavored names (kernels have a few) by essential name."""
        if self._flavors is None:
            self._flavors, tables, table = {}, [], self.target
            while True:
                tables.append(table.names())
                if table.base is None:
                    break
                table = table.base
            for name in (n for names in tables for n in names if "___" in n):
                self._flavors.setdefault(essential_name(name), []).append(name)
        return self._flavors

    def resolve(self, relo: CoreRelo) -> CoreResult:
        """Answer one relocation.  Raises CoreError when the spec is broken or candidates disagree."""
        try:
            return self._resolve(relo)
        except BtfError as error:
            raise CoreError(error.reason, error.place, section=".BTF.ext") from None

    def _resolve(self, relo: CoreRelo) -> CoreResult:
        local = parse_spec(self.local, relo.type_id, self.local.str_at(relo.access_off), relo.kind)
        if relo.kind == c.TYPE_ID_LOCAL:
            return CoreResult(relo, local, None, relo.type_id, relo.type_id, validate=False)
        found = self.candidates(relo.type_id)
        matched = [spec for i in found if (spec := match_spec(local, self._shapes, i))]
        results = [_decide(relo, local, spec) for spec in matched]
        if not results:
            return _decide(relo, local, None, why=self._why(local, found))
        for other in results[1:]:
            _check_agreement(results[0], other)
        return results[0]

    def _why(self, local: Spec, found: list[int]) -> str:
        """Why no candidate fits, in words."""
        name = c.describe(self.local, local.root)
        if not found:
            return f"the target has no {essential_name(name)}"
        if local.kind in c.ENUM_KINDS:
            return f"{essential_name(name)} has no {essential_name(local.steps[0].name or '')} in the target"
        if local.kind in c.FIELD_KINDS:
            return f"{essential_name(name)} has no {local.path.lstrip('.')} of a fitting type in the target"
        return f"{essential_name(name)} has another shape in the target"


def _check_agreement(first: CoreResult, other: CoreResult) -> None:
    a, b = first.target, other.target
    assert a and b
    if a.bit_offset != b.bit_offset:
        raise CoreError(f"{first.local} is ambiguous: {a} and {b} have different offsets")
    if (first.poison, first.new) != (other.poison, other.new):
        raise CoreError(f"{first.local} is ambiguous: {a} means {first.new}, {b} means {other.new}")


def _decide(relo: CoreRelo, local: Spec, target: Spec | None, why: str = "") -> CoreResult:
    old = value_of(relo.kind, local)
    new = value_of(relo.kind, target)
    assert old
    if new is None:
        return CoreResult(relo, local, None, old.value, 0, old.validate, poison=True, reason=why)
    fits = old.size == new.size or _may_resize(local.btf.type(old.type_id), target, new.type_id)
    return CoreResult(relo, local, target, old.value, new.value, old.validate, False, old.size, new.size, fits, why)


def _may_resize(old: t.Type, target: Spec | None, new_id: int) -> bool:
    """A load may change its width only between pointers or between unsigned integers."""
    new = target.btf.type(new_id) if target else None
    if isinstance(old, t.Ptr) and isinstance(new, t.Ptr):
        return True
    return isinstance(old, t.Int) and isinstance(new, t.Int) and t.SIGNED not in (old.encoding, new.encoding)
