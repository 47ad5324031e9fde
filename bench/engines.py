"""Osmia's engines, the running kernel and other machines on the programs of bench/programs, side by side:

    python bench/engines.py [--only NAME] [--rounds N] [--sample-ms MS] [--engine NAME …] [--markdown | --json]
    python bench/engines.py --latency [--only NAME]
    python bench/engines.py --batch [--packets N]

Every engine answers first, and all answers must be the same; then all run by turns in rounds of short samples.  The
table shows medians ("~": the quartiles are more than a fifth apart), and how many times as fast as the kernel each is.
The kernel's figures are those of BPF_PROG_TEST_RUN, whose own loop is in the row "empty".  Run it on a compiled build.
"""

from __future__ import annotations

import argparse
import json
import struct
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from osmia import api, cc, obj
from osmia.errors import OsmiaError
from osmia.obj.model import Collection
from osmia.sim import batch, packet
from osmia.testing import bench, bench_latency, bench_peers, bench_report, bench_subjects

PROGRAMS = Path(__file__).parent / "programs"
FRAME = packet.udp4("10.0.0.1", "10.0.0.2", 4000, 443, b"x" * 22)
Elements = dict[str, list[tuple[bytes, bytes]]]


def address(text: str) -> bytes:
    return bytes(int(part) for part in text.split("."))


def firewall_rules() -> Elements:
    """200 blocked networks, 20 open services."""
    networks = [struct.pack("=I", 24) + address(f"172.16.{n}.0") for n in range(200)]
    services = [
        struct.pack(">HBx", port, protocol) for port in (53, 80, 443, *range(8000, 8007)) for protocol in (6, 17)
    ]
    one = struct.pack("=I", 1)
    return {"blocked": [(n, one) for n in networks], "open_services": [(s, one) for s in services]}


def sources() -> Elements:
    """500 counters, the packet's among them."""
    return {"by_source": [(address(f"10.0.{n >> 8}.{n & 255}"), bytes(8)) for n in range(1, 501)]}


@dataclass
class Entry:
    """One row: the file, what it runs on, and what is special about it."""

    name: str
    data: bytes = FRAME
    elements: Callable[[], Elements] = dict
    plain: bool = True
    drain: tuple[str, ...] = ()
    limit: int = 1 << 30


ENTRIES = (
    Entry("empty"),
    Entry("integer_loop"),
    Entry("lcg"),
    Entry("checksum", bytes(range(250)) * 6),
    Entry("matrix", bytes(range(256)) * 10),
    Entry("sieve", bytes(3500)),
    Entry("calls"),
    Entry("counters", elements=sources, plain=False),
    Entry("parser"),
    Entry("small_filter"),
    Entry("loop", plain=False),
    Entry("ringbuf", plain=False, drain=("events",), limit=50_000),
    Entry("tail_calls", plain=False),
    Entry("firewall", elements=firewall_rules, plain=False),
)


def compiled(name: str, *defines: str) -> Collection:
    source = PROGRAMS / f"{name}.bpf.c"
    return obj.load(cc.compile(source, includes=[PROGRAMS], defines=defines), path=str(source))


def task(entry: Entry) -> bench.Task:
    plain = compiled(entry.name, "PLAIN") if entry.plain else None
    return bench.Task(
        entry.name, compiled(entry.name), entry.name, entry.data, entry.elements(), plain, entry.drain, entry.limit
    )


def subjects(what: bench.Task, chosen: list[str]) -> list[bench.Subject]:
    made: list[bench.Subject] = [bench_subjects.Osmia(what, name) for name in bench_subjects.OURS]
    made += [bench_subjects.Kernel(what), *bench_peers.peers(what)]
    return [s for s in made if not chosen or s.name in chosen]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--engine", action="append", default=[])
    parser.add_argument("--rounds", type=int, default=bench.ROUNDS)
    parser.add_argument("--sample-ms", type=float, default=bench.SAMPLE_NS / 1e6)
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--latency", action="store_true", help="from a program to its first result, and memory")
    parser.add_argument("--batch", action="store_true", help="run_many: packets a second")
    parser.add_argument("--packets", type=int, default=2_000_000)
    args = parser.parse_args()
    if args.latency or args.batch:
        return latencies(args) if args.latency else batches(args)
    rows = []
    for entry in ENTRIES:
        if args.only and entry.name not in args.only:
            continue
        try:
            what = task(entry)
            row = bench.compare(
                what, subjects(what, args.engine), rounds=args.rounds, sample_ns=int(args.sample_ms * 1e6)
            )
        except OsmiaError as e:
            print(f"{entry.name}: {e}", file=sys.stderr)
            return e.exit_status
        rows.append(row)
        if not args.json:
            print(
                entry.name,
                *(f"{t.name} {bench_report.cell(row.of(t.name))}" for t in row.timings),
                sep="  ",
                file=sys.stderr,
            )
    show(rows, args)
    return 0


def latencies(args: argparse.Namespace) -> int:
    """Milliseconds to the first result, and what whole processes take."""
    print(bench_report.headline(bench_report.machine()))
    print(f"{'program':14} {'interpreter':>12} {'JIT, cold':>10} {'cached':>8}  object")
    for entry in ENTRIES:
        if not args.only or entry.name in args.only:
            got = bench_latency.latency(task(entry))
            print(
                f"{entry.name:14} {got.interpreted:9.2f} ms {got.cold:7.1f} ms {got.cached:5.2f} ms {got.size:7,} bytes"
            )
    with tempfile.TemporaryDirectory() as room:
        path = Path(room) / "parser.o"
        path.write_bytes(cc.compile(PROGRAMS / "parser.bpf.c", includes=[PROGRAMS]))
        for what, figures in bench_latency.processes(path, "parser", FRAME).items():
            print(f"process, {what:20} {figures['ms']:7.1f} ms {figures['mib']:7.1f} MiB")
    return 0


def batches(args: argparse.Namespace) -> int:
    """Packets of 64 bytes through run_many, from one buffer: the best of five."""
    print(bench_report.headline(bench_report.machine()))
    frames = [packet.udp4("10.0.0.1", "10.0.0.2", 4000, port, b"x" * 22) for port in (9999, 443, 53, 80)]
    data = b"".join(frames) * (args.packets // len(frames))
    given = batch.Packets.of((data, range(0, len(data) + 1, len(frames[0]))))
    for name in ("small_filter", "parser", "counters", "firewall"):
        for checked in (False, True):
            for threads in (1, 2):
                loaded = api.Collection(compiled(name), cpus=2)[name]
                ready = loaded.load(engine="jit", checked=checked, world=api.World(cpus=2))
                bench_subjects.fill(ready.maps, next(e for e in ENTRIES if e.name == name).elements())
                best = max((ready.run_many(given, threads=threads) for _ in range(5)), key=lambda b: b.per_second)
                how = f"{'checked' if checked else 'trusted'}, {threads} thread{'s' * (threads > 1)}"
                print(f"{name:14} {how:20} {best.per_second / 1e6:6.2f} M packets/s  {best.counts}")
    return 0


def show(rows: list[bench.Row], args: argparse.Namespace) -> None:
    facts = bench_report.machine()
    if args.json:
        print(json.dumps({"machine": facts, "rows": [row.to_json() for row in rows]}))
        return
    names = [t.name for t in rows[0].timings if any(row.of(t.name) for row in rows)] if rows else []
    order = [bench.KERNEL] * (bench.KERNEL in names) + [n for n in names if n != bench.KERNEL]
    print(bench_report.headline(facts))
    if args.markdown:
        print(bench_report.markdown(rows, order))
    else:
        from rich.console import Console

        Console(width=200).print(bench_report.table_of_programs(rows, order))
    for why in [*bench_report.skipped(rows), *bench_peers.missing().values()]:
        print(f"- {why}")


if __name__ == "__main__":
    sys.exit(main())
