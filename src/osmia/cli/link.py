"""``osmia link``: several objects become one."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.argument("paths", metavar="FILE...", nargs=-1, required=True)
@click.option("-o", "--output", required=True, metavar="OUT", help="The linked object.")
def command(paths: tuple[str, ...], output: str) -> None:
    """Link objects statically, as bpftool gen object does ("-" reads standard input).

    Sections are joined by name, externs find their definitions in other files (the types must agree), and BTF
    is merged.
    """
    from osmia.cli.common import read_input
    from osmia.obj.linker import link

    given = [read_input(path) for path in paths]
    data = link([(each.name, each.data) for each in given])
    Path(output).write_bytes(data)
    print(f"{output}: {len(given)} files, {len(data)} bytes", file=sys.stderr)
