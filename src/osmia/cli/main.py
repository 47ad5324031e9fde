"""The ``osmia`` command: names and one-line helps here, everything else in the module of the command.

A command's module is imported only when it runs, so that ``osmia --version`` costs next to nothing.
"""

from __future__ import annotations

import sys
from typing import Any

from osmia._version import __version__

COMMANDS: dict[str, str] = {
    "asm": "Assemble text into an object or raw instructions.",
    "bench": "Time a program in every engine, the running kernel and other machines.",
    "btf": "Dump, merge and convert BTF.",
    "cc": "Compile C to an eBPF object, with nothing else installed.",
    "check": "Say which kernels would load which programs.",
    "compile": "Compile a program into native code.",
    "conformance-plugin": "Speak the public conformance runner's plug-in protocol.",
    "diff": "Compare the verifier with the running kernel's on random programs.",
    "disasm": "Disassemble an object or raw instructions.",
    "emit": "Write what BPF_PROG_LOAD would get, one JSON line a program.",
    "inspect": "Show everything in an object file.",
    "link": "Link objects statically.",
    "profile": "Record, show and compare what kernels offer.",
    "run": "Compile, load, run and print.",
    "verdict": "Judge many programs, one JSON line each.",
    "verify": "Say whether Linux would load a program, and why not.",
}
"""Every command with its short help; ``foo-bar`` lives in ``osmia.cli.foo_bar`` as ``command``."""

HELP = """eBPF outside the kernel: compile, inspect, link and run.

A command that takes a program takes an object, a C file, assembly or bare instructions; - is standard input.
"osmia COMMAND --help" has examples."""
EXAMPLES = (
    "osmia run prog.bpf.c", "osmia inspect prog.bpf.o", "osmia disasm -S prog.bpf.o", "osmia cc prog.bpf.c",
)  # fmt: skip


def _group() -> Any:
    import difflib
    import importlib

    import click

    from osmia.cli.common import EXIT_STATUSES, examples

    class Lazy(click.Group):
        def list_commands(self, ctx: click.Context) -> list[str]:
            return sorted(COMMANDS)

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            if cmd_name not in COMMANDS:
                return None
            module = importlib.import_module(f"osmia.cli.{cmd_name.replace('-', '_')}")
            command: click.Command = module.command
            command.name, command.short_help = cmd_name, COMMANDS[cmd_name]
            return command

        def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
            with formatter.section("Commands"):
                formatter.write_dl(sorted(COMMANDS.items()))

        def resolve_command(
            self, ctx: click.Context, args: list[str]
        ) -> tuple[str | None, click.Command | None, list[str]]:
            if args[0] not in COMMANDS and not args[0].startswith("-"):
                near = difflib.get_close_matches(args[0], COMMANDS, 1)
                ctx.fail(f"No such command {args[0]!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
            return super().resolve_command(ctx, args)

    group = Lazy(
        name="osmia", help=HELP, epilog=examples(*EXAMPLES) + f"\n\nExit status: {EXIT_STATUSES}",
        context_settings={"help_option_names": ["-h", "--help"]},
    )  # fmt: skip
    return click.version_option(__version__, "-V", "--version", message="osmia %(version)s")(group)


def _say_version() -> bool:
    """The quick way, without click; False when nobody takes the text, which the slow way explains."""
    try:
        print(f"osmia {__version__}", flush=True)
    except OSError:
        return False
    return sys.stdout is not None


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit status follows the error's class."""
    args = sys.argv[1:] if argv is None else argv
    if args in (["--version"], ["-V"]) and _say_version():
        return 0
    if args[:1] == ["disasm"]:
        from osmia.cli.quick import disasm

        if (status := disasm(args[1:])) is not None:
            return status
    if args[:1] == ["help"]:
        args = [*args[1:], "--help"]
    from osmia.cli.common import guarded

    return guarded(_group(), args)


if __name__ == "__main__":
    sys.exit(main())
