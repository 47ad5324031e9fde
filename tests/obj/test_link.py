"""Objects that libbpf refuses, or takes in a way worth knowing: the message, the place, the result."""

from __future__ import annotations

import pytest
from obj import judge

from osmia.errors import InputError, LinkError
from osmia.obj import load

PRELUDE = '#include "defs.h"\n'
ARENA = "#define __arena __attribute__((address_space(1)))\n"
ARENA_MAP = 'struct { __uint(type, 33); __uint(map_flags, 1024); __uint(max_entries, 4); } %s SEC(".maps");\n'


def build(source: str, tmp_path, *flags: str) -> bytes:
    file = tmp_path / "x.bpf.c"
    file.write_text(PRELUDE + source)
    return judge.compile_c(file, tmp_path / "x.bpf.o", "-w", f"-I{judge.__file__.rsplit('/', 1)[0]}/c", *flags)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('static SEC("xdp") int f(void *c) { return 1; }',
         "section xdp, offset 0x0: program 'f' is static; only subprograms in .text may be"),
        ('extern int there(int); SEC("xdp") int f(void *c) { return there(1); }',
         "section .symtab: extern 'there': defined nowhere and declared neither __ksym nor __kconfig"),
        ('__noinline SEC("tc") int g(void *c) { return ktime(); } SEC("xdp") int f(void *c) { return g(c); }',
         "section xdp, offset 0x0: f: the subprogram 'g' is not in .text"),
        ('struct { __uint(type, 1); __type(key, u32); __uint(key_size, 8); } m SEC(".maps");'
         'SEC("xdp") int f(void *c) { return 1; }',
         "section .maps, offset 0x0: map 'm': key size 4 and 8 contradict each other"),
        ('struct { __uint(type, 1); __uint(colour, 7); } m SEC(".maps"); SEC("xdp") int f(void *c) { return 1; }',
         "section .maps, offset 0x0: map 'm': a field 'colour' is not known here"),
        ('struct { __uint(key_size, 4); } m SEC(".maps"); SEC("xdp") int f(void *c) { return 1; }',
         "map 'm': no type is given"),
        ('struct { __uint(type, 1); __uint(pinning, 5); } m SEC(".maps"); SEC("xdp") int f(void *c) { return 1; }',
         "pinning 5 is neither LIBBPF_PIN_NONE nor LIBBPF_PIN_BY_NAME"),
        ('static struct { __uint(type, 1); } m SEC(".maps");'
         'SEC("xdp") int f(void *c) { return map_lookup(&m, c) != 0; }',
         "map 'm': it is not a global variable"),
        ('struct { __uint(type, 3); __uint(key_size, 4); __array(values, int(void *)); } m SEC(".maps") = '
         '{ .values = { (void *)&LICENSE } }; SEC("xdp") int f(void *c) { return 1; }',
         "map 'm': 'LICENSE' is no program"),
        ('u32 v[2] SEC("version") = { 1, 2 }; SEC("xdp") int f(void *c) { return 1; }',
         "section version, offset 0x0: the version takes 4 bytes, not 8"),
        ('struct d { u32 a[7]; }; struct d m SEC("maps") = { { 1, 4, 4, 1, 0, 0, 9 } };'
         'SEC("xdp") int f(void *c) { return map_lookup(&m, c) != 0; }',
         "section maps, offset 0x0: map 'm' has more than type, sizes, entries and flags in the section"),
        ('int strange SEC("elsewhere"); SEC("xdp") int f(void *c) { return strange; }',
         "f: 'strange' is in 'elsewhere', which is neither maps nor data"),
        ('extern u64 wide[3] __kconfig; SEC("xdp") int f(void *c) { return wide[1]; }',
         "section .kconfig: extern 'wide' has a type that __kconfig can't have"),
        (ARENA + ARENA_MAP % "a" + ARENA_MAP % "b" + 'SEC("xdp") int f(void *c) { return 1; }',
         "section .maps: two arenas, 'a' and 'b'; one is allowed"),
        (ARENA + 'int __arena g; SEC("syscall") int f(void *c) { return g++; }',
         "section .addr_space.1: global variables of an arena, and no arena map"),
        ('SEC("struct_ops/x") int f(void *c) { return 1; } struct ops { int n; };'
         'SEC(".struct_ops") struct ops o = { .n = 1 }; SEC("kprobe/a") int g(void *c) { return 1; } SEC("kpobe") '
         "int h(void *c) { return 2; }",
         "section kpobe, offset 0x0: section name 'kpobe' means no program type; did you mean kprobe+"),
    ],
)  # fmt: skip
def test_refused(source, message, tmp_path):
    with pytest.raises(InputError) as e:
        load(build(source, tmp_path), path="x.o")
    assert message in str(e.value)
    assert e.value.place.file == "x.o"


def test_maps_need_btf(tmp_path):
    source = 'struct { __uint(type, 1); } m SEC(".maps"); SEC("xdp") int f(void *c) { return map_lookup(&m, c) != 0; }'
    with pytest.raises(LinkError, match=r"maps are defined by BTF, and there is none \(compile with -g\)"):
        load(build(source, tmp_path, "-g0"), path="x.o")


def test_code_without_btf_links(tmp_path):
    source = "static __noinline u64 g(u64 x) { return ktime() + x; } u64 n;"
    collection = load(build(source + 'SEC("xdp") int f(void *c) { return g(n); }', tmp_path, "-g0"), path="dir/x.bpf.o")
    program = collection.programs["f"]
    assert [s.name for s in program.subprogs] == ["f", "g"] and not program.func_info and program.btf is None
    assert collection.maps["x.bss"].flags == 0  # libbpf maps into memory only what BTF shows to be visible


def test_a_program_that_is_not_to_be_loaded_may_be_broken(tmp_path):
    source = 'int far SEC("elsewhere"); SEC("?xdp") int f(void *c) { return far; }'
    collection = load(build(source + 'SEC("xdp") int g(void *c) { return 1; }', tmp_path))
    assert [(p.name, p.autoload) for p in collection.programs.values()] == [("f", False), ("g", True)]


def test_an_arena_holds_its_variables(tmp_path):
    source = ARENA + ARENA_MAP % "arena" + 'int __arena a = 5; SEC("syscall") int f(void *c) { return a++; }'
    collection = load(build(source, tmp_path, "-mcpu=v4"))
    assert collection.maps["arena"].data == b"\5\0\0\0"
    (first, *_) = (i for i in collection.programs["f"].insns if i.is_wide)
    assert (first.src_reg, first.imm) == (2, 0)


def test_an_exception_callback_comes_along(tmp_path):
    source = """__noinline int caught(u64 cookie) { return cookie; }
    __attribute__((btf_decl_tag("exception_callback:caught"))) SEC("tc") int f(void *c) { return 1; }
    SEC("tc") int g(void *c) { return 1; }"""
    programs = load(build(source, tmp_path)).programs
    assert [[s.name for s in p.subprogs] for p in programs.values()] == [["f", "caught"], ["g"]]


def test_a_long_chain_of_calls(tmp_path):
    """No recursion: the depth of calls is the verifier's business."""
    count = 3000
    chain = "__noinline u64 f0(u64 x) { return ktime(); }\n"
    chain += "".join(f"__noinline u64 f{i}(u64 x) {{ return f{i - 1}(x) + {i}; }}\n" for i in range(1, count))
    source = chain + f'SEC("xdp") int f(void *c) {{ return f{count - 1}(1); }}'
    program = load(build(source, tmp_path, "-O1", "-fno-inline")).programs["f"]
    assert len(program.subprogs) == count + 1
    assert [s.name for s in program.subprogs[1:4]] == [f"f{count - 1}", f"f{count - 2}", f"f{count - 3}"]
