"""Osmia's engines, the running kernel and other machines on the programs of bench/programs, side by side:

    python bench/engines.py [--only NAME] [--rounds N] [--sample-ms MS] [--engine NAME …] [--markdown | --json]

Every engine answers first, and all answers must be the same; then all run by turns in rounds of short samples.  The
table shows medians ("~": the quartiles are more than a fifth apart), and how many times as fast as the kernel each is.
The kernel's figures are those of BPF_PROG_TEST_RUN, whose own loop is in the row "empty".  Run it on a compiled build.
"""

from __future__ import annotations

import argparse
import json
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from osmia import cc, obj
from osmia.errors import OsmiaError
from osmia.obj.model import Collection
from osmia.sim import packet
from osmia.testing import bench, bench_peers, bench_report, bench_subjects

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
    args = parser.parse_args()
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
