"""The files to link and where each of their sections lands: sections of one name stand one behind the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from osmia.btf.ext import BtfExt
from osmia.btf.model import Btf
from osmia.errors import InputError, LinkError
from osmia.obj import elf as e
from osmia.obj.linker_write import OutSection

_IGNORED_TYPES = (e.SHT_NULL, e.SHT_SYMTAB, e.SHT_STRTAB, e.SHT_REL, e.SHT_LLVM_ADDRSIG, e.SHT_SYMTAB_SHNDX)
_IGNORED_NAMES = (".BTF", ".BTF.ext", ".llvm_addrsig", ".eh_frame", ".comment", ".note.GNU-stack")
MAX_ALIGN, MAX_SIZE = 1 << 16, 1 << 31
ONCE = ("license", "version")
"""Sections that every file has for itself and that must say the same."""


class Piece(NamedTuple):
    """Where a section of a file lands."""

    out: OutSection
    offset: int


@dataclass(eq=False, slots=True)
class Source:
    """One file to link; ``pieces`` by section number, for the sections that are taken."""

    name: str
    elf: e.ElfFile
    btf: Btf | None = None
    ext: BtfExt = field(default_factory=BtfExt)
    pieces: dict[int, Piece] = field(default_factory=dict)

    def fail(self, reason: str, section: str | None = None, offset: int | None = None) -> LinkError:
        """A LinkError at a place of this file."""
        return LinkError(reason, file=self.name, section=section, offset=offset)

    @contextmanager
    def blamed(self, section: str | None = None) -> Iterator[None]:
        """Errors inside get this file's name, and the section's where they have none."""
        try:
            yield
        except InputError as error:
            raise error.at(file=self.name, section=section) from None


def read(name: str, data: bytes) -> Source:
    """Open one file.  Raises ElfError or BtfError."""
    source = Source(name, e.ElfFile(data, name))
    found = {key: source.elf.section(key) for key in (".BTF", ".BTF.ext")}
    with source.blamed(".BTF"):
        if (section := found[".BTF"]) is not None:
            source.btf = Btf.parse(source.elf.contents(section))
            if (section := found[".BTF.ext"]) is not None:
                source.ext = BtfExt.parse(source.elf.contents(section), source.btf)
    return source


def _is_ignored(section: e.Section) -> bool:
    if section.type in _IGNORED_TYPES or section.name in _IGNORED_NAMES or section.name.startswith(".debug_"):
        return True
    return section.name == ".text" and not section.size


def lay_out(sources: Sequence[Source]) -> dict[str, OutSection]:
    """Place every section; the result is by name, in the order of first appearance."""
    outs: dict[str, OutSection] = {}
    for source in sources:
        for section in source.elf.sections:
            if not _is_ignored(section):
                _place(source, section, outs)
    return outs


def _place(source: Source, section: e.Section, outs: dict[str, OutSection]) -> None:
    if section.type not in (e.SHT_PROGBITS, e.SHT_NOBITS):
        kind = e.SECTION_TYPES.get(section.type, str(section.type))
        raise source.fail(f"sections of type {kind} can't be linked", section.name)
    if section.align & (section.align - 1) or section.align > MAX_ALIGN:
        raise source.fail(f"alignment {section.align} is impossible", section.name)
    if section.size > MAX_SIZE:
        raise source.fail(f"{section.size} bytes are too many for a section", section.name)
    data = source.elf.contents(section)
    out = outs.get(section.name)
    if out is None:
        out = outs[section.name] = OutSection(section.name, section.type, section.flags, 1, section.entsize)
    elif (out.type, out.flags, out.entsize) != (section.type, section.flags, section.entsize):
        raise source.fail("the section's type or flags differ from those in the files before", section.name)
    elif section.name in ONCE:
        _check_equal(source, out, data)
        return
    _append(source, section, out, data)


def _check_equal(source: Source, out: OutSection, data: bytes) -> None:
    if bytes(out.data) != data:
        mine, theirs = (raw.split(b"\0")[0].decode("utf-8", "backslashreplace") for raw in (bytes(out.data), data))
        shown = f": {theirs!r}, before {mine!r}" if out.name == "license" else ""
        raise source.fail(f"the {out.name} is not that of the files before{shown}", out.name)


def _append(source: Source, section: e.Section, out: OutSection, data: bytes) -> None:
    if section.is_code and section.size % 8:
        raise source.fail(f"{section.size} bytes of code are no whole instructions", section.name)
    out.align = max(out.align, section.align, 8 if section.is_code else 1)
    offset = -(-out.size // out.align) * out.align
    if section.type != e.SHT_NOBITS:
        out.data += bytes(offset - len(out.data)) + data
    out.size = offset + section.size
    source.pieces[section.number] = Piece(out, offset)
