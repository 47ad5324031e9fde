"""Native code beside the interpreter and beside ``words``: every instruction, edge operands, both modes."""

import pytest

from osmia.errors import BadInsn, BudgetExceeded, Fault, VmError
from osmia.helpers import table
from osmia.isa import Insn
from osmia.isa import consts as c
from osmia.isa import macros as m
from osmia.maps import create
from osmia.obj.model import MapSpec, Program
from osmia.vm import Machine
from osmia.vm.decode import PLAIN
from osmia.vm.jit import alu
from osmia.vm.jit import blocks as b
from osmia.vm.jit.emit import WRITERS, emit
from osmia.vm.jit.unit import Options
from osmia.vm.ops import OPS

pytest.importorskip("llvmlite")

EXIT = m.BPF_EXIT_INSN()
EDGES = (
    0, 1, 2, 3, 7, 31, 32, 63, 64, 0x7F, 0x80, 0xFF, 0x8000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x100000000,
    0x123456789ABCDEF0, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFF80000000, 0xFFFFFFFFFFFFFFFE,
    0xFFFFFFFFFFFFFFFF,
)  # fmt: skip
BINARY = [c.BPF_ADD, c.BPF_SUB, c.BPF_MUL, c.BPF_DIV, c.BPF_OR, c.BPF_AND, c.BPF_LSH, c.BPF_RSH, c.BPF_MOD, c.BPF_XOR]
BINARY += [c.BPF_MOV, c.BPF_ARSH]
JUMPS = (
    c.BPF_JEQ, c.BPF_JGT, c.BPF_JGE, c.BPF_JSET, c.BPF_JNE, c.BPF_JSGT, c.BPF_JSGE, c.BPF_JLT, c.BPF_JLE, c.BPF_JSLT,
    c.BPF_JSLE,
)  # fmt: skip


def both(insns, **options):
    """What the interpreter and native code, checked and trusted, make of a program."""
    program = Program("p", "xdp", list(insns))
    checked = [Machine(program, engine=engine, **options) for engine in ("interp", "jit")]
    return [*checked, Machine(program, engine="jit", checked=False, **options)]


def same(insns, data=b"", **options):
    """R0 and the memory behind R1 afterwards, the same on all; the result."""
    results = [machine.run(data) for machine in both(insns, **options)]
    assert len({(result.r0, result.ctx) for result in results}) == 1, [hex(result.r0) for result in results]
    assert results[0].insns == results[1].insns
    return results[0]


def folded(pieces):
    """A program that runs the pieces, each from R1 and R2 into R3, and mixes all answers into R0."""
    out = [m.BPF_MOV64_IMM(0, 0)]
    for piece in pieces:
        out += [*piece, m.BPF_ALU64_IMM(c.BPF_MUL, 0, 0x01000193), m.BPF_ALU64_REG(c.BPF_XOR, 0, 3)]
    return [*out, EXIT]


def given(a, second):
    return [*m.BPF_LD_IMM64(1, a), *m.BPF_LD_IMM64(2, second)]


@pytest.mark.parametrize("cls", [c.BPF_ALU64, c.BPF_ALU])
@pytest.mark.parametrize("off", [0, 1])
@pytest.mark.parametrize("op", BINARY)
def test_arithmetic_on_edges(cls, off, op):
    if off and op not in (c.BPF_DIV, c.BPF_MOD):
        pytest.skip("the offset is reserved")
    pieces = [[*given(x, y), m.BPF_MOV64_REG(3, 1), Insn(cls | op | c.BPF_X, 3, 2, off)] for x in EDGES for y in EDGES]
    same(folded(pieces))


@pytest.mark.parametrize("cls", [c.BPF_ALU64, c.BPF_ALU])
@pytest.mark.parametrize("op", BINARY)
def test_arithmetic_with_constants(cls, op):
    width = 64 if cls == c.BPF_ALU64 else 32
    imms = range(0, width, 5) if op in (c.BPF_LSH, c.BPF_RSH, c.BPF_ARSH) else (0, 1, -1, 7, 0x7FFFFFFF, -0x80000000)
    offs = (0, 1) if op in (c.BPF_DIV, c.BPF_MOD) else (0,)
    code = cls | op | c.BPF_K
    pieces = [[*m.BPF_LD_IMM64(3, x), Insn(code, 3, 0, off, imm)] for x in EDGES for imm in imms for off in offs]
    same(folded(pieces))


UNARY = [m.BPF_NEG64(3), m.BPF_NEG32(3), *(m.BPF_BSWAP(3, bits) for bits in (16, 32, 64))]
UNARY += [m.BPF_ENDIAN(to, 3, bits) for to in (c.BPF_TO_LE, c.BPF_TO_BE) for bits in (16, 32, 64)]
UNARY += [m.BPF_MOVSX64_REG(3, 3, bits) for bits in (8, 16, 32)] + [m.BPF_MOVSX32_REG(3, 3, bits) for bits in (8, 16)]


@pytest.mark.parametrize("insn", UNARY, ids=str)
def test_what_takes_one_operand(insn):
    same(folded([[*m.BPF_LD_IMM64(3, x), insn] for x in EDGES]))


@pytest.mark.parametrize("cls", [c.BPF_JMP, c.BPF_JMP32])
@pytest.mark.parametrize("op", JUMPS)
def test_jumps_on_edges(cls, op):
    taken = [m.BPF_MOV64_IMM(3, 1), Insn(cls | op | c.BPF_X, 1, 2, 1), m.BPF_MOV64_IMM(3, 2)]
    constant = [m.BPF_MOV64_IMM(3, 1), Insn(cls | op | c.BPF_K, 1, 0, 1, -1), m.BPF_MOV64_IMM(3, 2)]
    pieces = [[*given(x, y), *piece] for x in EDGES for y in EDGES[::2] for piece in (taken, constant)]
    same(folded(pieces))


SIZES = (c.BPF_B, c.BPF_H, c.BPF_W, c.BPF_DW)


@pytest.mark.parametrize("size", SIZES)
def test_loads_and_stores(size):
    width = c.SIZE_BYTES[size]
    insns = [
        *m.BPF_LD_IMM64(2, 0x8081828384858687),
        m.BPF_STX_MEM(size, 1, 2, width),
        m.BPF_ST_MEM(size, 1, 2 * width, -3),
    ]
    insns += [m.BPF_LDX_MEM(size, 0, 1, width)]
    if size != c.BPF_DW:
        insns += [m.BPF_LDX_MEMSX(size, 3, 1, width), m.BPF_ALU64_REG(c.BPF_ADD, 0, 3)]
    same([*insns, EXIT], bytes(range(32)))


ATOMICS = [imm | fetch for imm in (c.BPF_ADD, c.BPF_OR, c.BPF_AND, c.BPF_XOR) for fetch in (0, 1)]


@pytest.mark.parametrize("offset", [8, 5])
@pytest.mark.parametrize("size", [c.BPF_W, c.BPF_DW])
@pytest.mark.parametrize("imm", [*ATOMICS, 0xE1, 0xF1])
def test_atomics_aligned_or_not(size, imm, offset):
    insns = [*m.BPF_LD_IMM64(0, 0x0C0B0A0908), *m.BPF_LD_IMM64(2, 0xF0F1F2F3F4F5F6F7)]
    insns += [m.BPF_ATOMIC_OP(size, imm, 1, 2, offset), m.BPF_ALU64_REG(c.BPF_XOR, 0, 2), EXIT]
    same(insns, bytes(range(32)))


def test_an_exchange_that_meets_what_it_expects():
    insns = [m.BPF_ST_MEM(c.BPF_DW, 10, -8, 5), m.BPF_MOV64_IMM(0, 5), m.BPF_MOV64_IMM(2, 9)]
    insns += [m.BPF_ATOMIC_OP(c.BPF_DW, 0xF1, 10, 2, -8), m.BPF_LDX_MEM(c.BPF_DW, 3, 10, -8)]
    insns += [m.BPF_ALU64_IMM(c.BPF_LSH, 3, 8), m.BPF_ALU64_REG(c.BPF_OR, 0, 3), EXIT]
    assert same(insns).r0 == 0x905


@pytest.mark.parametrize(("size", "bits"), [(c.BPF_B, 8), (c.BPF_H, 16), (c.BPF_W, 32), (c.BPF_DW, 64)])
def test_acquire_and_release(size, bits):
    insns = [*m.BPF_LD_IMM64(2, 0x8081828384858687), Insn(c.BPF_STX | c.BPF_ATOMIC | size, 1, 2, 8, 0x110)]
    insns += [Insn(c.BPF_STX | c.BPF_ATOMIC | size, 0, 1, 8, 0x100), EXIT]
    assert same(insns, bytes(32)).r0 == 0x8081828384858687 & ((1 << bits) - 1)


# -- the stack -------------------------------------------------------------------------------------------------------


def test_the_stack_starts_as_zeros():
    insns = [m.BPF_ST_MEM(c.BPF_W, 10, -8, -1), m.BPF_LDX_MEM(c.BPF_DW, 0, 10, -8), EXIT]
    assert same(insns).r0 == 0xFFFFFFFF


def test_zeros_where_only_one_path_wrote():
    insns = [m.BPF_LDX_MEM(c.BPF_W, 2, 1, 0), m.BPF_JMP_IMM(c.BPF_JEQ, 2, 0, 1), m.BPF_ST_MEM(c.BPF_DW, 10, -8, 7)]
    insns += [m.BPF_LDX_MEM(c.BPF_DW, 0, 10, -8), EXIT]
    assert same(insns, bytes(4)).r0 == 0
    assert same(insns, b"\1\0\0\0").r0 == 7


def test_a_place_on_the_stack_that_is_computed():
    insns = [m.BPF_LDX_MEM(c.BPF_W, 2, 1, 0), m.BPF_MOV64_REG(3, 10), m.BPF_ALU64_REG(c.BPF_SUB, 3, 2)]
    insns += [m.BPF_ST_MEM(c.BPF_B, 3, 0, 5), m.BPF_LDX_MEM(c.BPF_DW, 0, 10, -16), EXIT]
    assert same(insns, b"\x0e\0\0\0").r0 == 5 << 16


# -- functions -------------------------------------------------------------------------------------------------------


def test_functions_keep_the_callers_registers_and_have_frames_of_their_own():
    insns = [m.BPF_MOV64_IMM(6, 40), m.BPF_ST_MEM(c.BPF_DW, 10, -8, 2), m.BPF_MOV64_REG(1, 10)]
    insns += [m.BPF_CALL_REL(4), m.BPF_LDX_MEM(c.BPF_DW, 1, 10, -8), m.BPF_ALU64_REG(c.BPF_ADD, 0, 1)]
    insns += [m.BPF_ALU64_REG(c.BPF_ADD, 0, 6), EXIT]
    insns += [m.BPF_MOV64_IMM(6, 1), m.BPF_ST_MEM(c.BPF_DW, 10, -8, 100), m.BPF_ST_MEM(c.BPF_DW, 1, -8, 3)]
    insns += [m.BPF_MOV64_IMM(0, 0), EXIT]
    assert same(insns).r0 == 43


def test_recursion_ends_at_the_same_depth():
    for machine in both([m.BPF_CALL_REL(-1), EXIT])[:2]:
        with pytest.raises(VmError, match="insn 0: the call stack of 9 frames is too deep"):
            machine.run()


def test_a_call_through_a_register():
    insns = [*_function(1, 4), m.BPF_MOV64_IMM(2, 9), Insn(c.BPF_JMP | c.BPF_CALL | c.BPF_X, 1), m.BPF_EXIT_INSN()]
    assert insns[0].imm == 4
    insns += [m.BPF_MOV64_REG(0, 2), m.BPF_ALU64_IMM(c.BPF_ADD, 0, 1), EXIT]
    assert same(insns).r0 == 10


def test_a_call_of_what_is_no_function():
    insns = [m.BPF_MOV64_IMM(1, 8), Insn(c.BPF_JMP | c.BPF_CALL | c.BPF_X, 1), EXIT]
    for machine in both(insns)[:2]:
        with pytest.raises(BadInsn) as caught:
            machine.run()
        assert caught.value.pc == 1


def _function(register, distance):
    return [Insn(0x18, register, 4, 0, distance), Insn(0)]


# -- what stops a checked run ----------------------------------------------------------------------------------------


ACCESSES = [
    [m.BPF_LDX_MEM(c.BPF_DW, 0, 1, 25)],
    [m.BPF_LDX_MEM(c.BPF_W, 0, 1, -4)],
    [m.BPF_MOV64_IMM(1, 0), m.BPF_LDX_MEM(c.BPF_B, 0, 1, 0)],
    [m.BPF_MOV64_IMM(1, -1), m.BPF_ST_MEM(c.BPF_DW, 1, 0, 0)],
    [m.BPF_ST_MEM(c.BPF_DW, 10, -4, 0)],
    [m.BPF_ST_MEM(c.BPF_B, 10, -513, 0)],
    [m.BPF_MOV64_REG(2, 10), m.BPF_LDX_MEM(c.BPF_W, 3, 1, 0), m.BPF_ALU64_REG(c.BPF_ADD, 2, 3),
     m.BPF_ST_MEM(c.BPF_W, 2, 0, 0)],
    [m.BPF_ATOMIC_OP(c.BPF_DW, c.BPF_ADD, 1, 2, 32)],
]  # fmt: skip


@pytest.mark.parametrize("insns", ACCESSES)
def test_bad_accesses_are_the_interpreters(insns):
    caught = []
    for machine in both([m.BPF_MOV64_IMM(0, 3), *insns, EXIT])[:2]:
        with pytest.raises(Fault) as fault:
            machine.run(bytes(32))
        error = fault.value
        caught.append((error.pc, error.address, error.size, error.access))
    assert caught[0][::2] == caught[1][::2] and caught[0][3] == caught[1][3]
    assert caught[0][0] == len(insns)


@pytest.mark.parametrize("budget", [1, 5, 6, 7, 8, 500])
def test_the_budget(budget):
    insns = [m.BPF_MOV64_IMM(0, 3), m.BPF_ALU64_IMM(c.BPF_SUB, 0, 1), m.BPF_JMP_IMM(c.BPF_JNE, 0, 0, -2), EXIT]
    ended = []
    for machine in both(insns, budget=budget)[:2]:
        try:
            machine.run()
            ended.append(True)
        except BudgetExceeded:
            ended.append(False)
    assert ended == [budget >= 8] * 2


def test_running_out_of_the_program():
    for machine in both([m.BPF_MOV64_IMM(0, 3)])[:2]:
        with pytest.raises(BadInsn, match="runs out of the program") as caught:
            machine.run()
        assert caught.value.pc == 1


# -- text ------------------------------------------------------------------------------------------------------------


def test_every_row_has_a_writer():
    rows = {*PLAIN.values(), *(OPS[name] for name in ("WIDE", "HELPER", "TAIL", "BEYOND"))}
    assert rows <= alu.ALL | WRITERS.keys() | b.FORKS | {b.JA}


def text_of(insns, **options):
    machine = Machine(Program("p", "xdp", list(insns)))
    return emit(machine.code, Options(**options)).ir


def test_the_same_program_gives_the_same_text():
    insns = [m.BPF_LDX_MEM(c.BPF_W, 0, 1, 0), m.BPF_JMP_IMM(c.BPF_JNE, 0, 0, -2), EXIT]
    assert text_of(insns) == text_of(insns)
    assert text_of(insns) != text_of(insns, checked=False)


def test_trusted_code_is_short():
    text = text_of([m.BPF_LDX_MEM(c.BPF_W, 0, 1, 12), m.BPF_ALU64_IMM(c.BPF_ADD, 0, 1), EXIT], checked=False)
    body = text[text.index("define internal i64 @f0") :].partition("}")[0]
    assert [line.split(",")[0].strip() for line in body.splitlines()[1:]] == [
        "entry:",
        "br label %b0",
        "b0:",
        "%t1 = getelementptr i8",
        "%t2 = load i32",
        "%t3 = zext i32 %t2 to i64",
        "%t4 = add i64 %t3",
        "ret i64 %t4",
    ]


# -- maps and helpers ------------------------------------------------------------------------------------------------


def spec(type, size=16, entries=4, flags=0):
    return MapSpec(name="m", type=type, key_size=4, value_size=size, max_entries=entries, flags=flags)


LOOKUP = [*m.BPF_LD_MAP_FD(1, 0), m.BPF_MOV64_REG(2, 10), m.BPF_ALU64_IMM(c.BPF_ADD, 2, -4), m.BPF_EMIT_CALL(1)]


def with_map(insns, one=None, checked_only=False):
    """What each way of running makes of a program with one map: R0 or the fault, and the map afterwards."""
    outcomes = []
    for engine, checked in (("interp", True), ("jit", True), *([] if checked_only else [("jit", False)])):
        made = [create(one)] if one else []
        program = Program("p", "xdp", list(insns), maps=[one] if one else [])
        machine = Machine(program, maps=made, helpers=table(), engine=engine, checked=checked)
        try:
            outcome = (machine.run(bytes(16)).r0,)
        except VmError as error:
            outcome = (type(error), error.pc)
        outcomes.append((*outcome, str(made[0].to_json()) if made else ""))
    assert len(set(outcomes)) == 1, outcomes
    return outcomes[0]


@pytest.mark.parametrize("key", [0, 3, 4, -1])
@pytest.mark.parametrize("type", ["array", "percpu_array", "hash"])
def test_a_value_is_found_and_changed(type, key):
    insns = [m.BPF_ST_MEM(c.BPF_W, 10, -4, key), *LOOKUP, m.BPF_JMP_IMM(c.BPF_JEQ, 0, 0, 4)]
    insns += [m.BPF_LDX_MEM(c.BPF_DW, 1, 0, 8), m.BPF_ALU64_IMM(c.BPF_ADD, 1, 7), m.BPF_STX_MEM(c.BPF_DW, 0, 1, 8)]
    r0, _ = with_map([*insns, m.BPF_MOV64_REG(0, 1), EXIT], spec(type))
    assert r0 == (0 if type == "hash" or key not in (0, 3) else 7)


def test_elements_come_and_go():
    insns = [m.BPF_ST_MEM(c.BPF_W, 10, -4, 9), m.BPF_ST_MEM(c.BPF_DW, 10, -16, 5), *LOOKUP[:-1], m.BPF_MOV64_REG(3, 10)]
    insns += [m.BPF_ALU64_IMM(c.BPF_ADD, 3, -16), m.BPF_MOV64_IMM(4, 0), m.BPF_EMIT_CALL(2), *LOOKUP]
    insns += [m.BPF_JMP_IMM(c.BPF_JEQ, 0, 0, 1), m.BPF_LDX_MEM(c.BPF_DW, 6, 0, 0)]
    insns += [*LOOKUP[:-1], m.BPF_EMIT_CALL(3), m.BPF_ALU64_REG(c.BPF_SUB, 6, 0)]
    insns += [*LOOKUP[:-1], m.BPF_EMIT_CALL(3), m.BPF_ALU64_REG(c.BPF_SUB, 6, 0), m.BPF_MOV64_REG(0, 6), EXIT]
    assert with_map(insns, spec("hash", size=8))[0] == 5 + 2


KEY = m.BPF_ST_MEM(c.BPF_W, 10, -4, 9)
BEHIND_NULL = {
    "not asked": [KEY, *LOOKUP, m.BPF_LDX_MEM(c.BPF_DW, 0, 0, 0)],
    "asked of a sum": [KEY, *LOOKUP, m.BPF_ALU64_IMM(c.BPF_ADD, 0, 8), m.BPF_JMP_IMM(c.BPF_JEQ, 0, 0, 1),
                       m.BPF_LDX_MEM(c.BPF_DW, 0, 0, 0)],
    "asked of the next answer": [
        KEY, m.BPF_MOV64_IMM(6, 0), m.BPF_MOV64_IMM(7, 0), *LOOKUP, m.BPF_ALU64_IMM(c.BPF_ADD, 7, 1),
        m.BPF_JMP_IMM(c.BPF_JEQ, 7, 2, 3), m.BPF_MOV64_REG(6, 0), m.BPF_ST_MEM(c.BPF_W, 10, -4, 1), m.BPF_JMP_A(-10),
        m.BPF_JMP_IMM(c.BPF_JEQ, 0, 0, 1), m.BPF_LDX_MEM(c.BPF_DW, 0, 6, 0),
    ],
    "in the low half only": [KEY, *LOOKUP, m.BPF_JMP32_IMM(c.BPF_JEQ, 0, 0, 1), m.BPF_LDX_MEM(c.BPF_DW, 0, 0, 0),
                             m.BPF_LDX_MEM(c.BPF_DW, 0, 0, 0)],
    "spilled, overwritten": [
        m.BPF_ST_MEM(c.BPF_W, 10, -4, 1), *LOOKUP, m.BPF_JMP_IMM(c.BPF_JEQ, 0, 0, 5),
        m.BPF_STX_MEM(c.BPF_DW, 10, 0, -16), m.BPF_MOV64_REG(2, 10),
        m.BPF_STX_MEM(c.BPF_DW, 10, 2, -24), m.BPF_LDX_MEM(c.BPF_DW, 2, 10, -24),
        m.BPF_ST_MEM(c.BPF_DW, 2, -16, 8), m.BPF_LDX_MEM(c.BPF_DW, 0, 10, -16), m.BPF_LDX_MEM(c.BPF_DW, 0, 0, 0),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", BEHIND_NULL)
def test_what_looks_like_a_value_is_checked(name):
    insns = BEHIND_NULL[name]
    assert with_map([*insns, EXIT], spec("array"), checked_only=True)[:2] == (Fault, len(insns) - 1)


def test_a_function_called_with_a_value_and_through_a_pointer_with_anything():
    insns = [m.BPF_ST_MEM(c.BPF_W, 10, -4, 1), *LOOKUP, m.BPF_JMP_IMM(c.BPF_JNE, 0, 0, 1), EXIT, m.BPF_MOV64_REG(1, 0)]
    insns += [m.BPF_CALL_REL(5), *_function(3, 4), m.BPF_MOV64_IMM(1, 64)]
    insns += [Insn(c.BPF_JMP | c.BPF_CALL | c.BPF_X, 3), EXIT, m.BPF_LDX_MEM(c.BPF_DW, 0, 1, 0), EXIT]
    assert with_map(insns, spec("array"), checked_only=True)[:2] == (Fault, len(insns) - 2)


@pytest.mark.parametrize(("offset", "size", "fine"), [(8, c.BPF_DW, True), (9, c.BPF_DW, False), (16, c.BPF_B, False)])
def test_the_end_of_a_value(offset, size, fine):
    insns = [m.BPF_ST_MEM(c.BPF_W, 10, -4, 3), *LOOKUP, m.BPF_JMP_IMM(c.BPF_JEQ, 0, 0, 2)]
    outcome = with_map([*insns, m.BPF_LDX_MEM(size, 0, 0, offset), EXIT, EXIT], spec("array"), checked_only=True)
    assert (outcome[0] == 0) is fine


def test_a_map_that_programs_only_read():
    insns = [
        m.BPF_ST_MEM(c.BPF_W, 10, -4, 1),
        *LOOKUP,
        m.BPF_JMP_IMM(c.BPF_JEQ, 0, 0, 1),
        m.BPF_ST_MEM(c.BPF_W, 0, 0, 1),
    ]
    assert with_map([*insns, EXIT], spec("array", flags=0x80), checked_only=True)[:2] == (Fault, len(insns) - 1)


STEP = [m.BPF_LDX_MEM(c.BPF_DW, 3, 2, 0), m.BPF_ALU64_REG(c.BPF_ADD, 3, 1), m.BPF_ALU64_IMM(c.BPF_ADD, 3, 10)]
STEP += [m.BPF_STX_MEM(c.BPF_DW, 2, 3, 0)]


def loop(count, answer, flags=0):
    insns = [m.BPF_MOV64_IMM(1, count), *_function(2, 9), m.BPF_ST_MEM(c.BPF_DW, 10, -8, 0), m.BPF_MOV64_REG(3, 10)]
    insns += [m.BPF_ALU64_IMM(c.BPF_ADD, 3, -8), m.BPF_MOV64_IMM(4, flags), m.BPF_EMIT_CALL(181)]
    insns += [m.BPF_LDX_MEM(c.BPF_DW, 1, 10, -8), m.BPF_ALU64_REG(c.BPF_ADD, 0, 1), EXIT]
    return [*insns, *STEP, answer, EXIT]


@pytest.mark.parametrize(("count", "r0"), [(0, 0), (1, 11), (3, 36), ((8 << 20) + 1, 0xFFFFFFF9)])
def test_a_loop_with_a_callback(count, r0):
    insns = loop(count, m.BPF_MOV64_IMM(0, 0))
    assert with_map(insns)[0] == r0


def test_a_callback_ends_its_loop():
    insns = loop(5, m.BPF_MOV64_REG(0, 1))
    assert with_map(insns)[0] == 2 + 10 + 11


def test_a_loop_with_flags():
    insns = loop(5, m.BPF_MOV64_IMM(0, 0), flags=1)
    assert with_map(insns)[0] == (1 << 64) - 22


@pytest.mark.parametrize("kind", ["ptr_", "trusted_ptr_", "rcu_ptr_or_null_", "rdonly_untrusted_mem"])
def test_kernel_objects_are_read_by_a_probe(kind):
    kinds = {1: {1: frozenset({kind})}}
    insns = [m.BPF_LDX_MEM(c.BPF_DW, 1, 1, 0), m.BPF_LDX_MEM(c.BPF_W, 0, 1, 12), EXIT]
    assert "call i64 @probe" not in text_of(insns, checked=False)
    assert "call i64 @probe" in text_of(insns, checked=False, kinds=kinds)
    assert "call i64 @probe" not in text_of(insns, checked=False, kinds={1: {1: frozenset({"map_value", "map_ptr"})}})
