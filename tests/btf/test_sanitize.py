"""Program BTF for kernels that lack newer kinds: what stands in their place, and what stays where it was."""

from osmia.btf import Btf
from osmia.btf import types as t
from osmia.btf.sanitize import sanitize

ALL = {"btf-float", "btf-decl-tag", "btf-type-tag", "btf-enum64"}


def table():
    btf = Btf()
    number = btf.add(t.Int("int", 4, t.SIGNED))
    btf.add(t.Float("long double", 16))
    tag = btf.add(t.TypeTag("user", number))
    btf.add(t.Ptr(tag))
    struct = btf.add(t.Struct("s", 4, (t.Member("x", number, 0),)))
    btf.add(t.DeclTag("note", struct, 0))
    btf.add(t.Enum64("wide", 8, (t.EnumValue("A", 1 << 40), t.EnumValue("B", -1)), signed=True))
    btf.add(t.Enum("narrow", 4, (t.EnumValue("C", -1),), signed=True))
    return btf


def test_a_newer_kernel_gets_the_table_itself():
    btf = table()
    assert sanitize(btf, ALL) is btf


def test_an_old_kernel_gets_kinds_that_it_knows():
    old = table()
    made = sanitize(old, ())
    assert not made.ids(t.Float, t.DeclTag, t.TypeTag, t.Enum64)
    assert (
        made.type(2) == t.Struct("", 16, ()) and made.type(3) == t.Const(1) and made.type(6) == t.Int("note", 1, bits=8)
    )
    wide = made.type(7)
    assert isinstance(wide, t.Union) and wide.size == 8 and [m.name for m in wide.members] == ["A", "B"]
    assert not made.type(8).signed and made.type(4) == old.type(4) and made.type(5) == old.type(5)
    assert old.ids(t.Enum64)  # the given table is as it was


def test_strings_keep_their_places():
    old = table()
    place = next(i for i in range(old.strings_size) if old.str_at(i) == "narrow")
    assert sanitize(old, ()).str_at(place) == "narrow"


def test_only_what_is_missing():
    assert sanitize(table(), ALL - {"btf-type-tag"}).ids(t.Float, t.DeclTag, t.Enum64)


def test_it_is_still_a_table():
    made = sanitize(table(), ())
    assert Btf.parse(made.encode()).encode() == made.encode()
