"""The arithmetic on slots of the stack: byte kinds packed in a word."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from osmia.kernel import profile
from osmia.obj.model import Program
from osmia.verifier import consts as c
from osmia.verifier.env import Env, Powers, Subprog
from osmia.verifier.log import Log
from osmia.verifier.regs import known_value, pointer
from osmia.verifier.slots import (
    blurred,
    byte_mask,
    grow_stack_state,
    is_spilled_reg,
    is_spilled_scalar_reg,
    make_slot,
    nothing_spilled,
    scrubbed,
)
from osmia.verifier.stack import is_spillable_regtype
from osmia.verifier.state import Frame

PROFILE = profile.load("6.18")

KINDS = some.lists(some.integers(c.STACK_INVALID, c.STACK_IRQ_FLAG), min_size=8, max_size=8)


def packed(kinds):
    return int.from_bytes(bytes(kinds), "little")


@given(KINDS)
def test_scrubbing_keeps_only_what_was_never_written(kinds):
    assert scrubbed(packed(kinds)) == packed([c.STACK_MISC if kind else c.STACK_INVALID for kind in kinds])


@given(KINDS)
def test_blurring_keeps_zeros_too(kinds):
    kept = (c.STACK_INVALID, c.STACK_ZERO)
    assert blurred(packed(kinds)) == packed([kind if kind in kept else c.STACK_MISC for kind in kinds])


@pytest.mark.parametrize("size", range(1, 9))
def test_byte_mask(size):
    assert byte_mask(size) == (1 << 8 * size) - 1


def test_a_spill_shows_in_the_lowest_byte():
    low, high = make_slot(c.STACK_SPILL, known_value(1)), make_slot(c.STACK_SPILL << 56, known_value(1))
    assert is_spilled_reg(low) and is_spilled_scalar_reg(low)
    assert not is_spilled_reg(high) and not is_spilled_scalar_reg(high)
    assert not is_spilled_scalar_reg(make_slot(c.STACK_SPILL, pointer(c.PTR_TO_CTX)))


def test_growing_is_by_slots_and_remembered():
    env = Env(Program("t", "xdp", []), PROFILE, Powers(), Log(0))
    env.subprogs = [Subprog(0)]
    frame = Frame(-1, 0, 0)
    grow_stack_state(env, frame, 9)
    assert (len(frame.stack), env.subprogs[0].stack_depth) == (2, 16)
    frame.stack[0] = make_slot(c.STACK_MISC, nothing_spilled())
    grow_stack_state(env, frame, 4)
    assert [slot.types for slot in frame.stack] == [c.STACK_MISC, 0]
    assert env.subprogs[0].stack_depth == 16


def test_pointers_are_spilled_as_pointers():
    assert is_spillable_regtype(c.PTR_TO_MAP_VALUE | c.PTR_MAYBE_NULL)
    assert not is_spillable_regtype(c.SCALAR_VALUE)
    assert not is_spillable_regtype(c.PTR_TO_TP_BUFFER)
    assert not is_spillable_regtype(c.CONST_PTR_TO_DYNPTR)
