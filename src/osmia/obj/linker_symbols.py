"""Which definition does a name mean?  Strong before weak, definitions before externs, types compared.

The rules are those of libbpf's linker.c (linker_append_elf_sym).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from osmia.btf import types as t
from osmia.btf.model import Btf
from osmia.obj import elf as e
from osmia.obj.linker_layout import Source
from osmia.obj.linker_types import Comparison
from osmia.obj.linker_write import OutSection, OutSymbol


@dataclass(eq=False, slots=True)
class Global:
    """A name that all files share: its symbol, the file that defines it (or first wants it), its BTF id there."""

    out: OutSymbol
    source: Source
    btf_id: int | None
    extern: bool
    weak: bool
    first: Source  # where the name appeared first: its type keeps that place


class Symbols:
    """The symbols of the linked file, and the one that each file's symbol became."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.globals: dict[str, Global] = {}
        self.all: list[OutSymbol] = []
        self._became: dict[tuple[int, int], OutSymbol] = {}
        self._sections: dict[int, OutSymbol] = {}
        for source in sources:
            with source.blamed():
                names = _btf_names(source.btf)
                for symbol in source.elf.symbols[1:]:
                    self._take(source, symbol, names)

    def of(self, source: Source, number: int) -> OutSymbol | None:
        """What a file's symbol became; None for what was left out."""
        return self._became.get((id(source), number))

    def _take(self, source: Source, symbol: e.Symbol, names: dict[str, int]) -> None:
        piece = source.pieces.get(symbol.section)
        if symbol.type == e.STT_FILE or (piece is None and symbol.section != e.SHN_UNDEF):
            if symbol.section in (e.SHN_COMMON, e.SHN_ABS) and symbol.type != e.STT_FILE:
                raise source.fail(f"symbol {symbol.name!r} is common or absolute; it needs a section")
            return
        if symbol.type == e.STT_SECTION:
            out = self._section_symbol(piece.out if piece else None)
        elif symbol.is_local:
            out = self._new(source, symbol)
        else:
            out = self._global(source, symbol, names)
        self._became[id(source), symbol.number] = out

    def _new(self, source: Source, symbol: e.Symbol) -> OutSymbol:
        out = OutSymbol(symbol.name, symbol.type, symbol.bind, symbol.visibility)
        _define(out, source, symbol)
        self.all.append(out)
        return out

    def _section_symbol(self, section: OutSection | None) -> OutSymbol:
        key = id(section)
        if key not in self._sections:
            self._sections[key] = OutSymbol("", e.STT_SECTION, section=section)
            self.all.append(self._sections[key])
        return self._sections[key]

    def _global(self, source: Source, symbol: e.Symbol, names: dict[str, int]) -> OutSymbol:
        extern, btf_id = symbol.section == e.SHN_UNDEF, names.get(symbol.name)
        if extern and btf_id is None:
            raise source.fail(f"extern {symbol.name!r} has no BTF to compare with its definition (compile with -g)")
        found = self.globals.get(symbol.name)
        if found is not None:
            self._join(found, source, symbol, btf_id)
            return found.out
        out = self._new(source, symbol)
        self.globals[symbol.name] = Global(out, source, btf_id, extern, symbol.weak, source)
        return out

    def _join(self, found: Global, source: Source, symbol: e.Symbol, btf_id: int | None) -> None:
        """The name appears again: check that it may, and let the stronger definition win."""
        extern = symbol.section == e.SHN_UNDEF
        if not (extern or found.extern or symbol.weak or found.weak):
            raise source.fail(f"{symbol.name!r} is defined again; {found.source.name} has it already")
        _check_types(found, source, symbol, btf_id)
        if not symbol.weak:
            found.out.bind = e.STB_GLOBAL
        found.out.visibility = max(found.out.visibility, symbol.visibility)
        stronger = found.extern or (found.weak and not symbol.weak)
        if not extern and stronger:
            _define(found.out, source, symbol)
            found.source, found.btf_id, found.extern = source, btf_id, False
        found.weak = found.weak and symbol.weak


def _define(out: OutSymbol, source: Source, symbol: e.Symbol) -> None:
    piece = source.pieces.get(symbol.section)
    if piece is not None:
        section = source.elf.sections[symbol.section]
        if symbol.value > section.size:
            raise source.fail(f"symbol {symbol.name!r} lies behind its section", section.name, symbol.value)
        out.section, out.value = piece.out, piece.offset + symbol.value
    out.type, out.size = symbol.type, symbol.size


def _check_types(found: Global, source: Source, symbol: e.Symbol, btf_id: int | None) -> None:
    """Raises LinkError when two files disagree about what the name stands for."""
    other = found.source
    if btf_id is None or found.btf_id is None or source.btf is None or other.btf is None:
        return
    comparison = Comparison(other.btf, source.btf)
    in_maps = _datasec_of(other.btf, found.btf_id) == ".maps"
    if in_maps != (_datasec_of(source.btf, btf_id) == ".maps"):
        raise source.fail(f"{symbol.name!r} is a map here or in {other.name}, but not in both")
    if not comparison.same_symbol(found.btf_id, btf_id, in_maps):
        raise source.fail(f"{symbol.name!r} is not what it is in {other.name}: {comparison.reason}")


def _datasec_of(btf: Btf, type_id: int) -> str | None:
    """The name of the section that holds a variable, as BTF has it."""
    for i in btf.ids(t.Datasec):
        section = btf.type(i)
        assert isinstance(section, t.Datasec)
        if any(v.type_id == type_id for v in section.vars):
            return section.name
    return None


def _btf_names(btf: Btf | None) -> dict[str, int]:
    """The ids of global and extern variables and functions by name."""
    names: dict[str, int] = {}
    for i in btf.ids(t.Var, t.Func) if btf else ():
        found = btf.type(i) if btf else t.VOID
        if isinstance(found, t.Var | t.Func) and found.linkage != t.STATIC:
            names.setdefault(found.name, i)
    return names
