"""What libbpf hands to the kernel and what we make of the same object: equal to the byte, descriptors aside."""

from __future__ import annotations

import platform
import re
import struct
import subprocess
from functools import cache
from pathlib import Path

import pytest
from obj import judge

from osmia.btf import Btf
from osmia.obj import load
from osmia.obj.kconfig import parse_config

SOURCES = sorted((Path(__file__).parent / "c").glob("*.bpf.c"))
SHARED = sorted(Path("/usr/lib").glob("*/bpf/*.o"))
PROGRAMS = Path("/usr/sbin")


@cache
def kernel() -> Btf:
    if not judge.VMLINUX.exists():
        pytest.skip("the kernel shows no BTF")
    return Btf.parse(judge.VMLINUX.read_bytes())


@cache
def config() -> dict[str, object]:
    """This kernel's configuration, as libbpf reads it."""
    file = Path("/proc/config.gz")
    found = parse_config(file.read_bytes()) if file.exists() else {}
    numbers = [int(n) for n in re.findall(r"\d+", platform.release())[:3]]
    return {**found, "LINUX_KERNEL_VERSION": numbers[0] << 16 | numbers[1] << 8 | min(numbers[2], 255)}


@cache
def kallsyms() -> dict[str, int]:
    lines = (line.split() for line in Path("/proc/kallsyms").read_text().splitlines())
    return {parts[2]: int(parts[0], 16) for parts in lines}


def check(path: Path, data: bytes) -> None:
    theirs = judge.ask_libbpf(path, name="x")
    assert theirs is not None, "libbpf refuses it"
    ours = load(data, path=str(path), target_btf=kernel(), name="x", kconfig=config(), kallsyms=kallsyms())
    assert ours.programs
    assert judge.compare(theirs, ours) == []


@pytest.mark.parametrize("cpu", ["v1", "v2", "v3", "v4"])
@pytest.mark.parametrize("source", [s for s in SOURCES if s.name != "legacy.bpf.c"], ids=lambda s: s.name.split(".")[0])
def test_our_programs(source, cpu, tmp_path):
    path = tmp_path / f"{source.name.split('.')[0]}.o"
    check(path, judge.compile_c(source, path, f"-mcpu={cpu}"))


def embedded(binary: Path) -> list[bytes]:
    """The eBPF objects inside a program that carries them in its data."""
    data, found = binary.read_bytes(), []
    for match in re.finditer(rb"\x7fELF\x02\x01", data):
        at = match.start()
        if at and data[at + 18 : at + 20] == b"\xf7\0":
            (headers,) = struct.unpack_from("<Q", data, at + 40)
            (count,) = struct.unpack_from("<H", data, at + 60)
            found.append(data[at : at + headers + 64 * count])
    return found


def check_binary(binary: Path, tmp_path: Path) -> int:
    objects = embedded(binary)
    for i, data in enumerate(objects):
        path = tmp_path / f"{binary.name}{i}.o"
        path.write_bytes(data)
        check(path, data)
    return len(objects)


def test_every_object_of_this_machine(tmp_path):
    found = sum(check_binary(b, tmp_path) for b in sorted(PROGRAMS.iterdir()) if b.is_file())
    for path in SHARED:
        check(path, path.read_bytes())
    if found + len(SHARED) < 50:
        pytest.skip("libbpf-tools and xdp-tools are not installed")


@pytest.mark.parametrize("name", ["globals", "sections"])
def test_objects_of_the_other_compiler(name, tmp_path):
    source, path = Path(__file__).parent / "c" / f"{name}.bpf.c", tmp_path / f"{name}.o"
    command = [judge.tool("bpf-gcc", "bpf-unknown-none-gcc"), "-O2", "-gbtf", "-c", str(source), "-o", str(path)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("this gcc does not compile it")
    check(path, path.read_bytes())


def test_objects_linked_by_bpftool(tmp_path):
    objects = [tmp_path / f"{name}.o" for name in ("calls", "globals", "core")]
    for path in objects:
        judge.compile_c(Path(__file__).parent / "c" / f"{path.stem}.bpf.c", path, "-mcpu=v3")
    out = tmp_path / "linked.o"
    done = subprocess.run([judge.tool("bpftool"), "gen", "object", out, *objects], capture_output=True)
    if done.returncode:
        pytest.skip("bpftool does not link")
    check(out, out.read_bytes())
