"""The machine: one loaded program, its maps and helpers, ready to run on contexts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from osmia.memory import Memory
from osmia.vm.context import Context
from osmia.vm.env import HelperBody
from osmia.vm.host import Host

if TYPE_CHECKING:
    from osmia.obj.model import Program

DEFAULT_BUDGET = 100_000_000
"""Instructions that a run may take.  The kernel bounds programs by verifying them; we count."""

Tracer = Callable[[int, Sequence[int]], None]
"""Called before each instruction with its slot and the eleven registers."""


@dataclass(frozen=True, slots=True)
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


class Machine:
    """A loaded program.  Raises BadInsn at once for what no kernel would load.

    ``maps`` stand in the order of ``program.maps``.  ``helpers`` go by number, ``kfuncs`` by name,
    ``ksyms`` are addresses of kernel variables by name.  ``memory`` holds what else the program may touch
    (kernel objects); the machine adds its own regions in a child of it.  With ``checked`` off nothing is
    checked: only for programs that a verifier accepted.
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
        checked: bool = True,
        budget: int = DEFAULT_BUDGET,
        trace: Tracer | None = None,
    ) -> None:
        raise NotImplementedError

    def run(self, ctx: Context | bytes = b"") -> Result:
        """Run once.  Raises Fault, BudgetExceeded, BadInsn, MissingBody or another VmError."""
        raise NotImplementedError

    def call(self, callback: int, r1: int = 0, r2: int = 0, r3: int = 0, r4: int = 0, r5: int = 0) -> int:
        """Run a callback of the program: a nested frame while it runs, from the outside otherwise."""
        raise NotImplementedError

    def describe(self, address: int) -> str:
        """What stands at an address: "map value", stack frame, context, packet, callback …"""
        raise NotImplementedError
