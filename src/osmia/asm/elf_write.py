"""An assembled ``Unit`` as an ELF64 relocatable file for BPF.

Layout: System V gABI chapters 4 and 5.  Sections stand in the order of the text, each followed by its
relocations, then symbols and strings.  Debug sections (.debug_*) are left out: without the line table, which
nobody here writes, they would be torso; .BTF and .BTF.ext are kept.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence

from osmia.asm.llvm_unit import (
    ALLOC,
    EXEC,
    FILE,
    FUNC,
    GLOBAL,
    LOCAL,
    NOBITS,
    PROGBITS,
    SECTION,
    Section,
    Symbol,
    Unit,
)  # fmt: skip
from osmia.isa import Insn, encode
from osmia.isa.insn import ByteOrder

_EM_BPF, _ET_REL, _SHT_SYMTAB, _SHT_STRTAB, _SHT_REL = 247, 1, 2, 3, 9
_SHF_INFO_LINK, _SHN_ABS, _SHN_COMMON = 0x40, 0xFFF1, 0xFFF2
_EHDR, _SHDR, _SYM, _REL = "16sHHIQQQIHHHHHH", "IIQQQQIIQQ", "IBBHQQ", "QQ"
_HEADER = 64


class _Strings:
    """A string table under construction."""

    def __init__(self) -> None:
        self.data = bytearray(b"\0")
        self._at: dict[str, int] = {"": 0}

    def add(self, text: str) -> int:
        if text not in self._at:
            self._at[text] = len(self.data)
            self.data += text.encode() + b"\0"
        return self._at[text]


class _Writer:
    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.mark = "<" if unit.order == "little" else ">"
        self.sections = [s for s in unit.sections.values() if not s.name.startswith(".debug_")]
        self.strings = _Strings()
        self.body = bytearray(_HEADER)
        self.headers = [self._pack(_SHDR, *[0] * 10)]
        self.numbers = self._number_sections()
        self.symbols: dict[str, int] = {}

    def _pack(self, layout: str, *values: int | bytes) -> bytes:
        return struct.pack(self.mark + layout, *values)

    def _number_sections(self) -> dict[str, int]:
        numbers, at = {"*strtab": 1}, 2
        for section in self.sections:
            numbers[section.name] = at
            at += 2 if section.relocs else 1
        return {**numbers, "*symtab": at}

    def write(self) -> bytes:
        symtab, first_global = self._symbol_table()
        for section in self.sections:
            data = b"" if section.type == NOBITS else bytes(section.data)
            size = section.size if section.type == NOBITS else len(data)
            shape = {"align": section.align, "entsize": section.entsize}
            self._add(section.name, section.type, section.flags, data, size, **shape)
            if section.relocs:
                self._relocations(section)
        link = self.numbers["*strtab"]
        self._add(".symtab", _SHT_SYMTAB, 0, symtab, len(symtab), link=link, info=first_global, align=8, entsize=24)
        name = self.strings.add(".strtab")
        self._add(".strtab", _SHT_STRTAB, 0, bytes(self.strings.data), len(self.strings.data), name=name)
        self.headers.insert(self.numbers["*strtab"], self.headers.pop())  # where LLVM has it
        return self._finish()

    def _add(
        self, text: str, kind: int, flags: int, data: bytes, size: int, *,
        link: int = 0, info: int = 0, align: int = 1, entsize: int = 0, name: int | None = None,
    ) -> None:  # fmt: skip
        """A section: its bytes into the file, its header for later."""
        self.body += bytes(-len(self.body) % align)
        at = self.strings.add(text) if name is None else name
        self.headers.append(self._pack(_SHDR, at, kind, flags, 0, len(self.body), size, link, info, align, entsize))
        self.body += data

    def _relocations(self, section: Section) -> None:
        rows = b"".join(self._pack(_REL, r.offset, self.symbols[r.symbol] << 32 | r.type) for r in section.relocs)
        link, info = self.numbers["*symtab"], self.numbers[section.name]
        shape = {"link": link, "info": info, "align": 8, "entsize": 16}
        self._add(".rel" + section.name, _SHT_REL, _SHF_INFO_LINK, rows, len(rows), **shape)

    def _finish(self) -> bytes:
        self.body += bytes(-len(self.body) % 8)
        ident = b"\x7fELF\x02" + (b"\x01" if self.unit.order == "little" else b"\x02") + b"\x01" + bytes(9)
        count = len(self.headers)
        self.body[:_HEADER] = self._pack(
            _EHDR, ident, _ET_REL, _EM_BPF, 1, 0, 0, len(self.body), 0, 64, 0, 0, 64, count, self.numbers["*strtab"]
        )
        return bytes(self.body) + b"".join(self.headers)

    # -- symbols

    def _symbol_table(self) -> tuple[bytes, int]:
        """The rows, and the number of the first one that is not local."""
        rows = [self._pack(_SYM, *[0] * 6)]
        if self.unit.file_name:
            rows.append(self._pack(_SYM, self.strings.add(self.unit.file_name), FILE, 0, _SHN_ABS, 0, 0))
        self._section_symbols(rows)
        wanted = [s for s in self.unit.symbols.values() if self._is_wanted(s)]
        for symbol in (s for s in wanted if self._bind(s) == LOCAL):
            self._symbol(rows, symbol)
        first = len(rows)
        for symbol in (s for s in wanted if self._bind(s) != LOCAL):
            self._symbol(rows, symbol)
        return b"".join(rows), first

    def _section_symbols(self, rows: list[bytes]) -> None:
        """One for each section that a relocation refers to."""
        wanted = {r.symbol for s in self.sections for r in s.relocs}
        for section in self.sections:
            if f"[{section.name}]" in wanted:
                self.symbols[f"[{section.name}]"] = len(rows)
                rows.append(self._pack(_SYM, 0, SECTION, 0, self.numbers[section.name], 0, 0))

    def _is_wanted(self, symbol: Symbol) -> bool:
        if symbol.section in self.numbers:
            return not symbol.temporary
        return symbol.section == "*COM*" or symbol.used or (symbol.bound and symbol.section is None)

    @staticmethod
    def _bind(symbol: Symbol) -> int:
        """Undefined symbols are global unless something else was said."""
        return GLOBAL if symbol.section is None and not symbol.bound else symbol.bind

    def _symbol(self, rows: list[bytes], symbol: Symbol) -> None:
        home = {None: 0, "*COM*": _SHN_COMMON}.get(symbol.section, self.numbers.get(symbol.section or "", 0))
        self.symbols[symbol.name] = len(rows)
        info = self._bind(symbol) << 4 | symbol.type
        name = self.strings.add(symbol.name)
        rows.append(self._pack(_SYM, name, info, symbol.visibility, home, symbol.offset, symbol.size))


def write(unit: Unit) -> bytes:
    """The object file's bytes."""
    return _Writer(unit).write()


def bare(
    insns: Sequence[Insn], *, section: str = ".text", order: ByteOrder = "little", tail: bytes = b""
) -> bytes:
    """An object of one code section with bare instructions in it, under a global function symbol of its name.

    ``tail`` is appended as it is.
    """
    unit = Unit(order)
    code = unit.sections[section] = Section(section, PROGBITS, ALLOC | EXEC, align=8)
    code.data += encode(insns, order) + tail
    name = re.sub(r"\W", "_", section).strip("_") or "prog"
    unit.symbols[name] = Symbol(name, section, 0, GLOBAL, True, FUNC, len(code.data))
    return write(unit)
