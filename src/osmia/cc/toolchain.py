"""Finding a clang with the BPF target: the system's, or the one inside the ``ziglang`` wheel.

Order: ``$OSMIA_CC`` when set (a path, ``clang-18``, or ``ziglang``), then ``clang``, then ``clang-NN`` from the
newest down, then the wheel.  Asking a clang what it knows costs 20 to 50 ms, so the answers are kept in
``$XDG_CACHE_HOME/osmia/compilers.json``, by path, size and time of the executable.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from osmia.errors import Unavailable

WHEEL = "ziglang"
NEWEST, OLDEST = 29, 11  # versions of clang that are looked for by name; 11 is the first with all of CO-RE
HELP = "install clang (Debian: apt-get install clang) or the compiler's wheel (pip install 'osmia[cc]')"


@dataclass(frozen=True, slots=True)
class Compiler:
    """A clang with the BPF target.  ``command`` is what starts it, ``name`` what people call it ("clang-19")."""

    name: str
    command: tuple[str, ...]
    version: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.version})" if self.version else self.name


@cache
def find_compiler(name: str | None = None) -> Compiler:
    """The compiler of that name or path, or the first in the order above.  Raises Unavailable."""
    wanted = name or os.environ.get("OSMIA_CC")
    if wanted:
        return _named(wanted)
    for compiler in _candidates():
        return compiler
    raise Unavailable(f"no C compiler with the BPF target: {HELP}")


def installed_compilers() -> list[Compiler]:
    """Every compiler that ``find_compiler`` could choose, in its order."""
    return list(_candidates())


def _candidates() -> Iterator[Compiler]:
    names = ["clang", *(f"clang-{n}" for n in range(NEWEST, OLDEST - 1, -1))]
    found = (c for n in names if (path := shutil.which(n)) and (c := _probed(n, (path,))))
    yield from found
    wheel = _wheel()
    if wheel:
        yield wheel


def _named(wanted: str) -> Compiler:
    if wanted in (WHEEL, "zig"):
        wheel = _wheel()
        if wheel:
            return wheel
        raise Unavailable("the ziglang wheel is not installed (pip install ziglang)")
    path = shutil.which(wanted)
    if path is None:
        raise Unavailable(f"no compiler {wanted!r}: {HELP}")
    compiler = _probed(wanted, (path,))
    if compiler is None:
        raise Unavailable(f"{wanted} does not know the BPF target: {HELP}")
    return compiler


def _wheel() -> Compiler | None:
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.origin:
        return None
    zig = Path(spec.origin).parent / ("zig.exe" if os.name == "nt" else "zig")
    return _probed(WHEEL, (str(zig), "clang")) if zig.exists() else None


def _probed(name: str, command: tuple[str, ...]) -> Compiler | None:
    """The compiler if it knows BPF; asks the executable unless the cache file knows it."""
    stat = Path(command[0]).stat()
    key = f"{command[0]}:{stat.st_size}:{stat.st_mtime_ns}"
    known = _read_cache()
    if key not in known:
        known[key] = _ask(command)
        _write_cache(known)
    answer = known[key]
    return Compiler(name, command, answer["version"]) if answer.get("bpf") else None


def _ask(command: tuple[str, ...]) -> dict[str, Any]:
    targets = _output(*command, "--print-targets")
    version = re.search(r"clang version (\S+)", _output(*command, "--version"))
    has_both = all(re.search(rf"^\s+{t}\s", targets, re.M) for t in ("bpfel", "bpfeb"))
    return {"bpf": has_both, "version": version[1] if version else ""}


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return ""


def _cache_file() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    return Path(home) / "osmia" / "compilers.json"


def _read_cache() -> dict[str, dict[str, Any]]:
    """What the cache file holds; an unreadable or strange one counts as empty."""
    try:
        known = json.loads(_cache_file().read_text("utf-8"))
    except (OSError, ValueError, RuntimeError):
        return {}
    fine = isinstance(known, dict) and all(isinstance(v, dict) and "version" in v for v in known.values())
    return known if fine else {}


def _write_cache(known: dict[str, dict[str, Any]]) -> None:
    """Replace the file in one step, so that no reader sees half of it; no cache directory is no error."""
    with contextlib.suppress(OSError, RuntimeError):
        path = _cache_file()
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        fresh.write_text(json.dumps(known, indent=1), "utf-8")
        fresh.replace(path)
