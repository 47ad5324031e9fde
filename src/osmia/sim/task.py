"""Tasks: who runs.  The ``task_struct`` in memory is made when something first asks for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from osmia.sim.embodied import Embodied

if TYPE_CHECKING:
    from osmia.sim.kmem import Kmem
    from osmia.sim.kobject import KObject

COMM_LEN = 16
PF_KTHREAD = 0x00200000


@dataclass(eq=False)
class Task(Embodied):
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
    _cred: KObject | int = field(default=0, repr=False)

    def __post_init__(self) -> None:
        self.tgid = self.tgid or self.pid
        if len(self.comm) >= COMM_LEN:
            self.comm = self.comm[: COMM_LEN - 1]

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

    def _make(self, kmem: Kmem) -> KObject:
        made = kmem.new("struct task_struct")
        uid, gid = {"val": self.uid}, {"val": self.gid}
        cred = self._cred = kmem.make("struct cred", uid=uid, euid=uid, gid=gid, egid=gid)
        parent = self.parent.kobject if self.parent else made
        made.try_update(
            pid=self.pid, tgid=self.tgid, comm=self.comm, cred=cred, real_cred=cred, real_parent=parent, parent=parent,
            group_leader=made, start_time=self.start_ns, start_boottime=self.start_ns, prio=120, static_prio=120,
            flags=0 if self.pid else PF_KTHREAD,
        )  # fmt: skip
        return made
