"""The ELF reader: equal to pyelftools on a healthy object, one typed error on any damaged one."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osmia.errors import ElfError
from osmia.obj.elf import SHT_REL, SHT_STRTAB, SHT_SYMTAB, ElfFile, Section


def small(order: str = "little", symbols: int = 3) -> bytes:
    """An object with one program of two instructions, its symbol and one relocation, made by hand."""
    mark = "<" if order == "little" else ">"
    code = bytes(16)
    names = b"\0prog\0map\0"
    rows = [(0, 0, 0, 0, 0, 0), (1, 0x12, 0, 1, 0, 16), (6, 0x11, 2, 0, 0, 8)][:symbols]
    syms = b"".join(struct.pack(mark + "IBBHQQ", *r) for r in rows)
    rels = struct.pack(mark + "QQ", 8, 2 << 32 | 1)
    heads = b"\0xdp\0.relxdp\0.symtab\0.strtab\0.shstrtab\0"
    parts = [code, rels, syms, names, heads]
    offsets = [64 + sum(map(len, parts[:i])) for i in range(len(parts))]
    out = struct.pack(mark + "16sHHIQQQIHHHHHH", b"\x7fELF\x02" + (b"\1" if mark == "<" else b"\2") + b"\1" + bytes(9),
                      1, 247, 1, 0, 0, 64 + sum(map(len, parts)), 0, 64, 0, 0, 64, 6, 5)  # fmt: skip
    out += b"".join(parts) + bytes(64)
    table = [(1, 1, 6, 0, 0), (5, SHT_REL, 0, 3, 1), (13, SHT_SYMTAB, 0, 4, 1)]
    table += [(21, SHT_STRTAB, 0, 0, 0), (29, SHT_STRTAB, 0, 0, 0)]
    for (name, kind, flags, link, info), part, offset in zip(table, parts, offsets, strict=True):
        entsize = {SHT_REL: 16, SHT_SYMTAB: 24}.get(kind, 0)
        out += struct.pack(mark + "IIQQQQIIQQ", name, kind, flags, 0, offset, len(part), link, info, 8, entsize)
    return out


def read_all(data: bytes) -> ElfFile:
    """Touch every lazy part."""
    elf = ElfFile(data, "x.o")
    assert all(isinstance(elf.contents(s), bytes) for s in elf.sections)
    assert all(s.number == i for i, s in enumerate(elf.symbols))
    for section in elf.sections:
        elf.relocations(section)
    return elf


@pytest.mark.parametrize("order", ["little", "big"])
def test_a_healthy_object(order):
    elf = read_all(small(order))
    assert elf.byteorder == order
    assert [s.name for s in elf.sections] == ["", "xdp", ".relxdp", ".symtab", ".strtab", ".shstrtab"]
    prog, external = elf.symbols[1:]
    assert (prog.name, prog.section, prog.size, prog.type, prog.bind, prog.defined) == ("prog", 1, 16, 2, 1, True)
    assert (external.name, external.defined, external.hidden) == ("map", False, True)
    (reloc,) = elf.relocations(elf.sections[1])
    assert (reloc.offset, reloc.type_name, reloc.symbol, reloc.addend) == (8, "R_BPF_64_64", 2, None)


def test_the_same_as_pyelftools():
    from io import BytesIO

    from elftools.elf.elffile import ELFFile

    data = small()
    ours, theirs = ElfFile(data), ELFFile(BytesIO(data))
    assert [s.name for s in ours.sections] == [s.name for s in theirs.iter_sections()]
    assert [ours.contents(s) for s in ours.sections[1:]] == [s.data() for s in list(theirs.iter_sections())[1:]]
    symbols = list(theirs.get_section_by_name(".symtab").iter_symbols())
    assert [(s.name, s.value, s.size) for s in ours.symbols] == [(s.name, s["st_value"], s["st_size"]) for s in symbols]


def patched(offset: int, layout: str, value: int) -> bytes:
    data = bytearray(small())
    struct.pack_into(layout, data, offset, value)
    return bytes(data)


SHOFF = struct.unpack_from("<Q", small(), 40)[0]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "x.o, offset 0x0: not an ELF file (no magic number)"),
        (b"\x7fELF\2\1\1", "x.o, offset 0x7: 7 bytes are no whole ELF header (64)"),
        (patched(4, "B", 1), "x.o, offset 0x4: ELF class 1 is not 64-bit (2)"),
        (patched(18, "<H", 62), "x.o, offset 0x12: machine 62 is not BPF (247)"),
        (patched(16, "<H", 2), "x.o, offset 0x10: ELF type 2 is not relocatable (1)"),
        (patched(62, "<H", 77), "x.o, offset 0x3e: section 77 of 6 would hold the section names"),
        (patched(60, "<H", 700), f"x.o, offset {SHOFF:#x}: 700 section headers do not fit into the file of 601 bytes"),
        (patched(SHOFF + 64 + 32, "<Q", 1 << 40), "x.o, section xdp, offset 0x40: 1099511627776 bytes reach behind"),
        (patched(SHOFF + 3 * 64 + 40, "<I", 1), "x.o, section .symtab, offset 0x1c1: sh_link 1 is no strtab section"),
        (patched(SHOFF + 3 * 64 + 56, "<Q", 5), "x.o, section .symtab, offset 0x60: 72 bytes in rows of 5"),
        (patched(64 + 16, "<Q", 16), "x.o, section .relxdp, offset 0x50: relocation 0 changes byte 0x10 of xdp"),
        (patched(64 + 16 + 12, "<I", 9), "x.o, section .relxdp, offset 0x50: relocation 0 names symbol 9 of 3"),
        (patched(64 + 32 + 24, "<I", 99), "x.o, section .symtab, offset 0x78: name of symbol 1: string 0x63 of"),
        (patched(64 + 32 + 24 + 6, "<H", 99), "x.o, section .symtab, offset 0x78: symbol 'prog' is in section 99 of 6"),
    ],
)
def test_damage_is_named_with_its_place(data, message):
    with pytest.raises(ElfError) as e:
        read_all(data)
    assert str(e.value).startswith(message)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 5000), st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), max_size=8))
def test_damaged_objects_raise_nothing_else(length, flips):
    data = bytearray(small())
    for at, value in flips:
        data[at] = value
    try:
        read_all(bytes(data[:length]))
    except ElfError as e:
        assert e.place.file == "x.o"


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_raise_nothing_else(data):
    for prefix in (b"", b"\x7fELF\2\1\1", small()[:64]):
        try:
            read_all(prefix + data)
        except ElfError:
            continue


def test_contents_of_nobits_are_not_made_up():
    elf = ElfFile(small())
    assert elf.contents(Section(1, ".bss", 8, 3, 0, 0, 1 << 60, 0, 0, 8, 0)) == b""
