"""And the real kernel?  bpf(2) through ctypes: load, test-run, maps.  Nothing is ever attached."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from osmia.errors import KernelError, Unavailable

if TYPE_CHECKING:
    from osmia.live.btfs import LiveBtfs
    from osmia.live.maps import LiveMap
    from osmia.live.prog import LiveProgram
    from osmia.obj.model import Program

__all__ = ["available", "load"]

STATS = 4
"""BPF_LOG_STATS: the verifier's words without a line for each instruction."""
MANY = 100_000
"""Instructions from which on a log of each of them takes seconds, and says less than the verdict alone."""


def load(
    program: Program,
    maps: Sequence[LiveMap] | None = None,
    *,
    log_level: int = 0,
    btfs: LiveBtfs | None = None,
) -> LiveProgram:
    """Have the running kernel verify and take the program; without ``maps``, new ones are made from its specs.

    ``log_level`` 1 or 2 asks for the verifier's log; a refusal always carries it, but only its verdict where the
    verifier went through more than 100,000 instructions.  ``btfs``: what was loaded for ``maps``.
    Raises KernelError (errno, log), Unavailable, UsageError.
    """
    from osmia.live.btfs import LiveBtfs
    from osmia.live.maps import LiveMap
    from osmia.live.prog import LiveProgram

    def attempt(level: int) -> LiveProgram:
        shared = btfs if btfs is not None else LiveBtfs()
        try:  # a refused program closes its own maps
            own = [LiveMap(spec, shared) for spec in program.maps] if maps is None else []
            return LiveProgram(program, own if maps is None else maps, own, level, None, shared)
        finally:
            if shared is not btfs:
                shared.close()

    try:
        loaded = attempt(log_level or STATS)
        loaded.log = loaded.log if log_level else ""
        return loaded
    except KernelError as error:
        if log_level or error.errno in (errno.EPERM, errno.EMFILE) or _processed(error.log) >= MANY:
            raise
        refused = error.errno
    for level in (0, 1) if refused == errno.ENOSPC else (1,):  # a log that does not fit hides the answer
        try:
            return attempt(level)
        except KernelError as error:
            refused, log = error.errno if level == 0 else refused, error.log
    raise KernelError(f"loading program {program.name}", refused, log)


def _processed(log: str) -> int:
    """How many instructions the verifier went through, from its last line."""
    found = re.findall(r"^processed (\d+) insns", log, re.MULTILINE)
    return int(found[-1]) if found else 0


def available() -> str | None:
    """None where bpf(2) loads programs for us, else why it does not, in words."""
    from osmia.isa import encode
    from osmia.isa.macros import BPF_EXIT_INSN, BPF_MOV64_IMM
    from osmia.live import syscall

    try:
        program = encode((BPF_MOV64_IMM(0, 0), BPF_EXIT_INSN()), sys.byteorder)
        fd, _ = syscall.prog_load(syscall.ProgAttr(6, program, "GPL", "osmia_probe"))
    except KernelError as error:
        return f"bpf(2) refuses to load a program: {errno.errorcode.get(error.errno, error.errno)}"
    except Unavailable as error:
        return str(error)
    os.close(fd)
    return None
