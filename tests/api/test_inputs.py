"""Whatever is given as a program ends in a Collection or in one typed error."""

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

import osmia
from osmia import inputs
from osmia.errors import InputError, MapError, OsmiaError, UsageError, VmError
from osmia.inputs import Input
from osmia.obj.model import MapSpec
from osmia.sim import MapSet

PROGRAM = bytes.fromhex("b7000000070000009500000000000000")
WORDS = "r0 = 1|exit|mov %r0, 1|(b7) r0 = 1|ld [4]|ret #1|1:|goto 1b|tax|4|40 0 0 12|#|;".split("|")


@pytest.mark.parametrize(
    ("text", "dialect"),
    [
        ("r0 = 1\nexit", "llvm"), ("0: (b7) r0 = 1\n1: (95) exit", "kernel"), ("mov %r0, 1\nexit", "ubpf"),
        ("ldh [12]\njeq #0x800, a, b\na: ret #1\nb: ret #0", "classic"), ("l: goto l\nexit", "llvm"),
        ("4\n40 0 0 12\n21 0 1 2054\n6 0 0 262144\n6 0 0 0\n", "classic"), ("exit", None),
        ("if r1 > 5 goto +1\nexit", "llvm"),
    ],
)  # fmt: skip
def test_dialects_are_recognised(text, dialect):
    if dialect:
        assert inputs.dialect_of(text) == dialect
    kind = inputs.kind_of(text.encode())
    assert kind == "asm" and inputs.load(Input(text.encode(), "<stdin>", kind)).programs


@pytest.mark.parametrize(
    ("data", "name"), [(PROGRAM, "p.bin"), (PROGRAM.hex().encode(), "p"), (PROGRAM.hex(" ").encode() + b"\n", "-")]
)
def test_raw_and_hex_are_the_same_program(data, name):
    found = inputs.load(Input(data, name, inputs.kind_of(data, name)), prog_type="xdp")
    (program,) = found.programs.values()
    assert [i.code for i in program.insns] == [0xB7, 0x95] and program.prog_type == "xdp"


def test_standard_input(monkeypatch):
    class Stdin:
        buffer = io.BytesIO(b"r0 = 3\nexit\n")

    monkeypatch.setattr(sys, "stdin", Stdin)
    assert osmia.open("-", prog_type="xdp").load().run(data=bytes(64)).retval == 3


def test_errors_name_the_file(tmp_path):
    for name, data in (("a.s", b"frobnicate\n"), ("b.o", b"\x7fELF"), ("c.bin", b"123"), ("d.hex", b"12 34 5"),
                       ("e.s", b"\xff\xfe")):  # fmt: skip
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError) as e:
            osmia.open(tmp_path / name)
        assert e.value.place.file == str(tmp_path / name)
    with pytest.raises(UsageError):
        inputs.load_btf(tmp_path / "nothing")


def settle(data, kind):
    """Load, and where that works run, with a small budget."""
    try:
        collection = osmia.api.Collection(inputs.load(Input(data, "<fuzz>", kind)))
        for program in collection.values():
            program.load(budget=500).run(data=bytes(64))
    except (InputError, VmError):
        pass
    except OsmiaError as e:
        assert type(e).__name__ in ("MissingBody", "MapError"), repr(e)


@given(st.binary(max_size=120), st.sampled_from(["raw", "hex", "asm", "object"]))
def test_any_bytes(data, kind):
    settle(data, kind)


@given(st.binary(max_size=200))
def test_bytes_behind_an_elf_header(data):
    settle(b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x01\0\xf7\0\x01\0\0\0" + data, "object")


@given(st.lists(st.sampled_from(WORDS), max_size=12))
def test_any_lines_of_assembly(lines):
    text = "\n".join(lines).encode()
    settle(text, inputs.kind_of(text) if text else "asm")


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)),
                max_size=8))  # fmt: skip
def test_any_instructions_run_or_fault(slots):
    data = b"".join(bytes((c, r)) + o.to_bytes(2, "little") + i.to_bytes(4, "little") for c, r, o, i in slots)
    settle(data + PROGRAM[8:], "raw")


@given(st.binary(max_size=100))
def test_any_bytes_as_btf(data):
    import tempfile

    with tempfile.NamedTemporaryFile() as file:
        for head in (b"", b"\x9f\xeb\x01\0\x18\0\0\0", b"\x7fELF\x02\x01\x01"):
            file.seek(0)
            file.truncate()
            file.write(head + data)
            file.flush()
            try:
                inputs.load_btf(file.name)
            except InputError as e:
                assert e.place.file == file.name


def test_a_map_that_holds_itself():
    inner = MapSpec("inner", "array", 4, 8, 1)
    outer = MapSpec("outer", "array_of_maps", 4, 4, 1, inner=inner, values={0: "outer"})
    with pytest.raises(MapError, match="map outer holds outer, which holds maps itself: EINVAL"):
        _ = MapSet([outer, inner])["outer"]
