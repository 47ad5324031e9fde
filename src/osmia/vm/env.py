"""What the body of a helper or kfunc sees of the machine that called it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from osmia.memory import Memory, Region
from osmia.vm.faults import access_fault, map_fault
from osmia.vm.host import Host

if TYPE_CHECKING:
    from osmia.obj.model import MapSpec, Program
    from osmia.vm.context import Context


class MapLike(Protocol):
    """What the machine itself needs of a map (``maps.Map`` has much more).

    ``address`` is the map's handle: what a map load puts into a register, and what helpers get as a map
    pointer.  ``regions()`` lists the memory a program may reach (values, and the handle itself as a region
    of kind "map" whose ``owner`` is the map); a map that grows later calls what ``watch`` was given.
    """

    spec: MapSpec

    @property
    def name(self) -> str:
        """The map's name."""

    @property
    def address(self) -> int:
        """The handle."""

    def regions(self) -> Iterable[Region]:
        """The memory that programs may touch through this map."""


class Caller(Protocol):
    """A machine, as far as helpers need it: something that runs a callback."""

    def call(self, callback: int, r1: int = 0, r2: int = 0, r3: int = 0, r4: int = 0, r5: int = 0) -> int:
        """Run the subprogram behind a callback pointer and return its R0."""

    def describe(self, address: int) -> str:
        """What stands at an address."""


HelperBody = Callable[["Env", int, int, int, int, int], int]
"""A helper as the interpreter calls it: the environment and five raw u64, answering a raw u64."""


class FastBody:
    """A helper whose body is a native function ``u64 f(run, r1 … r5)``: at ``address`` compiled (else 0), and the
    Python ``function`` uncompiled.  ``python`` is what it hands calls to that it can't do (None: it can do all).
    """

    __slots__ = ("address", "function", "name", "number", "python")

    def __init__(self, number: int, name: str, function: Any, address: int, python: HelperBody | None) -> None:
        self.number, self.name = number, name
        self.function, self.address, self.python = function, address, python

    def __call__(self, env: Env, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
        """As the interpreter calls it where it is not compiled; a fault is left in the run's words."""
        return int(self.function(env.run, r1, r2, r3, r4, r5))

    def __repr__(self) -> str:
        return f"<FastBody {self.name}>"


class Env:
    """The world of one running program: its memory, maps, host, context and machine."""

    __slots__ = ("ctx", "host", "machine", "maps", "memory", "program", "run", "scratch")

    def __init__(
        self, memory: Memory, maps: Sequence[Any], host: Host, machine: Caller, program: Program, ctx: Context
    ) -> None:
        self.memory = memory
        self.maps = maps
        self.host = host
        self.machine = machine
        self.program = program
        self.ctx = ctx
        self.run = 0
        """Address of the run's words (``vm.runwords``); set by the engine."""
        self.scratch: dict[str, Any] = {}
        """Room for what helpers must remember until the run ends (redirect targets, open records)."""

    def call(self, callback: int, r1: int = 0, r2: int = 0, r3: int = 0, r4: int = 0, r5: int = 0) -> int:
        """Run the callback (the u64 a program passes for a function pointer) and return its R0, a u64.

        Raises VmError when it is no callback, or when the call stack has no frame left.
        """
        return self.machine.call(callback, r1, r2, r3, r4, r5)

    def map_at(self, address: int) -> Any:
        """The map with that handle.  Raises Fault when there is none."""
        region = self.memory.find(address)
        if region is None or region.kind != "map" or region.address != address:
            raise map_fault(self.memory, address)
        return region.owner

    def check(self, address: int, size: int, write: bool = False) -> None:
        """Raise Fault unless the program may touch these bytes.  No bytes are always fine."""
        if size and not self.memory.check(address, size, write):
            raise access_fault(self.memory, address, size, write)


def poll() -> None:
    """Nothing but a place where Python looks at pending signals and lets other threads run."""
