"""When does one state stand for another?  Registers, ids, stack slots and whole states."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osmia.isa import Insn
from osmia.kernel import profile
from osmia.obj.model import Program
from osmia.verifier import consts as c
from osmia.verifier.env import Env, Powers
from osmia.verifier.equal import (
    refsafe,
    regsafe,
    same_callsites,
    stacksafe,
    states_equal,
    states_maybe_looping,
    tnum_within,
)
from osmia.verifier.idmap import ID_MAP_SIZE, IdMap
from osmia.verifier.log import Log
from osmia.verifier.regs import known_value, not_init, pointer, unknown_value
from osmia.verifier.state import Frame, Ref, Slot, State

PROFILE = profile.load("6.18")

NOT_EXACT, EXACT, RANGE_WITHIN = c.NOT_EXACT, c.EXACT, c.RANGE_WITHIN


def make_env(perfmon=True):
    program = Program("t", "xdp", [Insn(0xB7, 0, 0, 0, 0), Insn(0x95)])
    env = Env(program, PROFILE, Powers(perfmon=perfmon), Log(0))
    for insn in env.insns:
        insn.live_regs_before = 0x7FF
    return env


def scalar(low, high, precise=True, id=0):
    reg = unknown_value(precise)
    reg.umin, reg.umax, reg.smin, reg.smax = low, high, low, high
    reg.u32_min, reg.u32_max, reg.s32_min, reg.s32_max = low, high, low, high
    reg.mask = (1 << high.bit_length()) - 1
    reg.id = id
    return reg


def with_fields(reg, **fields):
    new = reg.copy()
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def safe(old, cur, exact=NOT_EXACT, env=None, idmap=None):
    return regsafe(env or make_env(), old, cur, idmap or IdMap(), exact)


def test_an_id_stands_for_one_other_id_only():
    ids = IdMap()
    assert ids.check_ids(1, 7) and ids.check_ids(2, 8) and ids.check_ids(1, 7)
    assert not ids.check_ids(1, 8) and not ids.check_ids(3, 7)
    assert ids.check_ids(0, 0) and not ids.check_ids(0, 9) and not ids.check_ids(9, 0)
    ids.reset(0)
    assert ids.check_ids(1, 8)


def test_a_scalar_without_id_is_linked_to_nothing():
    ids = IdMap()
    ids.reset(100)
    assert ids.check_scalar_ids(0, 5) and ids.check_scalar_ids(0, 5), "links that nobody relied on don't hurt"
    assert ids.check_scalar_ids(6, 0) and not ids.check_scalar_ids(6, 0), "links that somebody relied on are missing"
    assert ids.check_scalar_ids(0, 0) and ids.check_scalar_ids(0, 0)


def test_a_distance_is_counted_from_the_same_scalar():
    ids = IdMap()
    assert ids.check_scalar_ids(1, 7) and ids.check_scalar_ids(1 | c.BPF_ADD_CONST64, 7 | c.BPF_ADD_CONST64)
    assert not ids.check_scalar_ids(1 | c.BPF_ADD_CONST32, 8 | c.BPF_ADD_CONST32)


def test_the_table_of_ids_is_full_some_day():
    ids = IdMap()
    ids.reset(5000)
    assert all(ids.check_ids(i, i) for i in range(1, ID_MAP_SIZE))
    assert ids.check_scalar_ids(1000, 0)
    assert not ids.check_ids(2000, 2000) and not ids.check_scalar_ids(2000, 0)
    assert ids.check_ids(1, 1)


def test_values_nobody_asked_for_may_differ():
    assert safe(known_value(1), known_value(2))
    assert not safe(known_value(1), known_value(2), RANGE_WITHIN)
    assert not safe(with_fields(known_value(1), precise=True), known_value(2))


def test_a_narrower_range_is_safe_and_a_wider_one_is_not():
    assert safe(scalar(0, 15), scalar(2, 9))
    assert not safe(scalar(2, 9), scalar(0, 15))
    assert safe(unknown_value(True), known_value(77))
    assert not safe(scalar(0, 15), scalar(2, 9), EXACT)
    assert safe(scalar(0, 15), scalar(0, 15), EXACT)


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_tnums_as_sets(a_value, a_mask, b_value, b_mask):
    def numbers(value, mask):
        return {n for n in range(256) if n & ~mask == value}

    old = with_fields(unknown_value(True), value=a_value & ~a_mask, mask=a_mask)
    cur = with_fields(unknown_value(True), value=b_value & ~b_mask, mask=b_mask)
    assert tnum_within(old, cur) == (numbers(b_value & ~b_mask, b_mask) <= numbers(a_value & ~a_mask, a_mask))


def test_scalars_at_a_constant_distance():
    base = scalar(0, 15, id=3 | c.BPF_ADD_CONST)
    assert not safe(base, scalar(0, 15, id=3))
    assert safe(with_fields(base, off=4), with_fields(base, off=4))
    assert not safe(with_fields(base, off=4), with_fields(base, off=5))


def test_links_between_shared_registers_are_compared():
    """The same two objects, linked in the old state and not in the new one."""
    one = scalar(0, 15, id=3)
    other = scalar(0, 15, id=4)
    ids, env = IdMap(), make_env()
    assert regsafe(env, one, one, ids, NOT_EXACT)
    assert not regsafe(env, one, other, ids, NOT_EXACT)


def test_limits_of_speculative_arithmetic_want_the_same_values():
    env = make_env()
    env.explore_alu_limits = True
    assert not safe(scalar(0, 15, precise=False), scalar(2, 9), env=env)
    assert safe(scalar(0, 15, precise=False), scalar(0, 15), env=env)


def test_unread_registers_and_types():
    assert safe(not_init(), pointer(c.PTR_TO_CTX))
    assert not safe(not_init(), pointer(c.PTR_TO_CTX), RANGE_WITHIN)
    assert safe(not_init(), not_init(), RANGE_WITHIN) and safe(not_init(), not_init(), EXACT)
    assert not safe(pointer(c.PTR_TO_MAP_VALUE), pointer(c.PTR_TO_MAP_VALUE | c.PTR_MAYBE_NULL))
    assert not safe(pointer(c.PTR_TO_CTX), known_value(0))


def test_pointers_to_the_stack_need_the_same_frame():
    fp = pointer(c.PTR_TO_STACK)
    assert safe(fp, pointer(c.PTR_TO_STACK))
    assert not safe(fp, with_fields(fp, frameno=1))
    assert not safe(fp, with_fields(fp, off=-8))


def test_packet_pointers():
    pkt = pointer(c.PTR_TO_PACKET)
    assert safe(with_fields(pkt, range=14), with_fields(pkt, range=20))
    assert not safe(with_fields(pkt, range=20), with_fields(pkt, range=14))
    assert not safe(with_fields(pkt, off=2), pkt)
    assert not safe(with_fields(pkt, id=4), pkt)
    assert safe(with_fields(pkt, id=4), with_fields(pkt, id=9))
    beyond, at = with_fields(pkt, range=-2), with_fields(pkt, range=-1)
    assert safe(beyond, with_fields(pkt, range=-2)) and not safe(beyond, at)
    assert not safe(beyond, with_fields(pkt, range=20)) and not safe(with_fields(pkt, range=20), beyond)


def test_pointers_with_a_variable_offset():
    value = with_fields(pointer(c.PTR_TO_MAP_VALUE), mask=0xFF, umax=255, smax=255, u32_max=255, s32_max=255)
    assert safe(value, pointer(c.PTR_TO_MAP_VALUE))
    assert not safe(pointer(c.PTR_TO_MAP_VALUE), value)
    assert not safe(value, with_fields(value, map=object()))
    assert not safe(value, with_fields(value, id=1)) and safe(with_fields(value, id=2), with_fields(value, id=1))
    assert not safe(with_fields(value, ref_obj_id=2), value)
    assert safe(pointer(c.PTR_TO_ARENA), with_fields(pointer(c.PTR_TO_ARENA), off=9))
    assert not safe(pointer(c.PTR_TO_SOCKET), with_fields(pointer(c.PTR_TO_SOCKET), off=9))


def frame_of(*slots):
    frame = Frame(-1, 0, 0)
    frame.stack = list(slots)
    return frame


def slow_stacksafe(env, old, cur, ids, exact):
    """The rules byte by byte, as they are written down, with no short cuts."""

    def as_scalar(slot):
        kinds = [slot.type_at(i) for i in range(8)]
        if kinds[7] == c.STACK_SPILL and slot.spilled.type == c.SCALAR_VALUE:
            return slot.spilled
        misc = {c.STACK_MISC} | ({c.STACK_INVALID} if env.allow_uninit_stack else set())
        return unknown_value(False) if set(kinds) <= misc else None

    for spi, slot in enumerate(old.stack):
        for byte in reversed(range(8)):
            kind = slot.type_at(byte)
            other = cur.stack[spi] if spi < len(cur.stack) else None
            if exact != NOT_EXACT and (other is None or other.type_at(byte) != kind):
                return False
            if kind == c.STACK_INVALID or (env.allow_uninit_stack and kind == c.STACK_MISC):
                continue
            if other is None:
                return False
            one, two = as_scalar(slot), as_scalar(other)
            if one is not None and two is not None:
                if not regsafe(env, one, two, ids, exact):
                    return False
                break
            if kind == c.STACK_MISC and other.type_at(byte) == c.STACK_ZERO:
                continue
            if kind != other.type_at(byte):
                return False
            if byte == 0 and kind == c.STACK_SPILL and not regsafe(env, slot.spilled, other.spilled, ids, exact):
                return False
    return True


def types_of(*kinds):
    """Byte kinds from the lowest address on."""
    return sum(kind << 8 * i for i, kind in enumerate(kinds))


MIXED = st.lists(st.sampled_from([c.STACK_INVALID, c.STACK_MISC, c.STACK_ZERO]), min_size=8, max_size=8)
SPILLED = st.sampled_from(
    [unknown_value(True), known_value(5), scalar(0, 15, id=1), scalar(2, 9, id=2), pointer(c.PTR_TO_CTX), not_init()]
)


@st.composite
def slots(draw):
    spill = draw(st.integers(0, 8))
    kinds = draw(MIXED)
    kinds[:spill] = [c.STACK_SPILL] * spill
    reg = draw(SPILLED)
    if 0 < spill < 8 and reg.type not in (c.SCALAR_VALUE, c.NOT_INIT):
        reg = known_value(3)
    return Slot(types_of(*kinds), reg)


@settings(max_examples=400)
@given(
    st.lists(slots(), max_size=3), st.lists(slots(), max_size=3), st.sampled_from([NOT_EXACT, EXACT, RANGE_WITHIN]),
    st.booleans(), st.booleans(),
)  # fmt: skip
def test_stacks_as_the_rules_by_byte_say(old, cur, exact, perfmon, same):
    env = make_env(perfmon)
    if same:
        cur = old + cur
    a, b = frame_of(*old), frame_of(*cur)
    assert stacksafe(env, a, b, IdMap(), exact) == slow_stacksafe(env, a, b, IdMap(), exact)


MISC8, ZERO8, SPILL8 = types_of(*[2] * 8), types_of(*[3] * 8), types_of(*[1] * 8)


@pytest.mark.parametrize(
    "old, cur, perfmon, expected",
    [
        (MISC8, ZERO8, False, True), (ZERO8, MISC8, False, False), (ZERO8, ZERO8, False, True),
        (MISC8, 0, True, True), (MISC8, 0, False, False), (0, MISC8, False, True),
        (types_of(1, 1, 1, 1, 2, 2, 2, 2), types_of(1, 1, 1, 1, 3, 3, 3, 3), False, True),
    ],
)  # fmt: skip
def test_slots(old, cur, perfmon, expected):
    env = make_env(perfmon)
    a, b = frame_of(Slot(old, known_value(1))), frame_of(Slot(cur, known_value(1)))
    assert stacksafe(env, a, b, IdMap(), NOT_EXACT) is expected


def test_unknown_bytes_are_an_unknown_scalar():
    env = make_env()
    spilled = frame_of(Slot(SPILL8, unknown_value(True)))
    narrow = frame_of(Slot(SPILL8, with_fields(known_value(1), precise=True)))
    misc = frame_of(Slot(MISC8, not_init()))
    assert stacksafe(env, spilled, misc, IdMap(), NOT_EXACT)
    assert not stacksafe(env, narrow, misc, IdMap(), NOT_EXACT)
    assert not stacksafe(env, spilled, misc, IdMap(), RANGE_WITHIN)


def kind8(kind):
    return types_of(*[kind] * 8)


@pytest.mark.parametrize(
    "kind, change, expected",
    [
        (c.STACK_DYNPTR, {}, True), (c.STACK_DYNPTR, {"dynptr_type": 2}, False),
        (c.STACK_DYNPTR, {"first_slot": True}, False), (c.STACK_DYNPTR, {"ref_obj_id": 4}, False),
        (c.STACK_ITER, {"iter_depth": 9}, True), (c.STACK_ITER, {"iter_state": 2}, False),
        (c.STACK_ITER, {"btf_id": 7}, False), (c.STACK_ITER, {"btf": object()}, False),
        (c.STACK_IRQ_FLAG, {"irq_class": 1}, False), (c.STACK_IRQ_FLAG, {}, True),
    ],
)  # fmt: skip
def test_special_slots(kind, change, expected):
    reg = pointer(c.PTR_TO_STACK)
    a, b = frame_of(Slot(kind8(kind), reg)), frame_of(Slot(kind8(kind), with_fields(reg, **change)))
    assert stacksafe(make_env(), a, b, IdMap(), NOT_EXACT) is expected


def state_of(refs=(), **fields):
    state = State()
    state.frames = [Frame(-1, 0, 0)]
    state.refs, state.acquired_refs = list(refs), len(refs)
    for name, value in fields.items():
        setattr(state, name, value)
    return state


def test_references():
    def holds(*refs, **fields):
        return state_of([Ref(type, id, 0, ptr) for type, id, ptr in refs], **fields)

    lock = object()
    cases = [
        (holds(), holds(), True), (holds(active_locks=1), holds(), False),
        (holds(active_rcu_lock=True), holds(), False),
        (holds((2, 5, None)), holds((2, 9, None)), True), (holds((2, 5, None)), holds(), False),
        (holds((2, 5, None)), holds((4, 5, None)), False),
        (holds((2, 5, None), (2, 6, None)), holds((2, 7, None), (2, 7, None)), False),
        (holds((8, 5, lock)), holds((8, 5, lock)), True), (holds((8, 5, lock)), holds((8, 5, object())), False),
        (holds(active_irq_id=3), holds(), False), (holds(active_lock_ptr=lock), holds(), False),
        (holds(active_preempt_locks=1), holds(), False),
    ]  # fmt: skip
    for old, cur, expected in cases:
        assert refsafe(old, cur, IdMap()) is expected


def test_whole_states():
    env = make_env()
    old = state_of()
    assert states_equal(env, old, old.copy(), EXACT)
    for name, value in (("speculative", True), ("in_sleepable", True)):
        changed = state_of(**{name: value})
        assert states_equal(env, changed, changed.copy(), NOT_EXACT)
        assert not states_equal(env, changed, old, NOT_EXACT)
    assert states_equal(env, old, state_of(speculative=True), NOT_EXACT)
    deeper = old.copy()
    deeper.frames.append(Frame(0, 1, 1))
    deeper.curframe = 1
    assert not states_equal(env, old, deeper, NOT_EXACT)
    elsewhere = deeper.copy()
    elsewhere.frames[1].callsite = 1
    assert not states_equal(env, deeper, elsewhere, NOT_EXACT) and not same_callsites(deeper, elsewhere)
    assert same_callsites(deeper, deeper.copy())
    again = old.copy()
    again.frames[0].callback_depth = 1
    assert states_equal(env, old, again, NOT_EXACT) and not states_equal(env, again, old, NOT_EXACT)


def test_only_live_registers_count():
    env = make_env()
    old, cur = state_of(), state_of()
    old.frames[0].regs[3] = known_value(1)
    cur.frames[0].regs[3] = pointer(c.PTR_TO_CTX)
    assert not states_equal(env, old, cur, NOT_EXACT)
    env.insns[0].live_regs_before = 0x7FF & ~(1 << 3)
    assert states_equal(env, old, cur, NOT_EXACT)


def test_a_link_across_frames_is_seen():
    env = make_env()
    old, cur = state_of(), state_of()
    for state, ids in ((old, (1, 1)), (cur, (1, 2))):
        state.frames.append(Frame(0, 1, 1))
        state.curframe = 1
        for frame, id in zip(state.frames, ids, strict=True):
            frame.regs[6] = scalar(0, 15, id=id)
    assert not states_equal(env, old, cur, NOT_EXACT)
    assert states_equal(env, old, old.copy(), NOT_EXACT)


def test_looping_means_the_same_registers_ids_included():
    for i, reg in itertools.product((0, 9), (known_value(4), pointer(c.PTR_TO_CTX))):
        old, cur = state_of(), state_of()
        assert states_maybe_looping(old, cur)
        old.frames[0].regs[i] = reg
        assert not states_maybe_looping(old, cur)
        cur.frames[0].regs[i] = reg.copy()
        assert states_maybe_looping(old, cur)
        cur.frames[0].regs[i] = with_fields(reg, id=1)
        assert not states_maybe_looping(old, cur)
    old, cur = state_of(), state_of()
    cur.frames.append(Frame(0, 1, 1))
    cur.curframe = 1
    assert not states_maybe_looping(old, cur)
