"""Is ``osmia check`` right about real objects?  ``python tools/check_real.py --kernels 6.1,7.2 FILE…``

Every program of each object is judged for each kernel, linked to that kernel's own types, and the very same program is
loaded in a guest of that kernel (found through $OSMIA_ORACLE) or, for the running kernel's version, here.  Prints what
differs, then the counts.  FILE may be an executable that holds an object in itself, as the libbpf tools do.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from guests import Guest, Task

from osmia.btf import Btf
from osmia.errors import InputError, UsageError
from osmia.obj.model import Program
from osmia.testing.answers import Answer, Kernel
from osmia.verifier.env import Powers
from osmia.verifier.matrix import Matrix
from osmia.verifier.verdict import Verdict

MAGIC, BPF = b"\x7fELF\x02\x01\x01", 0xF7
RUNNING = "6.18"
FAR = 60_000
"""Instructions that a guest is asked to walk: it is emulated, and takes minutes for a million."""


class Noting(Matrix):
    """Remembers the program of each last try."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.tried: dict[str, Program] = {}

    def _ask(self, program: Program, kernel: str) -> Verdict:
        self.tried[kernel] = program
        return super()._ask(program, kernel)


def objects(paths: Iterable[str], into: Path) -> Iterator[Path]:
    """The files, and the objects within executables."""
    for path in map(Path, paths):
        data = path.read_bytes()
        inner = data.find(MAGIC, 1)
        while inner > 0 and data[inner + 18] != BPF:
            inner = data.find(MAGIC, inner + 1)
        if data[18:19] == bytes([BPF]) or inner < 0:
            yield path
        else:
            (made := into / f"{path.name}.bpf.o").write_bytes(data[inner:])
            yield made


def judged(files: Iterable[Path], matrix: Noting) -> Iterator[tuple[str, str, Program, Verdict]]:
    """Kernel, what it is, the program as it was tried last, and Osmia's verdict."""
    for file in files:
        try:
            for row in matrix.rows(file):
                for cell in row.cells:
                    if cell.verdict is not None:
                        yield cell.kernel, f"{file.name}: {row.name}", matrix.tried[cell.kernel], cell.verdict
        except InputError as e:
            print(f"{file}: {e}")


def answers(kernel: str, programs: list[Program]) -> list[Answer | None]:
    """The kernel's own."""
    tasks = [Task(program) for program in programs]
    if kernel == RUNNING:
        with Kernel() as live:
            return [asked(live, task) for task in tasks]
    return Guest(kernel).ask(tasks, timeout=500)


def asked(live: Kernel, task: Task) -> Answer | None:
    """The running kernel's answer; None where it has no such target."""
    try:
        return live.ask(task.program, task.level, task.powers)
    except UsageError:
        return None


def compare(kernel: str, rows: list[tuple[str, Program, Verdict]], counts: Counter[str]) -> None:
    """Print what differs."""
    far = [row for row in rows if row[2].processed <= FAR]
    counts["too far"] += len(rows) - len(far)
    for (name, _, ours), theirs in zip(far, answers(kernel, [program for _, program, _ in far]), strict=True):
        if theirs is None:
            counts["no answer"] += 1
            continue
        same = "unsupported" if ours.unsupported else "same" if ours.errno == theirs.errno else "DIFFERENT"
        counts[same] += 1
        counts[f"{same}, refused" if theirs.errno else f"{same}, accepted"] += 1
        counts["processed differs"] += same == "same" and not theirs.errno and theirs.processed != ours.processed
        if same != "same":
            print(f"{kernel} {name}: {theirs.errno} {theirs.message!r}")
            print(f"    ours {ours.errno}: {ours.unsupported or ours.error}")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--kernels", default="5.10,6.1,6.12,6.18,7.2")
    args = parser.parse_args()
    kernels = args.kernels.split(",")
    btf: dict[str, Btf] = {k: Guest(k).btf for k in kernels if k != RUNNING}
    matrix = Noting(kernels, Powers(), btf=btf)
    with tempfile.TemporaryDirectory() as into:
        rows = list(judged(objects(args.files, Path(into)), matrix))
    for kernel in kernels:
        counts: Counter[str] = Counter()
        compare(kernel, [row[1:] for row in rows if row[0] == kernel], counts)
        print(f"{kernel}: " + ", ".join(f"{count} {name}" for name, count in counts.items() if count))
    return 0


if __name__ == "__main__":
    sys.exit(main())
