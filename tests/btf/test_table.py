"""Reading and writing tables: what clang emits comes back byte for byte, in both byte orders."""

import struct
import time

import pytest
from btf import tools
from hypothesis import given, settings
from hypothesis import strategies as st

from osmia.btf import (
    Array,
    Btf,
    Const,
    Datasec,
    DeclTag,
    Enum,
    Enum64,
    EnumValue,
    Float,
    Func,
    FuncProto,
    Fwd,
    Int,
    Member,
    Param,
    Ptr,
    Restrict,
    Struct,
    Typedef,
    TypeTag,
    Union,
    Var,
    VarSec,
    Void,
    Volatile,
)  # fmt: skip
from osmia.btf.check import check
from osmia.btf.layout import field, members
from osmia.btf.types import KIND_NAMES, KINDS, SIGNED
from osmia.errors import BtfError, UsageError

names = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
ids = st.integers(0, 2**32 - 1)
small = st.integers(0, 2**16 - 1)
values32 = st.lists(st.builds(EnumValue, names, st.integers(-(2**31), 2**31 - 1)), max_size=4).map(tuple)
values64 = st.lists(st.builds(EnumValue, names, st.integers(0, 2**64 - 1)), max_size=4).map(tuple)
plain = st.lists(st.builds(Member, names, ids, ids, st.just(0)), max_size=4).map(tuple)
bits = st.lists(st.builds(Member, names, ids, st.integers(0, 2**24 - 1), st.integers(1, 64)), min_size=1).map(tuple)
any_type = st.one_of(
    st.builds(Int, names, ids, st.integers(0, 15), st.integers(0, 255), st.integers(0, 255)),
    *(st.builds(kind, ids) for kind in (Ptr, Const, Volatile, Restrict)),
    st.builds(Array, ids, ids, ids),
    *(st.builds(kind, names, ids, plain, st.just(False)) for kind in (Struct, Union)),
    *(st.builds(kind, names, ids, bits, st.just(True)) for kind in (Struct, Union)),
    st.builds(Enum, names, ids, values32, st.just(True)),
    st.builds(Enum64, names, ids, values64, st.just(False)),
    st.builds(Fwd, names, st.booleans()),
    st.builds(Typedef, names, ids),
    st.builds(Func, names, ids, st.integers(0, 2)),
    st.builds(FuncProto, ids, st.lists(st.builds(Param, names, ids), max_size=4).map(tuple)),
    st.builds(Var, names, ids, ids),
    st.builds(Datasec, names, ids, st.lists(st.builds(VarSec, ids, ids, ids), max_size=4).map(tuple)),
    st.builds(Float, names, ids),
    st.builds(DeclTag, names, ids, st.integers(-1, 2**31 - 1), st.booleans()),
    st.builds(TypeTag, names, ids, st.booleans()),
)


def test_kinds_are_numbered():
    assert [kind.kind for kind in KINDS] == list(range(20))
    assert len(KIND_NAMES) == 20


@given(st.lists(any_type, max_size=12), st.sampled_from(["little", "big"]))
@settings(max_examples=60)
def test_every_type_survives(types, order):
    table = Btf(byteorder=order)
    assert [table.add(made) for made in types] == list(range(1, len(types) + 1))
    again = Btf.parse(table.encode())
    assert again.byteorder == order
    assert [made for _, made in again] == types
    other = "big" if order == "little" else "little"
    assert Btf.parse(again.encode(other)).encode(order) == table.encode()


@given(st.lists(any_type, min_size=1, max_size=6), any_type, st.integers(0, 5))
@settings(max_examples=40)
def test_replace_keeps_the_rest(types, new, at):
    table, at = Btf(), at % len(types)
    for made in types:
        table.add(made)
    table.replace(at + 1, new)
    want = [*types[:at], new, *types[at + 1 :]]
    assert [made for _, made in table] == want
    assert [made for _, made in Btf.parse(table.encode())] == want


@pytest.mark.parametrize("target", ["bpfel", "bpfeb"])
@pytest.mark.parametrize("source", ["layouts", "core_local"])
def test_clang_round_trip(source, target, tmp_path):
    path = tools.compile_c(tools.HERE / f"c/{source}.c", tmp_path / "x.o", "-target", target)
    data, ext = tools.sections(path)
    table = Btf.parse(data)
    assert table.byteorder == ("little" if target == "bpfel" else "big")
    assert table.encode() == data
    rewritten = table.copy()
    for type_id, made in table:
        rewritten.replace(type_id, made)
    assert rewritten.encode() == data
    check(table)
    if ext:
        _, read = tools.btf_of(path)
        assert read.encode(table) == ext
        assert table.encode() == data


def test_byte_orders_agree(tmp_path):
    little, big = (
        tools.btf_of(tools.compile_c(tools.HERE / "c/layouts.c", tmp_path / f"{t}.o", "-target", t))[0]
        for t in ("bpfel", "bpfeb")
    )
    assert [made for _, made in little if not isinstance(made, Struct)] == [
        made for _, made in big if not isinstance(made, Struct)
    ]


def sample():
    """struct pair { int a; union { char b; long c; }; }, its typedef, and a section with a variable."""
    table = Btf()
    number, char = table.add(Int("int", 4, SIGNED)), table.add(Int("char", 1))
    long = table.add(Int("long", 8, SIGNED))
    inner = table.add(Union("", 8, (Member("b", char, 0), Member("c", long, 0))))
    pair = table.add(Struct("pair", 16, (Member("a", number, 0), Member("", inner, 64))))
    table.add(Typedef("pair_t", table.add(Const(pair))))
    array = table.add(Array(pair, number, 3))
    table.add(Datasec(".data", 48, (VarSec(table.add(Var("pairs", array, 1)), 0, 48),)))
    return table


def test_find_by_name_and_kind():
    table = sample()
    pair = table.find("pair", Struct)
    assert pair == 5
    assert table.find("pair", Union, Enum) is None
    assert table.find("nothing") is None
    assert table.find("pair_t") == 7
    other = table.add(Struct("pair", 1))
    assert list(table.find_all("pair")) == [pair, other]
    table.replace(other, Struct("renamed", 1))
    assert list(table.find_all("pair")) == [pair]
    assert table.find("renamed", Struct) == other


def test_sizes_and_members():
    table = sample()
    assert table.size_of(table.find("pair_t")) == 16
    assert table.size_of(8) == 48
    assert [(m.path, m.offset) for m in members(table, 5)] == [("a", 0), ("b", 8), ("c", 8)]
    assert field(table, 8, "[2].c").bit_offset == 2 * 128 + 64
    with pytest.raises(UsageError, match="no member 'd'"):
        field(table, 5, "d")
    with pytest.raises(BtfError, match="no size"):
        table.size_of(table.add(Fwd("somewhere")))


def test_split_tables_go_on_where_the_base_ends():
    base = sample()
    split = Btf(base)
    assert split.add(Ptr(5)) == len(base)
    assert split.add(Struct("extra", 8, (Member("a", len(base), 0),))) == len(base) + 1
    again = Btf.parse(split.encode(), base)
    assert again.type(5) == base.type(5)
    assert again.find("pair", Struct) == 5
    assert again.find("extra") == len(base) + 1
    assert again.type(len(base) + 1).members[0].name == "a"
    assert len(split._strs) == len(b"extra\0"), "the name 'a' is the base's"
    check(again)


def test_strings():
    table = Btf()
    at = table.add_str("hello")
    assert table.add_str("hello") == at
    assert table.str_at(at + 3) == "lo"
    assert table.str_at(0) == ""
    with pytest.raises(BtfError, match="outside"):
        table.str_at(1000)
    with pytest.raises(BtfError, match="zero byte"):
        table.add_str("a\0b")


def test_what_does_not_fit_is_refused():
    table = Btf()
    with pytest.raises(BtfError, match="32 bits"):
        table.add(Ptr(2**32))
    with pytest.raises(BtfError, match="65536 items"):
        table.add(Enum("e", 4, tuple(EnumValue("a", i) for i in range(65536))))
    with pytest.raises(BtfError, match="can't be stored"):
        table.add(Void())
    with pytest.raises(BtfError, match="no type 7"):
        table.type(7)


HEADERS = {
    "too few": (b"\x9f\xeb\x01", 0),
    "magic": (b"\x7fELF" + bytes(60), 0),
    "version": (struct.pack("<HBB5I", 0xEB9F, 2, 0, 24, 0, 0, 0, 1) + b"\0", 2),
    "header length": (struct.pack("<HBB5I", 0xEB9F, 1, 0, 99, 0, 0, 0, 1) + b"\0", 4),
    "aligned": (struct.pack("<HBB5I", 0xEB9F, 1, 0, 24, 0, 3, 3, 1) + bytes(4), 8),
    "type section ends": (struct.pack("<HBB5I", 0xEB9F, 1, 0, 24, 0, 400, 0, 1) + b"\0", 8),
    "string section ends": (struct.pack("<HBB5I", 0xEB9F, 1, 0, 24, 0, 0, 0, 9) + b"\0", 16),
    "overlap": (struct.pack("<HBB5I", 0xEB9F, 1, 0, 24, 0, 12, 4, 4) + bytes(12), 8),
    "last string": (struct.pack("<HBB5I", 0xEB9F, 1, 0, 24, 0, 0, 0, 2) + b"\0a", 24),
    "start with": (struct.pack("<HBB5I", 0xEB9F, 1, 0, 24, 0, 0, 0, 2) + b"a\0", 24),
    "unknown info": (struct.pack("<HBB5I3I", 0xEB9F, 1, 0, 24, 0, 12, 12, 1, 0, 20 << 24, 0) + b"\0", 24),
    "ends beyond": (struct.pack("<HBB5I3I", 0xEB9F, 1, 0, 24, 0, 12, 12, 1, 0, 4 << 24 | 9, 0) + b"\0", 24),
}


@pytest.mark.parametrize("reason", HEADERS)
def test_bad_headers_say_where(reason):
    data, offset = HEADERS[reason]
    with pytest.raises(BtfError, match=reason) as caught:
        Btf.parse(data)
    assert caught.value.place.offset == offset


def test_the_kernels_table_opens_fast():
    data = tools.VMLINUX.read_bytes() if tools.VMLINUX.exists() else pytest.skip("the kernel shows no BTF")
    best = 9.0
    for _ in range(3):
        start = time.perf_counter()
        table = Btf.parse(data)
        best = min(best, time.perf_counter() - start)
    assert best < 0.5
    assert table.encode() == data
    task = table.type(table.find("task_struct", Struct))
    assert {"pid", "comm", "mm"} <= {m.name for m in task.members}
