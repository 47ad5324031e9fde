"""Commands that take a program take all of its forms; --json tells what was made."""

import json

import pytest

from osmia import cc
from osmia.cli.main import main
from osmia.errors import Unavailable

C = """#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
SEC("xdp") int f(struct xdp_md *c) { return c->ingress_ifindex ? XDP_PASS : XDP_DROP; }
char l[] SEC("license") = "GPL";
"""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f.bpf.c").write_text(C)
    (tmp_path / "a.s").write_text("r0 = 1\nr1 = 2 ll\nexit\n")


@pytest.fixture
def osmia(capsys):
    def run(*args, status=0):
        assert main(list(args)) == status
        return capsys.readouterr()

    return run


@pytest.fixture
def compiler():
    try:
        cc.find_compiler()
    except Unavailable as e:
        pytest.skip(str(e))


def test_c_is_an_object_to_every_command(osmia, compiler):
    assert "<f>:" in osmia("disasm", "f.bpf.c").out
    assert "STRUCT 'xdp_md'" in osmia("btf", "dump", "f.bpf.c").out
    assert "sound" in osmia("btf", "check", "f.bpf.c").out
    assert json.loads(osmia("link", "f.bpf.c", "-o", "x.o", "--json").out)["files"] == 1
    assert "license GPL" in osmia("inspect", "x.o").out


def test_cc_tells_what_it_wrote(osmia, compiler, tmp_path):
    facts = json.loads(osmia("cc", "--json", "f.bpf.c", "--", "-DXDP_FOO").out)
    assert facts["file"] == "f.bpf.o" and facts["bytes"] == (tmp_path / "f.bpf.o").stat().st_size
    assert facts["warnings"] == "" and "cl" in facts["compiler"]
    assert "name one with -o" in osmia("cc", "--json", "-o", "-", "f.bpf.c", status=2).err


@pytest.mark.parametrize("args", [["prog.o"], ["prog.o", "-o", "./prog.o"], ["a.s", "--emit", "asm"]])
def test_cc_never_overwrites_its_source(osmia, tmp_path, args):
    (tmp_path / "prog.o").write_bytes(b"precious")
    assert "would overwrite the source" in osmia("cc", *args, status=2).err
    assert (tmp_path / "prog.o").read_bytes() == b"precious"


def test_instructions_as_json(osmia):
    insns = json.loads(osmia("asm", "a.s", "--json").out)["insns"]
    assert [i["imm"] for i in insns] == [1, 2, 0, 0] and insns[0]["hex"] == "b700000001000000"
    (program,) = json.loads(osmia("disasm", "a.s", "--json", "--dialect", "kernel").out)["programs"]
    assert [(i["slot"], i["text"]) for i in program["insns"]] == [
        (0, "(b7) r0 = 1"), (1, "(18) r1 = 0x2"), (3, "(95) exit"),
    ]  # fmt: skip
    assert json.loads(osmia("asm", "a.s", "-o", "a.o", "--json").out)["format"] == "object"


def test_btf_tells_what_it_wrote(osmia, compiler):
    facts = json.loads(osmia("btf", "merge", "f.bpf.c", "-o", "x.btf", "--json").out)
    assert facts["file"] == "x.btf" and facts["types"] > 5
    assert "types" in osmia("btf", "subset", "f.bpf.c", "-t", "xdp_md", "-o", "y.btf").err


def test_tables_fit_narrow_terminals(osmia, monkeypatch, compiler):
    from osmia.cli import inspect

    monkeypatch.setattr(inspect.sys.stdout, "isatty", lambda: True, raising=False)
    for columns, ruled in ((40, False), (160, True)):
        monkeypatch.setenv("COLUMNS", str(columns))
        out = osmia("inspect", "f.bpf.c").out
        assert "progbits" in out and "…" not in out and ("──" in out) == ruled
