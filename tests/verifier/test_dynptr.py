"""Dynptrs: where they may be made, what they need, what ends with them, who may be handed one."""

import pytest
from verifier.objectkit import (
    DATA,
    DISCARD,
    DRAIN,
    END,
    PLAIN,
    READ,
    SUBMIT,
    USER_RINGBUF,
    WRITE,
    add,
    call,
    call_func,
    check,
    check_with_kernel,
    data,
    from_value,
    func_to,
    live_kernel,
    lookup,
    map_to,
    mov,
    movi,
    program,
    reserve,
    stack,
    submit,
)

from osmia.isa import Insn

LOAD, UNLESS_NULL = Insn(0x79, 1, 6), Insn(0x15, 6, 0, 1)
HELD = "BPF_EXIT instruction in main prog would lead to reference leak"
SLICE = [*reserve(-24), *data(-24, 8, 6)]
SPILL = Insn(0x7B, 10, 6, -40)
FILL = Insn(0x79, 6, 10, -40)


def drain(callback):
    calls = [*map_to(1, USER_RINGBUF), *func_to(2, 1), movi(3, 0), movi(4, 0), call(DRAIN)]
    return program([*calls, *END], [(1, callback)])


def read(off, size=8):
    return [*stack(3, off), *stack(1, -40), movi(2, size), movi(4, 0), movi(5, 0), call(READ)]


def write(off, size=8):
    return [Insn(0x7A, 10, 0, -40), *stack(1, off), movi(2, 0), *stack(3, -40), movi(4, size), movi(5, 0), call(WRITE)]


def handed(body):
    """The global function ``global(struct bpf_dynptr *)`` called with a dynptr at -24, or with what ``body`` left."""
    return lambda *callee: program([*body, *stack(1, -24), call_func(3), *END], [(3, [*callee, *END])])


CASES = {
    "made and given back": (program([*reserve(-24), *submit(-24), *END]), ""),
    "given back the other way": (program([*reserve(-24), *submit(-24, DISCARD), *END]), ""),
    "kept": (program([*reserve(-24), *END]), HELD),
    "given back twice": (
        program([*reserve(-24), *submit(-24), *submit(-24), *END]),
        "arg 1 is an unacquired reference",
    ),
    "given back in the middle": (
        program([*reserve(-24), *submit(-16), *END]),
        "Expected an initialized dynptr as arg #0",
    ),
    "at the frame's edge": (program([*reserve(-8), *END]), "Dynptr has to be an uninitialized dynptr"),
    "between slots": (program([*reserve(-20), *END]), "Dynptr has to be an uninitialized dynptr"),
    "below the stack": (program([*reserve(-520), *END]), "invalid write to stack R4 off=-520 size=8"),
    "overwritten": (
        program([*reserve(-24), Insn(0x7A, 10, 0, -16), *END]),
        "cannot overwrite referenced dynptr",
    ),
    "a byte overwritten": (
        program([*reserve(-24), Insn(0x72, 10, 0, -11), *END]),
        "cannot overwrite referenced dynptr",
    ),
    "local, overwritten": (program([*lookup(7), *from_value(7, -24), Insn(0x72, 10, 0, -11), *END]), ""),
    "local, overwritten and used": (
        program([*lookup(7), *from_value(7, -24), Insn(0x72, 10, 0, -11), *read(-24), *END]),
        "Expected an initialized dynptr as arg #2",
    ),
    "local, made anew": (program([*lookup(7), *from_value(7, -24), *from_value(7, -32), *read(-32), *END]), ""),
    "local, half of it made anew": (
        program([*lookup(7), *from_value(7, -24), *from_value(7, -32), *read(-24), *END]),
        "Expected an initialized dynptr as arg #2",
    ),
    "local, given back": (
        program([*lookup(7), *from_value(7, -24), *submit(-24), *END]),
        "arg 1 is an unacquired reference",
    ),
    "of the stack": (
        program([Insn(0x7A, 10, 0, -8), *stack(7, -40), *from_value(7, -24), *END]),
        "Unsupported reg type fp for bpf_dynptr_from_mem data",
    ),
    "of a plain value": (program([*lookup(7, PLAIN), *from_value(7, -24), *END]), ""),
    "of a timer": (
        program([*lookup(7), *from_value(7, -24, 8, 16), *END]),
        "bpf_timer cannot be accessed directly by load/store",
    ),
    "read as data": (
        program([*reserve(-24), Insn(0x79, 1, 10, -24), *END]),
        "invalid read from stack off -24+0 size 8",
    ),
    "read into itself": (
        program([*lookup(7), *from_value(7, -40), *read(-40), *END]),
        "potential write to dynptr at off=-40 disallowed",
    ),
    "written": (program([*reserve(-24), *write(-24), *submit(-24), *END]), ""),
    "its memory": (program([*SLICE, UNLESS_NULL, LOAD, *submit(-24), *END]), ""),
    "its memory, perhaps null": (program([*SLICE, LOAD, *END]), "R6 invalid mem access 'mem_or_null'"),
    "its memory, outside": (
        program([*SLICE, UNLESS_NULL, Insn(0x79, 1, 6, 1), *END]),
        "R6 min value is outside of the allowed memory range",
    ),
    "its memory after it": (program([*SLICE, *submit(-24), LOAD, *END]), "R6 invalid mem access 'scalar'"),
    "its memory on the stack after it": (
        program([*SLICE, UNLESS_NULL, SPILL, *submit(-24), FILL, LOAD, *END]),
        "R6 invalid mem access 'scalar'",
    ),
    "local memory after it": (
        program([*lookup(7), *from_value(7, -24), *data(-24, 8, 6), Insn(0x7A, 10, 0, -24), LOAD, *END]),
        "R6 invalid mem access 'scalar'",
    ),
    "memory of unknown size": (
        program([*reserve(-24), call(7), mov(3, 0), *stack(1, -24), movi(2, 0), call(DATA), *END]),
        "R3 is not a known constant'",
    ),
    "a sample": (drain([mov(3, 1), *stack(1, -16), movi(2, 8), movi(4, 0), movi(5, 0), call(READ), *END]), ""),
    "a sample's memory": (drain([movi(2, 0), movi(3, 8), call(DATA), Insn(0x15, 0, 0, 1), Insn(0x79, 1), *END]), ""),
    "a sample given back": (
        drain([movi(2, 0), call(SUBMIT), *END]),
        "cannot release unowned const bpf_dynptr",
    ),
    "a sample elsewhere": (
        drain([add(1, 8), movi(2, 0), movi(3, 8), call(DATA), *END]),
        "dereference of modified dynptr_ptr ptr R1 off=8 disallowed",
    ),
    "a sample loaded": (drain([Insn(0x79, 2, 1), *END]), "R1 invalid mem access 'dynptr_ptr'"),
    "a wrong answer": (
        drain([movi(0, 2), Insn(0x95)]),
        "At callback return the register R0 has smin=2 smax=2 should have been in [0, 1]",
    ),
    "handed on": (handed([*lookup(7), *from_value(7, -24)])(movi(2, 0), movi(3, 8), call(DATA)), ""),
    "handed on and given back": (
        handed([*lookup(7), *from_value(7, -24)])(movi(2, 0), call(SUBMIT)),
        "cannot release unowned const bpf_dynptr",
    ),
    "nothing handed on": (
        handed([Insn(0x7A, 10, 0, -24), Insn(0x7A, 10, 0, -16)])(),
        "Caller passes invalid args into func#1 ('global')",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_dynptrs(name):
    check(CASES[name])


@live_kernel
def test_the_kernel_says_the_same():
    check_with_kernel(CASES)
