"""What a run gave: the machine's result, with the trace it wrote and the name of its verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from osmia.kernel.prog_types import TYPES
from osmia.sim.pipe import TraceLine
from osmia.vm.machine import Result as VmResult


def action_name(prog_type: str, retval: int) -> str | None:
    """The name that a return value has for a type of program; None where it is just a number.

    >>> action_name("xdp", 2), action_name("sched_cls", 0xFFFFFFFF), action_name("socket_filter", 96)
    ('XDP_PASS', 'TC_ACT_UNSPEC', 'keep 96')
    """
    if prog_type == "socket_filter":
        return f"keep {retval}" if retval else "drop"
    kind = TYPES.get(prog_type)
    if kind is None or not kind.returns:
        return None
    name = kind.return_name(retval)
    return name if name in kind.returns.values() else f"unknown {name}"


@dataclass(frozen=True, slots=True, repr=False)
class Result(VmResult):
    """``retval``, ``data`` and ``ctx`` afterwards, ``insns``, ``duration_ns``; ``trace`` are the lines it printed."""

    program: str = ""
    prog_type: str = ""
    trace: tuple[TraceLine, ...] = ()
    redirect: tuple[int, int] | None = None

    def __repr__(self) -> str:
        head = f"{self.program}: " * bool(self.program) + (self.action or f"returned {self.retval}")
        sizes = [f"{name} {len(b)} bytes" for name, b in (("data", self.data), ("ctx", self.ctx)) if b is not None]
        lines = [f"{len(self.trace)} lines of trace"] if self.trace else []
        return f"<Result {', '.join([head, f'{self.insns} insns', f'{self.duration_ns} ns', *sizes, *lines])}>"

    @property
    def action(self) -> str | None:
        """The verdict's name: "XDP_PASS", "TC_ACT_SHOT", "keep 96" …; None for tracing programs."""
        return action_name(self.prog_type, self.retval)

    def to_json(self) -> dict[str, Any]:
        """For scripts: bytes as hexadecimal digits, only what there is."""
        rows: dict[str, Any] = {
            "program": self.program, "retval": self.retval, "action": self.action, "insns": self.insns,
            "duration_ns": self.duration_ns, "data": None if self.data is None else self.data.hex(),
            "ctx": None if self.ctx is None else self.ctx.hex(), "redirect": self.redirect,
            "trace": [str(line) for line in self.trace],
        }  # fmt: skip
        return {k: v for k, v in rows.items() if v is not None}
