"""osmia check: programs × kernels as a table, JSON, JUnit and workflow commands."""

import json
from xml.etree import ElementTree

import pytest

import osmia
from osmia.cli.main import main
from osmia.isa import encode
from osmia.isa import macros as m

GOOD = (m.BPF_MOV64_IMM(0, 2), m.BPF_EXIT_INSN())
BAD = (m.BPF_MOV64_REG(0, 5), m.BPF_EXIT_INSN())
NEW = (m.BPF_MOV64_IMM(0, 2), m.BPF_MOVSX64_REG(0, 0, 8), m.BPF_EXIT_INSN())
"""A sign-extending move: an instruction of 6.6."""


@pytest.fixture
def check(tmp_path, capsys, monkeypatch):
    """Run it on a file of records, in that file's directory: exit status, output."""
    monkeypatch.chdir(tmp_path)

    def run(programs, *options):
        lines = ({"name": n, "prog_type": "xdp", "insns_hex": encode(code).hex()} for n, code in programs.items())
        (tmp_path / "some.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        status = main(["check", "some.jsonl", *options])
        return status, capsys.readouterr().out

    return run


def test_a_table_and_the_reasons(check):
    status, out = check({"good": GOOD, "bad": BAD}, "--kernels", "6.12,6.18")
    head, file, *rows = out.splitlines()
    assert status == 1 and head.split() == ["program", "type", "6.12", "6.18"] and file.strip() == "some.jsonl"
    assert rows[0].split() == ["good", "xdp", "2", "✓", "2", "✓"]
    assert rows[1].split() == ["bad", "xdp", "EACCES", "✗", "EACCES", "✗"]
    assert rows[2] == "  bad on 6.12, 6.18: R5 !read_ok"


def test_all_is_well(check):
    assert check({"good": GOOD})[0] == 0


def test_one_kernel_refuses(check):
    status, out = check({"late": NEW}, "--kernels", "6.1,6.12", "--json")
    cells = json.loads(out)["programs"][0]["kernels"]
    assert status == 1 and [cells[k]["status"] for k in ("6.1", "6.12")] == ["refused", "accepted"]
    assert cells["6.1"]["errno"] == 22 and "reason" not in cells["6.12"] and cells["6.12"]["processed"] == 3


def test_kernels_in_between_are_marked(check):
    status, out = check({"late": NEW}, "--kernels", "6.5,6.6,6.18")
    assert status == 1 and out.split()[:5] == ["program", "type", "6.5~", "6.6~", "6.18"] and "~ not recorded" in out
    assert json.loads(check({"late": NEW}, "--kernels", "6.6", "--json")[1])["interpolated"] == ["6.6"]


def test_workflow_commands(check):
    out = check({"bad": BAD}, "--github", "--kernels", "6.12,6.18")[1]
    assert "::error file=some.jsonl,title=bad on Linux 6.12%2C 6.18::R5 !read_ok" in out.splitlines()


def test_junit(check, tmp_path):
    check({"good": GOOD, "bad\x01": BAD}, "--junit", "report.xml", "--kernels", "6.18")
    suite = ElementTree.parse(tmp_path / "report.xml").getroot()[0]
    assert suite.attrib | {"tests": "2", "failures": "1", "errors": "0"} == suite.attrib
    good, bad = suite
    assert good.get("name") == "good on 6.18" and len(good) == 0
    assert bad[0].tag == "failure" and bad[0].get("message") == "R5 !read_ok" and "r0 = r5" in bad[0].text


def test_a_file_that_is_none_stops_no_other(check, capsys):
    status, out = check({"good": GOOD}, "nothere.o", "--kernels", "6.18", "--github")
    assert status == 2 and "good" in out and "::error file=nothere.o::" in out


@pytest.mark.parametrize("options", [("--kernels", ","), ("--kernels", "2.4"), ("--btf", "6.6=x"), ("--prog", "none")])
def test_bad_options(check, options):
    assert check({"good": GOOD}, *options)[0] == 2


def test_places_in_the_source(tmp_path, check):
    (tmp_path / "p.bpf.c").write_text(
        '#include <vmlinux.h>\n#include <bpf/bpf_helpers.h>\nSEC("xdp") int p(struct xdp_md *ctx)\n{\n'
        "  return *(char *)(long)ctx->data;\n}\n"
    )
    rows = osmia.check(tmp_path / "p.bpf.c", kernels=["6.18"])
    assert rows[0].cells[0].place.line == 5 and rows[0].status == "refused"
