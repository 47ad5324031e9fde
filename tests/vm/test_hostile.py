"""Programs that no verifier has seen, all helpers and maps within reach: a result or a typed error, no more."""

from __future__ import annotations

import os
import random
import time

import pytest

from osmia import helpers, maps
from osmia.errors import OsmiaError
from osmia.isa import OPS, Insn, Kind, Op
from osmia.isa import consts as c
from osmia.isa import macros as m
from osmia.obj.model import MapSpec, Program
from osmia.vm import Context, Machine, SkbContext, XdpContext

CHOICES = {
    Kind.MEM: (0, 0, -8, -16, -4, 4, 8, 1, -512, -513, 511, 32767, -32768),
    Kind.JUMP: range(-4, 6), Kind.SLOTS: range(-6, 8), Kind.FD: range(2), Kind.INDEX: range(2),
    Kind.HELPER: (1, 2, 3, 12, 164, 181, *range(1, 212)),
}  # fmt: skip
VALUES = (0, 1, -1, 8, -8, 4, 64, -64, 512, 2**31 - 1, -(2**31))
USED = [op for op in OPS if op.name not in ("ld_btf_id", "call_kfunc")]
CONTEXTS = (lambda: XdpContext(bytes(64)), lambda: SkbContext(bytes(80)), lambda: Context(bytes(32)))


class Hostile:
    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.specs = [MapSpec("a", "array", 4, 16, 4), MapSpec("h", "hash", 4, 8, 8)]
        self.maps = [maps.create(spec) for spec in self.specs]
        self.helpers = helpers.table()

    def field(self, field: Kind | int, highest: int) -> int:
        if isinstance(field, int):
            return field
        if field is Kind.REG:
            return self.random.randrange(highest + 1)
        return self.random.choice(CHOICES.get(field, VALUES))

    def insn(self, op: Op) -> list[Insn]:
        fields = [self.field(f, 9 if n == 0 else 10) for n, f in enumerate((op.dst, op.src, op.off, op.imm))]
        high = [Insn(0, imm=self.random.choice((0, 0, 1, -1)))] if op.wide else []
        return [Insn(op.code, *fields), *high]

    def program(self) -> Program:
        start = [m.BPF_MOV64_REG(6, 1), m.BPF_MOV64_REG(7, 10), *m.BPF_LD_MAP_FD(8, self.random.randrange(2))]
        start += [m.BPF_LDX_MEM(c.BPF_W, 9, 1, self.random.choice((0, 4, 76)))]
        body = [insn for _ in range(self.random.randrange(1, 16)) for insn in self.insn(self.random.choice(USED))]
        return Program("hostile", "xdp", [*start, *body, m.BPF_EXIT_INSN()], maps=self.specs)

    def run(self, engine: str = "interp") -> tuple[str, int]:
        """How it ends and where, or R0."""
        try:
            machine = Machine(self.program(), maps=self.maps, helpers=self.helpers, budget=3000, engine=engine)
            result = machine.run(self.random.choice(CONTEXTS)())
        except OsmiaError as error:
            return type(error).__name__, getattr(error, "pc", -1)
        return "ran", result.r0


def _for_seconds(seconds: float) -> None:
    seed = int(os.environ.get("OSMIA_SEED", random.randrange(1 << 32)))
    hostile, seen, end = Hostile(seed), set(), time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            seen.add(hostile.run()[0])
        except Exception as error:
            pytest.fail(f"seed {seed}: {type(error).__name__}: {error}")
    assert {"ran", "Fault", "BadInsn"} <= seen


def test_hostile_programs():
    _for_seconds(2)


@pytest.mark.slow
def test_hostile_programs_for_long():
    _for_seconds(60)
