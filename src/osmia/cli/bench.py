"""``osmia bench``: how fast a program is, in every engine here, in the running kernel, and in other machines."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from osmia.cli import common
from osmia.errors import UsageError

if TYPE_CHECKING:
    from osmia.obj.model import Collection
    from osmia.testing.bench import Row, Subject, Task

ENGINES = ("interp", "unchecked", "jit", "checked-jit", "kernel", "peers")
PACKETS = 16
"""Packets of a capture that are measured one by one; ``--packets`` takes more."""
EPILOG = common.examples(
    "osmia bench prog.bpf.o", "osmia bench prog.bpf.c --pcap traffic.pcap",
    "osmia bench prog.s --data 0102 --engine jit --engine kernel --json",
)  # fmt: skip
EPILOG += """

All engines first run the program once on the same packet; one that answers something else is not timed.  Then they run
by turns, in rounds of short samples; the figures are medians, the spread is the distance between the quartiles.  With a
capture a figure is the mean over its packets."""


@click.command(epilog=EPILOG)
@click.argument("file")
@click.option("-p", "--prog", "--program", "prog", metavar="NAME", help="The program, when there are several.")
@click.option("--data", metavar="HEX", help="The packet; 64 zero bytes without it.")
@click.option("--pcap", metavar="FILE", help="Packets from a capture instead.")
@click.option("--packets", default=PACKETS, show_default=True, type=click.IntRange(1), metavar="N",
              help="How many packets of the capture, evenly spread.")  # fmt: skip
@click.option("--engine", "engines", multiple=True, type=click.Choice(ENGINES), help="Only this (repeatable).")
@click.option("--rounds", default=15, show_default=True, type=click.IntRange(1), metavar="N")
@click.option("--sample-ms", default=5.0, show_default=True, type=click.FloatRange(0.01, 10_000), metavar="MS",
              help="About how long one sample takes.")  # fmt: skip
@click.option("--cpu", default="v3", show_default=True, help="The instruction set that C is compiled for.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(file: str, prog: str | None, **options: Any) -> int:
    """Time a program in Osmia's engines, the running kernel and other machines found here, side by side."""
    from osmia.session import loading
    from osmia.sim import World
    from osmia.testing import bench_report as report

    collection = loading.from_file(file, World(), packets=bool(options["pcap"]), cpu=options["cpu"]).raw
    task = _task(collection, common.pick(collection, prog).name, _packet(options["data"]))
    frames = _frames(options["pcap"], options["packets"]) if options["pcap"] else [task.data]
    rows = [_measure(task, frame, options) for frame in frames]
    row = _mean(rows)
    if options["as_json"]:
        common.print_json({"machine": report.machine(), **row.to_json(), "packets": len(frames)})
    else:
        _print(row, report)
    return 0


def _print(row: Row, report: Any) -> None:
    from rich.console import Console

    from osmia.testing.bench_peers import missing

    console = Console(width=None if sys.stdout.isatty() else 140)
    print(report.headline(report.machine()))
    console.print(report.table_of_engines(row))
    for why in report.skipped([row]):
        print(f"skipped: {why}")
    for why in missing().values():
        print(f"not here: {why}")


def _task(collection: Collection, name: str, data: bytes) -> Task:
    from osmia.testing.bench import Task

    plain = collection if collection.programs[name].prog_type == "unspec" else None
    return Task(name, collection, name, data, plain=plain)


def _packet(text: str | None) -> bytes:
    from osmia.cli.run import _hex

    return _hex(text, "--data") or bytes(64)


def _frames(path: str, count: int) -> list[bytes]:
    """So many of a capture's packets, from all over it.  Raises UsageError when there is none."""
    from osmia import inputs
    from osmia.sim import pcap

    frames = pcap.read(inputs.read_file(path) if path == "-" else path)
    if not frames:
        raise UsageError("no packets in it", file=path)
    step = max(1, len(frames) // count)
    return [frame.data for frame in frames[::step][:count]]


def _subjects(task: Task, chosen: tuple[str, ...]) -> list[Subject]:
    from osmia.testing import bench_peers, bench_subjects

    names = dict(zip(ENGINES, bench_subjects.OURS, strict=False))
    wanted = chosen or ENGINES
    made: list[Subject] = [bench_subjects.Osmia(task, label) for name, label in names.items() if name in wanted]
    made += [bench_subjects.Kernel(task)] if "kernel" in wanted else []
    return made + (bench_peers.peers(task) if "peers" in wanted else [])


def _measure(task: Task, frame: bytes, options: dict[str, Any]) -> Row:
    from dataclasses import replace

    from osmia.testing.bench import compare

    task = replace(task, data=frame)
    subjects = _subjects(task, options["engines"])
    rounds, sample = options["rounds"], round(options["sample_ms"] * 1e6)
    if options["as_json"] or not sys.stderr.isatty():
        return compare(task, subjects, rounds=rounds, sample_ns=sample)
    from rich.console import Console

    with Console(stderr=True).status("") as status:
        return compare(task, subjects, rounds=rounds, sample_ns=sample, progress=status.update)


def _mean(rows: list[Row]) -> Row:
    """The rows of several packets as one: each sample becomes the mean over the packets.

    An engine that had to be skipped for one of them is skipped.
    """
    first = rows[0]
    for index, timing in enumerate(first.timings):
        others = [row.timings[index] for row in rows]
        timing.skipped = next((t.skipped for t in others if t.skipped), "")
        columns = zip(*(t.samples for t in others), strict=not timing.skipped)
        timing.samples = [] if timing.skipped else [sum(samples) / len(rows) for samples in columns]
    return first
