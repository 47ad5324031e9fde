"""Finding compilers, with executables made for the test."""

import json
import os

import pytest

from osmia.cc import toolchain
from osmia.errors import Unavailable

FAKE = """#!/bin/sh
echo "$@" >> "$0.log"
case "$1" in
--print-targets) printf '  Registered Targets:\\n{targets}' ;;
--version) echo "clang version {version}" ;;
esac
"""
BPF = "    bpfeb - BPF (big endian)\\n    bpfel - BPF (little endian)\\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty PATH of ours, no wheel, no cache."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin" if not _clang_in("/bin:/usr/bin") else str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("OSMIA_CC", raising=False)
    monkeypatch.setattr(toolchain, "_wheel", lambda: None)
    toolchain.find_compiler.cache_clear()
    yield tmp_path
    toolchain.find_compiler.cache_clear()


def _clang_in(path):
    import shutil

    return any(shutil.which(n, path=path) for n in ("clang", *(f"clang-{i}" for i in range(11, 30))))


def fake(place, name, version="19.1.0", targets=BPF):
    path = place / name
    path.write_text(FAKE.format(version=version, targets=targets))
    path.chmod(0o755)
    return path


def test_nothing(place) -> None:
    with pytest.raises(Unavailable, match="pip install"):
        toolchain.find_compiler()
    assert toolchain.installed_compilers() == []


def test_the_plain_name_comes_first_then_the_newest(place) -> None:
    fake(place, "clang-18", "18.1.8")
    fake(place, "clang-20", "20.1.0")
    assert str(toolchain.find_compiler()) == "clang-20 (20.1.0)"
    toolchain.find_compiler.cache_clear()
    fake(place, "clang", "17.0.6")
    assert toolchain.find_compiler().version == "17.0.6"
    assert [c.name for c in toolchain.installed_compilers()] == ["clang", "clang-20", "clang-18"]


def test_a_clang_without_the_target_is_passed_over(place) -> None:
    fake(place, "clang", targets="    x86-64 - 64-bit X86\\n")
    fake(place, "clang-19")
    assert toolchain.find_compiler().name == "clang-19"
    with pytest.raises(Unavailable, match="does not know the BPF target"):
        toolchain.find_compiler("clang")


def test_by_name_path_and_environment(place, monkeypatch) -> None:
    fake(place, "clang")
    other = fake(place, "mine", "1.2.3")
    assert toolchain.find_compiler(str(other)).version == "1.2.3"
    monkeypatch.setenv("OSMIA_CC", "mine")
    toolchain.find_compiler.cache_clear()
    assert toolchain.find_compiler().name == "mine"
    with pytest.raises(Unavailable, match="no compiler 'absent'"):
        toolchain.find_compiler("absent")
    with pytest.raises(Unavailable, match="wheel is not installed"):
        toolchain.find_compiler("ziglang")


def test_an_executable_is_asked_once_until_it_changes(place) -> None:
    path, log = fake(place, "clang"), place / "clang.log"
    for _ in range(2):
        toolchain.find_compiler.cache_clear()
        toolchain.find_compiler()
    assert log.read_text() == "--print-targets\n--version\n"
    os.utime(path, ns=(1, 1))
    toolchain.find_compiler.cache_clear()
    toolchain.find_compiler()
    assert log.read_text().count("--version") == 2


@pytest.mark.parametrize("content", ["", "{", "[]", '{"x": 3}', '{"x": {}}', "\0\xff"])
def test_a_strange_cache_is_no_cache(place, content) -> None:
    kept = place / "cache/osmia/compilers.json"
    kept.parent.mkdir(parents=True)
    kept.write_text(content, "latin-1")
    fake(place, "clang")
    assert toolchain.find_compiler().version == "19.1.0"
    assert "19.1.0" in json.dumps(json.loads(kept.read_text()))


def test_no_place_for_a_cache(place, monkeypatch) -> None:
    (place / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "file"))
    fake(place, "clang")
    assert toolchain.find_compiler().name == "clang"
