"""Which field of a struct an access reaches, and what of it may be trusted."""

from errno import EACCES, EINVAL

import pytest

from osmia.btf import Btf
from osmia.btf import types as t
from osmia.verifier import consts as c
from osmia.verifier.btf_walk import Found, WalkError, struct_access

SCALAR = Found(c.SCALAR_VALUE)


@pytest.fixture(scope="module")
def table():
    """``struct outer`` as made below, and the ids of it and of ``struct inner``."""
    btf = Btf()
    u32, u64 = btf.add(t.Int("u32", 4)), btf.add(t.Int("u64", 8))
    inner = btf.add(t.Struct("inner", 16, (t.Member("x", u64, 0), t.Member("y", u32, 64))))
    to_inner = btf.add(t.Ptr(inner))
    rcu = btf.add(t.Ptr(btf.add(t.TypeTag("rcu", inner))))
    to_int = btf.add(t.Ptr(u32))
    either = btf.add(t.Union("", 8, (t.Member("p", to_inner, 0), t.Member("n", u64, 0))))
    pair = btf.add(t.Array(inner, u32, 2))
    numbers = btf.add(t.Array(u32, u32, 3))
    tail = btf.add(t.Array(inner, u32, 0))
    members = (
        t.Member("in", inner, 0),
        t.Member("next", to_inner, 16 * 8),
        t.Member("safe", rcu, 24 * 8),
        t.Member("plain", to_int, 32 * 8),
        t.Member("", either, 40 * 8),
        t.Member("pair", pair, 48 * 8),
        t.Member("numbers", numbers, 80 * 8),
        t.Member("bits", u32, 92 * 8, 3),
        t.Member("more", tail, 96 * 8),
    )
    return btf, btf.add(t.Struct("outer", 96, members, True)), inner


@pytest.mark.parametrize(
    ("off", "size", "found"),
    [
        (0, 8, SCALAR),
        (8, 4, SCALAR),
        (9, 1, SCALAR),
        (32, 8, Found(c.PTR_TO_MEM, 0, c.MEM_RDONLY | c.PTR_UNTRUSTED)),
        (48, 8, SCALAR),
        (64, 8, SCALAR),
        (80, 8, SCALAR),  # two of three numbers
        (92, 1, SCALAR),
        (92, 4, SCALAR),
        (96 + 16 * 5 + 8, 4, SCALAR),  # in the array without an end
    ],
)
def test_reached(table, off, size, found):
    btf, outer, _ = table
    assert struct_access(btf, outer, off, size) == found


@pytest.mark.parametrize(
    ("off", "flags", "name"), [(16, 0, "next"), (24, c.MEM_RCU, "safe"), (40, c.PTR_UNTRUSTED, "p")]
)
def test_pointers(table, off, flags, name):
    btf, outer, inner = table
    assert struct_access(btf, outer, off, 8) == Found(c.PTR_TO_BTF_ID, inner, flags, name)


@pytest.mark.parametrize(
    ("off", "size", "errno", "text"),
    [
        (16, 4, EACCES, "cannot access ptr member next with moff 16 in struct outer with off 16 size 4\n"),
        (44, 4, EACCES, "cannot access ptr member p with moff 0 in struct (anon) with off 4 size 4\n"),
        (84, 16, EACCES, "access beyond struct outer at off 84 size 16\n"),
        (88, 8, EACCES, "access beyond the end of member numbers (mend:92) in struct outer with off 88 size 8\n"),
        (12, 1, EINVAL, "struct inner doesn't have field at offset 12\n"),
        (8, 8, EACCES, "access beyond the end of member y (mend:12) in struct inner with off 8 size 8\n"),
    ],
)
def test_refused(table, off, size, errno, text):
    btf, outer, _ = table
    with pytest.raises(WalkError) as caught:
        struct_access(btf, outer, off, size)
    assert (caught.value.errno, caught.value.text) == (errno, text)


def test_only_structs_have_fields(table):
    btf, _, _ = table
    with pytest.raises(WalkError, match="Type 'u32' is not a struct"):
        struct_access(btf, 1, 0, 4)
