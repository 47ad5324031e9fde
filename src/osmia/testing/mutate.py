"""Small changes to a program: what a careless hand would do to it."""

from __future__ import annotations

from random import Random

from osmia.isa import Insn

INTERESTING = (0, 1, -1, 2, 7, 8, 16, 63, 64, 255, 4096, 0x7FFFFFFF, -0x80000000)


def mutate(rng: Random, insns: list[Insn], times: int) -> list[Insn]:
    """The instructions with some changes; the list given stays as it is."""
    changed = list(insns)
    for _ in range(times):
        rng.choice(CHANGES)(rng, changed, int(rng.random() * len(changed)))
    return changed


def _register(rng: Random, insns: list[Insn], at: int) -> None:
    new = int(rng.random() * 11)
    insns[at] = insns[at]._replace(dst_reg=new) if rng.random() < 0.5 else insns[at]._replace(src_reg=new)


def _imm(rng: Random, insns: list[Insn], at: int) -> None:
    imm = insns[at].imm + rng.choice((-8, -1, 1, 8))
    new = rng.choice(INTERESTING) if rng.random() < 0.5 else imm
    insns[at] = insns[at]._replace(imm=max(-0x80000000, min(new, 0x7FFFFFFF)))


def _off(rng: Random, insns: list[Insn], at: int) -> None:
    off = insns[at].off + rng.choice((-8, -4, -1, 1, 4, 8))
    insns[at] = insns[at]._replace(off=max(-0x8000, min(off, 0x7FFF)))


def _code(rng: Random, insns: list[Insn], at: int) -> None:
    insns[at] = insns[at]._replace(code=insns[at].code ^ rng.choice((1, 2, 4, 8, 16, 32, 64, 128, 24)))


def _copy(rng: Random, insns: list[Insn], at: int) -> None:
    insns[at] = insns[int(rng.random() * len(insns))]


def _swap(rng: Random, insns: list[Insn], at: int) -> None:
    other = min(at + 1, len(insns) - 1)
    insns[at], insns[other] = insns[other], insns[at]


def _nothing(rng: Random, insns: list[Insn], at: int) -> None:
    insns[at] = Insn(0x05)


CHANGES = (_register, _register, _imm, _imm, _off, _code, _copy, _swap, _nothing)
