"""What arithmetic instructions may not do, and what a move leaves: texts and errors of Linux 6.18."""

import pytest

from osmia.isa import Insn
from osmia.obj.model import MapSpec, Program
from osmia.verifier.env import Powers
from osmia.verifier.judge import judge

EXIT = [Insn(0xB7), Insn(0x95)]
RANDOM = [Insn(0x85, 0, 0, 0, 7)]
STACK = [Insn(0xBF, 1, 10)]
LOOKUP = [
    Insn(0x7A, 10, 0, -8, 0), Insn(0x18, 1, 1, 0, 0), Insn(0), Insn(0xBF, 2, 10), Insn(0x07, 2, 0, 0, -8),
    Insn(0x85, 0, 0, 0, 1), Insn(0x55, 0, 0, 1, 0), Insn(0x95), Insn(0xBF, 8, 0), *RANDOM, Insn(0xBF, 6, 0),
]  # fmt: skip
NO_PERFMON = Powers(True, False, True, False)
ROOT = "pointer arithmetic with it prohibited for !root"


def verdict(insns, power=None, level=2):
    program = Program("p", "socket_filter", [*insns, *EXIT], license="GPL", maps=[MapSpec("", "array", 4, 64, 4)])
    return judge(program, power=power, log_level=level)


def refusal(insns, power=None):
    found = verdict(insns, power, 1)
    lines = [x for x in found.log.splitlines() if not x.startswith("processed")]
    return found.errno, lines[-1] if found.errno else ""


@pytest.mark.parametrize(
    ("insn", "text"),
    [
        (Insn(0x87, 0, 1), "BPF_NEG uses reserved fields"),
        (Insn(0x87, 0, 0, 1), "BPF_NEG uses reserved fields"),
        (Insn(0x87, 0, 0, 0, 1), "BPF_NEG uses reserved fields"),
        (Insn(0xD4, 0, 0, 0, 8), "BPF_END uses reserved fields"),
        (Insn(0xD7, 0, 1, 0, 16), "BPF_END uses reserved fields"),
        (Insn(0xD4, 0, 0, 1, 16), "BPF_END uses reserved fields"),
        (Insn(0xB7, 0, 1), "BPF_MOV uses reserved fields"),
        (Insn(0xB4, 0, 0, 1), "BPF_MOV uses reserved fields"),
        (Insn(0xBF, 0, 1, 7), "BPF_MOV uses reserved fields"),
        (Insn(0xBF, 0, 1, 0, 1), "BPF_MOV uses reserved fields"),
        (Insn(0xBC, 0, 1, 32), "BPF_MOV uses reserved fields"),
        (Insn(0xBF, 0, 1, 1, 0), "addr_space_cast insn can only convert between address space 1 and 0"),
        (Insn(0xBF, 0, 1, 1, 1), "addr_space_cast insn can only be used in a program that has an associated arena"),
        (Insn(0x07, 0, 1), "BPF_ALU uses reserved fields"),
        (Insn(0x07, 0, 0, 1, 3), "BPF_ALU uses reserved fields"),
        (Insn(0x0F, 0, 1, 0, 3), "BPF_ALU uses reserved fields"),
        (Insn(0x37, 0, 0, 2, 3), "BPF_ALU uses reserved fields"),
        (Insn(0x37, 0, 0, 0, 0), "div by zero"),
        (Insn(0x94, 0, 0, 1, 0), "div by zero"),
        (Insn(0x67, 0, 0, 0, 64), "invalid shift 64"),
        (Insn(0xC4, 0, 0, 0, 32), "invalid shift 32"),
        (Insn(0x77, 0, 0, 0, -1), "invalid shift -1"),
    ],
)
def test_fields(insn, text):
    assert refusal([Insn(0xB7), insn]) == (22, text)


@pytest.mark.parametrize(
    ("insns", "answer"),
    [
        ([*STACK, Insn(0x04, 1, 0, 0, 1)], (13, "R1 32-bit pointer arithmetic prohibited")),
        ([*STACK, Insn(0x0F, 1, 10)], (13, "R1 pointer += pointer prohibited")),
        ([*STACK, Insn(0x57, 1, 0, 0, 1)], (13, "R1 bitwise operator &= on pointer prohibited")),
        ([*STACK, Insn(0x67, 1, 0, 0, 1)], (13, "R1 pointer arithmetic with <<= operator prohibited")),
        ([*STACK, Insn(0x17, 1, 0, 0, 1)], (13, "R1 subtraction from stack pointer prohibited")),
        ([Insn(0xB7, 2, 0, 0, 8), Insn(0x1F, 2, 10)], (13, "R2 tried to subtract pointer from scalar")),
        ([*STACK, Insn(0x07, 1, 0, 0, 1 << 29)], (22, "math between fp pointer and 536870912 is not allowed")),
        (
            [Insn(0x07, 1, 0, 0, (1 << 29) - 1), Insn(0x07, 1, 0, 0, 1)],
            (22, "ctx pointer offset 536870912 is not allowed"),
        ),
        (
            [*RANDOM, *STACK, Insn(0x0F, 1, 0)],
            (22, "math between fp pointer and register with unbounded min value is not allowed"),
        ),
        (
            [*RANDOM, Insn(0xC7, 0, 0, 0, 1), *STACK, Insn(0x0F, 1, 0)],
            (22, f"value {-1 << 62} makes fp pointer be out of bounds"),
        ),
        ([Insn(0x18, 1, 1), Insn(0), Insn(0x07, 1, 0, 0, 1)], (13, "R1 pointer arithmetic on map_ptr prohibited")),
        (
            [*LOOKUP[:6], Insn(0x07, 0, 0, 0, 1)],
            (13, "R0 pointer arithmetic on map_value_or_null prohibited, null-check it first"),
        ),
    ],
)
def test_pointers(insns, answer):
    assert refusal(insns) == answer


@pytest.mark.parametrize(
    ("insns", "answer"),
    [
        ([*STACK, Insn(0x87, 1)], (13, "R1 pointer arithmetic prohibited")),
        ([Insn(0xBF, 2, 1, 8)], (13, "R1 sign-extension part of pointer")),
        ([Insn(0xBC, 2, 1)], (13, "R1 partial copy of pointer")),
        ([*STACK, Insn(0x1F, 1, 10)], (13, "R1 pointer -= pointer prohibited")),
        (
            [*STACK, Insn(0x07, 1, 0, 0, 8)],
            (13, "R1 stack pointer arithmetic goes out of range, prohibited for !root; off=8"),
        ),
        (
            [*LOOKUP, Insn(0x07, 8, 0, 0, 64)],
            (13, "R8 pointer arithmetic of map value goes out of range, prohibited for !root"),
        ),
        (
            [*LOOKUP, Insn(0xC7, 6, 0, 0, 60), Insn(0x0F, 8, 6)],
            (13, f"R6 has unknown scalar with mixed signed bounds, {ROOT}"),
        ),
        ([*LOOKUP, Insn(0xBF, 1, 8), Insn(0x57, 6, 0, 0, 7), Insn(0x0F, 8, 6)], (0, "")),
        (
            [Insn(0xBF, 7, 1), *RANDOM, Insn(0x57, 0, 0, 0, 7), Insn(0x0F, 7, 0)],
            (13, f"R7 has pointer with unsupported alu operation, {ROOT}"),
        ),
        (
            [*RANDOM, Insn(0x57, 0, 0, 0, 7), Insn(0xBF, 1, 10), Insn(0x07, 1, 0, 0, -16), Insn(0x0F, 1, 0)],
            (13, "R1 variable stack access prohibited for !root, var_off=(0x0; 0x7) off=-16"),
        ),
        (
            [*LOOKUP, Insn(0x57, 6, 0, 0, 7), Insn(0x65, 6, 0, 1, 3), Insn(0xB7, 8, 0, 0, 1), Insn(0x0F, 8, 6)],
            (13, f"R8 tried to add from different maps, paths or scalars, {ROOT}"),
        ),
        (
            [*LOOKUP, Insn(0x57, 6, 0, 0, 7), Insn(0x1F, 8, 6)],
            (13, "R8 pointer arithmetic of map value goes out of range, prohibited for !root"),
        ),
    ],
)
def test_without_perfmon(insns, answer):
    assert refusal(insns, NO_PERFMON) == answer


def test_a_masked_move_is_walked_as_a_misprediction_too():
    log = verdict([*LOOKUP, Insn(0x57, 6, 0, 0, 7), Insn(0x0F, 8, 6)], NO_PERFMON).log
    assert "from 12 to 13 (speculative execution):" in log


def step(insns, slot):
    """The state behind the instruction in a slot."""
    found = [x for x in verdict(insns).log.splitlines() if x.startswith(f"{slot}: (")]
    return found[0].partition("; ")[2]


@pytest.mark.parametrize(
    ("insns", "slot", "state"),
    [
        ([Insn(0xB7, 3, 0, 0, -5)], 0, "R3=-5"),
        ([Insn(0xB4, 3, 0, 0, -5)], 0, "R3=0xfffffffb"),
        ([*RANDOM, Insn(0xBF, 3, 0)], 1, "R0=scalar(id=1) R3=scalar(id=1)"),
        (
            [*RANDOM, Insn(0xBC, 3, 0)],
            1,
            "R0=scalar() R3=scalar(smin=0,smax=umax=0xffffffff,var_off=(0x0; 0xffffffff))",
        ),
        ([*RANDOM, Insn(0xBF, 3, 0, 8)], 1, "R0=scalar() R3=scalar(smin=smin32=-128,smax=smax32=127)"),
        (
            [*RANDOM, Insn(0xBC, 3, 0, 16)],
            1,
            "R0=scalar() R3=scalar(smin=0,smax=umax=0xffffffff,smin32=-32768,smax32=32767,var_off=(0x0; 0xffffffff))",
        ),
        ([*RANDOM, Insn(0xBF, 3, 0), Insn(0x07, 3, 0, 0, 4)], 2, "R3=scalar(id=1+4)"),
        ([*RANDOM, Insn(0xBF, 3, 0), Insn(0x17, 3, 0, 0, 4)], 2, "R3=scalar(id=1-4)"),
        ([*RANDOM, Insn(0xBF, 3, 0), Insn(0x27, 3, 0, 0, 3)], 2, "R3=scalar()"),
        ([Insn(0xB7, 3, 0, 0, 0x1234), Insn(0xD7, 3, 0, 0, 16)], 1, "R3=13330"),
        ([*STACK, Insn(0x07, 1, 0, 0, -8)], 1, "R1=fp-8"),
    ],
)
def test_states(insns, slot, state):
    assert step(insns, slot) == state


def test_arena_pointers_come_from_casts():
    program = Program(
        "p",
        "socket_filter",
        [Insn(0x18, 1, 1), Insn(0), *RANDOM, Insn(0xBF, 1, 0, 1, 1), Insn(0x07, 1, 0, 0, 8), *EXIT],
        license="GPL",
        maps=[MapSpec("", "arena", 0, 0, 1, flags=1 << 10, map_extra=1 << 44)],
    )
    assert "R1=arena" in judge(program, log_level=2).log
