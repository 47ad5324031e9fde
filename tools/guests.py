"""Linux kernels in QEMU guests as judges of programs: a batch of programs, one boot, an answer each.

The machinery that boots them is found through $OSMIA_ORACLE; the kernels lie in its cache.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from osmia.btf import Btf
from osmia.errors import Unavailable
from osmia.obj.model import Program
from osmia.obj.record import record
from osmia.testing.answers import Answer, masked
from osmia.verifier.env import Powers

ORACLE = Path(os.environ.get("OSMIA_ORACLE", "/nonexistent"))
CAPS = ("bpf", "perfmon", "net_admin", "sys_admin")
LOG_SIZE = 1 << 20
"""Of a guest's log buffer, in bytes: longer logs hide the answer, and are left out."""


@dataclass(frozen=True)
class Task:
    """A program to judge, at a log level, for a loader with some powers."""

    program: Program
    level: int = 1
    powers: Powers = field(default_factory=Powers)


class Guest:
    """One kernel, by the name of its profile.  Raises Unavailable where no guest can be started."""

    def __init__(self, kernel: str) -> None:
        if not (ORACLE / "qemu_oracle.py").is_file():
            raise Unavailable(f"no guests at {ORACLE} (set OSMIA_ORACLE)")
        if str(ORACLE) not in sys.path:
            sys.path.insert(0, str(ORACLE))
        self.kernel = kernel
        self.boots = 0
        try:
            import kernels

            self.files: Any = kernels.find(kernel)
        except Exception as error:
            raise Unavailable(f"no kernel {kernel} in the cache of the guests: {error}") from error

    @cached_property
    def btf(self) -> Btf:
        """The kernel's types."""
        return Btf.parse(Path(self.files.btf).read_bytes())

    def types_for(self, program: Program) -> Btf | None:
        """What the verifier needs of them; the kernel's size is not read for a program that names no kernel type."""
        return self.btf if program.externs or program.attach_target else None

    def ask(self, tasks: Sequence[Task], timeout: float = 240) -> list[Answer | None]:
        """Every program in one boot (a crash takes one more); None where there is no answer.

        No answer: the guest crashed or ran out of time, the kernel lacks a name, or the log was too long.
        """
        import qemu_oracle

        verdicts, info = qemu_oracle.run_batch(
            self.kernel, [_packed(task) for task in tasks], timeout=timeout, log_size=LOG_SIZE
        )
        self.boots += info.boots
        return [_answer(verdict, task) for verdict, task in zip(verdicts, tasks, strict=True)]


def _packed(task: Task) -> Any:
    import program as oracle

    row = record(task.program) | {"log_level": task.level}
    held = [cap for cap in CAPS if getattr(task.powers, cap)]
    if len(held) < len(CAPS):
        row |= {"caps": held, "unprivileged": not held}
    return oracle.Program.from_json(row)


def _answer(verdict: Any, task: Task) -> Answer | None:
    if verdict.where in ("crash", "timeout", "reloc") or verdict.log_cut:
        return None
    log = "" if verdict.log.startswith("magic: 0x") else verdict.log  # what BPF_BTF_LOAD says, Osmia does not
    return Answer(verdict.errno, masked(log, task.program))
