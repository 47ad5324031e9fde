"""CO-RE: the answers of libbpf for every relocation kind, and the rules one by one."""

import subprocess

import pytest
from btf import tools

from osmia.btf import Array, Btf, Const, Enum, EnumValue, Fwd, Int, Member, Ptr, Struct, Typedef, Union
from osmia.btf.core import Matcher
from osmia.btf.core_patch import POISON, apply, patch
from osmia.btf.core_spec import (
    ENUMVAL_EXISTS,
    ENUMVAL_VALUE,
    FIELD_BYTE_OFFSET,
    FIELD_BYTE_SIZE,
    FIELD_EXISTS,
    FIELD_LSHIFT_U64,
    FIELD_RSHIFT_U64,
    FIELD_SIGNED,
    KINDS,
    TYPE_EXISTS,
    TYPE_ID_LOCAL,
    TYPE_ID_TARGET,
    TYPE_MATCHES,
    TYPE_SIZE,
    essential_name,
)  # fmt: skip
from osmia.btf.ext import CoreRelo
from osmia.btf.types import SIGNED
from osmia.errors import CoreError
from osmia.isa import Insn, decode, encode
from osmia.obj.elf import ElfFile


def compile_pair(tmp_path):
    local = tools.compile_c(tools.HERE / "c/core_local.c", tmp_path / "local.o")
    target = tools.compile_c(tools.HERE / "c/core_target.c", tmp_path / "target.o")
    return local, target


def judge(tmp_path):
    """The program that lets libbpf relocate an object and prints the instructions."""
    out = tmp_path / "judge"
    built = subprocess.run(
        [tools.need("gcc", "cc"), "-o", out, tools.HERE / "libbpf_insns.c", "-lbpf"], capture_output=True
    )
    if built.returncode:
        pytest.skip("no libbpf to compile with")
    return out


def functions(path, target):
    """The relocated instructions of every function of an object."""
    local, ext = tools.btf_of(path)
    elf = ElfFile(path.read_bytes())
    for section in elf.sections:
        if section.name in ext.core_relos:
            insns, results = apply(decode(elf.contents(section)), ext.core_relos[section.name], local, target)
            for symbol in elf.symbols:
                if symbol.type == 2 and symbol.section == section.number:
                    end = symbol.value + symbol.size
                    here = [r for r in results if symbol.value <= r.relo.insn_off < end]
                    yield symbol.name, insns[symbol.value // 8 : end // 8], here


def test_equal_to_libbpf(tmp_path):
    path, target_path = compile_pair(tmp_path)
    target, _ = tools.btf_of(target_path)
    raw = tmp_path / "target.btf"
    raw.write_bytes(target.encode())
    lines = tools.run(judge(tmp_path), path, raw).splitlines()[1:]
    theirs = {name: "".join(words) for name, *words in map(str.split, lines)}
    ours = {name: encode(insns).hex() for name, insns, _ in functions(path, target)}
    assert ours == theirs
    assert len(ours) == 8


def test_every_kind_is_there_and_poison_has_a_reason(tmp_path):
    path, target_path = compile_pair(tmp_path)
    target, _ = tools.btf_of(target_path)
    results = {name: (insns, rows) for name, insns, rows in functions(path, target)}
    assert {r.relo.kind for _, rows in results.values() for r in rows} == set(range(len(KINDS)))
    insns, rows = results["poison"]
    spoiled = [r for r in rows if r.poison]
    assert insns.count(POISON) == len(spoiled) + 1, "a 64-bit load is spoiled in both slots"
    assert sorted(r.reason for r in spoiled) == [
        "enum color has no NO_SUCH in the target",
        "struct moved has no gone of a fitting type in the target",
        "the target has no struct missing",
    ]
    assert "struct missing.x (0:0 @ offset 0): the target has no struct missing" in {
        str(r).split("] ", 1)[1] for r in spoiled
    }


def table(*types):
    made = Btf()
    made.add(Int("int", 4, SIGNED))
    made.add(Int("unsigned int", 4))
    made.add(Int("long", 8, SIGNED))
    made.add(Ptr(0))
    for one in types:
        made.add(one)
    return made


INT, UINT, LONG, POINTER, FIRST = 1, 2, 3, 4, 5


def answer(local, target, access, kind, type_id=FIRST):
    relo = CoreRelo(0, type_id, local.add_str(access), kind)
    return Matcher(local, target).resolve(relo)


def test_essential_names():
    assert essential_name("task_struct___old") == "task_struct"
    assert essential_name("task_struct") == "task_struct"
    assert essential_name("a___b___c") == "a___b"
    assert essential_name("a____b") == "a____b"
    assert essential_name("___b") == "___b"
    assert essential_name("a___") == "a___"


def test_members_inside_anonymous_structs_are_found():
    local = table(Struct("s", 4, (Member("x", INT, 0),)))
    inner = Struct("", 8, (Member("w", INT, 0), Member("x", INT, 32)))
    target = table(
        Struct("s", 24, (Member("pad", LONG, 0), Member("", 6, 64))), Union("", 8, (Member("", 7, 0),)), inner
    )
    result = answer(local, target, "0:0", FIELD_BYTE_OFFSET)
    assert (result.old, result.new) == (0, 12)
    assert str(result.target) == "<byte_off> [5] struct s.x (0:1:0:1 @ offset 12)"


def test_a_second_element_of_a_pointer():
    local, target = table(Struct("s", 8, (Member("x", INT, 32),))), table(Struct("s", 20, (Member("x", INT, 64),)))
    result = answer(local, target, "2:0", FIELD_BYTE_OFFSET)
    assert (result.old, result.new) == (20, 48)
    assert str(result.local) == "<byte_off> [5] struct s[2].x (2:0 @ offset 20)"


def test_arrays_must_be_long_enough_unless_flexible():
    def with_array(length, last=True):
        tail = () if last else (Member("end", INT, 256),)
        return table(Struct("s", 40, (Member("a", 6, 32), *tail)), Array(INT, INT, length))

    local = with_array(4)
    assert answer(local, with_array(2), "0:0:3", FIELD_EXISTS).new == 0
    assert answer(local, with_array(9), "0:0:3", FIELD_BYTE_OFFSET).new == 16
    assert answer(local, with_array(0), "0:0:3", FIELD_BYTE_OFFSET).new == 16
    assert answer(local, with_array(0, last=False), "0:0:3", FIELD_EXISTS).new == 0


def test_fields_of_another_kind_do_not_match():
    local = table(Struct("s", 4, (Member("x", INT, 0),)))
    for other, found in ((UINT, 1), (LONG, 1), (POINTER, 0), (6, 0), (7, 0), (8, 1)):
        target = table(
            Struct("s", 8, (Member("x", other, 0),)), Struct("t", 4), Enum("e", 4, (EnumValue("A", 0),)), Const(INT)
        )
        assert answer(local, target, "0:0", FIELD_EXISTS).new == found, other


def test_candidates_that_disagree_are_an_error():
    local = table(Struct("s", 4, (Member("x", INT, 0),)))
    two = table(Struct("s", 8, (Member("x", INT, 0),)), Struct("s", 8, (Member("x", INT, 32),)))
    with pytest.raises(CoreError, match=r"ambiguous.*different offsets"):
        answer(local, two, "0:0", FIELD_BYTE_OFFSET)
    with pytest.raises(CoreError, match="ambiguous"):
        answer(local, table(Struct("s", 8), Struct("s", 12)), "0", TYPE_SIZE)
    same = table(Struct("s", 8, (Member("x", INT, 0),)), Struct("s___other", 16, (Member("x", INT, 0),)))
    assert answer(local, same, "0:0", FIELD_BYTE_OFFSET).new == 0


def test_bitfields():
    local = table(Struct("s", 4, (Member("x", UINT, 3, 5),), True))
    target = table(Struct("s", 8, (Member("x", INT, 29, 7),), True))
    assert answer(local, target, "0:0", FIELD_BYTE_OFFSET).new == 0
    assert answer(local, target, "0:0", FIELD_BYTE_SIZE).new == 8
    assert answer(local, target, "0:0", FIELD_LSHIFT_U64).new == 64 - 36
    assert answer(local, target, "0:0", FIELD_RSHIFT_U64).new == 57
    assert answer(local, target, "0:0", FIELD_SIGNED).new == 1
    target.byteorder = "big"
    assert answer(local, target, "0:0", FIELD_LSHIFT_U64).new == 29
    wide = table(Struct("s", 16, (Member("x", LONG, 60, 7),), True))
    with pytest.raises(CoreError, match="does not fit"):
        answer(local, wide, "0:0", FIELD_BYTE_SIZE)


def test_types():
    local = table(Struct("s", 4, (Member("x", INT, 0),)), Typedef("s_t", FIRST), Fwd("u"))
    target = table(Struct("s", 12, (Member("y", INT, 0), Member("x", INT, 32))), Typedef("s_t", FIRST), Union("s", 1))
    assert answer(local, target, "0", TYPE_SIZE).new == 12
    assert answer(local, target, "0", TYPE_EXISTS, 6).new == 1
    assert answer(local, target, "0", TYPE_MATCHES).new == 1
    assert answer(local, target, "0", TYPE_ID_TARGET).new == 5
    assert answer(local, target, "0", TYPE_ID_LOCAL, 6).new == 6
    missing = answer(local, table(), "0", TYPE_SIZE)
    assert (missing.new, missing.poison, missing.reason) == (0, False, "the target has no struct s")
    assert answer(local, table(Struct("s", 12, (Member("x", LONG, 0),))), "0", TYPE_MATCHES).new == 0


def test_enumerators():
    local = table(Enum("e___v2", 4, (EnumValue("A___old", 7), EnumValue("B", 8))))
    target = table(Enum("e", 4, (EnumValue("Z", 0), EnumValue("A", -3)), signed=True))
    assert answer(local, target, "0", ENUMVAL_VALUE).new == 2**64 - 3
    assert answer(local, target, "1", ENUMVAL_EXISTS).new == 0
    poisoned = answer(local, target, "1", ENUMVAL_VALUE)
    assert poisoned.poison
    assert str(poisoned) == "<enumval_value> [5] enum e___v2::B = 8: enum e has no B in the target"


@pytest.mark.parametrize(
    ("access", "kind", "type_id", "reason"),
    [
        ("", FIELD_EXISTS, FIRST, "no access string"),
        ("0:", FIELD_EXISTS, FIRST, "no access string"),
        ("0:-1", FIELD_EXISTS, FIRST, "no access string"),
        ("0:7", FIELD_EXISTS, FIRST, "no member number 7"),
        ("0:0:0", FIELD_EXISTS, FIRST, "no parts"),
        (":".join("0" * 65), FIELD_EXISTS, FIRST, "64 is the most"),
        ("1", TYPE_SIZE, FIRST, "type relocation is '0'"),
        ("3", ENUMVAL_VALUE, FIRST, "no enumerator"),
        ("0", FIELD_EXISTS, 99, "no type 99"),
        ("0", TYPE_SIZE, POINTER, "no name"),
        ("0", 13, FIRST, "kind 13"),
    ],
)
def test_broken_specs(access, kind, type_id, reason):
    local = table(Struct("s", 4, (Member("x", INT, 0),)))
    with pytest.raises(CoreError, match=reason):
        answer(local, local, access, kind, type_id)


def test_patching_checks_the_instruction():
    local, target = table(Struct("s", 8, (Member("x", INT, 32),))), table(Struct("s", 16, (Member("x", INT, 96),)))
    result = answer(local, target, "0:0", FIELD_BYTE_OFFSET)
    insns = [Insn(0x61, 1, 2, 4, 0)]
    patch(insns, 0, result)
    assert insns == [Insn(0x61, 1, 2, 12, 0)]
    for insn, reason in (
        (Insn(0x61, 1, 2, 5, 0), "the offset is 5, where the relocation expects 4"),
        (Insn(0xB7, 1, 0, 0, 9), "the immediate is 9"),
        (Insn(0xBF, 1, 2, 0, 0), "no immediate"),
        (Insn(0x05, 0, 0, 4, 0), "can't be relocated"),
        (Insn(0x18, 1, 1, 0, 4), "pseudo source"),
    ):
        with pytest.raises(CoreError, match=reason):
            patch([insn], 0, result)
    with pytest.raises(CoreError, match="outside"):
        patch([], 0, result)


def test_widths_change_only_where_that_is_safe():
    def one(member):
        return table(Struct("s", 16, (Member("x", member, 0),)))

    def patched(old, new, code=0x61):
        insns = [Insn(code, 1, 2, 0, 0)]
        return insns, patch(insns, 0, answer(one(old), one(new), "0:0", FIELD_BYTE_OFFSET))

    unsigned_long = Int("unsigned long", 8)
    target = table(Struct("s", 16, (Member("x", 6, 0),)), unsigned_long)
    insns = [Insn(0x61, 1, 2, 0, 0)]
    patch(insns, 0, answer(one(UINT), target, "0:0", FIELD_BYTE_OFFSET))
    assert insns[0].code == 0x79, "unsigned integers may be read wider"
    insns, result = patched(INT, LONG)
    assert insns == [POISON]
    assert "the field has 4 bytes in the program and 8 in the target" in result.reason


def test_shapes_nested_without_end_are_an_error_not_a_hang():
    local = table(Struct("s", 8, (Member("a", FIRST, 0), Member("b", FIRST, 0))))
    with pytest.raises(CoreError, match="nest too deep"):
        answer(local, local, "0", TYPE_MATCHES)
    looping = table(Struct("s", 8, (Member("", FIRST, 0), Member("", FIRST, 0))))
    wanted = table(Struct("s", 8, (Member("x", INT, 0),)))
    assert answer(wanted, looping, "0:0", FIELD_EXISTS).new == 0
