"""What an object file holds before linking: functions with their relocations, section kinds, license, BTF.

Nothing is decided here but what each section is for; the rules are libbpf's (bpf_object__elf_collect).
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from osmia.btf import Btf
from osmia.btf.ext import BtfExt
from osmia.errors import BtfError, DecodeError, LinkError
from osmia.isa import Insn, decode
from osmia.obj import elf as e

LICENSE_ROOM: Final = 63
"""Bytes of the license that libbpf passes on."""


class Role(Enum):
    """What a data section is for."""

    DATA = ".data"
    RODATA = ".rodata"
    BSS = ".bss"
    PERCPU = ".percpu"
    ARENA = ".addr_space.1"
    STRUCT_OPS = ".struct_ops"
    BTF_MAPS = ".maps"
    LEGACY_MAPS = "maps"
    JUMP_TABLES = ".jumptables"


GLOBAL_DATA: Final = (Role.DATA, Role.RODATA, Role.BSS, Role.PERCPU)
STRUCT_OPS_NAMES: Final = (".struct_ops", ".struct_ops.link", "?.struct_ops", "?.struct_ops.link")


@dataclass(eq=False, slots=True)
class Function:
    """One function symbol with its code: slots ``start`` to ``start + len(insns)`` of its section."""

    name: str
    section: e.Section
    start: int
    insns: list[Insn]
    is_global: bool
    hidden: bool
    relocs: dict[int, e.Reloc] = field(default_factory=dict)  # by slot within the function
    poisoned: dict[int, str] = field(default_factory=dict)  # what CO-RE could not resolve, and why

    @property
    def end(self) -> int:
        """One past the last slot, counted in the section."""
        return self.start + len(self.insns)


@dataclass(eq=False, slots=True)
class Parts:
    """The sorted-out file."""

    elf: e.ElfFile
    roles: dict[int, Role] = field(default_factory=dict)  # by section number
    functions: list[Function] = field(default_factory=list)  # by section number and start
    text: int = -1  # the number of .text, where subprograms live
    license: str = ""
    version: int = 0
    btf: Btf | None = None
    ext: BtfExt | None = None

    @property
    def order(self) -> str:
        """``<`` or ``>`` for struct."""
        return "<" if self.elf.byteorder == "little" else ">"

    def fail(self, reason: str, section: e.Section | str | None = None, offset: int | None = None) -> LinkError:
        """A LinkError at that place of this file; ``offset`` counts from the section's start."""
        name = section.name if isinstance(section, e.Section) else section
        return LinkError(reason, file=self.elf.path or None, section=name, offset=offset)

    def with_role(self, *roles: Role) -> list[e.Section]:
        """The sections of those roles, in the file's order."""
        return [self.elf.sections[n] for n, role in sorted(self.roles.items()) if role in roles]

    def function_at(self, section: int, slot: int) -> Function | None:
        """The function that holds that slot of a section."""
        at = bisect_right(self.functions, (section, slot), key=lambda f: (f.section.number, f.start)) - 1
        if at < 0:
            return None
        found = self.functions[at]
        return found if found.section.number == section and found.start <= slot < found.end else None

    def is_subprog(self, function: Function) -> bool:
        """Lives in .text: not loaded by itself, but copied behind the programs that call it."""
        return function.section.number == self.text


def collect(data: bytes, path: str = "") -> Parts:
    """Sort out an object file.  Raises ElfError, BtfError or LinkError with the place."""
    parts = Parts(e.ElfFile(data, path))
    for section in parts.elf.sections[1:]:
        _collect_section(parts, section)
    parts.functions.sort(key=lambda f: (f.section.number, f.start))
    _check_overlaps(parts)
    _collect_relocs(parts)
    _collect_btf(parts)
    return parts


def _collect_section(parts: Parts, section: e.Section) -> None:
    if section.name == "license":
        raw = parts.elf.contents(section)[:LICENSE_ROOM]
        parts.license = raw.split(b"\0")[0].decode("utf-8", "backslashreplace")
    elif section.name == "version":
        parts.version = _version(parts, section)
    elif section.is_code and section.size:
        parts.text = section.number if section.name == ".text" else parts.text
        _collect_functions(parts, section)
    elif role := _role(section):
        parts.roles[section.number] = role


def _role(section: e.Section) -> Role | None:
    name = section.name
    if section.type == e.SHT_NOBITS:
        return Role.BSS if name == ".bss" or name.startswith(".bss.") else None
    if section.type != e.SHT_PROGBITS:
        return None
    if name in STRUCT_OPS_NAMES:
        return Role.STRUCT_OPS
    for role in (Role.DATA, Role.RODATA, Role.PERCPU):
        if name == role.value or name.startswith(role.value + "."):
            return role
    known = (Role.BTF_MAPS, Role.LEGACY_MAPS, Role.ARENA, Role.JUMP_TABLES)
    return next((role for role in known if role.value == name), None)


def _version(parts: Parts, section: e.Section) -> int:
    raw = parts.elf.contents(section)
    if len(raw) != 4:
        raise parts.fail(f"the version takes 4 bytes, not {len(raw)}", section, 0)
    return int(struct.unpack(parts.order + "I", raw)[0])


def _collect_functions(parts: Parts, section: e.Section) -> None:
    code = parts.elf.contents(section)
    for symbol in parts.elf.symbols_by_section.get(section.number, ()):
        if symbol.type != e.STT_FUNC:
            continue
        start, end = symbol.value, symbol.value + symbol.size
        if not symbol.size or end > len(code) or start % 8 or symbol.size % 8:
            raise parts.fail(f"function {symbol.name!r} takes bytes {start:#x} to {end:#x} of {len(code):#x}",
                             section, start)  # fmt: skip
        if symbol.is_local and section.name != ".text":
            raise parts.fail(f"program {symbol.name!r} is static; only subprograms in .text may be", section, start)
        hidden = not symbol.is_local and symbol.hidden
        made = Function(symbol.name, section, start // 8, _decode(parts, section, code[start:end], start),
                        not symbol.is_local, hidden)  # fmt: skip
        parts.functions.append(made)


def _decode(parts: Parts, section: e.Section, code: bytes, start: int) -> list[Insn]:
    try:
        return decode(code, parts.elf.byteorder)
    except DecodeError as error:
        raise parts.fail(error.reason, section, start) from None


def _check_overlaps(parts: Parts) -> None:
    for before, after in zip(parts.functions, parts.functions[1:], strict=False):
        if before.section is after.section and after.start < before.end:
            raise parts.fail(f"functions {before.name!r} and {after.name!r} overlap", after.section, after.start * 8)


def _collect_relocs(parts: Parts) -> None:
    """Hand each relocation of a code section to its function; what lies in no function is left alone, as libbpf does
    (the linker leaves relocations of weak functions that lost)."""
    for section in {f.section for f in parts.functions}:
        for reloc in parts.elf.relocations(section):
            function = parts.function_at(section.number, reloc.offset // 8)
            if function is None:
                continue
            if reloc.offset % 8:
                raise parts.fail("a relocation that is not at an instruction's start", section, reloc.offset)
            if reloc.type not in (e.R_BPF_64_64, e.R_BPF_64_32) or reloc.addend is not None:
                raise parts.fail(f"relocation {reloc.type_name} is none for code", section, reloc.offset)
            function.relocs[reloc.offset // 8 - function.start] = reloc


def _collect_btf(parts: Parts) -> None:
    section = parts.elf.section(".BTF")
    if section is None:
        return
    file = parts.elf.path or None
    try:
        parts.btf = Btf.parse(parts.elf.contents(section))
    except BtfError as error:
        raise error.at(file=file, section=".BTF") from None
    section = parts.elf.section(".BTF.ext")
    if section is not None:
        try:
            parts.ext = BtfExt.parse(parts.elf.contents(section), parts.btf)
        except BtfError as error:
            raise error.at(file=file, section=".BTF.ext") from None
