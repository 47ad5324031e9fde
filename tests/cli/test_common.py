import json

import click
import pytest

from osmia.cli import common
from osmia.errors import AsmError, CompileError, Fault, InternalError, KernelError, OsmiaError, Unavailable, UsageError


def group_raising(error):
    @click.group()
    def group():
        pass

    @group.command()
    @click.option("--json", "as_json", is_flag=True)
    def go(as_json):
        raise error

    return group


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (AsmError("no such mnemonic", file="a.s", line=3, column=7), 2, "osmia: a.s:3:7: no such mnemonic\n"),
        (Fault("read of 8 bytes", pc=4), 1, "osmia: insn 4: read of 8 bytes\n"),
        (Unavailable("no compiler"), 3, "osmia: no compiler\n"),
        (FileNotFoundError(2, "No such file or directory", "x.o"), 2, "osmia: x.o: No such file or directory\n"),
        (CompileError("said no", "a.c:1:1: error: x\n", file="a.c"), 2, "a.c:1:1: error: x\nosmia: a.c: said no\n"),
        (KernelError("BPF_PROG_LOAD", 13, "R0 !read_ok\n"), 1, "R0 !read_ok\nosmia: BPF_PROG_LOAD: EACCES\n"),
        (KeyboardInterrupt(), 130, None),
    ],
)
def test_one_clear_line_and_the_status_of_the_class(error, status, words, capsys):
    assert common.guarded(group_raising(error), ["go"]) == status
    out, err = capsys.readouterr()
    assert out == ""
    if words is not None:
        assert err == words


@pytest.mark.parametrize("error", [ZeroDivisionError("x"), InternalError("x"), RecursionError("deep"), MemoryError()])
def test_our_own_bugs_say_so(error, capsys, monkeypatch):
    monkeypatch.delenv("OSMIA_DEBUG", raising=False)
    assert common.guarded(group_raising(error), ["go"]) == 70
    err = capsys.readouterr().err
    assert "please report it" in err and "Traceback" not in err and err.count("\n") == 1
    monkeypatch.setenv("OSMIA_DEBUG", "1")
    assert common.guarded(group_raising(error), ["go"]) == 70
    assert "Traceback" in capsys.readouterr().err


def test_json_errors_on_request(capsys, monkeypatch):
    error = AsmError("no such mnemonic", file="a.s", line=3)
    assert common.guarded(group_raising(error), ["go", "--json"]) == 2
    facts = json.loads(capsys.readouterr().err)
    assert facts == {"error": "AsmError", "message": "no such mnemonic", "file": "a.s", "line": 3, "exit_status": 2}
    monkeypatch.setenv("OSMIA_JSON", "1")
    assert common.guarded(group_raising(OsmiaError("x")), ["nope"]) == 2
    assert "No such command" in json.loads(capsys.readouterr().err)["message"]


def test_a_reader_that_left(capsys):
    assert common.guarded(group_raising(BrokenPipeError(32, "Broken pipe")), ["go"]) == 141
    assert capsys.readouterr().err == ""


def test_usage_and_help(capsys):
    assert common.guarded(group_raising(None), ["go", "--frobnicate"]) == 2
    assert "No such option" in capsys.readouterr().err
    assert common.guarded(group_raising(None), ["--help"]) == 0
    assert "Usage: osmia" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (b"\x7fELF\x02\x01", "x.txt", "object"), (b"not elf", "x.o", "object"), (b"int f;", "x.c", "c"),
        (b"#include <linux/bpf.h>\nint f;", "<stdin>", "c"), (b'SEC("xdp") int f(void *c) { return 2; }', "-", "c"),
        (b"r0 = 1\nexit\n", "<stdin>", "asm"), (b"exit", "a.s", "asm"),
        (b"95 00 00 00 00 00 00 00\n", "<stdin>", "hex"),
        (b"\x95" + bytes(7), "<stdin>", "raw"), (b"abc", "x.bin", "raw"), (b"\xff\xfe\xfd", "", "raw"),
    ],
)  # fmt: skip
def test_kinds_by_content_and_suffix(data, name, kind, tmp_path):
    from osmia.inputs import kind_of

    assert kind_of(data, name) == kind


def test_read_input(tmp_path, monkeypatch):
    (tmp_path / "a.s").write_text("exit\n")
    assert common.read_input(tmp_path / "a.s") == (b"exit\n", str(tmp_path / "a.s"), "asm")
    (tmp_path / "empty").write_bytes(b"")
    for bad in ("empty", "missing", ".", "nul\0"):
        with pytest.raises(UsageError):
            common.read_input(f"{tmp_path}/{bad}")
