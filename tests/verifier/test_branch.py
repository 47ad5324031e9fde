"""What branches do to a state: linked scalars, null checks, packet ranges, the two ways of a jump."""

import pytest

from osmia.isa import Insn
from osmia.kernel import profile
from osmia.obj.model import MapSpec, Program
from osmia.verifier import consts as c
from osmia.verifier.branch import check_cond_jmp_op
from osmia.verifier.env import Env, Powers
from osmia.verifier.errors import Rejected
from osmia.verifier.linked import (
    assign_scalar_id_before_mov,
    collect_linked_regs,
    linked_count,
    linked_entry,
    sync_linked_regs,
)
from osmia.verifier.log import Log
from osmia.verifier.maps import VMap
from osmia.verifier.nulls import mark_ptr_or_null_regs, ptr_not_null_reg
from osmia.verifier.packet_range import find_good_pkt_pointers
from osmia.verifier.regs import frame_pointer, known_value, pointer, unknown_value
from osmia.verifier.state import Frame, Slot, State

PROFILE = profile.load("6.18")

MAYBE = c.PTR_TO_MAP_VALUE | c.PTR_MAYBE_NULL
SPILL = 0x0101010101010101
VALUES = VMap(MapSpec("m", "array", 4, 8, 1))


def make_env(*insns, level=0, powers=None):
    env = Env(Program("t", "xdp", [*insns, Insn(0x95), Insn(0x95)]), PROFILE, powers or Powers(), Log(level))
    env.state = State()
    env.state.frames = [Frame(-1, 0, 0)]
    env.state.branches = 1
    for insn in env.insns:
        insn.live_regs_before = 0x7FF
    return env


def jump(env, **regs):
    """Judge instruction 0 with some registers; the waiting state, or None."""
    for name, reg in regs.items():
        env.state.regs()[int(name[1:])] = reg
    check_cond_jmp_op(env, env.insns[0])
    return env.stack[-1].state if env.stack else None


def scalar(low, high, id=0):
    reg = unknown_value(False)
    reg.umin, reg.umax, reg.smin, reg.smax = low, high, low, high
    reg.u32_min, reg.u32_max, reg.s32_min, reg.s32_max = low, high, low, high
    reg.mask = (1 << high.bit_length()) - 1
    reg.id = id
    return reg


def test_both_ways_know_more():
    env = make_env(Insn(0x25, 1, 0, 1, 10))  # if r1 > 10 goto +1
    other = jump(env, r1=scalar(0, 255))
    assert (env.state.regs()[1].umin, env.state.regs()[1].umax) == (0, 10)
    assert (other.regs()[1].umin, other.regs()[1].umax) == (11, 255)
    assert env.insn_idx == 0
    assert env.stack[-1].insn_idx == 2


def test_the_state_that_shares_a_register_keeps_it():
    env = make_env(Insn(0x25, 1, 0, 1, 10))
    shared = scalar(0, 255)
    jump(env, r1=shared)
    assert shared.umax == 255


def test_a_decided_jump_has_one_way():
    env = make_env(Insn(0x25, 1, 0, 1, 10))
    assert jump(env, r1=scalar(11, 20)) is None
    assert env.insn_idx == 1
    env = make_env(Insn(0x25, 1, 0, 1, 10))
    assert jump(env, r1=scalar(0, 10)) is None
    assert env.insn_idx == 0


def test_linked_scalars_follow():
    env = make_env(Insn(0x25, 1, 0, 1, 10))
    above = scalar(3, 258, id=7 | c.BPF_ADD_CONST64)
    above.off = 3
    env.state.frames[0].stack = [Slot(SPILL, scalar(0, 255, id=7))]
    other = jump(env, r1=scalar(0, 255, id=7), r2=scalar(0, 255, id=7), r3=above, r4=scalar(0, 255, id=8))
    regs = env.state.regs()
    assert [regs[i].umax for i in (1, 2, 3, 4)] == [10, 10, 13, 255]
    assert [other.regs()[i].umin for i in (1, 2, 3, 4)] == [11, 11, 14, 0]
    assert env.state.frames[0].stack[0].spilled.umax == 10
    entry = env.state.history[-1]
    assert linked_count(entry.linked_regs) == 4
    assert [linked_entry(entry.linked_regs, i) for i in range(4)] == [1 << 3 | 512, 2 << 3 | 512, 3 << 3 | 512, 0]


def test_only_six_are_linked():
    state = State()
    state.frames = [Frame(-1, 0, 0)]
    regs = state.frames[0].regs
    for i in range(9):
        regs[i] = scalar(0, 255, id=3)
    assert linked_count(collect_linked_regs(make_env(), state, 3, 0)) == 6
    assert [reg.id for reg in regs[:9]] == [3] * 6 + [0] * 3


def test_registers_that_nobody_will_read_are_not_linked():
    env = make_env()
    env.insns[0].live_regs_before = 0b100
    env.state.regs()[1] = env.state.regs()[2] = scalar(0, 255, id=3)
    linked = collect_linked_regs(env, env.state, 3, 0)
    assert [linked_entry(linked, i) for i in range(linked_count(linked))] == [2 << 3 | 512]


def test_frames_are_linked_too():
    env = make_env(Insn(0x85, 0, 1, 0, 1), Insn(0x95))
    state = env.state
    state.frames.append(Frame(0, 1, 1))
    state.curframe = 1
    state.insn_idx = 2
    state.frames[0].regs[6] = scalar(0, 255, id=3)
    state.frames[1].regs[1] = scalar(0, 255, id=3)
    linked = collect_linked_regs(env, state, 3, 0)
    assert [linked_entry(linked, i) for i in range(2)] == [1 | 1 << 3 | 512, 6 << 3 | 512]
    known = scalar(1, 2, id=3)
    sync_linked_regs(env, state, known, linked)
    assert state.frames[0].regs[6].umax == 2


def test_distances_of_different_widths_tell_nothing():
    env = make_env()
    state = env.state
    narrow, wide = scalar(3, 258, id=3 | c.BPF_ADD_CONST32), scalar(1, 256, id=3 | c.BPF_ADD_CONST64)
    narrow.off, wide.off = 3, 1
    state.regs()[1], state.regs()[2] = narrow, scalar(0, 255, id=3)
    linked = collect_linked_regs(env, state, 3, 0)
    sync_linked_regs(env, state, wide, linked)
    assert [reg.umax for reg in state.regs()[1:3]] == [258, 255]
    smaller = scalar(1, 2, id=3)
    sync_linked_regs(env, state, smaller, linked)
    assert [(reg.umin, reg.umax) for reg in state.regs()[1:3]] == [(4, 5), (1, 2)]
    assert state.regs()[1].id == 3 | c.BPF_ADD_CONST32
    minus = scalar(0, 2, id=3 | c.BPF_ADD_CONST32)
    minus.off = 1
    sync_linked_regs(env, state, minus, linked)
    assert (state.regs()[2].umin, state.regs()[2].umax) == (0, 0xFFFFFFFF)


def test_ids_for_copies():
    env = make_env()
    src = scalar(0, 255)
    named = assign_scalar_id_before_mov(env, src)
    assert (src.id, named.id) == (0, 1)
    assert assign_scalar_id_before_mov(env, named) is named
    constant = known_value(5)
    assert assign_scalar_id_before_mov(env, constant) is constant
    moved = scalar(0, 255, id=1 | c.BPF_ADD_CONST64)
    moved.off = 4
    fresh = assign_scalar_id_before_mov(env, moved)
    assert (fresh.id, fresh.off) == (2, 0)
    assert assign_scalar_id_before_mov(env, frame_pointer(0)).id == 0


def test_null_check_of_a_map_value_and_its_copies():
    env = make_env(Insn(0x15, 1, 0, 1, 0))  # if r1 == 0 goto +1
    value = pointer(MAYBE)
    value.map, value.id = VALUES, 5
    stranger = value.copy()
    stranger.id = 6
    env.state.frames[0].stack = [Slot(SPILL, value)]
    other = jump(env, r1=value, r2=value, r3=stranger)
    assert [reg.type for reg in env.state.regs()[1:4]] == [c.PTR_TO_MAP_VALUE, c.PTR_TO_MAP_VALUE, MAYBE]
    assert [reg.type for reg in other.regs()[1:4]] == [c.SCALAR_VALUE, c.SCALAR_VALUE, MAYBE]
    assert env.state.frames[0].stack[0].spilled.type == c.PTR_TO_MAP_VALUE
    assert other.frames[0].stack[0].spilled.type == c.SCALAR_VALUE
    assert env.state.regs()[1].id == other.regs()[1].id == 0


def test_an_equal_pointer_is_not_null_either():
    env = make_env(Insn(0x5D, 1, 2, 1, 0))  # if r1 != r2 goto +1
    maybe, value = pointer(MAYBE), pointer(c.PTR_TO_MAP_VALUE)
    maybe.map = value.map = VALUES
    maybe.id = 5
    other = jump(env, r1=maybe, r2=value)
    assert env.state.regs()[1].type == c.PTR_TO_MAP_VALUE
    assert other.regs()[1].type == MAYBE


@pytest.mark.parametrize(
    ("kind", "found"),
    [("xskmap", c.PTR_TO_XDP_SOCK), ("sockmap", c.PTR_TO_SOCKET), ("sockhash", c.PTR_TO_SOCKET)],
)
def test_what_special_maps_hold(kind, found):
    reg = pointer(MAYBE)
    reg.map = VMap(MapSpec("m", kind, 4, 4, 1))
    assert ptr_not_null_reg(reg).type == found


def test_what_a_map_of_maps_holds():
    reg = pointer(MAYBE)
    reg.map = VMap(MapSpec("m", "array_of_maps", 4, 4, 1, inner=MapSpec("i", "array", 4, 8, 1)))
    new = ptr_not_null_reg(reg)
    assert (new.type, new.map) == (c.CONST_PTR_TO_MAP, reg.map.inner)


def test_a_released_reference_goes_with_its_null_pointer():
    state = State()
    state.frames = [Frame(-1, 0, 0)]
    reg = pointer(c.PTR_TO_SOCKET | c.PTR_MAYBE_NULL)
    reg.id = reg.ref_obj_id = 3
    state.frames[0].regs[1] = reg
    mark_ptr_or_null_regs(make_env(), state, 1, False)
    kept = state.frames[0].regs[1]
    assert (kept.type, kept.id, kept.ref_obj_id) == (c.PTR_TO_SOCKET, 0, 3)


def packet(off, id=0):
    reg = pointer(c.PTR_TO_PACKET)
    reg.off, reg.id = off, id
    return reg


# per opcode: the range that falling through and jumping give to the start, -1 and -2 to the compared pointer itself
@pytest.mark.parametrize(
    ("opcode", "through", "jumped"),
    [(0x2D, (8, 8), (0, -2)), (0x3D, (9, 9), (0, -1)), (0xAD, (0, -1), (9, 9)), (0xBD, (0, -2), (8, 8))],
)
def test_packet_ranges(opcode, through, jumped):
    env = make_env(Insn(opcode, 2, 3, 1, 0))
    other = jump(env, r1=packet(0), r2=packet(8), r3=pointer(c.PTR_TO_PACKET_END))
    assert tuple(reg.range for reg in env.state.regs()[1:3]) == through
    assert tuple(reg.range for reg in other.regs()[1:3]) == jumped


@pytest.mark.parametrize(
    ("opcode", "through", "jumped"),
    [(0xAD, (8, 8), (0, -2)), (0xBD, (9, 9), (0, -1)), (0x2D, (0, -1), (9, 9)), (0x3D, (0, -2), (8, 8))],
)
def test_packet_ranges_from_the_other_side(opcode, through, jumped):
    env = make_env(Insn(opcode, 3, 2, 1, 0))
    other = jump(env, r1=packet(0), r2=packet(8), r3=pointer(c.PTR_TO_PACKET_END))
    assert tuple(reg.range for reg in env.state.regs()[1:3]) == through
    assert tuple(reg.range for reg in other.regs()[1:3]) == jumped


def test_metadata_ends_where_the_packet_starts():
    env = make_env(Insn(0x2D, 2, 3, 1, 0))
    meta = pointer(c.PTR_TO_PACKET_META)
    ahead = meta.copy()
    ahead.off = 4
    jump(env, r1=meta, r2=ahead, r3=packet(0))
    assert [reg.range for reg in env.state.regs()[1:4]] == [4, 4, 0]


def test_far_packet_pointers_give_no_range():
    state = State()
    state.frames = [Frame(-1, 0, 0)]
    far = packet(0xFFFF)
    far.umax = 1
    state.frames[0].regs[1] = far
    find_good_pkt_pointers(state, far, c.PTR_TO_PACKET, False, False)
    assert state.frames[0].regs[1].range == 0


@pytest.mark.parametrize(
    ("insn", "text"),
    [
        (Insn(0xF5, 1, 0, 1, 0), "invalid BPF_JMP/JMP32 opcode f0\n"),
        (Insn(0xE5, 0, 0, 1, 3), "invalid may_goto imm 3\n"),
        (Insn(0x15, 1, 2, 1, 0), "BPF_JMP/JMP32 uses reserved fields\n"),
        (Insn(0x1D, 1, 2, 1, 1), "BPF_JMP/JMP32 uses reserved fields\n"),
        (Insn(0x15, 3, 0, 1, 0), "R3 !read_ok\n"),
    ],
)
def test_refused_fields(insn, text):
    env = make_env(insn, level=1)
    with pytest.raises(Rejected):
        jump(env, r1=scalar(0, 5), r2=scalar(0, 5))
    assert str(env.log) == text


@pytest.mark.parametrize(("insn", "regno"), [(Insn(0x1D, 1, 2, 1, 0), 2), (Insn(0x15, 2, 0, 1, 7), 2)])
def test_pointers_may_not_leak_through_comparisons(insn, regno):
    env = make_env(insn, level=1, powers=Powers(perfmon=False))
    env.bypass_spec_v1 = True
    with pytest.raises(Rejected) as no:
        jump(env, r1=scalar(0, 5), r2=pointer(c.PTR_TO_CTX))
    assert str(env.log) == f"R{regno} pointer comparison prohibited\n"
    assert no.value.reg == regno


def test_comparing_the_frame_pointer_is_noted():
    env = make_env(Insn(0x1D, 10, 1, 1, 0))
    jump(env, r1=scalar(0, 5))
    assert env.state.history[-1].flags == c.INSN_F_DST_REG_STACK
