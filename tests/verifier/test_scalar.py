"""Every arithmetic operation on sets of concrete values: what the verifier believes must hold each result."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osmia import words as w
from osmia.isa import Insn
from osmia.kernel import profile
from osmia.obj.model import Program
from osmia.verifier.env import Env, Powers
from osmia.verifier.insn import VInsn
from osmia.verifier.log import Log
from osmia.verifier.regs import unknown_value
from osmia.verifier.scalar import add64, adjust_scalar_min_max_vals, mul_overflows, smul_overflows, sub64
from osmia.verifier.state import Frame

M32, M64 = (1 << 32) - 1, (1 << 64) - 1
EDGES = [0, 1, 7, 31, 63, 255, 0x7FFFFFFF, 0x80000000, M32, 1 << 32, (1 << 63) - 1, 1 << 63, M64]
u64 = st.one_of(
    st.integers(0, M64), st.builds(lambda a, b: (a + b) & M64, st.sampled_from(EDGES), st.integers(-9, 9))
)  # fmt: skip
value_sets = st.lists(u64, min_size=1, max_size=4)
OPS = {
    0x00: (lambda a, b: a + b, lambda a, b: a + b),
    0x10: (lambda a, b: a - b, lambda a, b: a - b),
    0x20: (lambda a, b: a * b, lambda a, b: a * b),
    0x30: (w.div, lambda a, b: w.div(a & M32, b & M32)),
    0x40: (lambda a, b: a | b, lambda a, b: a | b),
    0x50: (lambda a, b: a & b, lambda a, b: a & b),
    0x60: (lambda a, b: a << (b & 63), lambda a, b: a << (b & 31)),
    0x70: (lambda a, b: a >> (b & 63), lambda a, b: (a & M32) >> (b & 31)),
    0x90: (w.mod, lambda a, b: w.mod(a & M32, b & M32)),
    0xA0: (lambda a, b: a ^ b, lambda a, b: a ^ b),
    0xC0: (w.arsh64, w.arsh32),
}


def env():
    desk = Env(Program("p", "xdp", [Insn(0x95)]), profile.load("6.18"), Powers(), Log(0))
    desk.state.frames = [Frame(-1, 0, 0)]
    return desk


def reg_around(values):
    reg = unknown_value(False)
    for x in values:
        reg.value |= x ^ values[0]
    reg.mask = reg.value
    reg.value = values[0] & ~reg.mask
    reg.umin, reg.umax = min(values), max(values)
    reg.smin, reg.smax = min(map(w.s64, values)), max(map(w.s64, values))
    reg.u32_min, reg.u32_max = min(x & M32 for x in values), max(x & M32 for x in values)
    reg.s32_min, reg.s32_max = min(map(w.s32, values)), max(map(w.s32, values))
    return reg


def holds(reg, x):
    return (
        x & ~reg.mask & M64 == reg.value and reg.umin <= x <= reg.umax and reg.smin <= w.s64(x) <= reg.smax
        and reg.u32_min <= x & M32 <= reg.u32_max and reg.s32_min <= w.s32(x) <= reg.s32_max
    )  # fmt: skip


def paths(code, left, right, imm=0):
    """What the verifier makes of the two sets, each value of the left with each of the right, on every path."""
    desk, dst, src = env(), reg_around(left), reg_around(right)
    insn = VInsn(0, Insn(code, 1, 2, 0, imm))
    adjust_scalar_min_max_vals(desk, insn, dst, src)
    ends = [dst]
    if desk.stack:
        other = desk.stack.pop().state.regs()[1].copy()
        adjust_scalar_min_max_vals(desk, insn, other, src)
        ends.append(other)
    assert not desk.stack
    return ends


def compute(code, left, right, imm=0):
    """The same where there is one path."""
    (dst,) = paths(code, left, right, imm)
    return dst


@pytest.mark.parametrize("op", OPS)
@given(value_sets, value_sets)
def test_64_bits(op, left, right):
    ends = paths(op | 0x0F, left, right)
    assert all(any(holds(end, OPS[op][0](a, b) & M64) for end in ends) for a in left for b in right)


@pytest.mark.parametrize("op", OPS)
@given(value_sets, value_sets)
def test_32_bits(op, left, right):
    ends = paths(op | 0x0C, left, right)
    assert all(any(holds(end, OPS[op][1](a, b) & M32) for end in ends) for a in left for b in right)


@pytest.mark.parametrize("op", [0x60, 0x70, 0xC0])
@given(value_sets, st.integers(0, 63))
def test_shifts_by_a_constant(op, left, n):
    dst, narrow = compute(op | 7, left, [n]), compute(op | 4, left, [n & 31])
    assert all(holds(dst, OPS[op][0](a, n) & M64) for a in left)
    assert all(holds(narrow, OPS[op][1](a, n) & M32) for a in left)


@given(value_sets)
def test_negation(left):
    dst, narrow = compute(0x87, left, left), compute(0x84, left, left)
    assert all(holds(dst, -a & M64) and holds(narrow, -a & M32) for a in left)


@pytest.mark.parametrize("width", [16, 32, 64])
@given(value_sets)
def test_byte_swaps(width, left):
    swap, keep = {16: w.swap16, 32: w.swap32, 64: w.swap64}[width], (1 << width) - 1
    little, big, swapped = (compute(code, left, left, width) for code in (0xD4, 0xDC, 0xD7))
    for a in left:
        assert holds(little, a & keep) and holds(big, swap(a)) and holds(swapped, swap(a))


@pytest.mark.parametrize("op", OPS)
@given(u64, u64)
def test_constants_stay_constants(op, a, b):
    dst = compute(op | 0x0F, [a], [b])
    if op in (0x30, 0x90) or (op in (0x60, 0x70, 0xC0) and b > 63):
        assert dst.mask == M64
    else:
        assert (dst.mask, dst.value) == (0, OPS[op][0](a, b) & M64)


@given(u64, u64)
def test_overflows(a, b):
    assert mul_overflows(a, b) == (a * b > M64)
    sa, sb = w.s64(a), w.s64(b)
    assert smul_overflows(sa, sb) == (not -(1 << 63) <= sa * sb < 1 << 63)
    assert add64(sa, sb) == w.s64((a + b) & M64) and sub64(sa, sb) == w.s64((a - b) & M64)


def test_a_bound_is_lost_only_where_some_values_wrap():
    dst = compute(0x0F, [M64 - 1, M64], [5])
    assert (dst.umin, dst.umax) == (3, 4)
    torn = compute(0x0F, [1 << 62, (1 << 63) - 1], [1, 2])
    assert torn.smin == -(1 << 63)


def test_minus_one_or_zero_is_worth_two_paths():
    minus, zero = paths(0x57, [0, M64], [6])
    assert (minus.mask, minus.value, zero.mask, zero.value) == (0, 6, 0, 0)
    minus, zero = paths(0x54, [0, M32], [6])
    assert (minus.value, zero.value) == (6, 0)


def test_nothing_else_is():
    assert (
        len(paths(0x57, [0, 1, M64], [6])) == len(paths(0x5F, [0, M64], [6, 7])) == len(paths(0xA7, [0, M64], [6])) == 1
    )
