"""System calls of the current task: their tracepoints, entry functions, and the inner functions that people probe.

Arguments and order follow fs/namei.c, fs/open.c, fs/read_write.c, fs/exec.c and kernel/exit.c of 6.1.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from osmia.sim.contexts import user_registers
from osmia.sim.events import SYSCALLS
from osmia.sim.hooks import SYSCALL_PREFIX, Hook
from osmia.sim.network import send_udp

if TYPE_CHECKING:
    from osmia.sim.kobject import KObject
    from osmia.sim.task import Task
    from osmia.sim.world import World

ENOENT, ESRCH, EEXIST, ENOTDIR, EISDIR, ENOTEMPTY = 2, 3, 17, 20, 21, 39
AT_FDCWD = -100
Body = Callable[[], int]
T = TypeVar("T", bound="KObject | int")


class Syscalls:
    """What the current task asks of the kernel."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._trash: list[KObject | int] = []

    def event(self, name: str, args: Callable[[], Sequence[Any]], fields: dict[str, Any]) -> None:
        """A tracepoint "group/name" in its three forms; records and arguments are made only when somebody watches."""
        short = name.partition("/")[2]
        self.world.fire(Hook("tracepoint", name), **fields)
        for kind in ("raw_tp", "tp_btf"):
            if self.world.attached(Hook(kind, short)):
                self.world.fire(Hook(kind, short), args=args())

    def syscall(self, name: str, args: Sequence[int], body: Body) -> int:
        """Enter and leave a system call: raw and syscall tracepoints, and the entry function around the body."""
        number = SYSCALLS[name][0]
        registers = self._registers(number, args)
        self.event("raw_syscalls/sys_enter", lambda: [registers(), number], {"id": number, "args": list(args)})
        self.world.fire(Hook("tracepoint", f"syscalls/sys_enter_{name}"), args=args)
        entry = SYSCALL_PREFIX["x86_64"] + name
        result = self._function(entry, lambda: [registers()], body, bits=64)
        self.world.fire(Hook("tracepoint", f"syscalls/sys_exit_{name}"), ret=result)
        self.event("raw_syscalls/sys_exit", lambda: [registers(), result], {"id": number, "ret": result})
        self._clean()
        return result

    def _registers(self, number: int, args: Sequence[int]) -> Callable[[], KObject]:
        """The user's ``pt_regs``, made once and only on demand."""
        made: list[KObject] = []

        def registers() -> KObject:
            if not made:
                made.append(self.keep(user_registers(self.world, args, number)))
            return made[0]

        return registers

    def _function(self, name: str, args: Callable[[], Sequence[Any]], body: Body, bits: int = 32) -> int:
        """A kernel function around ``body``; its arguments are made only when somebody watches."""
        if any(self.world.attached(Hook(kind, name)) for kind in ("kprobe", "kretprobe", "fentry", "fexit")):
            return self.world.call(name, args(), body, bits=bits)
        return body()

    def _entry(self, name: str, args: Callable[[], Sequence[Any]]) -> None:
        """A kernel function that does not return."""
        for kind in ("kprobe", "fentry"):
            if self.world.attached(Hook(kind, name)):
                self.world.fire(Hook(kind, name), args=args())

    def keep(self, what: T) -> T:
        """Memory that lives until the system call ends."""
        self._trash.append(what)
        return what

    def _clean(self) -> None:
        while self._trash:
            self.world.free(self._trash.pop())

    def user_string(self, text: str) -> int:
        """A string in user memory, for the time of the call."""
        return self.keep(self.world.string(text, user=True))

    def filename(self, text: str, user: int) -> KObject | int:
        """The ``struct filename`` that getname() makes of a path."""
        name = self.keep(self.world.string(text))
        return self.keep(self.world.kmem.make("struct filename", name=name, uptr=user))

    def dentry(self, path: str) -> KObject | int:
        """The ``struct dentry`` of a path, with its inode."""
        leaf = path.rstrip("/").rpartition("/")[2] or path
        name = self.keep(self.world.string(leaf))
        inode = self.keep(self.world.kmem.make("struct inode", i_ino=_inode(path), i_mode=0o100644))
        dentry = self.world.kmem.make("struct dentry", d_inode=inode, d_name={"name": name, "len": len(leaf.encode())})
        return self.keep(dentry)

    def file(self, path: str) -> KObject | int:
        """The ``struct file`` of an open path."""
        dentry = self.dentry(path)
        made = self.keep(self.world.kmem.make("struct file", f_path={"dentry": dentry}))
        if not isinstance(made, int) and not isinstance(dentry, int):
            made.try_update(f_inode=dentry["d_inode"])
        return made

    # File system

    def openat(self, path: str, flags: int, mode: int, body: Body) -> int:
        """openat(AT_FDCWD, path, flags, mode)."""
        user = self.user_string(path)

        def inner() -> int:
            how = self.keep(self.world.kmem.make("struct open_how", flags=flags, mode=mode))
            return self._function("do_sys_openat2", lambda: [AT_FDCWD, user, how], body, bits=64)

        return self.syscall("openat", [AT_FDCWD, user, flags, mode], inner)

    def close(self, fd: int) -> int:
        """close(fd)."""
        return self.syscall("close", [fd], lambda: 0)

    def read(self, fd: int, path: str, count: int, result: int) -> int:
        """read(fd, buffer, count) of an open file."""
        return self._transfer("read", fd, path, bytes(min(count, 4096)), count, result)

    def write(self, fd: int, path: str, data: bytes) -> int:
        """write(fd, data) to an open file."""
        return self._transfer("write", fd, path, data, len(data), len(data))

    def _transfer(self, name: str, fd: int, path: str, data: bytes, count: int, result: int) -> int:
        buffer = self.keep(self.world.kmem.data(data, f"{name} buffer", kind="user"))
        position = self.keep(self.world.kmem.allocate(8, "file position"))
        inner = lambda: self._function(  # noqa: E731
            f"vfs_{name}", lambda: [self.file(path), buffer, count, position], lambda: result, bits=64
        )
        return self.syscall(name, [fd, buffer, count], inner)

    def _on_path(self, call: str, args: Sequence[int], user: int, path: str, inner: tuple[str, str], body: Body) -> int:
        """A call that takes a path: do_X(AT_FDCWD, struct filename *, …), then vfs_X(…, dir, dentry) when it exists."""
        outer, vfs = inner
        more = list(args[args.index(user) + 1 :]) if outer == "do_mkdirat" else []

        def through_vfs() -> int:
            result = body()
            if result == 0:
                self._function(vfs, lambda: [0, 0, self.dentry(path), *more, 0], lambda: 0)
            return result

        def function() -> int:
            return self._function(outer, lambda: [AT_FDCWD, self.filename(path, user), *more], through_vfs)

        return self.syscall(call, args, function)

    def unlinkat(self, path: str, body: Body) -> int:
        """unlinkat(AT_FDCWD, path, 0), as rm does."""
        user = self.user_string(path)
        return self._on_path("unlinkat", [AT_FDCWD, user, 0], user, path, ("do_unlinkat", "vfs_unlink"), body)

    def unlink(self, path: str, body: Body) -> int:
        """unlink(path)."""
        user = self.user_string(path)
        return self._on_path("unlink", [user], user, path, ("do_unlinkat", "vfs_unlink"), body)

    def mkdir(self, path: str, mode: int, body: Body) -> int:
        """mkdir(path, mode)."""
        user = self.user_string(path)
        return self._on_path("mkdir", [user, mode], user, path, ("do_mkdirat", "vfs_mkdir"), body)

    def rmdir(self, path: str, body: Body) -> int:
        """rmdir(path)."""
        user = self.user_string(path)
        return self._on_path("rmdir", [user], user, path, ("do_rmdir", "vfs_rmdir"), body)

    # Processes

    def execve(self, path: str) -> int:
        """execve(path, …): the task takes the program's name."""
        user, task = self.user_string(path), self.world.task

        def body() -> int:
            task.rename(path.rpartition("/")[2])
            fields = {"filename": path, "pid": task.pid, "old_pid": task.pid}
            self.event("sched/sched_process_exec", lambda: [task, task.pid, self._binprm(path)], fields)
            return 0

        return self.syscall("execve", [user, 0, 0], body)

    def _binprm(self, path: str) -> KObject | int:
        name = self.keep(self.world.string(path))
        return self.keep(self.world.kmem.make("struct linux_binprm", filename=name))

    def exit(self, code: int) -> None:
        """exit_group(code): it enters and never returns, and the task is gone."""
        world, task = self.world, self.world.task
        registers = self._registers(SYSCALLS["exit_group"][0], [code])
        number = SYSCALLS["exit_group"][0]
        self.event("raw_syscalls/sys_enter", lambda: [registers(), number], {"id": number, "args": [code]})
        world.fire(Hook("tracepoint", "syscalls/sys_enter_exit_group"), args=[code])
        self._entry(SYSCALL_PREFIX["x86_64"] + "exit_group", lambda: [registers()])
        self._entry("do_exit", lambda: [code << 8])
        self.event("sched/sched_process_exit", lambda: [task], {"comm": task.comm, "pid": task.pid, "prio": 120})
        self._clean()
        world.end_task(task)

    def nanosleep(self, ns: int) -> int:
        """clock_nanosleep: the task leaves the CPU, time passes, it comes back."""
        request = self.keep(self.world.kmem.data(ns.to_bytes(16, "little"), "timespec", kind="user"))

        def body() -> int:
            self._switch(self.world.task, self.world.idle, 1)
            self.world.advance(ns)
            self._switch(self.world.idle, self.world.task, 0)
            return 0

        return self.syscall("clock_nanosleep", [0, 0, request, 0], body)

    def _switch(self, previous: Task, following: Task, state: int) -> None:
        fields = {
            "prev_comm": previous.comm, "prev_pid": previous.pid, "prev_prio": 120, "prev_state": state,
            "next_comm": following.comm, "next_pid": following.pid, "next_prio": 120,
        }  # fmt: skip
        with self.world.running(previous):
            self.event("sched/sched_switch", lambda: [0, previous, following, state], fields)

    # Sockets

    def sendto(self, port: int, data: bytes) -> int:
        """sendto(fd, data, …) of a datagram socket, to 127.0.0.1."""
        target = b"\x02\0" + port.to_bytes(2, "big") + bytes((127, 0, 0, 1)) + bytes(8)
        address = self.keep(self.world.kmem.data(target, "sockaddr_in", kind="user"))
        buffer = self.keep(self.world.kmem.data(data, "datagram", kind="user"))

        def body() -> int:
            def send() -> int:
                send_udp(self.world, port, data, source=32768 + self.world.task.pid % 28232)
                return len(data)

            return self._function("udp_sendmsg", lambda: [self._sock(port), 0, len(data)], send)

        return self.syscall("sendto", [3, buffer, len(data), 0, address, 16], body)

    def _sock(self, port: int) -> KObject | int:
        common = {"skc_family": 2, "skc_dport": int.from_bytes(port.to_bytes(2, "big"), self.world.kmem.order)}
        return self.keep(self.world.kmem.make("struct sock", __sk_common=common))


def _inode(path: str) -> int:
    return zlib.crc32(path.encode()) % 100_000 + 2
