"""``osmia check``: which programs load on which kernels, for people at a terminal and for CI."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import click

from osmia.cli import check_report as report
from osmia.cli.common import examples, powers_of, print_json
from osmia.errors import InputError, UsageError

if TYPE_CHECKING:
    from osmia.btf import Btf
    from osmia.verifier.matrix import Matrix, Row

KERNELS = "5.10,6.1,6.12,6.18,7.2"
EXAMPLES = examples(
    "osmia check prog.bpf.o", "osmia check --kernels 5.10,6.18 build/*.bpf.o",
    "osmia check --junit report.xml --github prog.bpf.c", "osmia check --btf 6.1=vendor.btf prog.bpf.o",
    "osmia check --json prog.bpf.o | jq '.programs[].kernels[].status'",
)  # fmt: skip


@click.command(epilog=EXAMPLES)
@click.argument("paths", metavar="FILE...", nargs=-1, required=True)
@click.option("-k", "--kernels", default=KERNELS, show_default=True, metavar="LIST",
              help="Kernels, with commas between: versions, or files of osmia profile record.")  # fmt: skip
@click.option("-p", "--prog", metavar="NAME", help="Only this program, also when it is not loaded by default.")
@click.option("--btf", "btf_files", multiple=True, metavar="[KERNEL=]FILE",
              help="A kernel's own BTF instead of the profile's; without a name, all kernels'.")  # fmt: skip
@click.option("--unprivileged", is_flag=True, help="Load as an ordinary user without capabilities.")
@click.option("--caps", metavar="LIST", help="Load as a user with only these: bpf, perfmon, net_admin, sys_admin.")
@click.option("--kconfig", metavar="FILE", help="The kernel's configuration, for __kconfig variables.")
@click.option("--cpu", default="v3", show_default=True, metavar="v1|v2|v3|v4", help="What C is compiled for.")
@click.option("--type", "prog_type", metavar="TYPE", help="Type of bare instructions: xdp, socket_filter, …")
@click.option("--junit", metavar="FILE", help="Write the results as JUnit XML: a suite per file, a case per cell.")
@click.option("--github", is_flag=True, help="Print refusals as annotations of GitHub's workflows.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for scripts.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
def command(
    paths: Sequence[str], kernels: str, prog: str | None, as_json: bool, junit: str | None, github: bool, quiet: bool,
    **options: Any,
) -> int:  # fmt: skip
    """Say for each program of each FILE which kernels would load it, and why the others would not.

    A cell of the table is the number of instructions that the verifier processed (the limit is a million), or the
    error.  The exit status is 0 when every kernel takes every program, 1 when one is refused, 2 when there is no
    verdict: a file is bad, or a rule is missing.
    """
    matrix = _matrix([name.strip() for name in kernels.split(",") if name.strip()], options)
    rows: list[Row] = []
    bad: list[InputError] = []
    with _progress(len(paths), not (quiet or as_json)) as step:
        for path in paths:
            step(path)
            try:
                rows += _told(matrix.rows(path, prog), step)
            except InputError as e:
                bad.append(e)
    if junit:
        report.write_junit(rows, bad, junit)
    if as_json:
        print_json(report.document(rows, bad, matrix))
    else:
        report.show(rows, bad, matrix)
    if github:
        print("\n".join(report.workflow_commands(rows, bad)))
    return _status(rows, bad)


def _told(rows: Iterator[Row], step: Any) -> Iterator[Row]:
    for row in rows:
        step(f"{row.file}: {row.name}", 0)
        yield row


def _matrix(kernels: list[str], options: dict[str, Any]) -> Matrix:
    from osmia.inputs import read_file
    from osmia.obj.kconfig import parse_config
    from osmia.verifier.matrix import Matrix

    if not kernels:
        raise UsageError("--kernels names none")
    power = powers_of(options.pop("unprivileged"), options.pop("caps"))
    types = _types(options.pop("btf_files"), kernels)
    given = {key: value for key, value in options.items() if value is not None}
    if "kconfig" in given:
        given["kconfig"] = parse_config(read_file(given["kconfig"]), file=given["kconfig"])
    return Matrix(kernels, power, btf=types, options=given)


def _types(files: Sequence[str], kernels: list[str]) -> dict[str, Btf]:
    from osmia.inputs import load_btf

    made: dict[str, Btf] = {}
    for text in files:
        kernel, is_named, file = text.partition("=")
        if is_named and kernel not in kernels:
            raise UsageError(f"--btf names the kernel {kernel!r}, which --kernels does not")
        types = load_btf(file if is_named else text)
        made |= {kernel: types} if is_named else {name: types for name in kernels if name not in made}
    return made


def _progress(total: int, wanted: bool) -> AbstractContextManager[Any]:
    """What it gives takes the name of what comes next, and how many files that is further (1)."""
    if not wanted or not sys.stderr.isatty():
        return nullcontext(lambda name, by=1: None)
    return _Bar(total)


class _Bar:
    """A progress bar on stderr."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        columns = BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}")
        self.progress = Progress(*columns, console=Console(file=sys.stderr), transient=True)
        self.task = self.progress.add_task("", total=total)
        self.begun = 0

    def __enter__(self) -> Any:
        self.progress.start()
        return self.step

    def step(self, name: str, by: int = 1) -> None:
        """The files before this one are done."""
        self.progress.update(self.task, completed=self.begun, description=name)
        self.begun += by

    def __exit__(self, *_: object) -> None:
        self.progress.stop()


def _status(rows: list[Row], bad: list[InputError]) -> int:
    found = {row.status for row in rows}
    return 2 if bad or "unknown" in found else 1 if "refused" in found else 0
