"""Bad input: the verifier answers with an errno and the kernel's words, or refuses the request with one typed error."""

import dataclasses
import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osmia import live
from osmia.btf import Btf
from osmia.errors import InputError, OsmiaError, RecordError
from osmia.isa import Insn, decode
from osmia.kernel.uapi import ATTACH_TYPES, MAP_TYPES, PROG_TYPES
from osmia.obj.model import Extern, FuncInfo, LineInfo, MapSpec, Program
from osmia.testing.answers import ask_osmia
from osmia.verifier.batch import Batch, How
from osmia.verifier.env import Powers
from osmia.verifier.judge import judge

OK = [Insn(0xB7), Insn(0x95)]
LOAD_MAP = [Insn(0x18, 1, 1), Insn(0), *OK]
POWERS = st.sampled_from([Powers(), Powers(perfmon=False, sys_admin=False), Powers(False, False, False, False)])
ODD = st.sampled_from([-1, 0, 1, 4, 8, 127, 4096, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 40, 1 << 63, 1 << 70])
U32 = st.sampled_from([0, 1, 2, 7, 8, 16, 1 << 31, (1 << 32) - 1]) | st.integers(0, (1 << 32) - 1)
IMMS = st.sampled_from([0, 1, -1, 8, 64, 4096, 0x7FFFFFFF, -0x80000000]) | st.integers(-0x80000000, 0x7FFFFFFF)
INSN = st.builds(
    Insn, st.integers(0, 255), st.integers(0, 15), st.integers(0, 15), st.integers(-0x8000, 0x7FFF), IMMS
)  # fmt: skip
TYPE_WORD = st.builds(lambda kind, vlen, flag: kind << 24 | vlen | flag << 31, st.integers(0, 31), st.integers(0, 3),
                      st.integers(0, 1))  # fmt: skip


def program(insns=OK, prog_type="xdp", **parts):
    return Program("p", prog_type, list(insns), license=parts.pop("license", "GPL"), **parts)


def answers(made, level=2, powers=None):
    """An answer, not a crash; it may be that a rule is not built."""
    answer = ask_osmia(made, level, powers or Powers(), seconds=30)
    assert answer.crash == "", answer.crash
    return answer


# -- instructions


@given(st.binary(max_size=400), st.sampled_from(PROG_TYPES), st.sampled_from([0, 1, 2, 4, 7, 15]), POWERS)
def test_any_bytes(data, prog_type, level, powers):
    answers(program(decode(data[: len(data) & ~7]), prog_type), level, powers)


@given(st.lists(INSN, max_size=12), st.sampled_from(PROG_TYPES), POWERS)
def test_any_fields(insns, prog_type, powers):
    answers(program([*insns, *OK], prog_type), 2, powers)


@given(st.sampled_from(["code", "dst_reg", "src_reg", "off", "imm"]), ODD | st.sampled_from([None, "x", 1.5]))
def test_fields_that_are_no_instruction(field, value):
    made = program([OK[0]._replace(**{field: value}), OK[1]])
    try:
        made.insns[0].encode()
    except (InputError, TypeError):
        with pytest.raises(InputError, match="insn 0"):
            judge(made)
    else:
        answers(made)


@pytest.mark.parametrize(
    "insns",
    [
        [Insn(0xB7)] * 20000,
        [Insn(0x18, 0), Insn(0)] * 5000,
        [Insn(0x18, 0)],
        [Insn(0x85, 0, 0, 0, 7), *([Insn(0x15, 0, 0, 0, 1)] * 9000)],
        [Insn(5, 0, 0, -1)],
        [Insn(0x85, 0, 1, 0, -1)],
        [Insn(0x85, 0, 1, 0, 1), Insn(0x95)] * 300,
        [Insn(0x85, 0, 1, 0, 1), Insn(0x95)] * 9,
        [Insn(0xE5)] * 9000,
        [Insn(6, 0, 0, 0, 0x7FFFFFFF)],
        [Insn(0x85, 0, 0, 0, 7), *(Insn(0x15, 0, 0, -i - 1, i) for i in range(9000))],
        [Insn(0xBF, 2, 10), *([Insn(0x07, 2, 0, 0, -0x80000000)] * 1000)],
    ],
    ids="straight wides half waiting endless itself functions frames may_goto far back pointer".split(),
)
def test_large_and_deep(insns):
    answers(program([*insns, *OK]), 1)
    answers(program([*insns, *OK]), 1, Powers(perfmon=False, sys_admin=False))


def test_no_program_is_too_long_for_an_answer():
    assert answers(program([OK[0]] * 1_000_001), 1).errno == 7
    assert answers(program([]), 1).errno == 7


# -- types, rows, flags


def wire(types, strings, version=1):
    header = struct.pack("<HBBIIIII", 0xEB9F, version, 0, 24, 0, len(types), len(types), len(strings))
    return header + types + strings


@given(st.lists(st.tuples(st.integers(0, 9), TYPE_WORD, st.integers(0, 9) | U32, st.binary(max_size=24)), max_size=8))
def test_any_types(rows):
    """Cyclic, truncated, out of range: what can be parsed at all is the kernel's to refuse."""
    types = b"".join(
        struct.pack("<III", name, word, size) + rest.ljust(24, b"\1")[:24] for name, word, size, rest in rows
    )  # fmt: skip
    try:
        btf = Btf.parse(wire(types, b"\0int\0f\0x\0"))
    except InputError:
        return
    made = program(LOAD_MAP, btf=btf, func_info=[FuncInfo(0, 1)], line_info=[LineInfo(0, 1, 1, 1)])
    made.maps = [MapSpec("m", "hash", 4, 4, 1, btf=btf, btf_key_type_id=1, btf_value_type_id=2)]
    answers(made)


def chain(kind, length, last):
    """Types that refer to one another, the last one to ``last``."""
    rows = [struct.pack("<III", 0, kind << 24, n + 2 if n + 1 < length else last) for n in range(length)]
    return Btf.parse(wire(b"".join(rows), b"\0"))


@pytest.mark.parametrize("kind", [2, 8, 9, 10, 11, 18])
@pytest.mark.parametrize("last", [0, 1, 5000])
def test_chains_and_circles_of_types(kind, last):
    answers(program(btf=chain(kind, 5000, last), func_info=[FuncInfo(0, 5000)]))


ROW = st.lists(U32 | ODD, min_size=4, max_size=4)


@given(st.lists(ROW, max_size=5), st.lists(ROW, max_size=5), st.booleans())
def test_any_rows(funcs, lines, typed):
    made = program([Insn(0x85, 0, 1, 0, 1), Insn(0x95), *OK], btf=chain(2, 2, 0) if typed else None)
    made.func_info = [FuncInfo(*row[:2]) for row in funcs]
    made.line_info = [LineInfo(*row) for row in lines]
    if all(0 <= n < 1 << 32 for row in [*(row[:2] for row in funcs), *lines] for n in row):
        answers(made)
    else:
        with pytest.raises(InputError, match=r"(func|line)_info\["):
            judge(made)


@given(
    st.sampled_from([*PROG_TYPES, "nonsense", ""]), st.sampled_from(["", "nonsense", "77", *ATTACH_TYPES]),
    st.sampled_from(["", "x", "a.b", "tcp_congestion_ops", "task", "vfs_read", "é" * 300]), ODD, ODD, ODD,
)  # fmt: skip
def test_any_attributes(prog_type, attach, target, flags, level, size):
    made = program(prog_type=prog_type, expected_attach_type=attach, attach_target=target, flags=flags)
    try:
        verdict = judge(made, log_level=level, log_size=size)
    except InputError as e:
        assert "flags" in str(e) or "expected_attach_type" in str(e)
    else:
        assert verdict.ok or verdict.errno or verdict.unsupported


@pytest.mark.parametrize("at", [-1, 2, 1 << 40])
def test_symbols_lie_in_the_program(at):
    with pytest.raises(InputError, match="externs"):
        judge(program(externs=[Extern(at, "x")]))


# -- maps

NUMBERS = ("key_size", "value_size", "max_entries", "flags", "map_extra", "btf_key_type_id", "btf_value_type_id")


@given(st.sampled_from([*MAP_TYPES, "nonsense"]), st.dictionaries(st.sampled_from(NUMBERS), ODD, max_size=4), POWERS)
def test_any_map(kind, numbers, powers):
    spec = dataclasses.replace(MapSpec("m", kind, 4, 8, 1), **numbers)
    fits = all(0 <= value < 1 << (64 if name == "map_extra" else 32) for name, value in numbers.items())
    if kind in MAP_TYPES and fits:
        answers(program(LOAD_MAP, maps=[spec]), 2, powers)
    else:
        with pytest.raises(InputError, match=r"maps\[0\]"):
            judge(program(LOAD_MAP, maps=[spec]))


def test_a_map_in_itself():
    spec = MapSpec("m", "array_of_maps", 4, 4, 1)
    spec.inner = spec
    assert answers(program(LOAD_MAP, maps=[spec])).errno == 22


def test_maps_in_maps_in_maps():
    spec = MapSpec("m", "array", 4, 4, 1)
    for _ in range(5000):
        spec = MapSpec("m", "hash_of_maps", 4, 4, 1, inner=spec)
    assert answers(program(LOAD_MAP, maps=[spec])).errno == 22


# -- records

VALUES = st.sampled_from(
    [None, -1, 0, 1, 1.5, True, 1 << 31, 1 << 32, 1 << 64, "", "x", "\0", "00" * 8, "95" + "0" * 14, [], [1], [[0, 1]],
     [[0, 1, 2, 3]], [None], {}, {"a": 1}, [{}], [{"type": "hash", "inner": 0}], ["bpf"], "xdp", "struct_ops"]
)  # fmt: skip
FIELDS = (
    "name prog_type insns_hex expected_attach_type attach_btf attach_btf_kind maps license flags section prog_name "
    "btf_hex func_info line_info relocs log_level unprivileged caps other"
)
RECORD = {"name": "x", "prog_type": "xdp", "insns_hex": "b70000000000000095" + "0" * 14}


def answer_line(line):
    """The verdict; None where the line is refused by its number."""
    try:
        verdict = Batch(How()).answer(line, 7)["kernels"]["6.18"]
    except RecordError as e:
        assert e.place.line == 7
        return None
    assert verdict.get("where") != "crash", verdict
    return verdict


@given(st.dictionaries(st.sampled_from(FIELDS.split()), VALUES, min_size=1, max_size=4))
def test_any_record(changed):
    answer_line(json.dumps(RECORD | changed).encode())


@given(st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_any_line(line):
    answer_line(line)


@pytest.mark.parametrize(
    "line",
    [b"[" * 100000, b'{"a":' * 100000, b'{"prog_type":' + b"9" * 10000 + b"}", b'{"prog_type":NaN}', b"\xff", b"{",
     b'{"name":"\\ud800","prog_type":"xdp","insns_hex":""}'],
    ids="list object digits nan bytes open surrogate".split(),
)  # fmt: skip
def test_lines_that_are_no_record(line):
    assert answer_line(line) is None


def test_a_chain_of_templates():
    maps = [{"type": "array"}, *({"type": "array_of_maps", "value": 4, "inner": n} for n in range(1000))]
    insns = "18110000e8030000" + "0" * 16 + RECORD["insns_hex"]
    assert answer_line(json.dumps(RECORD | {"maps": maps, "insns_hex": insns}).encode())["errno"] == 22


@pytest.mark.parametrize("at", ["trace_fentry", 3, (1 << 32) - 1])
def test_members_of_struct_ops_by_any_number(at):
    more = {"prog_type": "struct_ops", "attach_btf": "tcp_congestion_ops", "expected_attach_type": at}
    assert answer_line(json.dumps(RECORD | more).encode()) is not None


# -- and the kernel agrees


@pytest.mark.live
@pytest.mark.skipif(live.available() is not None, reason="needs a kernel that loads programs")
@settings(max_examples=300)
@given(st.lists(INSN, max_size=8), st.sampled_from(["xdp", "socket_filter", "kprobe", "syscall"]))
def test_the_kernel_says_the_same_to_random_instructions(insns, prog_type):
    from osmia.testing.answers import Kernel

    made = program([*insns, *OK], prog_type)
    with Kernel() as kernel:
        try:
            real = kernel.ask(made, 1, Powers())
        except OsmiaError:  # a map that there is none of
            return
    ours = answers(made, 1)
    assert ours.unsupported or (ours.errno, ours.log) == (real.errno, real.log)
