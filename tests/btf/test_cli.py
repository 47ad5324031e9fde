"""``osmia btf`` and ``osmia link`` as people run them."""

import json

import pytest
from btf import tools

from osmia.btf import Btf, Fwd, Struct
from osmia.cli.main import main


@pytest.fixture
def objects(tmp_path):
    local = tools.compile_c(tools.HERE / "c/core_local.c", tmp_path / "local.o")
    target = tools.compile_c(tools.HERE / "c/core_target.c", tmp_path / "target.o")
    return str(local), str(target), tmp_path


def test_dump(objects, capsys):
    local, target, _ = objects
    assert main(["btf", "dump", target, "-t", "inner"]) == 0
    assert capsys.readouterr().out.splitlines()[0].endswith("STRUCT 'inner' size=16 vlen=3")
    assert main(["btf", "dump", target, "--json", "-t", "enum color"]) == 0
    (made,) = json.loads(capsys.readouterr().out)["types"]
    assert [v["name"] for v in made["values"]] == ["BLACK", "RED", "GREEN", "BLUE"]
    assert main(["btf", "dump", "--c", target, "-t", "struct inner"]) == 0
    assert capsys.readouterr().out == "struct inner {\n\tlong before;\n\tint b;\n\tint a;\n};\n"
    assert main(["btf", "dump", "-c", local]) == 0
    assert capsys.readouterr().out.startswith("#ifndef __VMLINUX_H__\n")


def test_merge_subset_check(objects, capsys):
    local, target, room = objects
    both, small = str(room / "both.btf"), str(room / "small.btf")
    assert main(["btf", "merge", local, target, "-o", both, "--byteorder", "big"]) == 0
    assert Btf.parse((room / "both.btf").read_bytes()).byteorder == "big"
    assert main(["btf", "subset", target, "--for", local, "-o", small]) == 0
    table = Btf.parse((room / "small.btf").read_bytes())
    assert table.type(table.find("moved", Struct)).size == 336
    assert len(table) < len(tools.btf_of(room / "target.o")[0])
    assert main(["btf", "subset", target, "-t", "callback_t", "--depth", "1", "-o", small]) == 0
    assert Btf.parse((room / "small.btf").read_bytes()).find("moved", Fwd)
    capsys.readouterr()
    assert main(["btf", "check", both, small, "--json"]) == 0
    assert [json.loads(line)["byteorder"] for line in capsys.readouterr().out.splitlines()] == ["big", "little"]


def test_link(objects, capsys):
    local, _, room = objects
    out = room / "linked.o"
    assert main(["link", local, "-o", str(out)]) == 0
    assert tools.btf_of(out)[0].find("moved", Struct)
    assert main(["link", local, local, "-o", str(out)]) == 2
    assert "is defined again" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["dump", "nowhere.o"], "nowhere.o: No such file"),
        (["dump", __file__], "the magic number is missing"),
        (["check", "{local}", "-t"], "No such option"),
        (["dump", "{local}", "-t", "nobody"], "there is no type 'nobody'"),
        (["dump", "{local}", "-t", "9999"], "there is no type 9999"),
    ],
)
def test_errors_are_one_line(objects, capsys, args, words):
    assert main(["btf", *(a.format(local=objects[0]) for a in args)]) == 2
    assert words in capsys.readouterr().err
