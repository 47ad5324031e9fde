"""Which way a comparison goes and what it tells, against concrete values: nothing that can happen may be ruled out."""

import itertools
import random

import pytest

from osmia.isa import Insn
from osmia.kernel import profile
from osmia.obj.model import Program
from osmia.verifier.consts import PTR_MAYBE_NULL, PTR_TO_MAP_VALUE, PTR_TO_PACKET, PTR_TO_PACKET_END, SCALAR_VALUE
from osmia.verifier.env import Env, Powers
from osmia.verifier.log import Log
from osmia.verifier.refine import flip_opcode, is_branch_taken, reg_set_min_max, rev_opcode
from osmia.verifier.regs import Reg, known_value, pointer, unknown_value
from osmia.words import s32, s64

PROFILE = profile.load("6.18")

M32, M64 = (1 << 32) - 1, (1 << 64) - 1
OPS = {
    0x10: lambda a, b, sa, sb: a == b, 0x50: lambda a, b, sa, sb: a != b, 0x40: lambda a, b, sa, sb: a & b != 0,
    0x20: lambda a, b, sa, sb: a > b, 0x30: lambda a, b, sa, sb: a >= b, 0xA0: lambda a, b, sa, sb: a < b,
    0xB0: lambda a, b, sa, sb: a <= b, 0x60: lambda a, b, sa, sb: sa > sb, 0x70: lambda a, b, sa, sb: sa >= sb,
    0xC0: lambda a, b, sa, sb: sa < sb, 0xD0: lambda a, b, sa, sb: sa <= sb,
}  # fmt: skip
ENV = Env(Program("t", "xdp", [Insn(0x95)]), PROFILE, Powers(), Log(0))
EDGES = [0, 1, 2, 7, 8, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 32, (1 << 63) - 1, 1 << 63, M64 - 1, M64]


def holds(op, a, b, narrow):
    if narrow:
        return OPS[op](a & M32, b & M32, s32(a), s32(b))
    return OPS[op](a, b, s64(a), s64(b))


def reg_of(values):
    """The narrowest register that holds all of some values."""
    reg = Reg(SCALAR_VALUE)
    first = values[0]
    for value in values:
        reg.mask |= value ^ first
    reg.value = first & ~reg.mask
    reg.umin, reg.umax = min(values), max(values)
    reg.smin, reg.smax = min(map(s64, values)), max(map(s64, values))
    reg.u32_min, reg.u32_max = min(v & M32 for v in values), max(v & M32 for v in values)
    reg.s32_min, reg.s32_max = min(map(s32, values)), max(map(s32, values))
    return reg


def contains(reg, v):
    return (
        (v ^ reg.value) & ~reg.mask & M64 == 0 and reg.umin <= v <= reg.umax and reg.smin <= s64(v) <= reg.smax
        and reg.u32_min <= v & M32 <= reg.u32_max and reg.s32_min <= s32(v) <= reg.s32_max
    )  # fmt: skip


def judge(op, left, right, narrow, same=False):
    """All pairs of values against what the two registers say."""
    reg1, reg2 = reg_of(left), reg_of(right)
    if same:
        reg2 = reg1
    taken = is_branch_taken(reg1, reg2, op, narrow)
    pairs = [(a, a) for a in left] if same else list(itertools.product(left, right))
    if taken >= 0:
        assert all(holds(op, a, b, narrow) == bool(taken) for a, b in pairs)
        return taken
    true1, false1 = reg1.copy(), reg1.copy()
    true2, false2 = (true1, false1) if same else (reg2.copy(), reg2.copy())
    reg_set_min_max(ENV, true1, true2, false1, false2, op, narrow)
    for a, b in pairs:
        one, two = (true1, true2) if holds(op, a, b, narrow) else (false1, false2)
        assert contains(one, a) and contains(two, b), (hex(op), narrow, hex(a), hex(b), one, two)
    return taken


@pytest.mark.parametrize("op", OPS, ids=hex)
@pytest.mark.parametrize("narrow", [False, True], ids=["64", "32"])
def test_every_range_of_four_values(op, narrow):
    """Exhaustive over ranges of the four smallest numbers, at the low end, around 2^31 and around 2^63."""
    for base in (0, 0x7FFFFFFE, (1 << 63) - 2, M64 - 1):
        numbers = [(base + i) & M64 for i in range(4)]
        ranges = [numbers[i:j] for i in range(4) for j in range(i + 1, 5)]
        for left, right in itertools.product(ranges, ranges):
            judge(op, left, right, narrow)


@pytest.mark.parametrize("op", OPS, ids=hex)
@pytest.mark.parametrize("narrow", [False, True], ids=["64", "32"])
def test_every_set_of_small_numbers_against_a_constant(op, narrow):
    for bits in range(1, 64):
        left = [i for i in range(6) if bits >> i & 1]
        for constant in range(7):
            judge(op, left, [constant], narrow)
            judge(op, [constant], left, narrow)


@pytest.mark.parametrize("op", OPS, ids=hex)
def test_random_sets(op):
    rng = random.Random(op)
    for _ in range(300):
        sides = []
        for _ in range(2):
            pool = [rng.choice(EDGES) + rng.randrange(-2, 3) & M64 for _ in range(rng.randrange(1, 6))]
            sides.append([v ^ rng.getrandbits(rng.choice([1, 3, 33])) for v in pool])
        judge(op, sides[0], sides[1], rng.random() < 0.5)


@pytest.mark.parametrize("op", OPS, ids=hex)
@pytest.mark.parametrize("narrow", [False, True], ids=["64", "32"])
def test_a_register_against_itself(op, narrow):
    for left in ([0, 5, 9], [M64, 0], [1 << 63, 3], [0x80000000, 0x7FFFFFFF]):
        judge(op, left, left, narrow, same=True)


def test_constants_decide():
    for op, (a, b) in itertools.product(OPS, itertools.product(EDGES, EDGES)):
        for narrow in (False, True):
            assert is_branch_taken(known_value(a), known_value(b), op, narrow) == holds(op, a, b, narrow)


def test_reversed_and_flipped_operations():
    for op, a, b in itertools.product(OPS, EDGES, EDGES):
        assert holds(flip_opcode(op), b, a, False) == holds(op, a, b, False)
        if op != 0x40:
            assert holds(rev_opcode(op), a, b, False) != holds(op, a, b, False)
    assert rev_opcode(0x40) == 0x48
    assert rev_opcode(0x48) == 0x40


def test_jset_learns_one_bit_and_its_reverse_learns_all():
    unknown = unknown_value(False)
    regs = [unknown.copy(), known_value(8), unknown.copy(), known_value(8)]
    reg_set_min_max(ENV, *regs, 0x40, False)
    assert (regs[0].value, regs[0].mask) == (8, M64 ^ 8)
    assert (regs[2].value, regs[2].mask) == (0, M64 ^ 8)
    regs = [unknown.copy(), known_value(9), unknown.copy(), known_value(9)]
    reg_set_min_max(ENV, *regs, 0x40, False)
    assert regs[0].mask == M64
    assert regs[2].mask == M64 ^ 9


def test_a_valid_pointer_is_not_null():
    value = pointer(PTR_TO_MAP_VALUE)
    maybe = pointer(PTR_TO_MAP_VALUE | PTR_MAYBE_NULL)
    zero, one = known_value(0), known_value(1)
    assert [is_branch_taken(value, zero, op, False) for op in (0x10, 0x50, 0x20)] == [0, 1, -1]
    assert [is_branch_taken(zero, value, op, False) for op in (0x10, 0x50)] == [0, 1]
    assert is_branch_taken(maybe, zero, 0x10, False) == is_branch_taken(value, one, 0x10, False) == -1


def test_a_packet_pointer_known_beyond_the_end():
    pkt, end = pointer(PTR_TO_PACKET), pointer(PTR_TO_PACKET_END)
    assert is_branch_taken(pkt, end, 0x20, False) == -1
    pkt.range = -2  # surely beyond
    assert [is_branch_taken(pkt, end, op, False) for op in (0x20, 0x30, 0xA0, 0xB0)] == [1, 1, 0, 0]
    assert [is_branch_taken(end, pkt, op, False) for op in (0x20, 0x30, 0xA0, 0xB0)] == [0, 0, 1, 1]
    pkt.range = -1  # at the end or beyond
    assert [is_branch_taken(pkt, end, op, False) for op in (0x20, 0x30, 0xA0, 0xB0)] == [-1, 1, 0, -1]
