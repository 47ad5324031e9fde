"""Going back: from the register that a decision needs to every register and slot that its value came from."""

import pytest

from osmia.isa import Insn
from osmia.kernel import profile
from osmia.obj.model import Program
from osmia.verifier import consts as c
from osmia.verifier.backtrack import (
    make_entry,
    mark_all_scalars_imprecise,
    mark_chain_precision,
    mark_chain_precision_batch,
    push_jmp_history,
)
from osmia.verifier.backtrack_insn import backtrack_insn, bt_sync_linked_regs
from osmia.verifier.bt import Backtrack
from osmia.verifier.env import Env, Powers, Subprog
from osmia.verifier.errors import Rejected
from osmia.verifier.linked import linked_push
from osmia.verifier.log import Log
from osmia.verifier.regs import known_value, pointer, unknown_value
from osmia.verifier.state import Frame, HistoryEntry, Slot, State

PROFILE = profile.load("6.18")

SPILL = 0x0101010101010101
EXIT = Insn(0x95)
STACK = c.INSN_F_STACK_ACCESS


def make_env(*insns, level=0, powers=None):
    return Env(Program("t", "xdp", [*insns, EXIT]), PROFILE, powers or Powers(), Log(level))


def make_state(insn_idx, first=0, parent=None, last=-1):
    state = State()
    state.frames = [Frame(-1, 0, 0)]
    for i in range(10):
        state.frames[0].regs[i] = unknown_value(False)
    state.insn_idx, state.first_insn_idx, state.parent = insn_idx, first, parent
    state.last_insn_idx = last
    return state


def back(insn, regs=0, slots=0, flags=0, linked=0, frame=0):
    """What is looked for before an instruction: (supported, registers, slots of frame 0)."""
    env = make_env(insn)
    env.bt.frame = frame
    for i in range(11):
        if regs >> i & 1:
            env.bt.set_reg(i)
    for i in range(64):
        if slots >> i & 1:
            env.bt.set_frame_slot(0, i)
    hist = HistoryEntry(0, 0, flags, linked) if flags or linked else None
    supported = backtrack_insn(env, 0, 1, hist)
    return supported, env.bt.regs(), env.bt.frame_stack(0)


# instruction, registers and slots looked for after it, history flags; registers and slots before it
STEPS = {
    "mov imm": (Insn(0xB7, 1), 0b10, 0, 0, 0b00, 0),
    "mov reg": (Insn(0xBF, 1, 2), 0b10, 0, 0, 0b100, 0),
    "mov r10": (Insn(0xBF, 1, 10), 0b10, 0, 0, 0, 0),
    "mov of another": (Insn(0xBF, 1, 2), 0b1000, 0, 0, 0b1000, 0),
    "add imm": (Insn(0x07, 1, 0, 0, 4), 0b10, 0, 0, 0b10, 0),
    "add reg": (Insn(0x0F, 1, 2), 0b10, 0, 0, 0b110, 0),
    "add32 reg": (Insn(0x0C, 1, 2), 0b10, 0, 0, 0b110, 0),
    "neg": (Insn(0x87, 1), 0b10, 0, 0, 0b10, 0),
    "swap, with the register bit set": (Insn(0xDC, 1, 0, 0, 16), 0b10, 0, 0, 0b10, 0),
    "fill": (Insn(0x79, 1, 10, -16), 0b10, 0, STACK | 1 << 3, 0, 0b10),
    "fill from the caller's stack": (Insn(0x79, 1, 6, -8), 0b10, 0, STACK, 0, 0b1),
    "load": (Insn(0x79, 1, 2), 0b10, 0, 0, 0, 0),
    "load of another": (Insn(0x79, 1, 2), 0b1000, 0, STACK, 0b1000, 0),
    "spill": (Insn(0x7B, 10, 3, -16), 0, 0b10, STACK | 1 << 3, 0b1000, 0),
    "spill of a constant": (Insn(0x7A, 10, 0, -16), 0, 0b10, STACK | 1 << 3, 0, 0),
    "spill elsewhere": (Insn(0x7B, 10, 3, -8), 0, 0b10, STACK, 0, 0b10),
    "store": (Insn(0x7B, 2, 3), 0, 0b10, 0, 0, 0b10),
    "load acquire": (Insn(0xDB, 1, 10, -8, 0x100), 0b10, 0, STACK, 0, 0b1),
    "jump over an immediate": (Insn(0x15, 1, 0, 1, 0), 0b10, 0, 0, 0b10, 0),
    "jump on two": (Insn(0x1D, 1, 2, 1), 0b10, 0, 0, 0b110, 0),
    "jump on two, the other": (Insn(0x1D, 1, 2, 1), 0b100, 0, 0, 0b110, 0),
    "jump on two others": (Insn(0x1D, 1, 2, 1), 0b1000, 0, 0, 0b1000, 0),
    "jump against the frame pointer": (Insn(0x1D, 1, 10, 1), 0b10, 0, c.INSN_F_SRC_REG_STACK, 0b10, 0),
    "goto": (Insn(0x05, 0, 0, 1), 0b10, 0, 0, 0b10, 0),
    "wide constant": (Insn(0x18, 1), 0b10, 0, 0, 0, 0),
    "helper call": (Insn(0x85, 0, 0, 0, 5), 0b1, 0, 0, 0, 0),
    "helper call, a kept register": (Insn(0x85, 0, 0, 0, 5), 0b1000000, 0, 0, 0b1000000, 0),
}


@pytest.mark.parametrize("name", STEPS)
def test_one_step_back(name):
    insn, regs, slots, flags, before_regs, before_slots = STEPS[name]
    assert back(insn, regs, slots, flags) == (True, before_regs, before_slots)


@pytest.mark.parametrize(
    "insn",
    [Insn(0x7B, 1, 2), Insn(0x72, 1), Insn(0x20, 0), Insn(0x85, 0, 2, 0, 0)],
    ids=["stx", "st", "ldabs", "kfunc"],
)
def test_a_way_that_cannot_be_followed(insn):
    assert back(insn, 0b11)[0] is False


def test_linked_registers_are_wanted_together():
    linked = 0
    for entry in (1 << 3 | 512, 2 << 3 | 512, 5 << 3):
        linked = linked_push(linked, entry)
    assert back(Insn(0x25, 1, 0, 1, 5), 0b100, 0, 0, linked) == (True, 0b110, 1 << 5)
    assert back(Insn(0x25, 1, 0, 1, 5), 0b1000, 0, 0, linked) == (True, 0b1000, 0)
    assert back(Insn(0x25, 1, 0, 1, 5), 0, 1 << 5, 0, linked) == (True, 0b110, 1 << 5)


def test_a_full_set_of_linked_registers():
    linked = 0
    for i in range(7):
        linked = linked_push(linked, 7 | 63 << 3 if i == 5 else i | i << 3 | 512)
    bt = Backtrack()
    bt.set_frame_slot(7, 63)
    bt_sync_linked_regs(bt, linked)
    assert [bt.frame_regs(i) for i in range(8)] == [1, 2, 4, 8, 16, 0, 0, 0]
    assert bt.frame_stack(7) == 1 << 63


def test_out_of_a_function_and_into_one():
    env = make_env(Insn(0x85, 0, 1, 0, 1), EXIT, EXIT)
    env.subprogs = [Subprog(0), Subprog(2)]
    env.bt.set_reg(0)
    env.bt.set_reg(6)
    assert backtrack_insn(env, 2, 1, None)  # exit of the callee
    assert (env.bt.frame, env.bt.frame_regs(0), env.bt.frame_regs(1)) == (1, 1 << 6, 1)
    env.bt.clear_reg(0)
    env.bt.set_reg(1)
    assert backtrack_insn(env, 0, 2, None)  # the call
    assert (env.bt.frame, env.bt.frame_regs(0), env.bt.frame_regs(1)) == (0, 1 << 6 | 1 << 1, 0)


def test_over_a_global_function():
    env = make_env(Insn(0x85, 0, 1, 0, 1), EXIT, EXIT)
    env.subprogs = [Subprog(0), Subprog(2)]
    env.subprogs[1].linkage = 1
    env.bt.set_reg(0)
    env.bt.set_reg(6)
    assert backtrack_insn(env, 0, 1, None)
    assert (env.bt.frame, env.bt.regs()) == (0, 1 << 6)


def test_out_of_a_callback():
    env = make_env(Insn(0x85, 0, 0, 0, 181), EXIT, EXIT)
    env.insns[0].calls_callback = True
    env.bt.frame = 1
    env.bt.set_reg(1)
    env.bt.set_frame_reg(0, 6)
    assert backtrack_insn(env, 0, 2, None)
    assert (env.bt.frame, env.bt.frame_regs(0), env.bt.frame_regs(1)) == (0, 1 << 6, 0)


def test_into_a_callback():
    env = make_env(Insn(0x85, 0, 0, 0, 181), EXIT, EXIT)
    env.insns[0].calls_callback = True
    env.bt.set_reg(1)
    env.bt.set_reg(0)
    assert backtrack_insn(env, 2, 0, None)
    assert (env.bt.frame, env.bt.frame_regs(0), env.bt.frame_regs(1)) == (1, 0, 0)


@pytest.mark.parametrize(
    ("insn", "regno", "text"),
    [
        (Insn(0x85, 0, 0, 0, 5), 1, "verifier bug: backtracking call unexpected regs 2\n"),
        (EXIT, 2, "verifier bug: backtracking exit unexpected regs 4\n"),
    ],
)
def test_losing_the_way(insn, regno, text):
    env = make_env(insn, level=1)
    env.bt.set_reg(regno)
    with pytest.raises(Rejected):
        backtrack_insn(env, 0, 1, None)
    assert str(env.log) == text


# 0: r2 = 7 | 1: r1 = r2 | 2: r3 = r1 | 3: decision on r3; states were remembered at 1 and 2
COPIES = (Insn(0xB7, 2, 0, 0, 7), Insn(0xBF, 1, 2), Insn(0xBF, 3, 1))


def three_states(*insns):
    env = make_env(*insns)
    oldest = make_state(1, 0, None, 0)
    middle = make_state(2, 1, oldest, 1)
    env.state = make_state(3, 2, middle, 2)
    return env, middle, oldest


def precise_regs(state):
    return [i for i in range(10) if state.frames[0].regs[i].precise]


def test_the_chain_of_states_gets_marks_and_the_current_one_none():
    env, middle, oldest = three_states(*COPIES)
    mark_chain_precision(env, 3)
    assert (precise_regs(oldest), precise_regs(middle), precise_regs(env.state)) == ([2], [1], [])
    assert env.bt.empty()


def test_marks_stop_where_they_are_known():
    env, middle, oldest = three_states(*COPIES)
    middle.frames[0].regs[1] = unknown_value(True)
    mark_chain_precision(env, 3)
    assert precise_regs(oldest) == []
    assert env.bt.empty()


def test_a_spilled_scalar_is_followed_through_its_slot():
    env, middle, oldest = three_states(COPIES[0], Insn(0x7B, 10, 2, -8), Insn(0x79, 3, 10, -8))
    middle.frames[0].stack = [Slot(SPILL, unknown_value(False))]
    middle.history = [HistoryEntry(1, 0, STACK, 0)]
    env.state.history = [HistoryEntry(2, 1, STACK, 0)]
    mark_chain_precision(env, 3)
    assert middle.frames[0].stack[0].spilled.precise
    assert (precise_regs(oldest), precise_regs(middle)) == ([2], [])


def test_history_leads_back_over_a_jump():
    # 0: r1 = 5 | 1: goto +1 | 2: r1 = r2 | 3: decision; the path went 0, 1, 3
    env = make_env(Insn(0xB7, 1, 0, 0, 5), Insn(0x05, 0, 0, 1), Insn(0xBF, 1, 2), level=2)
    env.state = make_state(3)
    env.state.history = [HistoryEntry(3, 1, 0, 0)]
    mark_chain_precision(env, 1)
    assert str(env.log) == (
        "mark_precise: frame0: last_idx 3 first_idx 0 subseq_idx -1 \n"
        "mark_precise: frame0: regs=r1 stack= before 1: (05) goto pc+1\n"
        "mark_precise: frame0: regs=r1 stack= before 0: (b7) r1 = 5\n"
    )


def test_what_cannot_be_followed_makes_all_precise():
    # 0: *(r1) = r2 where r1 is looked for
    env = make_env(Insn(0x7B, 1, 2), level=2)
    parent = make_state(0)
    parent.frames[0].regs[3] = pointer(c.PTR_TO_CTX)
    parent.frames[0].stack = [Slot(SPILL, known_value(4)), Slot(0, known_value(4))]
    env.state = make_state(1, 0, parent, 0)
    mark_chain_precision(env, 1)
    assert [i for i in range(11) if parent.frames[0].regs[i].precise] == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert [slot.spilled.precise for slot in parent.frames[0].stack] == [True, False]
    lines = str(env.log).splitlines()
    assert lines[2] == "mark_precise: frame0: falling back to forcing all scalars precise"
    assert lines[3] == "force_precise: frame0: forcing r0 to be precise"
    assert lines[-1] == "force_precise: frame0: forcing fp-8 to be precise"
    assert env.bt.empty()


def test_arguments_of_a_function_verified_by_itself():
    env = make_env(Insn(0xBF, 3, 1))
    entry = make_state(0)
    entry.frames[0].subprogno = 1
    env.state = make_state(1, 0, entry, 0)
    mark_chain_precision(env, 3)
    assert entry.frames[0].regs[1].precise


def test_loaders_without_cap_bpf_look_for_nothing():
    env = make_env(Insn(0xBF, 1, 2), powers=Powers(bpf=False))
    parent = make_state(0)
    env.state = make_state(1, 1, parent, 0)
    mark_chain_precision(env, 1)
    assert not any(reg.precise for reg in parent.frames[0].regs)


def test_a_batch_tells_whether_a_mark_was_new():
    env = make_env(Insn(0x07, 1, 0, 0, 1))
    parent = make_state(0)
    parent.frames[0].subprogno = 1
    env.state = make_state(1, 0, parent, 0)
    for new in (True, False):
        env.bt.set_frame_reg(0, 1)
        assert mark_chain_precision_batch(env, env.state) is new
    assert env.bt.empty()


def test_history_entries_are_replaced_not_changed():
    env = make_env()
    env.state, env.prev_insn_idx = make_state(0), 7
    push_jmp_history(env, env.state, 4, 0)
    first = env.cur_hist_ent
    copy = env.state.copy()
    push_jmp_history(env, env.state, 8, 0x21)
    second = env.state.history[-1]
    assert (first.flags, first.linked_regs, copy.history) == (4, 0, [first])
    assert (second.idx, second.prev_idx, second.flags, second.linked_regs) == (0, 7, 12, 0x21)
    assert env.state.history == [env.cur_hist_ent]
    env.cur_hist_ent = None
    push_jmp_history(env, env.state, 0, 0)
    assert len(env.state.history) == 2


def test_a_checkpoint_forgets_marks():
    env = make_env()
    state = make_state(0)
    reg = unknown_value(True)
    state.frames[0].regs[4] = reg
    state.frames[0].stack = [Slot(SPILL, reg)]
    mark_all_scalars_imprecise(env, state)
    assert not state.frames[0].regs[4].precise
    assert not state.frames[0].stack[0].spilled.precise
    assert reg.precise


def test_sets_of_registers_and_slots():
    bt = Backtrack()
    assert bt.empty()
    bt.frame = 7
    bt.set_reg(10)
    bt.set_frame_slot(7, 63)
    assert (bt.regs(), bt.stack(), bt.has_reg(10), bt.has_frame_slot(7, 63)) == (1 << 10, 1 << 63, True, True)
    bt.clear_frame_slot(7, 63)
    bt.clear_frame_slot(7, 62)
    bt.clear_frame_reg(7, 10)
    assert bt.empty()
    bt.set_frame_reg(3, 1)
    bt.reset()
    assert (bt.frame, bt.frame_regs(3)) == (0, 0)


def test_make_entry():
    entry = make_entry(1, 2, 3, 4)
    assert (entry.idx, entry.prev_idx, entry.flags, entry.linked_regs) == (1, 2, 3, 4)
