"""Questions to a kernel, and how many of them are asked at once.

A *probe* is a generator: it yields a list of questions, is sent the list of answers, and returns what it found.
``gather`` runs any number of probes side by side and puts what they ask in one round into one batch, so that a kernel
that is slow to reach (a virtual machine) is reached a few times only.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from osmia.btf import Btf
from osmia.errors import KernelError
from osmia.isa import Insn, encode
from osmia.kernel.uapi import PROG_TYPE
from osmia.live import syscall
from osmia.live.powers import only
from osmia.live.prog import kernel_btf
from osmia.verifier.env import Powers

LOG_SIZE = 1 << 16
CAPS = ("bpf", "perfmon", "net_admin", "sys_admin")


class MapAsked(NamedTuple):
    """A map to be made before the program is loaded; ``btf_key`` and ``btf_value`` are ids in the program's BTF."""

    type: int
    key: int
    value: int
    entries: int
    flags: int = 0
    extra: int = 0
    btf_key: int = 0
    btf_value: int = 0
    inner: int = -1


@dataclass(frozen=True, slots=True)
class Question:
    """One load.  In ``insns`` a map is its number in ``maps``; ``caps`` is what the loader holds, None for all.

    ``attach`` is the expected attach type's number (for struct_ops the member's), ``btf_id`` the target's.
    """

    prog_type: str
    insns: tuple[Insn, ...]
    attach: int = 0
    btf_id: int = 0
    flags: int = 0
    level: int = 0
    caps: tuple[str, ...] | None = None
    maps: tuple[MapAsked, ...] = ()
    license: str = "GPL"
    btf: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """Errno (0: loaded) and log of one load; ``where`` is "map" when a map was refused."""

    errno: int
    log: str = ""
    where: str = "load"

    @property
    def last(self) -> str:
        """The last line that is not a statistic."""
        lines = [x for x in self.log.splitlines() if x and not x.startswith(("processed ", "verification time"))]
        return lines[-1] if lines else ""


class Asker(Protocol):
    """A kernel that answers.  ``release`` is its ``uname -r``; ``btf`` are its types; ``asked`` counts questions."""

    release: str
    btf: Btf
    asked: int

    def ask(self, batch: Sequence[Question]) -> list[Answer]:
        """One answer a question, in their order."""


Probe = Generator[list[Question], list[Answer], Any]
Progress = Callable[[int, int], None]
"""Told now and then: questions answered so far, probes that are finished."""
CHUNK = 4096


def gather(asker: Asker, probes: Iterable[Probe], progress: Progress | None = None) -> list[Any]:
    """What each probe returns, in their order.  Raises what the asker raises."""
    running = list(probes)
    results: list[Any] = [None] * len(running)
    asked: dict[int, list[Question]] = {}
    for number, probe in enumerate(running):
        _step(number, probe, None, asked, results)
    answered = 0
    while asked:
        batch = [question for questions in asked.values() for question in questions]
        answers = iter(asker.ask(batch))
        answered += len(batch)
        waiting, asked = asked, {}
        for number, questions in waiting.items():
            _step(number, running[number], [next(answers) for _ in questions], asked, results)
        if progress:
            progress(answered, len(running) - len(asked))
    return results


def _step(
    number: int, probe: Probe, answers: list[Answer] | None, asked: dict[int, list[Question]], results: list[Any]
) -> None:
    """Let one probe go on to its next questions or to its end."""
    try:
        asked[number] = next(probe) if answers is None else probe.send(answers)
    except StopIteration as done:
        results[number] = done.value


class LiveAsker:
    """The running kernel, by bpf(2)."""

    def __init__(self) -> None:
        self.release = os.uname().release
        self.btf = kernel_btf()
        self.asked = 0

    def ask(self, batch: Sequence[Question]) -> list[Answer]:
        """Load each program and forget it.  Raises Unavailable where capabilities can't be given up."""
        answers = []
        self.asked += len(batch)
        for question in batch:
            if question.caps is None:
                answers.append(_load(question))
            else:
                held = {cap: cap in question.caps for cap in CAPS}
                with only(Powers(**held)):
                    answers.append(_load(question))
        return answers


def _load(question: Question) -> Answer:
    fds: list[int] = []
    btf = syscall.btf_load(question.btf) if question.btf else 0
    types = [btf] if btf else []
    try:
        for made in question.maps:
            wanted = syscall.MapAttr(
                *(made.type, made.key, made.value, made.entries, made.flags),
                inner_fd=fds[made.inner] if made.inner >= 0 else 0,
                btf_fd=btf if made.btf_value else 0,
                btf_key_type_id=made.btf_key,
                btf_value_type_id=made.btf_value,
                map_extra=made.extra,
            )
            fds.append(syscall.map_create(wanted))
    except KernelError as error:
        return _closing([*types, *fds], Answer(error.errno or 0, "", "map"))
    code = encode(_with_maps(question.insns, fds), sys.byteorder)
    number = PROG_TYPE[question.prog_type]
    attr = syscall.ProgAttr(
        number, code, question.license, "", question.flags, 0, question.attach, question.btf_id
    )  # fmt: skip
    try:
        fd, log = syscall.prog_load(attr, question.level, LOG_SIZE)
    except KernelError as error:
        return _closing([*types, *fds], Answer(error.errno or 0, error.log))
    return _closing([*types, *fds, fd], Answer(0, log))


def _closing(fds: list[int], answer: Answer) -> Answer:
    for fd in fds:
        os.close(fd)
    return answer


def _with_maps(insns: Sequence[Insn], fds: list[int]) -> list[Insn]:
    return [i._replace(imm=fds[i.imm]) if i.is_wide and i.src_reg in (1, 2) else i for i in insns] if fds else [*insns]
