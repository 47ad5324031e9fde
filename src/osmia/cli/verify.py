"""``osmia verify``: would Linux load it?  A verdict per program, the reason, the log on demand."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from osmia.cli.common import examples, load_collection, pick, powers_of, print_json
from osmia.errors import UsageError

if TYPE_CHECKING:
    from osmia.btf import Btf
    from osmia.explain import Explanation
    from osmia.obj.model import Program
    from osmia.verifier.verdict import Verdict

_FOLLOW = ("trace_fentry", "trace_fexit", "modify_return")
EXAMPLES = examples(
    "osmia verify prog.bpf.o", "osmia verify --log-level 2 --prog drop prog.bpf.c",
    "osmia verify --unprivileged --type socket_filter prog.s",
    "osmia verify --explain prog.bpf.c", "osmia verify --html walk.html prog.bpf.o",
    "osmia verify --target-prog firewall.bpf.o:drop replace.bpf.c",
    "osmia verify --json prog.bpf.o | jq '.programs[].errno'",
)  # fmt: skip


@click.command(epilog=EXAMPLES)
@click.argument("path", metavar="FILE")
@click.option("-p", "--prog", metavar="NAME", help="Only this program, also when it is not loaded by default.")
@click.option("--kernel", default="6.18", show_default=True, metavar="VERSION", help="The kernel that judges.")
@click.option("-l", "--log-level", type=click.IntRange(0, 15), metavar="N",
              help="Print the log: 1 for refusals, 2 for every step, 4 for statistics, 8 cuts at the end.")  # fmt: skip
@click.option("--log-size", type=click.IntRange(0), default=0, metavar="BYTES",
              help="Size of the log's buffer, as the kernel would fill it [default: no limit].")  # fmt: skip
@click.option("--unprivileged", is_flag=True, help="Load as an ordinary user without capabilities.")
@click.option("--caps", metavar="LIST",
              help="Load as a user with only these: bpf, perfmon, net_admin, sys_admin.")  # fmt: skip
@click.option("--btf", metavar="FILE", help="The target kernel's BTF [default: the running kernel's, else Osmia's].")
@click.option("--kconfig", metavar="FILE", help="The kernel's configuration, for __kconfig variables.")
@click.option("--cpu", default="v3", show_default=True, metavar="v1|v2|v3|v4", help="What C is compiled for.")
@click.option(
    "--target-prog",
    "target",
    metavar="FILE[:NAME]",
    help="The program that fentry, fexit and EXT programs attach to, by the name of one of its functions.",
)
@click.option("--type", "prog_type", metavar="TYPE", help="Type of bare instructions: xdp, socket_filter, …")
@click.option(
    "--html", metavar="FILE", help="Write a page to look around in: source, instructions, every path and state."
)
@click.option(
    "-e",
    "--explain",
    is_flag=True,
    help="Say why in terms of the source: where the value came from, what would fix it.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for scripts.")
def command(path: str, prog: str | None, html: str | None, explain: bool, as_json: bool, **options: Any) -> int:
    """Say for each program of FILE whether Linux would load it, and if not, why.

    FILE is an object, C, assembly, records (what osmia emit writes) or bare instructions; - is standard input.
    The exit status is 0 when the kernel would take every program, 1 when it would refuse one, 2 when there is no
    verdict: the input is bad, or a program needs a rule that Osmia does not have yet.
    """
    types = _types(options.pop("btf"), options["kernel"])
    target = options.pop("target")
    programs = _programs(path, prog, types, options)
    if target:
        _attach(programs, target, types)
    ask = _asker(types, not as_json, **options)
    why = _explainer(types, **options) if explain else None
    found: list[tuple[str, Verdict, Explanation | None]] = []
    for program in programs:
        verdict = ask(program)
        said = why(program) if why is not None and verdict.error is not None else None
        found.append((program.name, verdict, said))
        if not as_json:
            _show(program, verdict, options["log_level"], said)
    if html:
        _write_page(html, programs, types, options)
    if as_json:
        rows = [_row(*each) for each in found]
        print_json({"file": path, "kernel": options["kernel"], "programs": rows})
    return _status([verdict for _, verdict, _ in found])


def _row(name: str, verdict: Verdict, said: Explanation | None) -> dict[str, Any]:
    return {"name": name, **verdict.to_json(), **({"explanation": said.to_json()} if said is not None else {})}


def _types(btf: str | None, kernel: str) -> Btf:
    from osmia.inputs import load_btf
    from osmia.verifier.judge import kernel_btf

    return load_btf(btf) if btf else kernel_btf(kernel)


def _programs(path: str, prog: str | None, types: Btf, options: dict[str, Any]) -> list[Program]:
    """The programs that are asked about; takes what reading the file wants out of ``options``."""
    from osmia.inputs import read_file
    from osmia.obj.kconfig import parse_config

    wanted = {key: options.pop(key) for key in ("kconfig", "cpu", "prog_type")}
    given = {key: value for key, value in wanted.items() if value is not None}
    if "kconfig" in given:
        given["kconfig"] = parse_config(read_file(given["kconfig"]), file=given["kconfig"])
    collection = load_collection(path, btf=types, **given)
    programs = [pick(collection, prog)] if prog else [p for p in collection.programs.values() if p.autoload]
    if not programs:
        raise UsageError("no program in it that is loaded by default", file=collection.path or None)
    return programs


def _attach(programs: Sequence[Program], where: str, types: Btf) -> None:
    """Give those that attach to functions the program that has them: the only one in a file, or one by name."""
    file, _, name = where.partition(":") if not Path(where).exists() else (where, "", "")
    collection = load_collection(file, btf=types)
    target = pick(collection, name) if name else _only(list(collection.programs.values()), file)
    fitting = [p for p in programs if p.prog_type == "ext" or p.expected_attach_type in _FOLLOW]
    if not fitting:
        raise UsageError("--target-prog: no program in it is fentry, fexit or EXT")
    for program in fitting:
        program.attach_prog = target


def _only(programs: list[Program], file: str) -> Program:
    if len(programs) != 1:
        names = ", ".join(p.name for p in programs)
        raise UsageError(f"--target-prog: which program of {file}? It has {names}")
    return programs[0]


def _asker(
    types: Btf, streams: bool, kernel: str, log_level: int | None, log_size: int, unprivileged: bool, caps: str | None
) -> Callable[[Program], Verdict]:
    """Asks for one verdict; a log of every step is printed while it grows, when it ``streams`` and has no limit."""
    from codecs import getincrementaldecoder

    from osmia.verifier.judge import judge

    power = powers_of(unprivileged, caps)
    level = 1 if log_level is None else log_level
    decode = getincrementaldecoder("utf-8")("replace").decode
    sink = (lambda data: sys.stdout.write(decode(data))) if streams and not log_size else None
    size = log_size if level else 0
    return lambda program: judge(program, kernel, power, log_level=level, log_size=size, sink=sink, btf=types)


def _write_page(file: str, programs: Sequence[Program], types: Btf, options: dict[str, Any]) -> None:
    from osmia.explain.html import page, walked

    power = powers_of(options["unprivileged"], options["caps"])
    text = page([walked(program, options["kernel"], power, types) for program in programs])
    Path(file).write_text(text, "utf-8")


def _explainer(
    types: Btf, kernel: str, unprivileged: bool, caps: str | None, **_: Any
) -> Callable[[Program], Explanation | None]:
    """Walks a program once more, and says why it was refused."""
    from osmia.explain import explain

    power = powers_of(unprivileged, caps)
    return lambda program: explain(program, kernel, power, types)


def _show(program: Program, verdict: Verdict, log_level: int | None, said: Explanation | None) -> None:
    """The log that was asked for; then the explanation, or one line and the reason."""
    if log_level:
        sys.stdout.write(verdict.log)
    if said is not None:
        from osmia.cli.explaining import show

        show(said)
        return
    print(f"{program.name} ({program.prog_type}): {_line(verdict)}")
    reason = verdict.error
    if reason is not None and reason.shown:
        print(f"  {reason.insn}: {reason.shown}")
    if reason is not None and reason.source:
        print(f"  ; {reason.source}")


def _line(verdict: Verdict) -> str:
    if verdict.ok:
        depth = "+".join(map(str, verdict.stack_depth))
        return f"accepted ({verdict.processed} insns processed, {verdict.total_states} states, stack {depth})"
    if verdict.unsupported:
        return f"no verdict: {verdict.unsupported} can't be judged yet"
    said = verdict.error.text if verdict.error is not None else ""
    return f"rejected with {verdict.errno_name}" + (f": {said}" if said else "")


def _status(verdicts: list[Verdict]) -> int:
    if any(verdict.unsupported for verdict in verdicts):
        return 2
    return 0 if all(verdict.ok for verdict in verdicts) else 1
