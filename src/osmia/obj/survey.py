"""Everything in an object file as plain values, ready for JSON: what ``osmia inspect`` shows.

A file that can't be linked is shown as far as it can be read; why it can't is in ``problems``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

from osmia.btf import Btf
from osmia.btf.ext import BtfExt
from osmia.btf.types import KIND_NAMES
from osmia.errors import ElfError, InputError
from osmia.obj import elf as e
from osmia.obj import record, sections
from osmia.obj.model import Collection, MapSpec, Program
from osmia.obj.relocs import CALL

Json = dict[str, Any]
T = TypeVar("T")
_FLAGS = ((e.SHF_WRITE, "W"), (e.SHF_ALLOC, "A"), (e.SHF_EXECINSTR, "X"))


def survey(data: bytes, path: str = "", *, target_btf: Btf | None = None, **linking: Any) -> Json:
    """All of an object.  Raises ElfError only when the headers can't be read.

    Keys: file, header, sections, symbols, relocations, programs, maps, license, version, btf, problems.
    ``linking`` goes to ``obj.load``.
    """
    from osmia.obj.collection import load

    elf, problems = e.ElfFile(data, path), list[Json]()
    made: Json = {"file": path, "size": len(data), "header": header(elf)}
    made["sections"] = [section_row(s) for s in elf.sections[1:]]
    made["symbols"] = _tried(problems, lambda: [symbol_row(elf, s) for s in elf.symbols[1:]]) or []
    made["relocations"] = _tried(problems, lambda: relocation_rows(elf)) or []
    made["btf"] = _tried(problems, lambda: btf_row(elf))
    linked = _tried(problems, lambda: load(data, path=path, target_btf=target_btf, **linking))
    linked = linked or _tried(problems, lambda: _unlinked(data, path)) or Collection(path)
    made["programs"] = [program_row(p) for p in linked.programs.values()]
    made["maps"] = [map_row(m) for m in linked.maps.values()]
    made |= {"license": linked.license, "version": linked.version, "problems": problems}
    return made


def survey_records(data: bytes, path: str = "") -> Json:
    """The same for a file of program records, which has no sections or symbols.  Raises RecordError."""
    found = record.load(data, path)
    made: Json = {"file": path, "size": len(data)}
    made["header"] = {"byteorder": found.byteorder, "type": "program records", "machine": "bpf"}
    made |= {"sections": [], "symbols": [], "relocations": [], "problems": []}
    made["btf"] = _shared_btf(found)
    made["programs"] = [program_row(p) for p in found.programs.values()]
    made["maps"] = [map_row(m) for m in found.maps.values()]
    return made | {"license": found.license, "version": found.version}


def _shared_btf(found: Collection) -> Json | None:
    """What the programs' common types are, and how many rows describe their code."""
    if found.btf is None:
        return None
    made = _counts(found.btf, len(found.btf.encode()))
    for table in ("func_info", "line_info"):
        made[table] = sum(len(getattr(p, table)) for p in found.programs.values())
    return made | {"core_relos": 0}


def _counts(btf: Btf, size: int) -> Json:
    kinds = Counter(KIND_NAMES[btf.kind_of(i)].lower() for i in range(1, len(btf)))
    return {"types": len(btf) - 1, "strings": btf.strings_size, "size": size, "kinds": dict(kinds)}


def _tried(problems: list[Json], work: Callable[[], T]) -> T | None:
    try:
        return work()
    except InputError as error:
        if error.to_json() not in problems:
            problems.append(error.to_json())
        return None


def _unlinked(data: bytes, path: str) -> Collection:
    """The programs as they stand in the file."""
    from osmia.obj import parts

    found = parts.collect(data, path)
    made = Collection(path, license=found.license, version=found.version)
    for function in (f for f in found.functions if not found.is_subprog(f)):
        row, section = sections.find(function.section.name), function.section.name
        program = Program(function.name, row.prog_type if row else "unspec", function.insns, section.removeprefix("?"))
        program.autoload = not section.startswith("?")
        made.programs[function.name] = program
    return made


def header(elf: e.ElfFile) -> Json:
    """The ELF header's facts."""
    machine = {e.EM_BPF: "bpf", e.EM_NONE: "none"}.get(elf.machine, str(elf.machine))
    return {"class": 64, "byteorder": elf.byteorder, "type": "relocatable", "machine": machine, "flags": elf.flags}


def section_row(section: e.Section) -> Json:
    """One section; what it means where it holds programs."""
    flags = "".join(letter for bit, letter in _FLAGS if section.flags & bit)
    kind = e.SECTION_TYPES.get(section.type, hex(section.type))
    made = {"number": section.number, "name": section.name, "type": kind, "flags": flags, "offset": section.offset}
    made |= {"size": section.size, "align": section.align, "link": section.link, "info": section.info}
    row = sections.find(section.name) if section.is_code else None
    return {**made, "prog_type": row.prog_type} if row else made


def symbol_row(elf: e.ElfFile, symbol: e.Symbol) -> Json:
    """One symbol, its section by name."""
    special = {e.SHN_UNDEF: "UND", e.SHN_ABS: "ABS", e.SHN_COMMON: "COM"}
    place = special.get(symbol.section) or elf.sections[symbol.section].name
    kind = e.SYMBOL_TYPES[symbol.type] if symbol.type < len(e.SYMBOL_TYPES) else str(symbol.type)
    bind = e.BINDINGS[symbol.bind] if symbol.bind < len(e.BINDINGS) else str(symbol.bind)
    name = symbol.name or (place if symbol.type == e.STT_SECTION else "")
    made = {"number": symbol.number, "name": name, "section": place, "value": symbol.value, "size": symbol.size}
    return {**made, "bind": bind, "type": kind, "visibility": e.VISIBILITIES[symbol.visibility]}


def relocation_rows(elf: e.ElfFile) -> list[Json]:
    """All relocations, with the names of their sections and symbols."""
    found = []
    for number in sorted({s.info for s in elf.relocation_sections()}):
        if number >= len(elf.sections):
            raise ElfError(f"relocations for section {number} of {len(elf.sections)}", file=elf.path or None)
        target = elf.sections[number]
        for reloc in elf.relocations(target):
            name = symbol_row(elf, elf.symbols[reloc.symbol])["name"]
            found.append({"section": target.name, "offset": reloc.offset, "type": reloc.type_name, "symbol": name})
            if reloc.addend is not None:
                found[-1]["addend"] = reloc.addend
    return found


def btf_row(elf: e.ElfFile) -> Json | None:
    """Counts of the types by kind, and of the rows of .BTF.ext; None without BTF."""
    section = elf.section(".BTF")
    if section is None:
        return None
    try:
        btf = Btf.parse(elf.contents(section))
        made = _counts(btf, section.size)
        section = elf.section(".BTF.ext")
        ext = BtfExt.parse(elf.contents(section), btf) if section else BtfExt()
    except InputError as error:
        raise error.at(file=elf.path or None, section=".BTF") from None
    tables: dict[str, Mapping[str, list[Any]]] = {"func_info": ext.func_info, "line_info": ext.line_info}
    tables["core_relos"] = ext.core_relos
    return made | {name: sum(map(len, table.values())) for name, table in tables.items()}


def program_row(program: Program) -> Json:
    """One linked program: what it is, and what it needs."""
    made: Json = {"name": program.name, "section": program.section, "prog_type": program.prog_type}
    made |= {"expected_attach_type": program.expected_attach_type, "attach_target": program.attach_target}
    made |= {"insns": len(program.insns), "flags": program.flags, "autoload": program.autoload}
    made |= {"subprogs": [asdict(s) for s in program.subprogs], "maps": [m.name for m in program.maps]}
    made |= {"externs": [asdict(x) for x in program.externs], "helpers": sorted(helper_numbers(program))}
    made |= {"poisoned": {str(at): why for at, why in program.poisoned.items()}}
    return made | {"func_info": len(program.func_info), "line_info": len(program.line_info)}


def helper_numbers(program: Program) -> set[int]:
    """The helpers that a program calls, by number."""
    calls = ((at, i) for at, i in enumerate(program.insns) if i.code == CALL and not i.src_reg)
    return {i.imm for at, i in calls if at not in program.poisoned}


def map_row(spec: MapSpec) -> Json:
    """One map's definition; contents in hexadecimal where they are not all zero."""
    names = ("name", "type", "key_size", "value_size", "max_entries", "flags", "map_extra", "numa_node", "pinning")
    made: Json = {name: getattr(spec, name) for name in names}
    made |= {"section": spec.section, "frozen": spec.frozen, "mmapable": spec.mmapable, "autocreate": spec.autocreate}
    made |= {"btf_key_type_id": spec.btf_key_type_id, "btf_value_type_id": spec.btf_value_type_id}
    made |= {"inner": map_row(spec.inner) if spec.inner else None}
    made |= {"values": {str(slot): name for slot, name in spec.values.items()}}
    return made | {"data": spec.data.hex() if spec.has_content and spec.data else None}
