"""What is known before the walk; the texts are in ``golden/cfg``, here are sizes, marks and rules without a text."""

import pytest

from osmia.isa import Insn
from osmia.kernel import profile
from osmia.obj.model import Program
from osmia.verifier.cfg import check_cfg
from osmia.verifier.depth import check_max_stack_depth
from osmia.verifier.env import Env, Powers
from osmia.verifier.errors import Rejected
from osmia.verifier.fastcall import mark_fastcall_patterns
from osmia.verifier.flow import insn_successors
from osmia.verifier.live_regs import compute_live_registers
from osmia.verifier.log import Log
from osmia.verifier.order import compute_postorder, compute_scc
from osmia.verifier.subprogs import add_subprog_and_kfunc, check_subprogs

R0, EXIT, JA = Insn(0xB7), Insn(0x95), 0x05
STEPS = (add_subprog_and_kfunc, check_subprogs, check_cfg, compute_postorder, compute_scc, compute_live_registers)


def walked(insns, powers=None, license="GPL", steps=STEPS):
    env = Env(Program("p", "xdp", insns, license=license), profile.load("6.18"), powers or Powers(), Log(1))
    for step in steps:
        step(env)
    return env


def refused(insns, powers=None, license="GPL"):
    with pytest.raises(Rejected) as no:
        walked(insns, powers, license)
    return no.value.errno, no.value.text


def call(distance):
    return Insn(0x85, 0, 1, 0, distance)


def marked(env, name):
    return [insn.idx for insn in env.insns if getattr(insn, name)]


NOBODY = Powers(False, False, False, False)


def test_functions_take_cap_bpf():
    text = "loading/calling other bpf or kernel functions are allowed for CAP_BPF and CAP_SYS_ADMIN"
    assert refused([call(1), EXIT, EXIT], NOBODY) == (1, text)


def test_loops_take_cap_bpf():
    assert refused([R0, Insn(0x55, 0, 0, -2, 5), EXIT], NOBODY) == (22, "back-edge from insn 1 to 0")


def test_as_many_functions_as_the_kernel_takes():
    functions = [EXIT] * 255
    calls = [call(256 - 1) for _ in range(255)]
    assert len(walked([*calls, EXIT, *functions]).subprogs) == 256
    assert refused([*calls, call(255), EXIT, *functions, EXIT]) == (7, "too many subprograms")


def test_marks():
    env = walked([Insn(0x85, 0, 0, 0, 7), Insn(0x15, 0, 0, 2, 0), call(3), Insn(JA, 0, 0, 0), R0, EXIT, R0, EXIT])
    assert marked(env, "prune_point") == [1, 2, 3, 4, 6]
    assert marked(env, "jmp_point") == [1, 3, 4, 6]
    assert marked(env, "force_checkpoint") == []


def test_callers_of_callbacks_are_remembered():
    env = walked([Insn(0x85, 0, 0, 0, 181), R0, EXIT])  # bpf_loop
    assert marked(env, "calls_callback") == marked(env, "force_checkpoint") == [0]


def test_what_a_function_does_its_callers_do():
    pull, copy = Insn(0x85, 0, 0, 0, 44), Insn(0x85, 0, 0, 0, 148)  # xdp_adjust_head; copy_from_user, which sleeps
    env = walked([call(2), R0, EXIT, call(2), R0, EXIT, pull, copy, R0, EXIT])
    assert [s.changes_pkt_data for s in env.subprogs] == [True] * 3
    assert [s.might_sleep for s in env.subprogs] == [True] * 3


@pytest.mark.parametrize(
    ("insn", "successors"),
    [
        (EXIT, (-1, -1)), (Insn(0x96), (-1, -1)), (Insn(JA, 0, 0, 4), (5, -1)), (Insn(0x06, 0, 0, 9, 2), (3, -1)),
        (Insn(0x15, 0, 0, 7), (1, 8)), (Insn(0xE5, 0, 0, 3), (1, 4)), (Insn(0xF5, 0, 0, 3), (1, -1)),
        (call(9), (1, -1)), (Insn(0x18), (2, -1)), (Insn(0x61), (1, -1)), (Insn(0x86, 0, 0, 3), (1, -1)),
    ],
)  # fmt: skip
def test_successors(insn, successors):
    env = walked([insn, EXIT], steps=())
    assert tuple(insn_successors(env, 0)) == successors


def test_every_instruction_comes_behind_those_it_leads_to():
    env = walked([Insn(0x15, 0, 0, 2, 0), R0, Insn(JA, 0, 0, 1), R0, EXIT])
    place = {slot: n for n, slot in enumerate(env.insn_postorder)}
    assert all(place[0] > place[slot] for slot in (1, 2, 3, 4))
    assert sorted(place) == [0, 1, 2, 3, 4]


def test_long_programs_are_no_deep_recursion():
    env = walked([Insn(0x55, 0, 0, 0, 5)] * 20000 + [R0, EXIT])
    assert not any(insn.scc for insn in env.insns)
    check_max_stack_depth(env)


def test_many_calls_at_every_depth_are_added_up_once():
    levels = []
    for _ in range(7):
        levels += [*[call(40 - n) for n in range(40)], EXIT]
    env = walked([*levels, EXIT], steps=(add_subprog_and_kfunc,))
    assert len(env.subprogs) == 8
    check_max_stack_depth(env)  # 40 ** 7 chains


def test_a_pattern_ends_at_the_first_slot_of_the_program():
    fill = Insn(0x79, 1, 10, -8)
    env = walked([Insn(0x85, 0, 0, 0, 8), fill, R0, EXIT])
    mark_fastcall_patterns(env)
    assert marked(env, "fastcall_pattern") == []
