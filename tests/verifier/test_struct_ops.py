"""struct_ops: a whole congestion control in C is accepted here and by Linux 6.18, and so is what is wrong refused."""

import platform
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from osmia import inputs, live
from osmia.isa import consts as c
from osmia.isa import macros as m
from osmia.obj.model import Program
from osmia.testing.answers import Kernel
from osmia.testing.compare import compare
from osmia.testing.mutate import mutate
from osmia.verifier.env import Powers
from osmia.verifier.judge import judge, kernel_btf

SOURCE = Path(__file__).parents[2] / "examples" / "congestion.bpf.c"
MEMBERS = {"start": 16, "grow": 1, "shrink": 0, "state": 2, "event": 3, "acknowledged": 5, "undo": 8}
SAME = platform.release().startswith("6.18.")
OPS = "tcp_congestion_ops"


@pytest.fixture(scope="module")
def programs():
    return inputs.load(str(SOURCE), btf=kernel_btf()).programs


def member(number, *insns, struct=OPS, flags=0):
    body = [*insns, m.BPF_MOV64_IMM(0, 0), m.BPF_EXIT_INSN()]
    return Program("member", "struct_ops", body, "", str(number), f"{struct}.{number}", license="GPL", flags=flags)


class TestCongestionControl:
    def test_each_program_has_its_member(self, programs):
        assert {p.name: int(p.expected_attach_type) for p in programs.values()} == MEMBERS

    def test_all_of_it_is_accepted(self, programs):
        assert {name: judge(p).ok for name, p in programs.items()} == dict.fromkeys(MEMBERS, True)

    def test_a_field_that_is_not_its_to_write(self, programs):
        start = programs["start"]
        stores = [at for at, insn in enumerate(start.insns) if insn.code in (0x62, 0x63)]
        insns = list(start.insns)
        insns[stores[-1]] = insns[stores[-1]]._replace(off=8)
        verdict = judge(replace(start, insns=insns))
        assert verdict.errno == 13
        assert "no write support to tcp_sock at off" in verdict.log

    @pytest.mark.live
    @pytest.mark.skipif(live.available() is not None or not SAME, reason="needs a Linux 6.18 that loads programs")
    def test_the_kernel_says_the_same_of_it_and_of_mutants(self, programs):
        rng, tried = Random(8), list(programs.values())
        for _ in range(60):
            program = rng.choice(tried[: len(programs)])
            tried.append(replace(program, insns=mutate(rng, list(program.insns), 1)))
        with Kernel() as kernel:
            for program in tried:
                said = compare(kernel, program, 2, Powers(), 5000)
                assert not said.differs, said.cause


class TestMembers:
    @pytest.mark.parametrize(
        ("number", "said"),
        [
            (10, "attach to unsupported member get_info of struct tcp_congestion_ops"),
            (11, "attach to invalid member name(@idx 11) of struct tcp_congestion_ops"),
            (99, "attach to invalid member idx 99 of struct tcp_congestion_ops"),
        ],
    )
    def test_which_there_are(self, number, said):
        assert said in judge(member(number)).log

    def test_programs_may_sleep_in_some(self):
        assert judge(member(2, struct="bpf_dummy_ops", flags=16)).ok
        assert judge(member(1, struct="bpf_dummy_ops", flags=16)).errno == 22

    def test_an_argument_that_may_be_null(self):
        load = m.BPF_LDX_MEM(c.BPF_DW, 6, 1, 0)
        log = judge(member(0, load, struct="bpf_dummy_ops"), log_level=2).log
        assert "R6=trusted_ptr_or_null_bpf_dummy_ops_state(id=1)" in log

    def test_sockets_are_seen_whole(self):
        assert "R6=trusted_ptr_tcp_sock()" in judge(member(0, m.BPF_LDX_MEM(c.BPF_DW, 6, 1, 0)), log_level=2).log
