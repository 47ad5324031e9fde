"""Speak the plug-in protocol of the public conformance runner (bpf_conformance), which starts it once for each test.

The runner writes the program as hexadecimal bytes to standard input and gives the memory, also in
hexadecimal, as the first argument; R1 points at that memory, R2 holds its size.  R0 goes to standard output in
hexadecimal.  A failure is one line on standard error and an exit status other than 0.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from osmia.cli.common import examples
from osmia.errors import DecodeError, LinkError, Unavailable, UsageError
from osmia.inputs import read_file

if TYPE_CHECKING:
    from osmia.isa import Insn
    from osmia.obj.model import Program
    from osmia.vm import Result


NAME = "<standard input>"


def hex_bytes(text: str, what: str) -> bytes:
    """Bytes from hexadecimal digits; white space and 0x prefixes do not matter.  Raises DecodeError."""
    digits = "".join(word.removeprefix("0x") for word in text.split())
    try:
        return bytes.fromhex(digits)
    except ValueError:
        at = next((i for i, digit in enumerate(digits) if digit not in "0123456789abcdefABCDEF"), len(digits) - 1)
        raise DecodeError(f"the {what} is no row of hexadecimal bytes", offset=at // 2) from None


def program_of(data: bytes, elf: bool) -> Program:
    """The program: raw instructions, or the first program of an object file.  Raises DecodeError, LinkError."""
    from osmia.isa import decode
    from osmia.obj.model import Program

    if not elf:
        return Program("conformance", "unspec", decode(data, sys.byteorder))
    from osmia.obj import load

    programs = load(data, path=NAME).programs
    return next(iter(programs.values())) if programs else _text_of(data)


def _text_of(data: bytes) -> Program:
    """The code of ``.text``, which libbpf takes for subprograms only: what the runner's objects hold."""
    from osmia.isa import decode
    from osmia.obj.elf import ElfFile
    from osmia.obj.model import Program

    elf = ElfFile(data, NAME)
    text = elf.section(".text")
    if text is None:
        raise LinkError("the object has no program", file=NAME)
    return Program("conformance", "unspec", decode(elf.contents(text), elf.byteorder))


def execute(program: Program, memory: bytes, debug: bool, jit: bool = False) -> Result:
    """Run it on the memory, with Linux's helpers.  Raises VmError, or Unavailable when there is no native code."""
    from osmia import helpers
    from osmia.maps import create
    from osmia.vm import Machine, MemoryContext

    maps = [create(spec) for spec in program.maps]
    trace = Tracer(program.insns) if debug else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # it is the error below
        machine = Machine(program, maps=maps, helpers=helpers.table(), trace=trace, engine="jit" if jit else "interp")
    if jit and not machine.native:
        raise Unavailable(machine.note.partition("; the interpreter")[0])
    return machine.run(MemoryContext(memory))


class Tracer:
    """Writes every step to standard error."""

    def __init__(self, insns: Sequence[Insn]) -> None:
        from osmia.asm import DIALECTS

        lines = DIALECTS["kernel"].format(list(insns)).splitlines()
        self.texts = {int(line.split(":", 1)[0]): line for line in lines if line[:1].isdigit()}

    def __call__(self, pc: int, registers: Sequence[int]) -> None:
        """One line: the instruction and what the registers hold before it."""
        values = " ".join(f"r{number}={value:#x}" for number, value in enumerate(registers))
        print(f"{self.texts.get(pc, pc)}    {values}", file=sys.stderr)


EXAMPLES = examples(
    "echo b7000000010000009500000000000000 | osmia conformance-plugin",
    "osmia conformance-plugin 01020304 --program '71 10 00 00 00 00 00 00 95 00 00 00 00 00 00 00'",
)


@click.command(help=__doc__, epilog=EXAMPLES)
@click.argument("memory", default="")
@click.option("--program", "text", metavar="HEX", help="The program; otherwise it is read from standard input.")
@click.option("--elf", is_flag=True, help="The program is an ELF object, in hexadecimal as well.")
@click.option("--interpret", is_flag=True, help="Use the interpreter (it is the default).")
@click.option("--jit", is_flag=True, help="Run native code; exits with 3 where there is none.")
@click.option("--debug", is_flag=True, help="Write every instruction with all registers to standard error.")
def command(memory: str, text: str | None, elf: bool, interpret: bool, jit: bool, debug: bool) -> None:
    """Read, run, print R0."""
    if jit and interpret:
        raise UsageError("--jit and --interpret exclude each other")
    if jit and debug:
        raise UsageError("native code does not show its steps: no --debug with --jit")
    source = text if text is not None else read_file("-").decode("ascii", "replace")
    data = hex_bytes(source, "program")
    result = execute(program_of(data, elf), hex_bytes(memory, "memory"), debug, jit)
    click.echo(f"{result.r0:x}")
