"""Every instruction as it runs: its text in the verifier log's dialect, the registers it changed, its source line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from osmia.obj.model import Program
    from osmia.sim.executable import Executable

SMALL = 1 << 16
WIDTH = 44


class Listing(NamedTuple):
    """A program's instruction texts, and its source lines, by slot."""

    texts: Mapping[int, str]
    lines: Mapping[int, str]


class Stepper:
    """A tracer for ``load(trace=…)``: a line for each instruction, written when the next one shows its effect.

    ``watch`` the executable after loading, so that pointers are explained and tail calls followed; ``finish`` each
    run with its result.
    """

    def __init__(self, program: Program, write: Callable[[str], object] = print) -> None:
        self.program, self.write = program, write
        self._executable: Executable | None = None
        self._listings: dict[int, Listing] = {}
        self._last: tuple[Program, int] | None = None
        self._registers: tuple[int, ...] = ()
        self._line = ""

    def watch(self, executable: Executable) -> None:
        """Follow this executable."""
        self._executable = executable

    def __call__(self, pc: int, registers: Sequence[int]) -> None:
        """The instruction at slot ``pc`` is about to run."""
        now = tuple(registers)
        program = self._executable.machine.running if self._executable else self.program
        if self._last is None:
            self.write(f"{program.name}: {self._show((1, 10), now)}")
        else:
            self._step(now)
        self._source(program, pc)
        self._last, self._registers = (program, pc), now

    def finish(self, r0: int | None = None) -> None:
        """The run ended, with this R0 or with a fault."""
        if self._last is not None:
            self._step(self._registers if r0 is None else (r0, *self._registers[1:]))
        self._last, self._line = None, ""

    def _step(self, now: tuple[int, ...]) -> None:
        assert self._last is not None
        program, pc = self._last
        changed = [i for i in range(11) if now[i] != self._registers[i]]
        text = f"{pc:4}: {self._listing(program).texts.get(pc, '?')}"
        self.write(f"{text:{WIDTH}}  {self._show(changed, now)}".rstrip())

    def _show(self, which: Iterable[int], registers: Sequence[int]) -> str:
        return " ".join(f"r{i}={self._value(registers[i])}" for i in which)

    def _value(self, value: int) -> str:
        if value < SMALL or value >= (1 << 64) - SMALL:
            return str(value - (1 << 64) if value >> 63 else value)
        memory = self._executable.machine.memory if self._executable else None
        region = memory.find(value) if memory is not None else None
        return f"{value:#x} ({region.describe(value)})" if region is not None else f"{value:#x}"

    def _source(self, program: Program, pc: int) -> None:
        line = self._listing(program).lines.get(pc, self._line)
        if line != self._line:
            self.write(line)
            self._line = line

    def _listing(self, program: Program) -> Listing:
        found = self._listings.get(id(program))
        if found is None:
            found = self._listings[id(program)] = listing(program)
        return found


def listing(program: Program) -> Listing:
    """Texts and source lines of a program.  An instruction that the dialect can't write shows its fields."""
    from osmia.asm import kernel
    from osmia.errors import AsmError

    try:
        texts = dict(kernel.format_lines(list(program.insns), kernel.helper_names(), plain=True))
    except AsmError:
        texts = {pc: str(insn) for pc, insn in enumerate(program.insns)}
    btf, lines = program.btf, {}
    for row in program.line_info if btf is not None else ():
        file = btf.str_at(row.file_off).rpartition("/")[2] if btf is not None else ""
        text = btf.str_at(row.line_off).strip() if btf is not None else ""
        lines[row.insn] = f"; {text} @ {file}:{row.line}"
    return Listing(texts, lines)
