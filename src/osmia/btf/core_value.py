"""What a CO-RE relocation means on one side: the number that the instruction is to hold.

The rules are those of libbpf's relo_core.c, the size of array elements as in libbpf 1.6 (commit 42be23e8f2dc).
"""

from __future__ import annotations

from typing import NamedTuple

from osmia.btf import core_spec as c
from osmia.btf import types as t
from osmia.btf.core_spec import Spec
from osmia.btf.layout import size_of
from osmia.btf.model import Btf
from osmia.errors import BtfError, CoreError

_M64 = 0xFFFFFFFFFFFFFFFF


class Value(NamedTuple):
    """One side's answer: the value, the size and type of the memory access, whether the insn must show it now."""

    value: int
    size: int = 0
    type_id: int = 0
    validate: bool = True


def value_of(kind: int, spec: Spec | None) -> Value | None:
    """What the relocation means on one side; None asks for poison.  ``spec`` None: the target lacks it."""
    if kind in (c.FIELD_EXISTS, c.ENUMVAL_EXISTS):
        return Value(int(spec is not None))
    if kind in c.TYPE_KINDS:
        return _type_value(kind, spec) if spec else Value(0)
    if spec is None:
        return None
    if kind == c.ENUMVAL_VALUE:
        found = spec.btf.type(spec.steps[0].type_id)
        assert isinstance(found, t.AnyEnum)
        return Value(found.values[spec.steps[0].idx].value & _M64)
    return _field_value(kind, spec)


def _type_value(kind: int, spec: Spec) -> Value:
    if kind == c.TYPE_ID_TARGET:
        return Value(spec.root, validate=False)
    return Value(size_of(spec.btf, spec.root) if kind == c.TYPE_SIZE else 1)


def _field_value(kind: int, spec: Spec) -> Value:
    last = spec.steps[-1]
    if last.name is None:
        return _element_value(kind, spec, last.type_id)
    owner = spec.btf.type(last.type_id)
    assert isinstance(owner, t.Composite)
    member = owner.members[last.idx]
    type_id = spec.btf.resolve(member.type_id)
    size = size_of(spec.btf, type_id) if not member.bitfield_size else _base_size(spec.btf, type_id)
    offset, bits = spec.bit_offset // 8, size * 8
    if member.bitfield_size:
        bits = member.bitfield_size
        offset, size = _container(spec, size, bits)
    return _aspect(kind, spec, type_id, offset, size, bits, bool(member.bitfield_size))


def _base_size(btf: Btf, type_id: int) -> int:
    size = size_of(btf, type_id)
    if size not in (1, 2, 4, 8):
        raise CoreError(f"a bitfield in a type of {size} bytes")
    return size


def _element_value(kind: int, spec: Spec, type_id: int) -> Value:
    size = size_of(spec.btf, type_id)
    if kind == c.FIELD_BYTE_OFFSET:
        return Value(spec.bit_offset // 8, size, type_id)
    if kind == c.FIELD_BYTE_SIZE:
        return Value(size)
    raise CoreError(f"{spec}: an array element has no such property")


def _container(spec: Spec, size: int, bits: int) -> tuple[int, int]:
    """Byte offset and size of the smallest aligned load that holds the whole bitfield."""
    while True:
        offset = spec.bit_offset // 8 // size * size
        if spec.bit_offset + bits - offset * 8 <= size * 8:
            return offset, size
        if size >= 8:
            raise CoreError(f"{spec}: the bitfield does not fit in one 8-byte load")
        size *= 2


def _aspect(kind: int, spec: Spec, type_id: int, offset: int, size: int, bits: int, bitfield: bool) -> Value:
    if kind == c.FIELD_BYTE_OFFSET:
        if bitfield:
            return Value(offset, validate=False)
        element = _element_type(spec.btf, type_id)
        return Value(offset, size_of(spec.btf, element), element)
    if kind == c.FIELD_BYTE_SIZE:
        return Value(size, validate=not bitfield)
    if kind == c.FIELD_SIGNED:
        return Value(int(_is_signed(spec.btf.type(type_id))))
    if kind == c.FIELD_RSHIFT_U64:
        return Value(64 - bits)
    inside = spec.bit_offset - offset * 8
    shift = 64 - bits - inside if spec.btf.byteorder == "little" else (8 - size) * 8 + inside
    return Value(shift, validate=not bitfield)


def _is_signed(found: t.Type) -> bool:
    return bool(getattr(found, "signed", False))


def _element_type(btf: Btf, type_id: int) -> int:
    """An instruction loads one element of an array, never the array."""
    for _ in range(c.MAX_SPEC):
        found = btf.type(type_id)
        if not isinstance(found, t.Array):
            return type_id
        type_id = btf.resolve(found.type_id)
    raise BtfError("arrays nest too deep")
