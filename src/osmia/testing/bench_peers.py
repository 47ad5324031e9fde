"""Other machines for eBPF programs, where this computer has them: the bench runs them beside Osmia.

They get programs as a function of (memory, size), without maps and helpers, and answer R0.

- uBPF as a shared library, with the C interface of its ``ubpf.h``: ``libubpf`` where the linker looks, or the file that
  ``OSMIA_UBPF`` names.
- Any machine behind a small program of a few dozen lines, which is found on PATH as ``osmia-peer-NAME``, or is the
  command in ``OSMIA_PEER_NAME``; NAME is one of ``PROGRAMS``.  It reads lines and answers each with one:

      load INSTRUCTIONS MEMORY     both in hexadecimal ("-" for no memory); "ok NANOSECONDS" that compiling took
      run TIMES                    so often on the same memory; "ok R0 NANOSECONDS" of all runs together, decimal

  or ``error WORDS``.  It ends with its input.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from osmia.errors import Unavailable
from osmia.isa import encode
from osmia.raw import Buffer
from osmia.testing.bench import Answer, Subject, Task

if TYPE_CHECKING:
    from osmia.obj.model import Program

PROGRAMS = ("ubpf", "rbpf", "llvmbpf", "febpf")
"""Machines that a program may stand for."""
PATIENCE = 60.0
"""Seconds that a program has to answer one line."""


def peers(task: Task) -> list[Subject]:
    """Every machine that can be found, with the task; the others say why they are skipped when they are loaded."""
    found: list[Subject] = [Ubpf(task, jit) for jit in (True, False)] if library() else []
    return [*found, *(Peer(task, name, command) for name in PROGRAMS if (command := command_of(name)))]


def missing() -> dict[str, str]:
    """The machines that this computer lacks, and how to bring each along."""
    how = {name: f"no osmia-peer-{name} on PATH, no {variable(name)}" for name in PROGRAMS if not command_of(name)}
    if library():
        how.pop("ubpf", None)
    elif "ubpf" in how:
        how["ubpf"] += ", no libubpf, no OSMIA_UBPF"
    return how


def plain_program(task: Task) -> Program:
    """The task as a function of (memory, size).  Raises Unavailable when there is no such form of it."""
    if task.plain is None:
        raise Unavailable("takes functions of (memory, size), and the program is none")
    program = task.plain.programs[task.program]
    if program.maps:
        raise Unavailable("has no maps")
    return program


# -- uBPF ------------------------------------------------------------------------------------------------------------


def library() -> str | None:
    """The file of uBPF's library."""
    return os.environ.get("OSMIA_UBPF") or ctypes.util.find_library("ubpf")


class Ubpf:
    """uBPF in this process: its compiler or its interpreter, called by the same native loop as our own code."""

    def __init__(self, task: Task, jit: bool) -> None:
        self.task, self.jit = task, jit
        self.name = "ubpf JIT" if jit else "ubpf interpreter"
        self._lib: Any = None
        self._vm = self._function = 0

    def load(self) -> None:
        """Raises Unavailable, with uBPF's words when it refuses the program."""
        code = encode(plain_program(self.task).insns, sys.byteorder)
        self._lib = lib = _bound(library() or "")
        self._vm = lib.ubpf_create() or 0
        said = ctypes.c_char_p()
        if not self._vm or lib.ubpf_load(self._vm, code, len(code), ctypes.byref(said)):
            raise Unavailable(_words(said) or "no memory")
        self._memory, self._result = Buffer.of(self.task.data), Buffer(8)
        if self.jit:
            self._function = lib.ubpf_compile(self._vm, ctypes.byref(said)) or 0
            if not self._function:
                raise Unavailable(_words(said))

    def answer(self) -> Answer:
        """One run."""
        self._call(1)
        return Answer(int.from_bytes(bytes(self._result), sys.byteorder) & 0xFFFFFFFF, bytes(self._memory))

    def time(self, times: int) -> float:
        """See ``Subject``."""
        begin = time.thread_time_ns()
        self._call(times)
        return (time.thread_time_ns() - begin) / times

    def _call(self, times: int) -> None:
        from osmia.vm.jit.batch import call_often

        memory, size, result = self._memory.address, self._memory.size, self._result.address
        if self.jit:
            call_often(self._function, times, memory, size, 0, 0, result)
            return
        exec_ = ctypes.cast(self._lib.ubpf_exec, ctypes.c_void_p).value or 0
        if call_often(exec_, times, self._vm, memory, size, result, 0) & 0xFFFFFFFF:
            raise Unavailable("its interpreter stopped with an error")

    def close(self) -> None:
        """Free it."""
        if self._vm:
            self._lib.ubpf_destroy(self._vm)
            self._vm = 0


def _bound(path: str) -> Any:
    try:
        lib = ctypes.CDLL(path)
        pointer, said = ctypes.c_void_p, ctypes.POINTER(ctypes.c_char_p)
        lib.ubpf_create.restype, lib.ubpf_create.argtypes = pointer, []
        lib.ubpf_destroy.restype, lib.ubpf_destroy.argtypes = None, [pointer]
        lib.ubpf_load.argtypes = [pointer, ctypes.c_char_p, ctypes.c_uint32, said]
        lib.ubpf_compile.restype, lib.ubpf_compile.argtypes = pointer, [pointer, said]
        lib.ubpf_exec.argtypes = [pointer, pointer, ctypes.c_size_t, pointer]
    except (OSError, AttributeError) as e:
        raise Unavailable(f"{path} is no uBPF: {e}") from None
    return lib


def _words(said: ctypes.c_char_p) -> str:
    return (said.value or b"").decode(errors="replace").strip()


# -- programs --------------------------------------------------------------------------------------------------------


def variable(name: str) -> str:
    """The environment's variable for a machine's command."""
    return f"OSMIA_PEER_{name.upper()}"


def command_of(name: str) -> list[str]:
    """The command that stands for a machine; empty when there is none."""
    given = os.environ.get(variable(name))
    if given:
        return shlex.split(given)
    found = shutil.which(f"osmia-peer-{name}")
    return [found] if found else []


class Peer:
    """A machine in a program of its own."""

    def __init__(self, task: Task, name: str, command: Sequence[str]) -> None:
        self.task, self.name, self.command = task, f"{name} JIT", list(command)
        self.facts: dict[str, Any] = {}
        self._process: subprocess.Popen[str] | None = None

    def load(self) -> None:
        """Raises Unavailable: it can't be started, or said no."""
        code = encode(plain_program(self.task).insns, sys.byteorder)
        try:
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(self.command, stdin=pipe, stdout=pipe, text=True, bufsize=1)
        except OSError as e:
            raise Unavailable(f"can't start {self.command[0]}: {e.strerror}") from None
        (compile_ns,) = self._ask(f"load {code.hex()} {self.task.data.hex() or '-'}", 1)
        self.facts["compile_ns"] = compile_ns

    def answer(self) -> Answer:
        """One run."""
        return Answer(self._ask("run 1", 2)[0] & 0xFFFFFFFF)

    def time(self, times: int) -> float:
        """See ``Subject``: the program's own clock."""
        return self._ask(f"run {times}", 2)[1] / times

    def _ask(self, line: str, numbers: int) -> list[int]:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise Unavailable(f"{self.command[0]} is not running")
        try:
            process.stdin.write(line + "\n")
            process.stdin.flush()
            words = _line(process).split()
        except OSError as e:
            raise Unavailable(f"{self.command[0]} is gone: {e.strerror}") from None
        if words[:1] == ["error"]:
            raise Unavailable(" ".join(words[1:]) or "it says no more than error")
        if words[:1] != ["ok"] or len(words) != numbers + 1 or not all(w.isdigit() for w in words[1:]):
            raise Unavailable(f"{self.command[0]} answers {' '.join(words)[:80]!r}")
        return [int(w) for w in words[1:]]

    def close(self) -> None:
        """End the program."""
        if self._process is not None:
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    stream.close()
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


def _line(process: subprocess.Popen[str]) -> str:
    """The next line; Unavailable when none comes in time."""
    import select

    out = process.stdout
    assert out is not None
    if not select.select([out], [], [], PATIENCE)[0]:
        process.kill()
        raise Unavailable(f"no answer within {PATIENCE:.0f} seconds")
    line = out.readline()
    if not line:
        raise Unavailable(f"it ended with status {process.wait()}")
    return line
