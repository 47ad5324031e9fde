"""``osmia cc``: C to an eBPF object."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from osmia.cli.common import examples, write_output
from osmia.errors import UsageError

DEFAULT_SUFFIX = {"obj": ".o", "asm": ".s", "ll": ".ll"}
EXAMPLES = examples(
    "osmia cc prog.bpf.c", "osmia cc prog.bpf.c -o - | osmia inspect -", "osmia cc prog.bpf.c --cpu v4 -D PORT=53",
    "osmia cc prog.bpf.c --vmlinux /sys/kernel/btf/vmlinux", "osmia cc prog.bpf.c -- -Wall -Werror",
)  # fmt: skip


@click.command(epilog=EXAMPLES)
@click.argument("source")
@click.argument("clang_args", nargs=-1, metavar="[-- CLANG ARGS]")
@click.option("-o", "--output", metavar="FILE", help="Where to; - is standard output [default: SOURCE's name with .o].")
@click.option("--cpu", default="v3", show_default=True, metavar="v1|v2|v3|v4", help="Instruction set.")
@click.option("-I", "includes", multiple=True, metavar="DIR", help="Look for headers there first.")
@click.option("-D", "defines", multiple=True, metavar="NAME[=VALUE]", help="Define a macro.")
@click.option("--big-endian", "--big", "big", is_flag=True, help="For big-endian machines.")
@click.option("--arch", metavar="x86|arm64", help="Whose registers PT_REGS_* read [default: this machine's].")
@click.option("--vmlinux", metavar="FILE", help="Make vmlinux.h from that BTF instead of our compact one.")
@click.option("--system-headers", is_flag=True, help="The machine's headers (libbpf's among them) win over ours.")
@click.option("--emit", type=click.Choice(["obj", "asm", "ll"]), default="obj", show_default=True,
              help="Object, assembly text, or LLVM's intermediate text.")  # fmt: skip
@click.option("--compiler", metavar="NAME", help="clang, clang-19, ziglang, a path [default: $OSMIA_CC, or the first].")
@click.option("--json", "as_json", is_flag=True, help="Tell what was written, with warnings, as JSON.")
def command(
    source: str, clang_args: tuple[str, ...], output: str | None, cpu: str, includes: tuple[str, ...],
    defines: tuple[str, ...], big: bool, arch: str | None, vmlinux: str | None, system_headers: bool,
    emit: str, compiler: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Compile SOURCE, a C file (- is standard input), to an eBPF object with BTF and line information.

    The compiler is clang, or the one in the ziglang wheel (pip install 'osmia[cc]'); headers are included.
    """
    from osmia import cc

    target = _target(source, output, emit)
    path = source if source == "-" else Path(source)
    order = "big" if big else "little"
    job = cc.Job(path, cpu, includes, defines, order, system_headers, emit, arch, vmlinux, compiler, clang_args)
    made = cc.run(job)
    told: dict[str, Any] = {"compiler": made.compiler.name, "warnings": made.warnings}
    if not as_json:
        sys.stderr.write(made.warnings)
    write_output(made.data, target, as_json=as_json, **told)


def _target(source: str, output: str | None, emit: str) -> str:
    """Where to write: ``prog.bpf.c`` becomes ``prog.bpf.o`` in the working directory, standard input goes to standard
    output.  Raises UsageError rather than overwrite the source.
    """
    target = output or ("-" if source == "-" else Path(source).with_suffix(DEFAULT_SUFFIX[emit]).name)
    if target != "-" and Path(target).resolve() == Path(source).resolve():
        raise UsageError("this would overwrite the source; is it C, and did you mean another -o?", file=source)
    return target
