"""The reader of LLVM assembly: round trips, errors with their place, and the same bytes as llvm-mc."""

import time

import pytest
from asm.llvm_tools import HERE, llvm_mc, needs, programs, slots, valid
from hypothesis import given, settings
from hypothesis import strategies as st

from osmia.asm import DIALECTS, elf_write, llvm
from osmia.asm.llvm_directives import leb128
from osmia.asm.llvm_lex import integer, unquote
from osmia.errors import AsmError
from osmia.isa import OPS, Insn, decode, encode
from osmia.isa import macros as m
from osmia.obj.elf import ElfFile

SAMPLE = HERE / "golden" / "llvm-sample.s"


# -- round trips


@given(programs)
@settings(max_examples=200)
def test_round_trip(program):
    assert llvm.parse(llvm.format(program)) == program


@given(valid())
@settings(max_examples=300)
def test_valid_instructions_need_no_bytes(insns):
    """Every valid instruction has a text, apart from what LLVM's text can't tell."""
    text = llvm.format(insns)
    first = insns[0]
    hidden = (
        (first.code == 0x85 and first.src_reg)  # which kind of call it is
        or (first.code & 0xE7 == 0x40 and first.imm)  # the constant part of an indirect packet load
        or (first.code == 0x18 and first.src_reg and insns[1].imm)  # the upper half of a pseudo load
    )
    assert ".byte" not in text or hidden, text


@given(st.lists(slots, max_size=20))
def test_any_slots_have_a_text(program):
    assert llvm.parse(llvm.format(program)) == program


def test_local_calls_get_labels():
    program = [m.BPF_CALL_REL(1), m.BPF_EXIT_INSN(), m.BPF_MOV64_IMM(0, 7), m.BPF_EXIT_INSN()]
    assert llvm.format(program) == "\tcall F2\n\texit\nF2:\n\tr0 = 0x7\n\texit\n"
    assert llvm.parse(llvm.format(program)) == program


def test_registry_has_it():
    assert DIALECTS["llvm"] is llvm


# -- what is read


READ = [
    ("r1=r2", [m.BPF_MOV64_REG(1, 2)]),
    ("R1 = 010", [m.BPF_MOV64_IMM(1, 8)]),
    ("r1 = 1+2*3-(4>>1)", [m.BPF_MOV64_IMM(1, 5)]),
    ("r1 = 0xffffffff", [m.BPF_MOV64_IMM(1, -1)]),
    ("r1 = -0x80000000 // low", [m.BPF_MOV64_IMM(1, -0x80000000)]),
    ("r1 = w2", [m.BPF_MOV32_REG(1, 2)]),
    ("w1 s>>= 3 # shift", [Insn(0xC4, 1, 0, 0, 3)]),
    ("r1 = 0xfedcba9876543210 ll", [*m.BPF_LD_IMM64(1, 0xFEDCBA9876543210)]),
    ("*(u8*)(r1-4)=w2; exit", [m.BPF_STX_MEM(0x10, 1, 2, -4), m.BPF_EXIT_INSN()]),
    ("*(u8 *)(r1 + 0) = r2", [m.BPF_STX_MEM(0x10, 1, 2, 0)]),
    ("lock *(u32 *)(r1 + 4) += r2", [m.BPF_ATOMIC_OP(0, 0, 1, 2, 4)]),
    ("r0 = cmpxchg_64(r1 + 0, r0, r2)", [m.BPF_ATOMIC_OP(0x18, 0xF1, 1, 2, 0)]),
    ("w0 = load_acquire((u8 *)(r1 + 2))", [m.BPF_ATOMIC_OP(0x10, 0x100, 0, 1, 2)]),
    ("if r1 s<= -1 goto -3", [Insn(0xD5, 1, 0, -3, -1)]),
    ("a: if w1 & w2 goto a", [Insn(0x4E, 1, 2, -1, 0)]),
    ("1: goto 1b; goto 1f\n1: exit", [Insn(5, 0, 0, -1), Insn(5, 0, 0, 0), Insn(0x95)]),
    ("gotol far\nfar: may_goto far", [Insn(6, 0, 0, 0, 0), Insn(0xE5, 0, 0, -1)]),
    ("goto exit\nexit: goto if\nif: exit", [Insn(5), Insn(5), Insn(0x95)]),
    ("call f\nexit\nf: exit", [m.BPF_CALL_REL(1), Insn(0x95), Insn(0x95)]),
    ("ld_pseudo r1, 1, 5", [*m.BPF_LD_MAP_FD(1, 5)]),
    ("r1 = addr_space_cast(r2, 0, 1)", [m.BPF_ADDR_SPACE_CAST(1, 2, 0, 1)]),
    (".set five, 5\nr1 = five + 1", [m.BPF_MOV64_IMM(1, 6)]),
    (".quad 0x95 /* exit,\n as data */", [Insn(0x95)]),
    ("", []),
]


@pytest.mark.parametrize(("text", "insns"), READ, ids=[t or "nothing" for t, _ in READ])
def test_reads(text, insns):
    assert llvm.parse(text) == insns


REFUSED = [
    ("r1 = r2\n  r12 = 1", 2, 3), ("r1 = ( 5 )", 1, 8), ("r1 =", 1, 4), ("r1 = 5 5", 1, 8), ("w1 = r2", 1, 6),
    ("r1 = 0x100000000", 1, 6), ("*(u8 *)(r1 + 0x8000) = 1", 1, 12), ("goto nowhere", 1, 6), ("r1 = be16 r2", 1, 11),
    ("a:\na:", 2, 1), ("call nowhere", 1, 6), ("r1 = nowhere ll", 1, 6), ("r1 = nowhere", 1, 6),
    (".bite 1", 1, 1), (".byte 256", 1, 10), (".zero -1", 1, 7), (".zero 0xffffffffff", 1, 7), ("/* no end", 1, 1),
    ("r1 = 1/0", 1, 7), ('.ascii "a', 1, 8), ("exit $", 1, 6), (".section x,\"q\"", 1, 12), ("r1 = 1+(2", 1, 10),
    (".set a, b", 1, 6), (".byte 1; exit", None, None), ("goto a; .byte 1; a: exit", 1, 6),
    ("r1 = " + "-" * 500 + "1", None, None), (".p2align 70", 1, 10), (".popsection", 1, 1),
    ("if r1 == 5 goto +40000", 1, 17), (".uleb128 a-b", 1, 10),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "column"), REFUSED, ids=[t[:30] for t, _, _ in REFUSED])
def test_refuses_at_the_place(text, line, column):
    with pytest.raises(AsmError) as caught:
        llvm.parse(text, file="x.s")
    assert caught.value.place.file == "x.s"
    if line is not None:
        assert (caught.value.place.line, caught.value.place.column) == (line, column), caught.value


FRAGMENTS = [
    "r0", "r1", "w2", "=", "+=", "s>>=", "5", "-1", "0x", "ll", "goto", "if", "exit", "call", "f", "f:", "\n", ";", "*",
    "(u8 *)", "(", ")", "+", "lock", "[", "skb", ".byte", ".section", '"a"', "'", '"', "@progbits", ",", "/*", "#",
    ".p2align 3", ".set a,", "1f", "1:", ".", ".size f, .-f", ".quad", "<<", "ü", "\x00", "1e9", "~", "!",
]  # fmt: skip


@given(st.one_of(st.text(max_size=80), st.lists(st.sampled_from(FRAGMENTS), max_size=25).map(" ".join)))
@settings(max_examples=400)
def test_any_text_ends_in_slots_or_an_error(text):
    for read in (llvm.parse, llvm.assemble):
        try:
            read(text)
        except AsmError as e:
            assert e.place.line is None or e.place.line >= 1


@given(st.integers(-(1 << 70), 1 << 70))
def test_leb128(value):
    def read(data, signed):
        number = sum((byte & 0x7F) << 7 * i for i, byte in enumerate(data))
        return number - (1 << 7 * len(data)) if signed and data[-1] & 0x40 else number

    assert read(leb128(value, True), True) == value
    assert read(leb128(value, False), False) == value % (1 << 64)


def test_numbers_and_strings():
    assert [integer(t) for t in ("10", "0x1F", "0b101", "017", "019", "0")] == [10, 31, 5, 15, 19, 0]
    assert unquote(r'"a\n\x41\101\\\q"') == b"a\nAA\\q"


# -- the same as llvm-mc


def sections(data):
    """What matters of an object: contents, shape and relocations of every section that is loaded."""
    file = ElfFile(data)
    found = {}
    for s in file.sections:
        if s.type in (1, 8) and s.size and not s.name.startswith((".debug_", ".comment")):
            relocs = [(r.offset, r.type, _name(file, r.symbol)) for r in file.relocations(s)]
            found[s.name] = (file.contents(s), s.size, s.type, s.flags, s.entsize, s.align, relocs)
    return found


def _name(file, number):
    symbol = file.symbols[number]
    return symbol.name or file.sections[symbol.section].name


def symbols(data):
    """The symbol table without numbers and the order of its rows."""
    file = ElfFile(data)
    homes = {s.number: s.name for s in file.sections}
    return {
        (s.name, s.value, s.size, s.bind, s.type, s.visibility, homes.get(s.section, s.section)) for s in file.symbols
    }


@needs("llvm-mc")
@pytest.mark.parametrize("order", ["little", "big"])
def test_object_equals_llvm_mc(tmp_path, order):
    text = SAMPLE.read_text()
    ours = elf_write.write(llvm.assemble(text, order=order))
    theirs = llvm_mc(text, tmp_path, order)
    assert sections(ours) == sections(theirs)
    assert symbols(ours) == symbols(theirs)


@needs("llvm-mc")
def test_llvm_mc_reads_what_we_write(tmp_path):
    newer = ("load_acquire", "store_release", "gotol")  # of LLVM 20; a distance of 32 bits as a number
    rows = [op for op in OPS if not op.name.startswith(newer)]
    program = []
    for op in rows:
        pairs = zip((op.dst, op.src, op.off, op.imm), (3, 4, -5, 6), strict=True)
        program += [Insn(op.code, *(v if isinstance(v, int) else d for v, d in pairs))]
        program += [Insn(0)] * op.wide
    text = llvm.format(program)
    theirs = ElfFile(llvm_mc(text, tmp_path))
    assert decode(theirs.contents(theirs.section(".text"))) == program


@needs("llvm-mc")
@pytest.mark.parametrize("text", [t for t, i in READ if i and "load_acquire" not in t and ".quad" not in t])
def test_reads_what_llvm_mc_reads(tmp_path, text):
    theirs = llvm_mc(text, tmp_path)
    if isinstance(theirs, str):
        assert text == "r1 = w2", theirs  # what clang writes and llvm-mc does not read
        return
    file = ElfFile(theirs)
    assert decode(file.contents(file.section(".text"))) == llvm.parse(text)


@needs("llvm-mc")
@given(st.lists(st.sampled_from(FRAGMENTS[:28]), min_size=2, max_size=9).map(" ".join))
@settings(max_examples=25)
def test_takes_what_llvm_mc_takes(tmp_path_factory, text):
    """Where llvm-mc takes a text, so do we (apart from numbers that it cuts silently), and with the same bytes."""
    theirs = llvm_mc(text, tmp_path_factory.mktemp("mc"))
    if isinstance(theirs, bytes):
        ours = elf_write.write(llvm.assemble(text))
        assert sections(ours) == sections(theirs)


def test_a_line_of_blanks_takes_no_time():
    start = time.monotonic()
    assert llvm.parse("r0 = 1" + " " * 60_000 + "\nexit") == [m.BPF_MOV64_IMM(0, 1), m.BPF_EXIT_INSN()]
    assert time.monotonic() - start < 3


def test_bare_object():
    insns = [m.BPF_MOV64_IMM(0, 2), m.BPF_EXIT_INSN()]
    for order in ("little", "big"):
        file = ElfFile(elf_write.bare(insns, section="xdp/x", order=order))
        assert file.contents(file.section("xdp/x")) == encode(insns, order)
        assert [s.name for s in file.symbols] == ["", "xdp_x"]


@pytest.mark.parametrize("line", ["r1 = {}", "goto +{}", ".quad {}", "call {}", ".p2align {}", "*(u32 *)(r1 + {}) = 1"])
def test_numbers_beyond_reason(line):
    for text in (line.format("9" * 5000), line.format(7) + "\n" + line.format("9" * 5000)):
        with pytest.raises(AsmError, match="5000 digits") as e:
            llvm.assemble(text, file="x.s")
        assert (e.value.place.file, e.value.place.line) == ("x.s", text.count("\n") + 1)


def test_other_scripts_digits_are_none():
    for text in ("r\u0663 = 1", "r1 = \u0663"):
        with pytest.raises(AsmError):
            llvm.parse(text)
