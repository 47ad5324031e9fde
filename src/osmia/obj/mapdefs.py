"""Maps that a program declares: ``SEC(".maps")`` structs read through BTF, and legacy ``struct bpf_map_def``.

A BTF-defined map says its numbers in types: ``int (*max_entries)[64]`` means 64 (libbpf, parse_btf_map_def).
"""

from __future__ import annotations

import struct
from typing import Final

from osmia.btf import Array, Btf, Datasec, Enum, Enum64, FuncProto, Member, Ptr, Struct, Type, Var
from osmia.btf.types import GLOBAL
from osmia.errors import BtfError, LinkError
from osmia.kernel.uapi import MAP_TYPES
from osmia.obj import elf as e
from osmia.obj.model import MapSpec
from osmia.obj.parts import Parts, Role

PAGE: Final = 4096
MAPS_IN_MAPS: Final = ("array_of_maps", "hash_of_maps")
RING_BUFFERS: Final = ("ringbuf", "user_ringbuf")
NO_BTF: Final = (
    "perf_event_array", "cgroup_array", "stack_trace", "array_of_maps", "hash_of_maps", "devmap", "devmap_hash",
    "cpumap", "xskmap", "sockmap", "sockhash", "queue", "stack", "arena",
)  # fmt: skip
"""Types whose elements the kernel lets no BTF describe; libbpf passes no type ids for them."""
_PINNING: Final = (None, "by_name")
_NUMBERS: Final = {"max_entries": "max_entries", "map_flags": "flags", "numa_node": "numa_node"}
_SIZES: Final = {"key_size": "key", "value_size": "value"}


def btf_maps(parts: Parts) -> dict[tuple[int, int], MapSpec]:
    """The maps of ``.maps`` by section number and offset.  Raises LinkError with section and offset."""
    sections = parts.with_role(Role.BTF_MAPS)
    if not sections:
        return {}
    btf = parts.btf
    number = btf.find(".maps", Datasec) if btf else None
    if btf is None or number is None:
        raise parts.fail("maps are defined by BTF, and there is none (compile with -g)", ".maps")
    datasec = btf.type(number)
    assert isinstance(datasec, Datasec)
    section = sections[-1]
    reader = _Reader(parts, btf, section)
    return {(section.number, v.offset): reader.read(v.type_id, v.offset, v.size) for v in datasec.vars}


class _Reader:
    """Reads one definition; what goes wrong is told with the map's name and place."""

    def __init__(self, parts: Parts, btf: Btf, section: e.Section) -> None:
        self.parts, self.btf, self.section = parts, btf, section
        self.name, self.offset = "", 0

    def fail(self, reason: str) -> LinkError:
        return self.parts.fail(f"map {self.name!r}: {reason}", self.section, self.offset)

    def read(self, var_id: int, offset: int, size: int) -> MapSpec:
        var = self.btf.type(var_id)
        self.name, self.offset = var.name, offset
        if not isinstance(var, Var) or not var.name:
            raise self.fail("its BTF is no variable")
        if var.linkage != GLOBAL:
            raise self.fail("it is not a global variable")
        definition = self.btf.type(self.btf.resolve(var.type_id))
        if not isinstance(definition, Struct) or definition.size > size or offset + size > self.section.size:
            raise self.fail("its BTF is no struct that fits into the section")
        return self.read_struct(definition, var.name)

    def read_struct(self, definition: Struct, name: str, *, inner: bool = False) -> MapSpec:
        spec = MapSpec(name, "unspec", section=self.section.name, btf=self.btf)
        for member in definition.members:
            try:
                self.field(spec, member, last=member is definition.members[-1], inner=inner)
            except BtfError as error:
                raise self.fail(f"{member.name}: {error.reason}") from None
        if spec.type == "unspec":
            raise self.fail("no type is given")
        return finish(spec)

    def field(self, spec: MapSpec, member: Member, *, last: bool, inner: bool) -> None:
        name = member.name
        if name == "type":
            spec.type = map_type_name(self.number(member))
        elif name in _NUMBERS:
            setattr(spec, _NUMBERS[name], self.number(member))
        elif name in _SIZES:
            self.size(spec, _SIZES[name], self.number(member))
        elif name in ("key", "value"):
            self.described(spec, member)
        elif name == "map_extra":
            spec.map_extra = self.long_number(member)
        elif name == "pinning" and not inner:
            spec.pinning = self.pinning(member)
        elif name == "values" and not inner:
            self.values(spec, member, last)
        else:
            raise self.fail(f"a field {name!r} is not known here")

    def pointee(self, member: Member) -> tuple[int, Type]:
        pointer = self.btf.type(self.btf.resolve(member.type_id))
        if not isinstance(pointer, Ptr):
            raise self.fail(f"{member.name} is no pointer, as __uint, __type and __array make it")
        return pointer.type_id, self.btf.type(pointer.type_id)

    def number(self, member: Member) -> int:
        _, array = self.pointee(member)
        if not isinstance(array, Array):
            raise self.fail(f"{member.name} is no pointer to an array, as __uint makes it")
        return array.nelems

    def long_number(self, member: Member) -> int:
        found = self.btf.type(self.btf.resolve(member.type_id))
        if not isinstance(found, Enum | Enum64):
            return self.number(member)
        if len(found.values) != 1:
            raise self.fail(f"{member.name} is no enum of one value, as __ulong makes it")
        return found.values[0].value & 0xFFFFFFFFFFFFFFFF

    def pinning(self, member: Member) -> str | None:
        value = self.number(member)
        if value >= len(_PINNING):
            raise self.fail(f"pinning {value} is neither LIBBPF_PIN_NONE nor LIBBPF_PIN_BY_NAME")
        return _PINNING[value]

    def size(self, spec: MapSpec, what: str, size: int) -> None:
        before = getattr(spec, f"{what}_size")
        if before and before != size:
            raise self.fail(f"{what} size {before} and {size} contradict each other")
        setattr(spec, f"{what}_size", size)

    def described(self, spec: MapSpec, member: Member) -> None:
        type_id, _ = self.pointee(member)
        self.size(spec, member.name, self.btf.size_of(type_id))
        setattr(spec, f"btf_{member.name}_type_id", type_id)

    def values(self, spec: MapSpec, member: Member, last: bool) -> None:
        if not last:
            raise self.fail("values must be the last field")
        if spec.type not in (*MAPS_IN_MAPS, "prog_array"):
            raise self.fail(f"values are for maps in maps and prog_array, not for {spec.type}")
        self.size(spec, "value", 4)
        array = self.btf.type(member.type_id)
        if not isinstance(array, Array) or array.nelems:
            raise self.fail("values is no array without a length, as __array makes it")
        pointer = self.btf.type(self.btf.resolve(array.type_id))
        element = self.btf.type(self.btf.resolve(pointer.type_id)) if isinstance(pointer, Ptr) else None
        if spec.type != "prog_array" and isinstance(element, Struct):
            spec.inner = self.read_struct(element, f"{self.name}.inner", inner=True)
        elif spec.type != "prog_array" or not isinstance(element, FuncProto):
            raise self.fail("values point neither to a map's struct nor to a function")


def finish(spec: MapSpec) -> MapSpec:
    """What libbpf changes in a definition before it creates the map."""
    if spec.type in RING_BUFFERS:
        spec.max_entries = ring_size(spec.max_entries)
    if spec.type in NO_BTF:
        spec.btf_key_type_id = spec.btf_value_type_id = 0
    return spec


def ring_size(size: int) -> int:
    """The next power-of-two number of pages; sizes that are right, zero and impossible ones stay."""
    pages, rest = divmod(size, PAGE)
    if size == 0 or (rest == 0 and pages & (pages - 1) == 0):
        return size
    rounded = PAGE << pages.bit_length()
    return rounded if rounded <= 0xFFFFFFFF else size


def map_type_name(number: int) -> str:
    """The name, or the number as text where a newer kernel's type has none here."""
    return MAP_TYPES[number] if number < len(MAP_TYPES) else str(number)


def legacy_maps(parts: Parts) -> dict[tuple[int, int], MapSpec]:
    """The maps of a section ``maps``, likewise: ``struct bpf_map_def``, five words (libbpf before 1.0 read it)."""
    found: dict[tuple[int, int], MapSpec] = {}
    for section in parts.with_role(Role.LEGACY_MAPS):
        inside = parts.elf.symbols_by_section.get(section.number, ())
        named = sorted((s for s in inside if s.name and s.type != e.STT_SECTION), key=lambda s: s.value)
        if not named or section.size % len(named) or section.size // len(named) < 20:
            reason = f"{section.size} bytes are no {len(named)} map definitions of 20 bytes or more"
            raise parts.fail(reason, section, 0)
        size = section.size // len(named)
        found |= {(section.number, s.value): _legacy(parts, section, s, size) for s in named}
    return found


def _legacy(parts: Parts, section: e.Section, symbol: e.Symbol, size: int) -> MapSpec:
    raw = parts.elf.contents(section)[symbol.value : symbol.value + size]
    if len(raw) < size or any(raw[20:]):
        reason = "more than type, sizes, entries and flags" if len(raw) == size else "not all of its definition"
        raise parts.fail(f"map {symbol.name!r} has {reason} in the section", section, symbol.value)
    kind, key, value, entries, flags = struct.unpack_from(parts.order + "5I", raw)
    return finish(MapSpec(symbol.name, map_type_name(kind), key, value, entries, flags, section=section.name))
