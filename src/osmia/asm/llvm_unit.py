"""What assembly text becomes before it is an object: sections, symbols, and fields that wait for addresses.

``resolve`` fills in what the text itself determines and leaves relocations for the rest, as LLVM's BPF backend
does: a call of a local symbol of the same section becomes a distance, every other one a relocation.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from osmia.asm.llvm_lex import Value
from osmia.errors import AsmError, Place
from osmia.isa.insn import ByteOrder

PROGBITS, NOBITS = 1, 8
WRITE, ALLOC, EXEC, MERGE, STRINGS = 1, 2, 4, 0x10, 0x20
LOCAL, GLOBAL, WEAK = 0, 1, 2
NOTYPE, OBJECT, FUNC, SECTION, FILE = 0, 1, 2, 3, 4
R_64_64, R_ABS64, R_ABS32, R_NODYLD32, R_64_32 = 1, 2, 3, 4, 10
_FORMATS = {1: "B", 2: "H", 4: "I", 8: "Q"}
Kind = Literal["call", "jump", "far", "imm64", "data"]


class Fixup(NamedTuple):
    """``size`` bytes at ``offset`` that wait for ``value``."""

    offset: int
    kind: str
    size: int
    value: Value
    place: Place


class Relocation(NamedTuple):
    """What is left for the loader: the symbol's name, or a section's name in brackets."""

    offset: int
    type: int
    symbol: str


@dataclass(slots=True)
class Symbol:
    """A name; ``section`` is None as long as it is not defined here, "*COM*" for common storage."""

    name: str
    section: str | None = None
    offset: int = 0
    bind: int = LOCAL
    bound: bool = False  # a directive said how
    type: int = NOTYPE
    size: int = 0
    size_of: tuple[Value, Place] | None = None
    visibility: int = 0
    used: bool = False
    like: Symbol | None = None  # a second name takes type and size from the first

    @property
    def temporary(self) -> bool:
        """A label of the compiler's own (.Ltmp0): never in the symbol table."""
        return self.name.startswith(".L")


@dataclass(slots=True)
class Section:
    """A section under construction."""

    name: str
    type: int = PROGBITS
    flags: int = 0
    entsize: int = 0
    align: int = 1
    data: bytearray = field(default_factory=bytearray)
    fixups: list[Fixup] = field(default_factory=list)
    relocs: list[Relocation] = field(default_factory=list)
    size: int = 0  # of a NOBITS section

    @property
    def is_code(self) -> bool:
        """Holds instructions."""
        return bool(self.flags & EXEC)


@dataclass(slots=True)
class Unit:
    """Everything a text defines.  ``order`` is the byte order that it is written in."""

    order: ByteOrder = "little"
    sections: dict[str, Section] = field(default_factory=dict)
    symbols: dict[str, Symbol] = field(default_factory=dict)
    file_name: str = ""

    def symbol(self, name: str) -> Symbol:
        """The symbol of that name, made when it is new."""
        found = self.symbols.get(name)
        if found is None:
            found = self.symbols[name] = Symbol(name)
        return found

    def define(self, name: str, section: str, offset: int, place: Place) -> Symbol:
        """A label.  Raises AsmError when the name is already defined."""
        symbol = self.symbol(name)
        if symbol.section is not None:
            raise AsmError(f"symbol {name!r} is already defined", place)
        symbol.section, symbol.offset = section, offset
        return symbol

    def resolve(self, *, close: bool = False) -> None:
        """Fill in every field, or leave a relocation.  Raises AsmError for what can be neither.

        ``close`` makes calls of global symbols of the same section distances, too, as in a bare program.
        """
        for symbol in self.symbols.values():
            if symbol.size_of is not None:
                symbol.size = self.number(*symbol.size_of)
        for symbol in self.symbols.values():
            if symbol.like is not None:
                symbol.type, symbol.size = symbol.type or symbol.like.type, symbol.size or symbol.like.size
        for section in self.sections.values():
            for fixup in section.fixups:
                _Filling(self, section, fixup, close).fill()

    def number(self, value: Value, place: Place) -> int:
        """A value that must be a number by now: two symbols of one section cancel out."""
        if value.is_const:
            return value.const
        plus, minus = self._place_of(value.plus, place), self._place_of(value.minus, place)
        if plus[0] != minus[0]:
            raise AsmError(f"{value.plus or 0} - {value.minus or 0} is no number: not in one section", place)
        return plus[1] - minus[1] + value.const

    def _place_of(self, name: str | None, place: Place) -> tuple[str | None, int]:
        if name is None:
            return None, 0
        symbol = self.symbols.get(name)
        if symbol is None or symbol.section is None:
            raise AsmError(f"symbol {name!r} is not defined", place)
        return symbol.section, symbol.offset


@dataclass(slots=True)
class _Filling:
    """One field being filled in."""

    unit: Unit
    section: Section
    fixup: Fixup
    close: bool

    def fill(self) -> None:
        value = self.fixup.value
        if value.is_const or value.minus is not None:
            self._store(self.unit.number(value, self.fixup.place))
        elif self.fixup.kind in ("jump", "far"):
            self._jump(self._target())
        elif self.fixup.kind == "call":
            self._call(self._target())
        else:
            self._address(self._target())

    def _target(self) -> Symbol:
        name = self.fixup.value.plus or ""
        if name in self.unit.sections and name not in self.unit.symbols:
            return Symbol(name, name)  # a section's own name is its start
        return self.unit.symbol(name)

    def _bad(self, reason: str) -> AsmError:
        return AsmError(reason, self.fixup.place)

    def _distance(self, symbol: Symbol, bits: int) -> int:
        byte = symbol.offset - self.fixup.offset - 8
        if byte % 8:
            raise self._bad(f"label {symbol.name!r} does not stand between instructions")
        if not -(1 << bits - 1) <= byte // 8 < 1 << bits - 1:
            raise self._bad(f"label {symbol.name!r} is {byte // 8} slots away: too far for {bits} bits")
        return byte // 8

    def _jump(self, symbol: Symbol) -> None:
        if symbol.section is None:
            raise self._bad(f"label {symbol.name!r} is not defined")
        if symbol.section != self.section.name:
            raise self._bad(f"label {symbol.name!r} is in section {symbol.section}, not in {self.section.name}")
        if self.fixup.kind == "jump":
            self._put("h", 2, self._distance(symbol, 16))
        else:
            self._put("i", 4, self._distance(symbol, 32))

    def _call(self, symbol: Symbol) -> None:
        self.section.data[self.fixup.offset + 1] = 0x10 if self.unit.order == "little" else 0x01
        here = symbol.section == self.section.name
        if here and (symbol.bind == LOCAL or self.close):
            self._put("i", 4, self._distance(symbol, 32))
        elif symbol.section is None or symbol.bind != LOCAL:
            self._put("i", 4, -1)
            self._relocate(R_64_32, symbol.name)
        else:
            self._put("i", 4, symbol.offset // 8 - 1)
            self._relocate(R_64_32, f"[{symbol.section}]")

    def _address(self, symbol: Symbol) -> None:
        """The address of a symbol: in place stands the offset from what the relocation names."""
        local = symbol.bind == LOCAL and symbol.section is not None
        name = f"[{symbol.section}]" if local else symbol.name
        self._store(self.fixup.value.const + (symbol.offset if local else 0))
        self._relocate(self._type(symbol), name)

    def _type(self, symbol: Symbol) -> int:
        if self.fixup.kind == "imm64":
            return R_64_64
        if self.fixup.size == 8:
            return R_ABS64
        if self.fixup.size != 4:
            raise self._bad(f"the address of {symbol.name!r} does not fit into {self.fixup.size} bytes")
        home = self.unit.sections.get(symbol.section or "")
        flags = home.flags if home is not None else 0
        loaded = ALLOC | EXEC if symbol.temporary else ALLOC | WRITE
        return R_NODYLD32 if flags & loaded == loaded else R_ABS32

    def _relocate(self, kind: int, name: str) -> None:
        if name[0] != "[":
            self.unit.symbol(name).used = True
        self.section.relocs.append(Relocation(self.fixup.offset, kind, name))

    def _put(self, code: str, at: int, value: int) -> None:
        mark = "<" if self.unit.order == "little" else ">"
        struct.pack_into(mark + code, self.section.data, self.fixup.offset + at, value)

    def _store(self, value: int) -> None:
        """A number into data, or into both halves of a 64-bit immediate."""
        if self.fixup.kind == "imm64":
            self._put("I", 4, value & 0xFFFFFFFF)
            self._put("I", 12, value >> 32 & 0xFFFFFFFF)
            return
        size = self.fixup.size
        if not -(1 << 8 * size - 1) <= value < 1 << 8 * size:
            raise self._bad(f"{value:#x} does not fit into {size} bytes")
        self._put(_FORMATS[size], 0, value & (1 << 8 * size) - 1)
