"""Whole programs with allocated objects, right and with mistakes, and what the running kernel says to each.

``PYTHONPATH=tests python -m verifier.objects.kit`` compiles the sources beside this file, once for every ``MISTAKE``,
and records the running kernel's answers in ``answers.txt``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from osmia import cc
from osmia.obj import load
from osmia.obj.model import Program
from osmia.testing.answers import Answer, Kernel
from osmia.testing.compare import plain
from osmia.verifier.env import Powers
from osmia.verifier.judge import kernel_btf

HERE = Path(__file__).parent
SOURCES = sorted(HERE.glob("*.bpf.c"))
ANSWERS = HERE / "answers.txt"


def variants(source: Path) -> range:
    """The numbers of the mistakes; 0 is none."""
    found = re.search(r"#define MISTAKE 0 /\* up to (\d+) \*/", source.read_text("utf-8"))
    assert found is not None, source
    return range(int(found[1]) + 1)


def programs(source: Path, mistake: int, compiler: str | None = None) -> Iterator[Program]:
    """The programs of one variant."""
    data = cc.compile(source, defines=[f"MISTAKE={mistake}"], on_warning=lambda words: None, compiler=compiler)
    yield from load(data, path="x.o", target_btf=kernel_btf(), name="x").programs.values()


def line(source: Path, mistake: int, program: Program, answer: Answer) -> str:
    """An answer for ``answers.txt``: the errno and what was said, without numbers, for compilers differ."""
    said = plain(answer.message) if answer.errno else "accepted"
    return f"{source.name.split('.')[0]} {mistake} {program.name}: {answer.errno} {said}".rstrip()


def told(source: Path, ask: Callable[[Program], Answer]) -> Iterator[str]:
    """The answers to all variants of a source."""
    for mistake in variants(source):
        for program in programs(source, mistake):
            yield line(source, mistake, program, ask(program))


if __name__ == "__main__":
    with Kernel() as kernel:
        rows = [row for source in SOURCES for row in told(source, lambda program: kernel.ask(program, 1, Powers()))]
        ANSWERS.write_text("\n".join(rows) + "\n", "utf-8")
