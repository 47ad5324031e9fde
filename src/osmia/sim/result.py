"""What a run gave: the machine's result, with the trace it wrote and the name of its verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from osmia.sim.pipe import TraceLine
from osmia.vm.machine import Result as VmResult

XDP_ACTIONS = ("XDP_ABORTED", "XDP_DROP", "XDP_PASS", "XDP_TX", "XDP_REDIRECT")
TC_ACTIONS = (
    "TC_ACT_OK", "TC_ACT_RECLASSIFY", "TC_ACT_SHOT", "TC_ACT_PIPE", "TC_ACT_STOLEN", "TC_ACT_QUEUED", "TC_ACT_REPEAT",
    "TC_ACT_REDIRECT", "TC_ACT_TRAP",
)  # fmt: skip
_TABLES = {"xdp": XDP_ACTIONS, "sched_cls": TC_ACTIONS, "sched_act": TC_ACTIONS}
_VERDICTS = frozenset("cgroup_skb sk_skb sk_msg cgroup_sock cgroup_sock_addr cgroup_device sk_lookup".split())


def action_name(prog_type: str, retval: int) -> str | None:
    """The name that a return value has for a type of program; None where it is just a number.

    >>> action_name("xdp", 2), action_name("sched_cls", 0xFFFFFFFF), action_name("socket_filter", 96)
    ('XDP_PASS', 'TC_ACT_UNSPEC', 'keep 96')
    """
    if prog_type == "socket_filter":
        return f"keep {retval}" if retval else "drop"
    if prog_type in _VERDICTS:
        return "allow" if retval & 1 else "drop"
    table = _TABLES.get(prog_type)
    if table is None:
        return None
    if table is TC_ACTIONS and retval == 0xFFFFFFFF:
        return "TC_ACT_UNSPEC"
    return table[retval] if retval < len(table) else f"unknown {retval}"


@dataclass(frozen=True, slots=True)
class Result(VmResult):
    """``retval``, ``data`` and ``ctx`` afterwards, ``insns``, ``duration_ns``; ``trace`` are the lines it printed."""

    program: str = ""
    prog_type: str = ""
    trace: tuple[TraceLine, ...] = ()
    redirect: tuple[int, int] | None = None

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
