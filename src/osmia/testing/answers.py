"""Two judges, one question: what Osmia and the running kernel say to a program, in a form that can be compared."""

from __future__ import annotations

import errno as errnos
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType, TracebackType

from osmia.btf import Btf
from osmia.errors import InternalError, KernelError, OsmiaError, UsageError
from osmia.isa.consts import BPF_PSEUDO_FUNC, BPF_PSEUDO_MAP_IDX, BPF_PSEUDO_MAP_IDX_VALUE
from osmia.live.btfs import LiveBtfs
from osmia.live.maps import LiveMap
from osmia.live.powers import only
from osmia.live.prog import LiveProgram
from osmia.obj.model import MapSpec, Program
from osmia.raw import Buffer
from osmia.verifier.env import Powers
from osmia.verifier.judge import DEFAULT_KERNEL, judge

KEPT_MAPS = 400
LOG_SIZE = 1 << 24
BY_INDEX = (BPF_PSEUDO_MAP_IDX, BPF_PSEUDO_MAP_IDX_VALUE)
BOUND = ("prog_array", "cgroup_storage", "devmap", "devmap_hash", "cpumap")
"""Map types that belong to the first program that uses them."""
TIME = re.compile(r"verification time \d+ usec$", re.MULTILINE)
PROCESSED = re.compile(r"processed (\d+) insns", re.MULTILINE)
KERNEL_ID = re.compile(r"(\bcall \w+#(?=\d{4})|^func '\w+' arg\d+ has btf_id )\d+", re.MULTILINE)
LOAD = re.compile(r"(\b(\d+): (?:[.\d]{10} )?\(18\) r\d+ = )0x[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class Answer:
    """Errno (0: accepted) and log.  ``unsupported`` names what Osmia can't judge; ``crash`` is an error of its own.

    ``cut``: the log was too long for the buffer, and hides the answer.
    """

    errno: int
    log: str = ""
    unsupported: str = ""
    crash: str = ""
    cut: bool = False

    @property
    def processed(self) -> int:
        """Instructions that the verifier went through."""
        found = PROCESSED.findall(self.log)
        return int(found[-1]) if found else 0

    @property
    def message(self) -> str:
        """The last line of the log that is no statistics."""
        lines = [
            x for x in self.log.splitlines() if not x.startswith(("processed ", "verification time", "stack depth"))
        ]
        return lines[-1] if lines else ""


class Kernel:
    """The running kernel, with the maps of earlier programs at hand."""

    def __init__(self) -> None:
        self._maps: dict[tuple[int, Powers], tuple[MapSpec, LiveMap]] = {}
        self._btfs: dict[Powers, LiveBtfs] = {}
        self._room = Buffer(LOG_SIZE)

    def ask(self, program: Program, level: int, powers: Powers) -> Answer:
        """Make its maps, load the program, and forget it.  Raises UsageError for what such a load can't say."""
        if program.fd_array is None and any(insn.is_wide and insn.src_reg in BY_INDEX for insn in program.insns):
            raise UsageError("a load by number in fd_array, which is not passed")
        try:
            maps = [self._map(spec, powers) for spec in program.maps]
        except KernelError as error:
            return Answer(error.errno or 0)
        own = [live for live in maps if live.spec.type in BOUND]
        try:
            return self._load(program, maps, level, powers)
        finally:
            for live in own:
                live.close()

    def _load(self, program: Program, maps: list[LiveMap], level: int, powers: Powers) -> Answer:
        try:
            with only(powers), LiveProgram(program, maps, [], level, self._room, self._btfs.get(powers)) as loaded:
                return Answer(0, masked(loaded.log, program))
        except KernelError as error:
            if error.errno == errnos.ENOSPC:
                return Answer(0, "", cut=True)
            return Answer(error.errno or 0, masked(error.log or "", program))

    def _map(self, spec: MapSpec, powers: Powers) -> LiveMap:
        found = self._maps.get((id(spec), powers))
        if found is None:
            if len(self._maps) > KEPT_MAPS:
                self.close()
            with only(powers):
                found = spec, LiveMap(spec, self._btfs.setdefault(powers, LiveBtfs()))
            if spec.type not in BOUND:
                self._maps[id(spec), powers] = found
        return found[1]

    def close(self) -> None:
        """Give the maps back."""
        for _, live in self._maps.values():
            live.close()
        for btfs in self._btfs.values():
            btfs.close()
        self._maps.clear()
        self._btfs.clear()

    def __enter__(self) -> Kernel:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def ask_osmia(
    program: Program,
    level: int,
    powers: Powers,
    seconds: int = 20,
    kernel: str = DEFAULT_KERNEL,
    btf: Btf | None = None,
) -> Answer:
    """Osmia's answer for a kernel (by its profile, with its types: the running kernel's where none are given).

    Any exception, and more time than that, is an answer too: ``crash``.
    """
    try:
        with limited(seconds):
            verdict = judge(program, kernel, powers, log_level=level, btf=btf)
    except OsmiaError as error:
        return Answer(-1, crash=f"{type(error).__name__}: {error}")
    except Exception as error:  # a bug of ours is what this is here to find
        return Answer(-1, crash=_where(error))
    if verdict.unsupported:
        return Answer(-1, unsupported=verdict.unsupported)
    return Answer(verdict.errno, masked(verdict.log, program))


def _where(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    at = f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__name__}: {error} ({at})"


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """No more than that; raises InternalError.  In the main thread only."""

    def late(number: int, frame: FrameType | None) -> None:
        raise InternalError(f"no verdict in {seconds} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def masked(log: str, program: Program) -> str:
    """The log without what differs from load to load, or between builds of a kernel.

    Addresses of maps, how long it took, and the numbers of the kernel's functions and types.
    """
    log = TIME.sub("verification time N usec", log)
    if program.externs or program.attach_target:
        log = KERNEL_ID.sub(r"\1ID", log)
    loads = {
        str(slot) for slot, insn in enumerate(program.insns)
        if insn.is_wide and insn.src_reg not in (0, BPF_PSEUDO_FUNC)
    }  # fmt: skip
    return LOAD.sub(lambda m: f"{m[1]}0xADDR" if m[2] in loads else m[0], log) if loads else log
