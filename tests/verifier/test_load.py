"""What a load fails on in front of the walk: each rule by hand, and random attributes put to the running kernel."""

import errno
import os
import random

import pytest

from osmia.btf import Btf, Func, FuncProto, Int, Member, Param, Struct
from osmia.isa import Insn
from osmia.isa.macros import BPF_EXIT_INSN, BPF_MOV64_IMM
from osmia.kernel.uapi import ATTACH_TYPES, ATTACH_TYPES_6_18, PROG_FLAGS, PROG_TYPES
from osmia.live import available
from osmia.obj.model import Extern, MapSpec, Program
from osmia.testing.answers import Kernel
from osmia.verifier.env import Powers
from osmia.verifier.judge import judge

live = pytest.mark.skipif(available() is not None, reason="no bpf(2)")
PASS = [BPF_MOV64_IMM(0, 0), BPF_EXIT_INSN()]
NOBODY = Powers(False, False, False, False)


def program(kind="xdp", insns=None, **more):
    return Program("p", kind, list(PASS if insns is None else insns), license=more.pop("license", "GPL"), **more)


def refused(made, powers=None):
    verdict = judge(made, power=powers)
    return verdict.errno, verdict.where, verdict.log


def test_a_good_program():
    assert judge(program()).ok


@pytest.mark.parametrize("kind", ["unspec", "lirc_mode2"])
def test_types_that_this_kernel_lacks(kind):
    assert refused(program(kind)) == (errno.EINVAL, "load", "")


def test_attach_types():
    assert refused(program("cgroup_skb", expected_attach_type="xdp")) == (errno.EINVAL, "load", "")
    assert refused(program("sk_lookup")) == (errno.EINVAL, "load", "")
    assert judge(program("xdp", expected_attach_type="sk_lookup")).ok
    assert judge(program("cgroup_sock")).ok  # without one, that of the socket's creation


def test_flags():
    assert refused(program(flags=1 << 12)) == (errno.EINVAL, "load", "")
    assert refused(program(flags=PROG_FLAGS["token_fd"])) == (errno.EINVAL, "load", "")
    assert judge(program(flags=PROG_FLAGS["strict_alignment"])).ok


def test_sizes():
    assert refused(program(insns=[])) == (errno.E2BIG, "load", "")
    many = [BPF_MOV64_IMM(0, 0)] * 4096 + [BPF_EXIT_INSN()]
    assert refused(program("socket_filter", many), NOBODY) == (errno.E2BIG, "load", "")
    assert judge(program("socket_filter", many[1:]), power=NOBODY).ok


@pytest.mark.parametrize(
    ("kind", "missing"), [("xdp", "bpf"), ("xdp", "net_admin"), ("kprobe", "perfmon"), ("sk_reuseport", "bpf")]
)
def test_capabilities(kind, missing):
    powers = Powers(**{cap: cap != missing for cap in ("bpf", "perfmon", "net_admin", "sys_admin")})
    assert refused(program(kind), powers) == (errno.EPERM, "load", "")


def test_what_anybody_may_load():
    assert judge(program("socket_filter"), power=NOBODY).ok
    assert judge(program("cgroup_skb"), power=NOBODY).ok
    assert refused(program("sched_cls"), NOBODY)[0] == errno.EPERM


def test_maps_come_first():
    bad = program("unspec", maps=[MapSpec("m", "array", 8, 8, 1)])
    assert refused(bad) == (errno.EINVAL, "map", "")


def test_types_come_before_maps():
    btf = Btf()
    btf.add(Struct("s", 4, (Member("x", 7, 0),)))
    bad = program(btf=btf, maps=[MapSpec("m", "array", 8, 8, 1)])
    assert refused(bad) == (errno.EINVAL, "btf", "")
    assert refused(bad, NOBODY)[:2] == (errno.EPERM, "btf")


def test_names_that_the_kernel_lacks():
    made = program("tracing", expected_attach_type="trace_iter", attach_target="no_such_iterator")
    assert refused(made)[:2] == (errno.EINVAL, "reloc")
    load = [Insn(0x18, 1, 3, 0, 0), Insn(0, 0, 0, 0, 0), *PASS]
    assert refused(program(insns=load, externs=[Extern(0, "no_such_variable", "var")]))[:2] == (errno.EINVAL, "reloc")


def test_sleeping():
    asleep = PROG_FLAGS["sleepable"]
    text = "Only fentry/fexit/fmod_ret, lsm, iter, uprobe, and struct_ops programs can be sleepable\n"
    assert refused(program(flags=asleep))[2].startswith(text)
    assert refused(program("syscall"))[2].startswith("Syscall programs can only be sleepable\n")
    assert judge(program("syscall", flags=asleep)).ok and judge(program("kprobe", flags=asleep)).ok


def test_targets():
    made = program("tracing", expected_attach_type="trace_raw_tp")
    assert refused(made)[2].startswith("Tracing programs must provide btf_id\n")
    made = program("struct_ops", attach_target="tcp_congestion_ops.10", expected_attach_type="10")
    assert refused(made)[2].startswith("attach to unsupported member get_info of struct tcp_congestion_ops\n")
    made = program("struct_ops", attach_target="tcp_congestion_ops.0", license="MIT")
    assert refused(made)[2].startswith("struct ops programs must have a GPL compatible license\n")


# -- the running kernel


def random_program(rng):
    """Attributes at random, instructions that hardly matter."""
    kind = rng.choice(PROG_TYPES)
    attach = "" if rng.random() < 0.3 else ATTACH_TYPES[rng.randrange(ATTACH_TYPES_6_18)]
    insns = rng.choice((PASS, PASS, PASS, [], [BPF_MOV64_IMM(0, 1), BPF_EXIT_INSN()], [BPF_EXIT_INSN()]))
    flags = rng.choice((0, 0, 0, 1 << rng.randrange(20)))
    made = program(
        kind, insns, expected_attach_type=attach, flags=flags, license=rng.choice(("GPL", "", "Dual MIT/GPL"))
    )
    if rng.random() < 0.3:
        made.maps = [MapSpec("m", rng.choice(("array", "hash", "ringbuf")), 4, 8, rng.choice((0, 1, 4096)))]
    return made


BY_POLICY = ("tracing", "lsm", "ext", "struct_ops")
"""Types that the machine may refuse whatever they are, or that the other side can't name targets for."""


@live
@pytest.mark.parametrize(
    "powers", [Powers(), Powers(True, False, False, False), Powers(True, False, True, False)], ids=str
)
def test_random_attributes_against_the_kernel(powers):
    rng = random.Random(os.environ.get("OSMIA_SEED", str(powers)))
    wrong = []
    with Kernel() as kernel:
        for _ in range(int(os.environ.get("OSMIA_PROGRAMS", "700"))):
            made = random_program(rng)
            if made.prog_type in BY_POLICY:
                continue
            verdict = judge(made, power=powers)
            if verdict.where == "map":
                continue
            said = kernel.ask(made, 1, powers)
            if (verdict.errno, verdict.log) != (said.errno, said.log) and not verdict.unsupported:
                wrong.append((made, verdict.errno, verdict.log, said))
    assert not wrong, f"{len(wrong)}: {wrong[:5]}"


def typed():
    """BTF with a function type."""
    btf = Btf()
    number = btf.add(Int("int", 4, 1))
    return btf, btf.add(Func("f", btf.add(FuncProto(number, (Param("x", number),)))))


def test_sound_types():
    btf, _ = typed()
    assert judge(program(btf=btf)).ok
