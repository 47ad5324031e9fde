"""Running the compiler: one ``Job`` says everything, ``run`` does it, ``compile`` is the short form."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from osmia.cc.toolchain import Compiler, find_compiler
from osmia.errors import CompileError, Unavailable, UsageError

INCLUDE = Path(__file__).parent / "include"
CPUS = ("v1", "v2", "v3", "v4")
EMITS = {"obj": ("-c",), "asm": ("-S",), "ll": ("-S", "-emit-llvm")}
TIMEOUT = 300
"""Seconds for one compilation, which takes tenths: macros can be written that expand for ever."""
_TARGETS = {"little": "bpfel", "big": "bpfeb"}
_ARCHES = {"x86_64": "x86", "AMD64": "x86", "aarch64": "arm64", "arm64": "arm64"}
_MULTIARCH = {"x86": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
_FIRST_ERROR = re.compile(r"^(?P<file>.+?):(?P<line>\d+):(?P<column>\d+): (?:fatal )?error: (?P<words>.*)$", re.M)


@dataclass(frozen=True, slots=True)
class Output:
    """What the compiler wrote, and its warnings in its own words ("" without any)."""

    data: bytes
    warnings: str
    compiler: Compiler


@dataclass(frozen=True, slots=True)
class Job:
    """One compilation.

    ``source`` is a path, C text (a str with a line break or a brace in it), or ``"-"`` for standard input.
    ``cpu`` is the instruction set ("v1" … "v4", or any value of clang's -mcpu), ``order`` "little" or "big", ``arch``
    the machine whose registers ``PT_REGS_*`` read ("x86", "arm64"; the host's by default), ``emit`` one of EMITS,
    ``vmlinux`` a BTF file that takes the place of our ``vmlinux.h``, ``compiler`` a name for ``find_compiler``.
    With ``system_headers`` those of the machine come before ours.
    """

    source: str | Path
    cpu: str = "v3"
    includes: Sequence[str | Path] = ()
    defines: Sequence[str] = ()
    order: str = "little"
    system_headers: bool = False
    emit: str = "obj"
    arch: str | None = None
    vmlinux: str | Path | None = None
    compiler: str | None = None
    extra: Sequence[str] = ()


def compile(
    source: str | Path, *, cpu: str = "v3", includes: Sequence[str | Path] = (), defines: Sequence[str] = (),
    order: str = "little", system_headers: bool = False, arch: str | None = None,
    vmlinux: str | Path | None = None, compiler: str | None = None, extra: Sequence[str] = (),
    on_warning: Callable[[str], object] | None = None,
) -> bytes:  # fmt: skip
    """The object file made from C; see ``Job`` for the arguments.

    Warnings go to ``on_warning``, or to stderr.  Raises CompileError (``output`` has the compiler's words and place),
    Unavailable without a compiler, UsageError for a value that is not known or a file that can't be read.
    """
    job = Job(source, cpu, includes, defines, order, system_headers, "obj", arch, vmlinux, compiler, extra)
    output = run(job)
    if output.warnings:
        (on_warning or sys.stderr.write)(output.warnings)
    return output.data


def run(job: Job) -> Output:
    """Do one job.  Raises as ``compile`` does."""
    _check(job)
    compiler = find_compiler(job.compiler)
    try:
        with tempfile.TemporaryDirectory(prefix="osmia-cc-") as name:
            return _run_in(Path(name), job, compiler)
    except OSError as e:
        raise Unavailable(f"no room for the compiler's files: {e}") from None


def _run_in(place: Path, job: Job, compiler: Compiler) -> Output:
    path, options = _source_file(job.source, place)
    made = place / "made"
    command = [*compiler.command, *arguments(job, place), *options, *job.extra, path, "-o", str(made)]
    failed, words = _call(command)
    words = words.replace(f"{place}/", "")
    if failed or not made.exists():
        raise _refused(words, compiler)
    return Output(made.read_bytes(), words, compiler)


def _call(command: list[str]) -> tuple[int, str]:
    """Exit status and stderr; Unavailable when the compiler can't be started, CompileError when it does not end."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        raise CompileError(f"{command[0]} was at it for {TIMEOUT} seconds and was stopped") from None
    except OSError as e:
        raise Unavailable(f"can't start {command[0]}: {e.strerror}") from None
    return done.returncode, done.stderr.decode("utf-8", "replace")


def arguments(job: Job, place: Path) -> list[str]:
    """The compiler's arguments but for source and output; ``place`` is a directory for headers that are made."""
    arch = job.arch or _ARCHES.get(platform.machine(), "x86")
    return [
        *("-target", _TARGETS[job.order], f"-mcpu={job.cpu}", "-g", "-O2", *EMITS[job.emit]),
        *("-Wno-unused-command-line-argument", f"-ffile-prefix-map={place}=."),
        *(f"-D{d}" for d in (f"__TARGET_ARCH_{arch}", *job.defines)),
        *(f"-I{d}" for d in job.includes),
        *_made_vmlinux(job, place),
        *_header_paths(job, arch),
    ]


def _header_paths(job: Job, arch: str) -> list[str]:
    if not job.system_headers:
        return ["-isystem", str(INCLUDE)]
    return ["-idirafter", f"/usr/include/{_MULTIARCH.get(arch, '')}", "-idirafter", str(INCLUDE)]


def _made_vmlinux(job: Job, place: Path) -> list[str]:
    """Options that put a vmlinux.h made from a BTF file before ours."""
    if job.vmlinux is None:
        return []
    from osmia.cc.vmlinux import write_vmlinux

    write_vmlinux(job.vmlinux, place / "vmlinux" / "vmlinux.h")
    return [f"-I{place / 'vmlinux'}", "-DOSMIA_VMLINUX"]


def _source_file(source: str | Path, place: Path) -> tuple[str, list[str]]:
    """The path to compile, and options; text is written into ``place`` and finds headers of the working directory."""
    text = _text_of(source)
    if text is None:
        path = Path(source)
        if not path.is_file():
            raise UsageError("Is a directory" if path.is_dir() else "No such file or directory", file=str(source))
        return f"./{path}" if str(path).startswith("-") else str(path), ["-x", "c"]
    name = "<stdin>" if source == "-" else "<text>"
    (place / name).write_bytes(_encoded(text, name))
    return str(place / name), ["-x", "c", "-iquote", str(Path.cwd())]


def _encoded(text: str, name: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as e:
        raise UsageError(
            "a lone surrogate, which no file can hold", file=name, line=text.count("\n", 0, e.start) + 1
        ) from None


def _text_of(source: str | Path) -> str | None:
    """C text if the source is text or standard input; None for a path."""
    if isinstance(source, Path):
        return None
    if source == "-":
        if sys.stdin is None:
            raise UsageError("standard input is closed")
        return sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
    return source if re.search(r"[\n{;]", source) else None


def _check(job: Job) -> None:
    if job.order not in _TARGETS:
        raise UsageError(f"unknown byte order {job.order!r}; known: {', '.join(_TARGETS)}")
    if job.emit not in EMITS:
        raise UsageError(f"can't emit {job.emit!r}; known: {', '.join(EMITS)}")
    if not re.fullmatch(r"[\w.-]+", job.cpu):
        raise UsageError(f"unknown cpu {job.cpu!r}; known: {', '.join(CPUS)}")
    texts = [str(job.source), *map(str, job.includes), *job.defines, *job.extra, job.arch or ""]
    if any("\0" in t for t in texts):
        raise UsageError("a NUL character in the C source or in an option")


def _refused(words: str, compiler: Compiler) -> CompileError:
    """The compiler's first error as reason and place; all of its words as output."""
    first = _FIRST_ERROR.search(words)
    if first is None:
        lines = words.strip().splitlines() or ["it said nothing"]
        said = next((line for line in lines if "error: " in line), lines[-1])
        return CompileError(f"{compiler.name} failed: {said}", words)
    return CompileError(first["words"], words, file=first["file"], line=int(first["line"]), column=int(first["column"]))
