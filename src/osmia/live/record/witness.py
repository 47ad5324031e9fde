"""Which behaviours a kernel has: short programs that the verifier judges otherwise with and without one of them.

``kernel/data/witnesses.jsonl`` holds the programs, as ``osmia emit`` writes them.  What each of them tells follows from
Osmia's own verifier: it judges the program as the kernel's version does, and with one behaviour more or less.  Where
the kernel's answer is the second, and no single other behaviour explains it as well, the profile says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from osmia.kernel.features import DATA, features
from osmia.kernel.profile import Profile
from osmia.kernel.uapi import ATTACH_TYPE, MAP_TYPE
from osmia.live.record.asker import Answer, Asker, MapAsked, Progress, Question, gather
from osmia.live.record.facts import Asking
from osmia.obj.model import MapSpec, Program
from osmia.obj.record import Lines
from osmia.verifier.judge import judge

FILE = "witnesses.jsonl"
Outcome = tuple[int, str]
STATISTICS = ("processed ", "verification time", "stack depth", "mark_read")
UNKNOWN: Outcome = (-1, "")


@dataclass(frozen=True, slots=True)
class Witness:
    """A program, and how it is put to a kernel."""

    program: Program
    question: Question


def read() -> list[Witness]:
    """The witnesses that Osmia brings along, those that no profile needs maps with BTF for."""
    path = DATA / FILE
    if not path.is_file():
        return []
    lines = Lines()
    programs = [lines.read(line, n)[0] for n, line in enumerate(path.read_bytes().splitlines(), 1)]
    return [Witness(program, question) for program in programs for question in questions(program)]


def questions(program: Program) -> Iterator[Question]:
    """The same program as a question; nothing where it can't be one."""
    if program.func_info or program.externs or any(map(_special, program.maps)):
        return
    maps = []
    for spec in program.maps:
        sizes = spec.key_size, spec.value_size, spec.max_entries, spec.flags, spec.map_extra
        maps.append(MapAsked(MAP_TYPE[spec.type], *sizes))
    attach = ATTACH_TYPE.get(program.expected_attach_type, 0)
    insns = tuple(program.insns)
    yield Question(program.prog_type, insns, attach, 0, program.flags, 1, None, tuple(maps), program.license)


def _special(spec: MapSpec) -> bool:
    return bool(spec.inner or spec.btf_value_type_id or spec.btf_vmlinux_value_type or spec.frozen or spec.has_content)


def outcome(program: Program, profile: Profile) -> Outcome:
    """Errno and reason of Osmia's verdict; ``UNKNOWN`` where it has none."""
    said = judge(program, profile)
    return UNKNOWN if said.unsupported else (said.errno, last_line(said.log) if said.errno else "")


def last_line(log: str) -> str:
    """The line that says why."""
    lines = [line for line in log.splitlines() if line and not line.startswith(STATISTICS)]
    return lines[-1] if lines else ""


def answered(answer: Answer) -> Outcome:
    """The kernel's answer in the same terms."""
    return (answer.errno, last_line(answer.log) if answer.errno else "") if answer.where == "load" else UNKNOWN


def ask(witness: Witness) -> Asking:
    """Put it to a kernel."""
    (answer,) = yield [witness.question]
    return answered(answer)


def differing(asker: Asker, profile: Profile, progress: Progress | None = None) -> list[str]:
    """Rows ``+name`` and ``-name``: what the kernel does otherwise than the profile says.

    A behaviour is noted where its change explains answers that the profile does not, and contradicts none.
    """
    witnesses = read()
    said: list[Outcome] = gather(asker, map(ask, witnesses), progress)
    trial = Trial([w.program for w in witnesses], said)
    rows = []
    while odd := trial.odd(profile):
        better = {name: trial.explained(toggled(profile, name), odd) for name in features()}
        name = max(better, key=lambda name: better[name])
        if not better[name]:
            break
        profile = toggled(profile, name)
        rows.append(f"{'+' if name in profile.features else '-'}{name}")
    return sorted(rows, key=lambda row: row[1:])


def toggled(profile: Profile, name: str) -> Profile:
    """The kernel with one behaviour more, or less."""
    return replace(profile, features=profile.features ^ {name})


@dataclass(frozen=True, slots=True)
class Trial:
    """Programs and what a kernel said of them, held against what profiles say."""

    programs: list[Program]
    said: list[Outcome]

    def odd(self, profile: Profile) -> list[int]:
        """The programs of which the profile says something else."""
        return [n for n in range(len(self.said)) if not self._agrees(n, profile)]

    def explained(self, profile: Profile, odd: list[int]) -> int:
        """How many of the odd programs the profile explains; 0 where it is wrong about one that was not odd."""
        count = sum(self._agrees(n, profile) for n in odd)
        others = (n for n in range(len(self.said)) if n not in odd)
        return count if count and all(self._agrees(n, profile) for n in others) else 0

    def _agrees(self, number: int, profile: Profile) -> bool:
        if self.said[number] == UNKNOWN:
            return True
        made = outcome(self.programs[number], profile)
        return made in (UNKNOWN, self.said[number])
