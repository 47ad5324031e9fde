"""Programs as records: what ``osmia emit`` writes, and what ``osmia inspect`` shows."""

from __future__ import annotations

import json

import pytest
from obj.golden_text import KCONFIG, linked, read

from osmia.btf import Btf
from osmia.cli.main import main
from osmia.isa import Insn, decode
from osmia.obj.model import MapSpec, Program
from osmia.obj.record import load, record, records
from osmia.obj.survey import survey


def by_name(name: str) -> dict[str, dict]:
    return {row["name"]: row for row in records(linked(name))}


def test_a_record_holds_what_the_kernel_gets():
    row = by_name("calls")["entry_one"]
    program = linked("calls").programs["entry_one"]
    assert decode(bytes.fromhex(row["insns_hex"])) == program.insns
    assert row["prog_type"] == "kprobe" and row["prog_name"] == "entry_one" and "license" not in row
    assert row["maps"] == [{"type": "array", "key": 4, "value": 8, "entries": 1, "flags": 0x400, "btf_value": 45,
                            "name": "calls.bss"}]  # fmt: skip
    assert [len(x) for x in (row["func_info"], row["line_info"])] == [len(program.func_info), len(program.line_info)]
    btf = Btf.parse(bytes.fromhex(row["btf_hex"]))
    assert [btf.type(i).name for _, i in row["func_info"]] == [s.name for s in program.subprogs]


def test_inner_templates_come_first_and_loads_follow_them():
    row = by_name("maps")["second"]
    assert [(m["name"], m.get("inner")) for m in row["maps"]] == [("outer.inner", None), ("outer", 0)]
    (load,) = [i for i in decode(bytes.fromhex(row["insns_hex"])) if i.is_wide]
    assert (load.src_reg, load.imm) == (1, 1)


def test_read_only_data_is_written_and_frozen():
    rows = {m["name"]: m for m in by_name("globals")["count"]["maps"]}
    assert rows["globals.rodata"]["freeze"] and rows["globals.rodata"]["init_hex"] == "2c0100000a0014001e00"
    assert "init_hex" not in rows["globals.bss"]


@pytest.mark.parametrize(
    ("program", "target"),
    [
        ("file_open", {"attach_btf": "bpf_lsm_file_open"}),
        ("fentry_one", {"attach_btf": "do_unlinkat"}),
        ("tasks", {"attach_btf": "bpf_iter_task"}),
        ("xdp_frags", {}),
    ],
)
def test_targets_in_the_kernels_btf(program, target):
    row = by_name("sections")[program]
    assert {k: v for k, v in row.items() if k.startswith("attach_btf")} == target
    assert row.get("flags", 0) == {"file_open": 0x10, "tasks": 0x10, "xdp_frags": 0x20}.get(program, 0)


def test_tracepoints_and_struct_ops_name_their_kind():
    row = by_name("externs")["functions"]
    assert (row["attach_btf"], row["attach_btf_kind"]) == ("btf_trace_task_newtask", "typedef")
    assert row["relocs"] == [{"insn": 1, "name": "bpf_task_from_pid", "kind": "func"},
                             {"insn": 4, "name": "bpf_task_release", "kind": "func"}]  # fmt: skip
    row = by_name("structops")["init"]
    assert (row["attach_btf"], row["attach_btf_kind"]) == ("tcp_congestion_ops", "struct")
    assert row["expected_attach_type"] == 5


def test_programs_not_loaded_by_default_are_left_out():
    assert "later" not in by_name("sections")
    assert record(linked("sections").programs["later"])["prog_type"] == "xdp"


@pytest.fixture
def files(tmp_path):
    (tmp_path / "calls.bpf.o").write_bytes(read("calls"))
    (tmp_path / "externs.bpf.o").write_bytes(read("externs"))
    (tmp_path / "kernel.o").write_bytes(read("kernel"))
    (tmp_path / "config").write_text("# a comment\n" + "".join(f"{k}={v}\n" for k, v in KCONFIG.items()))
    return tmp_path


def test_emit_on_the_command_line(files, capsys):
    assert main(["emit", str(files / "calls.bpf.o")]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert rows == records(linked("calls"))
    options = ["--btf", str(files / "kernel.o"), "--kconfig", str(files / "config"), "--program", "config"]
    assert main(["emit", *options, str(files / "externs.bpf.o")]) == 0
    assert json.loads(capsys.readouterr().out) == by_name("externs")["config"]


def test_emit_says_what_is_missing(files, capsys):
    assert main(["emit", str(files / "externs.bpf.o")]) == 2
    assert "section .kconfig: extern 'CONFIG_HZ' has no value" in capsys.readouterr().err
    assert main(["emit", "--program", "nobody", str(files / "calls.bpf.o")]) == 2
    assert "entry_one" in capsys.readouterr().err


def test_inspect_shows_everything_on_one_screen(files, capsys):
    assert main(["inspect", str(files / "calls.bpf.o")]) == 0
    out = capsys.readouterr().out
    for word in ("ELF64 relocatable for bpf", "license GPL", "R_BPF_64_32", "tp/syscalls/sys_enter_openat",
                 "ktime_get_ns", "calls.bss", "mmapable", "func_info", "hidden"):  # fmt: skip
        assert word in out
    assert len(out.splitlines()) < 70


def test_inspect_as_json_holds_all(files, capsys):
    assert main(["inspect", "--json", str(files / "calls.bpf.o")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads(json.dumps(survey(read("calls"), str(files / "calls.bpf.o"))))
    assert {p["name"] for p in found["programs"]} == set(linked("calls").programs)
    assert found["btf"]["func_info"] == 12 and found["problems"] == []
    assert len(found["relocations"]) == sum(1 for _ in found["relocations"]) > 15


def test_inspect_shows_what_it_can_of_a_broken_object(files, capsys):
    (files / "x.o").write_bytes(read("calls").replace(b"kretprobe/do", b"kretqrobe/do"))
    assert main(["inspect", str(files / "x.o")]) == 2
    out = capsys.readouterr().out
    assert "entry_two" in out and "problem: section kretqrobe/do_unlinkat" in out and "did you mean kretprobe+" in out


def test_descriptors_are_numbers_of_maps():
    inner = MapSpec("inner", "array", 4, 8, 1)
    maps = [MapSpec("outer", "array_of_maps", 4, 4, 1, inner=inner), MapSpec("last", "array", 4, 8, 1)]
    row = record(Program("p", "xdp", [Insn(0x95)], maps=maps, fd_array=[1, 0, 77], fd_array_cnt=2))
    assert (row["fd_array"], row["fd_array_cnt"]) == ([2, 1, 77], 2)  # the template stands in front of its map
    (program,) = load(json.dumps(row).encode()).programs.values()
    assert (program.fd_array, program.fd_array_cnt) == ([1, 0, 77], 2)
    assert "fd_array" not in record(Program("p", "xdp", [Insn(0x95)]))
