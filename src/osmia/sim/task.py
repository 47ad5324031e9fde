"""Tasks: who runs.  The ``task_struct`` in memory is made when something first asks for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from osmia.sim.embodied import Embodied
from osmia.vm.hostwords import TASK, Comm, TaskWords, Word

if TYPE_CHECKING:
    from osmia.sim.kmem import Kmem
    from osmia.sim.kobject import KObject

PF_KTHREAD = 0x00200000


class Task(Embodied):
    """One task.  ``pid`` is the thread's id and ``tgid`` the process's, as the kernel has them.

    Numbers and name are kept in ``state``, where native helpers see them.  Assigning to a field after the
    ``task_struct`` was made does not change that: use ``kobject`` for it.
    """

    pid, tgid, uid, gid = (Word(TASK[name]) for name in ("pid", "tgid", "uid", "gid"))
    comm = Comm()
    struct = Word(TASK["struct"])
    """Address of the ``task_struct``, 0 while there is none."""

    def __init__(
        self, pid: int, comm: bytes, tgid: int = 0, uid: int = 0, gid: int = 0, parent: Task | None = None,
        start_ns: int = 0, *, kmem: Callable[[], Kmem] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(kmem=kmem)
        self.state = TaskWords()
        self.pid, self.tgid, self.uid, self.gid, self.comm = pid, tgid or pid, uid, gid, comm
        self.parent, self.start_ns = parent, start_ns
        self._cred: KObject | int = 0

    def __repr__(self) -> str:
        return f"<Task {self.comm!r}, pid {self.pid}, tgid {self.tgid}, uid {self.uid}, gid {self.gid}>"

    def release(self) -> None:
        """Free the ``task_struct`` and what belongs to it."""
        if self._object is not None and self.kmem is not None:
            self.kmem().free(self._object)
            self.kmem().free(self._cred)
        self._object = None
        self.struct = 0

    def rename(self, comm: str | bytes) -> None:
        """Give the task another name, as exec and prctl do."""
        self.comm = comm.encode() if isinstance(comm, str) else comm
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
        self.struct = made.address
        return made
