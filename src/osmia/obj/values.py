"""Static initialisers of maps: ``.values = { … }`` of maps in maps and prog_array, from the relocations of ``.maps``.

Source: tools/lib/bpf/libbpf.c, bpf_object__collect_map_relos.
"""

from __future__ import annotations

from bisect import bisect_right

from osmia.btf import Datasec, Struct, Var
from osmia.obj import elf as e
from osmia.obj.mapdefs import MAPS_IN_MAPS
from osmia.obj.model import MapSpec
from osmia.obj.parts import Parts, Role


def fill_values(parts: Parts, maps: dict[tuple[int, int], MapSpec]) -> None:
    """Set ``values`` of the maps (by section number and offset).  Raises LinkError with section and offset."""
    for section in parts.with_role(Role.BTF_MAPS)[-1:]:
        ranges = sorted(_ranges(parts, section))
        for reloc in parts.elf.relocations(section):
            _fill(parts, section, reloc, ranges, maps)


def _ranges(parts: Parts, section: e.Section) -> list[tuple[int, int, int]]:
    """(start, end, start of the values) of every map's variable, in bytes of the section."""
    btf = parts.btf
    number = btf.find(section.name, Datasec) if btf else None
    datasec = btf.type(number) if btf and number is not None else None
    found: list[tuple[int, int, int]] = []
    if btf is None or not isinstance(datasec, Datasec):
        return found
    for slot in datasec.vars:
        var = btf.type(slot.type_id)
        definition = btf.type(btf.resolve(var.type_id)) if isinstance(var, Var) else None
        last = definition.members[-1] if isinstance(definition, Struct) and definition.members else None
        at = slot.offset + last.bit_offset // 8 if last and last.name == "values" else slot.offset + slot.size
        found.append((slot.offset, slot.offset + slot.size, at))
    return found


def _fill(
    parts: Parts,
    section: e.Section,
    reloc: e.Reloc,
    ranges: list[tuple[int, int, int]],
    maps: dict[tuple[int, int], MapSpec],
) -> None:
    at = bisect_right(ranges, reloc.offset, key=lambda r: r[0]) - 1
    start, end, values = ranges[at] if at >= 0 else (0, 0, 0)
    spec = maps.get((section.number, start)) if reloc.offset + 8 <= end else None
    if spec is None:
        raise parts.fail("a relocation outside every map", section, reloc.offset)
    if reloc.offset < values or (reloc.offset - values) % 8:
        raise parts.fail(f"map {spec.name!r}: a relocation that is none of its values", section, reloc.offset)
    spec.values[(reloc.offset - values) // 8] = _named(parts, section, reloc, spec, maps)


def _named(
    parts: Parts, section: e.Section, reloc: e.Reloc, spec: MapSpec, maps: dict[tuple[int, int], MapSpec]
) -> str:
    symbol = parts.elf.symbols[reloc.symbol]
    if spec.type in MAPS_IN_MAPS:
        target = maps.get((symbol.section, symbol.value))
        if target is None or symbol.section != section.number:
            raise parts.fail(f"map {spec.name!r}: {symbol.name!r} is no BTF-defined map", section, reloc.offset)
        if spec.type == "hash_of_maps" and spec.key_size != 4:
            raise parts.fail(f"map {spec.name!r}: values need a key of 4 bytes", section, reloc.offset)
        return target.name
    function = parts.function_at(symbol.section, symbol.value // 8)
    entry = function and function.start * 8 == symbol.value and not parts.is_subprog(function)
    if spec.type != "prog_array" or function is None or not entry:
        raise parts.fail(f"map {spec.name!r}: {symbol.name!r} is no program", section, reloc.offset)
    return function.name
