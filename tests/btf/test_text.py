"""The rows of ``osmia btf dump`` are bpftool's."""

import json

import pytest
from btf import tools

from osmia.btf import Btf, Enum, EnumValue, Fwd, Struct, TypeTag
from osmia.btf.text import dump_text, row


@pytest.mark.parametrize("source", ["layouts", "core_local", "core_target"])
def test_equal_to_bpftool(source, tmp_path):
    path = tools.compile_c(tools.HERE / f"c/{source}.c", tmp_path / "x.o")
    bpftool = tools.need("bpftool")
    table, _ = tools.btf_of(path)
    assert dump_text(table) == tools.run(bpftool, "btf", "dump", "file", path)
    theirs = json.loads(tools.run(bpftool, "btf", "dump", "file", path, "-j"))["types"]
    for one in theirs:  # bpftool prints unsigned 32-bit values sign-extended in JSON
        for value in one.get("values", ()):
            if one["kind"] == "ENUM" and one["encoding"] == "UNSIGNED":
                value["val"] &= 0xFFFFFFFF
    assert [row(table, i) for i in range(1, len(table))] == theirs


def test_rows_by_hand():
    table = Btf()
    table.add(Fwd("later", is_union=True))
    table.add(TypeTag("rcu", 1))
    table.add(Enum("e", 4, (EnumValue("A", -1),), signed=True))
    table.add(Struct("", 0))
    assert dump_text(table) == (
        "[1] FWD 'later' fwd_kind=union\n[2] TYPE_TAG 'rcu' type_id=1\n"
        "[3] ENUM 'e' encoding=SIGNED size=4 vlen=1\n\t'A' val=-1\n[4] STRUCT '(anon)' size=0 vlen=0\n"
    )
    assert dump_text(table, [1]) == "[1] FWD 'later' fwd_kind=union\n"


@pytest.mark.slow
def test_the_kernels_table_equals_bpftools(tmp_path):
    assert dump_text(tools.kernel()) == tools.run(tools.need("bpftool"), "btf", "dump", "file", tools.VMLINUX)
