"""Programs × kernels: what several kernels say about the same programs, each linked and fitted as libbpf would.

A file is read and compiled once.  Kernels with the same types share its linking (CO-RE depends on nothing else); each
then gets its programs with the BTF that it can read, and its maps a second time without types if it refuses them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from osmia import inputs
from osmia.btf import Btf
from osmia.errors import InputError, UsageError
from osmia.kernel import profile as profiles
from osmia.obj.adapt import adapt, without_map_types, without_types
from osmia.obj.model import Collection, Program
from osmia.verifier.env import Powers
from osmia.verifier.judge import judge, kernel_btf
from osmia.verifier.verdict import Verdict

COMPLEXITY_LIMIT = 1_000_000
"""Instructions that the verifier processes before it gives up, in every kernel since 5.2 (privileged loaders)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the user's source a refusal points; line 0 where nothing tells."""

    file: str = ""
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """One program on one kernel: its verdict, or the ``trouble`` that there was in front of it (linking for it)."""

    kernel: str
    verdict: Verdict | None = None
    trouble: InputError | None = None
    place: Place = Place()

    @property
    def status(self) -> str:
        """One of "accepted", "refused", "unknown" (there is no verdict)."""
        if self.verdict is None or self.verdict.unsupported:
            return "unknown"
        return "accepted" if self.verdict.ok else "refused"

    @property
    def reason(self) -> str:
        """Why it is not accepted: the kernel's message, or ours; empty when it is."""
        if self.trouble is not None:
            return str(self.trouble)
        assert self.verdict is not None
        if self.verdict.ok:
            return ""
        if self.verdict.unsupported:
            return f"{self.verdict.unsupported} can't be judged yet"
        said = self.verdict.error.text if self.verdict.error else ""
        return said or self.verdict.errno_name

    @property
    def budget(self) -> float:
        """The part of the complexity limit that the walk took, 0 to 1."""
        return self.verdict.processed / COMPLEXITY_LIMIT if self.verdict is not None else 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """One program and what each kernel says of it."""

    file: str
    name: str
    prog_type: str
    cells: tuple[Cell, ...]

    @property
    def status(self) -> str:
        """The worst of its cells."""
        found = {cell.status for cell in self.cells}
        return next(word for word in ("unknown", "refused", "accepted") if word in found or word == "accepted")


@dataclass(slots=True)
class Matrix:
    """How to ask: the kernels by name, the loader's powers, and what files are read with (``inputs.load``).

    ``btf`` gives types of some kernels by name, instead of their profiles'.
    """

    kernels: Sequence[str]
    power: Powers = field(default_factory=Powers)
    log_level: int = 1
    btf: dict[str, Btf] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for kernel in self.kernels:
            profiles.load(kernel)

    @property
    def interpolated(self) -> list[str]:
        """Those of the kernels that nobody recorded: made of their neighbours and of what is known to have come."""
        return [kernel for kernel in self.kernels if profiles.load(kernel).interpolated]

    def rows(self, path: str | Path, only: str | None = None) -> Iterator[Row]:
        """The programs of a file that are loaded by default, or the one of that name, as they are judged.

        Raises UsageError and InputError for a file that holds none; what only one kernel's types are to blame for is
        that kernel's ``trouble``.
        """
        linked = self._linked(path)
        fine = [made for made in linked.values() if isinstance(made, Collection)]
        if not fine:
            raise next(made for made in linked.values() if isinstance(made, InputError))
        for name, prog_type in _wanted(fine[0], only):
            cells = (self._cell(kernel, linked[kernel], name) for kernel in self.kernels)
            yield Row(fine[0].path or str(path), name, prog_type, tuple(cells))

    def _linked(self, path: str | Path) -> dict[str, Collection | InputError]:
        """The file as each kernel's types make it."""
        given = _compiled(inputs.read(path), self.options.get("cpu", "v3"))
        by_types: dict[int, Collection | InputError] = {}
        linked: dict[str, Collection | InputError] = {}
        for kernel in self.kernels:
            types = self._types(kernel)
            if id(types) not in by_types:
                by_types[id(types)] = _load(given, types, self.options)
            linked[kernel] = by_types[id(types)]
        return linked

    def _types(self, kernel: str) -> Btf:
        return self.btf.get(kernel) or kernel_btf(kernel)

    def _cell(self, kernel: str, collection: Collection | InputError, name: str) -> Cell:
        if isinstance(collection, InputError):
            return Cell(kernel, trouble=collection)
        program = adapt(collection.programs[name], profiles.load(kernel).features)
        verdict = self._judge(program, kernel)
        return Cell(kernel, verdict, place=place_of(program, verdict))

    def _judge(self, program: Program, kernel: str) -> Verdict:
        """The verdict of the try that a loader would end with."""
        verdict = self._ask(program, kernel)
        if verdict.where == "btf" and (bare := without_types(program)) is not None:
            return self._ask(bare, kernel)
        if verdict.where == "map" and any(spec.btf for spec in program.maps):
            again = self._ask(without_map_types(program), kernel)
            return verdict if again.where == "map" else again
        return verdict

    def _ask(self, program: Program, kernel: str) -> Verdict:
        return judge(program, kernel, self.power, log_level=self.log_level, btf=self._types(kernel))


def place_of(program: Program, verdict: Verdict) -> Place:
    """The source line of the instruction that a verdict names."""
    slot = verdict.error.insn if verdict.error is not None else -1
    row = max((r for r in program.line_info if r.insn <= slot), key=lambda r: r.insn, default=None)
    if slot < 0 or row is None or program.btf is None:
        return Place()
    return Place(program.btf.str_at(row.file_off), row.line, row.column)


def _compiled(given: inputs.Input, cpu: str) -> inputs.Input:
    """C as the object that it becomes, so that it is compiled once for all kernels."""
    if given.kind != "c":
        return given
    return inputs.Input(inputs.object_of(given, cpu=cpu), given.name, "object")


def _load(given: inputs.Input, types: Btf, options: dict[str, Any]) -> Collection | InputError:
    try:
        return inputs.load(given, btf=types, **options)
    except InputError as e:
        return e


def _wanted(collection: Collection, only: str | None) -> list[tuple[str, str]]:
    programs = collection.programs
    if only is not None and only not in programs:
        raise UsageError(f"no program {only!r} (there: {', '.join(programs) or 'none'})", file=collection.path or None)
    chosen = [programs[only]] if only is not None else [p for p in programs.values() if p.autoload]
    if not chosen:
        raise UsageError("no program in it that is loaded by default", file=collection.path or None)
    return [(p.name, p.prog_type) for p in chosen]
