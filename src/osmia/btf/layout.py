"""Sizes, alignments and where members lie.

Sizes and offsets are what the compiler decided and BTF recorded; alignments are worked out as the C rules have them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from osmia.btf import types as t
from osmia.errors import BtfError, UsageError

if TYPE_CHECKING:
    from osmia.btf.model import Btf

MAX_DEPTH = 64
"""Nesting of arrays or anonymous structs that no compiler's output reaches (the kernel allows 32)."""


MAX_ANONYMOUS = 1 << 16
"""Anonymous structs inside one struct; only a hostile table has so many."""


class Field(NamedTuple):
    """A member as seen from the outermost struct: ``path`` is "skb.len", the offset is in bits from its start."""

    path: str
    type_id: int
    bit_offset: int
    bitfield_size: int = 0

    @property
    def offset(self) -> int:
        """In bytes; of a bitfield the byte that its first bit lies in."""
        return self.bit_offset // 8


def size_of(btf: Btf, type_id: int) -> int:
    """Size in bytes.  Raises BtfError for types that have none."""
    total = 1
    for _ in range(MAX_DEPTH):
        found = btf.type(type_id := btf.resolve(type_id))
        if isinstance(found, t.Array):
            total, type_id = total * found.nelems, found.type_id
        elif isinstance(found, t.Var):
            type_id = found.type_id
        elif isinstance(found, t.Ptr):
            return total * btf.pointer_size
        elif isinstance(found, t.Int | t.Struct | t.Union | t.Enum | t.Enum64 | t.Float | t.Datasec):
            return total * found.size
        else:
            raise BtfError(f"type {type_id} ({type(found).__name__} {found.name}".rstrip() + ") has no size")
    raise BtfError(f"arrays nest too deep at type {type_id}")


def align_of(btf: Btf, type_id: int, depth: int = 0) -> int:
    """Natural alignment in bytes; 1 for a packed struct (one whose members or size break the natural one)."""
    type_id = btf.resolve(type_id)
    if type_id not in btf.alignments:
        if depth > MAX_DEPTH:
            raise BtfError(f"types nest too deep at type {type_id}")
        btf.alignments[type_id] = _align(btf, btf.type(type_id), depth)
    return btf.alignments[type_id]


def _align(btf: Btf, found: t.Type, depth: int) -> int:
    if isinstance(found, t.Int | t.Enum | t.Enum64 | t.Float):
        largest = 16 if found.size == 16 else btf.pointer_size
        return min(found.size & -found.size, largest) or 1
    if isinstance(found, t.Ptr):
        return btf.pointer_size
    if isinstance(found, t.Array | t.Var):
        return align_of(btf, found.type_id, depth + 1)
    if isinstance(found, t.Struct | t.Union):
        return composite_align(btf, found, depth)
    return 1


def composite_align(btf: Btf, made: t.Composite, depth: int = 0) -> int:
    """The largest alignment of the members, or 1 when the layout shows that it is packed."""
    best = 1
    for m in made.members:
        align = align_of(btf, m.type_id, depth + 1)
        if not m.bitfield_size and m.bit_offset % (8 * align):
            return 1
        best = max(best, align)
    return best if made.size % best == 0 else 1


def members(btf: Btf, type_id: int) -> Iterator[Field]:
    """The named members of a struct or union, those of anonymous structs and unions inside it among them."""
    found = btf.type(btf.resolve(type_id))
    if not isinstance(found, t.Struct | t.Union):
        raise BtfError(f"type {type_id} is no struct or union")
    return _walk(btf, found)


def _walk(btf: Btf, made: t.Composite) -> Iterator[Field]:
    todo, steps = [(iter(made.members), 0)], 0
    while todo:
        around, base = todo[-1]
        for m in around:
            inner = btf.type(btf.resolve(m.type_id))
            if m.name:
                yield member_field(btf, m, base)
            elif isinstance(inner, t.Struct | t.Union):
                todo.append((iter(inner.members), base + m.bit_offset))
                break
        else:
            todo.pop()
        steps += 1
        if len(todo) > MAX_DEPTH or steps > MAX_ANONYMOUS:
            raise BtfError("anonymous structs nest too deep, or in a circle")


def member_field(btf: Btf, m: t.Member, base: int = 0) -> Field:
    """The member with its place, also when its bitfield is the old kind that the integer type describes."""
    bits, offset = m.bitfield_size, m.bit_offset
    inner = btf.type(btf.resolve(m.type_id))
    if not bits and isinstance(inner, t.Int) and (inner.bits != inner.size * 8 or inner.offset):
        bits, offset = inner.bits, offset + inner.offset
    return Field(m.name, m.type_id, base + offset, bits)


_STEP = re.compile(r"\.?([A-Za-z_$][\w$]*)|\[(\d+)\]")


def field(btf: Btf, type_id: int, path: str) -> Field:
    """Follow a path such as ``"__sk_common.skc_daddr"`` or ``"comm[3]"`` (no pointers) from a struct.

    Raises UsageError for a name that the struct does not have.
    """
    here, at, bits, pos = type_id, 0, 0, 0
    while pos < len(path):
        step = _STEP.match(path, pos)
        if step is None:
            raise UsageError(f"{path!r} is no member path")
        here, offset, bits = _element(btf, here, int(step[2])) if step[2] else _member(btf, here, step[1])
        at, pos = at + offset, step.end()
    return Field(path, here, at, bits)


def _element(btf: Btf, type_id: int, index: int) -> tuple[int, int, int]:
    found = btf.type(btf.resolve(type_id))
    if not isinstance(found, t.Array):
        raise UsageError(f"type {type_id} is no array, so it has no element [{index}]")
    return found.type_id, index * size_of(btf, found.type_id) * 8, 0


def _member(btf: Btf, type_id: int, name: str) -> tuple[int, int, int]:
    for member in members(btf, type_id):
        if member.path == name:
            return member.type_id, member.bit_offset, member.bitfield_size
    owner = btf.type(btf.resolve(type_id)).name or f"type {type_id}"
    raise UsageError(f"{owner} has no member {name!r}")
