"""How long it takes from a program to its first result, and how much memory: cold, with code on disk, interpreted."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from osmia.testing.bench import Task
from osmia.testing.bench_subjects import CHECKED, JIT, Osmia

TIMES = 7
CACHE = "OSMIA_CACHE_DIR"


@dataclass(frozen=True)
class Latency:
    """Milliseconds of CPU time from a program that was read to its first result, maps made and all; medians.

    ``interpreted``; ``cold``: compiled by LLVM; ``cached``: native code from the disk; ``size``: bytes of its object.
    """

    program: str
    interpreted: float
    cold: float
    cached: float
    size: int


def latency(task: Task, times: int = TIMES) -> Latency:
    """Measure one program in this process.  Raises Unavailable without a JIT."""
    _first_result(task, JIT)  # what is imported or made once per process is not the program's
    cold, cached, interpreted, size = [], [], [], 0
    for _ in range(times):
        with empty_cache() as place:
            cold.append(_first_result(task, JIT))
            cached.append(_first_result(task, JIT))
            size = sum(path.stat().st_size for path in place.iterdir())
        interpreted.append(_first_result(task, CHECKED))
    slow, first, again = (statistics.median(ms) for ms in (interpreted, cold, cached))
    return Latency(task.name, slow, first, again, size)


def _first_result(task: Task, name: str) -> float:
    subject = Osmia(task, name)
    begin = time.process_time_ns()
    subject.load()
    subject.answer()
    took = time.process_time_ns() - begin
    subject.close()
    return took / 1e6


@contextmanager
def empty_cache() -> Iterator[Path]:
    """A cache of its own, with nothing in it, for as long as the block lasts."""
    from osmia.vm.jit import build

    kept = os.environ.get(CACHE)
    with tempfile.TemporaryDirectory(prefix="osmia-bench-") as place:
        Path(place).chmod(0o700)
        os.environ[CACHE] = place
        build.store.cache_clear()
        try:
            yield Path(place)
        finally:
            os.environ.pop(CACHE)
            os.environ.update({CACHE: kept} if kept is not None else {})
            build.store.cache_clear()


PROCESS = """
import json, resource, sys, time
import osmia
engine, path, name = sys.argv[1:4]
loaded = osmia.open(path)[name].load(engine=engine)
retval = loaded.run(data=bytes.fromhex(sys.argv[4])).retval
took = time.process_time()
print(json.dumps([took * 1e3, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, loaded.machine.native]))
"""


def processes(path: Path, name: str, data: bytes, times: int = 3) -> dict[str, dict[str, float]]:
    """Whole processes that open an object and run its program once: CPU time (ms) and MiB at most; medians."""
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="osmia-bench-") as place:
        Path(place).chmod(0o700)
        for what, engine, cache in (
            ("interpreter", "interp", ""), ("JIT, nothing kept", "jit", ""), ("JIT, code on disk", "jit", place),
        ):  # fmt: skip
            _process(engine, path, name, data, cache)
            runs = [_process(engine, path, name, data, cache) for _ in range(times)]
            ms, mib, _ = (statistics.median(column) for column in zip(*runs, strict=True))
            found[what] = {"ms": ms, "mib": mib}
    return found


def _process(engine: str, path: Path, name: str, data: bytes, cache: str) -> list[Any]:
    command = [sys.executable, "-c", PROCESS, engine, str(path), name, data.hex()]
    environment = {**os.environ, CACHE: cache}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    numbers: list[Any] = json.loads(done.stdout)
    return numbers
