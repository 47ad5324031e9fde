"""Object code into memory, ready to be called.

Code for x86-64 asks for nothing but 64-bit addresses to be filled in (static, large code model), so it is placed
here in about 0.1 ms, and a cached program runs without llvmlite being imported, which alone takes 60 ms.
Everything else goes to LLVM's own linker (JITLink), which knows all relocations of all targets.
Memory is written first and executable afterwards, never both.
"""

from __future__ import annotations

import ctypes
import itertools
import mmap
import os
import struct
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from osmia.errors import Unavailable
from osmia.vm.jit.llvm import binding, host, one_line

HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SECTION = struct.Struct("<IIQQQQIIQQ")
SYMBOL = struct.Struct("<IBBHQQ")
RELA = struct.Struct("<QQq")
EM_X86_64, R_X86_64_64 = 62, 1
SHT_PROGBITS, SHT_SYMTAB, SHT_RELA, SHT_NOBITS = 1, 2, 4, 8
SHF_WRITE, SHF_ALLOC = 1, 2
ALIGN = 64
RUNTIME = ("memcpy", "memmove", "memset", "memcmp", "bcmp")
"""What LLVM may call on its own account, from the C library."""


class Unplaced(Exception):
    """An object with more in it than this module fills in."""


class Loaded:
    """Code in memory for as long as this object lives; ``addresses`` of its functions by name."""

    def __init__(self, addresses: dict[str, int], keeper: object) -> None:
        self.addresses = addresses
        self._keeper = keeper


@cache
def runtime() -> dict[str, int]:
    """Addresses of the C library's functions in ``RUNTIME``."""
    libc = ctypes.CDLL(None)
    return {name: ctypes.cast(getattr(libc, name), ctypes.c_void_p).value or 0 for name in RUNTIME}


def load(data: bytes, imports: Mapping[str, int], exports: list[str]) -> Loaded:
    """Place an object and fill in the addresses of what it names.  Raises Unavailable."""
    known = {**runtime(), **imports}
    try:
        return place(data, known, exports)
    except Unplaced:
        return link(data, known, exports)


# -- our own way -----------------------------------------------------------------------------------------------------


class Section(NamedTuple):
    """A section header (gABI, chapter 4)."""

    name: int
    type: int
    flags: int
    addr: int
    offset: int
    size: int
    link: int
    info: int
    align: int
    entsize: int


def place(data: bytes, known: Mapping[str, int], exports: list[str]) -> Loaded:
    """Copy the sections, fill in addresses, make it executable.  Raises Unplaced."""
    try:
        sections = _sections(data)
        at, size = _layout(sections)
        room = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        anchor = ctypes.c_char.from_buffer(room)
        base = ctypes.addressof(anchor)
        for index, start in at.items():
            section = sections[index]
            room[start : start + section.size] = data[section.offset : section.offset + section.size]
        values = _values(data, sections, {i: base + start for i, start in at.items()}, known)
        for section in sections:
            if section.type == SHT_RELA and section.info in at:
                _fill(data, section, room, at[section.info], [address for _, address in values])
        addresses = dict(values)
        found = {name: addresses[name] for name in exports}
    except (struct.error, IndexError, KeyError, ValueError, UnicodeDecodeError, OSError) as e:
        raise Unplaced(one_line(e)) from None
    _make_executable(base, size)
    return Loaded(found, (room, anchor))


def _sections(data: bytes) -> list[Section]:
    ident, kind, machine, *rest = HEADER.unpack_from(data)
    if ident[:6] != b"\x7fELF\x02\x01" or (kind, machine) != (1, EM_X86_64) or os.uname().machine != "x86_64":
        raise Unplaced("no object of this machine")
    offset, number = rest[3], rest[9]
    found = [Section(*SECTION.unpack_from(data, offset + SECTION.size * i)) for i in range(number)]
    if any(s.offset + s.size > len(data) for s in found if s.type != SHT_NOBITS):
        raise Unplaced("a section reaches beyond the file")
    return found


def _layout(sections: list[Section]) -> tuple[dict[int, int], int]:
    """Where the sections that code consists of go, by number, and the size of all."""
    at, end = {}, 0
    for index, section in enumerate(sections):
        if not section.flags & SHF_ALLOC or not section.size or section.type not in (SHT_PROGBITS, SHT_NOBITS):
            continue  # unwind tables have a type of their own: nothing unwinds through our frames
        if section.flags & SHF_WRITE or section.type == SHT_NOBITS or section.align > mmap.PAGESIZE:
            raise Unplaced("variables in code")
        align = max(section.align, ALIGN)
        at[index] = (end + align - 1) // align * align
        end = at[index] + section.size
    return at, max(-(-end // mmap.PAGESIZE), 1) * mmap.PAGESIZE


def _values(
    data: bytes, sections: list[Section], bases: dict[int, int], known: Mapping[str, int]
) -> list[tuple[str, int]]:
    """Name and address of every symbol, in the table's order."""
    table = next(s for s in [*sections, None] if s is None or s.type == SHT_SYMTAB)
    if table is None:
        return []
    names, found = sections[table.link], []
    for offset in range(table.offset, table.offset + table.size, SYMBOL.size):
        name, _, _, section, value, _ = SYMBOL.unpack_from(data, offset)
        start = names.offset + name
        text = data[start : data.index(b"\0", start)].decode()
        if section == 0:
            address = known[text] if text else 0
        else:
            address = bases.get(section, 0) + value
        found.append((text, address))
    return found


def _fill(data: bytes, section: Section, room: mmap.mmap, start: int, values: list[int]) -> None:
    for offset in range(section.offset, section.offset + section.size, RELA.size):
        place, info, addend = RELA.unpack_from(data, offset)
        if info & 0xFFFFFFFF != R_X86_64_64:
            raise Unplaced(f"a relocation of type {info & 0xFFFFFFFF}")
        struct.pack_into("<Q", room, start + place, (values[info >> 32] + addend) & 0xFFFFFFFFFFFFFFFF)


def _make_executable(address: int, size: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(size), mmap.PROT_READ | mmap.PROT_EXEC):
        why = "errno " + str(ctypes.get_errno())
        raise Unavailable(f"this process may not make memory executable ({why}): no native code")


# -- LLVM's way ------------------------------------------------------------------------------------------------------

_numbers = itertools.count()


@cache
def _linker() -> Any:
    from osmia.vm.jit.llvm import FULL, _machine

    return binding().create_lljit_compiler(_machine(host(), FULL, False), use_jit_link=True, suppress_errors=True)


def link(data: bytes, known: Mapping[str, int], exports: list[str]) -> Loaded:
    """The same with LLVM's linker, which knows every relocation.  Raises Unavailable."""
    library = binding().JITLibraryBuilder().add_object_img(data)
    for name, address in known.items():
        library.import_symbol(name, address)
    for name in exports:
        library.export_symbol(name)
    try:
        tracker = library.link(_linker(), f"osmia{next(_numbers)}")
    except RuntimeError as e:
        raise Unavailable(f"LLVM can't link the program's code: {one_line(e)}") from None
    return Loaded({name: int(tracker[name]) for name in exports}, tracker)
