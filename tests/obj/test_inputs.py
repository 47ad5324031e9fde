"""``osmia inspect`` takes every form of a program."""

from __future__ import annotations

import io
import sys

import pytest

from osmia.cli.main import main


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("95 00 00 00 00 00 00 00", "socket_filter"),
        ("mov %r0, 1\nexit\n", "socket_filter"),
        ('.section xdp,"ax"\n.globl f\n.type f,@function\nf:\nr0 = 2\nexit\n.size f, 16\n', "xdp"),
    ],
)
def test_text_on_standard_input(text, shown, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert main(["inspect", "-"]) == 0
    assert shown in capsys.readouterr().out


def test_something_else_is_one_clear_line(tmp_path, capsys):
    (tmp_path / "x.o").write_bytes(b"\x7fELF")
    assert main(["inspect", str(tmp_path / "x.o")]) == 2
    assert "x.o, offset 0x4: 4 bytes are no whole ELF header (64)" in capsys.readouterr().err
