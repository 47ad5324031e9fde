"""Callbacks that run some time later: how many may wait, and what the kinds of programs in golden/async leave out."""

from pathlib import Path

import pytest
from verifier import objectkit as k

from osmia.btf import Func
from osmia.testing.answers import Answer, ask_osmia
from osmia.testing.cases import parse
from osmia.verifier.consts import BPF_COMPLEXITY_LIMIT_JMP_SEQ
from osmia.verifier.env import Powers
from osmia.verifier.judge import kernel_btf

TIMER = 16
GUEST = sorted((Path(__file__).parent / "golden_guest").glob("wq-init-*.txt"))
"""Judged by a 6.12 in a guest: a 6.18.44 may follow a null pointer in ``bpf_wq_init``."""


def with_callbacks(count):
    """A program that sets a timer's callback so often: each time the callback waits to be walked."""
    once = [*k.func_to(2, 1), *k.field(7, TIMER, k.TIMER_SET_CALLBACK)]
    return k.program([*k.lookup(7), *once * count, *k.END], [(1, k.END)])


@pytest.mark.slow
@pytest.mark.parametrize("too_many", [False, True])
def test_so_many_callbacks_may_wait(too_many):
    answer = ask_osmia(with_callbacks(BPF_COMPLEXITY_LIMIT_JMP_SEQ + too_many), 1, Powers(), 60)
    text = f"The sequence of {BPF_COMPLEXITY_LIMIT_JMP_SEQ + 1} jumps is too complex for async cb."
    assert (answer.crash, answer.errno, text in answer.log) == ("", 14 if too_many else 0, too_many)


def test_a_callback_is_walked_for_each_time_it_is_set():
    assert [ask_osmia(with_callbacks(n), 1, Powers()).processed for n in (1, 2)] == [17, 23]


def test_no_callback_of_a_callback_is_forgotten():
    again = [k.mov(7, 3), *k.func_to(2, 1), *k.field(7, TIMER, k.TIMER_SET_CALLBACK), *k.END]
    made = k.program([*k.lookup(7), *k.func_to(2, 1), *k.field(7, TIMER, k.TIMER_SET_CALLBACK), *k.END], [(1, again)])
    assert ask_osmia(made, 1, Powers()).errno == 0


@pytest.mark.parametrize("path", GUEST, ids=lambda p: p.stem)
def test_a_work_queue_is_made_with_its_map(path):
    case = parse(path.read_text("utf-8"))
    if kernel_btf().find("bpf_wq_init", Func) is None:
        pytest.skip("needs the types of a kernel that has it")
    answer = ask_osmia(case.program, 1, case.powers)
    assert (answer.crash, answer.unsupported, answer.errno) == ("", "", case.errno)
    assert not case.errno or answer.message == Answer(case.errno, case.log).message
