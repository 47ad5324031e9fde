"""What the tests of this room share: clang and bpftool where they are, and BTF made from C."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from osmia.btf import Btf
from osmia.btf.ext import BtfExt
from osmia.obj.elf import ElfFile

HERE = Path(__file__).parent
VMLINUX = Path("/sys/kernel/btf/vmlinux")


def need(*names: str) -> str:
    """The first of these programs on the path; skips the test when there is none."""
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"none of {', '.join(names)} is installed")
    return found


def run(*command: object) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def compile_c(source: Path | str, out: Path, *flags: str) -> Path:
    """Compile C for BPF, with debug information."""
    if isinstance(source, str):
        file = out.with_suffix(".c")
        file.write_text(source)
        source = file
    run(need("clang-19", "clang"), "-w", "-target", "bpf", "-mcpu=v3", "-g", "-O2", *flags, "-c", source, "-o", out)
    return out


def sections(path: Path) -> tuple[bytes, bytes]:
    """The bytes of .BTF and .BTF.ext of an object."""
    elf = ElfFile(path.read_bytes(), str(path))
    found = [elf.section(name) for name in (".BTF", ".BTF.ext")]
    return tuple(elf.contents(s) if s else b"" for s in found)  # type: ignore[return-value]


def btf_of(path: Path) -> tuple[Btf, BtfExt]:
    btf, ext = sections(path)
    table = Btf.parse(btf)
    return table, BtfExt.parse(ext, table) if ext else BtfExt()


def kernel() -> Btf:
    if not VMLINUX.exists():
        pytest.skip("the kernel shows no BTF")
    return Btf.parse(VMLINUX.read_bytes())
