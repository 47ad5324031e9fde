"""Many programs as JSON lines, each with the verdict of each kernel: a corpus can be put to Osmia as to real kernels.

A line is a program as ``osmia emit`` writes it, and may say how to load it: ``log_level`` (1 where it does not),
``unprivileged``, ``caps``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from osmia.btf import Btf
from osmia.isa.consts import LD_IMM64
from osmia.kernel import profile as profiles
from osmia.obj.model import Program
from osmia.obj.record import Lines
from osmia.verifier.env import Powers
from osmia.verifier.judge import judge, powers
from osmia.verifier.verdict import Reason, Verdict

LOG_SIZE = 1 << 24
"""The buffer that the log gets, in bytes."""
ADDRESS = re.compile(r"(\b(\d+): (?:[.0-9]{10,11} )?\(18\) r\d+ = )0x[0-9a-f]+")
BY_ADDRESS = (1, 2, 3, 5, 6)
"""Kinds of 64-bit loads (src_reg) that hold an address in the kernel."""


@dataclass(frozen=True)
class How:
    """How to load every program; None leaves it to the line."""

    kernels: Sequence[str] = ("6.18",)
    log_level: int | None = None
    unprivileged: bool = False
    caps: tuple[str, ...] | None = None
    btf: Btf | None = None


class Batch:
    """Answers lines one by one."""

    def __init__(self, how: How) -> None:
        self.how = how
        self.lines = Lines()
        for kernel in how.kernels:
            profiles.load(kernel)

    def answer(self, line: bytes, number: int) -> dict[str, Any]:
        """The name of the program and its verdicts by kernel.  Raises RecordError with the line."""
        program, wanted = self.lines.read(line, number)
        level = wanted["log_level"] if self.how.log_level is None else self.how.log_level
        caps = wanted["caps"] if self.how.caps is None else self.how.caps
        power = powers(not (self.how.unprivileged or wanted["unprivileged"]), caps or None)
        kernels = {}
        for kernel in self.how.kernels:
            made = careful(program, kernel, power, level, self.how.btf)
            kernels[kernel] = made.to_json() | {"log": mask_addresses(made.log, program)}
        return {"name": wanted["name"], "kernels": kernels}


def careful(program: Program, kernel: str, power: Powers, level: int, btf: Btf | None) -> Verdict:
    """A verdict in any case: our own failure is ``where: "crash"``, and does not end the batch.

    A log that does not fit hides the verdict; it is then asked for again, without one.
    """
    try:
        made = judge(program, kernel, power, log_level=level, log_size=LOG_SIZE if level else 0, btf=btf)
        if made.log_cut:
            made = replace(judge(program, kernel, power, log_level=0, btf=btf), log=made.log, log_cut=True)
        return made
    except Exception as e:
        return Verdict(False, where="crash", error=Reason("crash", f"{type(e).__name__}: {e}"))


def mask_addresses(log: str, program: Program) -> str:
    """The log with 0xADDR for addresses of maps and kernel variables, which differ from load to load."""
    loads = {str(i) for i, insn in enumerate(program.insns) if insn.code == LD_IMM64 and insn.src_reg in BY_ADDRESS}
    if not loads:
        return log
    return ADDRESS.sub(lambda m: f"{m[1]}0xADDR" if m[2] in loads else m[0], log)
