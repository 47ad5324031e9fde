"""The plug-in protocol: hexadecimal program on standard input, memory as argument, R0 on standard output."""

from __future__ import annotations

import io
import sys

import pytest

from osmia.cli.main import main
from osmia.errors import Unavailable
from osmia.isa import consts as c
from osmia.isa import encode
from osmia.isa import macros as m

SUM = [m.BPF_LDX_MEM(c.BPF_B, 0, 1, 0), m.BPF_ALU64_REG(c.BPF_ADD, 0, 2), m.BPF_EXIT_INSN()]


class Stdin(io.TextIOWrapper):
    def __init__(self, data: bytes):
        super().__init__(io.BytesIO(data))


def plugin(monkeypatch, capsys, source, *arguments):
    data = source if isinstance(source, bytes) else encode(source, sys.byteorder).hex(" ").encode()
    monkeypatch.setattr(sys, "stdin", Stdin(data))
    status = main(["conformance-plugin", *arguments])
    out, err = capsys.readouterr()
    return status, out, err


def test_r0_in_hexadecimal(monkeypatch, capsys):
    assert plugin(monkeypatch, capsys, SUM, "0e ff") == (0, "10\n", "")
    assert plugin(monkeypatch, capsys, [m.BPF_MOV64_IMM(0, -1), m.BPF_EXIT_INSN()]) == (0, "f" * 16 + "\n", "")


@pytest.mark.parametrize("memory", ["0e0f", "0E 0F", " 0e\n0f ", "0x0e 0x0f"])
def test_white_space_does_not_matter(monkeypatch, capsys, memory):
    text = encode(SUM, sys.byteorder).hex("\n").upper().encode() + b"\r\n\t"
    assert plugin(monkeypatch, capsys, text, memory, "--interpret") == (0, "10\n", "")


def test_the_program_as_an_option(monkeypatch, capsys):
    text = encode(SUM, sys.byteorder).hex()
    assert plugin(monkeypatch, capsys, b"not read", "05", "--program", text) == (0, "6\n", "")


def test_debug_shows_every_step(monkeypatch, capsys):
    status, out, err = plugin(monkeypatch, capsys, SUM, "05", "--debug")
    assert (status, out) == (0, "6\n") and len(err.splitlines()) == 3 and "r0 += r2" in err and "r0=0x5" in err


def test_helpers_are_those_of_linux(monkeypatch, capsys):
    status, out, _ = plugin(monkeypatch, capsys, [m.BPF_EMIT_CALL(5), m.BPF_EXIT_INSN()])
    assert status == 0 and int(out, 16) > 0


@pytest.mark.parametrize(
    ("source", "arguments", "status", "words"),
    [
        (SUM, (), 1, "null pointer"),
        (SUM, ("xy",), 2, "memory is no row of hexadecimal bytes"),
        (SUM, ("123",), 2, "memory"),
        (b"zz", (), 2, "program is no row"),
        (b"\xff\xfe", (), 2, "program is no row"),
        (b"b700", (), 2, "8-byte"),
        (b"", (), 1, "no instructions"),
        (SUM, ("--jit", "--debug"), 2, "no --debug with --jit"),
        (SUM, ("--jit", "--interpret"), 2, "exclude"),
        (b"7f454c46", ("--elf",), 2, ""),
    ],
)
def test_failures_are_one_line_and_a_status(monkeypatch, capsys, source, arguments, status, words):
    got, out, err = plugin(monkeypatch, capsys, source, *arguments)
    assert (got, out) == (status, "") and words in err and len(err.splitlines()) == 1


def test_native_code(monkeypatch, capsys):
    pytest.importorskip("llvmlite")
    assert plugin(monkeypatch, capsys, SUM, "0e ff", "--jit") == (0, "10\n", "")
    status, out, err = plugin(monkeypatch, capsys, SUM, "--jit")
    assert (status, out) == (1, "") and "null pointer" in err


def test_no_native_code(monkeypatch, capsys):
    def refuse(*arguments):
        raise Unavailable("no native code without llvmlite")

    monkeypatch.setenv("OSMIA_CACHE_DIR", "")
    monkeypatch.setattr("osmia.vm.jit.build.Recipe.compiled", refuse)
    assert plugin(monkeypatch, capsys, SUM, "05", "--jit") == (3, "", "osmia: no native code without llvmlite\n")


SECTION = '.section xdp,"ax",@progbits\n.globl prog\n.type prog,@function\nprog:\n'


@pytest.mark.parametrize("section", ["", SECTION])
def test_an_object_on_standard_input(monkeypatch, capsys, section):
    from osmia.asm import llvm
    from osmia.asm.elf_write import write

    text = f"{section}r0 = 7\nexit\n{'.size prog, 16' if section else ''}\n"
    data = write(llvm.assemble(text, order=sys.byteorder, file="t.s"))
    assert plugin(monkeypatch, capsys, data.hex().encode(), "--elf") == (0, "7\n", "")
