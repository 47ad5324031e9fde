"""And the real kernel?  bpf(2) through ctypes: load, test-run, maps.  Nothing is ever attached."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from osmia.errors import KernelError, Unavailable

if TYPE_CHECKING:
    from osmia.live.maps import LiveMap
    from osmia.live.prog import LiveProgram
    from osmia.obj.model import Program

__all__ = ["available", "load"]


def load(program: Program, maps: Sequence[LiveMap] | None = None, *, log_level: int = 0) -> LiveProgram:
    """Have the running kernel verify and take the program; without ``maps``, new ones are made from its specs.

    ``log_level`` 1 or 2 asks for the verifier's log; a refusal always carries it.
    Raises KernelError (errno, log), Unavailable, UsageError.
    """
    from osmia.live.maps import LiveMap
    from osmia.live.prog import LiveProgram

    def attempt(level: int) -> LiveProgram:
        own = [LiveMap(spec) for spec in program.maps] if maps is None else []  # a refused program closes its own
        return LiveProgram(program, own if maps is None else maps, own, level)

    try:
        return attempt(log_level)
    except KernelError as error:
        if error.log or log_level or error.errno in (errno.EPERM, errno.EMFILE):
            raise
        refused = error
    try:
        return attempt(1)
    except KernelError as error:  # a log that does not fit would say ENOSPC: the first answer counts
        raise KernelError(f"loading program {program.name}", refused.errno, error.log) from None


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
