"""``osmia btf``: dump, merge, subset and check type information."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from osmia.cli.common import examples, print_json, read_object, write_output

if TYPE_CHECKING:
    from osmia.btf import Btf

_ID = re.compile(r"[0-9]{1,10}\Z")
FILE = click.argument("path", metavar="FILE")
OUT = click.option(
    "-o", "--output", required=True, metavar="OUT", help="Where to write the raw BTF; - is standard output."
)
JSON = click.option("--json", "as_json", is_flag=True, help="Tell what was written as JSON.")
ORDER = click.option(
    "--byteorder", type=click.Choice(["little", "big"]), help="Byte order to write; that of the input if not given."
)


EXAMPLES = examples(
    "osmia btf dump --c /sys/kernel/btf/vmlinux > vmlinux.h", "osmia btf dump -t task_struct /sys/kernel/btf/vmlinux",
    "osmia btf subset --for prog.bpf.o /sys/kernel/btf/vmlinux -o small.btf",
    "osmia btf merge a.bpf.o b.bpf.o -o both.btf", "osmia btf check prog.bpf.o",
)  # fmt: skip


@click.group(epilog=EXAMPLES)
def command() -> None:
    """Work with BTF, the kernel's type information.

    FILE is an object with a .BTF section, raw BTF, a file of /sys/kernel/btf, or C, which is compiled; - is
    standard input.
    """


def _open(path: str, base: str | None = None) -> Btf:
    """The table in a file; modules below /sys/kernel/btf stand on the kernel's own."""
    from osmia import inputs

    kernel = Path("/sys/kernel/btf/vmlinux")
    if base is None and Path(path).parent == kernel.parent and Path(path) != kernel:
        base = str(kernel)
    return inputs.load_btf(path, base=inputs.load_btf(base) if base else None)


@command.command(short_help="Print types as rows, C or JSON.")
@FILE
@click.option("-c", "--c", "as_c", is_flag=True, help="As a C header (vmlinux.h) that a compiler lays out the same.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, with the keys of bpftool btf dump.")
@click.option("--base", metavar="FILE", help="The table that split BTF stands on.")
@click.option("-t", "--type", "names", multiple=True, metavar="NAME|ID", help="Only this type; in C with all it needs.")
def dump(path: str, as_c: bool, as_json: bool, base: str | None, names: tuple[str, ...]) -> None:
    """Print the types: as rows like bpftool's, as C, or as JSON."""
    table = _open(path, base)
    ids = _pick(table, names) if names else None
    if as_c:
        from osmia.btf.c_dump import dump_c

        sys.stdout.write(dump_c(table, ids, header=ids is None))
        return
    from osmia.btf import text

    if as_json:
        chosen = range(table.first_id, len(table)) if ids is None else ids
        print_json({"types": [text.row(table, i) for i in chosen]})
    else:
        sys.stdout.write(text.dump_text(table, ids))


def _pick(table: Btf, names: Iterable[str]) -> list[int]:
    """Ids given as numbers, and all ids of types given by name."""
    from osmia.btf.subset import by_name

    return [i for name in names for i in ([int(name)] if _ID.match(name) else by_name(table, [name]))]


def _write(table: Btf, output: str, byteorder: str | None, as_json: bool) -> None:
    data = table.encode(byteorder)
    write_output(data, output, as_json=as_json, types=len(table) - 1)
    if not as_json and output != "-":
        print(f"{output}: {len(table) - 1} types, {len(data)} bytes", file=sys.stderr)


@command.command(short_help="Join tables; equal types become one.")
@click.argument("paths", metavar="FILE...", nargs=-1, required=True)
@OUT
@ORDER
@JSON
def merge(paths: tuple[str, ...], output: str, byteorder: str | None, as_json: bool) -> None:
    """Join tables; equal types become one, declarations find their definitions."""
    from osmia.btf.merge import merge as join

    table, _ = join([_open(path) for path in paths])
    _write(table, output, byteorder, as_json)


@command.command(short_help="Take the part of a table that types or programs need.")
@FILE
@OUT
@ORDER
@click.option("-t", "--type", "names", multiple=True, metavar="NAME|ID", help="A type to take, with all it needs.")
@click.option("--depth", type=click.IntRange(0), help="Follow that many pointers; structs beyond are only declared.")
@click.option("--for", "objects", multiple=True, metavar="OBJECT", help="Take what this object's CO-RE needs.")
@JSON
def subset(path: str, output: str, byteorder: str | None, as_json: bool, **options: Any) -> None:
    """Take a part of a table: chosen types, or the few fields that a program's CO-RE relocations need."""
    from osmia.btf import subset as part

    table = _open(path)
    if options["objects"]:
        roots, keep = part.needed_by(r for name in options["objects"] for r in _relocations(name, table))
        taken = part.subset(table, [*roots, *_pick(table, options["names"])], keep=keep)
    else:
        taken = part.subset(table, _pick(table, options["names"]), depth=options["depth"])
    _write(taken, output, byteorder, as_json)


def _relocations(path: str, target: Btf) -> list[Any]:
    """Every CO-RE relocation of an object, answered from a table."""
    from osmia.btf import Btf
    from osmia.btf.core import Matcher
    from osmia.btf.ext import BtfExt
    from osmia.obj.elf import ElfFile

    name, data = read_object(path)
    elf = ElfFile(data, name)
    btf, ext = elf.section(".BTF"), elf.section(".BTF.ext")
    if btf is None or ext is None:
        return []
    local = Btf.parse(elf.contents(btf))
    matcher = Matcher(local, target)
    rows = BtfExt.parse(elf.contents(ext), local).core_relos.values()
    return [matcher.resolve(relo) for group in rows for relo in group]


@command.command(short_help="Say whether the kernel would take a table.")
@click.argument("paths", metavar="FILE...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def check(paths: tuple[str, ...], as_json: bool) -> None:
    """Say whether the kernel would take the table; the first problem ends it, with its place."""
    from osmia import inputs
    from osmia.btf.check import check as prove

    for path in paths:
        table = _open(path)
        prove(table)
        if as_json:
            print_json({"file": inputs.called(path), "types": len(table) - 1, "byteorder": table.byteorder})
        else:
            print(f"{inputs.called(path)}: {len(table) - 1} types, {table.byteorder}-endian, sound")
