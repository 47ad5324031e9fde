"""Every example compiles with every compiler for every instruction set, without a warning."""

import subprocess

import pytest
from cc.compilers import COMPILERS, EXAMPLES, build

from osmia.cc import CPUS


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("cpu", CPUS)
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda p: p.name.partition(".")[0])
def test_example(example, cpu, compiler, capsys) -> None:
    data = build(example, compiler, cpu, extra=("-Wall", "-Werror"))
    assert data[:4] == b"\x7fELF"
    assert data[18:20] == b"\xf7\x00"  # machine 247
    for section in (b".BTF\0", b".BTF.ext\0", b"license\0"):
        assert section in data
    assert capsys.readouterr().err == ""


def test_there_is_a_compiler() -> None:
    assert COMPILERS, "neither ziglang nor a clang with the BPF target: the tests of this room prove nothing"
    assert len(EXAMPLES) >= 7


@pytest.mark.live
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda p: p.name.partition(".")[0])
def test_the_running_kernel_takes_it(example, tmp_path, bpftool, bpffs) -> None:
    target = tmp_path / "example.o"
    target.write_bytes(build(example, COMPILERS[0], extra=("-Wall", "-Werror")))
    loaded = subprocess.run([bpftool, "prog", "loadall", target, bpffs], capture_output=True, text=True, check=False)
    assert loaded.returncode == 0, loaded.stderr
    assert any(bpffs.iterdir())
