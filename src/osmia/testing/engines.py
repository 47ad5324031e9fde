"""The same trial in every engine: interpreter, native code, both without checks, and the running kernel."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from osmia.api import Program
from osmia.errors import KernelError, MapError, MissingBody, OsmiaError, VmError
from osmia.maps import Map
from osmia.obj.model import MapSpec
from osmia.raw import Buffer
from osmia.sim import Executable, MapSet, World
from osmia.testing.trials import ETH_HLEN, Contents, Outcome, Trial

if TYPE_CHECKING:
    from osmia.live.maps import LiveMap

Engine = Callable[[Trial], Outcome]
GET_SMP_PROCESSOR_ID = 8
PER_CPU = ("percpu_array", "percpu_hash", "lru_percpu_hash")
ORDERED = ("queue", "stack")
OPAQUE = ("prog_array", "array_of_maps", "hash_of_maps", "bloom_filter", "ringbuf", "perf_event_array", "stack_trace")
"""Maps whose contents are objects, or can't be listed: what programs do with them shows elsewhere."""


class Refused(OsmiaError):
    """A trial that an engine does not take: nothing can be compared."""


# -- Osmia


def osmia(engine: str, **options: Any) -> Engine:
    """Osmia's engine of that name, with options as of ``Executable``."""

    def run(trial: Trial) -> Outcome:
        return run_osmia(trial, engine=engine, **options)

    return run


def run_osmia(trial: Trial, held: list[Executable] | None = None, **options: Any) -> Outcome:
    """Run it in a fresh world.  Raises Refused for maps that can't be made and helpers without a body.

    What ran goes to ``held``, and keeps its memory as long as that lives.
    """
    maps = MapSet(trial.specs, cpus=1)
    maps.programs = {name: Program.of(other, maps) for name, other in trial.others.items()}
    try:
        ready = Program.of(trial.program, maps).load(world=World(), budget=trial.budget, **options)
    except VmError as error:
        return Outcome(type(error).__name__, error.pc, why=error.reason)
    except MapError as error:
        raise Refused(str(error)) from error
    if held is not None:
        held.append(ready)
    try:
        got = ready.run(data=trial.data, ctx=trial.ctx)
    except VmError as error:
        return Outcome(type(error).__name__, error.pc, maps=contents(trial, maps), why=error.reason)
    except MissingBody as error:
        raise Refused(str(error)) from error
    if options.get("engine") == "jit" and ready.machine.note:
        raise Refused(f"no native code: {ready.machine.note}")
    return Outcome("", -1, got.r0, _packet(trial, got.data), _context(trial, got.ctx), contents(trial, maps))


def leaks(trial: Trial) -> bool:
    """Does the outcome depend on addresses?  Two runs with different ones tell."""
    held: list[Executable] = []
    first = run_osmia(trial, held, engine="interp")
    return bool(first.differs(run_osmia(trial, held, engine="interp")))


def _context(trial: Trial, ctx: bytes | None) -> bytes:
    """The context as far as it counts: of an skb, what a test run gives back (mark, priority, cb)."""
    if trial.program.prog_type == "xdp" or ctx is None:
        return ctx or b""
    return ctx[8:12] + ctx[32:36] + ctx[48:68]


def contents(trial: Trial, maps: MapSet) -> tuple[tuple[str, Contents], ...]:
    """What the maps hold now, by name."""
    return tuple((spec.name, _held(maps.of(spec))) for spec in listed(trial))


def listed(trial: Trial) -> list[MapSpec]:
    """The maps whose contents are compared."""
    return [spec for spec in trial.specs if spec.type not in OPAQUE]


def _held(living: Map) -> Contents:
    if living.spec.type in ORDERED:
        return tuple((b"", value) for value in living.contents())
    pairs = []
    for key in living.raw_keys():
        room = Buffer.of(key)
        value = living.copy_value(room.address)
        pairs.append((key, value if isinstance(value, bytes) else b""))
    return tuple(sorted(pairs))


def _packet(trial: Trial, data: bytes | None) -> bytes:
    """The packet as far as it counts: the kernel blanks the Ethernet header of a socket filter's."""
    skipped = ETH_HLEN if trial.program.prog_type == "socket_filter" else 0
    return (data or b"")[skipped:]


# -- the running kernel


def run_kernel(trial: Trial) -> Outcome:
    """BPF_PROG_TEST_RUN on the first CPU.  Raises Refused where the kernel does not take program or maps."""
    from osmia.live.mapset import LiveMaps

    with closing(LiveMaps(trial.specs, trial.others)) as maps:
        try:
            loaded = maps.load(trial.program)
            with first_cpu() if depends_on_cpu(trial) else nullcontext():
                got = loaded.test_run(_frame(trial), trial.ctx or b"")
        except (KernelError, MapError) as error:
            raise Refused(str(error)) from error
        skipped = ETH_HLEN if _doubled(trial) else 0
        data = _packet(trial, (got.data or b"")[skipped:])
        held = tuple((spec.name, _held_live(maps.of(spec))) for spec in listed(trial))
        return Outcome("", -1, got.r0, data, _context(trial, got.ctx), held)


def _doubled(trial: Trial) -> bool:
    return trial.program.prog_type == "socket_filter"


def _frame(trial: Trial) -> bytes | None:
    """A socket filter sees the frame behind its header in a test run: give it two."""
    if trial.data is None or not _doubled(trial):
        return trial.data
    return trial.data[:ETH_HLEN] + trial.data


def _held_live(living: LiveMap) -> Contents:
    spec = living.spec
    if spec.type in ORDERED:
        return tuple((b"", value) for value in _taken(living))
    size = spec.value_size
    return tuple(sorted((key, living[key][:size]) for key in list(living)))


def _taken(living: LiveMap) -> Iterator[bytes]:
    """Empty a queue or stack."""
    while True:
        try:
            yield living.take()
        except MapError:
            return


def depends_on_cpu(trial: Trial) -> bool:
    """Does it matter on which CPU it runs?  Moving there can take long on a busy machine."""
    asks = any(
        insn.code == 0x85 and insn.src_reg == 0 and insn.imm == GET_SMP_PROCESSOR_ID
        for program in (trial.program, *trial.others.values()) for insn in program.insns
    )  # fmt: skip
    return asks or any(spec.type in PER_CPU for spec in trial.specs)


@contextmanager
def first_cpu() -> Iterator[None]:
    """Keep this thread on one CPU, so that per-CPU maps have their values where they are looked for."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {0} if 0 in before else before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


ENGINES: dict[str, Engine] = {
    "interp": osmia("interp"),
    "interp-unchecked": osmia("interp", checked=False),
    "jit-checked": osmia("jit"),
    "jit": osmia("jit", checked=False),
    "jit-facts": osmia("jit", checked="auto"),
    "kernel": run_kernel,
}
"""All of them by name; the first is what the others are held against.  ``jit-facts`` knows what the verifier knew."""
SAFE = ("interp", "jit-checked")
"""Those that may run what no verifier has seen."""
