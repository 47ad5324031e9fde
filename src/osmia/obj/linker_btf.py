"""The linked file's .BTF and .BTF.ext: one table without repeated types, data sections with final offsets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from osmia.btf import types as t
from osmia.btf.ext import BtfExt, CoreRelo, FuncRow, LineRow
from osmia.btf.merge import deduplicate
from osmia.btf.model import Btf
from osmia.btf.refs import remap
from osmia.errors import BtfError
from osmia.obj import elf as e
from osmia.obj.linker_layout import Source
from osmia.obj.linker_symbols import Global, Symbols
from osmia.obj.linker_write import OutSection


class TypeLinker:
    """Joins the tables of all files; ``write`` gives the two sections."""

    def __init__(self, sources: Sequence[Source], outs: Mapping[str, OutSection], symbols: Symbols) -> None:
        self.sources = [s for s in sources if s.btf is not None]
        self.outs, self.symbols = outs, symbols
        self.joined = Btf(byteorder=sources[0].elf.byteorder)
        self.ids: dict[int, list[int]] = {}  # by id(source): the new id of each old one

    def write(self) -> tuple[bytes, bytes]:
        """The bytes of .BTF and of .BTF.ext; both empty when no file has types."""
        if not self.sources:
            return b"", b""
        self._number()
        for source in self.sources:
            with source.blamed(".BTF"):
                self._append(source)
        self._add_sections()
        final, ids = deduplicate(self.joined)
        ext = self._ext(final, ids).encode(final)
        return final.encode(), ext

    def _global(self, found: t.Type) -> Global | None:
        if isinstance(found, t.Var | t.Func) and found.linkage != t.STATIC:
            return self.symbols.globals.get(found.name)
        return None

    def _number(self) -> None:
        """Decide new ids: sections go (they are made anew), and a global name has one type for all files."""
        count, known = 0, dict[str, int]()
        for source in self.sources:
            ids = self.ids[id(source)] = [0]
            for _, found in _types(source):
                if isinstance(found, t.Datasec):
                    ids.append(0)
                elif self._global(found) is not None and found.name in known:
                    ids.append(known[found.name])
                else:
                    count += 1
                    known.setdefault(found.name, count) if self._global(found) is not None else None
                    ids.append(count)

    def _append(self, source: Source) -> None:
        ids, named = self.ids[id(source)], self._named_prototypes(source)
        for type_id, found in _types(source):
            if ids[type_id] == len(self.joined):
                self.joined.add(self._final(source, named.get(type_id, found), ids))

    def _named_prototypes(self, source: Source) -> dict[int, t.FuncProto]:
        """The prototypes of extern functions, with the definition's parameter names: so they become one type."""
        named = {}
        for _, found in _types(source):
            shared = self._global(found)
            if isinstance(found, t.Func) and shared is not None and shared.first is source is not shared.source:
                theirs, mine = _prototype(shared.source.btf, shared.btf_id), _prototype(source.btf, None, found)
                if theirs is not None and mine is not None and len(theirs.params) == len(mine.params):
                    pairs = zip(mine.params, theirs.params, strict=True)
                    named[found.type_id] = t.FuncProto(mine.type_id, tuple(p._replace(name=q.name) for p, q in pairs))
        return named

    def _final(self, source: Source, found: t.Type, ids: Sequence[int]) -> t.Type:
        """The type as it will stand: of a global name, what its definition says."""
        shared = self._global(found)
        if shared is not None and shared.btf_id is not None and shared.source.btf is not None:
            found, ids = shared.source.btf.type(shared.btf_id), self.ids[id(shared.source)]
            assert isinstance(found, t.Var | t.Func)
            found = replace(found, linkage=t.EXTERN if shared.extern else t.GLOBAL)
        return remap(found, lambda i: _new(source, ids, i))

    # -- data sections

    def _add_sections(self) -> None:
        names = dict.fromkeys(self.outs)
        for source in self.sources:
            names |= dict.fromkeys(found.name for _, found in _types(source) if isinstance(found, t.Datasec))
        for name in names:
            rows: dict[int, t.VarSec] = {}
            for source in self.sources:
                with source.blamed(".BTF"):
                    self._collect(source, name, rows)
            if rows:
                out = self.outs.get(name)
                self.joined.add(t.Datasec(name, out.size if out else 0, tuple(rows.values())))

    def _collect(self, source: Source, name: str, rows: dict[int, t.VarSec]) -> None:
        section = source.elf.section(name)
        piece = source.pieces.get(section.number) if section else None
        for _, found in _types(source):
            if isinstance(found, t.Datasec) and found.name == name:
                for row in found.vars:
                    self._add_row(source, row, piece.offset if piece else None, rows)

    def _add_row(self, source: Source, row: t.VarSec, offset: int | None, rows: dict[int, t.VarSec]) -> None:
        """One variable with its place in the linked section; externs and what lost against another file stay out."""
        assert source.btf is not None
        found, new_id = source.btf.type(row.type_id), _new(source, self.ids[id(source)], row.type_id)
        shared = self._global(found)
        if shared is None:
            if offset is not None:
                rows[new_id] = t.VarSec(new_id, offset + row.offset, row.size)
        elif shared.extern:
            rows.setdefault(new_id, t.VarSec(new_id, 0, row.size))
        elif shared.source is source and offset is not None:
            rows[new_id] = t.VarSec(new_id, shared.out.value, row.size)

    # -- .BTF.ext

    def _ext(self, final: Btf, new: Sequence[int]) -> BtfExt:
        made = BtfExt()
        for source in self.sources:
            for name in {**source.ext.func_info, **source.ext.line_info, **source.ext.core_relos}:
                section = source.elf.section(name)
                piece = source.pieces.get(section.number) if section else None
                if piece is None or section is None:
                    continue
                with source.blamed(".BTF.ext"):
                    _add_rows(made, source, name, piece.offset, final, [new[i] for i in self.ids[id(source)]])
        return made


def _add_rows(made: BtfExt, source: Source, name: str, offset: int, final: Btf, ids: Sequence[int]) -> None:
    """One section's rows, with new offsets, ids and strings."""
    assert source.btf is not None
    old, ext = source.btf, source.ext

    def text(at: int) -> int:
        return final.add_str(old.str_at(at))

    made.func_info.setdefault(name, []).extend(
        FuncRow(r.insn_off + offset, _new(source, ids, r.type_id)) for r in ext.func_info.get(name, ())
    )
    made.line_info.setdefault(name, []).extend(
        LineRow(r.insn_off + offset, text(r.file_off), text(r.line_off), r.line_col)
        for r in ext.line_info.get(name, ())
    )
    made.core_relos.setdefault(name, []).extend(
        CoreRelo(r.insn_off + offset, _new(source, ids, r.type_id), text(r.access_off), r.kind)
        for r in ext.core_relos.get(name, ())
    )


def _prototype(btf: Btf | None, type_id: int | None, found: t.Type = t.VOID) -> t.FuncProto | None:
    """The prototype of a function, given by id or as it is."""
    if btf is not None and type_id is not None:
        found = btf.type(type_id)
    proto = btf.type(found.type_id) if btf is not None and isinstance(found, t.Func) else None
    return proto if isinstance(proto, t.FuncProto) else None


def _types(source: Source) -> list[tuple[int, t.Type]]:
    """The types of a file, with the file's name on every complaint."""
    assert source.btf is not None
    with source.blamed(".BTF"):
        return list(source.btf)


def _new(source: Source, ids: Sequence[int], type_id: int) -> int:
    if type_id >= len(ids):
        raise BtfError(f"there is no type {type_id}", file=source.name, section=".BTF")
    return ids[type_id]


BTF_ALIGN = 8


def as_section(name: str, data: bytes) -> OutSection:
    """A section for the bytes of .BTF or .BTF.ext."""
    return OutSection(name, e.SHT_PROGBITS, 0, BTF_ALIGN, 0, len(data), bytearray(data))
