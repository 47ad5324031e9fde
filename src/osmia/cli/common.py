"""What every command shares: errors as one clear line, any input as a Collection, JSON for scripts.

Exit statuses: see ``EXIT_STATUSES``; the classes of ``osmia.errors`` hold them.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osmia.errors import CompileError, InternalError, KernelError, OsmiaError, Unavailable, UsageError

if TYPE_CHECKING:
    import click

    from osmia.btf import Btf
    from osmia.inputs import Input
    from osmia.obj.model import Collection, Program
    from osmia.verifier.env import Powers

DIALECTS = ("llvm", "kernel", "ubpf", "classic")
"""The names in ``osmia.asm.DIALECTS``, which is slower to import than a command's help may be."""

INTERRUPTED, BROKEN_PIPE = 130, 141
EXIT_STATUSES = (
    "0 done; 1 a program, a map or the kernel said no; 2 bad input; 3 this machine lacks something (a compiler, "
    "bpf(2), room for the output); 70 a bug of Osmia's; 130 Ctrl-C; 141 the reader of the output went away."
)
UNWRITABLE = (errno.ENOSPC, errno.EBADF, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What the system says when output can't be written; none of them names a file."""
REPORT = "this is a bug of Osmia's; please report it with the input (OSMIA_DEBUG=1 shows the traceback)"


def guarded(group: click.Command, args: Sequence[str]) -> int:
    """Run a click command; every error becomes one line on stderr and an exit status, never a traceback."""
    import click

    if sys.stdout is None:  # closed by who called us: say so when something is to be written
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w")
    try:
        status = _invoke(group, list(args))
        sys.stdout.flush()
        return status
    except (KeyboardInterrupt, EOFError, click.exceptions.Abort):
        print(file=sys.stderr)
        return INTERRUPTED
    except click.ClickException as e:
        return _usage(e, args)
    except BrokenPipeError:
        return _left()
    except Exception as e:
        if os.environ.get("OSMIA_DEBUG"):
            import traceback

            traceback.print_exc()
        if isinstance(e, OSError) and e.errno in UNWRITABLE:
            _left()
        return report(_ours(e), as_json=wants_json(args))


def _invoke(group: click.Command, args: list[str]) -> int:
    """What click's main() does, without its own handling of broken pipes; a command may return its status."""
    import click

    if "_OSMIA_COMPLETE" in os.environ:
        group.main(args, prog_name="osmia", standalone_mode=False)
    try:
        with group.make_context("osmia", args) as context:
            status = group.invoke(context)
    except click.exceptions.Exit as e:
        return e.exit_code
    return status if isinstance(status, int) else 0


def examples(*lines: str) -> str:
    """The end of a command's help: lines that can be typed as they stand."""
    return "\b\nExamples:\n" + "\n".join(f"  $ {line}" for line in lines)


def wants_json(args: Sequence[str]) -> bool:
    """Whether the command line or ``OSMIA_JSON`` asks for JSON."""
    return "--json" in args or os.environ.get("OSMIA_JSON", "") not in ("", "0")


def report(error: OsmiaError, *, as_json: bool = False) -> int:
    """Print an error on stderr; returns the exit status of its class."""
    if as_json:
        print(json.dumps(_facts(error)), file=sys.stderr)
        return error.exit_status
    if isinstance(error, CompileError) and error.output:
        print(error.output.rstrip("\n"), file=sys.stderr)
    if isinstance(error, KernelError) and error.log:
        print(error.log.rstrip("\n"), file=sys.stderr)
    print("osmia: " + str(error).replace("\n", " "), file=sys.stderr)
    return error.exit_status


def _facts(error: OsmiaError) -> dict[str, Any]:
    extra = {name: value for name in ("output", "log", "errno", "pc") if (value := getattr(error, name, None))}
    return {**error.to_json(), **extra, "exit_status": error.exit_status}


def _usage(error: click.ClickException, args: Sequence[str]) -> int:
    if wants_json(args):
        return report(UsageError(error.format_message()), as_json=True)
    error.show(sys.stderr)
    return error.exit_code


def _left() -> int:
    """Our output's reader is gone: leave without a word, also when Python flushes at exit."""
    with contextlib.suppress(OSError, ValueError):  # not a real file: nothing will be flushed
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return BROKEN_PIPE


def _ours(error: Exception) -> OsmiaError:
    """The error as one of the tree: files that can't be opened are the user's, everything unknown is ours."""
    if isinstance(error, InternalError):
        return InternalError(f"{error}; {REPORT}")
    if isinstance(error, OsmiaError):
        return error
    if isinstance(error, OSError) and error.errno in UNWRITABLE:
        return Unavailable(f"can't write the output: {error.strerror}")
    if isinstance(error, OSError) and error.filename is not None:
        return UsageError(error.strerror or str(error), file=os.fsdecode(error.filename))
    return InternalError(f"{type(error).__name__}: {error}; {REPORT}")


def read_input(path: str | Path) -> Input:
    """The bytes of a file, or of standard input for ``-``, with a name for messages and their kind."""
    from osmia import inputs

    return inputs.read(path)


def read_object(path: str) -> tuple[str, bytes]:
    """The name and the bytes of the object that an input is, or becomes."""
    from osmia import inputs

    given = inputs.read(path)
    return given.name, inputs.object_of(given)


def load_collection(
    path: str | Path, *, btf: str | Path | Btf | None = None, cpu: str = "v3", **options: Any
) -> Collection:
    """Any program input as a Collection: object, C, assembly, raw or hex bytes; ``-`` reads standard input."""
    from osmia import inputs

    return inputs.load(path, btf=btf, cpu=cpu, **options)


def pick(collection: Collection, name: str | None = None) -> Program:
    """The program of that name, or the only one.  Raises UsageError, which lists the names."""
    programs = collection.programs
    if name is not None and name in programs:
        return programs[name]
    if name is None and len(programs) == 1:
        return next(iter(programs.values()))
    known = ", ".join(programs) or "none"
    wrong = f"no program {name!r}" if name else "several programs, choose one" if programs else "no program in it"
    raise UsageError(f"{wrong} (there: {known})", file=collection.path or None)


def powers_of(unprivileged: bool, caps: str | None) -> Powers:
    """What the options ``--unprivileged`` and ``--caps`` (a list with commas or blanks) leave a loader."""
    from osmia.verifier.judge import powers

    return powers(not unprivileged, caps.replace(",", " ").split() if caps is not None else None)


def write_output(data: bytes, output: str, *, as_json: bool = False, **facts: Any) -> None:
    """Write to a file, or to standard output for ``-``; with ``as_json`` tell on standard output what was written."""
    if output == "-" and as_json:
        raise UsageError("--json tells about the file that is written: name one with -o")
    if output == "-":
        sys.stdout.buffer.write(data)
        return
    Path(output).write_bytes(data)
    if as_json:
        print_json({"file": output, "bytes": len(data), **facts})


def print_json(value: Any) -> None:
    """One JSON document on stdout; bytes become hex."""
    print(json.dumps(value, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if hasattr(value, "to_json"):
        return value.to_json()
    return str(value)
