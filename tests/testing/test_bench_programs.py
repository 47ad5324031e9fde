"""The programs of bench/programs: all compile, load in the running kernel, and answer the same everywhere."""

import importlib.util
import sys
from pathlib import Path

import pytest

from osmia import cc, live
from osmia.errors import Unavailable
from osmia.testing.bench import compare
from osmia.testing.bench_latency import empty_cache, latency
from osmia.testing.bench_peers import plain_program
from osmia.testing.bench_subjects import CHECKED_JIT, JIT, Kernel, Osmia
from osmia.vm.jit import llvm
from osmia.vm.jit.batch import NOGIL

ENGINES = Path(__file__).parents[2] / "bench" / "engines.py"

try:
    cc.find_compiler()
    llvm.binding()
except Unavailable as e:
    pytest.skip(str(e), allow_module_level=True)


def engines():
    spec = importlib.util.spec_from_file_location("bench_engines", ENGINES)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


BENCH = engines()
TASKS = {entry.name: entry for entry in BENCH.ENTRIES}


def test_every_program_has_its_row():
    assert set(TASKS) == {path.name.removesuffix(".bpf.c") for path in BENCH.PROGRAMS.glob("*.bpf.c")}


LONG = [] if NOGIL else ["integer_loop", "lcg", "sieve"]  # for a verifier in Python


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in LONG)) for n in TASKS])
def test_checked_and_trusted_code_and_the_kernel_agree(name):
    task = BENCH.task(TASKS[name])
    subjects = [Osmia(task, CHECKED_JIT), Osmia(task, JIT)]
    subjects += [Kernel(task)] if live.available() is None else []
    row = compare(task, subjects, rounds=1, sample_ns=1000)
    assert not any(t.skipped for t in row.timings), [t.skipped for t in row.timings]


@pytest.mark.parametrize("name", [name for name, entry in TASKS.items() if entry.plain])
def test_the_plain_form_answers_the_same(name):
    """The function of (memory, size) that other machines get, here as bare instructions."""
    import osmia

    task = BENCH.task(TASKS[name])
    bare = osmia.Program(plain_program(task).insns, "unspec").load(engine="jit")
    subject = Osmia(task, CHECKED_JIT)
    subject.load()
    assert bare.run(data=task.data).retval == subject.answer().retval


def test_latency_is_measured_with_a_cache_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setenv("OSMIA_CACHE_DIR", str(tmp_path))
    got = latency(BENCH.task(TASKS["empty"]), times=2)
    assert got.cold > 0 and got.cached > 0 and got.size > 100 and not list(tmp_path.iterdir())
    with empty_cache() as place:
        assert not list(place.iterdir())
