"""One refusal, with everything that explaining it can ask: desk, path, instruction, operands."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from osmia.explain.model import Place
from osmia.explain.returns import early_return
from osmia.explain.source import Sources
from osmia.explain.trail import Step, Trail
from osmia.isa.consts import BPF_PSEUDO_CALL, BPF_PSEUDO_KFUNC_CALL
from osmia.verifier.helper_proto import func_id_name
from osmia.verifier.text import btf_type_name

if TYPE_CHECKING:
    from osmia.verifier.env import Env
    from osmia.verifier.insn import VInsn
    from osmia.verifier.regs import Reg
    from osmia.verifier.verdict import Reason, Verdict

LD, LDX, ST, STX, ALU, JMP, JMP32, ALU64 = range(8)
"""The class of an opcode."""
CALL, EXIT, JA, JCOND = 0x80, 0x90, 0x00, 0xE0
"""The operation of a jump."""
LD_IMM64 = 0x18
AFTER_THE_WALK = frozenset(("stack-depth", "tail-call-depth", "kfunc-number", "ctx-conversion", "func-info-count"))
"""Rules about the whole program that are looked at when every path was walked: no instruction is to blame."""
LAST_WORDS = 1 << 14
"""Characters of the log's end that are looked at: a log may have hundreds of megabytes."""
_REGISTER = re.compile(r"\bR(\d+)\b")
_STATISTICS = re.compile(r"processed \d+ insns \(limit.*")
_STATE_LINE = re.compile(
    r"\d+: \([0-9a-f]{2}\)|; |from \d+ to \d+|\d+: R\d|mark_precise:|processed \d+|func#|Func|Valid"
)


class Case:
    """A program that was refused: ``env`` and ``trail`` as the walk left them, ``reason`` what the verdict says."""

    def __init__(self, env: Env, trail: Trail, verdict: Verdict, kernel: str) -> None:
        assert verdict.error is not None
        self.env = env
        self.trail = trail
        self.verdict = verdict
        self.kernel = kernel
        self.reason: Reason = verdict.error
        self.kind = self.reason.kind
        self.sources = Sources(env)
        self.names: dict[tuple[int, bool, int, int], str] = {}

    @property
    def text(self) -> str:
        """The rule's message."""
        return self.reason.text

    @cached_property
    def walked(self) -> bool:
        """Was it refused at an instruction of the walk?"""
        late = self.kind in AFTER_THE_WALK or "abusing" in self.text or "too deep !" in self.text
        return self.trail.last is not None and self.reason.insn >= 0 and not late

    @property
    def step(self) -> Step | None:
        """The path before the instruction that was refused; None where the walk had not begun or was over."""
        return self.trail.last if self.walked else None

    @property
    def slot(self) -> int:
        """The instruction's slot, -1 if none is to blame."""
        return self.reason.insn if self.walked else -1

    @property
    def insn(self) -> VInsn | None:
        """The instruction."""
        return self.env.insns[self.slot] if 0 <= self.slot < len(self.env.insns) else None

    @cached_property
    def place(self) -> Place | None:
        """Where it stands."""
        return self.place_of(self.slot) if self.slot >= 0 else None

    def place_of(self, slot: int) -> Place:
        """Where any slot stands."""
        return self.sources.place(slot)

    def reg(self, regno: int) -> Reg | None:
        """A register of the innermost frame before the instruction."""
        step = self.step
        return step.regs[regno] if step is not None and 0 <= regno <= 10 else None

    @property
    def leave(self) -> str:
        """How the function in question returns early without doing anything: ``return XDP_PASS;``."""
        step = self.step
        inside = step is not None and (len(step.frames) > 1 or step.frame.subprog != 0)
        return early_return("" if inside else self.env.prog_type)

    @cached_property
    def regno(self) -> int:
        """The register that is to blame, -1 if none: what the rule named, the message, or the address of an access."""
        if self.reason.register >= 0:
            return self.reason.register
        found = _REGISTER.search(self.text)
        if found and int(found.group(1)) <= 10:
            return int(found.group(1))
        insn = self.insn
        if insn is None:
            return -1
        kind = insn.code & 7
        return insn.src if kind == LDX else insn.dst if kind in (ST, STX) else -1

    @cached_property
    def size(self) -> int:
        """Bytes that the access moves; 0 for what is no load or store."""
        insn = self.insn
        if insn is None or insn.code & 7 not in (LDX, ST, STX):
            return 0
        return (4, 2, 1, 8)[insn.code >> 3 & 3]

    @property
    def is_call(self) -> bool:
        """Is it a call?"""
        insn = self.insn
        return insn is not None and is_call(insn)

    @cached_property
    def callee(self) -> str:
        """The name of what the instruction calls: helper, kernel function or the program's own."""
        return callee(self, self.insn) if self.insn is not None and self.is_call else ""

    @cached_property
    def said(self) -> tuple[str, ...]:
        """The kernel's last words: the lines of the log behind the last instruction, without the statistics."""
        text = _STATISTICS.sub("", self.verdict.log[-LAST_WORDS:])
        lines = [line for line in text.splitlines() if line]
        found: list[str] = []
        for line in reversed(lines):
            if _STATE_LINE.match(line):
                break
            found.append(line)
        return tuple(found[::-1])

    def numbers(self, pattern: str) -> list[int]:
        """The numbers that a pattern's groups find in the message; empty where it does not match."""
        found = re.search(pattern, "\n".join((self.text, *self.said)))
        return [int(each, 0) for each in found.groups()] if found else []


def is_call(insn: VInsn) -> bool:
    """A call of anything?"""
    return insn.code & 7 == JMP and insn.code & 0xF0 == CALL


def callee(case: Case, insn: VInsn) -> str:
    """The name of what a call calls."""
    if insn.src == BPF_PSEUDO_CALL:
        return case.sources.function(insn.idx + insn.imm + 1) or f"the function at insn {insn.idx + insn.imm + 1}"
    if insn.src == BPF_PSEUDO_KFUNC_CALL:
        return btf_type_name(case.env.vmlinux, insn.imm) or f"kernel function {insn.imm}"
    name = func_id_name(insn.imm)
    return name if name != "unknown" else f"helper {insn.imm}"
