"""``osmia run``: compile if need be, load, let events happen, and print what the program wrote and returned."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from osmia.cli import common
from osmia.errors import UsageError

if TYPE_CHECKING:
    from osmia.api import Collection, Program
    from osmia.session import Session
    from osmia.sim import Result, World
    from osmia.sim.pcap import Frame

MANY = 2000
"""Packets from which on a terminal gets a progress bar and no line per packet."""

BARE = "unspec"
"""The type of instructions that nobody said anything about: just a computation, with memory in R1."""

ENGINES = ("auto", "interp", "jit")
RUNNING = "/sys/kernel/btf/vmlinux"

EXAMPLES = common.examples(
    "osmia run a.bpf.c --do 'touch a; unlink a; udp 9999 hello'", "osmia run prog.bpf.c --pcap traffic.pcap --map-dump",
    "osmia run -f 'udp port 53' --pcap traffic.pcap --write-pcap dns.pcap", "osmia run --trace prog.s --data 0102",
    "osmia run prog.bpf.c --json | jq '.programs[].actions'", "osmia cc -I include prog.bpf.c -o - | osmia run -",
)  # fmt: skip
EPILOG = (
    EXAMPLES
    + """

Kprobes, tracepoints and other tracing programs run on acts: --do 'touch a; unlink a; udp 9999 hello'.
XDP, tc and socket filters run on packets: --pcap FILE, or a few of ordinary kinds.  Everything else runs once, on
--ctx and --data.  The world has one CPU and a clock of its own, so each run prints the same.

Acts: cat F, exec [PATH], getpgid PID, mkdir D, rm F, rmdir D, sleep SECONDS, touch F, udp PORT TEXT, unlink F,
write F TEXT; with ; between them."""
)


@click.command(epilog=EPILOG)
@click.argument("file", required=False)
@click.option("-p", "--prog", "--program", "prog", metavar="NAME",
              help="The program of that name; needed when there are several for packets.")  # fmt: skip
@click.option("--do", "acts", metavar="ACTS", help="What users do meanwhile; the acts stand below.")
@click.option("--set", "values", multiple=True, metavar="NAME=VALUE",
              help="Set a global variable first: a number, text, or JSON (repeatable).")  # fmt: skip
@click.option("--pcap", metavar="FILE", help="Packets to run on (pcap or pcapng; - is standard input).")
@click.option("--write-pcap", metavar="FILE", help="Write the packets that passed, as they left the program.")
@click.option("-f", "--filter", "expression", metavar="EXPR", help="A socket filter from a tcpdump expression.")
@click.option("--classic", metavar="FILE", help="A socket filter in classic BPF: tcpdump -ddd's output, or text.")
@click.option("--ctx", metavar="HEX|JSON", help="The context's bytes, or its fields: '{\"user_port\": 80}'.")
@click.option("--data", metavar="HEX", help="One packet, or the memory in R1, as hexadecimal digits.")
@click.option("--repeat", type=click.IntRange(1), default=1, show_default=True, help="Run so often on each input.")
@click.option("--map-dump", is_flag=True, help="Print the maps afterwards.")
@click.option("--trace", is_flag=True, help="Show every instruction with the registers it changed.")
@click.option("--on", "where", type=click.Choice(["vm", "live"]), default="vm", help="Here, or in the running kernel.")
@click.option("--cpu", default="v3", show_default=True, metavar="v1|v2|v3|v4", help="What C is compiled for.")
@click.option("--btf", metavar="FILE", help="Kernel BTF for kernel objects and CO-RE, instead of Osmia's own 6.18.")
@click.option("--kconfig", metavar="FILE", help="The kernel's configuration, for __kconfig variables.")
@click.option(
    "--type",
    "prog_type",
    metavar="TYPE",
    help="Type of bare instructions (xdp, socket_filter, …); without one they get --data as memory in R1.",
)
@click.option("--dialect", type=click.Choice(common.DIALECTS), help="Dialect of assembly text [default: by its looks].")
@click.option("--engine", type=click.Choice(ENGINES), default="auto", show_default=True,
              help="The interpreter, native code, or native code when it pays.")  # fmt: skip
@click.option("--checked/--no-checked", default=True, help="Check every access (default), or trust the program.")
@click.option("--budget", type=click.IntRange(1), help="Instructions that a run may take.")
@click.option("--progress/--no-progress", default=True, help="Show progress on a terminal.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for scripts.")
def command(**options: Any) -> int:
    """Compile, load, run and print.

    FILE is an object, C, assembly, records (what osmia emit writes) or bare instructions; - is standard input.
    """
    return Run(**options).main()


class Run:
    """The options of one call, and what they lead to."""

    def __init__(self, **options: Any) -> None:
        self.o = options
        self.json: dict[str, Any] = {}
        self.dump: list[str] = []
        self.told = False
        """Whether what happened was told already: one run needs no counts."""

    def main(self) -> int:
        """Load, run in the way that the program's type asks for, print."""
        from osmia.api import World
        from osmia.session import Options, Session
        from osmia.vm.machine import DEFAULT_BUDGET

        if self.o["where"] == "live" and self.o["trace"]:
            raise UsageError("the running kernel does not show its steps: no --trace with --on live")
        world = World(self.o["btf"] or (RUNNING if self.o["where"] == "live" else None))
        collection = self.collection(world)
        live = self.o["where"] == "live"
        steps = self.step_line if self.o["trace"] else None
        budget = self.o["budget"] or DEFAULT_BUDGET
        options = Options(self.o["checked"], budget, self.o["repeat"], steps, live, self.o["engine"])
        session = Session(collection, world, options)
        programs = session.choose(self.o["prog"])
        try:
            self.run(session, programs)
        finally:
            self.pipe(world)
        self.report(session)
        return 0

    def collection(self, world: World) -> Collection:
        """The program, from FILE or from a filter."""
        from osmia.session import loading

        given = [name for name in ("file", "expression", "classic") if self.o[name] is not None]
        if len(given) != 1:
            raise UsageError("give a FILE, or a filter with -f or --classic")
        if given[0] == "file":
            options = {name: self.o[name] for name in ("cpu", "prog_type", "dialect", "kconfig")}
            packets = bool(self.o["where"] == "live" or self.o["pcap"])
            made = loading.from_file(self.o["file"], world, packets=packets, **options)
        else:
            made = loading.from_filter(self.o["expression"], self.o["classic"])
        loading.assign(made, self.o["values"])
        return made

    def run(self, session: Session, programs: list[Program]) -> None:
        """Acts, packets, or once."""
        from osmia.session import Session
        from osmia.sim.contexts import takes_packets

        one = programs[0]
        if self.o["where"] == "live" and self.o["acts"] is not None:
            raise UsageError("acts (--do) happen in a simulated world, not in the running kernel")
        if one.prog_type == BARE or (self.o["where"] == "live" and not takes_packets(one)):
            return self.once(session, one)
        if self.o["pcap"] and not takes_packets(one):
            raise UsageError(f"{one.name} is a {one.prog_type} program: it takes no packets (--pcap)")
        if self.o["ctx"] is not None or (self.o["data"] is not None and not takes_packets(one)):
            return self.once(session, one)
        if takes_packets(one) and self.o["acts"] is None:
            return self.packets(session, one)
        if not all(Session.is_traced(p) or takes_packets(p) for p in programs):
            return self.once(session, one)
        for hook, fired in session.act(programs, self.o["acts"]).items():
            if self.o["as_json"]:
                self.json.setdefault("missed", []).append({"hook": hook, "fired": fired})
                continue
            then = "it was fired once with nothing in its arguments" if fired else "it did not run (see --ctx)"
            print(f"osmia: no act reaches {hook}: {then}", file=sys.stderr)

    def once(self, session: Session, program: Program) -> None:
        """Run once on --ctx and --data."""
        from osmia.vm.context import MemoryContext

        data, ctx = _hex(self.o["data"], "--data"), _ctx(self.o["ctx"])
        memory = MemoryContext(data or b"") if program.prog_type == BARE and ctx is None else ctx
        result = session.once(program, memory, data)
        self.pipe(session.world)
        self.result(result)
        self.told = self.o["repeat"] == 1

    def result(self, result: Result) -> None:
        """Print one result."""
        if self.o["as_json"]:
            self.json.setdefault("results", []).append(result.to_json())
            return
        action = f" ({result.action})" if result.action else ""
        count = f", {result.insns} instructions" if result.insns else ""
        print(f"{result.program}: returned {result.retval}{action}{count}, {result.duration_ns} ns")

    # Packets

    def frames(self) -> list[Frame]:
        """The packets to run on."""
        from osmia.sim import packet, pcap

        if self.o["data"] is not None:
            return [pcap.Frame(0.0, _hex(self.o["data"], "--data") or b"")]
        if self.o["pcap"]:
            return pcap.read(_pcap(self.o["pcap"]), "<stdin>")
        return [pcap.Frame(0.0, data) for data in packet.samples()]

    def packets(self, session: Session, program: Program) -> None:
        """Run on every packet; a line for each, unless they are many."""
        from osmia.sim import pcap

        frames = self.frames()
        quiet = len(frames) >= MANY
        passed = []
        for number, (frame, result) in enumerate(zip(frames, self.progress(session, program, frames), strict=True), 1):
            if self.o["write_pcap"] and _passes(result):
                passed.append(pcap.Frame(frame.time, _left(frame.data, result)))
            if self.o["as_json"]:
                self.json.setdefault("packets", []).append({"number": number, **_verdict(result)})
            elif not quiet:
                self.pipe(session.world)
                print(f"{number:5}  {len(frame.data):5} bytes  {pcap.summary(frame.data):45}  {_told(session, result)}")
        if self.o["write_pcap"]:
            pcap.write(self.o["write_pcap"], passed)

    def progress(self, session: Session, program: Program, frames: list[Frame]) -> Iterable[Result]:
        """The results, behind a progress bar where there is much to do and somebody looks."""
        results = session.packets(program, (frame.data for frame in frames))
        if len(frames) < MANY or not self.o["progress"] or not sys.stderr.isatty():
            return results
        return _bar(results, len(frames))

    # Printing

    def step_line(self, line: str) -> None:
        """One line of --trace."""
        if self.o["as_json"]:
            self.json.setdefault("steps", []).append(line)
        else:
            print(line)

    def pipe(self, world: World) -> None:
        """What the program wrote."""
        if not self.o["as_json"]:
            print(world.pipe.read(), end="")

    def report(self, session: Session) -> None:
        """Counts, and maps when asked for."""
        self.maps(session)
        if self.o["as_json"]:
            self.json.update({"doubts": session.doubts} if session.doubts else {})
            common.print_json({**session.to_json(), **self.json})
            return
        for doubt in session.doubts:
            print(f"osmia: note: {doubt}", file=sys.stderr)
        for line in (*(() if self.told else session.tallies.values()), *self.dump):
            print(line)

    def maps(self, session: Session) -> None:
        """Note the maps' contents, when asked for."""
        from osmia.session import show

        if self.o["map_dump"] and self.o["as_json"]:
            self.json["maps"] = show.to_json(session.maps)
        elif self.o["map_dump"]:
            self.dump = list(show.lines(session.maps))


def _pcap(path: str) -> str | bytes:
    from osmia import inputs

    return inputs.read_file(path) if path == "-" else path


def _ctx(text: str | None) -> Any:
    """--ctx: hexadecimal bytes, or fields as a JSON object."""
    if text is None or not text.lstrip().startswith("{"):
        return _hex(text, "--ctx")
    import json

    try:
        return json.loads(text)
    except ValueError as e:
        raise UsageError(f"--ctx: {e}") from None


def _hex(text: str | None, option: str) -> bytes | None:
    if text is None:
        return None
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        wrong = next((c for c in text.removeprefix("0x") if c not in "0123456789abcdefABCDEF \t\n"), None)
        why = f"{wrong!r} is no hexadecimal digit" if wrong else "an odd number of hexadecimal digits"
        raise UsageError(f"{option}: {why}") from None


def _told(session: Session, result: Result) -> str:
    """The verdict, and where a redirect goes to."""
    if result.redirect is None or "REDIRECT" not in (result.action or ""):
        return result.action or str(result.retval)
    number = result.redirect[0]
    names = [d.name for d in session.world.devices.values() if d.ifindex == number]
    return f"{result.action} to {names[0] if names else f'interface {number}'}"


def _passes(result: Result) -> bool:
    return result.action is not None and result.action not in ("XDP_DROP", "XDP_ABORTED", "TC_ACT_SHOT", "drop")


def _left(frame: bytes, result: Result) -> bytes:
    """The packet as it left: a socket filter keeps the packet's first bytes only."""
    data = frame if result.data is None else result.data
    return data[: result.retval] if result.prog_type == "socket_filter" else data


def _verdict(result: Result) -> dict[str, Any]:
    return {"retval": result.retval, "action": result.action, "insns": result.insns}


def _bar(results: Iterable[Result], total: int) -> Iterator[Result]:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("packets", total=total)
        for done, result in enumerate(results, 1):
            if done % 64 == 0:
                progress.update(task, completed=done)
            yield result
