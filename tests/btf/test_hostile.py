"""Bytes that are no BTF, or no longer: one BtfError (or CoreError), never another one, never a hang."""

import contextlib
import random

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
    EnumValue,
    Float,
    Func,
    FuncProto,
    Fwd,
    Int,
    Member,
    Param,
    Ptr,
    Struct,
    Typedef,
    TypeTag,
    Union,
    Var,
    VarSec,
)  # fmt: skip
from osmia.btf.c_dump import dump_c
from osmia.btf.check import check
from osmia.btf.core import Matcher
from osmia.btf.ext import BtfExt, CoreRelo
from osmia.btf.layout import align_of, members
from osmia.btf.merge import deduplicate
from osmia.btf.subset import subset
from osmia.btf.text import dump_text
from osmia.errors import BtfError, CoreError, InputError


def sample():
    """A table with every kind, that clang need not make."""
    table = Btf()
    table.add(Int("int", 4, 1))
    table.add(Ptr(4))
    table.add(Array(1, 1, 4))
    table.add(Struct("s", 24, (Member("a", 1, 0), Member("p", 2, 64), Member("u", 5, 128))))
    table.add(Union("u", 8, (Member("", 1, 0),)))
    table.add(Enum("e", 4, (EnumValue("A", 1), EnumValue("B", 2))))
    table.add(Fwd("f"))
    table.add(Typedef("t", 4))
    table.add(Const(8))
    table.add(FuncProto(1, (Param("a", 2), Param("", 0))))
    table.add(Func("fn", 10, 1))
    table.add(Var("v", 9, 1))
    table.add(Datasec(".data", 24, (VarSec(12, 0, 24),)))
    table.add(Float("float", 4))
    table.add(DeclTag("tag", 4, 1))
    table.add(TypeTag("user", 1))
    return table


def use(data):
    """Everything that reads a table."""
    table = Btf.parse(data)
    problems = 0
    for step in (check, dump_text, dump_c, deduplicate, lambda t: subset(t, range(1, len(t)), depth=1)):
        try:
            step(table)
        except InputError as error:
            assert isinstance(error, BtfError), error
            problems += 1
    for type_id in range(len(table)):
        for look in (table.resolve, table.size_of, lambda i: align_of(table, i), lambda i: list(members(table, i))):
            try:
                look(type_id)
            except BtfError:
                problems += 1
    matcher = Matcher(table, table)
    for type_id in range(1, min(len(table), 20)):
        for kind, access in ((0, 0), (2, 1), (8, 0), (12, 0), (11, 0)):
            try:
                matcher.resolve(CoreRelo(0, type_id, access, kind))
            except CoreError:
                problems += 1
    return problems


def test_the_sample_is_sound():
    check(sample())
    assert sum(1 for _ in sample()) == 16


@given(st.binary(max_size=200))
@settings(max_examples=50)
def test_random_bytes(data):
    for head in (b"", b"\x9f\xeb\x01\x00\x18\x00\x00\x00"):
        with contextlib.suppress(BtfError):
            use(head + data)


@pytest.mark.parametrize("seed", range(8))
def test_damaged_tables(seed):
    """Bytes changed, words swapped for nearby ids, ends cut off."""
    rng, whole = random.Random(seed), sample().encode()
    for _ in range(40):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(data))
            if rng.random() < 0.6 and at > 24:
                data[at & ~3 : (at & ~3) + 4] = rng.randrange(20).to_bytes(4, "little")
            else:
                data[at] = rng.randrange(256)
        if rng.random() < 0.2:
            del data[rng.randrange(len(data)) :]
        try:
            use(bytes(data))
        except BtfError as error:
            assert str(error)


@pytest.mark.parametrize("seed", range(4))
def test_damaged_ext(seed, tmp_path):
    table = sample()
    names = [table.add_str(n) for n in ("xdp", "file.c", "0:1")]
    ext = BtfExt()
    from osmia.btf.ext import FuncRow, LineRow

    ext.func_info["xdp"] = [FuncRow(0, 11)]
    ext.line_info["xdp"] = [LineRow(0, names[1], names[1], 3 << 10 | 2), LineRow(8, names[1], names[1], 4 << 10)]
    ext.core_relos["xdp"] = [CoreRelo(0, 4, names[2], 0)]
    whole = ext.encode(table)
    assert BtfExt.parse(whole, table) == ext
    assert ext.line_info["xdp"][0].line == 3
    assert ext.line_info["xdp"][0].column == 2
    big = ext.encode(table, "big")
    assert BtfExt.parse(big, table) == ext
    rng = random.Random(seed)
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 3)):
            data[rng.randrange(len(data))] = rng.choice([0, 1, 4, 8, 255, rng.randrange(256)])
        if rng.random() < 0.3:
            del data[rng.randrange(len(data)) :]
        try:
            BtfExt.parse(bytes(data), table)
        except BtfError as error:
            assert error.place.section == ".BTF.ext"
            assert error.place.offset is not None


def test_circles_end():
    table = Btf()
    table.add(Typedef("a", 2))
    table.add(Const(1))
    table.add(Struct("s", 8, (Member("", 3, 0), Member("", 3, 0))))
    table.add(Array(4, 1, 2))
    with pytest.raises(BtfError, match="circle"):
        table.resolve(1)
    with pytest.raises(BtfError, match="deep"):
        table.size_of(4)
    with pytest.raises(BtfError, match="circle"):
        list(members(table, 3))
    with pytest.raises(BtfError, match="deep"):
        align_of(table, 3)
    with pytest.raises(BtfError, match=r"circle|itself"):
        check(table)


def test_chains_are_not_slow():
    """20,000 modifiers in a row, and a struct that doubles 60 times."""
    table = Btf()
    for i in range(20_000):
        table.add(Const(i + 2))
    with pytest.raises(BtfError, match="more than 64"):
        table.resolve(1)
    with pytest.raises(BtfError):
        check(table)
    doubling = Btf()
    for i in range(60):
        doubling.add(Struct(f"s{i}", 8, (Member("a", i + 2, 0), Member("b", i + 2, 0))))
    doubling.add(Int("int", 4))
    assert align_of(doubling, 1) == 4
    assert Matcher(doubling, doubling).resolve(CoreRelo(0, 45, doubling.add_str("0"), 12)).new == 1


UNSOUND = {
    "no identifier": Struct("a b", 4),
    "does not start at 0": Union("u", 8, (Member("a", 1, 8),)),
    "ends beyond its size": Struct("s", 4, (Member("a", 1, 8),)),
    "starts before": Struct("s", 8, (Member("a", 1, 32), Member("b", 1, 0))),
    "has no size": Struct("s", 8, (Member("a", 7, 0),)),
    "do not fit": Int("i", 2, 0, 0, 17),
    "encoding 3": Int("i", 4, 3),
    "index type": Array(1, 4, 3),
    "4 GiB": Array(1, 1, 2**31),
    "size 3 is impossible": Enum("e", 3),
    "no prototype": Func("f", 1),
    "linkage 7": Func("f", 10, 7),
    "parameter 1 has no type": FuncProto(0, (Param("a", 0), Param("b", 1))),
    "no component 9": DeclTag("t", 4, 9),
    "can't be tagged": DeclTag("t", 1),
    "can't be referred to": Const(12),
    "no variable": Datasec("x", 4, (VarSec(1, 0, 4),)),
    "overlaps": Datasec("x", 4, (VarSec(12, 0, 24),)),
    "size 5": Float("f", 5),
    "its type 7": Var("v", 7),
    "no type 99": Ptr(99),
}


@pytest.mark.parametrize("reason", UNSOUND)
def test_what_the_kernel_refuses(reason):
    table = sample()
    at = table.add(UNSOUND[reason])
    with pytest.raises(BtfError, match=reason) as caught:
        check(table)
    assert caught.value.place.offset == table.offset_of(at)


def test_the_kernel_itself_is_sound():
    table = tools.kernel()
    part = subset(table, [table.find("task_struct", Struct)])
    check(part)
    assert len(part) > 1000


def test_shrunk_by_fuzzing():
    """Integers of no bytes, gaps of 512 MB, prototypes within prototypes: each once hung or divided by zero."""
    nothing = Btf()
    nothing.add(Int("int", 0, 0, 0, 0))
    nothing.add(Struct("s", 4, (Member("a", 1, 0, 3),), True))
    with pytest.raises(BtfError, match="no bits"):
        dump_c(nothing)
    far = Btf()
    far.add(Int("int", 4))
    far.add(Struct("s", 2**32 - 1, (Member("a", 1, 0), Member("b", 1, 2**32 - 5))))
    far.add(Struct("t", 2**29, (Member("a", 1, 3, 1), Member("b", 1, 2**24 - 1, 1)), True))
    assert len(dump_c(far)) < 10_000
    nested = Btf()
    for i in range(8):
        nested.add(Ptr(2 * i + 2))
        nested.add(FuncProto(0, tuple(Param(f"p{k}", min(2 * i + 3, 15)) for k in range(10))))
    nested.add(Typedef("f", 1))
    with pytest.raises(BtfError, match=r"too often|nest"):
        dump_c(nested)
