"""Native bodies: the current task (kernel/bpf/helpers.c, kernel/trace/bpf_trace.c).

Its words are behind the host's; where either keeps none, ``tasks`` answers.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.kernel.helpers import helper_by_name

if not cython.compiled:
    from osmia.helpers.fallback import python_body
    from osmia.raw import copy, fill, ld64, st8
    from osmia.vm.hostwords import COMM_LEN, HOST_TASK, TASK_COMM, TASK_GID, TASK_PID, TASK_STRUCT, TASK_TGID, TASK_UID
    from osmia.vm.run import may, refuse
    from osmia.vm.runwords import R_HOST

M32 = 0xFFFFFFFF
PID_TGID, UID_GID, COMM, TASK_NUMBER, TASK_POINTER = (
    helper_by_name(f"bpf_get_current_{name}").id for name in ("pid_tgid", "uid_gid", "comm", "task", "task_btf")
)


def current(run: int) -> int:
    """Address of the current task's words, or 0."""
    host = ld64(run + R_HOST)
    return ld64(host + HOST_TASK) if host else 0


def get_current_pid_tgid(run: int, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
    """Process (tgid) above, thread (pid) below."""
    task = current(run)
    if task == 0:
        return python_body(run, PID_TGID, r1, r2, r3, r4, r5)
    return (ld64(task + TASK_TGID) & M32) << 32 | (ld64(task + TASK_PID) & M32)


def get_current_uid_gid(run: int, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
    """Group above, user below."""
    task = current(run)
    if task == 0:
        return python_body(run, UID_GID, r1, r2, r3, r4, r5)
    return (ld64(task + TASK_GID) & M32) << 32 | (ld64(task + TASK_UID) & M32)


def get_current_comm(run: int, buf: int, r2: int, r3: int, r4: int, r5: int) -> int:
    """The command's name, cut to the buffer and padded with zeros."""
    task = current(run)
    if task == 0:
        return python_body(run, COMM, buf, r2, r3, r4, r5)
    size = r2 & M32
    if may(run, buf, size, 1) == 0:
        return refuse(run, buf, size, 1)
    if size:
        length = COMM_LEN if size > COMM_LEN else size
        copy(buf, task + TASK_COMM, length)
        fill(buf + length, 0, size - length)
        st8(buf + length - 1, 0)
    return 0


def get_current_task(run: int, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
    """Address of the task_struct, as a number.  Python makes the object when it is first asked for."""
    return task_struct(run, TASK_NUMBER)


def get_current_task_btf(run: int, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
    """Address of the task_struct, as a pointer."""
    return task_struct(run, TASK_POINTER)


def task_struct(run: int, helper: int) -> int:
    """The address in the task's words; the Python body of ``helper`` where it is not there yet."""
    task = current(run)
    address = ld64(task + TASK_STRUCT) if task else 0
    return address or python_body(run, helper, 0, 0, 0, 0, 0)
