"""``osmia compile``: a program as native code."""

from __future__ import annotations

from typing import Any

import click

from osmia.cli.common import DIALECTS, examples, load_collection, pick, write_output

EXAMPLES = examples(
    "osmia compile prog.bpf.o", "osmia compile prog.bpf.c --trusted --emit ir",
    "osmia compile prog.bpf.o --emit so -o prog.so", "osmia compile prog.bpf.o --emit h -o prog.h",
    "echo 'r0 = r1; r0 *= 3; exit' | osmia compile - --target aarch64",
)  # fmt: skip


@click.command(epilog=EXAMPLES)
@click.argument("path", metavar="FILE")
@click.option("-p", "--prog", "--program", "program", metavar="NAME", help="Which program, when there are several.")
@click.option(
    "--emit",
    "form",
    type=click.Choice(("asm", "ir", "obj", "so", "h")),
    default="asm",
    show_default=True,
    help="Assembly, LLVM IR, an object, a shared library, or the C header that says how to call it.",
)
@click.option(
    "--checked/--trusted",
    default=True,
    help="Check every access and count instructions (default), or only what the program does.",
)
@click.option("-O", "level", type=click.Choice(("0", "2")), default="2", show_default=True, help="Optimise or not.")
@click.option(
    "--target",
    default="native",
    show_default=True,
    metavar="NAME",
    help="native (this CPU), x86-64, aarch64, or a triple of LLVM's.",
)
@click.option("-o", "--output", default="-", metavar="FILE", help="Where to; - is standard output, the default.")
@click.option("--btf", metavar="TARGET", help="BTF of the kernel to fit to: /sys/kernel/btf/vmlinux, say.")
@click.option("--cpu", default="v3", show_default=True, metavar="v1|v2|v3|v4", help="What C is compiled for.")
@click.option("--type", "prog_type", metavar="TYPE", help="Type of bare instructions.")
@click.option("--dialect", type=click.Choice(DIALECTS), help="Dialect of assembly text [default: by its looks].")
@click.option("--json", "as_json", is_flag=True, help="With -o: what was written, as JSON.")
def command(path: str, program: str | None, form: str, output: str, as_json: bool, **options: Any) -> None:
    """Compile a program into native code through LLVM.

    FILE is an object, C, assembly, records or bare instructions; - is standard input.  The code calls what it
    needs (helpers, maps) by name; "--emit h" declares those names and says how to run it.
    """
    from osmia.sim import Executable
    from osmia.vm.jit.ahead import Ahead

    given = {name: options[name] for name in ("cpu", "prog_type", "dialect") if options[name] is not None}
    chosen = pick(load_collection(path, btf=options["btf"], **given), program)
    machine = Executable(chosen, engine="interp").machine
    ahead = Ahead(
        machine.code, machine.maps, checked=options["checked"], level=int(options["level"]), target=options["target"]
    )
    data = ahead.form(form)
    write_output(data, output, as_json=as_json, program=chosen.name, emit=form, entry=ahead.names["entry"])
