"""``osmia link``: several objects become one."""

from __future__ import annotations

import sys

import click

from osmia.cli.common import examples, write_output

EXAMPLES = examples("osmia link a.bpf.o b.bpf.o -o both.bpf.o", "osmia cc a.bpf.c -o - | osmia link - b.bpf.o -o c.o")


@click.command(epilog=EXAMPLES)
@click.argument("paths", metavar="FILE...", nargs=-1, required=True)
@click.option("-o", "--output", required=True, metavar="OUT", help="The linked object; - is standard output.")
@click.option("--json", "as_json", is_flag=True, help="Tell what was written as JSON.")
def command(paths: tuple[str, ...], output: str, as_json: bool) -> None:
    """Link objects statically, as bpftool gen object does (- is standard input); C files are compiled first.

    Sections are joined by name, externs find their definitions in other files (the types must agree), and BTF
    is merged.
    """
    from osmia.cli.common import read_object
    from osmia.obj.linker import link

    data = link([read_object(path) for path in paths])
    write_output(data, output, as_json=as_json, files=len(paths))
    if not as_json and output != "-":
        files = "1 file" if len(paths) == 1 else f"{len(paths)} files"
        print(f"{output}: {files}, {len(data)} bytes", file=sys.stderr)
