"""What the bench runs a program on: Osmia's engines, and the running kernel."""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from osmia.api import Collection
from osmia.errors import OsmiaError, Unavailable
from osmia.testing.bench import KERNEL, Answer, Task

if TYPE_CHECKING:
    from osmia.live.executable import LiveExecutable
    from osmia.sim.executable import Executable

CHECKED, TRUSTED, JIT, CHECKED_JIT = "interpreter", "interpreter, unchecked", "JIT", "JIT, checked"
OURS: dict[str, tuple[str, bool]] = {
    CHECKED: ("interp", True), TRUSTED: ("interp", False), JIT: ("jit", False), CHECKED_JIT: ("jit", True),
}  # fmt: skip
"""Name → engine, and whether accesses are checked."""
ENDLESS = 1 << 62


class Judgement(NamedTuple):
    """Why the verifier refuses a task, or what it knows of its registers."""

    refused: str
    facts: Any = None


@lru_cache(maxsize=8)
def judgement(task: Task) -> Judgement:
    """Of the task's program, and of those that its tail calls may go on to."""
    from osmia.verifier.judge import judge

    programs, facts = task.collection.programs, None
    tables = [spec for spec in task.collection.maps.values() if spec.type == "prog_array"]
    for name in (task.program, *(target for spec in tables for target in spec.values.values())):
        verdict = judge(programs[name], log_level=0, facts=name == task.program)
        if not verdict.ok:
            return Judgement(f"only for what the verifier accepts, and it says no to {name}")
        if name == task.program and verdict.facts is not None:
            facts = verdict.facts.types()
    return Judgement("", facts)


class Osmia:
    """One of our engines, by its name in ``OURS``.

    Those that check nothing are for programs that the verifier accepts; it is asked at once, before time counts.
    """

    def __init__(self, task: Task, name: str) -> None:
        self.task, self.name = task, name
        self.facts: dict[str, Any] = {}
        self._judged = Judgement("") if OURS[name][1] else judgement(task)
        self._executable: Executable | None = None
        self._context: Any = None

    @property
    def executable(self) -> Executable:
        """The loaded program.  Raises OsmiaError before ``load``."""
        if self._executable is None:
            raise OsmiaError(f"{self.task.name} is not loaded")
        return self._executable

    def load(self) -> None:
        """With maps of its own.

        Raises what ``Program.load`` does, and Unavailable where there is no JIT or the verifier says no.
        """
        from osmia.sim.executable import Executable

        if self._judged.refused:
            raise Unavailable(self._judged.refused)
        engine, checked = OURS[self.name]
        program = Collection(self.task.collection)[self.task.program]
        facts = self._judged.facts if engine == "jit" else None
        made = Executable(program, program.shared_maps, engine=engine, checked=checked, facts=facts, budget=ENDLESS)
        if engine == "jit" and not made.machine.native:
            raise Unavailable(made.machine.note or "there is no native code for it")
        fill(made.maps, self.task.elements)
        self._executable = made

    def answer(self) -> Answer:
        """What one run gives; its instructions are noted."""
        from osmia.sim import contexts

        machine, program = self.executable.machine, self.executable.program
        context = contexts.of_run(self.executable.world, program, None, self.task.data)
        result = machine.run(context)
        self._context = contexts.of_run(self.executable.world, program, None, self.task.data)
        self.facts["insns"] = machine.insns
        self._drain()
        return Answer(result.retval, result.data)

    def time(self, times: int) -> float:
        """See ``Subject``: the loop is native, the interpreter's where Osmia is compiled."""
        gc.disable()
        try:
            took = self.executable.machine.repeat(self._context, times)
        finally:
            gc.enable()
        self._drain()
        return took / times

    def _drain(self) -> None:
        for name in self.task.drain:
            for _ in self.executable.maps[name].consume():
                pass

    def close(self) -> None:
        """Forget the program."""
        self._executable = self._context = None


class Kernel:
    """The running kernel's BPF_PROG_TEST_RUN, with its own count of nanoseconds."""

    name = KERNEL

    def __init__(self, task: Task) -> None:
        self.task = task
        self.facts: dict[str, Any] = {}
        self._loaded: LiveExecutable | None = None

    @property
    def loaded(self) -> LiveExecutable:
        """The program in the kernel.  Raises OsmiaError before ``load``."""
        if self._loaded is None:
            raise OsmiaError(f"{self.task.name} is not loaded")
        return self._loaded

    def load(self) -> None:
        """Raises Unavailable where bpf(2) is not for us, KernelError when it refuses."""
        from osmia.live.executable import LiveExecutable

        self._loaded = LiveExecutable(Collection(self.task.collection)[self.task.program])
        fill(self._loaded.maps, self.task.elements)

    def answer(self) -> Answer:
        """What one run gives."""
        result = self.loaded.run(data=self.task.data)
        self._drain()
        return Answer(result.retval, result.data)

    def time(self, times: int) -> float:
        """The kernel's mean, whole nanoseconds."""
        took = self.loaded.run(data=self.task.data, repeat=times).duration_ns
        self._drain()
        return took

    def _drain(self) -> None:
        from osmia.live.ringbuf import consume

        for name in self.task.drain:
            for _ in consume(self.loaded.maps[name]):
                pass

    def close(self) -> None:
        """Give program and maps back."""
        if self._loaded is not None:
            self._loaded.close()
            self._loaded = None


def fill(maps: Mapping[str, Any], elements: Mapping[str, Sequence[tuple[bytes, bytes]]]) -> None:
    """Put elements into maps, ours or the kernel's.  Raises MapError."""
    from osmia.live.maps import LiveMap
    from osmia.maps import commands

    for name, pairs in elements.items():
        for key, value in pairs:
            if isinstance(maps[name], LiveMap):
                maps[name].update(key, value)
            else:
                commands.update_elem(maps[name], key, value)
