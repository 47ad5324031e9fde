"""``osmia compile``: native code that a C program can link and run, and what stands in the way of it."""

import ctypes
import json
import shutil
import subprocess
import sys

import pytest

from osmia.cli.main import main
from osmia.vm.jit import ahead, build, llvm
from osmia.vm.ops import STACK_SIZE
from osmia.vm.runwords import OFFSETS, RUN

pytest.importorskip("llvmlite")

PROGRAM = """
*(u64 *)(r10 - 8) = r1
r0 = *(u64 *)(r10 - 8)
r0 *= r2
exit
"""
LOOP = "r0 = 0\nr1 = 1000\nloop:\nr0 += r1\nr1 -= 1\nif r1 != 0 goto loop\nexit"
DRIVER = """
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include "loop.h"
static int refills;
uint64_t osmia_refill(struct osmia_run *run) { run->fuel = 100; return ++refills > LIMIT; }
int main(void)
{
	struct osmia_run run;
	memset(&run, 0, sizeof run);
	run.stack = (uint64_t)calloc(1, 244736);
	run.packet = (uint64_t)calloc(16, 8);
	run.checked = 1;
	uint64_t r0 = loop_entry(&run, 0, 0, 0, 0, 0);
	printf("%d %llu\\n", refills > LIMIT, (unsigned long long)r0);
	return 0;
}
"""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OSMIA_CACHE_DIR", "")
    (tmp_path / "prog.s").write_text(PROGRAM)
    (tmp_path / "loop.s").write_text(LOOP)
    return tmp_path


@pytest.fixture
def osmia(capfdbinary):
    def run(*args, status=0):
        assert main(list(args)) == status
        got = capfdbinary.readouterr()
        run.err = got.err.decode()
        return got.out if status == 0 else run.err

    return run


def needs(command):
    if shutil.which(command) is None:
        pytest.skip(f"needs {command}")


def test_assembly_is_of_this_machine_and_of_others(osmia):
    assert b"loop_entry:" in osmia("compile", "loop.s")
    assert b"\tret\n" in osmia("compile", "prog.s", "--trusted", "--target", "aarch64")
    assert b".word" not in osmia("compile", "prog.s", "--target", "x86_64-unknown-linux-gnu")


def test_ir_is_optimised_unless_told_not_to_be(osmia):
    plain, optimised = (osmia("compile", "prog.s", "--trusted", "--emit", "ir", "-O", n) for n in "02")
    assert b"alloca" not in optimised and b"mul" in optimised
    assert len(optimised) < len(plain)


@pytest.mark.parametrize(("target", "machine"), [("x86-64", 62), ("aarch64", 183)])
def test_an_object_is_an_elf_file_of_its_target(osmia, place, target, machine):
    facts = json.loads(osmia("compile", "loop.s", "--emit", "obj", "--target", target, "-o", "x.o", "--json"))
    data = (place / "x.o").read_bytes()
    assert (data[:4], data[18]) == (b"\x7fELF", machine)
    assert facts == {"file": "x.o", "bytes": len(data), "program": "loop", "emit": "obj", "entry": "loop_entry"}


def test_a_shared_library_runs_without_osmia(osmia, place):
    needs("cc")
    osmia("compile", "prog.s", "--trusted", "--emit", "so", "-o", "prog.so")
    code = ctypes.CDLL(str(place / "prog.so"))
    run, stack = (ctypes.c_uint64 * len(RUN))(), ctypes.create_string_buffer(STACK_SIZE)
    run[OFFSETS["stack"] // 8] = ctypes.addressof(stack)
    words = [ctypes.c_uint64(n) for n in (6, 7, 0, 0, 0)]
    code.prog_entry.restype = ctypes.c_uint64
    assert code.prog_entry(ctypes.byref(run), *words) == 42


@pytest.mark.parametrize(("limit", "said"), [(1000, "0 500500"), (3, "1 ")])
def test_a_c_program_links_the_object_and_the_header(osmia, place, limit, said):
    needs("cc")
    osmia("compile", "loop.s", "--emit", "obj", "-o", "loop.o")
    osmia("compile", "loop.s", "--emit", "h", "-o", "loop.h")
    (place / "main.c").write_text(DRIVER)
    command = ["cc", "-Wall", "-Wextra", "-Werror", f"-DLIMIT={limit}", "main.c", "loop.o", "-o", "main"]
    subprocess.run(command, cwd=place, check=True, timeout=60)
    done = subprocess.run([place / "main"], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith(said)


def test_the_header_names_what_the_code_wants(osmia, place):
    (place / "helper.s").write_text("call 5\nr6 = r0\ncall 7\nr0 += r6\nexit")
    header = osmia("compile", "helper.s", "--trusted", "--emit", "h").decode()
    assert "uint64_t osmia_bpf_ktime_get_ns(struct osmia_run *, uint64_t r1," in header
    assert "uint64_t osmia_bpf_get_prandom_u32(" in header
    assert all(f"\tuint64_t {word};" in header for word in RUN)


def test_maps_are_described(osmia, place):
    pytest.importorskip("ziglang")
    (place / "m.bpf.c").write_text(
        "#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\n"
        "struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 64); __type(key, __u32); __type(value, __u64);"
        ' } seen SEC(".maps");\nSEC("xdp") int f(void *c) { __u32 k = 1; __u64 *v = bpf_map_lookup_elem(&seen, &k);'
        ' return v ? *v : 0; }\nchar l[] SEC("license") = "GPL";\n'
    )
    header = osmia("compile", "m.bpf.c", "--emit", "h").decode()
    assert "extern char osmia_map0[]; /* hash seen: keys of 4 bytes, values of 8, 64 entries */" in header


@pytest.mark.parametrize(
    ("args", "status", "words"),
    [
        (["missing.s"], 2, "missing.s: No such file"),
        (["prog.s", "--emit", "exe"], 2, "'exe' is not one of"),
        (["prog.s", "--target", "pdp11"], 3, "LLVM has no target 'pdp11'"),
        (["prog.s", "--json"], 2, "name one with -o"),
        (["prog.s", "-p", "other"], 2, "no program 'other' (there: prog)"),
        (["prog.s", "--emit", "so", "--target", "s390x-linux-gnu", "-o", "x.so"], 3, "no linker for s390x-linux-gnu"),
        (["prog.s", "-o", "/nowhere/x.s"], 2, "No such file or directory"),
    ],
)
def test_what_can_t_be_done_is_said_in_one_line(osmia, args, status, words, monkeypatch):
    if "s390x-linux-gnu" in args:
        monkeypatch.setattr(shutil, "which", lambda command: None)
    error = osmia("compile", *args, status=status)
    assert words in error
    assert "Traceback" not in error


def test_a_linker_that_fails_is_quoted(osmia, place, monkeypatch):
    (place / "bad").write_text("#!/bin/sh\necho no room at all >&2\nexit 1\n")
    (place / "bad").chmod(0o755)
    monkeypatch.setenv("CC", str(place / "bad"))
    assert "bad failed: no room at all" in osmia("compile", "prog.s", "--emit", "so", "-o", "x.so", status=3)


def test_without_llvmlite_it_says_what_to_install(osmia, monkeypatch):
    for name in [n for n in sys.modules if n.split(".")[0] == "llvmlite"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    for function in (llvm.binding, llvm.host, llvm.fingerprint):
        function.cache_clear()
    error = osmia("compile", "prog.s", status=3)
    assert 'install it with: pip install "osmia[jit]"' in error
    assert error.count("\n") == 1
    assert b"returned 500500" in osmia("run", "--engine", "jit", "loop.s")
    assert osmia.err.startswith("osmia: note: no native code without llvmlite")
    assert osmia.err.endswith("the interpreter runs the program\n") and osmia.err.count("\n") == 1
    assert b"returned 500500" in osmia("run", "loop.s")
    assert osmia.err == ""
    for function in (llvm.binding, llvm.host, llvm.fingerprint):
        function.cache_clear()


def test_run_takes_an_engine(osmia):
    build.store.cache_clear()
    results = [json.loads(osmia("run", "--json", "--engine", e, "loop.s")) for e in ("interp", "jit", "auto")]
    numbers = [[(r["retval"], r["insns"]) for r in result["results"]] for result in results]
    assert numbers == [[(500500, 3003)]] * 3
    build.store.cache_clear()


@pytest.mark.parametrize("text", ["stdin", "9lives", "a.b-c", "ü"])
def test_identifiers_are_c(text):
    assert ahead.identifier(text).isidentifier() and ahead.identifier(text).isascii()
