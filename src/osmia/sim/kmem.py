"""The simulated kernel's memory: objects laid out by BTF, strings and buffers, each a region that programs may read."""

from __future__ import annotations

import sys
from bisect import bisect_right
from typing import Any, Literal, NamedTuple

from osmia.btf import Array, Btf, Enum, Enum64, Fwd, Int, Ptr, Struct, Type, Typedef, Union
from osmia.btf.layout import Field, field, members
from osmia.errors import UsageError
from osmia.memory import Memory, Region
from osmia.raw import Buffer
from osmia.sim.kobject import KObject

_KEYWORDS: dict[str, tuple[type[Type], ...]] = {"struct": (Struct,), "union": (Union,), "enum": (Enum, Enum64)}


class ObjectRegion(Region):
    """An object's memory, which describes itself to the field."""

    def __init__(self, kmem: Kmem, name: str, buffer: Buffer, size: int, type_id: int) -> None:
        super().__init__(name, buffer.address, size, kind="kernel object", owner=kmem)
        self.kmem, self.type_id = kmem, type_id

    def describe(self, address: int) -> str:
        """ "struct sk_buff #3 .len" """
        offset = address - self.address
        return f"{self.name} {self.kmem.path(self.type_id, offset)}" if offset else self.name


class Owned(NamedTuple):
    """A piece of memory that lives until it is freed.  ``type_id`` is 0 for plain bytes."""

    buffer: Buffer
    region: Region
    type_id: int


class Kmem:
    """Allocates kernel and user memory at native addresses and knows what lies at each of them."""

    def __init__(self, btf: Btf, memory: Memory) -> None:
        self.btf, self.memory = btf, memory
        self.order: Literal["little", "big"] = sys.byteorder
        self._owned: dict[int, Owned] = {}
        self._starts: list[int] = []
        self._fields: dict[tuple[int, str], Field] = {}
        self._types: dict[str, int] = {}
        self._counts: dict[str, int] = {}

    # Types

    def type_id(self, name: str) -> int:
        """The id of "struct task_struct", "union …", "enum …", or a typedef or integer name.

        Raises UsageError when this BTF has no such type.
        """
        found = self._types.get(name)
        if found is None:
            keyword, _, rest = name.strip().partition(" ")
            kinds, tag = (_KEYWORDS[keyword], rest.strip()) if keyword in _KEYWORDS else ((Typedef, Int, Struct), name)
            found = self.btf.find(tag, *kinds)
            if found is None:
                raise UsageError(f"this kernel's BTF has no type {name!r}")
            self._types[name] = found
        return found

    def has_type(self, name: str) -> bool:
        """Whether the BTF has the type."""
        try:
            return bool(self.type_id(name))
        except UsageError:
            return False

    def type_name(self, type_id: int) -> str:
        """C's name of a type: "struct sk_buff"."""
        found = self.btf.type(type_id)
        keyword = {Struct: "struct ", Union: "union ", Enum: "enum ", Enum64: "enum "}.get(type(found), "")
        return keyword + (found.name or f"(type {type_id})")

    def field(self, type_id: int, path: str) -> Field:
        """Where a field lies.  Raises UsageError for a name that the struct does not have."""
        place = self._fields.get((type_id, path))
        if place is None:
            place = self._fields[type_id, path] = field(self.btf, type_id, path)
        return place

    def has_field(self, type_id: int, path: str) -> bool:
        """Whether the struct has the field."""
        try:
            return bool(self.field(type_id, path))
        except UsageError:
            return False

    # Memory

    def new(self, type_name: str, /, **fields: Any) -> KObject:
        """A zeroed object of a type, with some fields set."""
        type_id = self.type_id(type_name)
        address = self.allocate(self.btf.size_of(type_id), self._numbered(type_name), type_id=type_id)
        return KObject(self, type_id, address).update(fields)

    def _numbered(self, name: str) -> str:
        count = self._counts[name] = self._counts.get(name, 0) + 1
        return f"{name} #{count}"

    def make(self, type_name: str, /, size: int = 256, **fields: Any) -> KObject | int:
        """Like ``new``, with those of the fields that there are; ``size`` bare bytes where the BTF lacks the type."""
        if not self.has_type(type_name):
            return self.allocate(size, self._numbered(type_name))
        return self.new(type_name).try_update(**fields)

    def allocate(self, size: int, name: str, *, kind: str = "kernel", type_id: int = 0) -> int:
        """Zeroed memory, ``kind`` "kernel" or "user"; returns its address."""
        size = max(size, 1)
        buffer = Buffer(size)
        region = Region(name, buffer.address, size, kind=kind)
        if type_id:
            region = ObjectRegion(self, name, buffer, size, type_id)
        self.memory.add(region)
        self._owned[buffer.address] = Owned(buffer, region, type_id)
        self._starts.insert(bisect_right(self._starts, buffer.address), buffer.address)
        return buffer.address

    def data(self, data: bytes, name: str = "bytes", *, kind: str = "kernel") -> int:
        """Memory that starts as a copy of ``data``; returns its address."""
        from osmia import raw

        address = self.allocate(len(data), name, kind=kind)
        raw.write(address, data)
        return address

    def string(self, text: str | bytes, *, kind: str = "kernel") -> int:
        """A NUL-terminated string; returns its address."""
        data = text.encode() if isinstance(text, str) else bytes(text)
        return self.data(data + b"\0", f"string {data[:24].decode(errors='replace')!r}", kind=kind)

    def free(self, what: KObject | int) -> None:
        """Give memory back; its address is no longer readable.  Raises UsageError for what is not allocated."""
        address = int(what)
        owned = self._owned.pop(address, None)
        if owned is None:
            raise UsageError(f"{address:#x} is no start of allocated memory")
        self.memory.remove(owned.region)
        del self._starts[bisect_right(self._starts, address) - 1]

    def owner(self, address: int) -> Owned | None:
        """The allocation that an address lies in."""
        index = bisect_right(self._starts, address) - 1
        if index < 0:
            return None
        found = self._owned[self._starts[index]]
        return found if address < found.region.address + found.region.size else None

    # Pointers

    def address_of(self, value: Any) -> int:
        """What a pointer field holds for a Python value: objects their address, text and bytes a new string."""
        if value is None:
            return 0
        if isinstance(value, str | bytes | bytearray):
            return self.string(value if isinstance(value, str) else bytes(value))
        if isinstance(value, int) or hasattr(value, "__index__"):
            return int(value.__index__()) & 0xFFFFFFFFFFFFFFFF
        address = getattr(value, "address", None)
        if isinstance(address, int):
            return address
        raise UsageError(f"a pointer takes an object, an address, text or None, not {value!r}")

    def pointee(self, pointer: Ptr, address: int) -> KObject | int:
        """The object that a typed pointer points to, or the bare address where no object of ours is there."""
        if self.owner(address) is None:
            return address
        target = self.btf.resolve(pointer.type_id)
        found = self.btf.type(target)
        if isinstance(found, Fwd):
            real = self.btf.find(found.name, Union if found.is_union else Struct)
            target, found = (real, self.btf.type(real)) if real is not None else (target, found)
        return KObject(self, target, address) if isinstance(found, Struct | Union) else address

    def describe(self, address: int) -> str:
        """What lies at an address, to the field: "struct sk_buff #3 .len"."""
        return self.memory.describe(address)

    def path(self, type_id: int, offset: int) -> str:
        """ ".a.b[2]" of the innermost field at a byte offset; of several bitfields in a byte the first."""
        found = self.btf.type(type_id := self.btf.resolve(type_id))
        if isinstance(found, Struct | Union):
            for member in members(self.btf, type_id):
                size = self.btf.size_of(member.type_id) if not member.bitfield_size else 1
                if member.offset <= offset < member.offset + size:
                    return f".{member.path}{self.path(member.type_id, offset - member.offset)}"
        elif isinstance(found, Array):
            step = self.btf.size_of(found.type_id)
            if step:
                return f"[{offset // step}]{self.path(found.type_id, offset % step)}"
        return f"+{offset}" if offset else ""
