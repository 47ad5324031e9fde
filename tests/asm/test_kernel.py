import contextlib
import os
import random
import re
from pathlib import Path

import pytest
from asm import bpfcall, kernel_cases
from hypothesis import given, settings
from hypothesis import strategies as st

from osmia.asm import kernel
from osmia.errors import AsmError
from osmia.isa import OPS, Insn, Known, classify
from osmia.isa import macros as m

HERE = Path(__file__).parent
imms = st.one_of(st.sampled_from([0, 1, 5, 0x33, 0xE1, 0xF1, 0x100, 0x110]), st.integers(-(1 << 31), (1 << 31) - 1))
offs = st.one_of(st.sampled_from([0, 1, -1, 8, 16, 32]), st.integers(-(1 << 15), (1 << 15) - 1))
slots = st.builds(Insn, st.integers(0, 255), st.integers(0, 15), st.integers(0, 15), offs, imms)


def asked(function):
    """A test that asks the running kernel."""
    reason = bpfcall.unavailable()
    return pytest.mark.live(pytest.mark.skipif(bool(reason), reason=reason or "bpf(2) answers")(function))


@pytest.mark.parametrize(("insns", "text"), [(s, t) for s, t in kernel_cases.golden()][::7])
def test_golden_sample(insns, text):
    assert kernel.format_insn(*insns) == text


def test_golden_all():
    wrong = [(text, mine) for insns, text in kernel_cases.golden() if (mine := kernel.format_insn(*insns)) != text]
    assert wrong == []


def test_golden_file_has_every_row_that_needs_no_object():
    rows = {found.op.name for insns, _ in kernel_cases.golden() if isinstance(found := classify(insns[0]), Known)}
    unprintable = {"callx"}  # refused before anything is printed
    objects = {"ld_map_fd", "ld_map_value", "ld_btf_id", "ld_func", "ld_map_idx", "ld_map_idx_value"}
    assert {op.name for op in OPS} - rows == unprintable | objects


@given(st.lists(slots, max_size=6))
@settings(max_examples=300)
def test_every_pattern_survives_the_round_trip(program):
    assert kernel.parse(kernel.format(program)) == program
    assert kernel.parse(kernel.format(program, number=False)) == program


@given(st.lists(slots, max_size=6))
def test_plain_text_has_no_comments(program):
    assert ";" not in kernel.format(program, plain=True)


@given(st.one_of(st.text(), st.lists(st.sampled_from(
    "r1 w2 = += -r1 * ( ) ) (u8 *)( (b7) 0: 5 ; with src_reg=1 call # goto pc+3 pc-99999999999999999999 \n if == s> "
    "0xfffffffffffffffff1 BUG_99 lock [ skb[ exit".split(" ")
)).map(" ".join)))  # fmt: skip
@settings(max_examples=500)
def test_bad_text_is_one_typed_error(text):
    try:
        kernel.parse(text)
    except AsmError as error:
        assert error.place.line and error.place.column


LONG = ["\n", " ", "0", "r1 ", "a=1111", "exit ; with a=11111111", "from 1 to 2", "call ", "; with "]


@pytest.mark.parametrize("text", LONG)
def test_long_texts_take_no_long_time(text):
    for start in ("", "exit ; with "):
        with contextlib.suppress(AsmError):
            kernel.parse(start + text * 20000 + "!")


@pytest.mark.parametrize(
    ("text", "line", "column", "word"),
    [
        ("0: (b7) r1 = 5\n1: (b7) r1 += 5\n", 2, 9, "opcode b7"),
        ("r1 = 5\n  r1 ? 5\n", 2, 3, "not an instruction"),
        ("0: (bf) r77 = r1", 1, 10, "0..15"),
        ("0: (05) goto pc+40000", 1, 16, "fit"),
        ("0: exit\n2: exit\n", 2, 1, "instruction 1"),
        ("0: exit\n0: r1 = 5\n", 2, 4, "line 1"),
        ("r1 = 5 ; with colour=3", 1, 7, "colour"),
        ("(18) r1 = 0x11112222333344445", 1, 11, "64 bits"),
        ("r1 = *(u7 *)(r2 +0)", 1, 8, "u7"),
    ],
)
def test_errors_name_the_place(text, line, column, word):
    with pytest.raises(AsmError, match=word) as caught:
        kernel.parse(text, file="x.log")
    place = caught.value.place
    assert (place.file, place.line, place.column) == ("x.log", line, column)


def test_text_without_numbers_and_opcodes():
    text = """
      r6 = r1              ; comments are passed over
      w0 = (s8)w6
      r1 = 0x1122334455667788
      *(u32 *)(r10 -8) = 7
      if w0 s< 0x5 goto pc+1
      call bpf_get_prandom_u32#7
      exit
    """
    assert kernel.parse(text) == [
        m.BPF_MOV64_REG(6, 1), Insn(0xBC, 0, 6, 8), *m.BPF_LD_IMM64(1, 0x1122334455667788), m.BPF_ST_MEM(0, 10, -8, 7),
        m.BPF_JMP32_IMM(0xC0, 0, 5, 1), m.BPF_EMIT_CALL(7), m.BPF_EXIT_INSN(),
    ]  # fmt: skip


def test_names_of_helpers_and_kernel_functions():
    assert kernel.format_insn(m.BPF_EMIT_CALL(1)) == "(85) call bpf_map_lookup_elem#1"
    assert kernel.format_insn(m.BPF_EMIT_CALL(1), helpers={1: "mine"}) == "(85) call mine#1"
    acquire = m.BPF_CALL_KFUNC(0, 4242)
    assert kernel.format_insn(acquire) == "(85) call kernel-function#4242"
    named = kernel.format_insn(acquire, kfuncs={(4242, 0): "bpf_task_acquire"})
    assert named == "(85) call bpf_task_acquire#4242"
    assert kernel.parse(named) == [acquire]


def test_map_addresses_are_hidden_from_those_who_may_not_see_them():
    low, high = m.BPF_LD_IMM64_RAW(1, 1, 77)
    assert kernel.format_insn(low, high, ptr_leaks=False) == "(18) r1 = 0x0"
    assert kernel.format_insn(low._replace(src_reg=0), high, ptr_leaks=False) == "(18) r1 = 0x4d"


@pytest.mark.parametrize("name", ["kernel-log-level1", "kernel-log-level2"])
def test_a_recorded_log_gives_the_program(name):
    log, _, listing = (HERE / "golden" / f"{name}.txt").read_text().partition("# program\n")
    assert kernel.format(kernel.parse(log), number=False, plain=True) == listing


def test_an_older_log_with_states_on_lines_of_their_own():
    log = """0: R1=ctx(id=0,off=0,imm=0) R10=fp0
    ; return ctx->len;
    0: (61) r0 = *(u32 *)(r1 +0)
    1: R0_w=inv(id=0,umax_value=4294967295) R1=ctx(id=0,off=0,imm=0) R10=fp0
    1: (15) if r0 == 0x0 goto pc+1
     R0_w=inv(id=0) R10=fp0
    2: (95) exit
    from 1 to 3: R0_w=inv0 R10=fp0
    3: (05) goto pc-2
    last_idx 3 first_idx 0
    regs=1 stack=0 before 1: (15) if r0 == 0x0 goto pc+1
    2: safe
    processed 5 insns (limit 1000000) max_states_per_insn 0 total_states 0
    """
    program = [m.BPF_LDX_MEM(0, 0, 1, 0), m.BPF_JMP_IMM(0x10, 0, 0, 1), m.BPF_EXIT_INSN(), m.BPF_JMP_A(-2)]
    assert kernel.parse(log) == program


def test_a_log_that_never_shows_an_instruction_says_so():
    log = (HERE / "golden" / "kernel-log-level1.txt").read_text().replace("3: (", "# (")
    with pytest.raises(AsmError, match="instruction 3 never appears"):
        kernel.parse(log)


@asked
def test_the_running_kernel_prints_the_same():
    if "6.18." not in os.uname().release:
        pytest.skip("the text is that of Linux 6.18")
    rng, printed = random.Random(), 0
    for _ in range(2000):
        insns = kernel_cases.odd(rng) if rng.random() < 0.5 else kernel_cases.instance(rng, rng.choice(OPS))
        rows, log = kernel_cases.printed([*insns, *kernel_cases.TAIL])
        if not rows:
            continue
        printed += 1
        assert kernel.format_insn(*insns[:2]) == rows[0]
        if kernel.format(insns, plain=True) == kernel.format(insns):
            assert kernel.parse(log) == [*insns, *kernel_cases.TAIL]
    assert printed > 1000


@asked
def test_the_running_kernel_on_maps_functions_and_subprograms():
    fd = bpfcall.array_map()
    try:
        program = [*m.BPF_LD_MAP_FD(1, fd), *m.BPF_LD_MAP_VALUE(2, fd, 4), m.BPF_CALL_REL(2), m.BPF_MOV64_IMM(0, 0),
                   m.BPF_EXIT_INSN(), m.BPF_MOV64_IMM(0, 1), m.BPF_EXIT_INSN()]  # fmt: skip
        loaded, log = bpfcall.load(program)
        assert loaded is not None, log
        os.close(loaded)
    finally:
        os.close(fd)
    rows = {int(number): text for number, text in kernel_cases.TABLE_ROW.findall(log)}
    assert re.fullmatch(r"\(18\) r1 = 0x[0-9a-f]{16}", rows[0])
    read = kernel.parse(log)
    assert read[4:] == program[4:]
    assert kernel.format(read, number=False, plain=True).splitlines() == [rows[i] for i in sorted(rows)]
