"""The directives of LLVM assembly that BPF code and compilers use.

Line tables (.loc, numbered .file), unwind tables (.cfi_*) and address-significance tables are skipped: nothing
that loads an eBPF object reads them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from osmia.asm.llvm_args import Args
from osmia.asm.llvm_lex import Value
from osmia.asm.llvm_unit import (
    ALLOC,
    EXEC,
    FUNC,
    GLOBAL,
    LOCAL,
    MERGE,
    NOBITS,
    NOTYPE,
    OBJECT,
    PROGBITS,
    STRINGS,
    WEAK,
    WRITE,
    Section,
)  # fmt: skip
from osmia.errors import AsmError

if TYPE_CHECKING:
    from osmia.asm.llvm_read import Reader

SKIPPED = frozenset(".loc .ident .addrsig .addrsig_sym .extern .version .lto_discard .no_dead_strip".split())
"""Directives without effect here."""

_SIZES = {
    ".byte": 1, ".short": 2, ".2byte": 2, ".half": 2, ".hword": 2, ".value": 2, ".word": 4, ".long": 4, ".4byte": 4,
    ".int": 4, ".quad": 8, ".8byte": 8,
}  # fmt: skip
_FORMATS = {1: "B", 2: "H", 4: "I", 8: "Q"}
_BINDINGS = {".globl": GLOBAL, ".global": GLOBAL, ".weak": WEAK, ".local": LOCAL}
_VISIBILITIES = {".internal": 1, ".hidden": 2, ".protected": 3}
_TYPES = {"function": FUNC, "STT_FUNC": FUNC, "object": OBJECT, "STT_OBJECT": OBJECT, "common": OBJECT,
          "notype": NOTYPE, "STT_NOTYPE": NOTYPE}  # fmt: skip
_SECTION_TYPES = {"progbits": PROGBITS, "nobits": NOBITS, "note": 7, "llvm_addrsig": 0x6FFF4C03}
_FLAGS = {"a": ALLOC, "w": WRITE, "x": EXEC, "M": MERGE, "S": STRINGS, "e": 1 << 31, "R": 1 << 21, "o": 1 << 7}
_NOP = 0x15000000  # what LLVM's BPF backend pads code with (a number of its own, no instruction)
_MOST = 1 << 26  # bytes that one directive may fill: a typing error must not eat the machine


Handler = Callable[["Reader", Args], None]


def _data(size: int) -> Handler:
    def handle(reader: Reader, args: Args) -> None:
        while args.more():
            column = args.column
            value = args.value()
            if value.is_const:
                reader.append(_packed(value.const, size, args, reader))
            else:
                reader.wait("data", size, value, column)
                reader.append(bytes(size))
            if not args.comma():
                return

    return handle


def _packed(value: int, size: int, args: Args, reader: Reader) -> bytes:
    if not -(1 << 8 * size - 1) <= value < 1 << 8 * size:
        raise args.fail(f"{value:#x} does not fit into {size} bytes")
    return (value & (1 << 8 * size) - 1).to_bytes(size, reader.unit.order)


def _text(end: bytes) -> Handler:
    def handle(reader: Reader, args: Args) -> None:
        while args.more():
            reader.append(args.string() + end)
            if not args.comma():
                return

    return handle


def _binding(bind: int) -> Handler:
    def handle(reader: Reader, args: Args) -> None:
        symbol = reader.unit.symbol(args.name())
        symbol.bind, symbol.bound = bind, True
        while args.comma():
            symbol = reader.unit.symbol(args.name())
            symbol.bind, symbol.bound = bind, True

    return handle


def _visibility(visibility: int) -> Handler:
    def handle(reader: Reader, args: Args) -> None:
        reader.unit.symbol(args.name()).visibility = visibility

    return handle


def _type(reader: Reader, args: Args) -> None:
    symbol = reader.unit.symbol(args.name())
    args.comma()
    column = args.column
    kind = args.attribute()
    if kind not in _TYPES:
        raise AsmError(f"{kind!r} is no type of a symbol", reader.place, column=column)
    symbol.type = _TYPES[kind]


def _size(reader: Reader, args: Args) -> None:
    symbol = reader.unit.symbol(args.name())
    if not args.comma():
        raise args.fail("the size is missing")
    symbol.size_of = reader.settled(args.value()), reader.place


def _set(reader: Reader, args: Args) -> None:
    """A name for a number, or for a position."""
    column = args.column
    name = args.name()
    if not args.comma():
        raise args.fail("the value is missing")
    value = reader.settled(args.value())
    reader.forget()
    if value.minus is not None:
        value = Value(reader.unit.number(value, reader.place))
    if value.is_const:
        reader.known[name] = value
        return
    target = reader.unit.symbols.get(value.plus or "")
    if target is None or target.section is None:
        raise AsmError(f"symbol {value.plus!r} is not defined yet", reader.place, column=column)
    made = reader.unit.define(name, target.section, target.offset + value.const, reader.place)
    made.like = target


def _named_section(name: str) -> Handler:
    return lambda reader, args: reader.switch(reader.enter(name))


def _section(reader: Reader, args: Args) -> None:
    reader.switch(_described(reader, args))


def _described(reader: Reader, args: Args) -> Section:
    """The section that ``name, "flags", @type, entsize`` describes."""
    name = args.glued()
    new = name not in reader.unit.sections
    section = reader.enter(name)
    if not args.comma():
        return section
    column = args.column
    flags = _flags(args.string().decode(errors="replace"), column, reader)
    if new:
        section.flags = flags
    if args.comma():
        column = args.column
        kind = args.attribute()
        if kind not in _SECTION_TYPES:
            raise AsmError(f"{kind!r} is no type of a section", reader.place, column=column)
        if new:
            section.type = _SECTION_TYPES[kind]
    if args.comma():
        section.entsize = args.number() if section.flags & MERGE else 0
    while args.comma():
        args.name()  # a linked-to section or "unique": no matter here
    return section


def _flags(text: str, column: int, reader: Reader) -> int:
    flags = 0
    for letter in text:
        if letter not in _FLAGS:
            raise AsmError(f"{letter!r} is no flag of a section", reader.place, column=column)
        flags |= _FLAGS[letter]
    return flags


def _push(reader: Reader, args: Args) -> None:
    reader.stack.append((reader.section, reader.previous))
    reader.switch(_described(reader, args))


def _pop(reader: Reader, args: Args) -> None:
    if not reader.stack:
        raise args.fail("no .pushsection stands before this")
    reader.section, reader.previous = reader.stack.pop()


def _previous(reader: Reader, args: Args) -> None:
    reader.switch(reader.previous)


def _align(power: bool) -> Handler:
    def handle(reader: Reader, args: Args) -> None:
        column = args.column
        count = args.number()
        boundary = 1 << min(count, 62) if power and count >= 0 else count or 1
        if not 0 < boundary <= _MOST or boundary & boundary - 1:
            raise AsmError(f"{count} is no alignment", reader.place, column=column)
        fill = args.number(0) if args.comma() else None
        most = args.number(boundary) if args.comma() else boundary
        reader.section.align = max(reader.section.align, boundary)
        missing = -reader.here() % boundary
        if missing <= most:
            reader.append(_padding(reader, missing, fill))

    return handle


def _padding(reader: Reader, count: int, fill: int | None) -> bytes:
    if reader.section.flags & EXEC and not fill and count % 8 == 0:
        return struct.pack(("<" if reader.unit.order == "little" else ">") + "Q", _NOP) * (count // 8)
    return bytes([(fill or 0) & 0xFF]) * count


def _space(reader: Reader, args: Args) -> None:
    count = _count(args)
    reader.append(bytes([(args.number() if args.comma() else 0) & 0xFF]) * count)


def _count(args: Args) -> int:
    at = args.at
    count = args.number()
    if not 0 <= count <= _MOST:
        args.at = at
        raise args.fail(f"{count} is no number of bytes to fill")
    return count


def _fill(reader: Reader, args: Args) -> None:
    count = _count(args)
    size = args.number() if args.comma() else 1
    value = args.number() if args.comma() else 0
    if not 0 <= size <= 8 or size * count > _MOST:
        raise args.fail("at most 8 bytes a value can be filled in")
    reader.append((value & (1 << 8 * size) - 1).to_bytes(size, reader.unit.order) * count)


def _org(reader: Reader, args: Args) -> None:
    at = args.at
    target = args.number()
    if not reader.here() <= target <= _MOST:
        args.at = at
        raise args.fail(f"{target} is behind the current position")
    reader.append(bytes(target - reader.here()))


def _leb128(signed: bool) -> Handler:
    def handle(reader: Reader, args: Args) -> None:
        reader.append(leb128(args.number(), signed))
        while args.comma():
            reader.append(leb128(args.number(), signed))

    return handle


def leb128(value: int, signed: bool) -> bytes:
    """A number in the variable-length form of DWARF."""
    out = bytearray()
    value = value if signed else value & (1 << 64) - 1
    while True:
        low, value = value & 0x7F, value >> 7
        last = (value, low >> 6) in ((0, 0), (-1, 1)) if signed else not value
        out.append(low if last else low | 0x80)
        if last:
            return bytes(out)


def _common(reader: Reader, args: Args) -> None:
    """``.comm name, size, align``: global, given a place by the linker."""
    symbol = reader.unit.symbol(args.name())
    args.comma()
    symbol.size = args.number()
    symbol.section, symbol.type = "*COM*", OBJECT
    symbol.offset = args.number() if args.comma() else 1
    if not symbol.bound:
        symbol.bind = GLOBAL


def _file(reader: Reader, args: Args) -> None:
    """``.file "name"`` names the source; with a number it belongs to the line table."""
    if args.more() and args.tokens[args.at].kind == "string":
        reader.unit.file_name = args.string().decode(errors="replace")
    args.at = len(args.tokens)


DIRECTIVES: dict[str, Handler] = {
    **{name: _data(size) for name, size in _SIZES.items()},
    **{name: _binding(bind) for name, bind in _BINDINGS.items()},
    **{name: _visibility(how) for name, how in _VISIBILITIES.items()},
    **{name: _named_section(name) for name in (".text", ".data", ".bss")},
    ".ascii": _text(b""), ".asciz": _text(b"\0"), ".string": _text(b"\0"),
    ".type": _type, ".size": _size, ".set": _set, ".equ": _set, ".equiv": _set,
    ".section": _section, ".pushsection": _push, ".popsection": _pop, ".previous": _previous,
    ".align": _align(False), ".balign": _align(False), ".p2align": _align(True),
    ".zero": _space, ".space": _space, ".skip": _space, ".fill": _fill, ".org": _org,
    ".uleb128": _leb128(False), ".sleb128": _leb128(True), ".comm": _common, ".file": _file,
}  # fmt: skip
"""Directive → what it does."""
