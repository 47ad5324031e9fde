"""``osmia profile``: what a kernel offers; recorded, shown, compared."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from osmia.cli import profile_report as report
from osmia.cli.common import examples, print_json

if TYPE_CHECKING:
    from osmia.kernel.profile import Profile

KERNEL = "A kernel is a version (6.18, or 6.6 between two recorded ones) or a file that osmia profile record wrote."


@click.group(epilog=examples(
    "osmia profile list", "osmia profile show 6.18", "osmia profile diff 6.1 6.12",
    "sudo osmia profile record -o vendor.txt", "osmia check --kernels ./vendor.txt prog.bpf.o",
))  # fmt: skip
def command() -> None:
    """Say what a kernel offers programs: record the running kernel, show and compare kernels."""


@command.command("list", epilog=examples("osmia profile list", "osmia profile list --json"))
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for scripts.")
def list_profiles(as_json: bool) -> None:
    """List the kernels that Osmia knows.

    Versions between them are made of their neighbours.
    """
    from osmia.kernel import profile

    found = [profile.load(name) for name in profile.names()]
    if as_json:
        print_json({"profiles": [report.summary(one) for one in found]})
    else:
        report.show_list(found)


@command.command(epilog=examples("osmia profile show 6.6", "osmia profile show 5.10 --type xdp"))
@click.argument("kernel")
@click.option("--type", "prog_type", metavar="TYPE", help="Only programs of this type, with helpers and context.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for scripts.")
def show(kernel: str, prog_type: str | None, as_json: bool) -> None:
    """Show what KERNEL offers."""
    found = _load(kernel)
    if as_json:
        print_json(report.document(found, prog_type))
    elif prog_type is not None:
        report.show_type(found, prog_type)
    else:
        report.show(found)


@command.command(epilog=examples("osmia profile diff 6.1 6.12", "osmia profile diff 6.6 ./vendor.txt"))
@click.argument("old", metavar="A")
@click.argument("new", metavar="B")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for scripts.")
def diff(old: str, new: str, as_json: bool) -> int:
    """Show what kernel B has that kernel A has not, and the other way round.

    The exit status is 1 when they differ.
    """
    from osmia.kernel.compare import compare

    groups = compare(_load(old), _load(new))
    if as_json:
        print_json({"from": old, "to": new, "groups": [report.group(one) for one in groups]})
    else:
        report.show_diff(old, new, groups)
    return 1 if groups else 0


@command.command(epilog=examples("sudo osmia profile record", "sudo osmia profile record -o vendor.txt"))
@click.option("-o", "--output", metavar="FILE", help="The file to write; - is standard output [KERNEL-RELEASE.txt].")
@click.option("--no-types", is_flag=True, help="Leave out the kernel's BTF, which goes beside the file otherwise.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document about what was written.")
def record(output: str | None, no_types: bool, quiet: bool, as_json: bool) -> None:
    """Write down what the running kernel offers, by asking it.

    Some 200,000 small programs are put to bpf(2) in a minute or so, which takes root (CAP_BPF and friends).  Nothing is
    attached, and nothing stays loaded.
    """
    from osmia.live.record.file import Recording

    target = output or f"{os.uname().release}.txt"
    with _progress(not (quiet or as_json)) as told:
        made = Recording.of_running_kernel(told)
    if target == "-":
        sys.stdout.write(made.text)
        return
    files = [target, *made.write(Path(target), types=not no_types)]
    if as_json:
        print_json({"release": made.release, "files": files, "questions": made.questions})
    else:
        report.written(made.release, files, made.questions)


def _load(kernel: str) -> Profile:
    from osmia.kernel import profile

    return profile.load(kernel)


def _progress(wanted: bool) -> AbstractContextManager[Any]:
    """What it gives takes what is being asked about, and gives what takes the counts."""
    if not wanted or not sys.stderr.isatty():
        return nullcontext(lambda what: None)
    return _Bar()


class _Bar:
    """A progress bar on stderr."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        columns = TextColumn("{task.description:<16}"), BarColumn(), TextColumn("{task.fields[asked]:,} programs")
        self.progress = Progress(*columns, console=Console(file=sys.stderr), transient=True)
        self.task = self.progress.add_task("", total=report.PHASES, asked=0)
        self.asked = 0

    def __enter__(self) -> Any:
        self.progress.start()
        return self.phase

    def phase(self, what: str) -> Any:
        """The next thing is asked about."""
        self.progress.update(self.task, description=what, advance=1)
        before = self.asked

        def told(answered: int, _: int) -> None:
            self.asked = max(self.asked, before + answered)
            self.progress.update(self.task, asked=self.asked)

        return told

    def __exit__(self, *_: object) -> None:
        self.progress.stop()
