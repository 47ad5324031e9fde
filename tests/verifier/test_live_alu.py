"""Random arithmetic, judged here and by the running kernel: every word of the level-2 log must be the same."""

import os
import random
from itertools import zip_longest

import pytest

from osmia import live
from osmia.isa import Insn
from osmia.obj.model import MapSpec, Program
from osmia.testing.answers import Kernel, ask_osmia
from osmia.verifier.env import Powers

WHY_NOT = live.available()
pytestmark = [pytest.mark.live, pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))]
PROGRAMS = int(os.environ.get("OSMIA_PROGRAMS", "60"))
POWERS = {"all": Powers(), "bpf": Powers(True, False, False, False)}
RANDOM = Insn(0x85, 0, 0, 0, 7)
NUMBERS = [
    0, 1, 2, 3, 7, 8, 15, 31, 63, 100, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x10000, (1 << 31) - 1, -1, -2, -3,
    -8, -128, -129, -256, -0x8000, -1 << 31, 0x12345678, 0x55555555, -0x55555556, 0xFF00, 0xFF0000,
]  # fmt: skip
OFFSETS = [0, 1, 4, 8, 63, 64, -1, -8, -64, -512, -513, 512, 1 << 29, (1 << 29) - 1, -1 << 29, -1 << 31]
JUMPS = [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xA0, 0xB0, 0xC0, 0xD0]
SHIFTS, DIVISIONS, END = (0x60, 0x70, 0xC0), (0x30, 0x90), [Insn(0xB7), Insn(0x95)]


def number(rng):
    return rng.choice(NUMBERS) if rng.random() < 0.7 else rng.randrange(-1 << 31, 1 << 31)


def scalar_insn(rng, live_regs):
    """One operation or comparison on numbers; -1 as a jump's offset stands for the end."""
    dst, src, roll, wide = rng.choice(live_regs), rng.choice(live_regs), rng.random(), rng.random() < 0.6
    kind = 7 if wide else 4
    if roll < 0.3:
        jump = (5 if wide else 6) | rng.choice(JUMPS)
        return Insn(jump, dst, 0, -1, number(rng)) if rng.random() < 0.8 else Insn(jump | 8, dst, src, -1)
    if roll < 0.42:
        return Insn(kind | 0xB8, dst, src, rng.choice([0, 0, 0, 8, 16, 32] if wide else [0, 0, 8, 16]))
    if roll < 0.48:
        return Insn(kind | 0xB0, dst, 0, 0, number(rng))
    if roll < 0.56:
        width = rng.choice([16, 32, 64])
        return rng.choice([Insn(kind | 0x80, dst), Insn(rng.choice([0xD4, 0xDC, 0xD7]), dst, 0, 0, width)])
    op = rng.choice([0, 0, 0x10, 0x20, 0x40, 0x50, *SHIFTS, 0xA0, *DIVISIONS])
    signed = int(op in DIVISIONS and rng.random() < 0.3)
    if rng.random() < (0.15 if op in SHIFTS else 0.5):
        return Insn(kind | op | 8, dst, src, signed)
    if op in SHIFTS:
        return Insn(kind | op, dst, 0, 0, rng.choice([1, 2, 8, 16, 31, 32, 63]) % (64 if wide else 32))
    return Insn(kind | op, dst, 0, signed, number(rng) or int(op in DIVISIONS))


def scalars(rng):
    body = [RANDOM, Insn(0xBF, 6), RANDOM, Insn(0xBF, 7), RANDOM, Insn(0xBF, 8)]
    body += [scalar_insn(rng, [0, 6, 7, 8]) for _ in range(14)]
    end = len(body)
    return [
        i._replace(off=end - n - 1) if (i.code & 7) in (5, 6) and i.off == -1 else i for n, i in enumerate(body)
    ] + END


def pointer_insn(rng):
    ptr, scalar, roll = rng.choice([4, 5, 8, 9]), rng.choice([0, 6, 7]), rng.random()
    kind = 7 if rng.random() < 0.93 else 4
    op = rng.choice([0, 0, 0, 0x10]) if rng.random() < 0.93 else rng.choice([0x20, 0x40, 0x50, 0x60, 0xA0, 0xC0, 0x90])
    if roll < 0.3:
        return Insn(kind | op, ptr, 0, 0, 3 if op in SHIFTS else rng.choice(OFFSETS) or int(op in DIVISIONS))
    if roll < 0.6:
        return Insn(kind | op | 8, ptr, scalar)
    if roll < 0.68:
        return Insn(kind | op | 8, scalar, ptr)
    if roll < 0.8:
        return Insn(rng.choice([0xBF, 0xBF, 0xBF, kind | op | 8]), ptr, rng.choice([4, 5, 8, 9]))
    if roll < 0.85:
        return Insn(rng.choice([0xBC, 0xBF]), scalar, rng.choice([0, 6, 7, 8]), rng.choice([0, 8, 16]))
    if roll < 0.93:
        return Insn(7 | rng.choice([0, 0x10]) | 8, scalar, rng.choice([0, 6, 7]))
    return Insn(rng.choice([0x25, 0x65, 0x35, 0xA5, 0xC5]), scalar, 0, 0, rng.choice([0, 1, 7, 63, 64]))


def pointers(rng):
    """A map value, the stack and the context meet numbers, some of them small."""
    body = [
        Insn(0xBF, 9, 1), Insn(0x7A, 10, 0, -8, 0), Insn(0x18, 1, 1), Insn(0), Insn(0xBF, 2, 10),
        Insn(0x07, 2, 0, 0, -8), Insn(0x85, 0, 0, 0, 1), Insn(0x55, 0, 0, 1, 0), Insn(0x95), Insn(0xBF, 8, 0), RANDOM,
        Insn(0xBF, 6, 0), RANDOM, Insn(0xBF, 7, 0), Insn(0xBF, 5, 10), Insn(0xBF, 4, 8),
    ]  # fmt: skip
    for regno in (0, 6, 7):
        if rng.random() < 0.8:
            body.append(Insn(0x57, regno, 0, 0, rng.choice([1, 7, 31, 63, 255])))
    if rng.random() < 0.2:
        body.append(Insn(0xC7, 7, 0, 0, rng.choice([56, 60, 63])))
    return body + [pointer_insn(rng) for _ in range(rng.randrange(1, 6))] + END


def masked_moves(rng):
    """Moves that a loader without CAP_PERFMON may make, so that speculative paths start."""
    size = rng.choice([1, 3, 7, 15])
    body = [*pointers(random.Random(1))[:16], Insn(0x57, 6, 0, 0, size), Insn(0x57, 7, 0, 0, size)]
    for _ in range(rng.randrange(1, 4)):
        roll, scalar = rng.random(), rng.choice([6, 7])
        if roll < 0.6:
            body.append(Insn(0x0F, 8, scalar))
        elif roll < 0.8:
            body += [Insn(0xBF, 3, 4), Insn(0x0F, 3, scalar), Insn(0x71, 3, 3, rng.choice([0, 8]))]
        else:
            body.append(Insn(rng.choice([0x25, 0x65, 0xA5]), scalar, 0, 1, rng.choice([0, 1, 5])))
            body.append(Insn(rng.choice([0x07, 0x17]), scalar, 0, 0, 1))
    return [*body, Insn(0x71, 2, 8), *END]


@pytest.mark.parametrize("powers", POWERS)
@pytest.mark.parametrize("shape", [scalars, pointers, masked_moves])
def test_as_the_running_kernel(shape, powers):
    seeds = random.Random(os.environ.get("OSMIA_SEED", "alu"))
    maps = [] if shape is scalars else [MapSpec("", "array", 4, 64, 4)]
    with Kernel() as kernel:
        for _ in range(PROGRAMS):
            seed = seeds.getrandbits(32)
            program = Program("alu", "socket_filter", shape(random.Random(seed)), license="GPL", maps=maps)
            ours, theirs = ask_osmia(program, 2, POWERS[powers]), kernel.ask(program, 2, POWERS[powers])
            assert not ours.crash, f"seed {seed}"
            lines = zip_longest(ours.log.splitlines(), theirs.log.splitlines())
            assert [pair for pair in lines if pair[0] != pair[1]][:1] == [], f"seed {seed}"
            assert ours.errno == theirs.errno, f"seed {seed}"
