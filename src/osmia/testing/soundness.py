"""What was accepted must not fault: accepted programs run, checked, on packets and contexts made to hurt.

While they run, every scalar register is held against what the verifier knew of it before the instruction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from osmia.errors import BudgetExceeded, Fault, OsmiaError
from osmia.kernel.prog_types import prog_type
from osmia.obj.model import Program
from osmia.sim import Executable
from osmia.testing.shrink import target
from osmia.verifier.facts import Facts
from osmia.verifier.judge import judge

LENGTHS = (14, 15, 20, 34, 54, 64, 128, 1500)
BUDGET = 1 << 17
CALL, EXIT = 0x85, 0x95
CONTEXT = 512
BARE = ("syscall", "tracepoint", "raw_tracepoint", "raw_tracepoint_writable")
"""Types whose context is as long as whoever runs them likes; generated programs look at its first bytes only."""


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that a sound verifier rules out: a fault, or a register outside of what was known."""

    program: Program
    data: bytes
    slot: int
    text: str


class _Broken(OsmiaError):
    """A fact that does not hold; stops the run."""

    def __init__(self, slot: int, text: str) -> None:
        super().__init__(text)
        self.slot = slot


def violations(program: Program, rng: Random, runs: int = 4) -> Iterator[Violation]:
    """Every violation in some runs of a program; none if the verifier refuses it or Osmia can't run it."""
    verdict = judge(program, log_level=0, facts=True)
    if not verdict.ok or verdict.facts is None:
        return
    for _ in range(runs):
        data = packet(rng)
        found = run_once(program, verdict.facts, data)
        if found is not None:
            yield found
            return


def run_once(program: Program, facts: Facts, data: bytes) -> Violation | None:
    """One run against the facts."""
    try:
        ready = Executable(program, budget=BUDGET, trace=Watch(program, facts))
        packets = prog_type(program.prog_type).packet
        ctx = data[:1] * CONTEXT if program.prog_type in BARE else None
        ready.run(data=data if packets else None, ctx=ctx)
    except Fault as fault:
        return Violation(program, data, fault.pc, str(fault))
    except _Broken as broken:
        return Violation(program, data, broken.slot, str(broken))
    except (BudgetExceeded, OsmiaError):
        return None  # a helper without a body, a context that is not simulated: nothing was learnt
    return None


def reachable(program: Program, starts: set[int]) -> set[int]:
    """Every slot that control may get to from some slots; a return leads behind every call."""
    insns = program.insns
    calls = {at + 1 for at, insn in enumerate(insns) if insn.code == CALL and insn.src_reg == 1}
    found, todo = set[int](), list(starts)
    while todo:
        at = todo.pop()
        if at in found or not 0 <= at < len(insns):
            continue
        found.add(at)
        insn = insns[at]
        if insn.code == EXIT:
            todo += calls
        else:
            todo += [at + 1, at + 2, target(insn, at)] if insn.is_wide else [at + 1, target(insn, at)]
    return found


class Watch:
    """The tracer: called before each instruction with its slot and the registers.

    Behind a pruned path facts are not looked at: numbers that nothing depended on may be others there.
    """

    def __init__(self, program: Program, facts: Facts) -> None:
        self.program = program
        vague = reachable(program, facts.pruned)
        self.at = {slot: known for slot, known in facts.at.items() if slot not in vague}

    def __call__(self, slot: int, regs: Sequence[int]) -> None:
        """Raises _Broken when a scalar is not what it should be."""
        for number, fact in self.at.get(slot, {}).items():
            if fact.scalar and not fact.holds(regs[number]):
                raise _Broken(slot, f"before {slot} R{number} is {regs[number]:#x}, outside of {fact.to_json()}")


def packet(rng: Random) -> bytes:
    """A packet of some length: zeros, ones, noise, or small numbers."""
    length = LENGTHS[int(rng.random() * len(LENGTHS))]
    roll = int(rng.random() * 4)
    if roll < 2:
        return bytes([0x00, 0xFF][roll : roll + 1]) * length
    return rng.randbytes(length) if roll == 2 else bytes(int(rng.random() * 16) for _ in range(length))
