"""The answer: would the kernel take the program, and if not, why: facts first, the kernel's words behind them."""

from __future__ import annotations

import errno as errnos
from dataclasses import dataclass, field
from typing import Any

from osmia.verifier.facts import Facts

ENOTSUPP = 524
"""A number of the kernel's own that leaks out; C libraries have no name for it."""


def errno_name(number: int) -> str:
    """``EACCES`` of 13; empty of 0."""
    if number == ENOTSUPP:
        return "ENOTSUPP"
    return errnos.errorcode.get(number, str(number)) if number else ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a program was refused.

    ``kind`` is the short lasting name of the rule, ``text`` the kernel's message.  ``insn`` is the slot, -1 where the
    rule is about the whole program; ``register`` is -1 where none is to blame; ``expected`` and ``found`` are what the
    rule compared, if it did.  ``source`` is the C source line (``return 0; @ prog.bpf.c:12``), ``shown`` the
    instruction as the log writes it.
    """

    kind: str
    text: str
    insn: int = -1
    register: int = -1
    expected: Any = None
    found: Any = None
    source: str = ""
    shown: str = ""

    def __str__(self) -> str:
        where = f"insn {self.insn}: " if self.insn >= 0 else ""
        return f"{where}{self.text}" + (f" ({self.source})" if self.source else "")

    def to_json(self) -> dict[str, Any]:
        """Plain values; what is not known is left out."""
        known = {name: getattr(self, name) for name in self.__slots__}
        return {name: _plain(value) for name, value in known.items() if value not in (None, "", -1)}


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(v) for v in value]
    return value if isinstance(value, int | str) else str(value)


@dataclass(slots=True)
class Verdict:
    """What the kernel would say to BPF_PROG_LOAD.

    ``ok``: it takes the program.  ``errno`` is positive, 0 when ok; ``error`` says why.  ``where`` is the step that
    answered: "load" (the verifier, or the checks in front of it), "map", "btf", "reloc" (a name that this kernel
    lacks), or "unsupported": a rule is needed that Osmia does not have, named by ``unsupported``, and nothing is known.

    ``log`` is the verifier's at the level that was asked for, ``log_true_size`` what holds all of it in bytes, and
    ``log_cut`` whether the buffer was smaller: the kernel refuses such a load with ENOSPC, whatever it would have said.
    ``processed`` and the states are the verifier's counts; ``stack_depth`` is bytes of stack by function.
    ``facts`` is there when it was asked for.
    """

    ok: bool
    errno: int = 0
    log: str = ""
    error: Reason | None = None
    where: str = "load"
    unsupported: str = ""
    processed: int = 0
    total_states: int = 0
    peak_states: int = 0
    max_states_per_insn: int = 0
    stack_depth: tuple[int, ...] = ()
    log_true_size: int = 0
    log_cut: bool = False
    usec: int = 0
    facts: Facts | None = field(default=None, repr=False)

    @property
    def errno_name(self) -> str:
        """``EACCES``; empty when the program is accepted."""
        return errno_name(self.errno)

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        if self.ok:
            return f"accepted: {self.processed} insns processed"
        if self.unsupported:
            return f"unknown: {self.unsupported} can't be judged yet"
        return f"rejected with {self.errno_name}" + (f": {self.error}" if self.error else "")

    def to_json(self) -> dict[str, Any]:
        """The verdict as ``osmia verdict`` writes it: ``error`` is the errno's name, ``where`` stands with refusals."""
        made: dict[str, Any] = {"ok": self.ok, "errno": self.errno, "log": self.log}
        if self.errno:
            made["error"] = self.errno_name
        if not self.ok and self.where != "load":
            made["where"] = self.where
        if self.unsupported:
            made["unsupported"] = self.unsupported
        if self.log_cut:
            made["log_cut"] = True
        if self.error:
            made["reason"] = self.error.to_json()
        counts = ("processed", "total_states", "peak_states", "max_states_per_insn")
        made |= {name: getattr(self, name) for name in counts}
        made["stack_depth"] = "+".join(map(str, self.stack_depth))
        return made
