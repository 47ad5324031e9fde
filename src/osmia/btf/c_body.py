"""The bodies of structs, unions and enums in C, so that a compiler gives every member the recorded place.

Gaps that C would not leave by itself become unnamed bitfields; a layout that alignment forbids becomes packed.
"""

from __future__ import annotations

from osmia.btf import types as t
from osmia.btf.c_names import Names, declare, safe
from osmia.btf.layout import align_of, member_field, size_of
from osmia.btf.model import Btf
from osmia.errors import BtfError

_PAD = {8: "char", 16: "short", 32: "int", 64: "long long"}
MAX_NESTING = 16
"""Anonymous structs inside one another; a kernel has six."""
MAX_LINES = 32
"""Unnamed bitfields that one gap may take."""


def is_packed(btf: Btf, made: t.Composite) -> bool:
    """Whether the layout breaks the natural alignment of its members."""
    worst = max((align_of(btf, m.type_id) for m in made.members), default=1)
    return made.size % worst != 0 or any(_misplaced(btf, m) for m in made.members)


def _misplaced(btf: Btf, m: t.Member) -> bool:
    if not m.bitfield_size:
        return m.bit_offset % (8 * align_of(btf, m.type_id)) != 0
    unit = _unit(btf, m.type_id)
    return m.bit_offset % unit + m.bitfield_size > unit


def _unit(btf: Btf, type_id: int) -> int:
    """The bits of the integer that a bitfield is cut from."""
    bits = 8 * size_of(btf, type_id)
    if not bits:
        raise BtfError(f"a bitfield of type {type_id}, which has no bits")
    return bits


class Bodies:
    """Writes definitions, anonymous ones nested in place."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.btf = names.btf

    def definition(self, type_id: int, level: int = 0) -> str:
        """``struct name {…}``, ``union {…}`` or ``enum name {…}``, without the semicolon."""
        found = self.btf.type(type_id)
        if isinstance(found, t.AnyEnum):
            return self._enum(type_id, found, level)
        if not isinstance(found, t.Composite):
            raise BtfError(f"type {type_id} has no body")
        if level > MAX_NESTING:
            raise BtfError(f"anonymous structs nest deeper than {MAX_NESTING}, or in a circle")
        return self._composite(type_id, found, level)

    def _composite(self, type_id: int, made: t.Composite, level: int) -> str:
        word = "union" if isinstance(made, t.Union) else "struct"
        head = f"{word} {self.names[type_id]}".rstrip()
        packed = is_packed(self.btf, made)
        lines = self._members(made, packed, level)
        tail = "} __attribute__((packed))" if packed else "}"
        if not lines:
            return f"{head} {{{tail}"
        indent = "\t" * (level + 1)
        return "\n".join([f"{head} {{", *(f"{indent}{line};" for line in lines), "\t" * level + tail])

    def _members(self, made: t.Composite, packed: bool, level: int) -> list[str]:
        align = 1 if packed else align_of_members(self.btf, made)
        widest = 64 if packed else min(8 * align, 64)
        if isinstance(made, t.Union):
            return self._union_members(made, align, widest, level)
        lines, at = list[str](), 0
        for m in made.members:
            lines += self._gap(made, m, at, packed, widest)
            lines.append(self.member(m, level))
            at = self._end(m)
        if -(-at // (8 * align)) * align != made.size:
            lines += padding(at, made.size * 8, widest)
        return lines

    def _union_members(self, made: t.Composite, align: int, widest: int, level: int) -> list[str]:
        lines = [self.member(m, level) for m in made.members]
        largest = max((self._end(m) for m in made.members), default=0)
        if -(-largest // (8 * align)) * align != made.size:
            inside = " ".join(f"{line};" for line in padding(0, made.size * 8, widest))
            lines.append(f"struct {{ {inside} }}")
        return lines

    def _gap(self, made: t.Composite, m: t.Member, at: int, packed: bool, widest: int) -> list[str]:
        """What must stand before a member so that it lands at its offset."""
        place = member_field(self.btf, m)
        if place.bit_offset < at:
            raise BtfError(f"members of {made.name or 'an anonymous struct'} overlap at {m.name!r}")
        if place.bit_offset == self._natural(place.type_id, place.bitfield_size, at, packed):
            return []
        return padding(at, place.bit_offset, widest)

    def _natural(self, type_id: int, bits: int, at: int, packed: bool) -> int:
        """The bit at which a compiler would put a member after ``at``."""
        if packed:
            return at if bits else -(-at // 8) * 8
        align = 8 * align_of(self.btf, type_id)
        if bits and at % _unit(self.btf, type_id) + bits <= _unit(self.btf, type_id):
            return at
        return -(-at // align) * align

    def _end(self, m: t.Member) -> int:
        place = member_field(self.btf, m)
        return place.bit_offset + (place.bitfield_size or 8 * size_of(self.btf, m.type_id))

    def member(self, m: t.Member, level: int) -> str:
        """One member, without the semicolon."""
        place = member_field(self.btf, m)
        text = safe(m.name) if m.name else ""
        if place.bitfield_size:
            text += f": {place.bitfield_size}"
        return declare(self.names, m.type_id, text, lambda i: self.definition(i, level + 1))

    def _enum(self, type_id: int, made: t.AnyEnum, level: int) -> str:
        head = f"enum {self.names[type_id]}".rstrip()
        if not made.values:
            return head
        indent, wide = "\t" * (level + 1), isinstance(made, t.Enum64) and made.size == 8
        suffix = ("LL" if made.signed else "ULL") if wide else ""
        rows = [f"{indent}{self.names.enumerator(v.name)} = {number(v.value, suffix)}," for v in made.values]
        return "\n".join([f"{head} {{", *rows, "\t" * level + "}" + enum_mode(made)])


def align_of_members(btf: Btf, made: t.Composite) -> int:
    """The alignment that C gives the struct."""
    return max((align_of(btf, m.type_id) for m in made.members), default=1)


def padding(at: int, to: int, widest: int) -> list[str]:
    """What fills the bits from ``at`` up to ``to``: unnamed bitfields, none across a unit of ``widest`` bits.

    A gap that would take too many of them (types cut out of a table have such) becomes one array of bytes.
    """
    lines = []
    if to - at > MAX_LINES * widest:
        start, end = -(-at // 8), to // 8
        lines += [f"{_PAD[8]}: {start * 8 - at}"] if start * 8 != at else []
        lines.append(f"unsigned char __gap_{start}[{end - start}]")
        at = end * 8
    while at < to:
        width = min(to - at, widest - at % widest)
        lines.append(f"{_PAD[widest]}: {width}")
        at += width
    return lines


def number(value: int, suffix: str) -> str:
    """A C literal; the least 64-bit value has no literal of its own."""
    if value == -(1 << 63):
        return "(-9223372036854775807LL - 1)"
    return f"{value}{suffix}"


def enum_mode(made: t.AnyEnum) -> str:
    """The attribute that gives an enum its size where its values would not."""
    if made.size in (1, 2):
        return f" __attribute__((mode({'byte' if made.size == 1 else 'HI'})))"
    low, high = (-(1 << 31), (1 << 31) - 1) if made.signed else (0, (1 << 32) - 1)
    if made.size == 8 and all(low <= v.value <= high for v in made.values):
        return " __attribute__((mode(DI)))"
    return ""
