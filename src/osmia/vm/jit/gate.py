"""What native code calls when it needs Python, and how Python calls native code.

``address_of_call(name)`` gives the C functions of ``unit.CALL_SIGNATURES``.  Compiled they are those below, which take
the GIL; uncompiled, ctypes makes them of the same Python functions.  A run's address leads to its engine.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

import ctypes
import sys
import threading
from functools import cache
from importlib import import_module
from typing import Any

from osmia.native import address_of
from osmia.vm.jit.unit import CALL_SIGNATURES

if not cython.compiled:
    from osmia.memory import window
    from osmia.raw import call6, call7, fill, ld8, ld16, ld32, ld64, load64, st64
    from osmia.vm.packetstate import legacy_load
    from osmia.vm.run import in_frames, in_packet
    from osmia.vm.runwords import (  # isort: skip
        F_PYTHON, R_CALL, R_CPU, R_CTX, R_DEPTH, R_FAULT, R_FLOOR, R_FUEL, R_HOST, R_MACHINE, R_MEMORY, R_PACKET, R_PC,
        R_PYTHON, R_ROOM, R_SCRATCH1, R_SCRATCH2, R_SPAN, R_SPAN2, R_STACK, R_STOP, R_TAIL_CALLS, R_USED,
    )  # fmt: skip
    from osmia.words import s32, word

    TAIL_CALLS, H_MAX_ENTRIES, H_VALUES, T_ROWS, T_ROW, T_COUNT = 33, 96, 104, 16, 24, 64

TARGETS_SIZE = 16 + 24 * 64
"""Bytes of what ``tail`` remembers: two words, then ``T_COUNT`` rows of three."""

ENGINES: dict[int, Any] = {}
"""Address of a run in progress → its engine (``engine.Jit``)."""

CALLS = {**CALL_SIGNATURES, "helper": 7}
"""Function → how many words it takes.  ``helper`` is what the run's word ``python`` points at."""


def python(run: int, row: int, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
    """Run the Python body that a call instruction names."""
    try:
        return word(ENGINES[run].python(row, r1, r2, r3, r4, r5))
    except BaseException as error:
        return failed(run, error)


def helper(run: int, number: int, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
    """Run the Python body of a helper by its number: what a native body hands on."""
    try:
        return word(ENGINES[run].helper(number, r1, r2, r3, r4, r5))
    except BaseException as error:
        return failed(run, error)


def packet(run: int, row: int, offset: int) -> int:
    """A legacy packet load of as many bytes as the row's ``off`` says; -1 outside of the packet."""
    M64 = 0xFFFFFFFFFFFFFFFF
    return legacy_load(ld64(run + R_PACKET), s32(offset), ld32(row + 4)) & M64


def tail(run: int, row: int, table: int, slot: int) -> int:
    """The entry of a tail call's target, or 0.

    The run's word ``machine`` leads to what the engine knows of earlier ones (``engine.Targets``): the last table, the
    number of the code that runs, then rows of a target's number, entry and code, by the number's low bits.
    """
    M32 = 0xFFFFFFFF
    known = ld64(run + R_MACHINE)
    if known == 0 or table == 0 or ld64(known) != table:
        return find_tail(run, row, table, slot)
    done = ld64(run + R_TAIL_CALLS)
    index = slot & M32
    if done >= TAIL_CALLS or index >= ld64(table + H_MAX_ENTRIES):
        return 0
    number = load64(ld64(table + H_VALUES) + 8 * index)
    if number == 0:
        return 0
    at = known + T_ROWS + T_ROW * (number & (T_COUNT - 1))
    if ld64(at) != number:
        return find_tail(run, row, table, slot)
    st64(run + R_TAIL_CALLS, done + 1)
    st64(known + 8, ld64(at + 16))
    return ld64(at + 8)


def find_tail(run: int, row: int, table: int, slot: int) -> int:
    """The same by the engine, which finds out and may compile."""
    try:
        return word(ENGINES[run].tail(row, table, slot))
    except BaseException as error:
        return failed(run, error)


def elsewhere(run: int, pointer: int, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
    """Run a callback of another program than the one that calls it."""
    try:
        return word(ENGINES[run].elsewhere(pointer, r1, r2, r3, r4, r5))
    except BaseException as error:
        return failed(run, error)


def refill(run: int) -> int:
    """The fuel is spent: 0 and there is more, or 1."""
    if ld64(run + R_FAULT):  # Ctrl-C came as this was called before, see ``interrupted``
        return 1
    try:
        return word(ENGINES[run].refill())
    except BaseException as error:
        return failed(run, error) + 1


def relax(run: int) -> int:
    """A lock is held by another thread: let it run."""
    try:
        return word(ENGINES[run].relax())
    except BaseException as error:
        return failed(run, error)


def failed(run: int, error: BaseException) -> int:
    """Keep what was raised for the engine to raise again, and let native code return."""
    ENGINES[run].kept = error
    st64(run + R_FAULT, F_PYTHON)
    return 0


def probe(run: int, address: int, size: int) -> int:
    """What stands at an address that may be anything; 0 where nothing does."""
    if in_frames(run, address, size) == 0 and in_packet(ld64(run + R_PACKET), address, size) == 0:
        if window(ld64(run + R_MEMORY), address, run + R_SCRATCH1) == 0:
            return 0
        room = ld64(run + R_SCRATCH2)
        inside = address - ld64(run + R_SCRATCH1)
        if inside >= room or size > room - inside:
            return 0
    if size == 8:
        return ld64(address)
    if size == 4:
        return ld32(address)
    return ld16(address) if size == 2 else ld8(address)


def prepare(
    run: int, fuel: int, cpu: int, ctx: int, packet: int, host: int, call: int, python: int, machine: int
) -> None:
    """The words of a run as they are before a program starts."""
    used = ld64(run + R_USED)
    if used:
        fill(ld64(run + R_STACK), 0, used)  # what the last run left on the stack
    for at in (R_FAULT, R_STOP, R_TAIL_CALLS, R_ROOM, R_FLOOR, R_DEPTH, R_USED, R_SPAN, R_SPAN2):
        st64(run + at, 0)
    st64(run + R_PC, 0xFFFFFFFFFFFFFFFF)
    st64(run + R_FUEL, fuel)
    st64(run + R_CPU, cpu)
    st64(run + R_CTX, ctx)
    st64(run + R_PACKET, packet)
    st64(run + R_HOST, host)
    st64(run + R_CALL, call)
    st64(run + R_PYTHON, python)
    st64(run + R_MACHINE, machine)
    if machine:
        st64(machine + 8, 0)


def enter(function: int, run: int, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
    """Call a unit's ``entry`` without the GIL."""
    if not cython.compiled:
        return call6(function, run, r1, r2, r3, r4, r5)
    with cython.nogil:
        r0 = call6(function, run, r1, r2, r3, r4, r5)
    return r0


def enter_at(function: int, run: int, pointer: int, r1: int, r2: int, r3: int, r4: int, r5: int) -> int:
    """Call a unit's ``call`` without the GIL."""
    if not cython.compiled:
        return call7(function, run, pointer, r1, r2, r3, r4, r5)
    with cython.nogil:
        r0 = call7(function, run, pointer, r1, r2, r3, r4, r5)
    return r0


# -- addresses -------------------------------------------------------------------------------------------------------


@cache
def prototype(words: int) -> Any:
    """The ctypes prototype of a C function of u64s."""
    return ctypes.CFUNCTYPE(ctypes.c_uint64, *[ctypes.c_uint64] * words)


@cache
def trampoline(function: Any, words: int) -> tuple[int, Any]:
    """A C function around a Python one: its address, and what must stay alive."""
    made = prototype(words)(function)
    return ctypes.cast(made, ctypes.c_void_p).value or 0, made


@cache
def address_of_call(name: str) -> int:
    """Address of the C function."""
    module = "osmia.vm.run" if name == "may" else "osmia.vm.jit.gate"
    return address_of(module, name) or trampoline(getattr(import_module(module), name), CALLS[name])[0]


# -- Ctrl-C, uncompiled ----------------------------------------------------------------------------------------------

_running = threading.local()


def interrupted(about: Any) -> None:
    """``sys.unraisablehook`` while native code runs.  Python looks at signals as it enters a function, so Ctrl-C is
    raised in a trampoline before its ``try``; ctypes would print that and go on.
    """
    run = getattr(_running, "run", 0)
    if run and isinstance(about.exc_value, KeyboardInterrupt):
        failed(run, about.exc_value)
    else:
        sys.__unraisablehook__(about)


def begin(run: int, engine: Any) -> Any:
    """A run starts in this thread; returns what ``end`` needs."""
    ENGINES[run] = engine
    if cython.compiled:
        return None
    kept = getattr(_running, "run", 0), sys.unraisablehook
    _running.run, sys.unraisablehook = run, interrupted
    return kept


def end(run: int, kept: Any) -> None:
    """It ended."""
    ENGINES.pop(run, None)
    if kept is not None:
        _running.run, sys.unraisablehook = kept
