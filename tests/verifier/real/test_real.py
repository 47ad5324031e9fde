"""Whole C programs, with BTF, source lines, global functions and constants: Osmia says what Linux 6.18 says."""

import lzma
import platform
from pathlib import Path

import pytest
from verifier.real import kit

from osmia import live
from osmia.obj import load
from osmia.testing.answers import Kernel, ask_osmia
from osmia.testing.compare import compare
from osmia.verifier.env import Powers
from osmia.verifier.judge import kernel_btf

OBJECTS = sorted(kit.GOLDEN.glob("*.o.xz"))
SAME = platform.release().startswith("6.18.")
MOST = 60_000
TOOLS = sorted(Path("/usr/lib").glob("*/bpf/*.o"))
needs_kernel = [
    pytest.mark.live,
    pytest.mark.skipif(live.available() is not None or not SAME, reason="needs a Linux 6.18 that loads programs"),
]


@pytest.mark.parametrize("path", OBJECTS, ids=lambda p: p.name.removesuffix(".o.xz"))
def test_osmia_says_what_the_kernel_said(path):
    kept = path.with_name(path.name.replace(".o.xz", ".txt")).read_text("utf-8")
    rows = [
        kit.told(program, lambda asked, level: ask_osmia(asked, level, Powers(), 200))
        for program in kit.programs(lzma.decompress(path.read_bytes()))
    ]
    assert "".join(rows) == kept


def differences(data, path, levels=(2, 5)):
    """Of every program that the kernel may be asked about, in words; how many there were."""
    found, asked = [], 0
    collection = load(data, path=str(path), target_btf=kernel_btf(), name="x")
    with Kernel() as kernel:
        for program in collection.programs.values():
            if program.prog_type in ("tracing", "lsm", "ext"):
                continue  # some kernels refuse them by policy
            for level in levels:
                said = compare(kernel, program, level, Powers(), MOST)
                asked += 1
                if said.differs:
                    found.append(f"{program.name} at level {level}: {said.cause}\n{said.first}")
    return asked, found


class TestBesideTheKernel:
    pytestmark = needs_kernel

    @pytest.mark.slow
    @pytest.mark.skipif(kit.clang() is None, reason="no clang")
    @pytest.mark.parametrize("cpu", kit.CPUS)
    @pytest.mark.parametrize("source", kit.SOURCES, ids=lambda p: p.name.split(".")[0])
    def test_sources(self, source, cpu, tmp_path):
        data = kit.compiled(source, cpu, tmp_path)
        if data is None:
            pytest.skip("headers are missing")
        asked, found = differences(data, source)
        assert asked and found == []

    @pytest.mark.parametrize("path", OBJECTS[:2], ids=lambda p: p.name.removesuffix(".o.xz"))
    def test_recorded_objects(self, path):
        asked, found = differences(lzma.decompress(path.read_bytes()), path)
        assert asked and found == []

    @pytest.mark.slow
    @pytest.mark.skipif(not TOOLS, reason="xdp-tools are not installed")
    @pytest.mark.parametrize("path", TOOLS, ids=lambda p: p.name)
    def test_objects_of_xdp_tools(self, path):
        assert differences(path.read_bytes(), path)[1] == []
