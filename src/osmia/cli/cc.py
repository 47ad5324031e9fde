"""``osmia cc``: C to an eBPF object."""

from __future__ import annotations

import sys
from pathlib import Path

import click

DEFAULT_SUFFIX = {"obj": ".o", "asm": ".s", "ll": ".ll"}


@click.command(context_settings={"ignore_unknown_options": False})
@click.argument("source")
@click.argument("clang_args", nargs=-1, metavar="[-- CLANG ARGS]")
@click.option("-o", "--output", help="where to write ('-': standard output); default: the source's name with .o")
@click.option("--cpu", default="v3", show_default=True, help="instruction set: v1, v2, v3, v4")
@click.option("-I", "includes", multiple=True, metavar="DIR", help="look for headers there first")
@click.option("-D", "defines", multiple=True, metavar="NAME[=VALUE]", help="define a macro")
@click.option("--big", is_flag=True, help="for big-endian machines")
@click.option("--arch", help="whose registers PT_REGS_* read: x86, arm64 (default: this machine's)")
@click.option("--vmlinux", metavar="FILE.btf", help="make vmlinux.h from that BTF instead of our compact one")
@click.option("--system-headers", is_flag=True, help="the machine's headers (libbpf's among them) win over ours")
@click.option("--emit", type=click.Choice(["obj", "asm", "ll"]), default="obj", show_default=True)
@click.option(
    "--compiler", metavar="NAME", help="clang, clang-19, ziglang, or a path (default: $OSMIA_CC or the first)"
)
def command(
    source: str, clang_args: tuple[str, ...], output: str | None, cpu: str, includes: tuple[str, ...],
    defines: tuple[str, ...], big: bool, arch: str | None, vmlinux: str | None, system_headers: bool,
    emit: str, compiler: str | None,
) -> None:  # fmt: skip
    """Compile SOURCE (a C file, '-' for standard input) to an eBPF object."""
    from osmia import cc

    path = source if source == "-" else Path(source)
    order = "big" if big else "little"
    job = cc.Job(path, cpu, includes, defines, order, system_headers, emit, arch, vmlinux, compiler, clang_args)
    made = cc.run(job)
    sys.stderr.write(made.warnings)
    _write(made.data, output or _default_name(source, emit))


def _default_name(source: str, emit: str) -> str:
    """``prog.bpf.c`` becomes ``prog.bpf.o`` in the working directory; standard input goes to standard output."""
    return "-" if source == "-" else Path(source).with_suffix(DEFAULT_SUFFIX[emit]).name


def _write(data: bytes, output: str) -> None:
    if output == "-":
        sys.stdout.buffer.write(data)
    else:
        Path(output).write_bytes(data)
