"""What the macros of our headers compute: each case returns a number, run here and, where it may, in the kernel."""

import re
import struct
from pathlib import Path

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

GOLDEN = Path(__file__).parent / "golden"
CASE = re.compile(r"^// (\w+): (\d+)( kernel)?\n((?:(?!// ).*\n)*)", re.M)


def cases(file):
    """C and result by name, and the names that only a kernel can answer."""
    found = CASE.findall((GOLDEN / file).read_text())
    return {name: (code, int(result)) for name, result, _, code in found}, {f[0] for f in found if f[2]}


CASES, KERNEL_ONLY = cases("macros.c")
KPROBES, _ = cases("registers.c")


def text_of(code, section="raw_tp/test"):
    """The case as a whole program: its function gets the section."""
    return HEAD + re.sub(r"^int (?=f\(|BPF_)", f'SEC("{section}") int ', code, flags=re.M)


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("name", sorted(CASES.keys() - KERNEL_ONLY))
def test_here(name, compiler) -> None:
    body, expected = CASES[name]
    data = build(text_of(body), compiler, extra=("-Wall", "-Werror"))
    program = osmia.Collection(obj.load(data, target_btf=Btf.parse(types_btf()))).programs["f"]
    assert program.load().run(ctx=ARGS).retval == expected


@pytest.mark.live
@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("name", CASES)
def test_in_the_running_kernel(name, compiler) -> None:
    from osmia.live.prog import kernel_btf

    if reason := live.available():
        pytest.skip(reason)
    if name in ("can_loop", "cond_break") and int(find_compiler(compiler).version.partition(".")[0]) < 19:
        pytest.skip("may_goto needs clang 19")
    body, expected = CASES[name]
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


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("name", KPROBES)
def test_registers(name, compiler) -> None:
    body, expected = KPROBES[name]
    data = build(text_of(body, "kprobe/test"), compiler, extra=("-Wall", "-Werror"), arch="x86")
    program = osmia.Collection(obj.load(data, target_btf=Btf.parse(types_btf()))).programs["f"]
    assert program.load().run(ctx=pt_regs(**REGISTERS)).retval & 0xFFFFFFFF == expected


@pytest.mark.parametrize("compiler", COMPILERS)
def test_registers_of_arm64(compiler) -> None:
    sum_up = "PT_REGS_PARM8(ctx) * 1000 + PT_REGS_SP(ctx) * 100 + PT_REGS_IP(ctx) * 10 + PT_REGS_RET(ctx)"
    text = text_of(f"int f(struct pt_regs *ctx) {{ return {sum_up}; }}", "kprobe/test")
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


def test_all_cases_are_read() -> None:
    assert len(CASES) == 26 and len(KERNEL_ONLY) == 7 and len(KPROBES) == 5
