"""``osmia verdict``: many programs, one JSON line each, judged as kernels would judge them."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import click

from osmia.cli.common import examples
from osmia.errors import OsmiaError, Unavailable, UsageError

if TYPE_CHECKING:
    from osmia.verifier.batch import Batch, How

Numbered = tuple[int, bytes]

CHUNK = 16
"""Lines that a process takes at once."""
MANY = 200
"""Lines from which on a terminal gets a progress bar."""

EXAMPLES = examples(
    "osmia emit prog.bpf.o | osmia verdict -", "osmia verdict --kernels 6.18 --log-level 2 --jobs 4 programs.jsonl",
    "osmia verdict --caps bpf,net_admin programs.jsonl | jq -c '[.name, .kernels[\"6.18\"].error]'",
)  # fmt: skip


@click.command(epilog=EXAMPLES)
@click.argument("path", metavar="PROGRAMS.jsonl")
@click.option("--kernels", default="6.18", show_default=True, metavar="LIST", help="The kernels, with commas between.")
@click.option("--log-level", type=click.IntRange(0), metavar="N", help="For every program, instead of its own (or 1).")
@click.option("--unprivileged", is_flag=True, help="Load as an ordinary user without capabilities.")
@click.option("--caps", metavar="LIST",
              help="Load as a user with only these: bpf, perfmon, net_admin, sys_admin.")  # fmt: skip
@click.option("--btf", metavar="FILE", help="The target kernel's BTF [default: the running kernel's, else Osmia's].")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes that work.")
@click.option("--progress/--no-progress", default=True, help="Show progress on a terminal.")
@click.option("--json", "_json", is_flag=True, help="Accepted, as everywhere; the output is JSON anyway.")
def command(path: str, _json: bool, progress: bool, jobs: int, **options: Any) -> int:
    """Judge each program of PROGRAMS.jsonl (- is standard input) and write one line of JSON for it.

    Lines are what osmia emit writes; "log_level", "unprivileged" and "caps" in them say how to load.  The answer is
    {"name", "kernels": {"6.18": {"ok", "errno", "error", "log", "processed", ...}}}.  What can't be judged yet has
    "where": "unsupported" and the feature's name.  The exit status is 0 once every line is answered.
    """
    from osmia.inputs import read_file

    how = _how(**options)
    lines = [(n, line) for n, line in enumerate(read_file(path).split(b"\n"), 1) if line.strip()]
    counts = {kernel: Counter[str]() for kernel in how.kernels}
    try:
        with _progress(len(lines), progress) as step:
            for answer in _answers(how, lines, jobs):
                print(json.dumps(answer, separators=(",", ":")))
                _count(counts, answer)
                step()
    except OsmiaError as e:
        raise (e.at(file=path) if hasattr(e, "at") else e) from None
    for kernel, got in counts.items():
        print(f"{kernel}: {_summary(got)}", file=sys.stderr)
    return 0


def _how(kernels: str, log_level: int | None, unprivileged: bool, caps: str | None, btf: str | None) -> How:
    from osmia.inputs import load_btf
    from osmia.verifier.batch import How
    from osmia.verifier.judge import powers

    names = tuple(name for name in kernels.split(",") if name)
    if not names:
        raise UsageError("--kernels names no kernel")
    held = tuple(caps.replace(",", " ").split()) if caps else None
    powers(caps=held)
    return How(names, log_level, unprivileged, held, load_btf(btf) if btf else None)


def _answers(how: How, lines: list[Numbered], jobs: int) -> Iterator[dict[str, Any]]:
    """In the order of the lines."""
    from osmia.verifier.batch import Batch
    from osmia.verifier.judge import kernel_btf

    batch = Batch(how)
    if jobs == 1 or len(lines) <= CHUNK:
        yield from (batch.answer(line, number) for number, line in lines)
        return
    for kernel in how.kernels:
        kernel_btf(kernel)  # once, before the processes part
    try:
        with ProcessPoolExecutor(jobs, get_context("fork"), _begin, (batch,)) as pool:
            yield from pool.map(_answer, lines, chunksize=CHUNK)
    except BrokenExecutor:
        raise Unavailable("a process that judged was killed; is memory short? (--jobs 1 takes less)") from None


_batch: Batch


def _begin(batch: Batch) -> None:
    global _batch
    _batch = batch


def _answer(numbered: Numbered) -> dict[str, Any]:
    return _batch.answer(numbered[1], numbered[0])


def _progress(total: int, wanted: bool) -> AbstractContextManager[Any]:
    """Calls of what it gives move a bar on, on a terminal that is not the output's."""
    if not wanted or total < MANY or not sys.stderr.isatty() or sys.stdout.isatty():
        return nullcontext(lambda: None)
    return _Bar(total)


class _Bar:
    """A progress bar on stderr."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        console = Console(file=sys.stderr)
        self.progress = Progress(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console)
        self.task = self.progress.add_task("", total=total)

    def __enter__(self) -> Any:
        self.progress.start()
        return lambda: self.progress.advance(self.task)

    def __exit__(self, *_: object) -> None:
        self.progress.stop()


def _count(counts: dict[str, Counter[str]], answer: dict[str, Any]) -> None:
    for kernel, verdict in answer["kernels"].items():
        counts[kernel]["programs"] += 1
        counts[kernel]["accepted" if verdict["ok"] else verdict.get("where", "rejected")] += 1


def _summary(got: Counter[str]) -> str:
    rest: Iterable[str] = sorted(set(got) - {"programs", "accepted"})
    return f"{got['accepted']} of {got['programs']} accepted" + "".join(f", {got[name]} {name}" for name in rest)
