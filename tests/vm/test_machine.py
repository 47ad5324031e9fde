"""What a machine refuses, what it reports, and that nothing a program does can crash or hang it."""

from __future__ import annotations

import re
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import osmia.vm.interp
from osmia.errors import BadInsn, BudgetExceeded, Fault, InternalError, MissingBody, OsmiaError, UsageError, VmError
from osmia.isa import Insn, decode
from osmia.isa import consts as c
from osmia.isa import macros as m
from osmia.memory import Memory, Region
from osmia.obj.model import Extern, Program, Subprog
from osmia.raw import Buffer
from osmia.vm import Context, Machine, MemoryContext
from osmia.vm import ops as vm_ops

EXIT = m.BPF_EXIT_INSN()
COMPILED = not osmia.vm.interp.__file__.endswith(".py")


def machine(insns, **options):
    rest = {name: options.pop(name) for name in ("externs", "subprogs", "fd_array") if name in options}
    return Machine(Program("test", "socket_filter", list(insns), **rest), **options)


def r0(insns, ctx=b"", **options):
    return machine(insns, **options).run(ctx).r0


# -- loading -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("insns", "pc", "words"),
    [
        ([], 0, "no instructions"),
        ([m.BPF_JMP_A(5), EXIT], 0, "out of the program"),
        ([m.BPF_JMP_A(-2), EXIT], 0, "out of the program"),
        ([m.BPF_JMP_A(1), *m.BPF_LD_IMM64(1, 5), EXIT], 0, "second slot"),
        ([m.BPF_CALL_REL(7), EXIT], 0, "out of the program"),
        ([Insn(c.LD_IMM64, 1)], 0, "without its second slot"),
        ([Insn(c.LD_IMM64, 1), EXIT], 1, "more than a constant"),
        ([m.BPF_MOV64_REG(0, 11), EXIT], 0, "src_reg 11"),
        ([m.BPF_MOV64_IMM(0, 1), Insn(0xB7, 15), EXIT], 1, "dst_reg 15"),
        ([m.BPF_MOV64_IMM(10, 1), EXIT], 0, "R10"),
        ([m.BPF_LDX_MEM(c.BPF_W, 10, 1, 0), EXIT], 0, "R10"),
        ([m.BPF_ATOMIC_OP(c.BPF_DW, c.BPF_XCHG, 1, 10, 0), EXIT], 0, "R10"),
        ([Insn(0xFF), EXIT], 0, "unknown opcode 0xff"),
        ([Insn(0xB7, 1, 3), EXIT], 0, "src_reg 3"),
        ([*m.BPF_LD_MAP_FD(1, 2), EXIT], 0, "map 2 of 0"),
        ([*m.BPF_LD_BTF_ID(1, 2), EXIT], 0, "kernel variable"),
        ([Insn(0xB7, 1, 0, 0, 1 << 40), EXIT], 0, "8 bytes"),
        ([Insn(0x1B7, 1, 0, 0, 1), EXIT], 0, "8 bytes"),
        ([Insn(0xB7, -1, 0, 0, 1), EXIT], 0, "dst_reg -1"),
        ([Insn(0x61, 1, 1, 1 << 20, 0), EXIT], 0, "8 bytes"),
    ],
)
def test_refused_at_load(insns, pc, words):
    with pytest.raises(BadInsn, match=words) as caught:
        machine(insns)
    assert caught.value.pc == pc


def test_running_out_of_the_program():
    with pytest.raises(BadInsn, match="runs out of the program") as caught:
        r0([m.BPF_MOV64_IMM(0, 1)])
    assert caught.value.pc == 1


# -- faults --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("insns", "address", "words"),
    [
        ([m.BPF_MOV64_IMM(1, 0), m.BPF_LDX_MEM(c.BPF_W, 0, 1, 0)], 0, "read of 4 bytes at 0x0: the null pointer"),
        ([m.BPF_MOV64_IMM(1, -1), m.BPF_LDX_MEM(c.BPF_DW, 0, 1, 0)], 2**64 - 1, "near nothing known"),
        ([m.BPF_MOV64_IMM(1, -4), m.BPF_ST_MEM(c.BPF_DW, 1, 4, 0)], 0, "write of 8 bytes"),
        ([m.BPF_ST_MEM(c.BPF_B, 10, 0, 0)], None, r"stack frame 0, r10 \+ 0"),
        ([m.BPF_ST_MEM(c.BPF_DW, 10, -4, 0)], None, "stack frame 0, r10 - 4"),
        ([m.BPF_ST_MEM(c.BPF_DW, 10, -513, 0)], None, "1 byte before stack"),
        ([m.BPF_LDX_MEM(c.BPF_W, 0, 1, 8)], None, "the end of ctx"),
        ([m.BPF_LDX_MEM(c.BPF_DW, 0, 1, 4)], None, r"ctx \+ 4"),
        ([m.BPF_ATOMIC_OP(c.BPF_DW, c.BPF_ADD, 1, 2, 6)], None, r"ctx \+ 6"),
    ],
)
def test_faults(insns, address, words):
    tested = machine([m.BPF_MOV64_IMM(0, 3), *insns, EXIT])
    with pytest.raises(Fault, match=words) as caught:
        tested.run(bytes(8))
    assert caught.value.pc == len(insns)
    assert address is None or caught.value.address == address
    assert tested.registers[0] == 3 and len(tested.registers) == 11
    assert str(caught.value).startswith(f"insn {len(insns)}: ")


def test_read_only_memory_refuses_writes():
    room, memory = Buffer(16), Memory()
    memory.add(Region("rodata", room.address, 16, writable=False))
    load = m.BPF_LD_IMM64(1, room.address)
    assert r0([*load, m.BPF_LDX_MEM(c.BPF_DW, 0, 1, 8), EXIT], memory=memory) == 0
    for write in (m.BPF_ST_MEM(c.BPF_W, 1, 0, 1), m.BPF_ATOMIC_OP(c.BPF_W, c.BPF_ADD, 1, 0, 0)):
        with pytest.raises(Fault, match="rodata, which is read-only"):
            r0([*load, m.BPF_LDX_MEM(c.BPF_DW, 0, 1, 8), write, EXIT], memory=memory)
    assert bytes(room) == bytes(16)


def test_elements_of_a_strided_region():
    room, memory = Buffer(64), Memory()
    memory.add(Region("values", room.address, 64, stride=16, span=12))
    start = [*m.BPF_LD_IMM64(1, room.address), m.BPF_LDX_MEM(c.BPF_W, 0, 1, 16)]
    D, W, B = c.BPF_DW, c.BPF_W, c.BPF_B
    for offset, size, good in ((0, D, 1), (8, W, 1), (8, D, 0), (12, B, 0), (48, D, 1)):
        tested = machine([*start, m.BPF_LDX_MEM(size, 0, 1, offset), EXIT], memory=memory)
        if good:
            tested.run()
        else:
            with pytest.raises(Fault, match=f"values, element 0 . {offset}"):
                tested.run()


def test_only_frames_in_use_are_memory():
    callee = [m.BPF_MOV64_REG(0, 10), m.BPF_ST_MEM(c.BPF_DW, 10, -8, 7), EXIT]
    with pytest.raises(Fault, match="behind the end of stack"):
        r0([m.BPF_CALL_REL(2), m.BPF_LDX_MEM(c.BPF_DW, 0, 0, -8), EXIT, *callee])
    past = [m.BPF_ST_MEM(c.BPF_B, 10, 0, 1), EXIT]
    with pytest.raises(Fault):
        r0([m.BPF_CALL_REL(1), EXIT, *past])
    below = [m.BPF_ST_MEM(c.BPF_B, 10, -520, 1), EXIT]  # the gap between the frames
    with pytest.raises(Fault):
        r0([m.BPF_CALL_REL(1), EXIT, *below])


def test_the_stack_starts_zeroed_each_time():
    tested = machine([m.BPF_LDX_MEM(c.BPF_DW, 0, 10, -8), m.BPF_ST_MEM(c.BPF_DW, 10, -8, 9), EXIT])
    assert [tested.run().r0, tested.run().r0] == [0, 0]


# -- bounds --------------------------------------------------------------------------------------------------------


def test_endless_loop_ends():
    with pytest.raises(BudgetExceeded, match="1000 instructions") as caught:
        r0([m.BPF_JMP_A(-1), EXIT], budget=1000)
    assert caught.value.pc == 0


@pytest.mark.parametrize("budget", [3, 4, 5])
def test_budget_is_exact(budget):
    insns = [m.BPF_MOV64_IMM(0, 1), m.BPF_MOV64_IMM(0, 2), m.BPF_MOV64_IMM(0, 3), EXIT]
    tested = machine(insns, budget=budget)
    if budget < 4:
        with pytest.raises(BudgetExceeded):
            tested.run()
    else:
        assert tested.run().insns == 4


@pytest.mark.parametrize("budget", [0, -1, 1 << 70])
def test_odd_budgets_are_usage_errors(budget):
    with pytest.raises(UsageError, match="budget"):
        machine([EXIT], budget=budget)


def test_endless_recursion_ends():
    with pytest.raises(VmError, match="call stack of 9 frames is too deep"):
        r0([m.BPF_CALL_REL(-1), EXIT])


def test_ctrl_c_stops_a_long_run():
    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        begin = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            r0([m.BPF_JMP_A(-1), EXIT], budget=1 << 50)
        assert time.monotonic() - begin < 5
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_may_goto_gives_up():
    if not COMPILED:
        pytest.skip("8,388,608 iterations take too long uncompiled")
    insns = [m.BPF_MOV64_IMM(0, 0), m.BPF_MAY_GOTO(2), m.BPF_ALU64_IMM(c.BPF_ADD, 0, 1), m.BPF_JMP_A(-3), EXIT]
    assert r0(insns) == 8 << 20


# -- helpers, callbacks --------------------------------------------------------------------------------------------


def test_helpers_get_and_give_raw_words():
    seen = []

    def body(env, *registers):
        seen.append((env.ctx.address, registers))
        return -22

    insns = [*(m.BPF_MOV64_IMM(reg, -reg) for reg in range(1, 6)), m.BPF_EMIT_CALL(99), EXIT]
    tested = machine(insns, helpers={99: body})
    ctx = Context(b"12345678")
    result = tested.run(ctx)
    assert result.r0 == 2**64 - 22 and result.retval == 2**32 - 22 and result.insns == 7
    assert seen == [(ctx.address, tuple(2**64 - reg for reg in range(1, 6)))]


def test_missing_bodies_fail_only_when_called():
    insns = [m.BPF_JMP_IMM(c.BPF_JEQ, 1, 0, 1), m.BPF_JMP_A(1), m.BPF_EMIT_CALL(1), m.BPF_MOV64_IMM(0, 4), EXIT]
    assert r0(insns, b"x") == 4
    with pytest.raises(MissingBody, match="bpf_map_lookup_elem"):
        r0([m.BPF_EMIT_CALL(1), EXIT])
    with pytest.raises(MissingBody, match="helper 70000"):
        r0([m.BPF_EMIT_CALL(70000), EXIT])
    with pytest.raises(MissingBody, match="bpf_obj_new"):
        r0([m.BPF_CALL_KFUNC(0, 7), EXIT], externs=[Extern(0, "bpf_obj_new")])


def test_kfuncs_and_kernel_variables_by_name():
    insns = [*m.BPF_LD_BTF_ID(1, 0), m.BPF_CALL_KFUNC(0, 0), EXIT]
    externs = [Extern(0, "jiffies_var", "var"), Extern(2, "double_it")]
    options = {"ksyms": {"jiffies_var": 21}, "kfuncs": {"double_it": lambda env, r1, *rest: 2 * r1}}
    assert r0(insns, externs=externs, **options) == 42
    weak = [Extern(0, "unknown", "var", weak=True), externs[1]]
    assert r0(insns, externs=weak, **options) == 0


def _looping(calls):
    """bpf_loop as the smallest of bodies: R1 times, callback R2, its argument R3."""

    def body(env, r1, r2, r3, r4, r5):
        done = 0
        while done < r1 and not env.call(r2, done, r3):
            done += 1
        calls.append(done)
        return done

    return body


def test_callbacks_run_in_frames_of_their_own():
    insns = [
        m.BPF_ST_MEM(c.BPF_DW, 10, -8, 0), m.BPF_MOV64_IMM(6, 5), m.BPF_MOV64_IMM(1, 10), *m.BPF_LD_FUNC(2, 8),
        m.BPF_MOV64_REG(3, 10), m.BPF_ALU64_IMM(c.BPF_ADD, 3, -8), m.BPF_MOV64_IMM(4, 0), m.BPF_EMIT_CALL(181),
        m.BPF_LDX_MEM(c.BPF_DW, 0, 10, -8), m.BPF_ALU64_REG(c.BPF_ADD, 0, 6), EXIT, m.BPF_MOV64_IMM(6, 1000),
        m.BPF_MOV64_IMM(6, 1000), m.BPF_STX_MEM(c.BPF_DW, 10, 1, -8), m.BPF_LDX_MEM(c.BPF_DW, 3, 2, 0),
        m.BPF_ALU64_REG(c.BPF_ADD, 3, 1), m.BPF_STX_MEM(c.BPF_DW, 2, 3, 0), m.BPF_MOV64_IMM(0, 0), EXIT,
    ]  # fmt: skip
    calls = []
    tested = machine(insns, helpers={181: _looping(calls)})
    result = tested.run()
    assert result.r0 == sum(range(10)) + 5 and calls == [10]
    assert result.insns == 11 + 10 * 8


def test_a_callback_of_a_callback_runs_out_of_frames():
    insns = [m.BPF_MOV64_IMM(1, 1), *m.BPF_LD_FUNC(2, -2), m.BPF_EMIT_CALL(181), EXIT]
    with pytest.raises(VmError, match="too deep"):
        machine(insns, helpers={181: _looping([])}).run()


@pytest.mark.parametrize("pointer", [0, 1, 12345678, 2**64 - 1])
def test_no_callback(pointer):
    insns = [m.BPF_MOV64_IMM(1, 1), *m.BPF_LD_IMM64(2, pointer), m.BPF_EMIT_CALL(181), EXIT]
    with pytest.raises(VmError, match="is no callback") as caught:
        machine(insns, helpers={181: _looping([])}).run()
    assert caught.value.pc == 3


def test_a_helper_may_survive_its_callback():
    """Registers and frames are in order again after a callback that failed and a helper that went on."""
    insns = [
        m.BPF_MOV64_IMM(6, 5), *m.BPF_LD_FUNC(1, 3), m.BPF_EMIT_CALL(7), m.BPF_ALU64_REG(c.BPF_ADD, 0, 6), EXIT,
        m.BPF_MOV64_IMM(6, 1), m.BPF_LDX_MEM(c.BPF_B, 0, 6, 0), EXIT,
    ]  # fmt: skip
    insns[1] = insns[1]._replace(imm=4)

    def body(env, r1, *rest):
        with suppress(Fault):
            env.call(r1, -1, 1 << 70)
        return 10

    assert machine(insns, helpers={7: body}).run().r0 == 15


def test_callbacks_count_against_the_budget():
    insns = [m.BPF_MOV64_IMM(1, 100), *m.BPF_LD_FUNC(2, 3), m.BPF_EMIT_CALL(181), EXIT, m.BPF_MOV64_IMM(0, 0), EXIT]
    with pytest.raises(BudgetExceeded):
        machine(insns, helpers={181: _looping([])}, budget=100).run()
    assert machine(insns, helpers={181: _looping([])}, budget=204).run().insns == 204


def test_a_machine_does_not_nest_in_itself():
    insns = [m.BPF_EMIT_CALL(1), EXIT]
    tested = machine(insns, helpers={1: lambda env, *rest: env.machine.run().r0})
    with pytest.raises(VmError, match="running already"):
        tested.run()
    with pytest.raises(VmError, match="within a program"):
        tested.call(5)


def test_callx_calls_functions_of_the_program_only():
    good = [*m.BPF_LD_FUNC(1, 3), m.BPF_CALLX(1), EXIT, m.BPF_MOV64_IMM(0, 6), EXIT]
    assert r0(good) == 6
    with pytest.raises(BadInsn, match="no function of the program"):
        r0([m.BPF_MOV64_IMM(1, 5), m.BPF_CALLX(1), EXIT])


# -- tail calls ----------------------------------------------------------------------------------------------------


class ProgArray:
    """As much of a prog_array as the machine asks for."""

    name = "jumps"

    def __init__(self, **programs):
        self.programs = programs
        self._handle = Buffer(8)
        self.address = self._handle.address
        self._regions = [Region("map jumps", self.address, 8, False, "map", owner=self)]

    def regions(self):
        return self._regions

    def program(self, index):
        return self.programs.get(f"p{index}")


def _tail(index):
    return [*m.BPF_LD_MAP_FD(2, 0), m.BPF_MOV64_IMM(3, index), m.BPF_EMIT_CALL(12)]


def test_tail_calls_go_33_times():
    jumps = ProgArray()
    insns = [
        m.BPF_MOV64_REG(6, 1), m.BPF_LDX_MEM(c.BPF_DW, 0, 6, 0), m.BPF_ALU64_IMM(c.BPF_ADD, 0, 1),
        m.BPF_STX_MEM(c.BPF_DW, 6, 0, 0), m.BPF_MOV64_REG(1, 6), *_tail(0), m.BPF_LDX_MEM(c.BPF_DW, 0, 6, 0), EXIT,
    ]  # fmt: skip
    tested = machine(insns, maps=[jumps])
    jumps.programs["p0"] = tested
    assert tested.run(bytes(8)).r0 == 34


def test_a_tail_call_keeps_the_frame_and_falls_through_without_target():
    other = machine([m.BPF_MOV64_IMM(0, 77), EXIT])
    jumps = ProgArray(p1=other)
    assert r0([*_tail(1), m.BPF_MOV64_IMM(0, 1), EXIT], maps=[jumps]) == 77
    assert r0([*_tail(2), m.BPF_MOV64_IMM(0, 1), EXIT], maps=[jumps]) == 1
    inside = [m.BPF_MOV64_IMM(6, 3), m.BPF_CALL_REL(2), m.BPF_ALU64_REG(c.BPF_ADD, 0, 6), EXIT, *_tail(1), EXIT]
    assert r0(inside, maps=[jumps]) == 80
    with pytest.raises(Fault, match="no prog_array"):
        r0([m.BPF_EMIT_CALL(12), EXIT], b"x")


# -- tracing, describing -------------------------------------------------------------------------------------------


def test_the_tracer_sees_every_step_once():
    steps = []
    callee = [m.BPF_MOV64_IMM(0, 5), EXIT]
    insns = [m.BPF_MOV64_IMM(0, 1), m.BPF_CALL_REL(2), m.BPF_ALU64_IMM(c.BPF_ADD, 0, 1), EXIT, *callee]
    tested = machine(insns, trace=lambda pc, registers: steps.append((pc, registers[0])))
    assert tested.run().insns == 6
    assert steps == [(0, 0), (1, 1), (4, 1), (5, 5), (2, 5), (3, 6)]
    assert tested.running is tested.program


def test_addresses_are_described():
    insns = [*m.BPF_LD_FUNC(3, 4), m.BPF_MOV64_REG(2, 10), m.BPF_EMIT_CALL(5), EXIT, EXIT]
    said = []

    def body(env, r1, r2, r3, r4, r5):
        said.extend(env.machine.describe(address) for address in (r1 + 2, r2 - 16, r3))
        return 0

    machine(insns, helpers={5: body}, subprogs=[Subprog("main", 0, 5), Subprog("each", 5, 6)]).run(bytes(4))
    assert said == ["ctx + 2", "stack frame 0, r10 - 16", "callback each, insn 5"]


def test_memory_context():
    insns = [m.BPF_LDX_MEM(c.BPF_B, 0, 1, 3), m.BPF_ALU64_REG(c.BPF_ADD, 0, 2), EXIT]
    assert machine(insns).run(MemoryContext(b"\1\2\3\4")).r0 == 8


def test_the_last_element_ends_with_its_region():
    room, memory = Buffer(64), Memory()
    memory.add(Region("values", room.address, 20, stride=16, span=12))
    tested = machine([*m.BPF_LD_IMM64(1, room.address), m.BPF_LDX_MEM(c.BPF_W, 0, 1, 16), EXIT], memory=memory)
    assert tested.run().r0 == 0
    with pytest.raises(Fault):
        r0([*m.BPF_LD_IMM64(1, room.address), m.BPF_LDX_MEM(c.BPF_DW, 0, 1, 16), EXIT], memory=memory)


def test_overlapping_regions_are_a_bug():
    memory = Memory()
    memory.add(Region("a", 100, 10))
    with pytest.raises(InternalError, match="overlaps"):
        memory.add(Region("b", 105, 10))
    with pytest.raises(InternalError, match="overlaps"):
        memory.add(Region("b", 95, 10))
    memory.add(Region("b", 110, 10))


# -- robustness ----------------------------------------------------------------------------------------------------


@settings(max_examples=300)
@given(st.binary(min_size=8, max_size=80).map(lambda raw: raw[: len(raw) & ~7]))
def test_random_bytes(raw):
    with suppress(OsmiaError):
        machine(decode(raw), budget=200).run(bytes(16))


REGS, OFFS, IMMS = st.integers(0, 9), st.integers(-6, 6), st.sampled_from([0, 1, -1, 5, -8, 2**31 - 1, -(2**31)])
PLAIN = [op for op in osmia.isa.OPS if op.name not in ("ld_btf_id", "call_kfunc", "call")]


@st.composite
def valid_insn(draw):
    """An instruction that is valid by itself; jumps and pointers go anywhere."""
    op = draw(st.sampled_from(PLAIN))
    fields = zip((op.dst, op.src, op.off, op.imm), (REGS, st.integers(0, 10), OFFS, IMMS), strict=True)
    insn = Insn(op.code, *(field if isinstance(field, int) else draw(values) for field, values in fields))
    return [insn, Insn(0, 0, 0, 0, draw(IMMS))] if op.wide else [insn]


@settings(max_examples=500)
@given(st.lists(valid_insn(), min_size=1, max_size=12))
def test_random_instructions(pieces):
    """Wild pointers, endless loops, recursion: one typed error or a result, in bounded time."""
    insns = [insn for piece in pieces for insn in piece]
    for pc, insn in enumerate(insns):  # send jumps somewhere into the program, so that it gets to run
        if insn.code & 7 in (5, 6):
            insns[pc] = insn._replace(off=(insn.off + pc) % len(insns) - pc - 1 if insn.off else 0)
    with suppress(OsmiaError):
        machine([*insns, EXIT], budget=500).run(bytes(64))


def test_the_enum_in_the_pxd_is_the_list_of_ops():
    text = (Path(vm_ops.__file__).parent / "interp.pxd").read_text()
    enums = re.findall(r"cdef enum:[^\n]*\n((?:    [A-Z0-9_, =]+\n)+)", text)
    names = [name.strip() for name in enums[0].replace("\n", ",").split(",") if name.strip()]
    assert {name: number for number, name in enumerate(names)} == vm_ops.OPS
    limits = dict(pair.split(" = ") for pair in re.findall(r"[A-Z_]+ = \d+", enums[1]))
    ours = {name: getattr(vm_ops, name) for name in limits}
    assert {**ours, "STEP": 24} == {name: int(value) for name, value in limits.items()}


class Values:
    """Maps with one value each, by their address."""

    name = "values"

    def __init__(self, address):
        self.address = address

    def regions(self):
        return [Region("value", self.address, 8, False, "map", owner=self)]

    def direct_value(self, offset):
        return self.address + offset


def test_loads_by_index_go_through_the_descriptors():
    words = [Buffer.of(n.to_bytes(8, "little")) for n in (5, 77)]
    maps = [Values(word.address) for word in words]
    insns = [Insn(0x18, 0, 6, 0, 0), Insn(0), EXIT]
    for array, expected in ((None, 0), ([1, 0], 1), ([0], 0)):
        assert r0(insns, maps=maps, fd_array=array) == maps[expected].address
    with pytest.raises(BadInsn, match="names place 0 of an fd_array of 0"):
        r0(insns, maps=maps, fd_array=[])
