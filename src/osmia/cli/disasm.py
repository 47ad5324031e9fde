"""``osmia disasm``: the text of an object's instructions, as llvm-objdump writes it, or of bare instructions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from osmia.cli.common import read_input


@click.command()
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
@click.option("--mcpu", default="generic", metavar="CPU", help="v3 and v4 name 32-bit registers in loads and stores.")
@click.option("--dialect", default="llvm", help="llvm, kernel, ubpf or classic [default: llvm].")
def command(paths: tuple[str, ...], **options: Any) -> None:
    """Disassemble objects; C and assembly files become objects first ("-" reads standard input).

    The text equals llvm-objdump -d (LLVM 19) byte for byte, with -r, -S, -j and the rest as well.  Raw and
    hexadecimal instructions come out one line each, in the chosen dialect.
    """
    for path in paths:
        if options["dialect"] == "llvm" and (data := _elf(path)) is not None:
            _object(data, path, options)
            continue
        given = read_input(path)
        if options["dialect"] == "llvm" and given.kind in ("object", "c", "asm"):
            _object(_as_object(given, options["mcpu"]), given.name, options)
        else:
            _bare(given, options["dialect"])


def _elf(path: str) -> bytes | None:
    """The bytes of an ELF file; None for anything else, which takes a closer look (and more imports)."""
    try:
        with Path(path).open("rb") as file:
            return file.read() if file.read(4) == b"\x7fELF" and not file.seek(0) else None
    except (OSError, ValueError):
        return None


def _as_object(given: Any, cpu: str) -> bytes:
    """The bytes of the object that the input is, or becomes."""
    if given.kind == "object":
        return bytes(given.data)
    if given.kind == "c":
        from osmia import cc

        text = given.data.decode(errors="replace") if given.name == "<stdin>" else Path(given.name)
        return cc.compile(text, cpu=cpu if cpu != "generic" else "v3")
    from osmia import inputs
    from osmia.asm import elf_write, llvm

    text = given.data.decode(errors="replace")
    if inputs.dialect_of(text) == "llvm":
        return elf_write.write(llvm.assemble(text, file=given.name))
    return elf_write.bare(inputs.instructions(given))


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


def _bare(given: Any, dialect: str) -> None:
    from osmia import inputs
    from osmia.asm import DIALECTS, classic

    if dialect == "classic":  # a filter in any form: tcpdump's dumps, assembly, or struct sock_filter in bytes
        raw = given.kind in ("raw", "object")
        filters = classic.decode(given.data) if raw else classic.parse(inputs.text_of(given), file=given.name)
        sys.stdout.write(classic.format(filters))
    elif given.kind in ("object", "c", "records"):
        for program in inputs.load(given).programs.values():
            sys.stdout.write(f"; {program.name}\n{DIALECTS[dialect].format(program.insns)}")
    else:
        sys.stdout.write(DIALECTS[dialect].format(inputs.instructions(given)))
