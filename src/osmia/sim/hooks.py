"""Names of hooks: the section names that programs use, brought to one form.

>>> Hook.parse("kprobe/do_unlinkat"), str(Hook.parse("ksyscall/unlinkat"))
(Hook(kind='kprobe', target='do_unlinkat'), 'kprobe/__x64_sys_unlinkat')
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from osmia.errors import UsageError

if TYPE_CHECKING:
    from osmia.obj.model import Program

_ALIASES = {
    "tp": "tracepoint", "raw_tracepoint": "raw_tp", "kprobe.multi": "kprobe", "kretprobe.multi": "kretprobe",
    "uprobe.multi": "uprobe", "uretprobe.multi": "uretprobe", "classifier": "tc", "tcx": "tc", "action": "tc",
    "socket_filter": "socket", "sched_cls": "tc", "sched_act": "tc", "cgroup_skb": "cgroup_skb", "lsm_cgroup": "lsm",
    "raw_tp.w": "raw_tp", "raw_tracepoint.w": "raw_tp", "raw_tracepoint_writable": "raw_tp", "fmod_ret": "fmod_ret",
}  # fmt: skip
KINDS = frozenset(
    "kprobe kretprobe uprobe uretprobe usdt tracepoint raw_tp tp_btf fentry fexit fmod_ret lsm iter xdp tc tc_egress "
    "socket cgroup_skb cgroup_skb_egress perf_event syscall".split()
)
"""The kinds of hooks that events reach."""

NET = frozenset(("xdp", "tc", "tc_egress", "socket", "cgroup_skb", "cgroup_skb_egress"))
"""Kinds whose event is a packet; the target is a device."""

SYSCALL_PREFIX = {"x86_64": "__x64_sys_", "aarch64": "__arm64_sys_"}


class Hook(NamedTuple):
    """A place that programs attach to.  ``target`` is the function, tracepoint ("group/name") or device."""

    kind: str
    target: str = ""

    @classmethod
    def parse(cls, name: str, arch: str = "x86_64") -> Hook:
        """Read a hook's or a section's name.  Raises UsageError for a kind that no event reaches."""
        kind, _, target = name.strip().lstrip("?").replace(" ", "/", 1).partition("/")
        kind = kind.removesuffix(".s").removesuffix(".frags")
        if kind in ("ksyscall", "kretsyscall"):
            return cls("kprobe" if kind == "ksyscall" else "kretprobe", SYSCALL_PREFIX[arch] + target)
        kind = _ALIASES.get(kind, kind)
        if kind not in KINDS:
            raise UsageError(f"unknown kind of hook {kind!r} in {name!r} (known: {', '.join(sorted(KINDS))})")
        if kind in NET:
            return cls._net(kind, target)
        if kind in ("raw_tp", "tp_btf"):
            target = target.rpartition("/")[2]
        return cls(kind, target.partition("+")[0])

    @classmethod
    def _net(cls, kind: str, target: str) -> Hook:
        """ "tc/egress/eth0", "xdp/lo": a direction and a device, either may lack."""
        words = [w for w in target.split("/") if w not in ("", "ingress", "devmap", "cpumap")]
        if "egress" in words:
            kind, words = f"{kind}_egress", [w for w in words if w != "egress"]
        return cls(kind, words[0] if words else "")

    @classmethod
    def of(cls, program: Program, arch: str = "x86_64") -> Hook:
        """Where a program attaches itself by its section.  Raises UsageError when that says nothing.

        A packet program's section names no device, so it sees those of all devices.
        """
        if not program.section:
            raise UsageError(f"program {program.name} names no hook: give one")
        hook = cls.parse(program.section, arch)
        return hook._replace(target="") if hook.kind in NET else hook

    def matches(self, event: Hook) -> bool:
        """Whether an event at ``event`` reaches a program attached here; targets may hold ``*`` and ``?``."""
        if self.kind != event.kind:
            return False
        return (
            self.target == event.target
            or (not self.target and self.kind in NET)
            or fnmatchcase(event.target, self.target)
        )

    def __str__(self) -> str:
        return f"{self.kind}/{self.target}" if self.target else self.kind
