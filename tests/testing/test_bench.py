"""The bench: who is measured, who is skipped and why, and what the figures are."""

import math
import shutil
import subprocess
import sys
import textwrap

import pytest

from osmia import live
from osmia.errors import Unavailable
from osmia.isa import macros as m
from osmia.obj.model import Collection, Program
from osmia.testing import bench, bench_peers, bench_report
from osmia.testing.bench import Answer, Row, Task, Timing, compare, geometric_mean
from osmia.testing.bench_subjects import OURS, Kernel, Osmia

INSNS = [m.BPF_MOV64_IMM(0, 40), m.BPF_ALU64_IMM(0, 0, 2), m.BPF_EXIT_INSN()]


def collection(insns=INSNS):
    return Collection("", {"prog": Program("prog", "xdp", list(insns))}, {})


class Fake:
    """A subject whose times are given; it notes what it is asked."""

    def __init__(self, name, answer=42, ns=1000.0, error=None):
        self.name, self.result, self.ns, self.error = name, answer, ns, error
        self.asked, self.closed = [], 0

    def load(self):
        if self.error:
            raise Unavailable(self.error)

    def answer(self):
        return Answer(self.result)

    def time(self, times):
        self.asked.append(times)
        return self.ns

    def close(self):
        self.closed += 1


@pytest.fixture
def task():
    return Task("prog", collection(), "prog")


def test_all_run_as_long_as_a_sample_and_as_often_as_rounds(task):
    fast, slow = Fake("fast", ns=10.0), Fake("slow", ns=100_000.0)
    row = compare(task, [fast, slow], rounds=4, sample_ns=1_000_000)
    assert [t.times for t in row.timings] == [100_000, 10]
    assert fast.asked[-4:] == [100_000] * 4 and slow.asked[-4:] == [10] * 4
    assert [len(t.samples) for t in row.timings] == [4, 4]
    assert row.of("fast").median == 10.0 and row.ratio("fast", "slow") == 10_000


def test_a_sample_has_at_most_the_runs_that_the_task_allows():
    limited = Task("prog", collection(), "prog", limit=50)
    assert compare(limited, [Fake("a", ns=1.0)], rounds=1).timings[0].times == 50


def test_another_answer_is_not_timed(task):
    wrong = Fake("wrong", answer=7)
    row = compare(task, [Fake("right"), wrong], rounds=2)
    assert "answers 0x7 where others answer 0x2a" in row.timings[1].skipped
    assert not wrong.asked and wrong.closed == 1 and row.of("wrong") is None


def test_a_subject_that_cant_load_is_skipped_with_the_reason_and_closed(task):
    broken = Fake("broken", error="no such machine")
    row = compare(task, [broken, Fake("fine")], rounds=2)
    assert row.timings[0].skipped == "no such machine" and broken.closed == 1
    assert row.of("fine") and math.isnan(row.ratio("fine"))
    assert bench_report.skipped([row]) == ["broken: no such machine (prog)"]


def test_all_are_closed_when_one_breaks(task):
    class Breaks(Fake):
        def time(self, times):
            raise RuntimeError("now")

    subjects = [Fake("a"), Breaks("b")]
    with pytest.raises(RuntimeError):
        compare(task, subjects)
    assert [s.closed for s in subjects] == [1, 1]


def test_answers_agree_as_far_as_both_tell():
    assert Answer(1, b"a").agrees(Answer(1)) and Answer(1, b"a").agrees(Answer(1, b"a"))
    assert not Answer(1, b"a").agrees(Answer(1, b"b")) and not Answer(1).agrees(Answer(2))


def test_median_spread_and_mean():
    timing = Timing("x", [1.0, 2.0, 3.0, 4.0, 100.0])
    assert timing.median == 3.0 and 0.5 < timing.spread < 20
    assert Timing("y", [5.0]).spread == 0.0 and math.isnan(Timing("z").median)
    assert geometric_mean([1.0, 4.0, math.nan]) == pytest.approx(2.0) and math.isnan(geometric_mean([]))


def test_our_engines_agree_and_count_instructions(task):
    row = compare(task, [Osmia(task, name) for name in OURS], rounds=3, sample_ns=20_000)
    for name in ("interpreter", "interpreter, unchecked"):
        assert row.of(name).facts["insns"] == 3 and row.of(name).median > 0
    for timing in row.timings:
        assert timing.samples or "llvmlite" in timing.skipped


def test_nothing_runs_unchecked_that_the_verifier_refuses():
    wild = collection([m.BPF_LD_IMM64(1, 64)[0], m.BPF_LD_IMM64(1, 64)[1], m.BPF_LDX_MEM(0x18, 0, 1, 0), INSNS[-1]])
    what = Task("prog", wild, "prog")
    row = compare(what, [Osmia(what, name) for name in OURS], rounds=1)
    assert all(t.skipped for t in row.timings)
    for timing in (row.timings[1], row.timings[2]):
        assert "the verifier accepts" in timing.skipped or "llvmlite" in timing.skipped


@pytest.mark.live
@pytest.mark.skipif(live.available() is not None, reason=str(live.available()))
def test_the_kernel_runs_beside_us(task):
    row = compare(task, [Osmia(task, "interpreter"), Kernel(task)], rounds=2, sample_ns=50_000)
    assert row.of("kernel").median > 0 and not math.isnan(row.ratio("interpreter"))


def test_tables_show_figures_and_means():
    rows = [Row("p", [Timing("kernel", [30.0] * 3), Timing("JIT", [3.0] * 3), Timing("gone", skipped="not here")])]
    text = bench_report.markdown(rows, ["kernel", "JIT"])
    assert "| p | 30.0 ns ±0% | 3.00 ns ±0% | 10.00× |" in text and "**10.00×**" in text
    assert [bench_report.spell(x) for x in (0.5, 8.616, 999.4, 1482.0, 2.5e9, math.nan)] == [
        "0.50 ns", "8.62 ns", "999 ns", "1.48 µs", "2.50 s", "–",
    ]  # fmt: skip


# -- other machines ----------------------------------------------------------------------------------------------------


@pytest.fixture
def plain(task):
    return Task("prog", task.collection, "prog", bytes(4), plain=collection())


def program(tmp_path, monkeypatch, text, name="rbpf"):
    """A program that stands for a machine, on PATH."""
    path = tmp_path / f"osmia-peer-{name}"
    path.write_text(f"#!{sys.executable}\n" + textwrap.dedent(text))
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return path


INTERPRETER = """
    import sys
    from osmia.api import Program
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "load":
            code, memory = bytes.fromhex(rest[0]), bytes.fromhex(rest[1].replace("-", ""))
            loaded = Program(code, "unspec").load()
            print("ok", 1234, flush=True)
        else:
            times = int(rest[0])
            result = loaded.run(data=memory, repeat=times)
            print("ok", result.r0, result.duration_ns * times, flush=True)
"""


def test_a_machine_behind_a_program(plain, tmp_path, monkeypatch):
    program(tmp_path, monkeypatch, INTERPRETER)
    assert bench_peers.command_of("rbpf") and "rbpf" not in bench_peers.missing()
    subjects = [Osmia(plain, "interpreter"), *(s for s in bench_peers.peers(plain) if s.name == "rbpf JIT")]
    row = compare(plain, subjects, rounds=3, sample_ns=100_000)
    assert row.of("rbpf JIT").facts["compile_ns"] == 1234 and row.of("rbpf JIT").median > 0


def test_a_machine_named_by_the_environment(plain, tmp_path, monkeypatch):
    path = program(tmp_path, monkeypatch, INTERPRETER, name="elsewhere")
    monkeypatch.setenv("OSMIA_PEER_FEBPF", f"{path} --jit")
    assert bench_peers.command_of("febpf") == [str(path), "--jit"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("input(); print('error no helper 1')", "no helper 1"),
        ("input(); print('yes')", "answers 'yes'"),
        ("input(); print('ok many')", "answers 'ok many'"),
        ("raise SystemExit(3)", "ended with status 3|is gone"),
    ],
)
def test_what_a_program_may_do_wrong(plain, tmp_path, monkeypatch, text, why):
    path = program(tmp_path, monkeypatch, text)
    peer = bench_peers.Peer(plain, "rbpf", [str(path)])
    with pytest.raises(Unavailable, match=why):
        peer.load()
    peer.close()


def test_a_program_that_never_answers_is_ended(plain, tmp_path, monkeypatch):
    monkeypatch.setattr(bench_peers, "PATIENCE", 0.2)
    peer = bench_peers.Peer(plain, "rbpf", [str(program(tmp_path, monkeypatch, "import time; time.sleep(60)"))])
    with pytest.raises(Unavailable, match="no answer"):
        peer.load()
    process = peer._process
    peer.close()
    assert process.returncode


def test_a_program_that_cant_be_started(plain, tmp_path):
    with pytest.raises(Unavailable, match="can't start"):
        bench_peers.Peer(plain, "rbpf", [str(tmp_path / "none")]).load()


def test_machines_get_functions_of_memory_and_no_maps(task):
    with pytest.raises(Unavailable, match=r"functions of \(memory, size\)"):
        bench_peers.plain_program(task)


def test_what_is_missing_says_how_to_bring_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("OSMIA_UBPF", raising=False)
    why = bench_peers.missing()
    assert "OSMIA_PEER_LLVMBPF" in why["llvmbpf"] and set(why) <= set(bench_peers.PROGRAMS)


FAKE_UBPF = """
    #include <stdint.h>
    #include <stdlib.h>
    #include <string.h>
    /* Speaks uBPF's C interface: its programs add up their memory, and those of one instruction it refuses. */
    static uint64_t sum(uint8_t *memory, size_t size)
    {
        uint64_t total = 0;
        for (size_t i = 0; i < size; i++) total += memory[i];
        return total;
    }
    void *ubpf_create(void) { return malloc(1); }
    void ubpf_destroy(void *vm) { free(vm); }
    int ubpf_load(void *vm, const void *code, uint32_t size, char **said)
    {
        if (size > 8) return 0;
        *said = strdup("too short a program");
        return -1;
    }
    void *ubpf_compile(void *vm, char **said) { return sum; }
    int ubpf_exec(void *vm, void *memory, size_t size, uint64_t *result)
    {
        *result = sum(memory, size);
        return size == 3 ? -1 : 0;
    }
"""


@pytest.fixture(scope="module")
def fake_ubpf(tmp_path_factory):
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler")
    room = tmp_path_factory.mktemp("ubpf")
    (room / "fake.c").write_text(FAKE_UBPF)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", room / "libfake.so", room / "fake.c"], check=True)
    return room / "libfake.so"


def test_ubpf_as_a_library(fake_ubpf, monkeypatch):
    monkeypatch.setenv("OSMIA_UBPF", str(fake_ubpf))
    what = Task("prog", collection(), "prog", bytes([20, 22]), plain=collection())
    assert [s.name for s in bench_peers.peers(what)][:2] == ["ubpf JIT", "ubpf interpreter"]
    row = compare(what, [Fake("other"), *bench_peers.peers(what)[:2]], rounds=2, sample_ns=10_000)
    assert [t.skipped for t in row.timings] == ["", "", ""] and row.of("ubpf JIT").median > 0


def test_ubpf_says_no(fake_ubpf, monkeypatch):
    monkeypatch.setenv("OSMIA_UBPF", str(fake_ubpf))
    short = collection([m.BPF_EXIT_INSN()])
    with pytest.raises(Unavailable, match="too short a program"):
        bench_peers.Ubpf(Task("prog", short, "prog", plain=short), True).load()
    subject = bench_peers.Ubpf(Task("prog", short, "prog", bytes(3), plain=collection()), False)
    subject.load()
    with pytest.raises(Unavailable, match="stopped with an error"):
        subject.answer()
    subject.close()


def test_a_library_that_is_none(monkeypatch, plain):
    monkeypatch.setenv("OSMIA_UBPF", "/nowhere/libubpf.so")
    with pytest.raises(Unavailable, match="no uBPF"):
        bench_peers.Ubpf(plain, True).load()


def test_rounds_are_interleaved(task):
    order = []

    class Noting(Fake):
        def time(self, times):
            order.append(self.name)
            return 1e9

    compare(task, [Noting("a"), Noting("b")], rounds=3, sample_ns=1)
    assert order[-6:] == ["a", "b"] * 3 and bench.ROUNDS > 3
