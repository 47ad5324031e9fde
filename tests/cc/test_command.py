"""``osmia cc`` as people call it."""

import io
import json
import sys

import pytest
from cc.compilers import COMPILERS

from osmia.cli.main import main

pytestmark = pytest.mark.skipif(not COMPILERS, reason="no compiler with the BPF target")


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.bpf.c").write_text("#ifdef BAD\nint x = ;\n#endif\nint answer = 42;\n")
    return tmp_path


def test_the_object_gets_the_sources_name(place) -> None:
    assert main(["cc", "p.bpf.c"]) == 0
    assert (place / "p.bpf.o").read_bytes()[:4] == b"\x7fELF"
    assert main(["cc", "p.bpf.c", "--emit", "asm", "--big", "--cpu", "v1"]) == 0
    assert "answer" in (place / "p.bpf.s").read_text()


def test_output_and_arguments_for_clang(place) -> None:
    assert main(["cc", "p.bpf.c", "-o", "here.o", "-D", "A=1", "-I", ".", "--", "-Wall", "-O1"]) == 0
    assert (place / "here.o").exists()


def test_standard_input_and_output(place, monkeypatch, capfdbinary) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"int x;\n")))
    assert main(["cc", "-"]) == 0
    sys.stdout.flush()
    assert capfdbinary.readouterr().out[:4] == b"\x7fELF"


def test_a_refusal_shows_the_compilers_words(place, capsys) -> None:
    assert main(["cc", "p.bpf.c", "-DBAD"]) == 2
    words = capsys.readouterr().err
    assert "p.bpf.c:2:9: error: expected expression" in words
    assert words.endswith("osmia: p.bpf.c:2:9: expected expression\n")
    assert not (place / "p.bpf.o").exists()


@pytest.mark.parametrize("arguments, status", [
    (["absent.c"], 2), (["p.bpf.c", "-o", "no/such/place.o"], 2), (["p.bpf.c", "--compiler", "no-such-clang"], 3),
    (["p.bpf.c", "--emit", "exe"], 2), ([], 2), (["p.bpf.c", "--vmlinux", "p.bpf.c"], 2),
])  # fmt: skip
def test_statuses(place, arguments, status, capsys) -> None:
    assert main(["cc", *arguments]) == status
    assert "Traceback" not in capsys.readouterr().err


def test_errors_for_scripts(place, capsys, monkeypatch) -> None:
    monkeypatch.setenv("OSMIA_JSON", "1")
    assert main(["cc", "p.bpf.c", "-DBAD"]) == 2
    said = json.loads(capsys.readouterr().err)
    assert (said["error"], said["line"], said["message"]) == ("CompileError", 2, "expected expression")
    assert "error: expected expression" in said["output"]
