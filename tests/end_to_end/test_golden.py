"""Whole programs give what the kernel gave: from their recorded instructions, and compiled again from their source."""

from __future__ import annotations

import pytest
from end_to_end import judge
from end_to_end.campaign import OPTIONS
from end_to_end.golden_text import GOLDEN, Golden, read, write

import osmia
from osmia import live
from osmia.cc import CPUS, installed_compilers
from osmia.errors import CompileError
from osmia.live.maps import possible_cpus

FILES = sorted(GOLDEN.glob("*.txt"))
COMPILERS = [c.name for c in installed_compilers()]
WHY_NOT = live.available()
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def same(ours: judge.Answer, theirs: judge.Answer) -> bool:
    assert str(ours) == str(theirs)
    return ours == theirs


@each_file
def test_recorded_instructions(path):
    golden = read(path)
    for checked in (True, False):
        ours = judge.by_us(golden.collection, "test", golden.packets, golden.cpus, checked, golden.turns)
        assert same(ours, golden.answer)


@each_file
def test_a_file_reads_as_it_was_written(path):
    assert write(read(path)) == path.read_text()


def without_strings(answer: judge.Answer) -> judge.Answer:
    """Where strings lie in .rodata is the compiler's choice."""
    return judge.Answer(answer.runs, {n: rows for n, rows in answer.maps.items() if not n.endswith(".rodata")})


def compiled(golden: Golden, compiler: str | None, cpu: str) -> osmia.Collection:
    """Raises CompileError when another compiler does not know what the recorded one knew."""
    return osmia.compile(golden.source, cpu=cpu, compiler=compiler, extra=OPTIONS, cpus=golden.cpus)


@pytest.mark.skipif(not COMPILERS, reason="no C compiler with the BPF target")
@each_file
def test_compiled_again(path):
    """Other compilers and instruction sets choose other instructions; what they compute is the same."""
    golden = read(path)
    for compiler in COMPILERS:
        for cpu in CPUS[CPUS.index(golden.cpu) :]:
            try:
                made = compiled(golden, compiler, cpu)
            except CompileError:
                assert compiler != golden.compiler
                continue
            ours = judge.by_us(made, "test", golden.packets, golden.cpus, turns=golden.turns)
            assert same(without_strings(ours), without_strings(golden.answer)), (compiler, cpu)


@pytest.mark.live
@pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))
@pytest.mark.skipif(WHY_NOT is None and possible_cpus() != 2, reason="the answers are those of a machine with two CPUs")
@each_file
def test_the_running_kernel_still_says_so(path):
    """Compiled again: the verifier wants the BTF of callbacks and global functions, which the files do not hold."""
    golden = read(path)
    if golden.compiler not in COMPILERS:
        pytest.skip(f"{golden.compiler} is not installed")
    made = compiled(golden, golden.compiler, golden.cpu)
    theirs = judge.by_kernel(made, "test", golden.packets, golden.turns)
    assert same(without_strings(theirs), without_strings(golden.answer))
