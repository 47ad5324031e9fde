"""One sitting of ``osmia run``: load a collection into a world, let its events happen, and collect what came of it."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from osmia.debug import Stepper
from osmia.errors import UsageError, VmError
from osmia.session import license
from osmia.sim import Executable, Hook, Result, World, events
from osmia.vm.machine import DEFAULT_BUDGET

if TYPE_CHECKING:
    from osmia.api import Collection, Program
    from osmia.live.executable import LiveExecutable

DEFAULT_ACTS = (
    "touch a; cat a; unlink a; touch b; rm b; unlink missing; mkdir d; rmdir d; write f hello; udp 9999 hello; "
    "getpgid 1; exec; sleep 1"
)
"""What happens when nobody says what should: something of everything that a world can do."""

NONE = 'no program in it: a function becomes one by its section, as in SEC("xdp")'

ACTED = frozenset(("kprobe", "kretprobe", "tracepoint", "raw_tp", "tp_btf", "fentry", "fexit"))
"""Kinds of hooks that acts can reach."""

FIRED_BARE = frozenset(("kprobe", "kretprobe", "tracepoint"))
"""Kinds that make sense with nothing in their arguments: the others' programs follow pointers that are never null."""


@dataclass(slots=True)
class Options:
    """How programs are loaded: as in ``Program.load``; ``steps`` gets every instruction's line.

    With ``live`` packets and single runs happen in the running kernel.
    """

    checked: bool = True
    budget: int = DEFAULT_BUDGET
    repeat: int = 1
    steps: Callable[[str], object] | None = None
    live: bool = False
    engine: str = "interp"


@dataclass(slots=True)
class Tally:
    """What became of one program over all of its runs."""

    program: str
    hook: str
    runs: int = 0
    insns: int = 0
    duration_ns: int = 0
    retvals: Counter[int] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)

    def add(self, result: Result) -> None:
        """Count one run."""
        self.runs += 1
        self.insns += result.insns
        self.duration_ns += result.duration_ns
        self.retvals[result.retval] += 1
        if result.action:
            self.actions[result.action] += 1

    def __str__(self) -> str:
        counts = self.actions or {f"returned {value}": n for value, n in self.retvals.items()}
        told = ", ".join(f"{n} {name}" if self.actions else f"{name} ({n}×)" for name, n in list(counts.items())[:6])
        runs = "1 run" if self.runs == 1 else f"{self.runs} runs"
        each = max(1, self.runs)
        effort = f"{self.insns // each} instructions" if self.insns else f"{self.duration_ns // each} ns"
        return f"{self.program} ({self.hook}): {runs}: {told}; {effort} a run"

    def to_json(self) -> dict[str, Any]:
        """For scripts."""
        counts = {"actions": dict(self.actions)} if self.actions else {"retvals": dict(self.retvals)}
        numbers = {"runs": self.runs, "insns": self.insns, "duration_ns": self.duration_ns}
        return {"program": self.program, "hook": self.hook, **numbers, **counts}


class Session:
    """Programs of one collection in one world."""

    def __init__(self, collection: Collection, world: World, options: Options | None = None) -> None:
        self.collection, self.world = collection, world
        self.options = options or Options()
        self.tallies: dict[str, Tally] = {}
        self.maps: Mapping[str, Any] = collection.maps
        """The maps to show afterwards."""
        self.doubts: list[str] = []
        """What a kernel would have refused in the programs that were loaded here."""
        self._steppers: dict[str, Stepper] = {}

    # Loading

    def load(self, program: Program) -> Executable:
        """Load one program with the session's options."""
        for spec in program.maps:  # somebody listens, as user space would
            if spec.type == "perf_event_array" and not self.collection.maps.of(spec).buffers:
                self.collection.maps.of(spec).open()
        self.doubts += filter(None, [license.doubt(program)])
        stepper = Stepper(program, self.options.steps) if self.options.steps else None
        checked, budget = self.options.checked, self.options.budget
        engine: Any = self.options.engine
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # told below, as the machine's note
            made: Executable = program.load(engine, checked=checked, budget=budget, world=self.world, trace=stepper)
        if engine == "jit" and made.machine.note:
            self.doubts.append(made.machine.note)
        if stepper:
            stepper.watch(made)
            self._steppers[program.name] = stepper
        made.observer = self._observe
        return made

    def load_live(self, program: Program) -> LiveExecutable:
        """Load one program into the running kernel.  Raises Unavailable, KernelError."""
        made = program.load("live")
        made.observer = self._observe
        self.maps = made.maps
        return made

    def _runnable(self, program: Program) -> Executable | LiveExecutable:
        return self.load_live(program) if self.options.live else self.load(program)

    def _observe(self, executable: Executable | LiveExecutable, result: Result | None) -> None:
        """After each run, also one that faulted."""
        name = executable.program.name
        if name in self._steppers:
            self._steppers[name].finish(None if result is None else result.r0)
        if result is not None:
            self.tally(executable.program).add(result)

    def tally(self, program: Any) -> Tally:
        """The count of a program's runs."""
        return self.tallies.setdefault(program.name, Tally(program.name, program.section or program.prog_type))

    def choose(self, name: str | None) -> list[Program]:
        """The program of that name; without one, all that tracing events can run, or else the only one (programs that
        are in a prog_array from the start, for tail calls, do not count).

        Raises UsageError when there is nothing to choose, or too much.
        """
        programs = self.collection.programs
        if name is not None:
            if name not in programs:
                why = f"no program {name!r} (there: {', '.join(programs) or 'none'})"
                raise UsageError(why, file=self.collection.path or None)
            return [programs[name]]
        tables = [spec for spec in self.collection.specs.values() if spec.type == "prog_array"]
        called = {name for spec in tables for name in spec.values.values()}
        entries = [p for p in programs.values() if p.name not in called]
        traced = [p for p in entries if self.is_traced(p) and p.autoload]
        others = [p for p in entries if not self.is_traced(p)]
        if traced and not others:
            return traced
        if len(others) == 1 and not traced:
            return others
        why = f"choose a program (--prog): {', '.join(programs)}" if programs else NONE
        raise UsageError(why, file=self.collection.path or None)

    @staticmethod
    def is_traced(program: Any) -> bool:
        """Whether acts can run it."""
        try:
            return Hook.of(program).kind in ACTED
        except UsageError:
            return False

    # Acting

    def act(self, programs: Iterable[Program], script: str | None) -> dict[str, bool]:
        """Attach and act.  Answers the hooks that no act reached, and whether they were fired once on their own."""
        attached = [(p, self.world.attach(self.load(p))) for p in programs]
        self.world.do(DEFAULT_ACTS if script is None else script)
        missed = [hook for p, hook in attached if p.name not in self.tallies]
        return {str(hook): script is None and self._fire_bare(hook) for hook in missed}

    def _fire_bare(self, hook: Hook) -> bool:
        """Fire an event with nothing in its arguments, where that makes sense and the world knows its record."""
        if hook.kind not in FIRED_BARE:
            return False
        if hook.kind == "tracepoint" and not events.is_known(self.world.kmem, hook.target):
            return False
        self.world.fire(hook)
        return True

    def packets(self, program: Program, frames: Iterable[bytes]) -> Iterator[Result]:
        """Run a packet program on each frame.  Raises VmError that names the packet."""
        executable = self._runnable(program)
        for number, frame in enumerate(frames, 1):
            try:
                yield executable.run(data=frame, repeat=self.options.repeat)
            except VmError as e:
                e.add_note(f"on packet {number}")
                raise

    def once(self, program: Program, ctx: Any, data: bytes | None) -> Result:
        """Run a program on what is given."""
        return self._runnable(program).run(ctx=ctx, data=data, repeat=self.options.repeat)

    def to_json(self) -> dict[str, Any]:
        """Programs with their counts, and the trace pipe."""
        return {
            "programs": [t.to_json() for t in self.tallies.values()],
            "trace": [line._asdict() for line in self.world.pipe.lines],
        }
