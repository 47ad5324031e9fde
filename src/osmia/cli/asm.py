"""``osmia asm``: text into an object file, raw bytes, hexadecimal, or C."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from osmia.cli.common import read_input

if TYPE_CHECKING:
    from osmia.isa import Insn

FORMATS = ("object", "raw", "hex", "c")


@click.command()
@click.argument("path", metavar="FILE")
@click.option("-o", "--output", metavar="FILE", help='Where to; "-" is standard output.')
@click.option("--format", "form", type=click.Choice(FORMATS), help="What to write [default: object with -o, else hex].")
@click.option("--dialect", help="How the text is written: llvm, kernel, ubpf or classic [default: by its looks].")
@click.option("--big-endian", is_flag=True, help="For big-endian machines.")
@click.option("--section", default=".text", metavar="NAME", help="Where bare code of the other dialects goes.")
def command(path: str, output: str | None, form: str | None, **options: Any) -> None:
    """Assemble FILE ("-" reads standard input).

    LLVM's text (what clang -S writes and llvm-mc reads) may hold sections, symbols and data; the object file
    gets a relocation for every symbol that it does not define.
    """
    given = read_input(path)
    from osmia import inputs

    text = _text(given)
    dialect = options["dialect"] or inputs.dialect_of(text)
    chosen = form or ("object" if output not in (None, "-") else "hex")
    order = "big" if options["big_endian"] else "little"
    if chosen == "object":
        data = _object(text, dialect, order, options["section"], given.name)
    else:
        data = _bare(text, dialect, order, chosen, given.name)
    if output in (None, "-"):
        sys.stdout.buffer.write(data)
    else:
        Path(str(output)).write_bytes(data)


def _text(given: Any) -> str:
    from osmia.errors import AsmError

    try:
        decoded: str = given.data.decode()
    except UnicodeDecodeError as e:
        raise AsmError("not text in UTF-8", file=given.name, offset=e.start) from None
    return decoded


def _object(text: str, dialect: str, order: Any, section: str, name: str) -> bytes:
    from osmia.asm import elf_write, llvm

    if dialect == "llvm":
        return elf_write.write(llvm.assemble(text, order=order, file=name))
    return elf_write.bare(_insns(text, dialect, name), section=section, order=order)


def _insns(text: str, dialect: str, name: str) -> list[Insn]:
    from osmia.asm import DIALECTS, classic

    if dialect == "classic":  # the eBPF program that does what the filter does
        return classic.to_ebpf(classic.parse(text, file=name))
    return DIALECTS[dialect].parse(text, file=name)


def _bare(text: str, dialect: str, order: Any, form: str, name: str) -> bytes:
    from osmia.isa import encode

    insns = _insns(text, dialect, name)
    if form == "raw":
        return encode(insns, order)
    if form == "hex":
        return "".join(f"{encode([insn], order).hex()}\n" for insn in insns).encode()
    return "".join(_initializer(insn) for insn in insns).encode()


def _initializer(insn: Insn) -> str:
    """A ``struct bpf_insn`` as C writes it."""
    code, dst, src, off, imm = insn
    return f"{{ .code = {code:#04x}, .dst_reg = {dst}, .src_reg = {src}, .off = {off}, .imm = {imm} }},\n"
