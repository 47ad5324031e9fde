"""The law of the house: a room imports only rooms above it, and generated pages are current."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SRC = ROOT / "src" / "osmia"
BASE = ("errors", "_version", "_cy", "raw", "memory", "words")
ROOMS = ("isa", "kernel", "asm", "btf", "obj", "cc", "inputs", "verifier", "explain", "maps", "vm", "helpers", "sim",
         "live", "debug", "api", "session", "testing", "cli")  # fmt: skip
DEPTH = dict.fromkeys(BASE, 0) | {name: i + 1 for i, name in enumerate(ROOMS)}


def imports(path):
    """Every ``osmia.<room>`` a file imports, wherever the statement stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{a.name}" for a in node.names] if node.module == "osmia" else [node.module or ""]
        for name in names:
            parts = name.split(".")
            if parts[0] == "osmia" and len(parts) > 1:
                yield parts[1]


@pytest.mark.parametrize("path", sorted(SRC.rglob("*.py")), ids=lambda p: str(p.relative_to(SRC)))
def test_rooms_look_up_only(path):
    here = path.relative_to(SRC).parts[0].removesuffix(".py")
    if here == "__init__":
        return
    below = [room for room in imports(path) if room in DEPTH and DEPTH[room] > DEPTH[here]]
    assert not below, f"{here} imports from below: {below}"


GENERATORS = [*sorted((ROOT / "tools").glob("gen_*_docs.py")), ROOT / "tools/gen_rules.py"]


@pytest.mark.parametrize("tool", GENERATORS, ids=lambda p: p.name)
def test_generated_pages_are_current(tool):
    assert subprocess.run([sys.executable, tool, "--check"], cwd=ROOT, check=False).returncode == 0
