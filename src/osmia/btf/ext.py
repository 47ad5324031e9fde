"""``.BTF.ext``: which instruction starts which function, stands on which line, and wants which CO-RE relocation.

Layout: Documentation/bpf/btf.rst, ".BTF.ext section".  Offsets in the records are bytes from the start of the
ELF section they speak of; their strings live in the .BTF of the same object.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Self, TypeVar

from osmia.btf.model import Btf
from osmia.btf.wire import MAGIC
from osmia.errors import BtfError

MIN_HEADER = 24
HEADER = 32


class FuncRow(NamedTuple):
    """The function of type ``type_id`` (a Func) starts at byte ``insn_off``."""

    insn_off: int
    type_id: int


class LineRow(NamedTuple):
    """From byte ``insn_off`` on, this source line: string offsets of file and text, line << 10 | column."""

    insn_off: int
    file_off: int
    line_off: int
    line_col: int

    @property
    def line(self) -> int:
        """Source line, from 1."""
        return self.line_col >> 10

    @property
    def column(self) -> int:
        """Source column, from 1."""
        return self.line_col & 0x3FF


class CoreRelo(NamedTuple):
    """The instruction at ``insn_off`` wants fact number ``kind`` of what ``access`` (string offset) names in a type."""

    insn_off: int
    type_id: int
    access_off: int
    kind: int


Row = TypeVar("Row", FuncRow, LineRow, CoreRelo)


@dataclass(slots=True)
class BtfExt:
    """The three tables, each a list of rows by ELF section name, in the file's order."""

    func_info: dict[str, list[FuncRow]] = field(default_factory=dict)
    line_info: dict[str, list[LineRow]] = field(default_factory=dict)
    core_relos: dict[str, list[CoreRelo]] = field(default_factory=dict)

    @classmethod
    def parse(cls, data: bytes, btf: Btf) -> Self:
        """Read .BTF.ext beside its ``btf``.  Raises BtfError with the offset."""
        mark = _order(data)
        hdr_len, *spans = struct.unpack_from(mark + "5I", data, 4)
        if hdr_len < MIN_HEADER or hdr_len > len(data):
            raise BtfError(f"header length {hdr_len} is impossible", section=".BTF.ext", offset=4)
        spans += struct.unpack_from(mark + "2I", data, 24) if hdr_len >= HEADER else (0, 0)
        funcs, lines, relos = (_Table(data, btf, mark, hdr_len + spans[i], spans[i + 1]) for i in (0, 2, 4))
        return cls(funcs.read(FuncRow), lines.read(LineRow), relos.read(CoreRelo))

    def encode(self, btf: Btf, order: str | None = None) -> bytes:
        """The section's bytes; names of sections are added to ``btf``'s strings."""
        mark = "<" if (order or btf.byteorder) == "little" else ">"
        parts = [_write(self.func_info, btf, mark), _write(self.line_info, btf, mark)]
        parts.append(_write(self.core_relos, btf, mark))
        spans, at = list[int](), 0
        for part in parts:
            spans += [at, len(part)]
            at += len(part)
        return struct.pack(mark + "HBB7I", MAGIC, 1, 0, HEADER, *spans) + b"".join(parts)


def _order(data: bytes) -> str:
    if len(data) < MIN_HEADER:
        raise BtfError(f"{len(data)} bytes are too few for a header", section=".BTF.ext", offset=0)
    mark = {b"\x9f\xeb": "<", b"\xeb\x9f": ">"}.get(bytes(data[:2]))
    if mark is None:
        raise BtfError("the magic number is missing", section=".BTF.ext", offset=0)
    if data[2] != 1:
        raise BtfError(f"version {data[2]} is not known", section=".BTF.ext", offset=2)
    return mark


@dataclass(frozen=True, slots=True)
class _Table:
    """One of the three parts: bytes ``start`` up to ``start + size``."""

    data: bytes
    btf: Btf
    mark: str
    start: int
    size: int

    def bad(self, reason: str, offset: int) -> BtfError:
        return BtfError(reason, section=".BTF.ext", offset=offset)

    def read(self, row: type[Row]) -> dict[str, list[Row]]:
        """The rows by section."""
        found: dict[str, list[Row]] = {}
        if not self.size:
            return found
        if self.start % 4 or self.start + self.size > len(self.data):
            raise self.bad("a table is misaligned or ends beyond the section", self.start)
        for name, rows in self._groups(row):
            found.setdefault(name, []).extend(rows)
        return found

    def _groups(self, row: type[Row]) -> Iterator[tuple[str, list[Row]]]:
        need, at, end = 4 * len(row._fields), self.start + 4, self.start + self.size
        step = self._record_size(need)
        while at < end:
            if end - at < 8:
                raise self.bad("a group's head is cut off", at)
            name_off, count = struct.unpack_from(self.mark + "2I", self.data, at)
            if not count or count * step > end - at - 8:
                raise self.bad(f"a group of {count} records does not fit", at)
            yield self._name(name_off, at), self._rows(row, at + 8, step, count)
            at += 8 + count * step

    def _record_size(self, need: int) -> int:
        if self.size < 4:
            raise self.bad("a table has no record size", self.start)
        step: int = struct.unpack_from(self.mark + "I", self.data, self.start)[0]
        if step < need or step % 4:
            raise self.bad(f"record size {step} is impossible, at least {need} are needed", self.start)
        return step

    def _rows(self, row: type[Row], at: int, step: int, count: int) -> list[Row]:
        packed = struct.Struct(f"{self.mark}{len(row._fields)}I{step - 4 * len(row._fields)}x")
        return [row(*values) for values in packed.iter_unpack(memoryview(self.data)[at : at + step * count])]

    def _name(self, offset: int, at: int) -> str:
        try:
            return self.btf.str_at(offset)
        except BtfError as error:
            raise error.at(section=".BTF.ext", offset=at) from None


def _write(table: dict[str, list[Row]], btf: Btf, mark: str) -> bytes:
    groups = {name: rows for name, rows in table.items() if rows}
    if not groups:
        return b""
    width = len(next(iter(groups.values()))[0])
    out = bytearray(struct.pack(mark + "I", 4 * width))
    for name, rows in groups.items():
        out += struct.pack(mark + "2I", btf.add_str(name), len(rows))
        try:
            out += struct.pack(f"{mark}{width * len(rows)}I", *(value for r in rows for value in r))
        except struct.error:
            raise BtfError(f"a record of {name} does not fit in 32 bits", section=".BTF.ext") from None
    return bytes(out)
