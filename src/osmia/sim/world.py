"""``World``: the simulated kernel that programs run in.  Deterministic: the same acts give the same trace, always."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from osmia.errors import UsageError
from osmia.memory import Memory
from osmia.sim import contexts
from osmia.sim.clock import NSEC_PER_SEC, Clock
from osmia.sim.device import NetDevice
from osmia.sim.hooks import Hook
from osmia.sim.kmem import Kmem
from osmia.sim.pipe import TraceLine, TracePipe, flags, shown
from osmia.sim.symbols import Symbols
from osmia.sim.task import Task

if TYPE_CHECKING:
    from pathlib import Path

    from osmia.btf import Btf
    from osmia.sim.executable import Executable
    from osmia.sim.kobject import KObject
    from osmia.sim.result import Result
    from osmia.vm.context import Context

FILES = {
    "/proc/version": b"Linux version 6.18.0\n",
    "/etc/passwd": b"root:x:0:0:root:/root:/bin/sh\n",
    "/etc/hosts": b"127.0.0.1\tlocalhost\n",
}
"""The files that a fresh world has."""


class Attachment(NamedTuple):
    """A program at a hook."""

    hook: Hook
    executable: Executable
    cookie: int = 0


class World(Clock):
    """Tasks, a clock, CPUs, devices and kernel objects, and the hooks through which their events reach programs.

    ``btf`` lays out kernel objects (a file, a Btf, or None: Osmia's own compact one of 6.18); load programs with
    the same BTF as target of their CO-RE relocations.  ``seed`` starts the random numbers.

    >>> world = World()
    >>> world.task.comm, world.now_ns
    (b'sh', 4000000000)
    """

    def __init__(
        self,
        btf: Btf | str | Path | None = None,
        *,
        cpus: int = 1,
        seed: int = 1,
        now_ns: int = 4 * NSEC_PER_SEC,
        epoch_ns: int = 1_767_225_600 * NSEC_PER_SEC,
        tick_ns: int = 1_000,
    ) -> None:
        if cpus < 1:
            raise UsageError("a world has at least one CPU")
        self._btf_source = btf
        self._kmem: Kmem | None = None
        self.memory = Memory()
        super().__init__(now_ns, tick_ns, epoch_ns, cpus, seed)
        self.pipe = TracePipe()
        self.trace_words = self.pipe.native.address if type(self).trace is World.trace else 0
        self.tasks: dict[int, Task] = {}
        self.devices: dict[str, NetDevice] = {}
        self._last_pid = 0
        self.hops = 0
        """Redirects that the frame on its way has taken."""
        self.symbols = Symbols()
        self._attached: list[Attachment] = []
        self.files: dict[str, bytes] = dict(FILES)
        self.dirs = {"/", "/proc", "/etc", "/tmp"}
        self._people()
        self.device("lo", mtu=65536)
        self.device("eth0", mac=bytes.fromhex("020000000001"))

    def _people(self) -> None:
        self.idle = self.add_task("swapper/0", pid=0)
        init = self.add_task("systemd", pid=1)
        self.shell = self.add_task("sh", pid=1000, parent=init)
        self.task = self.shell

    def __repr__(self) -> str:
        return f"<World: {len(self.tasks)} tasks, {len(self._attached)} programs attached, {self.now_ns} ns>"

    # Kernel objects

    @property
    def kmem(self) -> Kmem:
        """The memory; made when it is first needed, because that reads the BTF."""
        if self._kmem is None:
            from osmia.inputs import load_btf
            from osmia.sim.defaults import default_btf

            btf = default_btf() if self._btf_source is None else load_btf(self._btf_source)
            self._kmem = Kmem(btf, self.memory)
        return self._kmem

    @property
    def btf(self) -> Btf:
        """The types that lay out kernel objects."""
        return self.kmem.btf

    def new(self, type_name: str, /, **fields: Any) -> KObject:
        """A zeroed kernel object, ``new("struct sk_buff", len=84, dev=lo)``, that programs may read.

        Raises UsageError for a type or field that the BTF does not have, or a value that does not fit.
        """
        return self.kmem.new(type_name, **fields)

    def free(self, what: KObject | int) -> None:
        """Give an object's memory back: a program that still reads it gets -EFAULT."""
        self.kmem.free(what)

    def string(self, text: str | bytes, *, user: bool = False) -> int:
        """A NUL-terminated string in kernel (or user) memory; returns its address."""
        return self.kmem.string(text, kind="user" if user else "kernel")

    def describe(self, address: int) -> str:
        """What lies at an address: "struct sk_buff #3 .len"."""
        return self.memory.describe(address)

    # Tasks and devices

    def add_task(
        self, comm: str | bytes, *, pid: int | None = None, tgid: int = 0, uid: int = 0, gid: int = 0,
        parent: Task | None = None,
    ) -> Task:  # fmt: skip
        """A new task; its pid is the next free one.  Raises UsageError for a pid in use."""
        number = self._last_pid + 1 if pid is None else pid
        if number in self.tasks:
            raise UsageError(f"there is a task with pid {number} already")
        name = comm.encode() if isinstance(comm, str) else comm
        self._last_pid = max(self._last_pid, number)
        made = Task(number, name, tgid, uid, gid, parent, self.now_ns, kmem=lambda: self.kmem)
        self.tasks[number] = made
        return made

    def end_task(self, task: Task) -> None:
        """A task is gone; its pid is not used again."""
        self.tasks.pop(task.pid, None)
        task.release()

    @contextmanager
    def running(self, task: Task | None, *, softirq: bool | None = None) -> Iterator[None]:
        """Make ``task`` the current one for a while (None: whoever runs), perhaps interrupted by a softirq."""
        before = self.task, self.softirq
        self.task = task or self.task
        self.softirq = self.softirq if softirq is None else softirq
        try:
            yield
        finally:
            self.task, self.softirq = before

    def device(self, name: str, *, mtu: int = 1500, mac: bytes = bytes(6)) -> NetDevice:
        """The device of that name, added when there is none."""
        if name not in self.devices:
            self.devices[name] = NetDevice(name, len(self.devices) + 1, mtu, mac, kmem=lambda: self.kmem)
        return self.devices[name]

    # vm.host.Host

    def trace(self, text: str) -> None:
        """A line of bpf_trace_printk, by the task and CPU that run."""
        task = self.task
        line = TraceLine(shown(task.comm, task.pid), task.pid, self.cpu, self.pipe.flags, self.ktime_ns(), text)
        self.pipe.write(line)

    def symbol(self, address: int) -> tuple[str, int, int] | None:
        """Name, offset and size of the kernel function at an address: what ``%ps`` prints."""
        return self.symbols.find(address)

    def clone_redirect(self, ifindex: int, flags: int, frame: bytes) -> int:
        """Send a copy of a frame on; 0 or -EINVAL for a device that there is not."""
        from osmia.sim.network import forward

        return 0 if forward(self, ifindex, flags, frame) else -errno.EINVAL

    # Hooks

    def attach(self, executable: Executable, hook: str | None = None, *, cookie: int = 0) -> Hook:
        """Let events at a hook run a program; without ``hook`` where its section says.  Returns the hook.

        ``cookie`` is what bpf_get_attach_cookie gives the program.

        Raises UsageError for an unknown hook, or a program that was loaded into another world.
        """
        if executable.world is not self:
            raise UsageError(f"{executable.program.name} was loaded into another world: load(world=…)")
        place = Hook.parse(hook) if hook else Hook.of(executable.program)
        self._attached.append(Attachment(place, executable, cookie))
        return place

    def detach(self, executable: Executable) -> None:
        """Take a program off all of its hooks."""
        self._attached = [a for a in self._attached if a.executable is not executable]

    def attached(self, event: Hook) -> list[Attachment]:
        """The programs that an event reaches, in the order they were attached."""
        return [a for a in self._attached if a.hook.matches(event)]

    def fire(
        self, hook: str | Hook, *, task: Task | None = None, args: Sequence[Any] = (), retval: int | None = None,
        ctx: bytes | None = None, **fields: Any,
    ) -> list[Result]:  # fmt: skip
        """Cause an event: every program attached there runs, and their results come back.

        ``args`` are a function's arguments or a raw tracepoint's: numbers, kernel objects, text (a new kernel
        string); those of "ksyscall/…" are the system call's.  ``retval`` is what a kretprobe or fexit sees.
        ``fields`` are a tracepoint's, by name; ``ctx`` gives the context's bytes instead of all that.  Raises
        UsageError when they do not fit the hook, and VmError when a program faults.
        """
        event = hook if isinstance(hook, Hook) else Hook.parse(hook)
        reached = self.attached(event)
        if not reached:
            return []
        args = contexts.entry_args(self, hook, args)
        with self.running(task):
            return self.run_all(event, reached, lambda: contexts.of_event(self, event, args, retval, ctx, fields))

    def run_all(self, event: Hook, reached: list[Attachment], context: Callable[[], Context]) -> list[Result]:
        """Run some programs, each on a fresh context."""
        before, self.pipe.flags = self.pipe.flags, _flags_at(event, self.softirq)
        try:
            return [self._run(event, a, context()) for a in reached]
        finally:
            self.pipe.flags = before

    def _run(self, event: Hook, attached: Attachment, context: Context) -> Result:
        context.cookie = attached.cookie
        if event.kind in FUNCTIONS:
            context.func_ip = self.symbols.address(event.target)
        return attached.executable.run_on(context)

    def call(self, name: str, args: Sequence[Any], body: Callable[[], int], *, bits: int = 32) -> int:
        """Let the kernel call a function: its entry and return probes fire around ``body``, which gives the result.

        ``bits`` is the width of the C result: a 32-bit one reaches probes zero-extended, as compilers leave it.
        """
        for kind in ("kprobe", "fentry"):
            self.fire(Hook(kind, name), args=args)
        result = body()
        seen = result & (1 << bits) - 1
        self.fire(Hook("kretprobe", name), retval=seen)
        self.fire(Hook("fexit", name), args=args, retval=seen)
        return result

    def receive(self, device: NetDevice | str, frame: bytes) -> Any:
        """Let a frame come in on a device: XDP, then tc, then sockets.  Returns a ``Reception``."""
        from osmia.sim.network import receive

        return receive(self, self.device(device) if isinstance(device, str) else device, frame)

    def do(self, script: str) -> Any:
        """Act as users would: ``do("touch a; unlink a; udp 9999 hello")``.  See ``osmia.sim.acts``."""
        from osmia.sim.acts import Acts

        return Acts(self).run(script)


TRAMPOLINE = frozenset(("fentry", "fexit", "fmod_ret", "lsm"))
RAW = frozenset(("raw_tp", "tp_btf"))
FUNCTIONS = TRAMPOLINE | {"kprobe", "kretprobe"}


def _flags_at(event: Hook, softirq: bool) -> str:
    """The pipe's flags as a 6.1 shows them: probes and tracepoints are entered with preemption off, trampolines are
    not; raw tracepoints do not pin the task to its CPU; XDP's softirq does not count, the receive path's does.
    """
    depth = (1 if event.kind in TRAMPOLINE else 2) + (softirq and event.kind != "xdp")
    return flags(softirq=softirq, depth=depth, pinned=event.kind not in RAW)
