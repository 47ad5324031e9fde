"""Tasks: who runs.  The ``task_struct`` in memory is made when something first asks for it."""

from __future__ import annotations

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
    _kmem: Kmem | None = field(default=None, repr=False)
    _object: KObject | None = field(default=None, repr=False)

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
            if self._kmem is None:
                raise UsageError(f"task {self.pid} belongs to no world")
            self._object = _task_struct(self, self._kmem)
        return self._object

    def release(self) -> None:
        """Free the ``task_struct``."""
        if self._object is not None and self._kmem is not None:
            self._kmem.free(self._object)
        self._object = None

    def rename(self, comm: str | bytes) -> None:
        """Give the task another name, as exec and prctl do."""
        name = comm.encode() if isinstance(comm, str) else comm
        self.comm = name[: COMM_LEN - 1]
        if self._object is not None:
            self._object.try_update(comm=self.comm)


def _task_struct(task: Task, kmem: Kmem) -> KObject:
    made = kmem.new("struct task_struct")
    parent = task.parent.kobject if task.parent else made
    cred = kmem.make("struct cred", uid={"val": task.uid}, euid={"val": task.uid}, gid={"val": task.gid},
                     egid={"val": task.gid})  # fmt: skip
    made.try_update(
        pid=task.pid, tgid=task.tgid, comm=task.comm, cred=cred, real_cred=cred, real_parent=parent, parent=parent,
        group_leader=made, start_time=task.start_ns, start_boottime=task.start_ns, prio=120, static_prio=120,
        flags=0 if task.pid else PF_KTHREAD,
    )  # fmt: skip
    return made
