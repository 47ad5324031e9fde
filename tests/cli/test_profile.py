"""osmia profile: list, show, diff, record; a recorded file as a kernel's name."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from osmia.cli import profile as cli
from osmia.cli.main import main
from osmia.kernel import profile
from osmia.live import available
from osmia.live.record import file as recording

VENDOR = """\
parent 6.18
version 6.18
release 6.18.9-vendor

[shapes]
xdp * * ctx=xdp helpers=few sleepable=no

[helpers few]
like xdp
- map_lookup_elem

[kfuncs]
-bpf_task_acquire:
bpf_mine: acquire: xdp
"""
LOOKUP = "18 11 00 00 00 00 00 00 00 00 00 00 00 00 00 00"


def run(capsys, *args):
    status = main(["profile", *args])
    return status, *capsys.readouterr()


@pytest.fixture
def vendor(tmp_path):
    path = tmp_path / "vendor.txt"
    path.write_text(VENDOR)
    return str(path)


def test_list(capsys):
    status, out, _ = run(capsys, "list")
    lines = out.splitlines()
    assert status == 0 and lines[0].split()[:2] == ["kernel", "behaviours"]
    assert [line.split()[0] for line in lines[1:-1]] == profile.names()
    status, out, _ = run(capsys, "list", "--json")
    rows = json.loads(out)["profiles"]
    assert [row["name"] for row in rows] == profile.names()
    assert rows[-1]["kernel_functions"] > rows[1]["kernel_functions"] > rows[0]["kernel_functions"] == 0


def test_show(capsys):
    status, out, _ = run(capsys, "show", "6.18")
    assert status == 0 and out.startswith("Linux 6.18  recorded from 6.18.")
    assert "kernel functions (" in out and "  xdp " in out and "map types (" in out
    assert "\x1b" not in out and max(map(len, out.splitlines())) <= 120


def test_show_says_what_is_interpolated(capsys):
    status, out, _ = run(capsys, "show", "6.6")
    assert status == 0 and "interpolated: 6.1 as recorded, and what came up to 6.6" in out
    assert json.loads(run(capsys, "show", "6.6", "--json")[1])["interpolated"] == "6.1"


def test_show_a_type(capsys):
    status, out, _ = run(capsys, "show", "5.10", "--type", "xdp")
    assert status == 0 and "xdp_adjust_head" in out and "  r 4 0 PTR_TO_PACKET" in out
    made = json.loads(run(capsys, "show", "5.10", "--type", "xdp", "--json")[1])
    assert made["kinds"]["xdp"]["context"]["r32 at 0"] == "PTR_TO_PACKET"
    status, _, err = run(capsys, "show", "5.10", "--type", "netfilter")
    assert status == 2 and "takes no programs of type 'netfilter'" in err


def test_unknown_kernels(capsys):
    status, _, err = run(capsys, "show", "2.4")
    assert status == 2 and "known: 5.10, 6.1, 6.12, 6.18, 7.2" in err


def test_diff(capsys, vendor):
    status, out, _ = run(capsys, "diff", "6.18", vendor)
    assert status == 1
    assert out.splitlines() == [
        "helpers offered  -1",
        "  - xdp: map_lookup_elem",
        "kernel functions  +1 -1",
        "  + bpf_mine",
        "  - bpf_task_acquire",
    ]
    groups = json.loads(run(capsys, "diff", "6.18", vendor, "--json")[1])["groups"]
    assert groups[1] == {
        "title": "kernel functions",
        "came": ["bpf_mine"],
        "gone": ["bpf_task_acquire"],
        "changed": [],
    }
    assert run(capsys, "diff", "6.6", "6.6")[:2] == (0, "6.6 and 6.6 offer the same.\n")


def test_a_file_is_a_kernel(capsys, vendor, tmp_path):
    program = tmp_path / "p.hex"
    program.write_text("b700000000000000 9500000000000000")
    assert main(["verify", "--kernel", vendor, "--type", "xdp", str(program)]) == 0
    program.write_text("8500000001000000 9500000000000000")
    assert main(["verify", "--kernel", vendor, "--type", "xdp", str(program)]) == 1
    assert "cannot use helper bpf_map_lookup_elem" in capsys.readouterr().out


def test_a_damaged_file(capsys, vendor, tmp_path):
    path = Path(vendor)
    path.write_text(path.read_text() + "nonsense\n")
    status, _, err = run(capsys, "show", vendor)
    assert status == 2 and err.startswith(f"osmia: {vendor}:15: 'nonsense'"[:20]) and ":15" in err
    assert json.loads(run(capsys, "show", vendor, "--json")[2])["exit_status"] == 2


class Told(recording.Recording):
    """A recording without a kernel."""

    @classmethod
    def of_running_kernel(cls, progress=None):
        assert progress("contexts") is None
        return cls("6.18.9-vendor", VENDOR, recording.Btf(), 7)


def test_record_writes_two_files(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "Recording", Told)
    path = tmp_path / "mine.txt"
    monkeypatch.setattr(recording, "shipped", lambda types, kfuncs: b"types")
    status, out, _ = run(capsys, "record", "-o", str(path))
    assert status == 0 and out == f"Linux 6.18.9-vendor: 7 programs asked; wrote {path} and {tmp_path}/mine.btf.xz\n"
    assert path.read_text() == VENDOR and (tmp_path / "mine.btf.xz").read_bytes() == b"types"
    (tmp_path / "mine.btf.xz").unlink()
    status, out, _ = run(capsys, "record", "-o", str(path), "--no-types", "--json")
    assert json.loads(out) == {"release": "6.18.9-vendor", "files": [str(path)], "questions": 7}
    assert not (tmp_path / "mine.btf.xz").exists()
    assert run(capsys, "record", "-o", "-")[1] == VENDOR


def test_record_without_a_kernel(capsys, monkeypatch):
    monkeypatch.setattr(recording, "available", lambda: "bpf(2) refuses to load a program: EPERM")
    status, _, err = run(capsys, "record", "-o", "x.txt")
    assert status == 3 and "EPERM" in err


def test_the_bar_counts(monkeypatch):
    bar = cli._Bar()
    with bar as phase:
        told = phase("contexts")
        told(100, 3)
        told(250, 9)
        phase("maps")(10, 1)
    assert bar.asked == 260


@pytest.mark.slow
@pytest.mark.skipif(available() is not None or os.uname().release != profile.load("6.18").release, reason="not 6.18")
def test_the_running_kernel_is_as_recorded(tmp_path):
    """The whole recording: what is shipped for 6.18 was recorded from this kernel, and still holds."""
    path = tmp_path / "now.txt"
    assert main(["profile", "record", "-o", str(path), "--no-types"]) == 0
    assert main(["profile", "diff", "6.18", str(path)]) == 0


def test_help_of_each():
    for name in ("list", "show", "diff", "record"):
        assert "Examples:" in CliRunner().invoke(cli.command, [name, "--help"]).output
