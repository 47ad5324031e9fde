"""Spin locks in map values: which field, which value, and what is forbidden while one is held."""

import pytest
from verifier.objectkit import (
    END,
    HASH,
    PLAIN,
    RESERVE,
    RINGBUF,
    SPIN_LOCK,
    SPIN_UNLOCK,
    add,
    call,
    call_func,
    check,
    check_with_kernel,
    field,
    live_kernel,
    lookup,
    map_to,
    mov,
    movi,
    program,
)

from osmia.isa import Insn

ONE, TWO = lookup(6), lookup(7)
LOCK, UNLOCK = field(6, 4, SPIN_LOCK), field(6, 4, SPIN_UNLOCK)
EXIT = "BPF_EXIT instruction in main prog cannot be used inside bpf_spin_lock-ed region"
SOMEWHERE = [call(7), Insn(0x57, 0, 0, 0, 7), mov(1, 6), Insn(0x0F, 1, 0), call(SPIN_LOCK)]
BRANCH = [call(7), mov(8, 0), Insn(0x15, 8, 0, 3), *LOCK]

CASES = {
    "taken and given back": (program([*ONE, *LOCK, Insn(0x61, 0, 6, 32), *UNLOCK, *END]), ""),
    "of a hash": (program([*lookup(6, HASH), *LOCK, *UNLOCK, *END]), ""),
    "of a value that is there for sure": (program([*lookup(6, index=0), *LOCK, *UNLOCK, *END]), ""),
    "kept": (program([*ONE, *LOCK, *END]), EXIT),
    "taken twice": (program([*ONE, *LOCK, *LOCK, *END]), "function calls are not allowed while holding a lock"),
    "a call under it": (program([*ONE, *LOCK, call(7), *END]), "function calls are not allowed while holding a lock"),
    "given back untaken": (program([*ONE, *UNLOCK, *END]), "bpf_spin_unlock without taking a lock"),
    "another's given back": (
        program([*ONE, *TWO, *LOCK, *field(7, 4, SPIN_UNLOCK), *END]),
        "bpf_spin_unlock of different lock",
    ),
    "another map's given back": (
        program([*ONE, *lookup(7, HASH), *LOCK, *field(7, 4, SPIN_UNLOCK), *END]),
        "bpf_spin_unlock of different lock",
    ),
    "beside it": (
        program([*ONE, *field(6, 0, SPIN_LOCK), *END]),
        "off 0 doesn't point to 'struct bpf_spin_lock' that is at 4",
    ),
    "somewhere": (
        program([*ONE, *SOMEWHERE, *END]),
        "R1 doesn't have constant offset. bpf_spin_lock has to be at the constant offset",
    ),
    "without types": (
        program([*lookup(6, PLAIN), *LOCK, *END]),
        "map 'p' has to have BTF in order to use bpf_spin_lock",
    ),
    "of no value": (
        program([mov(1, 10), add(1, -8), call(SPIN_LOCK), *END]),
        "R1 type=fp expected=map_value, ptr_",
    ),
    "on one of two ways": (program([*ONE, *BRANCH, *UNLOCK, *END]), "bpf_spin_unlock without taking a lock"),
    "on the same way twice": (
        program([*ONE, *BRANCH, Insn(0x15, 8, 0, 3), *UNLOCK, *END]),
        "",
    ),
    "across a function": (
        program([*ONE, *LOCK, mov(1, 6), call_func(1), *END], [(1, [add(1, 4), call(SPIN_UNLOCK), *END])]),
        "",
    ),
    "taken in a function": (
        program([*ONE, mov(1, 6), call_func(1), *UNLOCK, *END], [(1, [add(1, 4), call(SPIN_LOCK), *END])]),
        "",
    ),
    "a global function under it": (
        program([*ONE, *LOCK, movi(1, 0), call_func(3), *UNLOCK, *END], [(3, END)]),
        "use static function instead",
    ),
    "packet loads under it": (
        program([mov(8, 1), *ONE, *LOCK, mov(6, 8), Insn(0x30, 0, 0, 0, 0), *END], kind="sched_cls"),
        "BPF_LD_[ABS|IND] cannot be used inside bpf_spin_lock-ed region",
    ),
    "a reservation under it": (
        program([*ONE, *LOCK, *map_to(1, RINGBUF), movi(2, 8), movi(3, 0), call(RESERVE), *END]),
        "function calls are not allowed while holding a lock",
    ),
    "in a socket filter": (
        program([*ONE, *LOCK, *UNLOCK, *END], kind="socket_filter"),
        "socket filter progs cannot use bpf_spin_lock yet",
    ),
    "in a kprobe": (program([*ONE, *LOCK, *UNLOCK, *END], kind="kprobe"), "tracing progs cannot use bpf_spin_lock yet"),
}


@pytest.mark.parametrize("name", CASES)
def test_locks(name):
    check(CASES[name])


@live_kernel
def test_the_kernel_says_the_same():
    check_with_kernel(CASES)
