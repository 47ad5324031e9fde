"""Reading memory that may not be there (kernel/trace/bpf_trace.c): an errno and zeros instead of a fault.

Whether an address is the kernel's or user space's is told by the region's kind: ``"user"`` regions are user space,
all others kernel.  Memory of one space can't be read as the other's; bpf_probe_read reads both, as on x86-64.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from osmia.helpers.access import read_memory, read_string
from osmia.helpers.registry import helper
from osmia.raw import fill, read, write

if TYPE_CHECKING:
    from osmia.vm.env import Env

EFAULT, EINVAL, ERANGE = errno.EFAULT, errno.EINVAL, errno.ERANGE
TASK_SIZE, KERNEL_START = (1 << 47) - 4096, 0xFFFF_8000_0000_0000
"""Where user space ends and kernel space begins on x86-64 with four levels of page tables."""
EITHER, KERNEL, USER = 0, 1, 2


def in_space(env: Env, address: int, space: int) -> bool:
    """Whether the address belongs to that space."""
    region = env.memory.find(address)
    if region is None or space == EITHER:
        return region is not None
    return (region.kind == "user") == (space == USER)


def refusal(address: int, space: int) -> int:
    """-ERANGE where the kernel does not even try: an address below kernel space, asked for as kernel memory."""
    below = 0 if space == USER else KERNEL_START if space == KERNEL or address >= TASK_SIZE else 0
    return -ERANGE if address < below else -EFAULT


def probe_bytes(env: Env, dst: int, size: int, source: int, space: int) -> int:
    """Copy, or fill with zeros and say -EFAULT or -ERANGE."""
    if not size:
        return 0
    data = read_memory(env.memory, source, size) if in_space(env, source, space) else None
    if data is None:
        fill(dst, 0, size)
        return refusal(source, space)
    write(dst, data)
    return 0


def probe_text(env: Env, dst: int, size: int, source: int, space: int) -> int:
    """Copy up to the NUL; the length with it.  Longer strings are cut; what follows in ``dst`` stays as it is."""
    if not size:
        return 0
    text = read_string(env.memory, source, size) if in_space(env, source, space) else None
    if text is None:
        fill(dst, 0, size)
        return refusal(source, space)
    write(dst, text + b"\0")
    return len(text) + 1


@helper("bpf_probe_read")
def probe_read(env: Env, dst: int, size: int, source: int) -> int:
    """Read from wherever the address is."""
    return probe_bytes(env, dst, size, source, EITHER)


@helper("bpf_probe_read_kernel")
def probe_read_kernel(env: Env, dst: int, size: int, source: int) -> int:
    """Read kernel memory."""
    return probe_bytes(env, dst, size, source, KERNEL)


@helper("bpf_probe_read_user")
def probe_read_user(env: Env, dst: int, size: int, source: int) -> int:
    """Read the task's memory."""
    return probe_bytes(env, dst, size, source, USER)


@helper("bpf_probe_read_str")
def probe_read_str(env: Env, dst: int, size: int, source: int) -> int:
    """Read a string from wherever the address is."""
    return probe_text(env, dst, size, source, EITHER)


@helper("bpf_probe_read_kernel_str")
def probe_read_kernel_str(env: Env, dst: int, size: int, source: int) -> int:
    """Read a string of the kernel's."""
    return probe_text(env, dst, size, source, KERNEL)


@helper("bpf_probe_read_user_str")
def probe_read_user_str(env: Env, dst: int, size: int, source: int) -> int:
    """Read a string of the task's."""
    return probe_text(env, dst, size, source, USER)


@helper("bpf_copy_from_user")
def copy_from_user(env: Env, dst: int, size: int, source: int) -> int:
    """Read the task's memory, from a program that may sleep."""
    return probe_bytes(env, dst, size, source, USER)


@helper("bpf_copy_from_user_task")
def copy_from_user_task(env: Env, dst: int, size: int, source: int, task: int, flags: int) -> int:
    """Read a task's memory; there is one address space for all tasks here."""
    return -EINVAL if flags else probe_bytes(env, dst, size, source, USER)


@helper("bpf_probe_write_user")
def probe_write_user(env: Env, dst: int, source: int, size: int) -> int:
    """Write into the task's memory."""
    if not env.memory.check(dst, size, True):
        return -EFAULT
    write(dst, read(source, size))
    return 0
