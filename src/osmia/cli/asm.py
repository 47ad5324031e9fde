"""``osmia asm``: text into an object file, raw bytes, hexadecimal, or C."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from osmia.cli.common import DIALECTS, examples, print_json, read_input, write_output

if TYPE_CHECKING:
    from osmia.isa import Insn

FORMATS = ("object", "raw", "hex", "c")


EXAMPLES = examples(
    "osmia asm prog.s", "osmia asm prog.s -o prog.o", "echo 'r0 = 1; exit' | osmia asm - --format c",
    "osmia asm filter.txt --dialect classic -o filter.o --section socket",
)  # fmt: skip


@click.command(epilog=EXAMPLES)
@click.argument("path", metavar="FILE")
@click.option("-o", "--output", default="-", metavar="FILE", help="Where to; - is standard output, the default.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="What to write [default: object with -o, else hex].")
@click.option("--dialect", type=click.Choice(DIALECTS), help="How the text is written [default: by its looks].")
@click.option("--big-endian", "--big", is_flag=True, help="For big-endian machines.")
@click.option("--section", default=".text", show_default=True, metavar="NAME",
              help="Where bare code of the other dialects than llvm goes.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The instructions as JSON, or with -o what was written.")
def command(path: str, output: str, form: str | None, as_json: bool, **options: Any) -> None:
    """Assemble FILE (- is standard input) into an object file, raw bytes, hexadecimal digits or C.

    LLVM's text (what clang -S writes and llvm-mc reads) may hold sections, symbols and data; the object file
    gets a relocation for every symbol that it does not define.
    """
    given = read_input(path)
    from osmia import inputs

    text = _text(given)
    dialect = options["dialect"] or inputs.dialect_of(text)
    chosen = form or ("object" if output != "-" else "hex")
    order = "big" if options["big_endian"] else "little"
    if as_json and output == "-":
        print_json({"insns": [_row(insn, order) for insn in _insns(text, dialect, given.name)]})
        return
    if chosen == "object":
        data = _object(text, dialect, order, options["section"], given.name)
    else:
        data = _bare(text, dialect, order, chosen, given.name)
    write_output(data, output, as_json=as_json, format=chosen)


def _row(insn: Insn, order: Any) -> dict[str, Any]:
    from osmia.isa import encode

    return {**insn._asdict(), "hex": encode([insn], order).hex()}


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
