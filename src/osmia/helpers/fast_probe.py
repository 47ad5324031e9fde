"""Native bodies: reading memory that may not be there (kernel/trace/bpf_trace.c): an errno and zeros, no fault.

Whether an address is the kernel's or user space's is told by its region's kind: ``"user"`` regions are user space,
all others kernel.  Memory of one space can't be read as the other's; bpf_probe_read reads both, as on x86-64.
"""

from __future__ import annotations

import errno

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.helpers.fallback import USER, WRITABLE, all_readable, flags_there, readable, text_behind
    from osmia.raw import copy, fill, st8
    from osmia.vm.run import may, refuse

    EITHER_SPACE, KERNEL_SPACE, USER_SPACE = 0, 1, 2

M32, M64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
TASK_SIZE, KERNEL_START = (1 << 47) - 4096, 0xFFFF_8000_0000_0000
"""Where user space ends and kernel space begins on x86-64 with four levels of page tables."""
BAD_ADDRESS, BAD_RANGE, INVALID = (M64 ^ (number - 1) for number in (errno.EFAULT, errno.ERANGE, errno.EINVAL))


def in_space(run: int, address: int, space: int) -> int:
    """How many bytes there are that one object of that space holds; 0 for another space or no memory."""
    step = readable(run, address)
    if space == EITHER_SPACE or step == 0:
        return step
    user = USER_SPACE if flags_there(run) & USER else KERNEL_SPACE
    return step if space == user else 0


def refusal(address: int, space: int) -> int:
    """-ERANGE where the kernel does not even try: an address below kernel space, asked for as kernel memory."""
    if space == USER_SPACE or (space == EITHER_SPACE and address < TASK_SIZE):
        return BAD_ADDRESS
    return BAD_RANGE if address < KERNEL_START else BAD_ADDRESS


def probe_bytes(run: int, dst: int, size: int, source: int, space: int) -> int:
    """Copy, or fill with zeros and say -EFAULT or -ERANGE."""
    if may(run, dst, size, 1) == 0:
        return refuse(run, dst, size, 1)
    if size == 0:
        return 0
    step = in_space(run, source, space)
    if step == 0 or (step < size and all_readable(run, source, size) == 0):
        fill(dst, 0, size)
        return refusal(source, space)
    copy(dst, source, size)
    return 0


def probe_text(run: int, dst: int, size: int, source: int, space: int) -> int:
    """Copy up to the NUL; the length with it.  Longer strings are cut; what follows in ``dst`` stays as it is."""
    if may(run, dst, size, 1) == 0:
        return refuse(run, dst, size, 1)
    if size == 0:
        return 0
    step = in_space(run, source, space)
    length = text_behind(run, source, size, step) if step else M64
    if length == M64:
        fill(dst, 0, size)
        return refusal(source, space)
    copy(dst, source, length)
    st8(dst + length, 0)
    return length + 1


def probe_read(run: int, dst: int, size: int, source: int, r4: int, r5: int) -> int:
    """Read from wherever the address is."""
    return probe_bytes(run, dst, size & M32, source, EITHER_SPACE)


def probe_read_kernel(run: int, dst: int, size: int, source: int, r4: int, r5: int) -> int:
    """Read kernel memory."""
    return probe_bytes(run, dst, size & M32, source, KERNEL_SPACE)


def probe_read_user(run: int, dst: int, size: int, source: int, r4: int, r5: int) -> int:
    """Read the task's memory."""
    return probe_bytes(run, dst, size & M32, source, USER_SPACE)


def probe_read_str(run: int, dst: int, size: int, source: int, r4: int, r5: int) -> int:
    """Read a string from wherever the address is."""
    return probe_text(run, dst, size & M32, source, EITHER_SPACE)


def probe_read_kernel_str(run: int, dst: int, size: int, source: int, r4: int, r5: int) -> int:
    """Read a string of the kernel's."""
    return probe_text(run, dst, size & M32, source, KERNEL_SPACE)


def probe_read_user_str(run: int, dst: int, size: int, source: int, r4: int, r5: int) -> int:
    """Read a string of the task's."""
    return probe_text(run, dst, size & M32, source, USER_SPACE)


def copy_from_user(run: int, dst: int, size: int, source: int, r4: int, r5: int) -> int:
    """Read the task's memory, from a program that may sleep."""
    return probe_bytes(run, dst, size & M32, source, USER_SPACE)


def copy_from_user_task(run: int, dst: int, size: int, source: int, task: int, flags: int) -> int:
    """Read a task's memory; there is one address space for all tasks here."""
    size &= M32
    if may(run, dst, size, 1) == 0:
        return refuse(run, dst, size, 1)
    return INVALID if flags else probe_bytes(run, dst, size, source, USER_SPACE)


def probe_write_user(run: int, dst: int, source: int, size: int, r4: int, r5: int) -> int:
    """Write into the task's memory."""
    size &= M32
    if may(run, source, size, 0) == 0:
        return refuse(run, source, size, 0)
    if readable(run, dst) < size or flags_there(run) & WRITABLE == 0:
        return BAD_ADDRESS
    copy(dst, source, size)
    return 0
