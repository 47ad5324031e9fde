"""Disassembly of whole object files, laid out as ``llvm-objdump -d`` lays it out (LLVM 19), byte for byte.

The instructions' text is ``osmia.asm.llvm_print``'s; here are sections, symbols, relocations (-r) and source
lines (-S, -l), which come from .BTF.ext, so that neither DWARF nor the source file is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from osmia.asm.llvm_print import Names, Printer
from osmia.errors import BtfError, UsageError
from osmia.obj import elf as e

CPUS = ("generic", "v1", "v2", "v3", "v4")
_ROW = 8  # bytes a line of data
_M64 = 0xFFFFFFFFFFFFFFFF
_ELSEWHERE = -1  # symbols without a section: undefined and absolute ones
_DATA = (e.STT_OBJECT, 5)  # 5: STT_COMMON


class Options(NamedTuple):
    """What to print; the names are llvm-objdump's.

    ``sections`` and ``symbols`` limit the output to these names; ``reloc``, ``source`` and ``line_numbers`` add
    to it; ``all_sections`` disassembles what is no code, too; ``cpu`` v3 and later names 32-bit registers in
    loads and stores (LLVM 19 itself prints what ``generic`` prints, whatever the object was compiled for).
    """

    sections: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    reloc: bool = False
    source: bool = False
    line_numbers: bool = False
    raw_insn: bool = True
    zeroes: bool = False
    all_sections: bool = False
    cpu: str = "generic"


class _Mark(NamedTuple):
    """A symbol of the listing."""

    address: int
    type: int
    name: str


class _Source(NamedTuple):
    """A source line: file, number, text."""

    file: str
    line: int
    text: str


_NOWHERE = _Source("", 0, "")
_DEFAULT = Options()


class Listing:
    """One object's disassembly: ``chunks()`` yields the text, ``warnings`` holds what was asked for and not found."""

    def __init__(self, data: bytes, path: str = "", options: Options = _DEFAULT) -> None:
        self.data, self.path, self.options = data, path, options
        self.warnings: list[str] = []
        self.rows: dict[str, list[tuple[int, _Source]]] = {}  # source lines by section
        self.core: dict[str, list[tuple[int, str]]] = {}  # CO-RE relocations by section
        self.exact = True  # a source line is of its instruction alone
        self._last = _NOWHERE
        self._missing: set[str] = set()

    def chunks(self) -> Iterator[str]:
        """The text, in pieces of a section each.  Raises ElfError or BtfError for a damaged object."""
        if self.options.cpu not in CPUS:
            raise UsageError(f"unknown cpu {self.options.cpu!r} (known: {', '.join(CPUS)})")
        file = e.ElfFile(self.data, self.path)
        self._missing = set(self.options.symbols)
        if self.options.source or self.options.line_numbers or self.options.reloc:
            try:
                self._read_btf(file)
            except BtfError as error:
                raise error.at(file=self.path or None, section=".BTF.ext") from None
        symbols = _symbols(file)
        yield f"\n{self.path}:\tfile format elf64-bpf\n"
        for section in file.sections[1:]:
            if section.size and self._wanted(section):
                marks, elsewhere = symbols.get(section.number, []), symbols.get(_ELSEWHERE, [])
                yield self._section(file, section, marks, elsewhere)
        self._warn(file)

    def _wanted(self, section: e.Section) -> bool:
        if self.options.sections:
            return section.name in self.options.sections
        return self.options.all_sections or (bool(section.flags & e.SHF_EXECINSTR) and section.type != e.SHT_NOBITS)

    def _warn(self, file: e.ElfFile) -> None:
        names = {s.name for s in file.sections}
        self.warnings += [f"section {n!r} is not in the file" for n in self.options.sections if n not in names]
        self.warnings += [f"symbol {n!r} is not in the disassembly" for n in self.options.symbols if n in self._missing]

    # -- one section

    def _section(
        self, file: e.ElfFile, section: e.Section, marks: list[_Mark], elsewhere: list[_Mark]
    ) -> str:
        if not marks or marks[0].address != section.addr:
            kind = e.STT_FUNC if section.flags & e.SHF_EXECINSTR else e.STT_OBJECT
            marks.insert(0, _Mark(section.addr, kind, section.name))
        o = self.options
        printer = Printer(file.byteorder, alu32=o.cpu in ("v3", "v4"), raw=o.raw_insn, zeroes=o.zeroes)
        named = [m for m in elsewhere if m.address < section.addr] + marks  # jumps may lead out of the section
        part = _Part(self, file, section, printer, Names([(m.address, m.name) for m in named]))
        groups = [(address, list(here)) for address, here in groupby(marks, key=itemgetter(0))]
        size = section.size if section.type == e.SHT_NOBITS else len(part.data)  # a null section has none
        ends = [address for address, _ in groups[1:]] + [section.addr + size]
        for (address, here), end in zip(groups, ends, strict=True):
            shown = self._shown(here, part.is_text())
            start, stop = address - section.addr, min(end - section.addr, size)
            if shown and 0 <= start < stop:  # symbols may stand anywhere, also in front of their section
                part.symbol(shown, start, stop, data=all(m.type in _DATA for m in here))
        return printer.take()

    def _shown(self, here: list[_Mark], text: bool) -> list[_Mark]:
        """Which of the symbols at one address head the listing: the last (code first), or those asked for."""
        if not self.options.symbols:
            code = [m for m in here if m.type not in _DATA] if text else []
            return (code or here)[-1:]
        found = [m for m in here if m.name in self.options.symbols]
        self._missing.difference_update(m.name for m in found)
        return found

    # -- source lines and CO-RE relocations

    def _read_btf(self, file: e.ElfFile) -> None:
        """Line rows and CO-RE relocations by section.

        Beside DWARF a line row holds until the next one, as DWARF's do; alone it does not.
        """
        types, ext = file.section(".BTF"), file.section(".BTF.ext")
        if types is None or ext is None:
            return
        from osmia.btf import Btf
        from osmia.btf.ext import BtfExt

        btf = Btf.parse(file.contents(types))
        tables = BtfExt.parse(file.contents(ext), btf)
        for name, rows in tables.line_info.items():
            made = [(r.insn_off, _Source(btf.str_at(r.file_off), r.line, btf.str_at(r.line_off))) for r in rows]
            if self.options.source or self.options.line_numbers:
                self.rows[name] = sorted(made, key=itemgetter(0))
        self.exact = file.section(".debug_line") is None
        if self.options.reloc and tables.core_relos:
            from osmia.obj.core_text import describe

            for name, relos in tables.core_relos.items():
                self.core[name] = [(r.insn_off, f"CO-RE {describe(btf, r)}") for r in relos]

    def source_lines(self, at: _Source) -> str:
        """What stands above an instruction of that line: nothing when the one before has the same."""
        old, self._last = self._last, at
        if not at.line or (at.line == old.line and at.file == old.file):
            return ""
        where = f"; {at.file}:{at.line}\n" if self.options.line_numbers else ""
        text = at.text or _from_disk(at)
        return where + (f"; {text}\n" if self.options.source and text else "")


class _Part:
    """One section on its way through the printer."""

    def __init__(self, listing: Listing, file: e.ElfFile, section: e.Section, printer: Printer, names: Names) -> None:
        self.listing, self.file, self.section, self.printer, self.names = listing, file, section, printer, names
        self.data = file.contents(section)
        self.notes = self._notes() if listing.options.reloc else []  # relocations: offset and line
        self.rows = listing.rows.get(section.name, [])
        self.next_note = 0
        self.next_row = 0
        self.headed = False

    def symbol(self, shown: list[_Mark], start: int, stop: int, *, data: bool) -> None:
        """The heading and the contents of one symbol."""
        write, base = self.printer.write, self.section.addr
        if not self.headed:
            write(f"\nDisassembly of section {self.section.name}:\n")
            self.headed = True
        write("\n" + "".join(f"{base + start:016x} <{mark.name}>:\n" for mark in shown))
        if self.section.type == e.SHT_NOBITS:
            write("...\n")
        elif data and self.is_text():
            write("".join(_data_rows(self.data[start:stop], base + start)))
        else:
            self._code(start, stop)

    def is_text(self) -> bool:
        """Is data set apart from instructions here?"""
        return bool(self.section.flags & e.SHF_EXECINSTR) and not self.listing.options.all_sections

    def _code(self, start: int, stop: int) -> None:
        code, base, names = self.printer.code, self.section.addr, self.names
        if not self.notes and not self.rows:
            code(self.data, start, stop, stop, base, names)
            return
        at = start
        while at < stop:
            self._source(at)
            note = self._next_note(at, stop)
            limit = min(self._row_after(at, stop), note + 1)
            at = code(self.data, at, min(limit, stop), min(stop, max(note, at)), base, names)
            self._print_notes(at)

    def _notes(self) -> list[tuple[int, str]]:
        """The lines of all relocations; at the same place CO-RE comes first."""
        base = self.section.addr
        rows = [
            (r.offset, f"{e.RELOC_NAMES.get(r.type, 'Unknown')}\t{_target(self.file, r)}")
            for r in self.file.relocations(self.section)
        ]
        rows = sorted(self.listing.core.get(self.section.name, []) + rows, key=itemgetter(0))
        return [(offset, f"\t\t{base + offset:016x}:  {text}\n") for offset, text in rows]

    def _next_note(self, at: int, stop: int) -> int:
        """The offset of the next relocation, or the end."""
        while self.next_note < len(self.notes) and self.notes[self.next_note][0] < at:
            self.next_note += 1
        return self.notes[self.next_note][0] if self.next_note < len(self.notes) else stop

    def _print_notes(self, at: int) -> None:
        while self.next_note < len(self.notes) and self.notes[self.next_note][0] < at:
            self.printer.write(self.notes[self.next_note][1])
            self.next_note += 1

    def _row_after(self, at: int, stop: int) -> int:
        """Where the source line may change next."""
        if not self.rows:
            return stop
        if self.listing.exact and self.next_row and self.rows[self.next_row - 1][0] == at:
            return at + 1  # the row is of this instruction alone; the next has another or none
        return self.rows[self.next_row][0] if self.next_row < len(self.rows) else stop

    def _source(self, at: int) -> None:
        """The line of the instruction at ``at``, where it has one."""
        if not self.rows:
            return
        while self.next_row < len(self.rows) and self.rows[self.next_row][0] <= at:
            self.next_row += 1
        found = self.rows[self.next_row - 1] if self.next_row else (-1, _NOWHERE)
        source = found[1] if found[0] == at or not self.listing.exact else _NOWHERE
        self.printer.write(self.listing.source_lines(source))


def _symbols(file: e.ElfFile) -> dict[int, list[_Mark]]:
    """The named symbols by section, sorted as the listing wants them."""
    found: dict[int, list[_Mark]] = {}
    for s in file.symbols:
        if s.name and s.type not in (e.STT_SECTION, e.STT_FILE):
            home, base = (s.section, file.sections[s.section].addr) if _is_here(file, s) else (_ELSEWHERE, 0)
            found.setdefault(home, []).append(_Mark(s.value + base & _M64, s.type, s.name))
    for marks in found.values():
        marks.sort(key=lambda m: (m.address, m.name))
    return found


def _is_here(file: e.ElfFile, symbol: e.Symbol) -> bool:
    """Lives in a section of this file (and not in a reserved number)."""
    return 0 < symbol.section < len(file.sections)


def _target(file: e.ElfFile, reloc: e.Reloc) -> str:
    symbol = file.symbols[reloc.symbol]
    if not reloc.symbol:
        name = "*ABS*"
    else:
        name = symbol.name
        if symbol.type == e.STT_SECTION:
            name = file.sections[symbol.section].name if _is_here(file, symbol) else ""
    if not reloc.addend:
        return name
    return f"{name}{'-' if reloc.addend < 0 else '+'}{abs(reloc.addend):#x}"


def _data_rows(data: bytes, address: int) -> Iterator[str]:
    """Data inside a text section: eight bytes a line, in hexadecimal and as characters."""
    for i in range(0, len(data), _ROW):
        row = data[i : i + _ROW]
        text = "".join(chr(b) if 32 <= b < 127 else "." for b in row)
        yield f"{address + i:8x}: {row.hex(' '):23}         {text}\n"


def _from_disk(at: _Source) -> str:
    """The line's text from the source file, for line info that lacks it; empty where there is none."""
    try:
        return Path(at.file).read_text(errors="replace").split("\n")[at.line - 1]
    except (OSError, IndexError, ValueError):
        return ""
