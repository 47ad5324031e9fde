"""The guide pages' examples run, and print what the pages say."""

import doctest
import os
import re
from pathlib import Path

import pytest

from osmia import cc
from osmia.errors import Unavailable

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("page", ["api.md", "guide.md", "sim.md"])
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
    for name, args in (
        ("sim.md", ["examples/unlink.bpf.c", "--do", "touch a; unlink a; rm a"]),
        ("sim.md", ["examples/xdp_filter.bpf.c", "--pcap", "examples/packets.pcap", "--map-dump"]),
        ("guide.md", ["examples/opens.bpf.c", "--do", "touch a; cat a; cat a; rm a"]),
        ("guide.md", ["examples/opens.bpf.c", "--do", "cat a; touch b; cat b", "--set", "only_uid=0", "--map-dump"]),
    ):
        assert main(["run", *args]) == 0
        assert masked(capsys.readouterr().out) in masked((ROOT / "docs" / name).read_text())


def test_the_mistake_of_the_guide(capsys, tmp_path):
    from osmia.cli.main import main

    try:
        cc.find_compiler()
    except Unavailable as e:
        pytest.skip(str(e))
    source = (ROOT / "examples" / "opens.bpf.c").read_text()
    (tmp_path / "opens.bpf.c").write_text(source.replace("lookup_elem(&opens, comm)", "lookup_elem(&opens, 0)"))
    assert main(["run", str(tmp_path / "opens.bpf.c")]) == 1
    told = re.sub(r"insn \d+", "insn N", capsys.readouterr().err)
    assert told in re.sub(r"insn \d+", "insn N", (ROOT / "docs" / "guide.md").read_text())
