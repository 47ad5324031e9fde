"""The printer against what LLVM 19 printed (golden file), and against llvm-objdump itself where it is installed."""

import random

import pytest
from asm.llvm_tools import HERE, listing, needs, programs, raw_object, same
from hypothesis import given, settings
from hypothesis import strategies as st

from osmia.asm.llvm_print import Names, Printer, number
from osmia.isa import OPS, encode
from osmia.isa.table import Kind

GOLDEN = HERE / "golden" / "llvm-objdump-19.txt"


def _golden():
    """The two listings: byte order, bytes, lines."""
    found = []
    for part in GOLDEN.read_text().split("# ")[1:]:
        order, _, text = part.partition("\n")
        data = b"".join(bytes.fromhex(line.split("\t")[1]) for line in text.splitlines())
        found.append((order, data, text))
    return found


def _printed(data, order="little", **options):
    printer = Printer(order, **options)
    reached = printer.code(data, 0, len(data), len(data), 0, Names([(0, "text")]))
    assert reached >= len(data)
    return printer.take()


@pytest.mark.parametrize(("order", "data", "text"), _golden(), ids=lambda v: v if v in ("little", "big") else "")
def test_golden(order, data, text):
    ours = _printed(data, order, zeroes=True)
    assert [a for a in zip(ours.splitlines(), text.splitlines(), strict=True) if a[0] != a[1]] == []


def test_golden_has_every_opcode():
    codes = {data[i] for _, data, _ in _golden() for i in range(0, len(data), 8)}
    assert codes >= {op.code for op in OPS}


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0x0"), (-1, "-0x1"), (1 << 62, "0x4" + "0" * 15), (-(1 << 63), "-0x8" + "0" * 15)]
)
def test_number(value, text):
    assert number(value) == text


def test_zeros_and_what_remains():
    text = _printed(bytes.fromhex("9500000000000000") + bytes(19) + b"\x01")
    rest = "".join(f"       3:\t{byte}\t<unknown>\n" for byte in ("00", "00", "00", "01"))
    assert text == "       0:\t95 00 00 00 00 00 00 00\texit\n\t\t...\n" + rest


def test_half_a_wide_load_is_unknown_bytes():
    lines = _printed(bytes.fromhex("1801000005000000")).splitlines()
    assert len(lines) == 8 and lines[0] == "       0:\t18\t<unknown>"


def test_at_the_end_only_a_real_wide_load_falls_apart():
    assert _printed(bytes.fromhex("18f9050000000000")) == "       0:\t18 f9 05 00 00 00 00 00\t<unknown>\n"


def test_jump_names_the_symbol_before_its_target():
    printer = Printer()
    data = bytes.fromhex("0500010000000000 9500000000000000 0500fdff00000000 0500fbff00000000")
    printer.code(data, 0, len(data), len(data), 0, Names([(0, "f"), (16, "g")]))
    assert [line.split("\t")[-1] for line in printer.take().splitlines()] == [
        "goto +0x1 <g>", "exit", "goto -0x3 <f>", "goto -0x5 <g+0xffffffffffffffe8>",
    ]  # fmt: skip


def test_alu32_names_halves():
    data = bytes.fromhex("6121040000000000 c3210000 01000000")
    assert [line.split("\t")[-1] for line in _printed(data).splitlines()] == [
        "r1 = *(u32 *)(r2 + 0x4)", "lock *(u32 *)(r1 + 0x0) += r2",
    ]  # fmt: skip
    assert [line.split("\t")[-1] for line in _printed(data, alu32=True).splitlines()] == [
        "w1 = *(u32 *)(r2 + 0x4)", "w2 = atomic_fetch_add((u32 *)(r1 + 0x0), w2)",
    ]  # fmt: skip


@given(st.binary(max_size=200), st.sampled_from(["little", "big"]), st.booleans(), st.booleans())
def test_any_bytes_have_a_listing(data, order, alu32, zeroes):
    text = _printed(data, order, alu32=alu32, zeroes=zeroes)
    assert text.count("\n") <= len(data)


@given(programs)
@settings(max_examples=50)
def test_pieces_print_like_the_whole(program):
    """Relocations and source lines cut the work into pieces: that must not show."""
    data, names = encode(program), Names([(0, "text")])
    whole, pieces = Printer(zeroes=True), Printer(zeroes=True)
    whole.code(data, 0, len(data), len(data), 0, names)
    at = 0
    while at < len(data):
        at = pieces.code(data, at, at + 1, len(data), 0, names)
    assert whole.take() == pieces.take()


MODES = [
    ((), {}), (("--mcpu=v3",), {"cpu": "v3"}), (("--no-show-raw-insn",), {"raw_insn": False}),
    (("-z",), {"zeroes": True}),
]  # fmt: skip


@needs("llvm-objdump")
@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize(("args", "options"), MODES, ids=lambda v: "".join(v))
def test_equals_llvm_objdump_on_random_slots(tmp_path, order, args, options):
    rng = random.Random(f"{order}{args}")
    imms = [0, 1, 8, 16, 32, 64, 0x40, 0x41, 0x50, 0x51, 0xA0, 0xA1, 0xE1, 0xF1, 0x100, 0x110]
    data = bytearray()
    for code in range(256):
        for _ in range(40):
            tail = rng.choice([*imms, rng.getrandbits(32)]).to_bytes(4, order)
            off = rng.choice([0, 0, 0, 1, 8, 16, 32, rng.getrandbits(16)]).to_bytes(2, order)
            data += bytes([code, rng.getrandbits(8)]) + off + tail
    same(raw_object(tmp_path / "x.o", bytes(data), order), *args, **options)


@needs("llvm-objdump")
@given(st.lists(st.one_of(st.binary(max_size=20), st.integers(1, 30).map(bytes)), max_size=40), st.booleans())
@settings(max_examples=15)
def test_equals_llvm_objdump_on_any_bytes(tmp_path_factory, parts, big):
    path = tmp_path_factory.mktemp("any") / "x.o"
    same(raw_object(path, b"".join(parts), "big" if big else "little"))


@needs("llvm-objdump")
@given(programs)
@settings(max_examples=15)
def test_equals_llvm_objdump_on_random_programs(tmp_path_factory, program):
    same(raw_object(tmp_path_factory.mktemp("any") / "x.o", encode(program)), "-r", reloc=True)


def test_every_kind_of_operand_is_printed():
    """No field of a row is forgotten by its pattern, apart from those that LLVM's text leaves out."""
    from osmia.asm.llvm_syntax import SYNTAX

    for op in OPS:
        pattern = SYNTAX.get(op.name)
        if pattern is None:
            continue
        for field, value in (("dst}", op.dst), ("src}", op.src)):
            assert (field in pattern) == (value is Kind.REG), op.name


def test_empty_section_prints_nothing(tmp_path):
    assert listing(raw_object(tmp_path / "x.o", b"")).count("\n") == 2
