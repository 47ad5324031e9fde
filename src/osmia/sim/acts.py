"""Acts: small scripts of what users do on a machine, with the events that the kernel fires for it.

``touch F`` ``cat F`` ``rm F`` ``unlink F`` ``mkdir D`` ``rmdir D`` ``write F TEXT`` ``sleep SECONDS`` ``exec``
``getpgid PID`` ``udp PORT TEXT``, separated by ``;``.  Each runs in a task of its own with that name, forked from
the shell: fork, exec, the system calls, exit.  What a command reads or removes must be there, as on a real machine.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from osmia.errors import UsageError
from osmia.sim.syscalls import EEXIST, EISDIR, ENOENT, ENOTDIR, ENOTEMPTY, ESRCH, Syscalls

if TYPE_CHECKING:
    from osmia.sim.task import Task
    from osmia.sim.world import World

O_WRONLY, O_CREAT, O_NOCTTY, O_NONBLOCK = 0o1, 0o100, 0o400, 0o4000
MILLISECOND, SECOND = 1_000_000, 1_000_000_000


class Acts:
    """A shell over one world.  Files stay with the world between scripts."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.calls = Syscalls(world)
        self.files = world.files
        self.dirs = world.dirs

    def run(self, script: str) -> int:
        """Run a script; returns the number of commands.  Raises UsageError for a command that there is not."""
        commands = [_split(c) for part in script.splitlines() for c in part.split(";")]
        commands = [c for c in commands if c]
        for words in commands:
            if words[0].rpartition("/")[2] not in COMMANDS:
                raise UsageError(f"no act {words[0]!r} (known: {', '.join(sorted(COMMANDS))})")
        for words in commands:
            self.command(words)
        return len(commands)

    def command(self, words: list[str]) -> None:
        """Fork, exec, act, exit."""
        name = words[0].rpartition("/")[2]
        act, least, most = COMMANDS[name]
        if not least <= len(words) - 1 <= most:
            wanted = f"{least} argument{'s' * (least != 1)}" if least == most else f"{least} to {most} arguments"
            raise UsageError(f"{name} takes {wanted}, not {len(words) - 1}")
        child = self.fork(self.world.shell)
        with self.world.running(child):
            self.calls.execve(f"/usr/bin/{name}")
            act(self, *words[1:])
            self.calls.exit(0)
        self.world.advance(MILLISECOND)

    def fork(self, parent: Task) -> Task:
        """A child of ``parent``, with the events of a fork."""
        world = self.world
        child = world.add_task(parent.comm, uid=parent.uid, gid=parent.gid, parent=parent)
        with world.running(parent):
            names = {"parent_comm": parent.comm, "child_comm": child.comm}
            pids = {"parent_pid": parent.pid, "child_pid": child.pid}
            self.calls.event("sched/sched_process_fork", lambda: [parent, child], names | pids)
        return child

    def open(self, name: str, flags: int, mode: int = 0) -> int:
        """openat(2); a created file is empty."""

        def body() -> int:
            if name in self.dirs and flags & O_WRONLY:
                return -EISDIR
            if name not in self.files and name not in self.dirs:
                if not flags & O_CREAT:
                    return -ENOENT
                self.files[name] = b""
            return 3

        return self.calls.openat(name, flags, mode, body)

    def touch(self, name: str) -> None:
        """Create a file."""
        if self.open(name, O_WRONLY | O_CREAT | O_NOCTTY | O_NONBLOCK, 0o666) >= 0:
            self.calls.close(3)

    def cat(self, name: str) -> None:
        """Read a file to its end."""
        if self.open(name, 0) < 0:
            return
        data = self.files.get(name)
        sizes = [-EISDIR] if data is None else [len(data), 0] if data else [0]
        for size in sizes:
            self.calls.read(3, name, 131072, size)
        self.calls.close(3)

    def write(self, name: str, *text: str) -> None:
        """Write text to a file."""
        data = " ".join(text).encode() + b"\n"
        if self.open(name, O_WRONLY | O_CREAT, 0o666) >= 0:
            self.files[name] = data
            self.calls.write(3, name, data)
            self.calls.close(3)

    def _remove_file(self, name: str) -> Callable[[], int]:
        def body() -> int:
            if name in self.dirs:
                return -EISDIR
            return 0 if self.files.pop(name, None) is not None else -ENOENT

        return body

    def rm(self, name: str) -> None:
        """unlinkat(2)."""
        self.calls.unlinkat(name, self._remove_file(name))

    def unlink(self, name: str) -> None:
        """unlink(2)."""
        self.calls.unlink(name, self._remove_file(name))

    def mkdir(self, name: str) -> None:
        """mkdir(2)."""

        def body() -> int:
            if name in self.dirs or name in self.files:
                return -EEXIST
            self.dirs.add(name)
            return 0

        self.calls.mkdir(name, 0o755, body)

    def rmdir(self, name: str) -> None:
        """rmdir(2)."""

        def body() -> int:
            if name not in self.dirs:
                return -ENOTDIR if name in self.files else -ENOENT
            if any(other.startswith(f"{name.rstrip('/')}/") for other in (*self.files, *self.dirs)):
                return -ENOTEMPTY
            self.dirs.remove(name)
            return 0

        self.calls.rmdir(name, body)

    def sleep(self, seconds: str) -> None:
        """Let the clock go on, in fractions of a second if need be."""
        self.calls.nanosleep(int(_number(seconds, float) * SECOND))

    def exec(self, path: str = "/usr/bin/true") -> None:
        """execve(2) once more, of another program."""
        self.calls.execve(path)

    def getpgid(self, pid: str) -> None:
        """getpgid(2)."""
        number = _number(pid, int)
        self.calls.syscall("getpgid", [number], lambda: number if number in self.world.tasks else -ESRCH)

    def udp(self, port: str, *text: str) -> None:
        """A datagram over loopback, to a port where nobody listens."""
        number = _number(port, int)
        if not 0 < number < 65536:
            raise UsageError(f"{port} is no port")
        self.calls.sendto(number, " ".join(text).encode())


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as e:
        raise UsageError(f"act {text.strip()!r}: {e}") from None


N = TypeVar("N", int, float)


def _number(text: str, kind: type[N]) -> N:
    with suppress(ValueError, OverflowError):
        found = kind(text)
        if 0 <= found < 1 << 31:
            return found
    raise UsageError(f"{text!r} is no number that fits here")


MANY = 1000
COMMANDS: dict[str, tuple[Callable[..., None], int, int]] = {
    "touch": (Acts.touch, 1, 1), "cat": (Acts.cat, 1, 1), "write": (Acts.write, 1, MANY), "rm": (Acts.rm, 1, 1),
    "unlink": (Acts.unlink, 1, 1), "mkdir": (Acts.mkdir, 1, 1), "rmdir": (Acts.rmdir, 1, 1),
    "sleep": (Acts.sleep, 1, 1), "exec": (Acts.exec, 0, 1), "getpgid": (Acts.getpgid, 1, 1),
    "udp": (Acts.udp, 1, MANY),
}  # fmt: skip
"""Each act with the least and most arguments it takes."""
