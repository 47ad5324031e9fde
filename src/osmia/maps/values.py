"""Bytes ⇄ Python values by BTF type, for the keys and values of maps.

Reading: integers and enums → int (enums print their name), ``bool``, ``float``, pointers → int, ``char`` arrays → str
up to the first NUL, other arrays → ``ArrayValue``, structs and unions → ``StructValue``.  Struct and array values are
copies; assigning to a field or an element writes the whole value back through the map, as a lookup and an update would.

Writing takes the same, and also: dict (fields by name, the rest stay zero), list or tuple (elements or fields in
order), bytes (exactly the size, shorter for arrays), str (char arrays, names of enum values).
Raises UsageError for values that do not fit.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from osmia.btf.layout import Field, members
from osmia.errors import UsageError

if TYPE_CHECKING:
    from osmia.btf import Btf

ORDER = sys.byteorder
Commit = Callable[[], None]


class EnumInt(int):
    """An enum's value that knows its name."""

    label: str = ""

    def __repr__(self) -> str:
        return f"{self.label} ({int(self)})" if self.label else str(int(self))

    def __str__(self) -> str:
        return self.label or str(int(self))


class View:
    """A typed window on a copy of a value; ``commit`` writes the copy back."""

    __slots__ = ("_btf", "_commit", "_data", "_offset", "_type_id")
    if TYPE_CHECKING:
        _btf: Btf
        _commit: Commit | None
        _data: bytearray
        _offset: int
        _type_id: int

    def __init__(self, btf: Btf, type_id: int, data: bytearray, offset: int = 0, commit: Commit | None = None) -> None:
        set_ = object.__setattr__
        set_(self, "_btf", btf)
        set_(self, "_type_id", btf.resolve(type_id))
        set_(self, "_data", data)
        set_(self, "_offset", offset)
        set_(self, "_commit", commit)

    def _get(self, type_id: int, bit_offset: int, bitfield_size: int = 0) -> Any:
        if bitfield_size:
            return _read_bits(self._btf, type_id, self._data, self._offset * 8 + bit_offset, bitfield_size)
        return read_value(self._btf, type_id, self._data, self._offset + bit_offset // 8, self._commit)

    def _set(self, value: Any, type_id: int, bit_offset: int, bitfield_size: int = 0) -> None:
        if bitfield_size:
            _write_bits(self._data, self._offset * 8 + bit_offset, bitfield_size, int(value))
        else:
            write_value(self._btf, type_id, value, self._data, self._offset + bit_offset // 8)
        if self._commit is not None:
            self._commit()

    def __bytes__(self) -> bytes:
        return bytes(self._data[self._offset : self._offset + self._btf.size_of(self._type_id)])

    def __eq__(self, other: object) -> bool:
        if isinstance(other, View):
            return bytes(self) == bytes(other)
        return bytes(self) == other if isinstance(other, bytes) else bool(plain(self) == plain(other))

    def __hash__(self) -> int:
        return hash(bytes(self))


def fields_of(btf: Btf, type_id: int) -> Iterator[Field]:
    """The members of a struct or union; of a data section its variables."""
    from osmia.btf import Datasec

    found = btf.type(btf.resolve(type_id))
    if not isinstance(found, Datasec):
        yield from members(btf, type_id)
        return
    for place in found.vars:
        variable = btf.type(place.type_id)
        yield Field(variable.name, getattr(variable, "type_id", 0), place.offset * 8)


class StructValue(View):
    """A struct, union or data section: ``v.field`` or ``v["field"]``, members of anonymous inner structs included."""

    __slots__ = ()

    def _field(self, name: str) -> tuple[int, int, int]:
        for f in fields_of(self._btf, self._type_id):
            if f.path == name:
                return f.type_id, f.bit_offset, f.bitfield_size
        known = ", ".join(self) or "none"
        raise UsageError(f"struct {self._btf.type(self._type_id).name} has no field {name!r}; known: {known}")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self._get(*self._field(name))
        except UsageError as e:
            raise AttributeError(str(e)) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self._set(value, *self._field(name))

    def __getitem__(self, name: str) -> Any:
        return self._get(*self._field(name))

    def __setitem__(self, name: str, value: Any) -> None:
        self._set(value, *self._field(name))

    def __iter__(self) -> Iterator[str]:
        return (f.path for f in fields_of(self._btf, self._type_id))

    def __dir__(self) -> list[str]:
        return list(self)

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{name}: {self[name]!r}" for name in self) + "}"


class ArrayValue(View):
    """An array that is not of char: indexing, iteration, ``len``."""

    __slots__ = ()

    def _place(self, index: int) -> tuple[int, int]:
        array: Any = self._btf.type(self._type_id)
        if not -array.nelems <= index < array.nelems:
            raise IndexError(f"index {index} outside of an array of {array.nelems}")
        return array.type_id, index % array.nelems * self._btf.size_of(array.type_id) * 8

    def __len__(self) -> int:
        array: Any = self._btf.type(self._type_id)
        return int(array.nelems)

    def __getitem__(self, index: int) -> Any:
        return self._get(*self._place(index))

    def __setitem__(self, index: int, value: Any) -> None:
        self._set(value, *self._place(index))

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return repr(list(self))


def plain(value: Any) -> Any:
    """Dicts, lists, str, int: what JSON takes, and what compares by content."""
    if isinstance(value, StructValue):
        return {name: plain(value[name]) for name in value}
    if isinstance(value, Mapping):
        return {name: plain(v) for name, v in value.items()}
    if isinstance(value, ArrayValue | list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, bytes):
        return value.hex()
    return str(value) if isinstance(value, EnumInt) and value.label else value


def is_char(btf: Btf, type_id: int) -> bool:
    """Whether an element type makes its arrays text."""
    from osmia.btf import Int

    found = btf.type(btf.resolve(type_id))
    return isinstance(found, Int) and found.size == 1 and found.name == "char"


def read_value(btf: Btf, type_id: int, data: bytearray, offset: int = 0, commit: Commit | None = None) -> Any:
    """The Python value of a type at a byte offset."""
    from osmia import btf as t

    found = btf.type(btf.resolve(type_id))
    if isinstance(found, t.Struct | t.Union | t.Datasec):
        return StructValue(btf, type_id, data, offset, commit)
    if isinstance(found, t.Array):
        if is_char(btf, found.type_id):
            return bytes(data[offset : offset + found.nelems]).split(b"\0", 1)[0].decode("utf-8", "backslashreplace")
        return ArrayValue(btf, type_id, data, offset, commit)
    raw = bytes(data[offset : offset + btf.size_of(type_id)])
    if isinstance(found, t.Float):
        return struct.unpack({4: "f", 8: "d"}[found.size], raw)[0] if found.size in (4, 8) else raw
    if isinstance(found, t.Enum | t.Enum64):
        return _enum(found, int.from_bytes(raw, ORDER, signed=found.signed))
    if isinstance(found, t.Int):
        number = int.from_bytes(raw, ORDER, signed=found.signed)
        return bool(number) if found.encoding & 4 else number
    return int.from_bytes(raw, ORDER)


def _enum(found: Any, number: int) -> EnumInt:
    made = EnumInt(number)
    made.label = next((v.name for v in found.values if v.value == number), "")
    return made


def write_value(btf: Btf, type_id: int, value: Any, data: bytearray, offset: int = 0) -> None:
    """Put a Python value of that type at a byte offset."""
    from osmia import btf as t

    found, size = btf.type(btf.resolve(type_id)), btf.size_of(type_id)
    if isinstance(value, View | bytes | bytearray):
        _write_raw(bytes(value), data, offset, size, isinstance(found, t.Array))
    elif isinstance(found, t.Struct | t.Union | t.Datasec):
        _write_struct(btf, type_id, value, data, offset)
    elif isinstance(found, t.Array):
        _write_array(btf, found, value, data, offset)
    elif isinstance(found, t.Float):
        data[offset : offset + size] = struct.pack({4: "f", 8: "d"}[size], value)
    else:
        data[offset : offset + size] = number_bytes(_as_number(found, value), size)


def _write_raw(value: bytes, data: bytearray, offset: int, size: int, is_array: bool) -> None:
    if len(value) != size and not (is_array and len(value) < size):
        raise UsageError(f"{len(value)} bytes for a value of {size}")
    data[offset : offset + size] = value.ljust(size, b"\0")


def _write_struct(btf: Btf, type_id: int, value: Any, data: bytearray, offset: int) -> None:
    view = StructValue(btf, type_id, data, offset)
    if isinstance(value, Mapping):
        pairs = list(value.items())
    elif isinstance(value, list | tuple):
        names = list(view)
        if len(value) > len(names):
            raise UsageError(f"{len(value)} values for the {len(names)} fields of {btf.type(view._type_id).name}")
        pairs = list(zip(names, value, strict=False))
    else:
        raise UsageError(f"{value!r} is no value for struct {btf.type(view._type_id).name}")
    for name, item in pairs:
        view[name] = item


def _write_array(btf: Btf, array: Any, value: Any, data: bytearray, offset: int) -> None:
    if isinstance(value, str):
        _write_raw(value.encode(), data, offset, array.nelems * btf.size_of(array.type_id), True)
        return
    items = list(value) if isinstance(value, list | tuple) else None
    if items is None or len(items) > array.nelems:
        raise UsageError(f"{value!r} is no value for an array of {array.nelems}")
    step = btf.size_of(array.type_id)
    for i, item in enumerate(items):
        write_value(btf, array.type_id, item, data, offset + i * step)


def _as_number(found: Any, value: Any) -> int:
    if isinstance(value, str):
        for v in getattr(found, "values", ()):
            if v.name == value:
                return int(v.value)
        raise UsageError(f"{value!r} is no value of {type(found).__name__.lower()} {found.name}")
    if not isinstance(value, int):
        raise UsageError(f"{value!r} is no number")
    return value


def number_bytes(value: int, size: int) -> bytes:
    """An integer in the machine's byte order; signed and unsigned ones both, as long as they fit."""
    if not -(1 << size * 8 - 1) <= value < 1 << size * 8:
        raise UsageError(f"{value} does not fit into {size} bytes")
    return (value & ((1 << size * 8) - 1)).to_bytes(size, ORDER)


def _read_bits(btf: Btf, type_id: int, data: bytearray, bit: int, bits: int) -> Any:
    from osmia.btf import Enum, Enum64, Int

    number = int.from_bytes(data, "little") >> bit & ((1 << bits) - 1)
    if ORDER == "big":
        number = int.from_bytes(data, "big") >> len(data) * 8 - bit - bits & ((1 << bits) - 1)
    found = btf.type(btf.resolve(type_id))
    if getattr(found, "signed", False) and number >> bits - 1:
        number -= 1 << bits
    if isinstance(found, Enum | Enum64):
        return _enum(found, number)
    return bool(number) if isinstance(found, Int) and found.encoding & 4 else number


def _write_bits(data: bytearray, bit: int, bits: int, value: int) -> None:
    if not -(1 << bits - 1) <= value < 1 << bits:
        raise UsageError(f"{value} does not fit into {bits} bits")
    shift = bit if ORDER == "little" else len(data) * 8 - bit - bits
    mask = ((1 << bits) - 1) << shift
    whole = int.from_bytes(data, ORDER) & ~mask | (value << shift & mask)
    data[:] = whole.to_bytes(len(data), ORDER)
