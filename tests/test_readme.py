"""What the README says is so."""

import re
from pathlib import Path

import pytest

from osmia import cc
from osmia.cli.main import main
from osmia.errors import Unavailable

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def place(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture
def compiler():
    try:
        cc.find_compiler()
    except Unavailable as e:
        pytest.skip(str(e))


def masked(text):
    """Compilers differ in how many instructions they make of it."""
    return re.sub(r"\d+ instructions", "N instructions", text)


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{p.name}" for p in sorted((ROOT / "docs").glob("*.md")))])
def test_links_lead_somewhere(page):
    path = ROOT / page
    prose = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.S | re.M)
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", prose):
        assert link.startswith("http") or (path.parent / link).exists(), link


def test_the_first_example(compiler, capsys):
    assert main(["run", "examples/unlink.bpf.c"]) == 0
    assert masked(capsys.readouterr().out) in masked(README)


def test_the_packets(compiler, capsys):
    assert main(["run", "examples/xdp_filter.bpf.c"]) == 0
    assert "".join(capsys.readouterr().out.splitlines(keepends=True)[:2]) in README


def test_the_python_block(compiler, capsys):
    (block,) = re.findall(r"```python\n(.*?)```", README, re.S)
    exec(block, {})
    assert f"# {capsys.readouterr().out.strip()}\n" in block


def test_the_counts():
    from osmia.helpers.registry import has_body
    from osmia.kernel.helpers import HELPERS
    from osmia.maps.create import TYPES

    bodies, types = re.search(r"(\d+) helpers, (\d+) map types", README).groups()
    assert (int(bodies), int(types)) == (sum(has_body(row.name) for row in HELPERS), len(TYPES))
