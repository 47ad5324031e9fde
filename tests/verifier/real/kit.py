"""Programs in the style of well-known products: compiled, put to both verifiers, and the kernel's answers kept.

``PYTHONPATH=tests python -m verifier.real.kit`` compiles the sources beside this file anew and records what the running
kernel says: objects as ``golden/NAME.CPU.o.xz``, answers as ``golden/NAME.CPU.txt``.
"""

from __future__ import annotations

import hashlib
import lzma
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from osmia.obj import load
from osmia.obj.model import Program
from osmia.testing.answers import Answer, Kernel
from osmia.verifier.env import Powers
from osmia.verifier.judge import kernel_btf

HERE = Path(__file__).parent
SOURCES = sorted(HERE.glob("*.bpf.c"))
GOLDEN = HERE / "golden"
STEPS, SUMS = 2, 5
"""Log levels: every step; refusals and statistics."""
LONG = 20_000
"""Instructions processed from which on the level-2 log is not kept."""
RECORDED = ("v2", "v4")
CPUS = ("v1", "v2", "v3", "v4")


def clang() -> str | None:
    """A clang that compiles BPF."""
    return shutil.which("clang-19") or shutil.which("clang")


def compiled(source: Path, cpu: str, out: Path) -> bytes | None:
    """The object, without DWARF where llvm-strip is there; None where it does not compile."""
    path = out / f"{source.name.split('.')[0]}.{cpu}.o"
    arch = [f"-I{x}" for x in Path("/usr/include").glob("*-linux-gnu")]
    command = [clang() or "clang", "-target", "bpf", "-O2", "-g", f"-mcpu={cpu}", "-D__TARGET_ARCH_x86", *arch]
    command += ["-Wno-everything", f"-fdebug-prefix-map={HERE}=.", "-c", str(source), "-o", str(path)]
    if subprocess.run(command, capture_output=True, cwd=HERE).returncode:
        return None
    strip = shutil.which("llvm-strip-19") or shutil.which("llvm-strip")
    if strip:
        subprocess.run([strip, "-g", str(path)], check=True)
    return path.read_bytes()


def programs(data: bytes) -> Iterator[Program]:
    """Every program of an object, fitted to the kernel's types."""
    yield from load(data, path="x.o", target_btf=kernel_btf(), name="x").programs.values()


def told(program: Program, ask: Callable[[Program, int], Answer]) -> str:
    """Errno, counts, the message of a refusal and a sum of the level-2 log (where it is not long), on a few lines."""
    sums = ask(program, SUMS)
    steps = ask(program, STEPS).log if sums.processed < LONG else ""
    lines = [f"{program.name}: errno {sums.errno}, steps {hashlib.sha256(steps.encode()).hexdigest()[:16]}"]
    lines += [f"  {line}" for line in [sums.crash, sums.unsupported, *sums.log.splitlines()[-4:]] if line]
    return "\n".join(lines) + "\n"


def record(out: Path) -> None:
    """Keep objects and answers."""
    with Kernel() as kernel:
        for source in SOURCES:
            for cpu in RECORDED:
                data = compiled(source, cpu, out)
                assert data is not None, source
                name = f"{source.name.split('.')[0]}.{cpu}"
                rows = [told(p, lambda program, level: kernel.ask(program, level, Powers())) for p in programs(data)]
                (GOLDEN / f"{name}.o.xz").write_bytes(lzma.compress(data))
                (GOLDEN / f"{name}.txt").write_text("".join(rows), "utf-8")


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        record(Path(folder))
    sys.exit(0)
