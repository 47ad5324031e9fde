"""Tristate numbers against all values that they stand for: nothing lost, and the tight operations tight."""

import itertools
import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osmia.verifier import tnum as t
from osmia.words import arsh32, arsh64, swap16, swap32, swap64

M64 = (1 << 64) - 1
BITS = 4
SMALL = [(v, m) for m in range(1 << BITS) for v in range(1 << BITS) if not v & m]
PAIRS = list(itertools.product(SMALL, SMALL))
u64 = st.integers(0, M64)
tnums = st.tuples(u64, u64).map(lambda p: (p[0] & ~p[1], p[1]))


def values(tnum):
    """Every value of a tnum with a few unknown bits."""
    v, m = tnum
    bits = [1 << i for i in range(64) if m >> i & 1]
    return [v | sum(chosen) for n in range(len(bits) + 1) for chosen in itertools.combinations(bits, n)]


def contains(tnum, x):
    return x & ~tnum[1] & M64 == tnum[0]


def hull(xs):
    """The tightest tnum around some values."""
    unknown = 0
    for x in xs:
        unknown |= x ^ xs[0]
    return xs[0] & ~unknown, unknown


def somewhere(tnum, seed):
    """One value of a tnum, chosen by a u64."""
    return tnum[0] | seed & tnum[1]


TIGHT = {
    "add": operator.add, "sub": operator.sub, "and": operator.and_, "or": operator.or_, "xor": operator.xor,
}  # fmt: skip
BINARY = {**TIGHT, "mul": operator.mul}


@pytest.mark.parametrize("name", BINARY)
def test_small_operands(name):
    compute, concrete = getattr(t, f"tnum_{name}"), BINARY[name]
    for a, b in PAIRS:
        got = compute(*a, *b)
        results = [concrete(x, y) & M64 for x in values(a) for y in values(b)]
        assert not got[0] & got[1] and all(contains(got, r) for r in results), (a, b)
        if name in TIGHT:
            assert got == hull(results), (a, b)


@pytest.mark.parametrize("name", BINARY)
@given(tnums, tnums, u64, u64)
def test_large_operands(name, a, b, x, y):
    got = getattr(t, f"tnum_{name}")(*a, *b)
    assert not got[0] & got[1]
    assert contains(got, BINARY[name](somewhere(a, x), somewhere(b, y)) & M64)


@given(u64, u64)
def test_products_of_constants(x, y):
    assert t.tnum_mul(x, 0, y, 0) == (x * y & M64, 0)


@pytest.mark.parametrize(
    ("a", "b", "product"),
    [((0, 3), (3, 0), (0, 15)), ((1, 2), (3, 0), (1, 10)), ((0, 0xFF), (12, 0), (0, 0xFFC))],
)
def test_products_as_the_kernel_has_them(a, b, product):
    assert t.tnum_mul(*a, *b) == product


@given(tnums, st.integers(0, 63), u64)
def test_shifts(a, n, x):
    value = somewhere(a, x)
    assert contains(t.tnum_lshift(*a, n), value << n & M64)
    assert contains(t.tnum_rshift(*a, n), value >> n)
    assert contains(t.tnum_arshift(*a, n, 64), arsh64(value, n))
    assert contains(t.tnum_arshift(*a, n & 31, 32), arsh32(value, n & 31))


@given(tnums, u64)
def test_unary(a, x):
    value = somewhere(a, x)
    for size, swap in ((16, swap16), (32, swap32), (64, swap64)):
        assert contains(getattr(t, f"tnum_bswap{size}")(*a), swap(value))
    for size in (1, 2, 4, 8):
        assert contains(t.tnum_cast(*a, size), value & ((1 << 8 * size) - 1))


@given(tnums, tnums)
def test_halves(a, b):
    high, low = [field & ~0xFFFFFFFF for field in a], t.tnum_cast(*b, 4)
    assert t.tnum_with_subreg(*a, *b) == (high[0] | low[0], high[1] | low[1])


def test_sets():
    for a, b in PAIRS:
        both = set(values(a)) & set(values(b))
        assert t.tnum_overlap(*a, *b) == bool(both)
        assert t.tnum_union(*a, *b) == hull(values(a) + values(b))
        if both:
            assert t.tnum_intersect(*a, *b) == hull(sorted(both))


def test_ranges():
    for low in range(40):
        for high in range(low, 40):
            got = t.tnum_range(low, high)
            known = 1 << (low ^ high).bit_length()
            assert got == (low - low % known, known - 1)
    assert t.tnum_range(0, M64) == (0, M64) and t.tnum_range(1 << 63, M64) == (1 << 63, (1 << 63) - 1)


def test_steps():
    for a in SMALL:
        members = values(a)
        for z in range(1 << BITS):
            above = [x for x in members if x > z]
            assert t.tnum_step(*a, z) == (min(above) if above else max(members)), (a, z)


@given(tnums, u64, u64)
def test_no_step_too_far(a, x, z):
    value = somewhere(a, x)
    step = t.tnum_step(*a, z)
    assert contains(a, step)
    if value > z:
        assert z < step <= value
