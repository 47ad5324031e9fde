"""``Executable``: a program with its maps and helpers in a world, ready to run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from osmia.errors import OsmiaError, UsageError, VmError
from osmia.sim import contexts
from osmia.sim.mapset import MapSet
from osmia.sim.result import Result
from osmia.vm.context import Context
from osmia.vm.machine import DEFAULT_BUDGET, Machine, Tracer
from osmia.vm.machine import Result as VmResult

if TYPE_CHECKING:
    from osmia.obj.model import Program
    from osmia.sim.batch import Batch
    from osmia.sim.world import World
    from osmia.vm.jit.build import Kinds


class Executable:
    """A loaded program.  ``run`` runs it on what you give it; ``world.attach`` lets events run it.

    ``checked``: every access is checked against the memory the program may touch; without, ``facts`` are what a
    verifier knew (slot → register → types).  ``engine`` as in ``vm.Machine``: ``interp``, ``jit`` or ``auto``.  Without
    a world it gets one of its own.  Raises UsageError, BadInsn, or MapError when it can't be loaded.
    """

    def __init__(
        self,
        program: Program,
        maps: MapSet | None = None,
        world: World | None = None,
        *,
        engine: str = "interp",
        checked: bool = True,
        facts: Kinds | None = None,
        budget: int = DEFAULT_BUDGET,
        trace: Tracer | None = None,
    ) -> None:
        from osmia import helpers
        from osmia.sim.world import World

        self.program = program
        self.observer: Callable[[Executable, Result | None], object] | None = None
        """Told the result of each run, None after a fault."""
        self.world = world or World()
        self.maps = maps or MapSet(program.maps, cpus=self.world.cpus)
        try:
            self.machine = Machine(
                program,
                maps=[self.maps.of(spec) for spec in program.maps],
                helpers=helpers.table(),
                host=self.world,
                memory=self.world.memory,
                engine=engine,
                checked=checked,
                facts=facts,
                budget=budget,
                trace=trace,
            )
        except VmError as e:
            _locate(e, program)
            raise

    def __repr__(self) -> str:
        return f"<Executable {self.program.name} ({self.program.prog_type}, {len(self.program.insns)} insns)>"

    def run(self, *, ctx: Any = None, data: bytes | None = None, repeat: int = 1) -> Result:
        """Run on a context (bytes, packet fields as a dict, or a Context) and a packet; see ``contexts.of_run``.

        With ``repeat`` the runs share context and packet, as in BPF_PROG_TEST_RUN; ``insns`` is of one run and
        ``duration_ns`` the mean.  Raises VmError when the program faults.
        """
        if repeat < 1:
            raise UsageError("repeat is at least 1")
        if not isinstance(data, bytes | bytearray | memoryview | None):
            raise UsageError(f"data is bytes, not {data!r}")
        context = contexts.of_run(self.world, self.program, ctx, data)
        if repeat == 1:
            return self.run_on(context)
        try:
            took = self.machine.repeat(context, repeat - 1)
        except VmError as e:
            self.located(e)
            raise
        result = self.run_on(context)
        return _replace(result, duration_ns=(took + result.duration_ns) // repeat)

    def run_on(self, context: Context) -> Result:
        """Run once on a context."""
        before = len(self.world.pipe)
        self.world.redirected = None
        result = None
        try:
            got = self._run(context)
            result = Result(
                got.r0, got.data, got.ctx, got.insns, got.duration_ns, self.program.name, self.program.prog_type,
                tuple(self.world.pipe.lines[before:]), self.world.redirected,
            )  # fmt: skip
        finally:
            if self.observer:
                self.observer(self, result)
        return result

    def run_many(self, packets: Any, *, threads: int = 1, keep: bool = False) -> Batch:
        """Run once on each of many packets, with no Python in between where there is native code (``engine="jit"``).

        ``packets`` are bytes of packets, the path of a capture, or a buffer and the offsets in it where packets begin
        and the last one ends.  With ``threads`` several run at once on the same maps, each with a context of its own on
        the CPU of its number; the interpreter runs them one after the other.  ``keep`` keeps the packets as they left.
        A fault is noted in ``Batch.faults`` and the next packet goes on.  Nobody observes the runs, and where packets
        are redirected to is not told.  Raises UsageError and RecordError for what are no packets.
        """
        from osmia.sim.batch import run_many

        return run_many(self, packets, threads=threads, keep=keep)

    def located(self, error: OsmiaError, program: Program | None = None) -> OsmiaError:
        """The error with the program's name and the source line in it."""
        if isinstance(error, VmError):
            _locate(error, program or self.machine.running)
        return error

    def _run(self, context: Context) -> VmResult:
        try:
            return self.machine.run(context)
        except VmError as e:
            self.located(e)
            raise


def _locate(error: VmError, program: Program) -> None:
    """Name the program and the source line, when the program has a name of its own."""
    if program.section and not error.program:
        error.program = program.name
        error.source = program.source_of(error.pc) if error.pc >= 0 else ""


def _replace(result: Result, **changes: Any) -> Result:
    import dataclasses

    return dataclasses.replace(result, **changes)
