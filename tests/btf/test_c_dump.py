"""C headers made from BTF: clang accepts them and gives every member its recorded place."""

import random

import pytest
from btf import tools

from osmia.btf import (
    Array,
    Btf,
    Const,
    Enum,
    Enum64,
    EnumValue,
    Fwd,
    Int,
    Member,
    Ptr,
    Struct,
    Typedef,
    Union,
    Volatile,
)  # fmt: skip
from osmia.btf import types as t
from osmia.btf.c_dump import dump_c
from osmia.btf.c_names import Names, declare
from osmia.btf.layout import members
from osmia.errors import BtfError


def places(table, type_id):
    """Every member with its place, those apart that only fill a gap."""
    found = ((m.path, m.bit_offset, m.bitfield_size) for m in members(table, type_id))
    return [m for m in found if not m[0].startswith("__gap_")]


def check_layouts(table, tmp_path):
    """Compile the header with a variable of every struct, and compare what clang says about them."""
    names = Names(table)
    composites = [i for i, x in table if isinstance(x, t.Composite) and x.name and x.size < 1 << 20]
    variables = "".join(f"{names.spell(i)} v_{i};\n" for i in composites)
    source = "#define BPF_NO_PRESERVE_ACCESS_INDEX\n" + dump_c(table) + variables
    again, _ = tools.btf_of(tools.compile_c(source, tmp_path / "again.o"))
    for i in composites:
        there = again.type(again.find(f"v_{i}", t.Var)).type_id
        assert again.type(there).size == table.type(i).size, names.spell(i)
        assert places(again, there) == places(table, i), names.spell(i)
    return len(composites)


def test_layouts_survive_the_compiler(tmp_path):
    table, _ = tools.btf_of(tools.compile_c(tools.HERE / "c/layouts.c", tmp_path / "x.o"))
    assert check_layouts(table, tmp_path) > 25


def random_struct(rng, depth=0):
    """The inside of a C struct with members of all sorts."""
    lines = []
    for i in range(rng.randint(1, 6)):
        kind = rng.choice(["char", "short", "int", "long", "unsigned long long", "void *", "__int128", "double"])
        align = f" __attribute__((aligned({rng.choice([2, 4, 8, 16, 64])})))" if rng.random() < 0.15 else ""
        choice = rng.random()
        if choice < 0.3:
            width = rng.choice([8, 16, 32, 64])
            base = {8: "char", 16: "short", 32: "int", 64: "long"}[width]
            name = f"f{depth}_{i}" if rng.random() < 0.8 else ""
            lines.append(f"unsigned {base} {name}:{rng.randint(0 if not name else 1, width)};")
        elif choice < 0.5 and depth < 3:
            word, name = rng.choice(["struct", "union"]), rng.choice(["", f"f{depth}_{i}"])
            packed = rng.choice(["", " __attribute__((packed))"])
            inside = random_struct(rng, depth * 10 + i + 1) if depth < 1 else f"int a{depth * 100 + i};"
            lines.append(f"{word} {{ {inside} }}{packed} {name}{align};")
        else:
            lines.append(f"{kind} f{depth}_{i}{rng.choice(['', '', '[3]', '[2][2]'])}{align};")
    return " ".join(lines)


@pytest.mark.parametrize("seed", range(6))
def test_random_layouts_survive_the_compiler(seed, tmp_path):
    rng = random.Random(seed)
    source = ""
    for n in range(40):
        word = rng.choice(["struct", "struct", "union"])
        tail = rng.choice(["", "", " __attribute__((packed))", " __attribute__((aligned(32)))"])
        source += f"{word} s{n} {{ {random_struct(rng)} }}{tail};\n{word} s{n} v{n};\n"
    table, _ = tools.btf_of(tools.compile_c(source, tmp_path / "x.o"))
    assert check_layouts(table, tmp_path) == 40


def compiles(table, tmp_path, roots=None):
    text = dump_c(table, roots)
    tools.compile_c(text + "\nint use(void) { return 0; }\n", tmp_path / "x.o", "-Werror=duplicate-decl-specifier")
    return text


def test_the_kernels_task_struct_compiles(tmp_path):
    table = tools.kernel()
    wanted = [table.find(name, Struct) for name in ("task_struct", "sk_buff", "net_device", "bpf_prog")]
    text = compiles(table, tmp_path, wanted)
    assert "struct task_struct {" in text


@pytest.mark.slow
def test_the_whole_kernel_survives_the_compiler(tmp_path):
    assert check_layouts(tools.kernel(), tmp_path) > 5000


def clashing():
    """Two structs, two typedefs and two enumerators of one name, and a struct that needs what comes later."""
    table = Btf()
    number = table.add(Int("int", 4, 1))
    for value in (1, 2):
        table.add(Struct("twin", 4 * value, tuple(Member(f"m{i}", number, 32 * i) for i in range(value))))
        table.add(Typedef("twin_t", number))
        table.add(Enum("", 4, (EnumValue("SAME", value),)))
    assert table.add(Struct("early", 16, (Member("a", 9, 0), Member("later", 10, 64)))) == 8
    table.add(Ptr(10))
    table.add(Typedef("late_t", 12))
    table.add(Ptr(8))
    table.add(Struct("late", 8, (Member("back", 11, 0),)))
    return table


def test_names_that_clash(tmp_path):
    text = compiles(clashing(), tmp_path)
    assert "struct twin___2 {" in text
    assert "twin_t___2;" in text
    assert "SAME___2 = 2," in text
    assert text.index("struct late {") < text.index("struct early {")


def test_declarators():
    table = Btf()
    number = table.add(Int("int", 4, 1))
    names = Names(table)
    pointer = table.add(Ptr(table.add(Const(number))))
    assert declare(names, table.add(Const(pointer)), "x") == "const int * const x"
    array = table.add(Array(pointer, number, 3))
    assert declare(names, table.add(Ptr(array)), "x") == "const int *(*x)[3]"
    proto = table.add(t.FuncProto(array, (t.Param("a", number), t.Param("", 0))))
    assert declare(names, table.add(Ptr(proto)), "f") == "const int *(*f)(int a, ...)[3]"
    assert declare(names, table.add(t.FuncProto(0)), "g") == "void g(void)"
    assert declare(names, table.add(Volatile(table.add(Array(number, number, 2)))), "v") == "volatile int v[2]"
    assert declare(names, table.add(Ptr(table.add(t.TypeTag("user", 0)))), "u") == (
        'void __attribute__((btf_type_tag("user"))) *u'
    )


def test_foreign_names_become_c(tmp_path):
    table = Btf()
    byte = table.add(Int("u8", 1))
    text = table.add(Struct("core::fmt::Arguments<'_>", 1, (Member("0", byte, 0),)))
    table.add(Enum64("", 8, (EnumValue("LEAST", -(2**63)), EnumValue("ONE", 1)), signed=True))
    table.add(Union("u", 1, (Member("a", text, 0),)))
    table.add(Fwd("u_later", True))
    made = compiles(table, tmp_path)
    assert "typedef unsigned char u8;" in made
    assert "struct core__fmt__Arguments____ {" in made


def test_types_without_end_are_refused():
    table = Btf()
    table.add(Struct("a", 8, (Member("b", 2, 0),)))
    table.add(Struct("b", 8, (Member("a", 1, 0),)))
    with pytest.raises(BtfError, match=r"contains itself|nest"):
        dump_c(table)
    table = Btf()
    table.add(Struct("", 8, (Member("", 1, 0),)))
    table.add(Typedef("loop", 1))
    with pytest.raises(BtfError, match="nest"):
        dump_c(table)
