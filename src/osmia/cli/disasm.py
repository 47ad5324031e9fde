"""``osmia disasm``: the text of an object's instructions, as llvm-objdump writes it, or of bare instructions."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from osmia.cli.common import DIALECTS, examples, pick, print_json, read_input
from osmia.errors import UsageError

EXAMPLES = examples(
    "osmia disasm prog.bpf.o", "osmia disasm -S -r -j xdp prog.bpf.c", "osmia disasm --dialect kernel prog.bpf.o",
    "echo b700000001000000 9500000000000000 | osmia disasm -",
    "tcpdump -ddd -y EN10MB udp | osmia disasm --dialect classic -",
)  # fmt: skip


@click.command(epilog=EXAMPLES)
@click.argument("paths", metavar="FILE...", nargs=-1, required=True)
@click.option("-d", "--disassemble", is_flag=True, hidden=True, help="Accepted and ignored, as habit types it.")
@click.option("-D", "--disassemble-all", "all_sections", is_flag=True, help="Disassemble all sections, not only code.")
@click.option("-r", "--reloc", is_flag=True, help="Show the relocations behind their instructions.")
@click.option("-S", "--source", is_flag=True, help="Show the source lines that .BTF.ext knows.")
@click.option("-l", "--line-numbers", is_flag=True, help="Show source files and line numbers.")
@click.option("-j", "--section", "sections", multiple=True, metavar="NAME", help="Only this section (repeatable).")
@click.option(
    "--symbols", "--disassemble-symbols", "symbols", multiple=True, metavar="NAME,...", help="Only these symbols."
)
@click.option("--no-show-raw-insn", "hide_raw", is_flag=True, help="Leave out the instructions' bytes.")
@click.option("-z", "--disassemble-zeroes", "zeroes", is_flag=True, help="Show blocks of zeros, too.")
@click.option("--mcpu", "--cpu", "mcpu", default="generic", metavar="CPU",
              help="v3 and v4 name 32-bit registers in loads and stores.")  # fmt: skip
@click.option("--dialect", type=click.Choice(DIALECTS), default="llvm", show_default=True,
              help="Others than llvm show each program as it would be loaded.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Programs with their linked instructions as JSON.")
def command(paths: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Disassemble objects; C and assembly files become objects first (- is standard input).

    The text equals llvm-objdump -d (LLVM 19) byte for byte, also with -r and -j, and with -S and -l where the object
    has no DWARF (llvm-strip -g): source lines come from .BTF.ext.  Raw and hexadecimal instructions come out one line
    each, in the chosen dialect.
    """
    if as_json:
        print_json({"programs": [row for path in paths for row in _rows(path, options["dialect"])]})
        return
    from osmia import inputs

    for path in paths:
        if options["dialect"] == "llvm" and (data := _elf(path)) is not None:
            _object(data, path, options)
            continue
        given = read_input(path)
        if options["dialect"] == "llvm" and given.kind in ("object", "c", "asm"):
            cpu = options["mcpu"] if options["mcpu"] != "generic" else "v3"
            _object(inputs.object_of(given, cpu=cpu), given.name, options)
        else:
            _bare(given, options["dialect"], [s for group in options["symbols"] for s in group.split(",")])


def _rows(path: str, dialect: str) -> Iterator[dict[str, Any]]:
    """Each program of an input: its instructions with slot, bytes and text."""
    from osmia import inputs
    from osmia.asm import DIALECTS as BY_NAME
    from osmia.isa import encode

    if dialect == "classic":
        raise UsageError("--json shows eBPF: the dialect is llvm, kernel or ubpf")
    given = inputs.read(path)
    collection = inputs.load(given)
    order: Any = collection.byteorder
    for program in collection.programs.values():
        insns, rows, slot = program.insns, [], 0
        while slot < len(insns):
            whole = insns[slot : slot + 2] if insns[slot].is_wide else insns[slot : slot + 1]
            text = BY_NAME[dialect].format(whole).strip().removeprefix("0: ")
            rows.append({"slot": slot, "hex": encode(whole, order).hex(), "text": text})
            slot += len(whole)
        yield {"file": given.name, "name": program.name, "section": program.section, "insns": rows}


def _elf(path: str) -> bytes | None:
    """The bytes of an ELF file; None for anything else, which takes a closer look (and more imports)."""
    try:
        with Path(path).open("rb") as file:
            return file.read() if file.read(4) == b"\x7fELF" and not file.seek(0) else None
    except (OSError, ValueError):
        return None


def _object(data: bytes, name: str, options: dict[str, Any]) -> None:
    from osmia.obj.disasm import Listing, Options

    chosen = Options(
        sections=options["sections"],
        symbols=tuple(s for group in options["symbols"] for s in group.split(",")),
        reloc=options["reloc"], source=options["source"], line_numbers=options["line_numbers"],
        raw_insn=not options["hide_raw"], zeroes=options["zeroes"],
        all_sections=options["all_sections"], cpu=options["mcpu"],
    )  # fmt: skip
    listing = Listing(data, name, chosen)
    for chunk in listing.chunks():
        sys.stdout.write(chunk)
    for warning in listing.warnings:
        print(f"osmia: warning: {name}: {warning}", file=sys.stderr)


def _bare(given: Any, dialect: str, wanted: list[str]) -> None:
    from osmia import inputs
    from osmia.asm import DIALECTS, classic

    if dialect == "classic":  # a filter in any form: tcpdump's dumps, assembly, or struct sock_filter in bytes
        raw = given.kind in ("raw", "object")
        filters = classic.decode(given.data) if raw else classic.parse(inputs.text_of(given), file=given.name)
        sys.stdout.write(classic.format(filters))
    elif given.kind in ("object", "c", "records"):
        collection = inputs.load(given)
        for program in [pick(collection, name) for name in wanted] or collection.programs.values():
            sys.stdout.write(f"; {program.name}\n{DIALECTS[dialect].format(program.insns)}")
    else:
        sys.stdout.write(DIALECTS[dialect].format(inputs.instructions(given)))
