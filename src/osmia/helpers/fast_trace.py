"""Native bodies: bpf_trace_printk, bpf_trace_vprintk, bpf_snprintf (kernel/trace/bpf_trace.c, kernel/bpf/helpers.c).

Lines go into the host's native trace (``vm.tracewords``); Python makes ``TraceLine`` of them when somebody looks.
What wants names of symbols, and lines for which there is no room or no native trace, are left to ``trace``.
"""

from __future__ import annotations

import errno

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.kernel.helpers import helper_by_name

if not cython.compiled:
    from osmia.helpers.fallback import give_room, python_body, take_room, text_length
    from osmia.helpers.fast_format import (  # isort: skip
        ERRORS, S_ARGS, S_COUNT, S_LIMIT, S_OUT, S_OWN, S_ROOM, S_RUN, SHEET, WANTS_NAMES, prepare, unpack,
    )  # fmt: skip
    from osmia.raw import ld8, ld64, st8, st64
    from osmia.vm.hostwords import HOST_TASK, HOST_TRACE
    from osmia.vm.run import may, refuse
    from osmia.vm.runwords import R_CPU, R_HOST
    from osmia.vm.tracewords import add_line

M32, M64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
INVALID = -errno.EINVAL & M64
LINE_MAX = 1024
"""Bytes of the kernel's buffer for one line."""
MOST, CONST_STR = 12, 1 << 16
TRACE_PRINTK, TRACE_VPRINTK, SNPRINTF = (
    helper_by_name(f"bpf_{name}").id for name in ("trace_printk", "trace_vprintk", "snprintf")
)


def format_length(fmt: int, size: int) -> int:
    """Bytes of the format before its NUL; M64 where it has none."""
    at = 0
    while at < size:
        if ld8(fmt + at) == 0:
            return at
        at += 1
    return M64


def start(sheet: int, run: int, args: int, count: int, out: int, room: int) -> None:
    """Fill in a fresh sheet: text goes to ``out``, of which ``room`` bytes are kept for it."""
    st64(sheet + S_RUN, run)
    st64(sheet + S_ARGS, args)
    st64(sheet + S_COUNT, count)
    st64(sheet + S_OUT, out)
    st64(sheet + S_ROOM, room)
    st64(sheet + S_LIMIT, room + 1)


def line(run: int, sheet: int, fmt: int, size: int) -> int:
    """Print into the trace; the text's length, a negative errno, or ``WANTS_NAMES`` where Python must do it."""
    host = ld64(run + R_HOST)
    trace = ld64(host + HOST_TRACE) if host else 0
    task = ld64(host + HOST_TASK) if host else 0
    if trace == 0 or task == 0:
        return WANTS_NAMES
    bad = prepare(sheet, fmt, size)
    if bad:
        return bad
    length = unpack(sheet, fmt, size)
    kept = length if length < LINE_MAX - 1 else LINE_MAX - 1
    return length if add_line(host, trace, task, ld64(run + R_CPU), sheet + SHEET, kept) else WANTS_NAMES


def trace_printk(run: int, fmt: int, fmt_size: int, r3: int, r4: int, r5: int) -> int:
    """Print a line with up to three arguments; its length, -EINVAL or -ENOSPC."""
    if may(run, fmt, fmt_size & M32, 0) == 0:
        return refuse(run, fmt, fmt_size & M32, 0)
    size = format_length(fmt, fmt_size & M32)
    if size == M64:
        return INVALID
    sheet = take_room(SHEET + LINE_MAX)
    st64(sheet + S_OWN, r3)
    st64(sheet + S_OWN + 8, r4)
    st64(sheet + S_OWN + 16, r5)
    start(sheet, run, sheet + S_OWN, 3, sheet + SHEET, LINE_MAX - 1)
    done = line(run, sheet, fmt, size)
    give_room(sheet)
    return python_body(run, TRACE_PRINTK, fmt, fmt_size, r3, r4, r5) if done == WANTS_NAMES else done


def admits_arguments(run: int, data: int, size: int) -> int:
    """May the arguments of a ``data, data_len`` pair be read?  1, or 0 with the fault noted."""
    return 1 if may(run, data, size, 0) else refuse(run, data, size, 0)


def fits(data: int, size: int) -> int:
    """Is it whole arguments, not too many?"""
    return 1 if size % 8 == 0 and size <= 8 * MOST and (size == 0 or data) else 0


def trace_vprintk(run: int, fmt: int, fmt_size: int, data: int, data_len: int, r5: int) -> int:
    """Print a line with up to twelve arguments."""
    if may(run, fmt, fmt_size & M32, 0) == 0:
        return refuse(run, fmt, fmt_size & M32, 0)
    if admits_arguments(run, data, data_len & M32) == 0:
        return 0
    size = format_length(fmt, fmt_size & M32)
    if size == M64 or fits(data, data_len & M32) == 0:
        return INVALID
    sheet = take_room(SHEET + LINE_MAX)
    start(sheet, run, data, (data_len & M32) // 8, sheet + SHEET, LINE_MAX - 1)
    done = line(run, sheet, fmt, size)
    give_room(sheet)
    return python_body(run, TRACE_VPRINTK, fmt, fmt_size, data, data_len, r5) if done == WANTS_NAMES else done


def snprintf(run: int, out: int, size: int, fmt: int, data: int, data_len: int) -> int:
    """Print into a buffer; the length that all of the text would take with its NUL."""
    size &= M32
    if may(run, out, size, 1) == 0:
        return refuse(run, out, size, 1)
    if admits_arguments(run, data, data_len & M32) == 0:
        return 0
    length = text_length(run, fmt, CONST_STR)
    if length == M64 or fits(data, data_len & M32) == 0:
        return INVALID
    sheet = take_room(SHEET)
    start(sheet, run, data, (data_len & M32) // 8, out, size - 1 if size else 0)
    st64(sheet + S_LIMIT, size)
    done = prepare(sheet, fmt, length)
    if done == 0:
        done = unpack(sheet, fmt, length)
    give_room(sheet)
    if done == WANTS_NAMES:
        return python_body(run, SNPRINTF, out, size, fmt, data, data_len)
    if done >= ERRORS:
        return done
    if size:
        st8(out + (done if done < size else size - 1), 0)
    return done + 1
