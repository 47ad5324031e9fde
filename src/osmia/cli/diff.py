"""``osmia diff``: Osmia's verifier or its engines against the running kernel's, on programs made up at random."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from osmia.cli.common import examples, print_json

if TYPE_CHECKING:
    from osmia.testing import engine_diff
    from osmia.testing.verify_diff import Plan, Report

EXAMPLES = examples(
    "osmia diff --programs 100", "osmia diff --kind packets --kind maps --seed 7 --seconds 5",
    "osmia diff --caps bpf,net_admin --seconds 5", "osmia diff --save found --jobs 2 --seed 4242 --seconds 5",
    "osmia diff --engines all --seconds 5", "osmia diff --engines jit,kernel --kind edges --programs 50",
)  # fmt: skip


@click.command(epilog=EXAMPLES)
@click.option("--seconds", type=float, default=60, show_default=True, help="How long to go on.")
@click.option("--seed", type=int, help="Where the random numbers begin [default: another one each time].")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only programs of these kinds (see below).")
@click.option("--log-level", "level", type=int, default=0, help="1, 2 or 4 and sums [default: 2, and 5 now and then].")
@click.option("--unprivileged", is_flag=True, help="As a loader without any capability.")
@click.option("--caps", metavar="LIST", help="As a loader with these only: bpf, perfmon, net_admin, sys_admin.")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="How many processes.")
@click.option("--programs", type=int, help="Stop after so many programs.")
@click.option("--first", type=int, default=0, help="The number of the first program; with --programs 1 that one only.")
@click.option("--max-processed", "most", type=int, default=20000, show_default=True,
              help="Leave programs out that the kernel verifies for longer, in instructions.")  # fmt: skip
@click.option("--run", is_flag=True, help="Run what both accept, and hold it against what the verifier knew.")
@click.option("--engines", metavar="LIST", help="Run programs in these engines and hold them against the interpreter: "
              "interp-unchecked, jit-checked, jit, jit-facts, kernel; or all.")  # fmt: skip
@click.option("--no-shrink", is_flag=True, help="Show differences as they were found.")
@click.option("--save", metavar="DIR", help="Write each kind of difference to a file there, with the kernel's answer.")
@click.option("--json", "as_json", is_flag=True, help="Counts and causes as JSON.")
def command(as_json: bool, save: str | None, engines: str | None, **options: Any) -> int:
    """Make up programs, ask Osmia and the running kernel, and show where they don't agree.

    Verdict, errno, log and counts are compared.  Every kind of difference is shown once, as the smallest program that
    has it.  Exit status 1 if there is one.  What Osmia can't judge yet is counted, and no difference.

    Kinds: alu, branches, stack, packets, maps, context, helpers, loops, calls, globals, tail_calls, atomics, ld_abs,
    mixed, objects, kfuncs, attached, descriptors, mutants, random.  Loading programs takes CAP_BPF; nothing is
    attached.

    With --engines programs run, in the interpreter and in the engines named, and R0, packet, context and the contents
    of maps are compared; native code that crashes or hangs is a difference, too.  What the verifier refuses runs in
    jit-checked only.  Kinds then: those without globals and those behind mixed, but with callbacks and edges (every
    instruction with operands at the edges).
    """
    if engines is not None:
        return _engines(engines, as_json, save, **options)
    from osmia.testing import verify_diff

    plan = _plan(**options)
    report = verify_diff.run(plan, None if as_json or not sys.stderr.isatty() else _status())
    if save:
        _save(report, Path(save))
    if as_json:
        print_json(_facts(plan, report))
    else:
        _show(plan, report)
    return int(bool(report.groups))


def _plan(
    kinds: tuple[str, ...], seed: int | None, unprivileged: bool, caps: str | None, no_shrink: bool,
    programs: int | None, first: int, **others: Any,
) -> Plan:  # fmt: skip
    from osmia.errors import UsageError
    from osmia.testing.generate import KINDS
    from osmia.testing.verify_diff import Plan
    from osmia.verifier.judge import powers

    for kind in kinds:
        if kind not in KINDS:
            raise UsageError(f"no kind {kind!r}; known: {', '.join(KINDS)}")
    power = powers(not unprivileged, caps.split(",") if caps else None)
    start = int(time.time()) if seed is None else seed
    end = first + programs if programs is not None else 1 << 62
    return Plan(start, kinds=kinds or KINDS, powers=power, shrink=not no_shrink, programs=end, first=first, **others)


def _engines(names: str, as_json: bool, save: str | None, **options: Any) -> int:
    """Run instead of verify."""
    from osmia.testing import engine_diff
    from osmia.testing.trial_text import dump

    plan = _engine_plan(names, **options)
    report = engine_diff.run(plan, None if as_json or not sys.stderr.isatty() else _status())
    if save:
        for cause, group in report.groups.items():
            _write(Path(save), cause, dump(group.example, f"{group.engine}: {group.text}"))
    if as_json:
        print_json(engine_diff.facts(plan, report))
    else:
        click.echo(engine_diff.describe(plan, report))
    return int(bool(report.groups))


def _engine_plan(
    names: str, kinds: tuple[str, ...], seed: int | None, seconds: float, programs: int | None, first: int,
    no_shrink: bool, **others: Any,
) -> engine_diff.Plan:  # fmt: skip
    from osmia.errors import UsageError
    from osmia.testing import engine_diff
    from osmia.testing.engines import ENGINES

    chosen = engine_diff.Plan(0).engines if names == "all" else tuple(names.split(","))
    for known, given, what in ((ENGINES, chosen, "engine"), (engine_diff.KINDS, kinds, "kind")):
        wrong = [name for name in given if name not in known]
        if wrong:
            raise UsageError(f"no {what} {wrong[0]!r}; known: {', '.join(known)}")
    start = int(time.time()) if seed is None else seed
    end = first + programs if programs is not None else 1 << 62
    return engine_diff.Plan(start, seconds, kinds or engine_diff.KINDS, chosen, not no_shrink, end, first)


def _status() -> Any:
    last = [0.0]

    def tell(report: Report | engine_diff.Report) -> None:
        if time.monotonic() - last[0] > 1:
            last[0] = time.monotonic()
            click.echo(f"\r{report.programs} programs, {report.differences} differ ", nl=False, err=True)

    return tell


def _save(report: Report, folder: Path) -> None:
    from osmia.testing.cases import dump
    from osmia.testing.verify_diff import case_of

    for cause, group in report.groups.items():
        _write(folder, cause, dump(case_of(group.example, cause)))


def _write(folder: Path, cause: str, text: str) -> None:
    """A file named after the cause."""
    folder.mkdir(parents=True, exist_ok=True)
    words = "".join(ch if ch.isalnum() else "-" for ch in cause.lower())
    name = "-".join(word for word in words.split("-") if word)[:60]
    (folder / f"{name}.txt").write_text(text, "utf-8")


def _facts(plan: Plan, report: Report) -> dict[str, Any]:
    return {
        "seed": plan.seed,
        "programs": report.programs,
        "accepted": report.accepted,
        "differences": report.differences,
        "unsupported": dict(report.unsupported),
        "too_long": report.too_long,
        "unusable": dict(report.unusable),
        "lost": report.lost,
        "causes": {cause: group.count for cause, group in report.groups.items()},
    }


def _show(plan: Plan, report: Report) -> None:
    from osmia.testing.verify_diff import describe

    for cause, group in sorted(report.groups.items(), key=lambda item: item[1].count):
        click.echo(describe(cause, group) + "\n")
    click.echo(f"seed {plan.seed}: {report.programs} programs, {report.accepted} accepted; "
               f"{report.differences} differ, in {len(report.groups)} ways")  # fmt: skip
    for feature, count in report.unsupported.most_common():
        click.echo(f"  not judged yet: {count} × {feature}")
    if report.too_long:
        click.echo(f"  left out: {report.too_long} that take long or have a log that is too long")
    for first, why in report.lost.items():
        click.echo(f"  lost: the programs from number {first}: the process that asked {why}")
    for name, count in report.unusable.items():
        click.echo(f"  can't be loaded as they stand: {count} ({name})")
