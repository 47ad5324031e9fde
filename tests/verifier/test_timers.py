"""Timers in map values and their callbacks, which run later on a stack of their own."""

import pytest
from verifier.objectkit import (
    END,
    HASH,
    OUTER,
    PLAIN,
    SPIN_LOCK,
    TIMER_CANCEL,
    TIMER_INIT,
    TIMER_SET_CALLBACK,
    TIMER_START,
    VALUE,
    add,
    call,
    check,
    check_with_kernel,
    field,
    func_to,
    live_kernel,
    lookup,
    map_to,
    mov,
    movi,
    program,
)

from osmia.isa import Insn

ONE = lookup(6)
START = field(6, 16, TIMER_START, movi(2, 0), movi(3, 0))
KEY = [Insn(0x62, 10, 0, -4, 0), mov(2, 10), add(2, -4)]


def init(reg=6, number=VALUE, at=16):
    return field(reg, at, TIMER_INIT, *map_to(2, number), movi(3, 1))


def calls(callback, *more):
    """A program that sets a callback."""
    return program([*ONE, *field(6, 16, TIMER_SET_CALLBACK, *func_to(2, 1)), *more, *END], [(1, callback)])


def inner(first, second):
    """A timer of the inner map at one place of the outer one, with the inner map of another place."""

    def found(reg, index):
        body = [Insn(0x62, 10, 0, -4, index), mov(2, 10), add(2, -4), *map_to(1, OUTER), call(1)]
        return [*body, Insn(0x55, 0, 0, 2), *END, mov(reg, 0)]

    value = [*KEY, mov(1, 7), call(1), Insn(0x55, 0, 0, 2), *END, mov(6, 0)]
    maps = found(7, first) + (found(8, second) if second is not None else [mov(8, 7)])
    return program([*maps, *value, *field(6, 16, TIMER_INIT, mov(2, 8), movi(3, 1)), *END])


CASES = {
    "made": (program([*ONE, *init(), *END]), ""),
    "made, started, cancelled": (program([*ONE, *init(), *START, *field(6, 16, TIMER_CANCEL), *END]), ""),
    "of another map": (
        program([*ONE, *init(number=HASH), *END]),
        "timer pointer in R1 map_uid=0 doesn't match map pointer in R2 map_uid=0",
    ),
    "of its inner map": (inner(0, None), ""),
    "of the same inner map, looked up again": (
        inner(0, 0),
        "timer pointer in R1 map_uid=1 doesn't match map pointer in R2 map_uid=2",
    ),
    "of another inner map": (
        inner(0, 1),
        "timer pointer in R1 map_uid=1 doesn't match map pointer in R2 map_uid=2",
    ),
    "beside it": (
        program([*ONE, *init(at=8), *END]),
        "off 8 doesn't point to 'struct bpf_timer' that is at 16",
    ),
    "somewhere": (
        program([*ONE, call(7), Insn(0x57, 0, 0, 0, 7), Insn(0x0F, 6, 0), *field(6, 16, TIMER_CANCEL), *END]),
        "R1 doesn't have constant offset. bpf_timer has to be at the constant offset",
    ),
    "without types": (
        program([*lookup(6, PLAIN), *START, *END]),
        "map 'p' has to have BTF in order to use bpf_timer",
    ),
    "in a kprobe": (program([*ONE, *START, *END], kind="kprobe"), "tracing progs cannot use bpf_spin_lock yet"),
    "called back": (calls(END), ""),
    "called back with map, key and value": (
        calls(
            [Insn(0x61, 4, 2), Insn(0x61, 4, 3), mov(1, 3), add(1, 16), movi(2, 9), movi(3, 0), call(TIMER_START), *END]
        ),
        "",
    ),
    "called back with nothing else": (calls([mov(0, 4), Insn(0x95)]), "R4 !read_ok"),
    "called back, started again and again": (
        calls([mov(6, 3), *field(6, 16, TIMER_SET_CALLBACK, *func_to(2, 1)), *START, *END]),
        "",
    ),
    "called back, the answer is not 0": (
        calls([movi(0, 1), Insn(0x95)]),
        "At async callback return the register R0 has smin=1 smax=1 should have been in [0, 0]",
    ),
    "called back, the lock is kept": (
        calls([mov(1, 3), add(1, 4), call(SPIN_LOCK), *END]),
        "BPF_EXIT instruction in main prog cannot be used inside bpf_spin_lock-ed region",
    ),
    "called back, the key is written": (
        calls([Insn(0x62, 2, 0, 0, 1), *END]),
        "write to change key R2 not allowed",
    ),
    "no function": (
        program([*ONE, *field(6, 16, TIMER_SET_CALLBACK, movi(2, 0)), *END]),
        "R2 type=scalar expected=func",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_timers(name):
    check(CASES[name])


@live_kernel
def test_the_kernel_says_the_same():
    check_with_kernel(CASES)
