"""Kernel objects in native memory: fields by name, with the offsets that BTF gives.

>>> from osmia.sim import World
>>> world = World()
>>> lo = world.device("lo").kobject
>>> skb = world.new("struct sk_buff", len=84, dev=lo)
>>> skb.len, skb.dev.name, skb.dev == lo
(84, b'lo', True)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from osmia import raw
from osmia.btf import Array, Enum, Enum64, Float, Int, Ptr, Struct, Type, Union
from osmia.btf.layout import Field, members
from osmia.btf.types import BOOL
from osmia.errors import UsageError

if TYPE_CHECKING:
    from osmia.sim.kmem import Kmem

_M64 = 0xFFFFFFFFFFFFFFFF


class KObject:
    """A struct or union at an address.  ``obj.field`` and ``obj["field"]`` read and write; members of anonymous
    structs are fields of the outer one, as in C.  Use the brackets for a field named like one of the methods.
    """

    __slots__ = ("_kmem", "address", "type_id")

    address: int
    type_id: int
    _kmem: Kmem

    def __init__(self, kmem: Kmem, type_id: int, address: int) -> None:
        object.__setattr__(self, "_kmem", kmem)
        object.__setattr__(self, "type_id", type_id)
        object.__setattr__(self, "address", address)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __getitem__(self, name: str) -> Any:
        place = self._kmem.field(self.type_id, name)
        return load(self._kmem, place, self.address)

    def __setitem__(self, name: str, value: Any) -> None:
        place = self._kmem.field(self.type_id, name)
        try:
            store(self._kmem, place, self.address, value)
        except UsageError as e:
            raise UsageError(f"{self._kmem.type_name(self.type_id)}.{name}: {e.reason}") from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KObject) and (other.address, other.type_id) == (self.address, self.type_id)

    def __hash__(self) -> int:
        return hash((self.address, self.type_id))

    def __index__(self) -> int:
        address: int = self.address  # mypy sees __getattr__
        return address

    def __bytes__(self) -> bytes:
        return raw.read(self.address, self._kmem.btf.size_of(self.type_id))

    def __dir__(self) -> list[str]:
        return [*object.__dir__(self), *self.fields()]

    def __repr__(self) -> str:
        return f"<{self._kmem.describe(self.address)} at {self.address:#x}>"

    def fields(self) -> list[str]:
        """The names of all fields."""
        return [f.path for f in members(self._kmem.btf, self.type_id)]

    def address_of(self, name: str) -> int:
        """``&obj->field``; a path such as ``"a.b[2]"`` may be given."""
        return self.address + self._kmem.field(self.type_id, name).offset

    def update(self, values: dict[str, Any]) -> KObject:
        """Set several fields; a nested struct takes a dict.  Returns the object."""
        for name, value in values.items():
            self[name] = value
        return self

    def try_update(self, **values: Any) -> KObject:
        """Set those of the fields that this kernel's struct has."""
        for name, value in values.items():
            if self._kmem.has_field(self.type_id, name):
                self[name] = value
        return self


class KArray(Sequence[Any]):
    """An array field: elements by index, assignable."""

    def __init__(self, kmem: Kmem, element: int, count: int, address: int) -> None:
        self._kmem, self._element, self._count, self.address = kmem, element, count, address
        self._step = kmem.btf.size_of(element)

    def __len__(self) -> int:
        return self._count

    def _at(self, index: int) -> int:
        if not -self._count <= index < self._count:
            raise IndexError(f"index {index} of {self._count} elements")
        return self.address + index % self._count * self._step

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self._count))]
        return load(self._kmem, Field("", self._element, 0), self._at(index))

    def __setitem__(self, index: int, value: Any) -> None:
        store(self._kmem, Field("", self._element, 0), self._at(index), value)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(self._count))

    def __repr__(self) -> str:
        return f"{list(self[:8])}{'…' if self._count > 8 else ''}"


def load(kmem: Kmem, place: Field, base: int) -> Any:
    """The Python value of a field: int, bool, bytes (char array, up to its NUL), KObject, KArray.

    A pointer to a known object is that object; any other pointer is its address.
    """
    if place.bitfield_size:
        return _load_bits(kmem, place, base)
    type_id = kmem.btf.resolve(place.type_id)
    found, at = kmem.btf.type(type_id), base + place.offset
    if isinstance(found, Struct | Union):
        return KObject(kmem, type_id, at)
    if isinstance(found, Array):
        return _load_array(kmem, found, at)
    number = int.from_bytes(raw.read(at, kmem.btf.size_of(type_id)), kmem.order, signed=_signed(found))
    if isinstance(found, Ptr):
        return kmem.pointee(found, number)
    return bool(number) if isinstance(found, Int) and found.encoding & BOOL else number


def _signed(found: Type) -> bool:
    return isinstance(found, Int | Enum | Enum64) and found.signed


def _is_text(kmem: Kmem, found: Array) -> bool:
    element = kmem.btf.type(kmem.btf.resolve(found.type_id))
    return isinstance(element, Int) and element.size == 1 and element.name in ("char", "signed char")


def _load_array(kmem: Kmem, found: Array, at: int) -> Any:
    if _is_text(kmem, found):
        return raw.read(at, found.nelems).split(b"\0")[0]
    return KArray(kmem, found.type_id, found.nelems, at)


def _bits(place: Field, base: int) -> tuple[int, int, int]:
    """Address, number of bytes, and shift that hold a bitfield."""
    shift = place.bit_offset % 8
    return base + place.offset, (shift + place.bitfield_size + 7) // 8, shift


def _load_bits(kmem: Kmem, place: Field, base: int) -> int | bool:
    at, size, shift = _bits(place, base)
    if kmem.order == "big":
        shift = size * 8 - shift - place.bitfield_size
    value = int.from_bytes(raw.read(at, size), kmem.order) >> shift & (1 << place.bitfield_size) - 1
    found = kmem.btf.type(kmem.btf.resolve(place.type_id))
    if _signed(found) and value >> place.bitfield_size - 1:
        value -= 1 << place.bitfield_size
    return bool(value) if isinstance(found, Int) and found.encoding & BOOL else value


def store(kmem: Kmem, place: Field, base: int, value: Any) -> None:
    """Write a Python value into a field.  Raises UsageError when it does not fit the type."""
    if place.bitfield_size:
        return _store_bits(kmem, place, base, _number(value))
    type_id = kmem.btf.resolve(place.type_id)
    found, at = kmem.btf.type(type_id), base + place.offset
    if isinstance(found, Struct | Union):
        return _store_struct(kmem, type_id, at, value)
    if isinstance(found, Array):
        return _store_array(kmem, found, at, value)
    if isinstance(found, Float):
        raise UsageError("floating-point fields can't be set")
    if isinstance(found, Ptr):
        value = kmem.address_of(value)
    raw.write(at, _number(value, kmem.btf.size_of(type_id), kmem.order))


def _store_struct(kmem: Kmem, type_id: int, at: int, value: Any) -> None:
    if isinstance(value, dict):
        KObject(kmem, type_id, at).update(value)
        return
    data, size = bytes(value) if isinstance(value, KObject | bytes | bytearray) else None, kmem.btf.size_of(type_id)
    if data is None or len(data) > size:
        raise UsageError(f"a struct takes a dict, an object of its type or up to {size} bytes, not {value!r}")
    raw.write(at, data)


def _store_array(kmem: Kmem, found: Array, at: int, value: Any) -> None:
    element = Field("", found.type_id, 0)
    step = kmem.btf.size_of(found.type_id)
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes | bytearray) and step == 1:
        room = found.nelems - _is_text(kmem, found)
        if len(value) > room:
            raise UsageError(f"{len(value)} bytes do not fit into {found.nelems}")
        raw.write(at, bytes(value).ljust(found.nelems, b"\0"))
        return
    if not isinstance(value, Sequence) or len(value) > found.nelems:
        raise UsageError(f"an array of {found.nelems} takes a sequence of up to as many, not {value!r}")
    for i, item in enumerate(value):
        store(kmem, element, at + i * step, item)


def _store_bits(kmem: Kmem, place: Field, base: int, data: bytes) -> None:
    at, size, shift = _bits(place, base)
    if kmem.order == "big":
        shift = size * 8 - shift - place.bitfield_size
    value = int.from_bytes(data, "little", signed=True)
    mask = (1 << place.bitfield_size) - 1
    if not -(mask // 2) - 1 <= value <= mask:
        raise UsageError(f"{value} does not fit into {place.bitfield_size} bits")
    old = int.from_bytes(raw.read(at, size), kmem.order)
    raw.write(at, (old & ~(mask << shift) | (value & mask) << shift).to_bytes(size, kmem.order))


def _number(value: Any, size: int = 9, order: Any = "little") -> bytes:
    """An integer as bytes: signed or unsigned, as long as it fits."""
    if not isinstance(value, int) and not hasattr(value, "__index__"):
        raise UsageError(f"an integer is wanted, not {value!r}")
    number = value.__index__()
    if not -(1 << size * 8 - 1) <= number < 1 << size * 8:
        raise UsageError(f"{number} does not fit into {size} bytes")
    return bytes((number & (1 << size * 8) - 1).to_bytes(size, order))
