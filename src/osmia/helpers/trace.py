"""Printing where Python is needed (else ``fast_trace``): names of symbols, a host's own trace pipe, iterators' output.

Kernel: bpf_trace.c.  The text itself is ``fast_format``'s.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import TYPE_CHECKING

from osmia.helpers.access import read_string
from osmia.helpers.fast_format import printed
from osmia.helpers.registry import helper
from osmia.kernel.uapi import MAX_BPRINTF_VARARGS, MAX_TRACE_PRINTK_VARARGS
from osmia.raw import read, write

if TYPE_CHECKING:
    from osmia.vm.env import Env

EINVAL, EOVERFLOW = errno.EINVAL, errno.EOVERFLOW
LINE_MAX = 1024
"""Bytes of the kernel's buffer for one line."""
SEQ_SIZE = 4096 * 8


def terminated(data: bytes) -> bytes | None:
    """The format before its NUL; None when there is no NUL."""
    head, nul, _ = data.partition(b"\0")
    return head if nul else None


def format_text(env: Env, fmt: bytes | None, args: Sequence[int], size: int = LINE_MAX) -> bytes | int:
    """The text to print into ``size`` bytes, or a negative errno."""
    return -EINVAL if fmt is None else printed(env.run, fmt, args, size, lambda at, offset: symbol(env, at, offset))


def symbol(env: Env, address: int, offset: bool) -> str:
    """``name+0x10/0x80``, or ``name`` alone without ``offset``; ``0x…`` where no symbol is known.

    From ``host.symbol(address) -> (name, offset, size) | None``, a method that a host may have.
    """
    ask = getattr(env.host, "symbol", None)
    found = ask(address) if ask else None
    if not found:
        return f"{address:#x}"
    name, inside, size = found
    return f"{name}+{inside:#x}/{size:#x}" if offset else str(name)


def read_args(data: int, size: int) -> list[int] | int:
    """The u64 arguments of the ``data, data_len`` pair, or -EINVAL."""
    if size % 8 or size > MAX_BPRINTF_VARARGS * 8 or (size and not data):
        return -EINVAL
    raw = read(data, size) if size else b""
    return list(memoryview(raw).cast("Q"))


def emit(env: Env, text: bytes | int) -> int:
    """Hand a line to the trace pipe; its length, or the error."""
    if isinstance(text, int):
        return text
    line = text[: LINE_MAX - 1].split(b"\0", 1)[0]
    env.host.trace(line.decode("utf-8", "backslashreplace"))
    return len(text)


@helper("bpf_trace_printk")
def trace_printk(env: Env, fmt: int, fmt_size: int, *args: int) -> int:
    """Print a line with up to three arguments; its length, -EINVAL or -ENOSPC."""
    return emit(env, format_text(env, terminated(read(fmt, fmt_size)), args[:MAX_TRACE_PRINTK_VARARGS]))


@helper("bpf_trace_vprintk")
def trace_vprintk(env: Env, fmt: int, fmt_size: int, data: int, data_len: int) -> int:
    """Print a line with up to twelve arguments."""
    args = read_args(data, data_len)
    if isinstance(args, int):
        return args
    return emit(env, format_text(env, terminated(read(fmt, fmt_size)), args))


@helper("bpf_snprintf")
def snprintf(env: Env, out: int, size: int, fmt: int, data: int, data_len: int) -> int:
    """Print into a buffer; the length that all of the text would take with its NUL."""
    args = read_args(data, data_len)
    if isinstance(args, int):
        return args
    text = format_text(env, read_string(env.memory, fmt, 1 << 16), args, size)
    if isinstance(text, int):
        return text
    if size:
        write(out, text[: size - 1] + b"\0")
    return len(text) + 1


def seq_append(env: Env, seq: int, text: bytes) -> int:
    """Add to what the iterator prints; -EOVERFLOW when it gets too long."""
    ask = getattr(env.host, "seq_write", None)
    if ask is not None:
        return int(ask(seq, text))
    buffer: bytearray = env.scratch.setdefault("seq", bytearray())
    if len(buffer) + len(text) >= SEQ_SIZE:
        return -EOVERFLOW
    buffer += text
    return 0


@helper("bpf_seq_printf")
def seq_printf(env: Env, seq: int, fmt: int, fmt_size: int, data: int, data_len: int) -> int:
    """Print into an iterator's output."""
    args = read_args(data, data_len)
    if isinstance(args, int):
        return args
    text = format_text(env, terminated(read(fmt, fmt_size)), args)
    return text if isinstance(text, int) else seq_append(env, seq, text)


@helper("bpf_seq_write")
def seq_write(env: Env, seq: int, data: int, size: int) -> int:
    """Bytes into an iterator's output."""
    return seq_append(env, seq, read(data, size))
