"""Damaged objects end in one typed error that names the file, never in another exception and never in a hang."""

from __future__ import annotations

import struct
import time
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from obj.golden_text import KCONFIG, NAMES, read, target

from osmia.errors import InputError
from osmia.isa import encode
from osmia.obj import load
from osmia.obj.elf import ElfFile
from osmia.obj.record import records
from osmia.obj.survey import survey

ALL = (*NAMES, "calls.be", "maps.be")
PATIENCE = 5.0


@cache
def kernel():
    return target()


def use(data: bytes) -> None:
    """Everything that reads an object; only errors of the tree, with the file's name, may come out."""
    start = time.monotonic()
    for work in (link, look):
        try:
            work(data)
        except InputError as error:
            assert error.place.file == "x.o", error
            assert error.reason
    assert time.monotonic() - start < PATIENCE


def link(data: bytes) -> None:
    collection = load(data, path="x.o", target_btf=kernel(), kconfig=KCONFIG)
    for program in collection.programs.values():
        assert encode(program.insns)
        assert all(0 <= f.insn < len(program.insns) for f in program.func_info)
    records(collection)


def look(data: bytes) -> None:
    found = survey(data, "x.o", kconfig=KCONFIG)
    assert all(p["message"] for p in found["problems"])


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(ALL), st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), min_size=1, max_size=6))
def test_flipped_bytes(name, flips):
    data = bytearray(read(name))
    for at, value in flips:
        data[at % len(data)] = value
    use(bytes(data))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(ALL), st.data())
def test_words_with_interesting_values(name, draw):
    """Numbers that parsers trip over, in the parts that are parsed most: headers, symbols, relocations, BTF."""
    data = bytearray(read(name))
    names = (".symtab", ".BTF", ".BTF.ext", ".maps", ".rel.maps", ".rel.text", ".struct_ops", ".strtab")
    places = [(s.offset, s.size) for s in ElfFile(bytes(data)).sections if s.name in names and s.size >= 8]
    places += [(0, 64), (len(data) - 640, 640)]
    for _ in range(draw.draw(st.integers(1, 4))):
        start, size = draw.draw(st.sampled_from(places))
        at = start + draw.draw(st.integers(0, size // 4 - 1)) * 4
        value = draw.draw(st.sampled_from([0, 1, 2, 4, 7, 0x7F, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]))
        struct.pack_into("<I", data, min(at, len(data) - 4), value)
    use(bytes(data))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ALL), st.integers(0, 1 << 16))
def test_truncated(name, length):
    data = read(name)
    use(data[: length % len(data)])


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ALL), st.sampled_from(ALL), *[st.integers(0, 1 << 16)] * 2, st.integers(1, 400))
def test_pieces_of_other_objects(name, other, at, source, size):
    data, piece = bytearray(read(name)), read(other)
    at, source = at % len(data), source % len(piece)
    data[at : at + size] = piece[source : source + size]
    use(bytes(data))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes(data):
    use(data)
    use(b"\x7fELF\2\1\1" + data)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_every_word_of_every_object(name):
    original = read(name)
    for at in range(0, len(original) - 4, 4):
        for value in (0, 0xFFFFFFFF, 0x80000000):
            data = bytearray(original)
            struct.pack_into("<I", data, at, value)
            use(bytes(data))
