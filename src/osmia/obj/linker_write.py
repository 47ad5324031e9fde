"""Sections, symbols and relocations as an ELF64 relocatable file (System V gABI, chapters 4 and 5)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from osmia.errors import LinkError
from osmia.obj import elf as e

_EHDR, _SHDR, _SYM, _REL = "16sHHIQQQIHHHHHH", "IIQQQQIIQQ", "IBBHQQ", "QQ"
_HEADER = 64
_SHF_INFO_LINK = 0x40


@dataclass(eq=False, slots=True)
class OutSymbol:
    """A symbol to write; ``section`` None means undefined."""

    name: str
    type: int = e.STT_NOTYPE
    bind: int = e.STB_LOCAL
    visibility: int = e.STV_DEFAULT
    section: OutSection | None = None
    value: int = 0
    size: int = 0


@dataclass(eq=False, slots=True)
class OutSection:
    """A section to write: ``data`` (nothing for NOBITS), its relocations as (offset, type, symbol)."""

    name: str
    type: int
    flags: int
    align: int
    entsize: int = 0
    size: int = 0
    data: bytearray = field(default_factory=bytearray)
    relocs: list[tuple[int, int, OutSymbol]] = field(default_factory=list)
    merged_once: bool = False  # license and version: the same in every file


class _Strings:
    def __init__(self) -> None:
        self.data = bytearray(b"\0")
        self._at = {"": 0}

    def add(self, text: str) -> int:
        if text not in self._at:
            self._at[text] = len(self.data)
            self.data += text.encode("utf-8", "surrogateescape") + b"\0"
        return self._at[text]


class _Writer:
    def __init__(self, sections: Sequence[OutSection], symbols: Sequence[OutSymbol], order: str) -> None:
        self.mark, self.order = "<" if order == "little" else ">", order
        self.sections = sections
        self.symbols = sorted(symbols, key=lambda s: s.bind != e.STB_LOCAL)  # gABI: local symbols first
        self.strings = _Strings()
        self.numbers = {id(section): 3 + i for i, section in enumerate(sections)}
        self.places = {id(symbol): 1 + i for i, symbol in enumerate(self.symbols)}
        self.body = bytearray(_HEADER)
        self.headers = [self._pack(_SHDR, *[0] * 10)]

    def _pack(self, layout: str, *values: int | bytes) -> bytes:
        return struct.pack(self.mark + layout, *values)

    def write(self) -> bytes:
        """Sections 1 and 2 are the strings and symbols, then come the contents, then the relocations."""
        if len(self.sections) * 2 >= e.SHN_LORESERVE - 3:
            raise LinkError(f"{len(self.sections)} sections are too many for one file")
        symtab, first_global = self._symbol_rows()
        related = [s for s in self.sections if s.relocs]
        for name in (".strtab", ".symtab", *(s.name for s in self.sections), *(".rel" + s.name for s in related)):
            self.strings.add(name)
        self._add(".strtab", e.SHT_STRTAB, 0, bytes(self.strings.data))
        self._add(".symtab", e.SHT_SYMTAB, 0, symtab, link=1, info=first_global, align=8, entsize=24)
        for s in self.sections:
            self._add(s.name, s.type, s.flags, bytes(s.data), size=s.size, align=s.align, entsize=s.entsize)
        for s in related:
            self._add_relocations(s)
        return self._finish()

    def _symbol_rows(self) -> tuple[bytes, int]:
        rows = [self._pack(_SYM, *[0] * 6)]
        for s in self.symbols:
            home = self.numbers[id(s.section)] if s.section else e.SHN_UNDEF
            info = s.bind << 4 | s.type
            rows.append(self._pack(_SYM, self.strings.add(s.name), info, s.visibility, home, s.value, s.size))
        return b"".join(rows), 1 + sum(s.bind == e.STB_LOCAL for s in self.symbols)

    def _add_relocations(self, section: OutSection) -> None:
        rows = (self._pack(_REL, at, self.places[id(symbol)] << 32 | kind) for at, kind, symbol in section.relocs)
        info, data = self.numbers[id(section)], b"".join(rows)
        self._add(".rel" + section.name, e.SHT_REL, _SHF_INFO_LINK, data, link=2, info=info, align=8, entsize=16)

    def _add(
        self, name: str, kind: int, flags: int, data: bytes, *,
        size: int | None = None, link: int = 0, info: int = 0, align: int = 1, entsize: int = 0,
    ) -> None:  # fmt: skip
        self.body += bytes(-len(self.body) % max(align, 1))
        size = len(data) if size is None else size
        place = (self.strings.add(name), kind, flags, 0, len(self.body), size)
        self.headers.append(self._pack(_SHDR, *place, link, info, align, entsize))
        self.body += data

    def _finish(self) -> bytes:
        self.body += bytes(-len(self.body) % 8)
        ident = b"\x7fELF\x02" + (b"\x01" if self.order == "little" else b"\x02") + b"\x01" + bytes(9)
        shape = (len(self.body), 0, 64, 0, 0, 64, len(self.headers), 1)
        self.body[:_HEADER] = self._pack(_EHDR, ident, e.ET_REL, e.EM_BPF, 1, 0, 0, *shape)
        return bytes(self.body) + b"".join(self.headers)


def write(sections: Sequence[OutSection], symbols: Sequence[OutSymbol], order: str) -> bytes:
    """The object file's bytes.  Every relocation's symbol must be among ``symbols``."""
    return _Writer(sections, symbols, order).write()
