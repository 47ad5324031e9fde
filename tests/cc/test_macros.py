"""What the macros of our headers compute: each case returns a number, run here and, where it may, in the kernel."""

import struct

import pytest
from cc.compilers import COMPILERS, build

import osmia
from osmia import live, obj
from osmia.btf import Btf
from osmia.cc import find_compiler
from osmia.kernel.layout import types_btf

pytestmark = pytest.mark.skipif(not COMPILERS, reason="no compiler with the BPF target")
HEAD = """
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>
char LICENSE[] SEC("license") = "GPL";
struct pair { u64 a; u32 b; };
struct node { struct node *next; int values[3]; const char name[8]; };
"""
ARGS = struct.pack("<6Q", 0x1122334455667788, 2**64 - 5, 7, 300, 0x99, 1)

# name: (C of one raw tracepoint program, what it returns on ARGS)
CASES = {
    "endian_variable": ("int f(u64 *c) { return bpf_htons(c[0]) == 0x8877 && bpf_ntohl(c[0]) == 0x88776655 &&"
                        " bpf_cpu_to_be64(c[0]) == 0x8877665544332211; }", 1),
    "endian_constant": ("int f(void *c) { _Static_assert(bpf_htons(0x0800) == 8, \"constant\");"
                        " return bpf_ntohl(bpf_htonl(0x01020304)) == 0x01020304; }", 1),
    "prog_arguments": ("int BPF_PROG(f, u64 a, int b, void *p, u8 c) { return b == -5 && (long)p == 7 && c == 44"
                       " && a == 0x1122334455667788; }", 1),
    "prog_without_arguments": ("int BPF_PROG(f) { return ctx[2]; }", 7),
    "prog_twelve": ("int BPF_PROG(f, u64 a, u64 b, u64 c, u64 d, u64 e, u64 g) { return c + d + g; }", 308),
    "prog2_struct": ("int BPF_PROG2(f, u64, a, struct pair, p, u8, c, int, last) {"
                     " return p.a == -5ull && p.b == 7 && c == 44 && last == 0x99; }", 1),
    "container_of": ("int f(u64 *c) { struct pair p = {}; u32 *b = &p.b; barrier_var(b);"
                     " return container_of(b, struct pair, b) == &p && offsetof(struct pair, b) == 8; }", 1),
    "probe_chain": ("struct node one, two; int f(void *c) { one.next = &two; two.values[1] = 42;"
                    " struct node *p = &one; return BPF_PROBE_READ(p, next, values[1]); }", 42),
    "probe_into": ("struct node one, two; int f(void *c) { int v[3]; one.next = &two; two.values[2] = 9;"
                   " long bad = BPF_PROBE_READ_INTO(&v, &one, next, values); return bad ? -1 : v[2]; }", 9),
    "probe_string": ("struct node one; char text[8] = \"osmia\"; int f(void *c) { char s[8] = {};"
                     " __builtin_memcpy((void *)one.name, text, 8);"
                     " return BPF_PROBE_READ_STR_INTO(&s, &one, name) * 256 + s[4]; }", 6 * 256 + ord("a")),
    "probe_fails": ("int f(void *c) { int v = 1; struct node *p = (void *)1;"
                    " return BPF_PROBE_READ_INTO(&v, p, values[0]) < 0 && v == 0; }", 1),
    "bitfield_probed": ("int f(void *c) { struct tcphdr h = { .doff = 11, .syn = 1, .window = 3 };"
                        " return BPF_CORE_READ_BITFIELD_PROBED(&h, doff) * 10 + BPF_CORE_READ_BITFIELD_PROBED(&h, syn);"
                        " }", 111),
    "bitfield_direct": ("int f(void *c) { struct tcphdr h = { .doff = 13, .ack = 1 }; struct tcphdr *p = &h;"
                        " return BPF_CORE_READ_BITFIELD(p, doff) * 10 + BPF_CORE_READ_BITFIELD(p, ack); }", 131),
    "bitfield_written": ("int f(void *c) { struct tcphdr h = { .doff = 15, .fin = 1, .res1 = 5 };"
                         " BPF_CORE_WRITE_BITFIELD(&h, doff, 6); return h.doff * 100 + h.fin * 10 + h.res1; }", 615),
    "field_questions": ("int f(void *c) { return bpf_core_field_exists(struct task_struct, comm) +"
                        " 2 * bpf_core_field_size(struct task_struct, comm) +"
                        " 100 * bpf_core_type_exists(struct sk_buff) + 200 * bpf_core_type_exists(struct no_such_one) +"
                        " 1000 * bpf_core_enum_value(enum bpf_map_type, BPF_MAP_TYPE_RINGBUF); }", 27133),
    "field_absent": ("struct task_struct___x { int no_such_field; } __attribute__((preserve_access_index));"
                     " int f(struct task_struct___x *c) { return bpf_core_field_exists(c->no_such_field); }", 0),
    "snprintf": ("int f(void *c) { char s[24] = {}; long n = BPF_SNPRINTF(s, sizeof(s), \"%d:%s:%x:%llu\", -3, \"ab\", 255,"
                 " 77ull); return n * 1000 + s[0] + s[4]; }", 12 * 1000 + ord("-") + ord("b")),
    "tail_call_to_nothing": ("struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, 2); __uint(key_size, 4);"
                             " __uint(value_size, 4); } jumps SEC(\".maps\");"
                             " int f(void *c) { bpf_tail_call_static(c, &jumps, 1); return 5; }", 5),
    "barrier": ("int f(u64 *c) { int x = 3; barrier(); barrier_var(x); return likely(x == 3) && !unlikely(x == 4); }", 1),
}  # fmt: skip
KERNEL_ONLY = {
    "bpf_for": ("int f(void *c) { int i, sum = 0; u64 a[8] = {}; bpf_for(i, 0, 8) { a[i] = i; sum += a[i]; }"
                " return sum; }", 28),
    "bpf_repeat": ("int f(void *c) { int n = 0; bpf_repeat(5) n++; return n; }", 5),
    "bpf_for_each": ("int f(void *c) { int *v, sum = 0; bpf_for_each(num, v, 3, 6) sum += *v; return sum; }", 12),
    "bpf_for_break": ("int f(void *c) { int i, n = 0; bpf_for(i, 0, 100) { if (i == 4) break; n++; } return n; }", 4),
    "can_loop": ("int f(u64 *c) { int n = 0; while (n < c[3] && can_loop) n++; return n; }", 300),
    "cond_break": ("int f(u64 *c) { int n = 0; for (;;) { cond_break; if (++n >= c[3]) break; } return n; }", 300),
    "core_read_task": ("int f(void *c) { struct task_struct *t = (void *)bpf_get_current_task();"
                       " return BPF_CORE_READ(t, group_leader, tgid) == bpf_get_current_pid_tgid() >> 32; }", 1),
}  # fmt: skip


def text_of(body):
    return HEAD + body.replace("int f(", 'SEC("raw_tp/test") int f(').replace("int BPF_P", 'SEC("raw_tp/test") int BPF_P')


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("name", CASES)
def test_here(name, compiler) -> None:
    body, expected = CASES[name]
    data = build(text_of(body), compiler, extra=("-Wall", "-Werror"))
    program = osmia.Collection(obj.load(data, target_btf=Btf.parse(types_btf()))).programs["f"]
    assert program.load().run(ctx=ARGS).retval == expected


@pytest.mark.live
@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("name", [*CASES, *KERNEL_ONLY])
def test_in_the_running_kernel(name, compiler) -> None:
    from osmia.live.prog import kernel_btf

    if reason := live.available():
        pytest.skip(reason)
    if name in ("can_loop", "cond_break") and int(find_compiler(compiler).version.partition(".")[0]) < 19:
        pytest.skip("may_goto needs clang 19")
    body, expected = {**CASES, **KERNEL_ONLY}[name]
    data = build(text_of(body), compiler, extra=("-Wall", "-Werror"))
    program = osmia.Collection(obj.load(data, target_btf=kernel_btf())).programs["f"]
    assert program.load(engine="live").run(ctx=ARGS).retval == expected


REGISTERS = {"di": 1, "si": 2, "dx": 3, "cx": 4, "r8": 5, "r9": 6, "r10": 40, "ax": -7 & 2**64 - 1, "bp": 70, "ip": 80}


def pt_regs(**values):
    """struct pt_regs of x86-64 with those registers."""
    from osmia.btf import Struct
    from osmia.btf.layout import members

    btf = Btf.parse(types_btf())
    regs = btf.find("pt_regs", Struct)
    data = bytearray(btf.size_of(regs))
    for field in members(btf, regs):
        if field.path in values:
            struct.pack_into("<Q", data, field.offset, values[field.path])
    return bytes(data)


KPROBES = {
    "arguments": ("int BPF_KPROBE(f, int a, char b, void *c, u64 d, long e, u8 g)"
                  " { return a * 100000 + b * 10000 + (long)c * 1000 + d * 100 + e * 10 + g; }", 123456),
    "plain": ("int f(struct pt_regs *ctx) { return PT_REGS_PARM1(ctx) + PT_REGS_FP(ctx) + PT_REGS_IP(ctx) +"
              " PT_REGS_PARM4_SYSCALL(ctx) + PT_REGS_PARM4(ctx); }", 195),
    "return_value": ("int BPF_KRETPROBE(f, int ret) { return ret == -7; }", 1),
    "no_return_value": ("int BPF_KRETPROBE(f) { return 3; }", 3),
    "relocatable": ("int f(struct pt_regs *ctx) { return PT_REGS_PARM2_CORE(ctx) + PT_REGS_RC_CORE(ctx); }", 2**32 - 5),
}  # fmt: skip


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("name", KPROBES)
def test_registers(name, compiler) -> None:
    body, expected = KPROBES[name]
    text = HEAD + 'SEC("kprobe/test") ' + body
    data = build(text, compiler, extra=("-Wall", "-Werror"), arch="x86")
    program = osmia.Collection(obj.load(data, target_btf=Btf.parse(types_btf()))).programs["f"]
    assert program.load().run(ctx=pt_regs(**REGISTERS)).retval & 0xFFFFFFFF == expected


@pytest.mark.parametrize("compiler", COMPILERS)
def test_registers_of_arm64(compiler) -> None:
    text = HEAD + ('SEC("kprobe/test") int f(struct pt_regs *ctx) { return PT_REGS_PARM8(ctx) * 1000 + PT_REGS_SP(ctx) * 100'
                   " + PT_REGS_IP(ctx) * 10 + PT_REGS_RET(ctx); }")  # fmt: skip
    data = build(text, compiler, extra=("-Wall", "-Werror"), arch="arm64")
    program = obj.load(data).programs["f"]
    regs = struct.pack("<34Q", *[9 if i == 7 else 4 if i == 30 else 0 for i in range(31)], 8, 7, 0)
    assert osmia.Program.of(program).load().run(ctx=regs).retval == 9874


@pytest.mark.parametrize("compiler", COMPILERS)
def test_an_unknown_machine_is_told_apart(compiler) -> None:
    from osmia.errors import CompileError

    text = HEAD + 'SEC("kprobe/test") int f(struct pt_regs *ctx) { return PT_REGS_PARM1(ctx); }'
    with pytest.raises(CompileError, match="__TARGET_ARCH_x86"):
        build(text, compiler, arch="vax")


@pytest.mark.parametrize("compiler", COMPILERS)
def test_printk_with_any_number_of_arguments(compiler) -> None:
    calls = "".join(f'bpf_printk("{"%d" * n}"{"".join(f", {i}" for i in range(n))});' for n in range(13))
    data = build(HEAD + 'SEC("raw_tp/x") int f(void *c) { ' + calls + " return 0; }", compiler,
                 extra=("-Wall", "-Werror"))  # fmt: skip
    result = osmia.Collection(obj.load(data)).programs["f"].load().run(ctx=ARGS)
    said = [str(line).partition("bpf_trace_printk: ")[2].rstrip("\n") for line in result.trace]
    assert said == ["".join(map(str, range(n))) for n in range(13)]
