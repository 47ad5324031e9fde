"""The machine: one loaded program, its maps and helpers, ready to run on contexts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter_ns, thread_time_ns
from typing import TYPE_CHECKING, Any, TypeVar

from osmia.errors import Fault, Unavailable, UsageError, VmError
from osmia.memory import Memory, Region
from osmia.vm.context import Context
from osmia.vm.decode import Code, Decoder
from osmia.vm.env import Env, HelperBody
from osmia.vm.host import BareHost, Host
from osmia.vm.interp import Interp

if TYPE_CHECKING:
    from osmia.obj.model import Program
    from osmia.vm.jit.build import Kinds
    from osmia.vm.jit.engine import Jit
    from osmia.vm.jit.tiers import Tiers
    from osmia.vm.run import Run

    EngineT = TypeVar("EngineT", bound=Jit)

ENGINES = ("interp", "jit", "auto")
"""What runs a program: see ``Machine``."""

DEFAULT_BUDGET = 100_000_000
"""Instructions that a run may take.  The kernel bounds programs by verifying them; we count."""

MAX_BUDGET = 1 << 62

Tracer = Callable[[int, Sequence[int]], None]
"""Called before each instruction with its slot and the eleven registers."""


@dataclass(frozen=True, slots=True, repr=False)
class Result:
    """What a run gave, here or in the kernel: R0, packet and context afterwards, instructions, time."""

    r0: int
    data: bytes | None = None
    ctx: bytes | None = None
    insns: int = 0
    duration_ns: int = 0

    @property
    def retval(self) -> int:
        """The low 32 bits of R0: what the kernel looks at and BPF_PROG_TEST_RUN reports."""
        return self.r0 & 0xFFFFFFFF

    def __repr__(self) -> str:
        sizes = [f"{name} {len(b)} bytes" for name, b in (("data", self.data), ("ctx", self.ctx)) if b is not None]
        times = [f"{self.insns} insns", f"{self.duration_ns} ns"]
        return f"<Result r0={self.r0:#x}, {', '.join([*sizes, *times])}>"


class Machine:
    """A loaded program.  Raises BadInsn at once for what no kernel would load.

    ``maps`` stand in the order of ``program.maps``.  ``helpers`` go by number, ``kfuncs`` by name,
    ``ksyms`` are addresses of kernel variables by name.  ``memory`` holds what else the program may touch
    (kernel objects); the machine adds its own regions in a child of it.  ``budget`` bounds the instructions of
    a run.  With ``checked`` off nothing is checked: only for programs that a verifier accepted; ``facts`` are what it
    knew then (slot → register → types), for better code.

    ``engine`` is ``interp``, ``jit`` (native code from the first run on) or ``auto`` (native code when it pays).  Where
    there can't be native code, ``note`` says why and the interpreter runs the program; so it does for a tracer.
    """

    def __init__(
        self,
        program: Program,
        *,
        maps: Sequence[Any] = (),
        helpers: Mapping[int, HelperBody] | None = None,
        kfuncs: Mapping[str, HelperBody] | None = None,
        ksyms: Mapping[str, int] | None = None,
        host: Host | None = None,
        memory: Memory | None = None,
        engine: str = "interp",
        checked: bool = True,
        facts: Kinds | None = None,
        budget: int = DEFAULT_BUDGET,
        trace: Tracer | None = None,
    ) -> None:
        if engine not in ENGINES:
            raise UsageError(f"unknown engine {engine!r} (known: {', '.join(ENGINES)})")
        if not 0 < budget <= MAX_BUDGET:
            raise UsageError(f"the budget takes 1 to {MAX_BUDGET} instructions, not {budget}")
        self.program = program
        self.host: Host = BareHost() if host is None else host
        self.maps = list(maps)
        self.memory = Memory(memory)
        self.budget, self.trace = budget, trace
        self._sources = (helpers or {}, kfuncs or {}, ksyms or {})
        self._interp = Interp(self.memory, checked)
        self._engine: Interp | Jit = self._interp
        self._tiers = None if trace else tiers_of(engine)
        self._jit: Jit | None = None
        self.vouch: Callable[[Program], Kinds | None] | None = None
        """Asked when a tail call first goes to another program: what a verifier knows of it, or None: it refuses it.
        Without it, targets run as this program does."""
        self._running = False
        self._known: dict[int, tuple[Any, int]] = {}
        self.code = self._load(program, self.maps, facts)

    @property
    def insns(self) -> int:
        """Instructions of the last run, also of one that failed; 0 when it was native and not checked."""
        return self._engine.spent

    @property
    def registers(self) -> tuple[int, ...]:
        """R0 to R10 where the last run failed; empty when it did not, or was native."""
        return self._engine.registers

    @property
    def running(self) -> Program:
        """The program whose instruction the tracer is shown: another one after a tail call."""
        return self.program_of(self._engine.current)

    @property
    def native(self) -> bool:
        """Will the next run be native?"""
        return self._tiers is not None and self._tiers.ready

    @property
    def note(self) -> str:
        """Why native code was asked for and there is none, or ""."""
        return "" if self._tiers is None else self._tiers.note

    def settle(self, timeout: float | None = None) -> bool:
        """Wait (seconds) for what is being compiled in the background; whether the next run will be native."""
        return self._tiers is not None and self._tiers.wait(timeout)

    def stop(self) -> None:
        """End the run in progress, from another thread: it raises VmError.  A trusted native run goes on to its end."""
        self._interp.block.put("stop", 1)

    def _load(self, program: Program, maps: Sequence[Any], facts: Kinds | None) -> Code:
        code = Decoder(program, maps, *self._sources, self._interp.file).decode()
        for map_ in maps:
            self._list(map_)
        self._known[id(program)] = (program, self._interp.add(code))
        if self._tiers is not None:
            self._tiers.add(code, maps, self._sources[2], self._interp.checked, facts)
        return code

    def _choose(self) -> Interp | Jit:
        """The engine of the next run."""
        if self._tiers is None or not self._tiers.ready:
            return self._interp
        if self._jit is None:
            from osmia.vm.jit.engine import Jit

            self._jit = Jit(
                *(self.memory, self._interp.codes, self._tiers.native, self._interp.block, self._interp.frames),
                self._sources[0],
            )
        return self._jit

    def program_of(self, number: int) -> Program:
        """The program of an engine's ``current``: another one than this machine's after a tail call."""
        return self._interp.codes[number].program

    @property
    def checked(self) -> bool:
        """Is every access looked at?"""
        return self._interp.checked

    def another(self, kind: type[EngineT], memory: Memory, run: Run, frames: Region) -> EngineT:
        """One more engine on the same code, for a thread with its own block, frames and child of ``memory``.

        Raises Unavailable where there is no native code.
        """
        if self._tiers is None or not self._tiers.ready:
            raise Unavailable(self.note or f"{self.program.name} has no native code")
        return kind(memory, self._interp.codes, self._tiers.native, run, frames, self._sources[0])

    def _list(self, map_: Any) -> None:
        """Make the memory of a map known, and what it gets later."""
        for region in map_.regions():
            self._list_region(region)
        if hasattr(map_, "watch"):
            map_.watch(self._list_region)

    def _list_region(self, region: Region) -> None:
        if self.memory.find(region.address) is not region and region.size:
            self.memory.add(region)

    def run(self, ctx: Context | bytes = b"") -> Result:
        """Run once.  Raises Fault, BudgetExceeded, BadInsn, MissingBody or another VmError."""
        context = ctx if isinstance(ctx, Context) else Context(ctx)
        context.attach(self.memory)
        try:
            r0, duration = self._timed(context)
        finally:
            context.detach(self.memory)
        outcome = context.result()
        return Result(r0, outcome.data, outcome.ctx, self._engine.spent, duration)

    def repeat(self, context: Context, times: int) -> int:
        """Run so often on the same context and packet, as BPF_PROG_TEST_RUN does; nanoseconds of all runs together.

        It is the thread's CPU time, as the kernel's measure leaves out when others run.  The loop is native where the
        program is, or where Osmia is compiled.  Raises what ``run`` does.
        """
        if self.native:
            from osmia.vm.jit.batch import repeat

            return repeat(self, context, times)
        context.attach(self.memory)
        begin = thread_time_ns()
        try:
            self._timed(context, times)
        finally:
            context.detach(self.memory)
        return thread_time_ns() - begin

    def _timed(self, context: Context, times: int = 1) -> tuple[int, int]:
        if self._running:
            raise VmError(f"{self.program.name} is running already: a program does not nest in itself")
        env = Env(self.memory, self.maps, self.host, self, self.program, context)
        engine = self._engine = self._choose() if times == 1 else self._interp
        self._running = True
        begin = perf_counter_ns()
        try:
            if times > 1:
                r0 = self._interp.start(env, context.arguments, self.budget, self.trace, 0, times)
            else:
                r0 = engine.start(env, context.arguments, self.budget, self.trace)
        finally:
            self._running = False
            if self._tiers is not None and engine is self._interp:
                self._tiers.ran(engine.spent)
        return r0, perf_counter_ns() - begin

    def call(self, callback: int, r1: int = 0, r2: int = 0, r3: int = 0, r4: int = 0, r5: int = 0) -> int:
        """Run a callback of the program as a nested frame of the run that is on.  Raises VmError."""
        if not self._running:
            raise VmError("a callback runs within a program; use fire() for one that a timer kept")
        return self._engine.call(callback, r1, r2, r3, r4, r5)

    def fire(self, callback: int, *arguments: int, ctx: Context | bytes = b"") -> int:
        """Run a callback on its own (timers, work queues) and return its R0.  Raises VmError."""
        context = ctx if isinstance(ctx, Context) else Context(ctx)
        if self._running:
            raise VmError(f"{self.program.name} is running already")
        env = Env(self.memory, self.maps, self.host, self, self.program, context)
        context.attach(self.memory)
        engine = self._engine = self._choose()
        self._running = True
        try:
            return engine.start(env, arguments, self.budget, self.trace, callback)
        finally:
            self._running = False
            context.detach(self.memory)

    def tail_target(self, table: int, slot: int) -> int:
        """The number of the code that a tail call goes to, or -1: what the interpreter asks."""
        region = self.memory.find(table)
        if region is None or region.kind != "map" or not hasattr(region.owner, "program"):
            raise Fault(f"a tail call through {self.memory.describe(table)}, which is no prog_array", address=table)
        target = region.owner.program(slot)
        return -1 if target is None else self._number(target)

    def _number(self, target: Any) -> int:
        """The number of a tail call's target: a machine, what holds one, or a program (with ``living_maps()``)."""
        machine = getattr(target, "machine", target)
        program = machine.program if isinstance(machine, Machine) else target
        if id(program) not in self._known:
            facts = None if self.vouch is None else self.vouch(program)
            if self.vouch is not None and facts is None:
                raise VmError(f"a tail call to {program.name}, which the verifier refuses, from a run without checks")
            living = getattr(target, "living_maps", list)
            self._load(program, machine.maps if isinstance(machine, Machine) else living(), facts)
        return self._known[id(program)][1]

    def describe(self, address: int) -> str:
        """What stands at an address: "map counts, element 3 + 4", stack frame, context, packet, callback …"""
        for code in self._interp.codes:
            slot = code.slot_of(address)
            if slot >= 0:
                return f"callback {code.name_of(slot)}, insn {slot}"
        return self.memory.describe(address)


def tiers_of(engine: str) -> Tiers | None:
    """What decides when there is native code, or None: LLVM's side is not imported for the interpreter alone."""
    if engine == "interp":
        return None
    from osmia.vm.jit.tiers import Tiers

    return Tiers(engine)
