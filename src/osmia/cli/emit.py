"""``osmia emit``: programs as BPF_PROG_LOAD would get them, one JSON line each."""

from __future__ import annotations

import json
from typing import Any

import click

from osmia.cli.common import examples, load_collection, pick

EXAMPLES = examples(
    "osmia emit prog.bpf.o > programs.jsonl", "osmia emit --btf /sys/kernel/btf/vmlinux prog.bpf.c",
    "osmia emit prog.bpf.o | osmia run -",
)  # fmt: skip


@click.command(epilog=EXAMPLES)
@click.argument("path", metavar="FILE")
@click.option("--btf", metavar="TARGET", help="BTF of the kernel to fit to: /sys/kernel/btf/vmlinux, say.")
@click.option("-p", "--prog", "--program", "program", metavar="NAME",
              help="Only this program, also when it is not loaded by default.")  # fmt: skip
@click.option("--kconfig", metavar="FILE", help="The kernel's configuration, for __kconfig variables.")
@click.option("--cpus", type=click.IntRange(1, 65536), help="CPUs of the target: the size of per-CPU event arrays.")
@click.option("--name", help="The object's name in names of data maps (default: the file's, up to its first dot).")
@click.option("--json", "_json", is_flag=True, help="Accepted, as everywhere; the output is JSON anyway.")
def command(path: str, btf: str | None, program: str | None, _json: bool, **options: Any) -> None:
    """Write each program as one line of JSON: linked instructions, maps, BTF, func_info and line_info.

    FILE is an object, C, assembly, or such lines themselves; - is standard input.  Kernel functions and
    variables are named in "relocs", so a line fits every kernel that has them.
    """
    from osmia.obj.record import record, records

    collection = load_collection(path, btf=btf, **_options(options))
    order: Any = collection.byteorder
    rows = [record(pick(collection, program), order)] if program else records(collection)
    for row in rows:
        print(json.dumps(row))


def _options(given: dict[str, Any]) -> dict[str, Any]:
    from osmia.inputs import read_file
    from osmia.obj.kconfig import parse_config

    made = {key: value for key, value in given.items() if value is not None}
    if "kconfig" in made:
        made["kconfig"] = parse_config(read_file(made["kconfig"]), file=made["kconfig"])
    return made
