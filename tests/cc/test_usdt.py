"""usdt.bpf.h: arguments as a loader's rows say, run here."""

import struct

import pytest
from cc.compilers import COMPILERS, build
from cc.test_macros import REGISTERS, pt_regs

import osmia
from osmia import obj
from osmia.btf import Btf, Struct
from osmia.btf.layout import members
from osmia.kernel.layout import types_btf

PROGRAM = """
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/usdt.bpf.h>
char LICENSE[] SEC("license") = "GPL";
long seen[6];
SEC("usdt") int BPF_USDT(probe, long number, int reg, signed char narrow, long memory, long indexed, long absent)
{
	seen[0] = number; seen[1] = reg; seen[2] = narrow; seen[3] = memory; seen[4] = indexed; seen[5] = absent;
	return bpf_usdt_arg_cnt(ctx) * 1000 + bpf_usdt_cookie(ctx);
}
SEC("usdt") int BPF_USDT(bare) { return 4; }
"""
CONST, REG, DEREF, SIB = range(4)
pytestmark = pytest.mark.skipif(not COMPILERS, reason="no compiler with the BPF target")


def places():
    btf = Btf.parse(types_btf())
    return {f.path: f.offset for f in members(btf, btf.find("pt_regs", Struct))}


def row(*args, cookie):
    """One __bpf_usdt_spec: (type, value, register, index register, scale, signed, bytes) for each argument."""
    at, packed = places(), b""
    for kind, value, register, index, scale, signed, size in args:
        word = kind | at.get(index, 0) << 8 | scale << 20
        packed += struct.pack("<QIhBb", value, word, at.get(register, 0), signed, 64 - 8 * size)
    return packed.ljust(12 * 16, b"\0") + struct.pack("<Qh6x", cookie, len(args))


@pytest.mark.parametrize("compiler", COMPILERS)
def test_arguments(compiler) -> None:
    data = build(PROGRAM, compiler, arch="x86", extra=("-Wall", "-Werror"))
    programs = osmia.Collection(obj.load(data, target_btf=Btf.parse(types_btf())))
    world = osmia.World()
    text = world.string("01234567abcdefgh", user=True)
    spec = row((CONST, 2**64 - 9, "", "", 0, 1, 8), (REG, 0, "r9", "", 0, 0, 4), (REG, 0, "ax", "", 0, 1, 1),
               (DEREF, 8, "bx", "", 0, 0, 8), (SIB, 2, "bx", "di", 1, 0, 2), cookie=77)  # fmt: skip
    specs = programs.maps["__bpf_usdt_specs"]
    specs[0] = spec
    registers = pt_regs(**REGISTERS, bx=text)
    assert programs.programs["probe"].load(world=world).run(ctx=registers).retval == 5077
    seen = struct.unpack_from("<6q", bytes(programs.maps[".bss"][0]))
    assert seen == (-9, 6, -7, 0x6867666564636261, 0x3534, 0)
    assert programs.programs["bare"].load().run(ctx=registers).retval == 4


@pytest.mark.parametrize("compiler", COMPILERS)
def test_the_rows_layout(compiler) -> None:
    for order in ("little", "big"):
        text = (
            PROGRAM
            + """
        _Static_assert(sizeof(struct __bpf_usdt_arg_spec) == 16, "argument");
        _Static_assert(__builtin_offsetof(struct __bpf_usdt_arg_spec, reg_off) == 12, "register");
        _Static_assert(__builtin_offsetof(struct __bpf_usdt_spec, usdt_cookie) == 192, "cookie");
        """
        )
        assert build(text, compiler, order=order, arch="x86")
