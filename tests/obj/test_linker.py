"""Static linking: what bpftool gen object makes of the same files, and what no linker may accept."""

from __future__ import annotations

import random
import subprocess
from functools import cache
from pathlib import Path

import pytest
from obj import judge

from osmia.btf import Btf, Func, Var
from osmia.btf.check import check
from osmia.btf.text import dump_text
from osmia.errors import BtfError, ElfError, InputError, LinkError
from osmia.obj import load
from osmia.obj.elf import ElfFile
from osmia.obj.linker import link, link_files

SOURCES = Path(__file__).parent / "link"
VERSION = {"LINUX_KERNEL_VERSION": 0x60C00}


def compile_text(text, out, *flags):
    source = out.with_suffix(".c")
    source.write_text(text)
    judge.compile_c(source, out, "-mcpu=v3", "-w", *flags)
    return out


def compiled(tmp_path, *names, flags=()):
    paths = []
    for name in names:
        paths.append(tmp_path / f"{name}.o")
        judge.compile_c(SOURCES / f"{name}.c", paths[-1], "-mcpu=v3", *flags)
    return paths


def with_bpftool(out, paths):
    done = subprocess.run([judge.tool("bpftool"), "gen", "object", out, *paths], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out.read_bytes()


@cache
def kernel():
    if not judge.VMLINUX.exists():
        pytest.skip("the kernel shows no BTF")
    return Btf.parse(judge.VMLINUX.read_bytes())


def loaded(data):
    return load(data, path="linked.o", name="linked", target_btf=kernel(), kconfig=VERSION, kallsyms={})


def table(data):
    elf = ElfFile(data)
    return Btf.parse(elf.contents(elf.section(".BTF")))


def lines(program):
    text = program.btf.str_at
    return [(row.insn, text(row.file_off), text(row.line_off), row.line_col) for row in program.line_info]


def same(ours, theirs):
    """Programs and maps of two collections, as far as they mean anything outside their files."""
    assert list(ours.programs) == list(theirs.programs)
    for name, program in ours.programs.items():
        other = theirs.programs[name]
        for field in ("insns", "func_info", "subprogs", "externs", "prog_type", "section", "license"):
            assert getattr(program, field) == getattr(other, field), (name, field)
        assert lines(program) == lines(other)
    assert list(ours.maps) == list(theirs.maps)
    for name, spec in ours.maps.items():
        other = theirs.maps[name]
        for field in ("type", "key_size", "value_size", "max_entries", "flags", "data", "values", "btf_value_type_id"):
            assert getattr(spec, field) == getattr(other, field), (name, field)


PAIRS = [("calls_a", "calls_b"), ("calls_b", "calls_a"), ("maps_b", "maps_a"), ("calls_a",), ("maps_b",)]


@pytest.mark.parametrize("names", PAIRS, ids="+".join)
def test_equal_to_bpftool(names, tmp_path):
    paths = compiled(tmp_path, *names)
    ours, theirs = link_files(paths), with_bpftool(tmp_path / "theirs.o", paths)
    assert dump_text(table(ours)) == dump_text(table(theirs))
    if len(names) > 1:  # one file alone wants what the other has
        same(loaded(ours), loaded(theirs))
    check(table(ours))


def test_libbpf_loads_what_bpftool_gets_wrong(tmp_path):
    """libbpf 1.1 leaves offset 0 in the section of an extern that is defined later; the map is then not found."""
    path = tmp_path / "linked.o"
    path.write_bytes(link_files(compiled(tmp_path, "maps_a", "maps_b")))
    collection = loaded(path.read_bytes())
    assert list(collection.programs) == ["prog_a", "prog_b", "probe_b"]
    assert set(collection.maps) >= {"shared", "inner_a", "inner_b", "outer", "progs"}
    assert collection.maps["outer"].values == {1: "inner_b"}
    asked = judge.ask_libbpf(path, name="linked")
    assert asked is not None, "libbpf refuses it"


def test_the_kernel_runs_the_stronger_definition(tmp_path):
    """After linking, weak_func is that of maps_b, wherever the files stand."""
    for names in (("maps_a", "maps_b"), ("maps_b", "maps_a")):
        data = link_files(compiled(tmp_path, *names))
        elf = ElfFile(data)
        symbols = {s.name: s for s in elf.symbols}
        code = elf.contents(elf.sections[symbols["weak_func"].section])
        at = symbols["weak_func"].value
        assert b"\x02\x00\x00\x00" in code[at : at + symbols["weak_func"].size]
        assert symbols["hidden_func"].hidden
        assert symbols["weak_data"].bind == 1
        data_section = elf.contents(elf.sections[symbols["weak_data"].section])
        assert data_section[symbols["weak_data"].value] == 2


def test_kfuncs_and_externs_stay(tmp_path):
    paths = []
    for name in ("one", "two"):
        paths.append(tmp_path / f"{name}.o")
        judge.compile_c(SOURCES / "kfuncs.c", paths[-1], "-mcpu=v3", f"-DNAME={name}")
    data = link_files(paths)
    made = table(data)
    assert len(list(made.find_all("bpf_task_from_pid", Func))) == 1
    assert len(list(made.find_all("LINUX_KERNEL_VERSION", Var))) == 1
    undefined = [s.name for s in ElfFile(data).symbols[1:] if s.section == 0]
    assert sorted(undefined) == ["LINUX_KERNEL_VERSION", "bpf_prog_active", "bpf_task_from_pid", "bpf_task_release"]
    programs = loaded(data).programs
    for name in ("one", "two"):
        assert {e.name for e in programs[name].externs} >= {"bpf_task_from_pid", "bpf_task_release"}
    same_alone = loaded(paths[0].read_bytes()).programs["one"]
    assert len(same_alone.insns) == len(programs["one"].insns)
    check(made)


@pytest.mark.parametrize("names", [("calls_a", "calls_b"), ("maps_a", "maps_b")], ids="+".join)
def test_big_endian_says_the_same(names, tmp_path):
    little = link_files(compiled(tmp_path, *names))
    big = link_files(compiled(tmp_path, *names, flags=("-target", "bpfeb")))
    assert [(s.name, s.value, s.size, s.bind) for s in ElfFile(big).symbols] == [
        (s.name, s.value, s.size, s.bind) for s in ElfFile(little).symbols
    ]
    assert dump_text(table(big)) == dump_text(table(little))


def test_linking_again_changes_nothing(tmp_path):
    once = link_files(compiled(tmp_path, "maps_a", "maps_b"))
    twice = link([("once.o", once)])
    assert dump_text(table(twice)) == dump_text(table(once))
    same(loaded(twice), loaded(once))


HEAD = "#define SEC(n) __attribute__((section(n), used))\n"
GPL = 'char LICENSE[] SEC("license") = "GPL";\n'
USE_M = 'SEC("xdp") long p(void *c) { return (long)&m; }'
CLASHES = {
    "defined again": (GPL + "int x = 1;", GPL + "int x = 2;"),
    "the license is not": (GPL, 'char LICENSE[] SEC("license") = "BSD";'),
    "the version is not": ('int v SEC("version") = 1;', 'int v2 SEC("version") = 2;'),
    "the types are int int and int long": (
        GPL + "int x = 1;", GPL + 'extern long x; SEC("xdp") int p(void *c) { return x; }'
    ),
    "1 and 2 parameters": (
        GPL + "int f(int a) { return a; }",
        GPL + 'extern int f(int a, int b); SEC("xdp") int p(void *c) { return f(1, 2); }',
    ),
    "one is a function": (GPL + "int f = 1;", GPL + 'extern int f(void); SEC("xdp") int p(void *c) { return f(); }'),
    "has member 'a' where the other has 'b'": (
        GPL + "struct s { int a; } x = {1};",
        GPL + 'extern struct s { int b; } x; SEC("xdp") int p(void *c) { return x.b; }',
    ),
    "bytes in one": (
        GPL + "struct s { int a; } x = {1};",
        GPL + 'extern struct s { int a; int b; } x; SEC("xdp") int p(void *c) { return x.b; }',
    ),
    "value differs": (
        GPL + 'struct { int (*type)[1]; int *value; } m SEC(".maps");',
        GPL + 'extern struct { int (*type)[1]; long *value; } m SEC(".maps"); ' + USE_M,
    ),
    "only one map has flags": (
        GPL + 'struct { int (*type)[1]; int (*flags)[1]; } m SEC(".maps");',
        GPL + 'extern struct { int (*type)[1]; } m SEC(".maps"); ' + USE_M,
    ),
    "differ from those in the files before": (
        GPL + 'int x SEC("odd") = 1;', GPL + 'SEC("odd") int p(void *c) { return 0; }'
    ),
}  # fmt: skip


@pytest.mark.parametrize("reason", CLASHES)
def test_what_does_not_fit_is_refused(reason, tmp_path):
    paths = [compile_text(HEAD + text, tmp_path / f"{i}.o") for i, text in enumerate(CLASHES[reason])]
    with pytest.raises(LinkError, match=reason) as caught:
        link_files(paths)
    assert caught.value.place.file == str(paths[1])


def test_an_extern_needs_types(tmp_path):
    text = HEAD + GPL + 'extern int x; SEC("xdp") int p(void *c) { return x; }'
    with pytest.raises(LinkError, match="extern 'x' has no BTF"):
        link_files([compile_text(text, tmp_path / "a.o", "-g0")])


def test_files_without_types_link(tmp_path):
    texts = [HEAD + GPL + f'int v{i} = {i}; SEC("xdp") int p{i}(void *c) {{ return v{i}; }}' for i in range(2)]
    data = link_files([compile_text(text, tmp_path / f"{i}.o", "-g0") for i, text in enumerate(texts)])
    assert ElfFile(data).section(".BTF") is None
    assert list(loaded(data).programs) == ["p0", "p1"]


def test_byte_orders_do_not_mix(tmp_path):
    little, big = (compile_text(HEAD + GPL, tmp_path / f"{t}.o", "-target", t) for t in ("bpfel", "bpfeb"))
    with pytest.raises(LinkError, match=r"big-endian.*little-endian"):
        link_files([little, big])


def test_nothing_and_nonsense():
    with pytest.raises(LinkError, match="nothing"):
        link([])
    with pytest.raises(ElfError, match="no magic"):
        link([("x.o", b"not an object")])


@pytest.mark.parametrize("seed", range(4))
def test_damaged_objects(seed, tmp_path):
    """Whatever is broken, one typed error with the file's name, or a linked object."""
    first, second = (p.read_bytes() for p in compiled(tmp_path, "calls_a", "calls_b"))
    rng = random.Random(seed)
    for _ in range(60):
        data = bytearray(second)
        for _ in range(rng.randint(1, 6)):
            data[rng.randrange(len(data))] = rng.choice([0, 1, 2, 255, rng.randrange(256)])
        if rng.random() < 0.2:
            del data[rng.randrange(len(data)) :]
        try:
            link([("first.o", first), ("second.o", bytes(data))])
        except InputError as error:
            assert isinstance(error, ElfError | BtfError | LinkError)
            assert error.place.file in ("first.o", "second.o"), error
