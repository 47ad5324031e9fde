"""The ``osmia`` command: names and one-line helps here, everything else in the module of the command.

A command's module is imported only when it runs, so that ``osmia --version`` costs next to nothing.
"""

from __future__ import annotations

import sys
from typing import Any

from osmia._version import __version__

COMMANDS: dict[str, str] = {
    "asm": "Assemble text into an object or raw instructions.",
    "btf": "Dump, merge and convert BTF.",
    "cc": "Compile C to an eBPF object, with nothing else installed.",
    "conformance-plugin": "Speak the public conformance runner's plug-in protocol.",
    "disasm": "Disassemble an object or raw instructions.",
    "emit": "Write what BPF_PROG_LOAD would get, one JSON line a program.",
    "inspect": "Show everything in an object file.",
    "link": "Link objects statically.",
    "run": "Compile, load, run and print.",
}
"""Every command with its short help; ``foo-bar`` lives in ``osmia.cli.foo_bar`` as ``command``."""


def _group() -> Any:
    import importlib

    import click

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

    return Lazy(name="osmia", help="eBPF outside the kernel: compile, inspect, link, verify and run.")


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit status follows the error's class."""
    args = sys.argv[1:] if argv is None else argv
    if args == ["--version"]:
        print(f"osmia {__version__}")
        return 0
    from osmia.cli.common import guarded

    return guarded(_group(), args)


if __name__ == "__main__":
    sys.exit(main())
