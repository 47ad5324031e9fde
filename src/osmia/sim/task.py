"""Tasks: who runs.  The ``task_struct`` in memory is made when something first asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from osmia.errors import UsageError

if TYPE_CHECKING:
    from osmia.sim.kmem import Kmem
    from osmia.sim.kobject import KObject

COMM_LEN = 16
PF_KTHREAD = 0x00200000


@dataclass(slots=True, eq=False)
class Task:
    """One task.  ``pid`` is the thread's id and ``tgid`` the process's, as the kernel has them.

    Assigning to a field after the ``task_struct`` was made does not change it: use ``kobject`` for that.
    """

    pid: int
    comm: bytes
    tgid: int = 0
    uid: int = 0
    gid: int = 0
    parent: Task | None = None
    start_ns: int = 0
    kmem: Callable[[], Kmem] | None = field(default=None, repr=False)
    """Where its objects live, asked for when the first one is made."""
    _object: KObject | None = field(default=None, repr=False)
    _cred: KObject | int = field(default=0, repr=False)

    def __post_init__(self) -> None:
        self.tgid = self.tgid or self.pid
        if len(self.comm) >= COMM_LEN:
            self.comm = self.comm[: COMM_LEN - 1]

    @property
    def address(self) -> int:
        """The address of the ``task_struct``."""
        return self.kobject.address

    @property
    def kobject(self) -> KObject:
        """The ``struct task_struct``.  Raises UsageError for a task of no world."""
        if self._object is None:
            if self.kmem is None:
                raise UsageError(f"task {self.pid} belongs to no world")
            self._make(self.kmem())
            assert self._object is not None
        return self._object

    def release(self) -> None:
        """Free the ``task_struct`` and what belongs to it."""
        if self._object is not None and self.kmem is not None:
            self.kmem().free(self._object)
            self.kmem().free(self._cred)
        self._object = None

    def rename(self, comm: str | bytes) -> None:
        """Give the task another name, as exec and prctl do."""
        name = comm.encode() if isinstance(comm, str) else comm
        self.comm = name[: COMM_LEN - 1]
        if self._object is not None:
            self._object.try_update(comm=self.comm)


    def _make(self, kmem: Kmem) -> None:
        """Fill in a ``task_struct`` with what programs look for."""
        made = self._object = kmem.new("struct task_struct")
        uid, gid = {"val": self.uid}, {"val": self.gid}
        cred = self._cred = kmem.make("struct cred", uid=uid, euid=uid, gid=gid, egid=gid)
        parent = self.parent.kobject if self.parent else made
        made.try_update(
            pid=self.pid, tgid=self.tgid, comm=self.comm, cred=cred, real_cred=cred, real_parent=parent, parent=parent,
            group_leader=made, start_time=self.start_ns, start_boottime=self.start_ns, prio=120, static_prio=120,
            flags=0 if self.pid else PF_KTHREAD,
        )  # fmt: skip
