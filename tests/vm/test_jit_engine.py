"""The native engine beside the interpreter: results, faults, counts, callbacks, tail calls, signals, tiers, cache."""

from __future__ import annotations

import ctypes
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import osmia
from osmia.errors import BudgetExceeded, MissingBody, Unavailable, UsageError, VmError
from osmia.isa import macros as m
from osmia.obj.model import MapSpec
from osmia.vm import Machine, MemoryContext
from osmia.vm.jit import build, llvm, loader, tiers
from osmia.vm.jit.cache import Cache, directory, key_of

pytest.importorskip("llvmlite")

LOOP = "r0 = 0\nr1 = {}\nloop:\nr0 += r1\nr1 -= 1\nif r1 != 0 goto loop\nexit"
SUBPROGRAM = [m.BPF_CALL_REL(1), m.BPF_EXIT_INSN(), m.BPF_MOV64_IMM(0, 9), m.BPF_EXIT_INSN()]
RECURSION = [m.BPF_CALL_REL(-1), m.BPF_EXIT_INSN()]
FOREVER = "loop:\ngoto loop\nexit"
PACKET = bytes(range(64))


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Each test has a cache of its own, which the process has not looked at yet."""
    monkeypatch.setenv("OSMIA_CACHE_DIR", str(tmp_path / "cache"))
    build.store.cache_clear()
    yield tmp_path / "cache"
    build.store.cache_clear()


def load(text, engine="jit", prog_type="xdp", **options):
    return osmia.Program(text, prog_type).load(engine=engine, **options)


def outcome(text, engine, **options):
    """What a run gave, or the error's class, words and slot."""
    executable = load(text, engine, **options)
    assert executable.machine.native == (engine == "jit"), executable.machine.note
    try:
        result = executable.run(data=PACKET)
    except VmError as e:
        return type(e), e.pc, str(e).split(" at 0x")[0].split("(0x")[0]
    return result.r0, result.insns, result.data


# -- the same as the interpreter ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "r0 = 7\nexit",
        LOOP.format(1000),
        "r2 = *(u32 *)(r1 + 0)\nr3 = *(u32 *)(r1 + 4)\nr0 = r3\nr0 -= r2\nexit",
        "r2 = *(u32 *)(r1 + 0)\nr0 = *(u8 *)(r2 + 5)\n*(u8 *)(r2 + 6) = r0\nexit",
        "*(u64 *)(r10 - 8) = 3\nr0 = *(u64 *)(r10 - 8)\nexit",
        SUBPROGRAM,
    ],
)
def test_results_and_counts_are_those_of_the_interpreter(text):
    assert outcome(text, "jit") == outcome(text, "interp")


@pytest.mark.parametrize(
    "text",
    [
        "r0 = *(u64 *)(r1 + 5000)\nexit",
        "r2 = 0\n*(u32 *)(r2 + 4) = 5\nr0 = 0\nexit",
        "r0 = *(u64 *)(r10 + 0)\nexit",
        "r0 = *(u8 *)(r10 - 513)\nexit",
        "r2 = *(u32 *)(r1 + 0)\nr0 = *(u8 *)(r2 + 64)\nexit",
        "*(u32 *)(r1 + 0) = 1\nr0 = 0\nexit",
        "r2 = r10\nr2 += -8\nr1 = 0\ncall 1\nexit",
        RECURSION,
        "r1 = 5\ncallx r1\nexit",
        "r0 = 1",
    ],
)
def test_faults_have_the_words_and_the_slot_of_the_interpreters(text):
    try:
        expected = outcome(text, "interp")
    except osmia.errors.BadInsn:
        pytest.skip("refused at load")
    assert expected[0] is not int, "the test is about faults"
    assert outcome(text, "jit") == expected


def test_a_helper_without_a_body_is_no_fault_of_the_program():
    with pytest.raises(MissingBody, match="helper 7777"):
        load("call 7777\nexit").run()


def test_an_error_says_in_which_source_line():
    program = osmia.compile('#define SEC(n) __attribute__((section(n)))\nSEC("xdp") int f(void *ctx)\n'
                            "{ return *(volatile int *)((char *)ctx + 4000); }\n")["f"]  # fmt: skip
    said = []
    for engine in ("interp", "jit"):
        with pytest.raises(VmError) as e:
            program.load(engine=engine).run(data=PACKET)
        said.append((e.value.pc, e.value.source, e.value.program))
    assert said[0] == said[1]
    assert said[0][1]


# -- budget, stop, Ctrl-C ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("budget", [1, 2, 3, 100, 2999, 3001])
def test_the_budget_ends_what_it_ends_in_the_interpreter(budget):
    for engine in ("interp", "jit"):
        with pytest.raises(BudgetExceeded, match=f"the budget of {budget} instructions is spent"):
            load(LOOP.format(1000), engine, budget=budget).run()


def test_a_program_may_take_exactly_its_budget():
    assert load(LOOP.format(1000), budget=3003).run().insns == 3003
    with pytest.raises(BudgetExceeded):
        load(LOOP.format(1000), budget=3002).run()


def test_another_thread_stops_a_run():
    executable = load(FOREVER, budget=1 << 60)
    timer = threading.Timer(0.1, executable.machine.stop)
    timer.start()
    with pytest.raises(VmError, match="stopped from outside"):
        executable.run()
    timer.join()
    with pytest.raises(BudgetExceeded):  # it was for that run only
        executable.machine.budget = 100
        executable.run()


@pytest.fixture
def heeded():
    """Ctrl-C is heard: jobs in the background start with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded")
def test_ctrl_c_ends_a_native_loop():
    executable = load(FOREVER, budget=1 << 60)
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        executable.run()
    assert time.monotonic() - begin < 2
    executable.machine.budget = 1000
    with pytest.raises(BudgetExceeded):
        executable.run()


# -- Python bodies -----------------------------------------------------------------------------------------------------


def test_a_python_body_sees_the_frames_and_runs_callbacks():
    seen = []

    def body(env, r1, r2, r3, r4, r5):
        env.check(r1, 8, True)
        seen.append([env.call(r2, r1, n) for n in range(3)])
        return -1

    insns = osmia.Program("*(u64 *)(r10 - 8) = 5\nr1 = r10\nr1 += -8\nexit").insns[:-1]
    insns += [*m.BPF_LD_IMM64_RAW(2, 4, 3), m.BPF_EMIT_CALL(5000), m.BPF_EXIT_INSN()]
    insns += osmia.Program("r0 = *(u64 *)(r1 + 0)\nr0 += r2\nexit").insns
    program = osmia.Program(insns, "xdp")
    for engine in ("interp", "jit"):
        machine = Machine(program, helpers={5000: body}, engine=engine)
        assert machine.run().r0 == 0xFFFFFFFFFFFFFFFF
    assert seen == [[5, 6, 7]] * 2


def test_what_a_body_raises_comes_out_and_may_be_caught_on_the_way():
    def fails(env, *registers):
        raise ZeroDivisionError("as it is")

    program = osmia.Program("call 5000\nexit", "xdp")
    machine = Machine(program, helpers={5000: fails}, engine="jit")
    with pytest.raises(ZeroDivisionError, match="as it is"):
        machine.run()

    def catches(env, r1, r2, *rest):
        try:
            env.call(r2)
        except VmError:
            return 77
        return 0

    insns = [*m.BPF_LD_IMM64_RAW(2, 4, 3), m.BPF_EMIT_CALL(5000), m.BPF_EXIT_INSN()]
    insns += osmia.Program("r1 = 0\nr0 = *(u8 *)(r1 + 0)\nexit").insns
    for engine in ("interp", "jit"):
        assert Machine(osmia.Program(insns, "xdp"), helpers={5000: catches}, engine=engine).run().r0 == 77


def test_memory_that_a_body_adds_may_be_used_and_what_it_takes_away_may_not():
    from osmia.memory import Region
    from osmia.raw import Buffer

    room = Buffer(16)
    region = Region("loan", room.address, 16)

    def lend(env, *registers):
        env.memory.add(region)
        return room.address

    def take(env, *registers):
        env.memory.remove(region)
        return 0

    good = "call 5000\nr6 = r0\n*(u64 *)(r6 + 8) = 1\nr0 = *(u64 *)(r6 + 8)\nr7 = r0\ncall 5001\nr0 = r7\nexit"
    bad = "call 5000\nr6 = r0\n*(u64 *)(r6 + 8) = 1\ncall 5001\nr0 = *(u64 *)(r6 + 8)\nexit"
    for engine in ("interp", "jit"):
        table = {5000: lend, 5001: take}
        assert Machine(osmia.Program(good, "xdp"), helpers=table, engine=engine).run().r0 == 1
        with pytest.raises(VmError, match="insn 4: read of 8 bytes"):
            Machine(osmia.Program(bad, "xdp"), helpers=table, engine=engine).run()


# -- tail calls --------------------------------------------------------------------------------------------------------


def tail_called(engine, text, **options):
    progs = MapSpec("progs", "prog_array", 4, 4, 2)
    insns = [*m.BPF_LD_MAP_FD(2, 0), *osmia.Program("r3 = 0\ncall 12\nr0 = 1\nexit").insns]
    insns[0] = insns[0]._replace(imm=0)
    caller = osmia.Program(insns, "xdp", maps=[progs])
    executable = caller.load(engine=engine, **options)
    executable.maps["progs"][0] = caller if text is None else osmia.Program(text, "xdp")
    return executable


@pytest.mark.parametrize("checked", [True, False])
def test_a_tail_call_goes_on_in_another_program(checked):
    results = [tail_called(e, "r0 = 42\nexit", checked=checked).run(data=PACKET) for e in ("interp", "jit")]
    assert [r.r0 for r in results] == [42, 42]
    assert not checked or results[0].insns == results[1].insns


def test_tail_calls_end_after_thirty_three():
    results = [tail_called(e, None).run(data=PACKET) for e in ("interp", "jit")]
    assert [r.r0 for r in results] == [1, 1]
    assert results[0].insns == results[1].insns == 34 * 3 + 2


def test_a_fault_behind_a_tail_call_is_the_targets():
    for engine in ("interp", "jit"):
        executable = tail_called(engine, "r0 = 0\nr1 = 0\nr0 = *(u8 *)(r1 + 0)\nexit")
        with pytest.raises(VmError) as e:
            executable.run(data=PACKET)
        assert e.value.pc == 2


def test_a_slot_that_changes_changes_where_tail_calls_go():
    executable = tail_called("jit", "r0 = 42\nexit")
    progs = executable.maps["progs"]
    seen = []
    for target in (None, None, osmia.Program("r0 = 43\nexit", "xdp"), None, osmia.Program("r0 = 44\nexit", "xdp"), 0):
        if target == 0:
            del progs[0]
        elif target is not None:
            progs[0] = target
        seen.append(executable.run(data=PACKET).r0)
    assert seen == [42, 42, 43, 43, 44, 1]


def test_a_fault_behind_a_tail_call_names_the_target():
    for engine in ("interp", "jit"):
        executable = tail_called(engine, "r1 = 0\nr0 = *(u8 *)(r1 + 0)\nexit")
        for _ in range(3):
            with pytest.raises(VmError):
                executable.run(data=PACKET)
            if engine == "jit":
                assert executable.machine.running is executable.maps["progs"][0]


# -- choosing the engine -----------------------------------------------------------------------------------------------


def test_unknown_engines_are_named():
    with pytest.raises(UsageError, match="unknown engine 'fast' \\(known: interp, jit, auto\\)"):
        load("r0 = 0\nexit", "fast")


def test_a_tracer_has_the_interpreter_run():
    steps = []
    executable = load("r0 = 7\nexit", trace=lambda pc, registers: steps.append(pc))
    assert executable.run().r0 == 7
    assert steps == [0, 1]
    assert not executable.machine.native


def test_trusted_runs_report_no_count():
    result = load(LOOP.format(10), checked=False).run()
    assert (result.r0, result.insns) == (55, 0)


def test_auto_begins_interpreted_and_goes_on_natively(monkeypatch):
    monkeypatch.setattr(tiers, "HOT", 2000)
    monkeypatch.setattr(tiers, "HOT_UNCOMPILED", 2000)
    executable = load(LOOP.format(100), "auto")
    results = []
    for _ in range(10):
        results.append(executable.run())
    assert executable.machine.settle(30)
    assert executable.machine.native
    results.append(executable.run())
    assert {(r.r0, r.insns) for r in results} == {(5050, 303)}
    again = load(LOOP.format(100), "auto")
    assert again.machine.native, "it is in the cache now"
    assert (again.run().r0, again.run().insns) == (5050, 303)


def test_a_cold_program_is_not_compiled(own_cache):
    executable = load(LOOP.format(100), "auto")
    for _ in range(3):
        executable.run()
    assert not executable.machine.settle(0)
    assert not own_cache.exists()


def test_a_large_program_gets_unoptimised_code_first(monkeypatch):
    levels = []
    compiled = build.Recipe.compiled
    monkeypatch.setattr(build.Recipe, "compiled", lambda self, level=2: levels.append(level) or compiled(self, level))
    for name, value in (("HOT", 1), ("HOT_UNCOMPILED", 1), ("LARGE", 10)):
        monkeypatch.setattr(tiers, name, value)
    executable = load(LOOP.format(5), "auto")
    executable.run()
    assert executable.machine.settle(30)
    assert levels == [llvm.FAST, llvm.FULL]
    assert executable.run().r0 == 15


def test_unoptimised_code_computes_the_same():
    executable = load(LOOP.format(1000), "jit")
    recipe = executable.machine._tiers._recipes[0]
    executable.machine._tiers._take(0, recipe.compiled(llvm.FAST))
    assert (executable.run().r0, executable.run().insns) == (500500, 3003)


def test_a_process_that_ends_does_not_wait_for_compilations(tmp_path):
    code = (
        "import osmia; from osmia.vm.jit import tiers; tiers.HOT = tiers.HOT_UNCOMPILED = 1\n"
        "p = osmia.Program('r0 = 1\\n' + 'r0 *= 3\\nr0 ^= r1\\n' * 400 + 'exit', 'xdp').load(engine='auto'); p.run()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


# -- no native code ----------------------------------------------------------------------------------------------------


@pytest.fixture
def no_llvm(monkeypatch):
    """llvmlite is not installed, and nothing remembers that it was."""
    for name in [n for n in sys.modules if n.split(".")[0] == "llvmlite"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    remembered = (llvm.binding, llvm.host, llvm.fingerprint, llvm._machine, loader._linker)
    for function in remembered:
        function.cache_clear()
    yield
    for function in remembered:
        function.cache_clear()


def test_without_llvmlite_the_interpreter_runs_and_one_line_says_why(no_llvm):
    with pytest.warns(
        RuntimeWarning, match=r'^no native code without llvmlite \(.*\); install it with: pip install "os'
    ):
        executable = load("r0 = 7\nexit")
    assert executable.run().r0 == 7
    assert not executable.machine.native
    assert "\n" not in executable.machine.note
    assert executable.machine.note.endswith("the interpreter runs the program")


def test_without_llvmlite_auto_says_nothing_aloud(no_llvm, recwarn):
    executable = load("r0 = 7\nexit", "auto")
    assert executable.run().r0 == 7
    assert "llvmlite" in executable.machine.note
    assert not recwarn.list


def test_an_old_llvmlite_is_too_old(monkeypatch):
    import llvmlite.binding

    monkeypatch.setattr(llvmlite.binding, "llvm_version_info", (14, 0, 6))
    llvm.binding.cache_clear()
    try:
        with pytest.raises(Unavailable, match=r"too old \(LLVM 14.0.6, 20 is needed\)"):
            llvm.binding()
    finally:
        llvm.binding.cache_clear()


@pytest.mark.parametrize(
    ("ir", "words"),
    [
        ("define i64 @f() { ret i32 0 }", "LLVM does not take the program's code"),
        ("nonsense", "LLVM does not take the program's code"),
        (
            "define i64 @f() {\n br label %a\na:\n %x = add i64 %y, 1\n %y = add i64 0, 1\n ret i64 %x }",
            "does not take",
        ),
    ],
)
def test_what_llvm_says_of_bad_ir_is_one_line(ir, words):
    with pytest.raises(Unavailable, match=words) as e:
        llvm.Module(ir)
    assert "\n" not in str(e.value)


def test_a_program_that_llvm_refuses_is_interpreted(monkeypatch):
    def refuse(*args, **options):
        raise Unavailable("LLVM does not take the program's code: for this test")

    monkeypatch.setattr(llvm, "object_of", refuse)
    with pytest.warns(RuntimeWarning, match="for this test; the interpreter runs the program"):
        executable = load("r0 = 7\nexit")
    assert executable.run().r0 == 7
    monkeypatch.setattr(tiers, "HOT", 1)
    monkeypatch.setattr(tiers, "HOT_UNCOMPILED", 1)
    executable = load("r0 = 7\nexit", "auto")
    assert [executable.run().r0, executable.machine.settle(30), executable.run().r0] == [7, False, 7]
    assert "for this test" in executable.machine.note


def test_unknown_targets_are_named():
    with pytest.raises(Unavailable, match=r"LLVM has no target 'pdp11-unknown'.*known: x86-64, aarch64"):
        llvm.target_of("pdp11-unknown")


# -- the cache ---------------------------------------------------------------------------------------------------------

KEY = key_of(["a", b"b"])


def test_keys_differ_by_content_and_by_where_it_is_cut():
    assert len({key_of(p) for p in (["a", "b"], ["ab"], ["a", "b", ""], ["b", "a"])}) == 4
    assert key_of(["a", "b"]) == KEY


def test_what_was_stored_is_loaded(tmp_path):
    cache = Cache(tmp_path / "deep" / "er")
    assert cache.load(KEY) is None
    assert cache.store(KEY, b"code")
    assert cache.load(KEY) == Cache(tmp_path / "deep" / "er").load(KEY) == b"code"
    assert stat.S_IMODE((tmp_path / "deep" / "er").stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "change", [lambda d: d[:-1], lambda d: b"", lambda d: d[:20] + b"x" + d[21:], lambda d: d + b"x"]
)
def test_a_damaged_file_is_ignored_and_written_again(tmp_path, change):
    cache = Cache(tmp_path)
    cache.store(KEY, b"code")
    file = next(tmp_path.glob("*.o"))
    file.write_bytes(change(file.read_bytes()))
    assert cache.load(KEY) is None
    assert cache.store(KEY, b"code")
    assert cache.load(KEY) == b"code"


def test_the_object_of_another_key_is_no_hit(tmp_path):
    cache = Cache(tmp_path)
    cache.store(KEY, b"code")
    other = key_of(["other"])
    next(tmp_path.glob("*.o")).rename(tmp_path / f"{other}.o")
    assert cache.load(other) is None


def test_code_that_others_may_write_is_not_run(tmp_path):
    cache = Cache(tmp_path / "c")
    cache.store(KEY, b"code")
    (tmp_path / "c").chmod(0o777)
    assert cache.load(KEY) is None
    assert not cache.store(KEY, b"code")
    (tmp_path / "c").chmod(0o700)
    next((tmp_path / "c").glob("*.o")).chmod(0o666)
    assert cache.load(KEY) is None


def test_a_directory_that_can_t_be_made_is_no_cache(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    cache = Cache(tmp_path / "file" / "cache")
    assert not cache.store(KEY, b"code")
    assert cache.load(KEY) is None
    assert not Cache(None).store(KEY, b"code")
    assert Cache(None).load(KEY) is None


def test_a_read_only_directory_is_no_cache(tmp_path, monkeypatch):
    def refuse(*args, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("osmia.vm.jit.cache.os.open", refuse)  # root may write anywhere
    assert not Cache(tmp_path).store(KEY, b"code")


def test_a_full_disk_leaves_nothing_behind(tmp_path):
    class Full(Cache):
        def _write(self, path, data):
            return super()._write(path.parent / ("x" * 300) / path.name, data)

    assert not Full(tmp_path).store(KEY, b"code")
    if not Path("/dev/full").exists():
        return
    cache = Cache(tmp_path)
    real = os.fdopen

    def full(handle, mode):
        os.close(handle)
        return real(os.open("/dev/full", os.O_WRONLY), mode)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "osmia.vm.jit.cache.os.fdopen",
            lambda handle, mode: (os.close(handle), real(os.open("/dev/full", 1), mode))[1],
        )
        assert not cache.store(KEY, b"code" * 10000)
    assert list(tmp_path.iterdir()) == []


def test_the_files_used_longest_ago_go_first(tmp_path):
    cache = Cache(tmp_path, limit=10_000)
    keys = [key_of([str(n)]) for n in range(12)]
    for age, key in enumerate(keys[:9]):
        cache.store(key, bytes(900))
        os.utime(tmp_path / f"{key}.o", (age, age))
    cache.load(keys[0])
    for key in keys[9:]:
        cache.store(key, bytes(900))
    left = [key for key in keys if cache.load(key) is not None]
    assert keys[0] in left
    assert keys[11] in left
    assert keys[1] not in left
    assert sum(f.stat().st_size for f in tmp_path.iterdir()) <= 10_000


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.setenv("OSMIA_CACHE_DIR", "")
    assert directory() is None
    monkeypatch.delenv("OSMIA_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert directory() == tmp_path / "osmia" / "jit"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert directory() == tmp_path / "home" / ".cache" / "osmia" / "jit"


def test_a_second_process_does_not_import_llvm(own_cache):
    code = (
        "import sys, osmia; e = osmia.Program('r0 = 7\\nexit', 'xdp').load(engine='jit')\n"
        "print(e.run().r0, e.machine.native, 'llvmlite.binding' in sys.modules)"
    )
    said = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True).stdout
            for _ in range(2)]  # fmt: skip
    assert said[0] == "7 True True\n"
    assert said[1] == "7 True False\n" or os.uname().machine != "x86_64"


def test_a_corrupt_cache_is_repaired_in_passing(own_cache):
    load("r0 = 7\nexit")
    (file,) = own_cache.glob("*.o")
    whole = file.read_bytes()
    file.write_bytes(whole[:100])
    executable = load("r0 = 7\nexit")
    assert executable.machine.native
    assert executable.run().r0 == 7
    assert file.read_bytes() == whole


# -- the loader --------------------------------------------------------------------------------------------------------

IR = """
@there = external global i64
@table = private constant [4 x i64] [i64 10, i64 20, i64 30, i64 40]
declare i64 @outside(i64)
define i64 @f(i64 %n) {
  %i = and i64 %n, 3
  %p = getelementptr [4 x i64], ptr @table, i64 0, i64 %i
  %a = load i64, ptr %p
  %b = load i64, ptr @there
  %c = call i64 @outside(i64 %b)
  %d = add i64 %a, %c
  ret i64 %d
}
"""


@pytest.mark.parametrize("level", [llvm.FAST, llvm.FULL])
@pytest.mark.parametrize("way", ["place", "link"])
def test_both_linkers_fill_in_addresses(level, way):
    prototype = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_uint64)
    outside = prototype(lambda n: n * 1000)
    there = ctypes.c_uint64(7)
    known = {"there": ctypes.addressof(there), "outside": ctypes.cast(outside, ctypes.c_void_p).value}
    data = llvm.object_of(IR, level)
    try:
        loaded = getattr(loader, way)(data, {**loader.runtime(), **known}, ["f"])
    except loader.Unplaced:
        pytest.skip("this machine's code goes to LLVM's linker")
    assert [prototype(loaded.addresses["f"])(n) for n in range(5)] == [7010, 7020, 7030, 7040, 7010]


@pytest.mark.parametrize("size", [0, 10, 63, 64, 200])
def test_half_an_object_is_not_placed(size):
    data = llvm.object_of(IR)
    with pytest.raises(loader.Unplaced):
        loader.place(data[:size], {}, ["f"])
    with pytest.raises(loader.Unplaced):
        loader.place(data, {}, ["f"])  # names that nothing defines
    with pytest.raises(Unavailable, match="LLVM can't link"):
        loader.load(data, {}, ["f"])


def test_memory_of_code_is_not_writable():
    loaded = loader.load(llvm.object_of("define i64 @f() { ret i64 3 }"), {}, ["f"])
    at = loaded.addresses["f"]
    for line in Path("/proc/self/maps").read_text().splitlines():
        low, high = (int(n, 16) for n in line.split()[0].split("-"))
        if low <= at < high:
            assert line.split()[1].startswith("r-x")
            return
    raise AssertionError("the code is nowhere")


# -- other machines ----------------------------------------------------------------------------------------------------


def test_code_for_another_machine():
    target = llvm.target_of("aarch64")
    assert not target.is_host or os.uname().machine == "aarch64"
    with llvm.Module(IR, target=target, shared=True) as module:
        data = module.object()
    assert (data[:4], data[18]) == (b"\x7fELF", 183)  # EM_AARCH64


def test_memory_context_of_the_conformance_runner():
    program = osmia.Program("r0 = *(u16 *)(r1 + 2)\nr0 += r2\nexit", "unspec")
    values = [Machine(program, engine=e).run(MemoryContext(b"\1\0\2\0")).r0 for e in ("interp", "jit")]
    assert values == [6, 6]


def test_loads_by_index_go_through_the_descriptors():
    maps = [MapSpec(f"m{n}", "array", 4, 8, 1, data=n.to_bytes(8, "little")) for n in (5, 77)]
    insns = [*m.BPF_LD_MAP_VALUE(1, 0, 0), m.BPF_LDX_MEM(0x18, 0, 1, 0), m.BPF_EXIT_INSN()]
    insns[0] = insns[0]._replace(src_reg=6)
    for array, expected in ((None, 5), ([1, 0], 77), ([0], 5)):
        program = osmia.Program(insns, "xdp", maps=maps)
        program.fd_array = array
        assert program.load(engine="jit").run(data=PACKET).retval == expected
