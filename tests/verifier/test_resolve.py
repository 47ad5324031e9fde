"""64-bit loads and opcodes: each message by hand, and random loads put to the running kernel."""

import errno
import os
import random

import pytest

from osmia.btf import Var
from osmia.isa import Insn
from osmia.isa import consts as c
from osmia.isa.macros import BPF_EXIT_INSN, BPF_MOV64_IMM
from osmia.kernel.uapi import PROG_FLAGS
from osmia.live import available
from osmia.obj.model import MapSpec, Program
from osmia.testing.answers import Kernel, masked
from osmia.verifier.env import Powers
from osmia.verifier.judge import judge, kernel_btf

live = pytest.mark.skipif(available() is not None, reason="no bpf(2)")
PASS = [BPF_MOV64_IMM(0, 0), BPF_EXIT_INSN()]
ARRAY = MapSpec("a", "array", 4, 8, 1)
ENOTSUPP = 524


def load(src, imm=0, high=0, off=0, second=(0, 0, 0, 0)):
    return [Insn(c.LD_IMM64, 1, src, off, imm), Insn(*second, high)]


def program(insns, maps=(), kind="socket_filter", **more):
    return Program("p", kind, [*insns, *PASS], maps=list(maps), license="GPL", **more)


def message(made, powers=None):
    verdict = judge(made, power=powers)
    return verdict.errno, verdict.log.partition("processed ")[0]


ROWS = [
    (load(0, second=(1, 0, 0, 0)), errno.EINVAL, "invalid bpf_ld_imm64 insn\n"),
    (load(0, second=(0, 1, 0, 0)), errno.EINVAL, "invalid bpf_ld_imm64 insn\n"),
    (load(0, second=(0, 0, 0, 1)), errno.EINVAL, "invalid bpf_ld_imm64 insn\n"),
    (load(7), errno.EINVAL, "unrecognized bpf_ld_imm64 insn\n"),
    (load(1, 0, 1), errno.EINVAL, "unrecognized bpf_ld_imm64 insn\n"),
    (load(5), errno.EPROTO, "fd_idx without fd_array is invalid\n"),
    (load(6), errno.EPROTO, "fd_idx without fd_array is invalid\n"),
    (load(1, 12345), errno.EBADF, "fd 12345 is not pointing to valid bpf_map\n"),
    (load(1, -1), errno.EBADF, "fd -1 is not pointing to valid bpf_map\n"),
    (load(2, 0, 8), errno.EINVAL, "invalid access to map value pointer, value_size=8 off=8\n"),
    (load(2, 0, 1 << 29), errno.EINVAL, "direct value offset of 536870912 is not allowed\n"),
    (load(2, 0, -1), errno.EINVAL, "direct value offset of 4294967295 is not allowed\n"),
    (load(2, 1, 0), errno.EINVAL, "no direct value access support for this map type\n"),
    (load(2, 2, 0), ENOTSUPP, "invalid access to map value pointer, value_size=8 off=0\n"),
    (load(3, 0x7FFFFFFF), errno.ENOENT, "ldimm64 insn specifies invalid btf_id 2147483647.\n"),
    (load(3, 1), errno.EINVAL, "pseudo btf_id 1 in ldimm64 isn't KIND_VAR or KIND_FUNC\n"),
    (load(3, 1, 1), errno.EINVAL, "invalid module BTF object FD specified.\n"),
    ([Insn(0xFF, 0, 0, 0, 0)], errno.EINVAL, "unknown opcode ff\n"),
    ([Insn(0x8D, 0, 0, 0, 0)], errno.EINVAL, "unknown opcode 8d\n"),
    ([Insn(0x61, 0, 1, 0, 1)], errno.EINVAL, "BPF_LDX uses reserved fields\n"),
    ([Insn(0xA1, 0, 1, 0, 0)], errno.EINVAL, "BPF_LDX uses reserved fields\n"),
]
MAPS = (ARRAY, MapSpec("h", "hash", 4, 8, 1), MapSpec("b", "array", 4, 8, 2))


@pytest.mark.parametrize(("insns", "number", "text"), ROWS, ids=[row[2].strip() for row in ROWS])
def test_messages(insns, number, text):
    assert message(program(insns, MAPS)) == (number, text)


def test_variables_have_no_address_where_kallsyms_has_no_data():
    found = a_variable()
    if found is None:
        pytest.skip("no variable in the kernel's BTF")
    name = kernel_btf().type(found).name
    text = f"ldimm64 failed to find the address for kernel symbol '{name}'.\n"
    assert message(program(load(3, found))) == (errno.ENOENT, text)


def test_the_last_slot_is_no_load():
    made = Program("p", "xdp", [*PASS, Insn(c.LD_IMM64, 0, 0, 0, 0)], license="GPL")
    assert judge(made).log.startswith("last insn is not an exit or jmp\n")


def test_too_many_maps():
    maps = [MapSpec(f"m{i}", "array", 4, 8, 1) for i in range(65)]
    insns = [insn for i in range(65) for insn in load(1, i)]
    text = "The total number of maps per program has reached the limit of 64\n"
    assert message(program(insns, maps)) == (errno.E2BIG, text)
    assert judge(program(insns[:128], maps)).ok


def test_a_map_counts_once():
    assert judge(program(load(1) * 100, [ARRAY])).ok


@pytest.mark.parametrize(
    ("maps", "kind", "flags", "number", "text"),
    [
        (["stack_trace"], "kprobe", PROG_FLAGS["sleepable"], errno.EINVAL,
         "Sleepable programs can only use array, hash, ringbuf and local storage maps\n"),
        (["cgroup_storage", "cgroup_storage"], "cgroup_skb", 0, errno.EBUSY,
         "only one cgroup storage of each type is allowed\n"),
        (["arena", "arena"], "socket_filter", 0, errno.EBUSY, "Only one arena per program\n"),
        (["bare arena"], "socket_filter", 0, errno.EINVAL,
         "arena's user address must be set via map_extra or mmap()\n"),
    ],
)  # fmt: skip
def test_maps_that_do_not_fit(maps, kind, flags, number, text):
    made = {
        "stack_trace": MapSpec("s", "stack_trace", 4, 64, 1),
        "cgroup_storage": MapSpec("c", "cgroup_storage", 16, 8, 0),
        "arena": MapSpec("r", "arena", 0, 0, 1, 1 << 10, map_extra=1 << 44),
        "bare arena": MapSpec("r", "arena", 0, 0, 1, 1 << 10),
    }
    specs = [MapSpec(**{f: getattr(made[m], f) for f in ("name", "type", "key_size", "value_size", "max_entries",
             "flags", "map_extra")}) for m in maps]  # fmt: skip
    insns = [insn for i in range(len(specs)) for insn in load(1, i)]
    assert message(program(insns, specs, kind, flags=flags)) == (number, text)


def test_arenas_take_capabilities():
    spec = MapSpec("r", "arena", 0, 0, 1, 1 << 10, map_extra=1 << 44)
    powers = Powers(True, False, False, False)
    assert message(program(load(1), [spec]), powers) == (
        errno.EPERM, "CAP_BPF and CAP_PERFMON are required to use arena\n",
    )  # fmt: skip


def a_variable():
    """A variable of the kernel's."""
    return next(iter(kernel_btf().ids(Var)), None)


# -- the running kernel


def random_loads(rng):
    """A few loads near ones that work."""
    insns = []
    for _ in range(rng.choice((1, 1, 2, 3))):
        src = rng.choice((0, 1, 1, 2, 2, 3, 4, rng.randrange(7, 16)))
        imm = rng.choice((0, 1, 2, 2))
        high = rng.choice((0, 0, 0, 1, 4, 7, 8, 15, 16, -1, 1 << 29))
        if src == 3:
            imm, high = rng.choice((1, 2, 100, a_variable() or 1, 1 << 30, -1)), rng.choice((0, 0, 0, 1))
        second = tuple(int(rng.random() < 0.04) for _ in range(4))
        insns += load(src, imm, high, int(rng.random() < 0.05), second)
        if rng.random() < 0.1:
            insns.append(Insn(rng.randrange(256), rng.randrange(3), rng.randrange(3), 0, rng.randrange(2)))
    return insns


@live
@pytest.mark.parametrize("powers", [Powers(), Powers(True, False, False, False)])
def test_random_loads_against_the_kernel(powers):
    rng = random.Random(os.environ.get("OSMIA_SEED", str(powers)))
    wrong = []
    with Kernel() as kernel:
        for _ in range(int(os.environ.get("OSMIA_PROGRAMS", "700"))):
            made = program(random_loads(rng), MAPS)
            verdict, said = judge(made, power=powers), kernel.ask(made, 1, powers)
            if verdict.unsupported:
                continue
            log = masked(verdict.log, made).partition("processed ")[0]
            if (verdict.errno, log) != (said.errno, said.log.partition("processed ")[0]):
                wrong.append((made.insns, verdict.errno, verdict.log, said))
    assert not wrong, f"{len(wrong)}: {wrong[:3]}"
