"""Dynptrs over memory and ring buffer records (kernel/bpf/helpers.c, ringbuf.c).

The sixteen bytes that a program keeps are laid out as the kernel's: address, size with type in the upper bits, offset.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from osmia.helpers.registry import helper
from osmia.helpers.ringbuf import close_record, open_record, ring
from osmia.raw import copy, ld32, ld64, st32, st64

if TYPE_CHECKING:
    from osmia.vm.env import Env

EINVAL, E2BIG = errno.EINVAL, errno.E2BIG
SIZE = 16
MAX_SIZE = (1 << 24) - 1
SIZE_MASK = 0xFFFFFF
RDONLY = 1 << 31
LOCAL, RINGBUF = 1, 2


def make(env: Env, at: int, kind: int, data: int, size: int) -> None:
    """Write a dynptr."""
    env.check(at, SIZE, True)
    st64(at, data)
    st32(at + 8, size | kind << 28 if data else 0)
    st32(at + 12, 0)


def window(at: int, offset: int, size: int) -> int:
    """Address of ``size`` bytes from ``offset`` on, -EINVAL for a null dynptr, -E2BIG outside of it."""
    data, room = ld64(at), ld32(at + 8) & SIZE_MASK
    if not data:
        return -EINVAL
    return data + ld32(at + 12) + offset if size <= room and offset <= room - size else -E2BIG


@helper("bpf_dynptr_from_mem")
def dynptr_from_mem(env: Env, data: int, size: int, flags: int, ptr: int) -> int:
    """A dynptr over a map value or the stack."""
    bad = -E2BIG if size > MAX_SIZE else -EINVAL if flags else 0
    make(env, ptr, LOCAL, 0 if bad else data, size)
    return bad


@helper("bpf_ringbuf_reserve_dynptr")
def ringbuf_reserve_dynptr(env: Env, m: object, size: int, flags: int, ptr: int) -> int:
    """Reserve a record of a size known only now."""
    bad = -EINVAL if flags else -E2BIG if size > MAX_SIZE else 0
    sample = 0 if bad else open_record(env, ring(m), size)
    make(env, ptr, RINGBUF, sample, size)
    return bad or (0 if sample else -EINVAL)


def _close(env: Env, ptr: int, flags: int, discard: bool) -> int:
    env.check(ptr, SIZE, True)
    if ld64(ptr):
        close_record(env, ld64(ptr), flags, discard)
    make(env, ptr, 0, 0, 0)
    return 0


@helper("bpf_ringbuf_submit_dynptr")
def ringbuf_submit_dynptr(env: Env, ptr: int, flags: int) -> int:
    """Hand the record to the reader."""
    return _close(env, ptr, flags, False)


@helper("bpf_ringbuf_discard_dynptr")
def ringbuf_discard_dynptr(env: Env, ptr: int, flags: int) -> int:
    """Have the reader skip the record."""
    return _close(env, ptr, flags, True)


@helper("bpf_dynptr_read")
def dynptr_read(env: Env, dst: int, size: int, src: int, offset: int, flags: int) -> int:
    """Copy out."""
    env.check(src, SIZE)
    if flags:
        return -EINVAL
    at = window(src, offset, size)
    if at < 0:
        return at
    copy(dst, at, size)
    return 0


@helper("bpf_dynptr_write")
def dynptr_write(env: Env, dst: int, offset: int, src: int, size: int, flags: int) -> int:
    """Copy in."""
    env.check(dst, SIZE)
    if flags or ld32(dst + 8) & RDONLY:
        return -EINVAL
    at = window(dst, offset, size)
    if at < 0:
        return at
    copy(at, src, size)
    return 0


@helper("bpf_dynptr_data")
def dynptr_data(env: Env, ptr: int, offset: int, size: int) -> int:
    """Address of ``size`` bytes in it, or 0."""
    env.check(ptr, SIZE)
    return 0 if ld32(ptr + 8) & RDONLY else max(window(ptr, offset, size), 0)
