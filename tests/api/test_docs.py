"""The guide pages' examples run, and print what the pages say."""

import doctest
import os
import re
from pathlib import Path

import pytest

from osmia import cc
from osmia.errors import Unavailable

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("page", ["api.md", "sim.md"])
def test_the_pages_examples(page, monkeypatch):
    try:
        cc.find_compiler()
    except Unavailable as e:
        pytest.skip(str(e))
    monkeypatch.chdir(ROOT)
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL
    found = doctest.testfile(str(ROOT / "docs" / page), module_relative=False, optionflags=options)
    assert found.attempted > 5 and not found.failed, os.fspath(page)


def masked(text):
    """Compilers differ in how many instructions they make of it."""
    return re.sub(r"\d+ instructions", "N instructions", text)


def test_the_command_lines_output_is_the_one_shown(capsys, monkeypatch):
    from osmia.cli.main import main

    try:
        cc.find_compiler()
    except Unavailable as e:
        pytest.skip(str(e))
    monkeypatch.chdir(ROOT)
    page = masked((ROOT / "docs" / "sim.md").read_text())
    for args in (
        ["examples/unlink.bpf.c", "--do", "touch a; unlink a; rm a"],
        ["examples/xdp_filter.bpf.c", "--pcap", "examples/packets.pcap", "--map-dump"],
    ):
        assert main(["run", *args]) == 0
        assert masked(capsys.readouterr().out) in page
