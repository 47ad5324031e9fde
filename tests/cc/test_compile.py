"""One compilation: sources of every kind, options, and the compiler's own words."""

import io
import sys
from pathlib import Path

import pytest
from cc.compilers import COMPILERS, build
from hypothesis import given, settings
from hypothesis import strategies as st

from osmia import cc
from osmia.errors import CompileError, InputError, Unavailable, UsageError

PASS = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
SEC("xdp") int pass(struct xdp_md *ctx) { return XDP_PASS; }
char LICENSE[] SEC("license") = "GPL";
"""
pytestmark = pytest.mark.skipif(not COMPILERS, reason="no compiler with the BPF target")
each = pytest.mark.parametrize("compiler", COMPILERS)


@each
def test_text(compiler) -> None:
    assert build(PASS, compiler)[:4] == b"\x7fELF"


def test_path_and_standard_input(tmp_path, monkeypatch) -> None:
    file = tmp_path / "p.bpf.c"
    file.write_text(PASS)
    assert cc.compile(file)[:4] == cc.compile(str(file))[:4] == b"\x7fELF"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PASS.encode())))
    assert b"<stdin>" in cc.compile("-")


def test_the_working_directory_is_searched_for_the_headers_of_text(tmp_path, monkeypatch) -> None:
    (tmp_path / "mine.h").write_text("#define ANSWER 42\n")
    monkeypatch.chdir(tmp_path)
    assert cc.compile('#include "mine.h"\nint x = ANSWER;\n')
    with pytest.raises(CompileError, match="file not found"):
        cc.compile("#include <mine.h>\nint x;\n")
    assert cc.compile("#include <mine.h>\nint x = ANSWER;\n", includes=[tmp_path])


@each
def test_the_same_text_gives_the_same_bytes(compiler) -> None:
    assert cc.compile(PASS, compiler=compiler) == cc.compile(PASS, compiler=compiler)


@each
def test_byte_order(compiler) -> None:
    assert build(PASS, compiler)[5] == 1
    assert build(PASS, compiler, order="big")[5] == 2


@each
def test_instruction_set(compiler) -> None:
    text = "int f(int a, int b) { return a / b; }\n"
    with pytest.raises(CompileError, match="signed division"):
        build(text, compiler, "v3")
    assert build(text, compiler, "v4")
    text = "int g(int a, int b) { if (a < b) return 7; return b; }"
    listing = {c: cc.run(cc.Job(text, cpu=c, emit="asm", compiler=compiler)).data for c in ("v1", "v3")}
    assert b"if w" in listing["v3"] and b"if w" not in listing["v1"]


@each
@pytest.mark.parametrize("emit, sign", [("obj", b"\x7fELF"), ("asm", b"\t."), ("ll", b"; ModuleID")])
def test_emit(compiler, emit, sign) -> None:
    assert cc.run(cc.Job("int x;\n", emit=emit, compiler=compiler)).data.startswith(sign)


def test_defines_and_extra() -> None:
    assert cc.compile("int x = Y;\n", defines=["Y=3"])
    assert cc.compile("int x = Z;\n", extra=["-DZ=4"])


@each
def test_errors_are_the_compilers_own(compiler) -> None:
    with pytest.raises(CompileError) as caught:
        build("int ok;\nint x = ;\n", compiler)
    error = caught.value
    assert (error.place.line, error.place.column) == (2, 9)
    assert error.place.file == "<text>"
    assert error.reason == "expected expression"
    assert "<text>:2:9: error: expected expression\n    2 | int x = ;\n      |         ^" in error.output


def test_warnings_reach_the_caller(capsys) -> None:
    heard = []
    text = "#warning mind the gap\nint x;\n"
    assert cc.compile(text, on_warning=heard.append)
    assert "mind the gap" in "".join(heard)
    assert cc.compile(text)
    assert "<text>:1:2: warning: mind the gap" in capsys.readouterr().err


@pytest.mark.parametrize("change", [
    {"order": "middle"}, {"cpu": "v3 -v"}, {"cpu": ""}, {"defines": ["A\0B"]}, {"extra": ["\0"]},
    {"source": "no/such.c"}, {"source": Path("no/such.c")}, {"source": Path("/")}, {"source": "int x;\0\n"},
    {"source": "a\0b"}, {"source": "int x;\n\ud800"},
])  # fmt: skip
def test_bad_requests(change) -> None:
    with pytest.raises(InputError):
        cc.compile(**{"source": "int x;\n", **change})


def test_unknown_cpu() -> None:
    with pytest.raises(CompileError, match="unknown target CPU"):
        cc.compile("int x;\n", cpu="v99")


def test_unknown_emit() -> None:
    with pytest.raises(UsageError, match="known: obj, asm, ll"):
        cc.run(cc.Job("int x;\n", emit="exe"))


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(), max_size=60).map(lambda t: t + "\n"))
def test_any_text_ends_in_an_object_or_a_typed_error(text) -> None:
    try:
        assert cc.compile(text, on_warning=lambda _: None)[:4] == b"\x7fELF"
    except InputError as error:
        assert str(error)


def test_system_headers_win_when_asked(tmp_path) -> None:
    if not Path("/usr/include/bpf/bpf_helpers.h").exists():
        pytest.skip("no libbpf headers on this system")
    text = "#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\nint x;\n"
    output = cc.run(cc.Job(text, system_headers=True, extra=["-H"], emit="ll"))
    assert "/usr/include/bpf/bpf_helpers.h" in output.warnings
    assert str(cc.INCLUDE / "bpf") not in output.warnings
    ours = cc.run(cc.Job(text, extra=["-H"], emit="ll"))
    assert str(cc.INCLUDE / "bpf/bpf_helpers.h") in ours.warnings
    assert "/usr/include" not in ours.warnings


def test_vmlinux_of_a_given_kernel(tmp_path) -> None:
    from osmia.kernel.layout import types_btf

    given_btf = tmp_path / "kernel.btf"
    given_btf.write_bytes(types_btf())
    text = '#include "vmlinux.h"\n#include <linux/skbuff.h>\nint f(struct sk_buff *s) { return s->len; }\n'
    output = cc.run(cc.Job(text, vmlinux=given_btf, extra=["-H"]))
    assert "vmlinux/vmlinux.h" in output.warnings
    assert str(cc.INCLUDE / "osmia/kernel.h") not in output.warnings


def test_a_broken_btf_for_vmlinux(tmp_path) -> None:
    (tmp_path / "x.btf").write_bytes(b"not BTF at all")
    for name in ("x.btf", "absent.btf"):
        with pytest.raises(InputError) as caught:
            cc.compile("int x;\n", vmlinux=tmp_path / name)
        assert caught.value.place.file == str(tmp_path / name)


@each
def test_odd_names(compiler, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("-dash.c", "with space.c", "ünïcode.c", "no_suffix"):
        Path(name).write_text("int x;\n")
        assert cc.compile(Path(name), compiler=compiler)[:4] == b"\x7fELF"


def test_no_place_for_temporary_files(monkeypatch) -> None:
    def refuse(**_):
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr("tempfile.TemporaryDirectory", refuse)
    with pytest.raises(Unavailable, match="no room"):
        cc.compile("int x;\n")


def test_a_source_that_never_ends(monkeypatch) -> None:
    monkeypatch.setattr("osmia.cc.compiler.TIMEOUT", 1)
    doubled = "".join(f"#define A{i} A{i - 1} A{i - 1}\n" for i in range(1, 60))
    with pytest.raises(CompileError, match="1 seconds"):
        cc.compile(f"#define A0 +1\n{doubled}int x = 0 A59;\n")
