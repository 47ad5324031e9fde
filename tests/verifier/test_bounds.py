"""What ranges and bits teach each other, against sets of concrete values: no value may get lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osmia.isa import Insn
from osmia.kernel import profile
from osmia.obj.model import Program
from osmia.verifier import bounds
from osmia.verifier.consts import PTR_TO_CTX, SCALAR_VALUE
from osmia.verifier.env import Env, Powers
from osmia.verifier.errors import Rejected
from osmia.verifier.log import Log
from osmia.verifier.regs import Reg, known_value, pointer, unknown_value
from osmia.words import s32, s64, sx8, sx16, sx32

M32, M64 = (1 << 32) - 1, (1 << 64) - 1
SIGN = 1 << 63
EDGES = [0, 1, 7, 127, 128, 255, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, M32, 1 << 32, SIGN - 1, SIGN, M64]
u64 = st.one_of(st.integers(0, M64), st.builds(lambda a, b: (a + b) & M64, st.sampled_from(EDGES), st.integers(-9, 9)))
value_sets = st.lists(u64, min_size=1, max_size=5)
slacks = st.lists(st.integers(0, 5), min_size=9, max_size=9)
FIELDS = ("value", "mask", "smin", "smax", "umin", "umax", "s32_min", "s32_max", "u32_min", "u32_max")


def reg_around(values, slack=(0,) * 9):
    """A scalar that holds some values; a slack of 5 gives a range up, 4 widens it to a power of two, 0 is tight."""
    reg = unknown_value(False)
    if slack[0] < 5:
        for x in values:
            reg.value |= x ^ values[0]
        unknown = reg.value | (0xF0F0F0F0F0F0F0F0 if slack[0] == 4 else 0)
        reg.value, reg.mask = values[0] & ~unknown & M64, unknown
    for place, (low, high, read, floor, top) in enumerate(
        (
            ("umin", "umax", lambda x: x, 0, M64),
            ("smin", "smax", s64, -SIGN, SIGN - 1),
            ("u32_min", "u32_max", lambda x: x & M32, 0, M32),
            ("s32_min", "s32_max", s32, -(1 << 31), (1 << 31) - 1),
        )
    ):
        seen = [read(x) for x in values]
        below, above = slack[1 + 2 * place], slack[2 + 2 * place]
        setattr(reg, low, floor if below == 5 else max(floor, min(seen) - (0 if below < 4 else 1000)))
        setattr(reg, high, top if above == 5 else min(top, max(seen) + (0 if above < 4 else 1000)))
    return reg


def holds(reg, x):
    return (
        x & ~reg.mask & M64 == reg.value and reg.umin <= x <= reg.umax and reg.smin <= s64(x) <= reg.smax
        and reg.u32_min <= x & M32 <= reg.u32_max and reg.s32_min <= s32(x) <= reg.s32_max
    )  # fmt: skip


def content(reg):
    return tuple(getattr(reg, f) for f in FIELDS)


@given(value_sets, slacks)
def test_sync_loses_nothing_and_widens_nothing(values, slack):
    reg = reg_around(values, slack)
    before = reg.copy()
    bounds.deduce_all(reg)
    assert all(holds(reg, x) for x in values)
    assert reg.umin >= before.umin and reg.umax <= before.umax and reg.smin >= before.smin and reg.smax <= before.smax
    assert reg.u32_min >= before.u32_min and reg.s32_max <= before.s32_max and not reg.mask & ~before.mask


@given(value_sets, slacks)
def test_each_deduction_loses_nothing(values, slack):
    for name in (
        "update_reg_bounds",
        "deduce_32_from_64",
        "deduce_32",
        "deduce_64",
        "deduce_64_from_32",
        "reg_bound_offset",
    ):
        reg = reg_around(values, slack)
        getattr(bounds, name)(reg)
        assert all(holds(reg, x) for x in values), name


@given(u64)
def test_a_settled_constant_stays(x):
    reg = known_value(x)
    assert bounds.is_settled_const(reg)
    bounds.update_reg_bounds(reg)
    for deduce in (bounds.deduce_32_from_64, bounds.deduce_32, bounds.deduce_64, bounds.deduce_64_from_32):
        deduce(reg)
    bounds.reg_bound_offset(reg)
    assert content(reg) == content(known_value(x))


@given(value_sets, slacks)
def test_a_round_without_change_is_the_last(values, slack):
    reg = reg_around(values, slack)
    for _ in range(9):
        before = content(reg)
        if not bounds.deduce_bounds(reg):
            settled = content(reg)
            assert before[2:] == settled[2:] and not bounds.deduce_bounds(reg) and content(reg) == settled
            return
    raise AssertionError("nine rounds are not enough")


def test_one_range_is_enough():
    reg = unknown_value(False)
    reg.umax = 10
    bounds.deduce_all(reg)
    assert (reg.smin, reg.smax, reg.u32_max, reg.s32_min, reg.mask) == (0, 10, 10, 0, 15)


def test_range_and_bits_with_one_value_in_common():
    reg = unknown_value(False)
    reg.mask, reg.umin = 2, 1
    bounds.deduce_all(reg)
    assert content(reg) == content(known_value(2))


def test_a_signed_range_around_zero_is_cut():
    reg = unknown_value(False)
    reg.smin, reg.smax, reg.umin, reg.umax = -128, 127, 200, M64
    bounds.deduce_all(reg)
    assert (reg.smin, reg.smax, reg.umin) == (-128, -1, M64 - 127)


EXTEND = {1: sx8, 2: sx16, 4: sx32}


@given(value_sets, slacks, st.sampled_from([1, 2, 4]))
def test_narrowing(values, slack, size):
    reg = reg_around(values, slack)
    bounds.coerce_reg_to_size(None, reg, size)
    assert all(holds(reg, x & ((1 << 8 * size) - 1)) for x in values)


@given(value_sets, st.sampled_from([1, 2, 4]))
def test_sign_extension(values, size):
    reg = reg_around(values)
    bounds.coerce_reg_to_size_sx(reg, size)
    assert all(holds(reg, EXTEND[size](x)) for x in values)


@given(value_sets, st.sampled_from([1, 2]))
def test_sign_extension_in_the_low_half(values, size):
    reg = reg_around(values)
    bounds.coerce_subreg_to_size_sx(reg, size)
    bounds.zext_32_to_64(reg)
    bounds.deduce_all(reg)
    assert all(holds(reg, EXTEND[size](x) & M32) for x in values)


@given(value_sets, slacks)
def test_zero_extension(values, slack):
    reg = reg_around(values, slack)
    bounds.zext_32_to_64(reg)
    assert all(holds(reg, x & M32) for x in values)


@pytest.mark.parametrize(("size", "low", "high"), [(1, -128, 127), (2, -32768, 32767), (4, -(1 << 31), (1 << 31) - 1)])
def test_sign_extension_of_anything(size, low, high):
    reg = unknown_value(False)
    bounds.coerce_reg_to_size_sx(reg, size)
    assert (reg.smin, reg.smax, reg.s32_min, reg.s32_max, reg.umin, reg.umax) == (low, high, low, high, 0, M64)


def test_becoming_something_else():
    reg = pointer(PTR_TO_CTX)
    reg.id, reg.off, reg.range, reg.frameno = 3, 8, 5, 1
    bounds.become_known(reg, M64)
    assert (reg.type, reg.id, reg.off, reg.range, reg.frameno, reg.smin) == (PTR_TO_CTX, 0, 0, 0, 1, -1)
    bounds.become_unknown(reg, True)
    assert (reg.type, reg.frameno, reg.precise, reg.mask, reg.smin) == (SCALAR_VALUE, 0, True, M64, -SIGN)


def env(invariants=False):
    made = Env(Program("p", "xdp", [Insn(0x95)]), profile.load("6.18"), Powers(), Log(1))
    made.test_reg_invariants = invariants
    return made


def broken(kind):
    reg = known_value(5)
    if kind == "range bounds violation":
        reg.umin, reg.umax = 6, 5
    elif kind == "const tnum out of sync with range bounds":
        reg.umin = 4
    else:
        reg.mask = 1 << 40
        reg.u32_max = 6
    return reg


KINDS = [
    "range bounds violation",
    "const tnum out of sync with range bounds",
    "const subreg tnum out of sync with range bounds",
]


@pytest.mark.parametrize("kind", KINDS)
def test_contradictions_are_told_and_forgotten(kind):
    desk, reg = env(), broken(kind)
    assert not bounds.reg_bounds_sane(reg)
    bounds.reg_bounds_sanity_check(desk, reg, "alu")
    assert str(desk.log).startswith(f"verifier bug: REG INVARIANTS VIOLATION (alu): {kind} u64=[0x")
    assert (reg.umin, reg.umax, reg.s32_min) == (0, M64, -(1 << 31))


@pytest.mark.parametrize("kind", KINDS)
def test_contradictions_end_the_walk_when_asked_for(kind):
    with pytest.raises(Rejected) as no:
        bounds.reg_bounds_sanity_check(env(invariants=True), broken(kind), "alu")
    assert (no.value.errno, no.value.kind) == (14, "register-invariants")


def test_a_sane_register_is_left_alone():
    desk, reg = env(), known_value(5)
    bounds.reg_bounds_sanity_check(desk, reg, "alu")
    assert content(reg) == content(known_value(5)) and not str(desk.log)
    assert isinstance(reg, Reg)
