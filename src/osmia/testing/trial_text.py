"""Trials as text files: a program's lines as in ``testing.cases``, then what it runs on and what must come of it.

    # why it is kept
    type: xdp
    map: out array key=4 value=192 entries=1
    insns:
      0: b700000002000000  r0 = 2
      1: 9500000000000000  exit
    packet: 000000000000…
    context: …
    r0: 0x2
    out: packet …
    holds: out 00000000=0200000000000000

A program that may be tail-called follows in the same way behind ``tail: NAME``.  ``error: Fault 3`` stands for a run
that ends with an error there.  ``out: packet`` is left out where the packet did not change, ``holds`` where a map
holds zeros.
"""

from __future__ import annotations

from collections.abc import Iterator

from osmia.errors import UsageError
from osmia.obj.model import MapSpec, Program
from osmia.testing.cases import Case, program_lines, read_line
from osmia.testing.trials import Contents, Outcome, Trial


def dump(trial: Trial, why: str = "", outcome: Outcome | None = None) -> str:
    """The text of a trial, with its outcome if there is one."""
    lines = [f"# {line}".rstrip() for line in (why or trial.why).splitlines()]
    lines += _main_lines(trial.program)
    if trial.data is not None:
        lines.append(f"packet: {trial.data.hex()}")
    if trial.ctx is not None:
        lines.append(f"context: {trial.ctx.hex()}")
    if outcome is not None:
        lines += _outcome_lines(trial, outcome)
    for name, program in trial.others.items():
        lines += [f"tail: {name}", *_main_lines(program)]
    return "\n".join(lines) + "\n"


def _main_lines(program: Program) -> Iterator[str]:
    """The program; what a prog_array or a map of maps holds stands in lines of its own."""
    yield from program_lines(program)
    for spec in program.maps:
        for key, name in spec.values.items():
            yield f"slot: {spec.name} {key} {name}"


def _outcome_lines(trial: Trial, outcome: Outcome) -> Iterator[str]:
    yield f"error: {outcome.error} {outcome.slot}" if outcome.error else f"r0: {outcome.r0:#x}"
    if not outcome.error and outcome.data and not (trial.data or b"").endswith(outcome.data):
        yield f"out: packet {outcome.data.hex()}"
    if outcome.ctx:
        yield f"out: context {outcome.ctx.hex()}"
    for name, held in outcome.maps:
        for key, value in held:
            if any(value):
                yield f"holds: {name} {key.hex()}={value.hex()}"


def parse(text: str) -> tuple[Trial, Outcome]:
    """The trial of a text, and what must come of it.  Raises UsageError."""
    reader = _Reader()
    for number, line in enumerate(text.splitlines(), 1):
        try:
            reader.line(line)
        except (ValueError, IndexError, KeyError, StopIteration) as error:
            raise UsageError(f"line {number} of a trial: {line!r}: {error}") from None
    return reader.done()


class _Reader:
    """A text, line by line."""

    def __init__(self) -> None:
        self.case = self.main = Case(Program("main", "unspec", []))
        self.others: dict[str, Program] = {}
        self.words: dict[str, str] = {}
        self.holds: dict[str, list[tuple[bytes, bytes]]] = {}

    def line(self, line: str) -> None:
        """One more."""
        key, _, value = (part.strip() for part in line.partition(":"))
        if line.startswith("#") or key not in ("packet", "context", "r0", "error", "out", "holds", "slot", "tail"):
            read_line(self.case, line)
        elif key == "tail":
            self.case = Case(Program(value, "unspec", []))
            self.others[value] = self.case.program
        elif key == "slot":
            name, slot, target = value.split()
            next(spec for spec in self.case.program.maps if spec.name == name).values[int(slot)] = target
        elif key == "holds":
            name, _, pair = value.partition(" ")
            first, _, second = pair.partition("=")
            self.holds.setdefault(name, []).append((bytes.fromhex(first), bytes.fromhex(second)))
        else:
            what, _, rest = value.partition(" ")
            self.words[f"{key} {what}" if key == "out" else key] = rest if key == "out" else value

    def done(self) -> tuple[Trial, Outcome]:
        """Everything that was read; maps of the same name are one."""
        known: dict[str, MapSpec] = {}
        for program in (self.main.program, *self.others.values()):
            program.maps = [known.setdefault(spec.name, spec) for spec in program.maps]
        trial = Trial(
            self.main.program, self._bytes("packet"), self._bytes("context"), self.others, why=self.main.why.strip()
        )
        error, _, slot = self.words.get("error", "").partition(" ")
        data = self._bytes("out packet")
        maps: tuple[tuple[str, Contents], ...] = tuple((name, tuple(held)) for name, held in self.holds.items())
        r0 = int(self.words.get("r0", "0"), 0)
        kept = trial.data if data is None else data
        return trial, Outcome(error, int(slot or -1), r0, kept or b"", self._bytes("out context") or b"", maps)

    def _bytes(self, key: str) -> bytes | None:
        return bytes.fromhex(self.words[key]) if key in self.words else None


def visible(trial: Trial, outcome: Outcome) -> str:
    """The outcome as a text would hold it: what two of them are compared by."""
    return "\n".join(_outcome_lines(trial, outcome))
