"""Records read back: what emit writes is what load reads, and anything else is one RecordError that says where."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from obj.golden_text import NAMES, linked, read

import osmia
from osmia import inputs
from osmia.cli.main import main
from osmia.errors import OsmiaError, RecordError
from osmia.isa import encode
from osmia.obj import record
from osmia.obj.record_fields import MAP, PROGRAM, RELOC

MINIMAL = {"name": "p", "prog_type": "xdp", "insns_hex": "b7000000020000009500000000000000"}
LOAD = "1811000000000000" + "00" * 8


def lines(*rows: object) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def one(**fields: object):
    (program,) = record.load(lines({**MINIMAL, **fields}), "x.jsonl").programs.values()
    return program


@pytest.mark.parametrize("name", [*NAMES, "calls.be", "maps.be"])
def test_what_emit_writes_is_read_back(name):
    original = linked(name)
    rows = record.records(original)
    found = record.load(lines(*rows), "x.jsonl")
    assert record.records(found) == rows and rows
    assert found.byteorder == original.byteorder and found.license == original.license
    for name, program in found.programs.items():
        before = original.programs[name]
        assert program.insns == before.insns and len(program.maps) == len(before.maps)
        assert (program.section, program.flags, program.license) == (before.section, before.flags, before.license)
        if program.prog_type != "struct_ops":  # the record knows its member's number only
            assert program.attach_target == before.attach_target
        if program.func_info:
            assert program.subprogs == before.subprogs


def test_programs_of_one_object_share_its_maps():
    found = record.load(lines(*record.records(linked("calls"))))
    shared = {id(spec) for p in found.programs.values() for spec in p.maps if spec.name == "calls.bss"}
    assert len(shared) == 1 and found.maps["calls.bss"].section == ".bss" and found.maps["calls.bss"].mmapable


def test_maps_of_one_name_that_differ_stay_apart():
    small, large = ({"type": "array", "key": 4, "value": n, "entries": 1, "name": "m"} for n in (4, 8))
    found = record.load(lines({**MINIMAL, "maps": [small]}, {**MINIMAL, "maps": [large]}, {**MINIMAL, "maps": [small]}))
    assert [p.maps[0].value_size for p in found.programs.values()] == [4, 8, 4]
    first, _, third = found.programs.values()
    assert first.maps[0] is third.maps[0]
    assert len(found.maps) == 2 and list(found.programs) == ["p", "p.1", "p.2"]


def test_maps_without_names_are_each_their_own():
    spec = {"type": "hash", "key": 4, "value": 8, "entries": 1}
    found = record.load(lines({**MINIMAL, "maps": [spec, spec]}))
    assert list(found.maps) == ["map", "map.1"]


def test_a_template_that_a_program_loads_stays_a_map():
    maps = [{"type": "array", "key": 4, "value": 8, "entries": 1, "name": "t"},
            {"type": "array_of_maps", "key": 4, "value": 4, "entries": 2, "inner": 0, "name": "o"}]  # fmt: skip
    assert [m.name for m in one(maps=maps).maps] == ["o"]
    assert [m.name for m in one(maps=maps, insns_hex=LOAD + MINIMAL["insns_hex"]).maps] == ["t", "o"]


def test_names_and_numbers_mean_the_same():
    named = one(prog_type="tracing", expected_attach_type="trace_fentry", attach_btf="do_unlinkat", flags=["sleepable"])
    numbered = one(prog_type=26, expected_attach_type=24, attach_btf="do_unlinkat", flags=0x10)
    assert named == numbered and named.section == "fentry.s/do_unlinkat" and named.attach_target == "do_unlinkat"
    assert one(maps=[{"type": 2}]) == one(maps=[{"type": "array", "key": 4, "value": 8, "entries": 1}])
    assert one(expected_attach_type=0).expected_attach_type == ""
    assert one(prog_type="struct_ops", attach_btf="tcp_congestion_ops").attach_target == "tcp_congestion_ops.0"
    lsm = one(prog_type="lsm", expected_attach_type="lsm_mac", attach_btf="bpf_lsm_file_open")
    assert (lsm.section, lsm.attach_target) == ("lsm/file_open", "file_open")


def test_a_license_may_be_empty():
    assert one().license == "GPL" and one(license="").license == ""
    assert record.record(one(license=""))["license"] == "" and "license" not in record.record(one())


def test_what_is_about_loading_is_passed_over():
    program = one(log_level=2, run={"data_hex": "00"}, unprivileged=True, caps=["bpf"], v={}, unknown=[1])
    assert program == one()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"insns_hex": "b7"}, "insns_hex: 1 bytes are no whole number"),
        ({"insns_hex": "xx"}, "insns_hex: hexadecimal digits"),
        ({"insns_hex": None}, "insns_hex is missing"),
        ({"prog_type": "exdp"}, "prog_type: the name or number of a program type is wanted, not 'exdp'"),
        ({"prog_type": True}, "prog_type: the name"),
        ({"maps": {}}, "maps: a list is wanted, not an object"),
        ({"maps": [{}, {"key": -1}]}, "maps[1].key: a number from 0 to 4294967295 is wanted, not -1"),
        ({"maps": [{"inner": 0}]}, "maps[0].inner: 0 is no map in front of it"),
        ({"maps": [5]}, "maps[0]: an object is wanted"),
        ({"func_info": [[0]]}, "func_info: a list of lists of 2 numbers"),
        ({"line_info": [[0, 0, 0, 1 << 32]]}, "line_info: a number from 0"),
        ({"relocs": [{"insn": 2, "name": "f"}]}, "relocs[0].insn: the program has 2 slots"),
        ({"relocs": [{"insn": 0}]}, "relocs[0].name is missing"),
        ({"relocs": [{"insn": 0, "name": "f", "kind": "x"}]}, "relocs[0].kind: one of func, var"),
        ({"btf_hex": "00"}, "btf_hex: "),
        ({"flags": ["sleepy"]}, "flags: 'sleepy' is none of the flags"),
        ({"flags": [None]}, "flags: null is none of the flags"),
        ({"flags": 1e300}, "flags: names"),
        ({"name": "\ud800"}, "name: half of a surrogate pair"),
        ({"section": "a\0b"}, "section: NUL"),
        ({"prog_type": "lsm", "expected_attach_type": "lsm_mac", "attach_btf": "f"}, "attach_btf: the targets of"),
    ],
)
def test_a_wrong_field_is_named(fields, words):
    with pytest.raises(RecordError) as e:
        record.load(lines(MINIMAL, {**MINIMAL, **fields}), "x.jsonl")
    assert words in e.value.reason and (e.value.place.file, e.value.place.line) == ("x.jsonl", 2)


@pytest.mark.parametrize(
    "line",
    [b"", b"\n\n", b"{", b"[]", b"5", b"\xff", b"[" * 100_000, b"1" * 10_000, b'{"a":' * 99_999, b"NaN", b"null"],
)
def test_what_is_no_record(line):
    with pytest.raises(RecordError) as e:
        record.load(line, "x.jsonl")
    assert e.value.place.file == "x.jsonl"


def test_both_byte_orders_in_one_file():
    little, big = record.records(linked("calls"))[0], record.records(linked("calls.be"))[0]
    with pytest.raises(RecordError, match="byte order"):
        record.load(lines(little, big))


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9), st.sampled_from(
        ["array", "hash", "xdp", "tracing", "struct_ops", "trace_fentry", LOAD, "func", 0, 4, 0xFFFFFFFF, 1 << 64])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(
        [x.name for x in (*MAP, *RELOC)]), inner, max_size=5)), max_leaves=8)  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from([x.name for x in PROGRAM]), VALUES, max_size=6), max_size=3))
def test_any_json_is_a_program_or_an_error(rows):
    try:
        found = record.load(lines(*({**MINIMAL, **row} for row in rows)), "x.jsonl")
    except RecordError as e:
        assert e.place.file == "x.jsonl" and (e.place.line or not rows)
        return
    again = record.records(found)
    assert record.records(record.load(lines(*again))) == again
    for program in found.programs.values():
        assert encode(program.insns)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 400))
def test_any_bytes_in_a_record(noise, at):
    data = lines(*record.records(linked("maps")))[:2000]
    for text in (noise, data[:at] + noise + data[at + len(noise) :]):
        try:
            record.load(text, "x.jsonl")
        except RecordError as e:
            assert e.place.file == "x.jsonl"


@pytest.fixture
def file(tmp_path):
    (tmp_path / "calls.bpf.o").write_bytes(read("calls"))
    path = tmp_path / "programs.jsonl"
    path.write_bytes(lines(*record.records(linked("calls"))))
    return path


def test_every_command_that_takes_a_program_takes_records(file, capsys):
    assert main(["emit", str(file)]) == 0
    assert capsys.readouterr().out.encode() == file.read_bytes()
    assert main(["inspect", str(file)]) == 0
    out = capsys.readouterr().out
    assert "program records for bpf" in out and "entry_one" in out and "calls.bss" in out
    assert main(["inspect", "--json", str(file)]) == 0
    assert json.loads(capsys.readouterr().out)["btf"]["func_info"] > 1
    assert main(["disasm", "--symbols", "entry_one", str(file)]) == 0
    assert capsys.readouterr().out.startswith("; entry_one\n\t")
    assert main(["disasm", "--symbols", "nobody", str(file)]) == 2
    assert "no program 'nobody' (there: entry_one" in capsys.readouterr().err


def test_records_run_as_the_object_does(tmp_path, capsys):
    path = tmp_path / "p.jsonl"
    path.write_bytes(lines(MINIMAL))
    assert main(["run", "--data", "00" * 64, str(path)]) == 0
    assert "XDP_PASS" in capsys.readouterr().out
    assert osmia.open(path).load().run(data=bytes(64)).action == "XDP_PASS"


def test_records_are_told_from_other_text():
    assert inputs.kind_of(lines(MINIMAL)) == "records" and inputs.kind_of(b"", "a.jsonl") == "records"
    assert inputs.kind_of(b"{ 0x28, 0, 0, 0x0000000c },\n") == "asm"
    with pytest.raises(OsmiaError) as e:
        inputs.load(inputs.Input(b'{"name": 1}', "<stdin>", "records"))
    assert str(e.value).startswith("<stdin>:1: name: a string")
