"""The bench's figures for people: tables with medians, spreads and ratios to the kernel."""

from __future__ import annotations

import math
import os
import platform
import resource
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from osmia.testing.bench import KERNEL, Row, Timing, geometric_mean

UNITS = (("ns", 1), ("µs", 1e3), ("ms", 1e6), ("s", 1e9))
NOISY = 0.2
"""From this spread on, a figure is marked: something else used the machine."""


def spell(ns: float) -> str:
    """A time with three digits: "8.62 ns", "1.48 ms".

    >>> spell(1482000.0), spell(8.616)
    ('1.48 ms', '8.62 ns')
    """
    if math.isnan(ns):
        return "–"
    unit, size = next(
        (u, s) for u, s in (("ns", 1), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)) if ns < 999.5 * s or u == "s"
    )
    value = ns / size
    return f"{value:.{max(0, 3 - len(str(int(value))))}f} {unit}"


def times(ratio: float) -> str:
    """A ratio: "3.2×"."""
    return "–" if math.isnan(ratio) else f"{ratio:.2f}×"


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    from osmia._version import __version__
    from osmia.vm import interp

    compiled = not interp.__file__.endswith(".py")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    facts = {"osmia": __version__, "compiled": compiled, "kernel": platform.release(), "machine": platform.machine()}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        **facts,
        "cpus": os.cpu_count(),
        "load": round(load, 2),
        "python": platform.python_version(),
        "peak_mib": peak,
    }


def headline(facts: Mapping[str, Any]) -> str:
    """The same in one line."""
    build = "compiled" if facts["compiled"] else "plain Python"
    return (
        f"osmia {facts['osmia']} ({build}), Linux {facts['kernel']} {facts['machine']}, {facts['cpus']} CPUs, "
        f"load {facts['load']}, Python {facts['python']}, at most {facts['peak_mib']:.0f} MiB"
    )


def cell(timing: Timing | None) -> str:
    """A median; with a "~" where the samples lie far apart."""
    if timing is None:
        return "–"
    return ("~" if timing.spread > NOISY else "") + spell(timing.median)


def table_of_engines(row: Row) -> Any:
    """One program: a line for each engine."""
    from rich.table import Table

    table = Table(title=f"{row.task}, one run", title_justify="left")
    for name in ("engine", "median", "spread", "against kernel", "per insn", "load", "first result", "runs"):
        table.add_column(name, justify="left" if name == "engine" else "right")
    insns = next((t.facts["insns"] for t in row.timings if t.facts.get("insns")), 0)
    for timing in row.timings:
        if timing.skipped:
            table.add_row(timing.name, "–", *[""] * 5, timing.skipped, style="dim")
            continue
        each = spell(timing.median / insns) if insns else "–"
        figures = [cell(timing), f"{timing.spread:.0%}", times(row.ratio(timing.name)), each]
        table.add_row(timing.name, *figures, spell(timing.load_ns), spell(timing.first_ns), f"{timing.times:,}")
    return table


def compared(names: Sequence[str]) -> list[str]:
    """The engines whose ratio to the kernel is worth a column: all but interpreters."""
    return [name for name in names if name != KERNEL and "interpreter" not in name]


def table_of_programs(rows: Sequence[Row], names: Sequence[str]) -> Any:
    """Many programs: a line for each, a column for each engine, and how many times as fast as the kernel they are."""
    from rich.table import Table

    table = Table(title_justify="left")
    table.add_column("program")
    for name in names:
        table.add_column(name, justify="right")
    shown = compared(names)
    for name in shown:
        table.add_column(f"kernel / {name}", justify="right")
    for row in rows:
        figures = [cell(row.of(name)) for name in names]
        table.add_row(row.task, *figures, *(times(row.ratio(name)) for name in shown))
    means = [times(geometric_mean(row.ratio(name) for row in rows)) for name in shown]
    table.add_row("geometric mean", *[""] * len(names), *means, style="bold")
    return table


def skipped(rows: Iterable[Row]) -> list[str]:
    """Why figures are missing, each reason once."""
    found: dict[str, list[str]] = {}
    for row in rows:
        for timing in row.timings:
            if timing.skipped:
                found.setdefault(f"{timing.name}: {timing.skipped}", []).append(row.task)
    return [f"{why} ({', '.join(tasks)})" for why, tasks in found.items()]


def markdown(rows: Sequence[Row], names: Sequence[str]) -> str:
    """The table of programs for a document."""
    shown = compared(names)
    head = ["program", *names, *(f"kernel / {n}" for n in shown)]
    lines = ["| " + " | ".join(head) + " |", "|---" + "|--:" * (len(head) - 1) + "|"]
    for row in rows:
        figures = [f"{cell(t)} ±{t.spread:.0%}" if (t := row.of(n)) else "–" for n in names]
        lines.append("| " + " | ".join([row.task, *figures, *(times(row.ratio(n)) for n in shown)]) + " |")
    means = [f"**{times(geometric_mean(row.ratio(n) for row in rows))}**" for n in shown]
    lines.append("| " + " | ".join(["**geometric mean**", *[""] * len(names), *means]) + " |")
    return "\n".join(lines)
