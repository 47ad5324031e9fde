"""Merging and taking parts: equal types become one, and programs relocate the same against a subset."""

import pytest
from btf import tools
from hypothesis import given, settings
from hypothesis import strategies as st

from osmia.btf import Btf, Datasec, Enum, EnumValue, Func, FuncProto, Fwd, Int, Member, Param, Ptr, Struct, Var, VarSec
from osmia.btf.check import check
from osmia.btf.core import Matcher
from osmia.btf.core_spec import TYPE_ID_TARGET
from osmia.btf.merge import deduplicate, merge
from osmia.btf.refs import references, remap, shape
from osmia.btf.subset import by_name, needed_by, subset
from osmia.btf.text import dump_text
from osmia.errors import BtfError, UsageError


def ring(first="node"):
    """Two structs that point at each other, and themselves."""
    table = Btf()
    table.add(Int("int", 4, 1))
    table.add(Struct(first, 24, (Member("v", 1, 0), Member("next", 4, 64), Member("peer", 5, 128))))
    table.add(Struct("peer", 8, (Member("back", 4, 0),)))
    table.add(Ptr(2))
    table.add(Ptr(3))
    return table


def test_cycles_merge():
    made, maps = merge([ring(), ring(), ring("other")])
    assert maps[0] == maps[1] == [0, 1, 2, 3, 4, 5]
    assert [t.name for _, t in made].count("node") == 1
    assert [t.name for _, t in made].count("peer") == 2, "the peers point back at different structs"
    assert maps[2] == [0, 1, 6, 7, 8, 9]


def test_merging_is_stable():
    made, _ = merge([ring(), ring("other")])
    again, ids = deduplicate(made)
    assert dump_text(again) == dump_text(made)
    assert ids == list(range(len(made)))


def declared(name="later", union=False):
    table = Btf()
    table.add(Struct("holder", 8, (Member("p", 2, 0),)))
    table.add(Ptr(3))
    table.add(Fwd(name, union))
    return table


def defined(size=4):
    table = Btf()
    table.add(Int("int", 4, 1))
    table.add(Struct("holder", 8, (Member("p", 3, 0),)))
    table.add(Ptr(4))
    table.add(Struct("later", size, (Member("x", 1, 0),)))
    return table


@pytest.mark.parametrize("order", [(declared, defined), (defined, declared)])
def test_declarations_find_their_definition(order):
    made, _ = merge([make() for make in order])
    assert sorted(t.name for _, t in made if t.name) == ["holder", "int", "later"]
    assert made.find("later", Fwd) is None
    holder = made.type(made.find("holder"))
    assert made.type(made.type(holder.members[0].type_id).type_id) == made.type(made.find("later", Struct))
    check(made)


def test_a_union_is_no_struct():
    made, _ = merge([declared(union=True), defined()])
    assert made.find("later", Fwd)
    assert len(list(made.find_all("holder"))) == 2


def test_ambiguous_declarations_stay():
    made, _ = merge([declared(), defined(4), defined(8)])
    assert len(list(made.find_all("later", Struct))) == 2
    assert made.find("later", Fwd)


def test_enum_declarations():
    table = Btf()
    table.add(Enum("e", 4))
    table.add(Enum("e", 4, (EnumValue("A", 1),)))
    made, ids = deduplicate(table)
    assert ids == [0, 1, 1]
    assert made.type(1).values == (EnumValue("A", 1),)


def test_variables_and_sections_stay_apart():
    table = Btf()
    table.add(Int("int", 4, 1))
    for _ in range(2):
        table.add(Datasec(".data", 4, (VarSec(table.add(Var("x", 1)), 0, 4),)))
    assert len(deduplicate(table)[0]) == len(table)


def test_parameters_names_tell_prototypes_apart():
    table = Btf()
    table.add(Int("int", 4, 1))
    for name in ("a", "b", "a"):
        table.add(Func("f", table.add(FuncProto(0, (Param(name, 1),)))))
    assert len(deduplicate(table)[0]) == len(table) - 2


def test_references_to_nothing_are_refused():
    table = Btf()
    table.add(Ptr(7))
    with pytest.raises(BtfError, match="type 1 refers to type 7"):
        deduplicate(table)
    with pytest.raises(BtfError, match="split"):
        merge([Btf(ring())])
    with pytest.raises(BtfError, match="nothing"):
        merge([])


def test_equal_to_bpftool_gen_object(tmp_path):
    """libbpf's linker merges too; without variables and functions its table is ours."""
    bpftool = tools.need("bpftool")
    shared = (tools.HERE / "c/layouts.c").read_text().split("#define V")[0]
    paths = []
    for name, uses in (("a", ("p1", "p11", "p10", "p24")), ("b", ("p11", "p4", "p12", "p10")), ("c", ("p27", "p4"))):
        text = shared + "".join(f"static struct {u} v_{name}{i};\n" for i, u in enumerate(uses))
        taken = ", ".join(f"&v_{name}{i}" for i in range(len(uses)))
        text += f"void *use_{name}(void) {{ return (void *[]){{{taken}}}[0]; }}"
        paths.append(tools.compile_c(text, tmp_path / f"{name}.o"))
    tools.run(bpftool, "gen", "object", tmp_path / "linked.o", *paths)
    theirs, _ = tools.btf_of(tmp_path / "linked.o")
    ours, _ = merge([tools.btf_of(path)[0] for path in paths])

    def outline(table):
        return sorted(str(shape(t)) for _, t in table if not isinstance(t, Var | Datasec | Func))

    assert outline(ours) == outline(theirs)
    check(ours)


@st.composite
def graphs(draw):
    """Tables of structs and pointers that refer to one another at random."""
    size = draw(st.integers(1, 8))
    ids = st.integers(0, size)
    table = Btf()
    for _ in range(size):
        if draw(st.booleans()):
            table.add(Ptr(draw(ids)))
        else:
            table.add(Struct(draw(st.sampled_from("ab")), 8, (Member("m", draw(ids), 0),)))
    return table


@given(st.lists(graphs(), min_size=1, max_size=3))
@settings(max_examples=60)
def test_merged_types_are_the_types_that_went_in(tables):
    """Each old type and its new one look the same from every side; no two new ones do."""
    made, maps = merge(tables)
    for table, ids in zip(tables, maps, strict=True):
        for old, found in table:
            assert made.type(ids[old]) == remap(found, ids.__getitem__)
    again, _ = deduplicate(made)
    assert len(again) == len(made)


def test_subset_keeps_what_is_needed():
    table = ring()
    part = subset(table, by_name(table, ["struct node"]))
    assert dump_text(part) == dump_text(table)
    shallow = subset(table, by_name(table, ["node"]), depth=0)
    assert shallow.find("peer", Fwd)
    assert shallow.find("node", Struct)
    check(shallow)
    with pytest.raises(UsageError, match="no type 'nobody'"):
        by_name(table, ["nobody"])


def test_subset_trims_members_and_keeps_offsets():
    table = ring()
    node = table.find("node")
    part = subset(table, [node], keep={node: {1}})
    made = part.type(part.find("node"))
    assert made.size == 24
    assert [(m.name, m.bit_offset) for m in made.members] == [("next", 64)]
    assert part.find("peer") is None


def test_a_program_relocates_the_same_against_its_subset(tmp_path):
    local, ext = tools.btf_of(tools.compile_c(tools.HERE / "c/core_local.c", tmp_path / "local.o"))
    target, _ = tools.btf_of(tools.compile_c(tools.HERE / "c/core_target.c", tmp_path / "target.o"))
    relos = [r for rows in ext.core_relos.values() for r in rows]
    before = [Matcher(local, target).resolve(r) for r in relos]
    roots, keep = needed_by(before)
    small = Btf.parse(subset(target, roots, keep=keep).encode())
    check(small)
    assert len(small.encode()) < len(target.encode())
    for old in before:
        new = Matcher(local, small).resolve(old.relo)
        assert (new.poison, new.old_size, new.new_size, new.resize) == (
            old.poison, old.old_size, old.new_size, old.resize
        )  # fmt: skip
        assert new.new == old.new or old.relo.kind == TYPE_ID_TARGET


def test_references_and_remap_agree():
    for _, found in ring():
        assert references(remap(found, lambda i: i + 10)) == tuple(i + 10 for i in references(found))
