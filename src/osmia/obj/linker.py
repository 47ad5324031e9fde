"""Static linking: several object files become one, as ``bpftool gen object`` does it.

Sections of one name are joined, names resolved (strong, weak, hidden, extern, static), relocations rewritten, BTF
merged.  The result loads like any compiler's object.  The rules are those of libbpf's linker.c.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from osmia.errors import BtfError, LinkError
from osmia.obj import elf as e
from osmia.obj.linker_btf import TypeLinker, as_section
from osmia.obj.linker_layout import Piece, Source, lay_out, read
from osmia.obj.linker_symbols import Symbols
from osmia.obj.linker_write import write

_CALL = 0x85
_WIDTHS = {e.R_BPF_64_ABS64: "Q", e.R_BPF_64_ABS32: "I", e.R_BPF_64_NODYLD32: "I"}


def link(inputs: Sequence[tuple[str, bytes]]) -> bytes:
    """The linked object of (name, bytes) pairs; names are for messages.

    Raises LinkError (definitions that collide or disagree, licenses that differ), ElfError or BtfError, each
    with the file.
    """
    if not inputs:
        raise LinkError("nothing to link")
    sources = [read(name, data) for name, data in inputs]
    order = sources[0].elf.byteorder
    for source in sources:
        if source.elf.byteorder != order:
            raise source.fail(f"the file is {source.elf.byteorder}-endian, {sources[0].name} is {order}-endian")
    outs = lay_out(sources)
    symbols = Symbols(sources)
    for source in sources:
        _relocate(source, symbols)
    try:
        btf, ext = TypeLinker(sources, outs, symbols).write()
    except BtfError as error:
        raise error.at(file=", ".join(source.name for source in sources)) from None
    extra = [as_section(name, data) for name, data in ((".BTF", btf), (".BTF.ext", ext)) if data]
    return write([*outs.values(), *extra], symbols.all, order)


def link_files(paths: Sequence[str | Path]) -> bytes:
    """The linked object of files.  Raises what ``link`` raises, and OSError."""
    return link([(str(path), Path(path).read_bytes()) for path in paths])


def _relocate(source: Source, symbols: Symbols) -> None:
    """Carry a file's relocations over to the joined sections."""
    for number, piece in source.pieces.items():
        section = source.elf.sections[number]
        for reloc in source.elf.relocations(section):
            place = piece.offset + reloc.offset
            if reloc.addend is not None:
                raise source.fail("relocations with addends (RELA) can't be linked", section.name, reloc.offset)
            out = symbols.of(source, reloc.symbol)
            if out is None:
                name = source.elf.symbols[reloc.symbol].name
                raise source.fail(f"a relocation names {name!r}, which is left out", section.name, reloc.offset)
            _shift(source, section, reloc, piece)
            piece.out.relocs.append((place, reloc.type, out))


def _shift(source: Source, section: e.Section, reloc: e.Reloc, piece: Piece) -> None:
    """A place given as section plus distance: the distance grows by where the section landed."""
    symbol = source.elf.symbols[reloc.symbol]
    target = source.pieces.get(symbol.section)
    if symbol.type != e.STT_SECTION or target is None or not target.offset:
        return
    mark = "<" if source.elf.byteorder == "little" else ">"
    at = piece.offset + reloc.offset
    try:
        if section.is_code:
            by = target.offset // 8 if piece.out.data[at] == _CALL else target.offset
            _add(piece.out.data, at + 4, mark + "i", by)
        else:
            _add(piece.out.data, at, mark + _WIDTHS[reloc.type], target.offset)
    except (KeyError, IndexError, struct.error):
        raise source.fail(f"relocation {reloc.type_name} can't be moved", section.name, reloc.offset) from None


def _add(data: bytearray, at: int, layout: str, value: int) -> None:
    struct.pack_into(layout, data, at, struct.unpack_from(layout, data, at)[0] + value)
