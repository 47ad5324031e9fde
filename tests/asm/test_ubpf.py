import contextlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osmia.asm import ubpf
from osmia.asm.ubpf_table import BY_MNEMONIC, SPELLINGS
from osmia.errors import AsmError
from osmia.isa import OPS, Insn
from osmia.isa import consts as c
from osmia.isa import macros as m

numbers = st.one_of(st.integers(-20, 20), st.integers(-(1 << 31), (1 << 31) - 1))
offsets = st.one_of(st.integers(-9, 9), st.integers(-(1 << 15), (1 << 15) - 1))
anything = st.builds(Insn, st.integers(0, 255), st.integers(0, 15), st.integers(0, 15), offsets, numbers)


@st.composite
def of_the_table(draw):
    """An instruction of some row, valid in every field."""
    op = draw(st.sampled_from(OPS))
    values = (st.integers(0, 10), st.integers(0, 10), offsets, numbers)
    kinds = zip((op.dst, op.src, op.off, op.imm), values, strict=True)
    first = Insn(op.code, *(kind if isinstance(kind, int) else draw(value) for kind, value in kinds))
    return [first, Insn(0, 0, 0, 0, draw(numbers))] if op.wide else [first]


parts = st.lists(st.one_of(of_the_table(), anything.map(lambda i: [i])), max_size=6)
programs = parts.map(lambda some: [insn for part in some for insn in part])

SAMPLES = [
    ("mov32 %r0, 5", m.BPF_MOV32_IMM(0, 5)),
    ("mov %r0, 0xffffffffffffffff", m.BPF_MOV64_IMM(0, -1)),
    ("mov %r0, 0xfffffff6", m.BPF_MOV64_IMM(0, -10)),
    ("add64 r1,-3", m.BPF_ALU64_IMM(c.BPF_ADD, 1, -3)),
    ("sdiv %r1, %r2", Insn(0x3F, 1, 2, 1)),
    ("smod32 %r1, -1", Insn(0x94, 1, 0, 1, -1)),
    ("neg32 %r3", Insn(0x84, 3)),
    ("neg %r3", Insn(0x87, 3)),
    ("be16 %r0", Insn(0xDC, 0, 0, 0, 16)),
    ("le64 %r0", Insn(0xD4, 0, 0, 0, 64)),
    ("swap32 %r4", Insn(0xD7, 4, 0, 0, 32)),
    ("bswap32 %r4", Insn(0xD7, 4, 0, 0, 32)),
    ("movsx864 %r0, %r1", Insn(0xBF, 0, 1, 8)),
    ("movsx8 %r0, %r1", Insn(0xBF, 0, 1, 8)),
    ("movsx1632 %r0, %r1", Insn(0xBC, 0, 1, 16)),
    ("movsx3264 %r0, %r1", Insn(0xBF, 0, 1, 32)),
    ("ldxdw %r0, [%r1+8]", m.BPF_LDX_MEM(c.BPF_DW, 0, 1, 8)),
    ("ldxsb %r0, [%r1 - 0x10]", m.BPF_LDX_MEMSX(c.BPF_B, 0, 1, -16)),
    ("stxw [%r10-4], %r1", m.BPF_STX_MEM(c.BPF_W, 10, 1, -4)),
    ("stb [%r1+2], 0x11", m.BPF_ST_MEM(c.BPF_B, 1, 2, 0x11)),
    ("jne %r0, 15, +3", m.BPF_JMP_IMM(c.BPF_JNE, 0, 15, 3)),
    ("jeq32 %r0, %r1, -2", m.BPF_JMP32_REG(c.BPF_JEQ, 0, 1, -2)),
    ("jset %r0, 0x80000000, +0", m.BPF_JMP_IMM(c.BPF_JSET, 0, -(1 << 31), 0)),
    ("ja +1", m.BPF_JMP_A(1)),
    ("ja32 -70000", m.BPF_JMP32_A(-70000)),
    ("call 1", m.BPF_EMIT_CALL(1)),
    ("call helper 0x7", m.BPF_EMIT_CALL(7)),
    ("call local +2", m.BPF_CALL_REL(2)),
    ("call runtime 9", m.BPF_CALL_KFUNC(0, 9)),
    ("callx %r3", m.BPF_CALLX(3)),
    ("call %r3", m.BPF_CALLX(3)),
    ("call helper %r3", m.BPF_CALLX(3)),
    ("exit", m.BPF_EXIT_INSN()),
    ("lock add [%r1], %r2", m.BPF_ATOMIC_OP(c.BPF_DW, c.BPF_ADD, 1, 2, 0)),
    ("lock add32 [%r1], %r2", m.BPF_ATOMIC_OP(c.BPF_W, c.BPF_ADD, 1, 2, 0)),
    ("lock32 or [%r1], %r2", m.BPF_ATOMIC_OP(c.BPF_W, c.BPF_OR, 1, 2, 0)),
    ("lock fetch xor [%r1+8], %r2", m.BPF_ATOMIC_OP(c.BPF_DW, c.BPF_XOR | c.BPF_FETCH, 1, 2, 8)),
    ("lock xchg [%r1-8], %r2", m.BPF_ATOMIC_OP(c.BPF_DW, c.BPF_XCHG, 1, 2, -8)),
    ("lock fetch cmpxchg32 [%r1], %r2", m.BPF_ATOMIC_OP(c.BPF_W, c.BPF_CMPXCHG, 1, 2, 0)),
    ("acquirew %r1, [%r2+4]", m.BPF_LOAD_ACQ(c.BPF_W, 1, 2, 4)),
    ("releasedw [%r1], %r2", m.BPF_STORE_REL(c.BPF_DW, 1, 2, 0)),
    ("ldabsh 12", m.BPF_LD_ABS(c.BPF_H, 12)),
    ("ldindb %r2, 1", m.BPF_LD_IND(c.BPF_B, 2, 1)),
    ("may_goto +2", m.BPF_MAY_GOTO(2)),
    ("addr_space_cast %r1, %r2, 0, 1", Insn(0xBF, 1, 2, 1, 1)),
    (".slot 0xff, 1, 2, -3, 4", Insn(0xFF, 1, 2, -3, 4)),
]


@pytest.mark.parametrize(("text", "insn"), SAMPLES)
def test_spelling(text, insn):
    assert ubpf.parse(text) == [insn]


@pytest.mark.parametrize(
    ("text", "insns"),
    [
        ("lddw %r0, 0x1122334455667788", m.BPF_LD_IMM64(0, 0x1122334455667788)),
        ("lddw %r0, -2", m.BPF_LD_IMM64(0, -2)),
        ("lddw %r1, map_fd 5", m.BPF_LD_MAP_FD(1, 5)),
        ("lddw %r1, map_value 5, 8", m.BPF_LD_MAP_VALUE(1, 5, 8)),
    ],
)
def test_wide_loads(text, insns):
    assert ubpf.parse(text) == list(insns)
    assert ubpf.parse(ubpf.format(insns)) == list(insns)


def test_every_row_has_its_own_text():
    texts = {(s.mnemonic, s.operands) for s in SPELLINGS}
    assert len(texts) == len(OPS) == len({s.op for s in SPELLINGS})


@given(programs)
@settings(max_examples=300)
def test_round_trip(program):
    assert ubpf.parse(ubpf.format(program)) == program


@given(programs)
def test_round_trip_with_labels(program):
    assert ubpf.parse(ubpf.format(program, labels=True)) == program


def test_labels_comments_and_separators():
    program = ubpf.parse("""
    # count to ten
    mov %r0, 0          // from nothing
    loop: add %r0, 1; jlt %r0, 10, loop
        call local f    # a subprogram
        jeq %r0, %r1, exit
        ja32 end
    f: lddw %r1, 0x10
    end:
    exit
    """)
    assert program == [
        m.BPF_MOV64_IMM(0, 0), m.BPF_ALU64_IMM(c.BPF_ADD, 0, 1), m.BPF_JMP_IMM(c.BPF_JLT, 0, 10, -2), m.BPF_CALL_REL(2),
        m.BPF_JMP_REG(c.BPF_JEQ, 0, 1, 3), m.BPF_JMP32_A(2), *m.BPF_LD_IMM64(1, 16), m.BPF_EXIT_INSN(),
    ]  # fmt: skip
    assert ubpf.format(program, labels=True) == """\
mov %r0, 0
L1:
add %r0, 1
jlt %r0, 10, L1
call local L6
jeq %r0, %r1, L8
ja32 L8
L6:
lddw %r1, 0x10
L8:
exit
"""


def test_the_first_exit_is_a_label_unless_one_is_defined():
    assert ubpf.parse("ja exit\nmov %r0, 1\nexit\nexit")[0].off == 1
    assert ubpf.parse("ja exit\nexit\nexit: mov %r0, 1\nexit")[0].off == 1


@pytest.mark.parametrize(
    ("text", "line", "column", "word"),
    [
        ("mov %r0, 1\n  movv %r0, 1", 2, 3, "did you mean 'mov'"),
        ("mov %r16, 1", 1, 5, "%r16"),
        ("mov %r0", 1, 8, "end of the line"),
        ("mov %r0, 0x1ffffffff", 1, 10, "32 bits"),
        ("ldxw %r0, [%r1+40000]", 1, 15, "fit"),
        ("ldxw %r0, %r1", 1, 11, "memory operand"),
        ("ja nowhere", 1, 4, "not defined"),
        ("a:\na:", 2, 1, "already"),
        ("exit now", 1, 6, "no more operands"),
        ("lock add", 1, 9, "memory operand"),
        ("mov %r0, 5 ?", 1, 12, "unexpected"),
        ("%r1", 1, 1, "an instruction"),
        ("lddw %r0, 0x10000000000000000", 1, 11, "fit"),
        (".slot 256, 0, 0, 0, 0", 1, 7, "fit"),
    ],
)
def test_errors_name_the_place(text, line, column, word):
    with pytest.raises(AsmError, match=word) as caught:
        ubpf.parse(text, file="a.s")
    place = caught.value.place
    assert (place.file, place.line, place.column) == ("a.s", line, column)


@given(st.one_of(st.text(), st.lists(st.sampled_from([*BY_MNEMONIC, "%r1", "%r99", ",", "[", "]", "+", "-", "8", ":",
    "a", "a:", ";", "0x", "#", "//", "\n", "99999999999999999999", ".slot"])).map(" ".join)))  # fmt: skip
@settings(max_examples=500)
def test_bad_text_is_one_typed_error(text):
    try:
        ubpf.parse(text)
    except AsmError as error:
        assert error.place.line and error.place.column


@pytest.mark.parametrize("text", ["\n", " ", "a:", "a", "[", "9", "0x", ";", "#", "/", "lock ", "%r1 "])
def test_long_texts_take_no_long_time(text):
    with contextlib.suppress(AsmError):
        ubpf.parse(text * 20000)


def test_a_damaged_text_is_read_or_refused():
    rng = random.Random(7)
    text = "\n".join(sample for sample, _ in SAMPLES)
    for _ in range(300):
        at = rng.randrange(len(text))
        damaged = text[:at] + rng.choice("%r0[],+-:;# \nx9") + text[at + rng.randrange(3) :]
        try:
            insns = ubpf.parse(damaged)
        except AsmError:
            continue
        assert ubpf.parse(ubpf.format(insns)) == insns
