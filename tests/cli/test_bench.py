"""``osmia bench``: the table, JSON, what it measures on."""

import json

import pytest

from osmia.cli.main import main
from osmia.sim import packet, pcap

QUICK = ["--rounds", "3", "--sample-ms", "0.05", "--engine", "interp", "--engine", "unchecked"]
LENGTH = "r2 = *(u32 *)(r1 + 0)\nr0 = *(u32 *)(r1 + 4)\nr0 -= r2\nexit\n"


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "length.s"
    path.write_text('.section xdp,"ax"\n.globl length\nlength:\n' + LENGTH)
    return str(path)


def bench(capsys, *args):
    status = main(["bench", *args])
    out, err = capsys.readouterr()
    return status, out, err


def test_a_table_with_a_line_for_each_engine(capsys, program):
    status, out, _ = bench(capsys, program, *QUICK)
    assert status == 0 and "length, one run" in out and "interpreter, unchecked" in out
    assert "osmia" in out.splitlines()[0] and "Linux" in out.splitlines()[0]
    assert "JIT" not in out and "not here: no osmia-peer-rbpf" in out


def test_json(capsys, program):
    status, out, _ = bench(capsys, program, "--data", "00" * 20, *QUICK, "--json")
    said = json.loads(out)
    assert status == 0 and said["program"] == "length" and said["packets"] == 1
    first = said["subjects"][0]
    assert first["name"] == "interpreter" and first["insns"] == 4 and first["ns"] > 0 and first["first_ns"] > 0
    assert {"osmia", "kernel", "cpus", "compiled"} <= set(said["machine"])


def test_packets_of_a_capture(capsys, program, tmp_path):
    path = tmp_path / "a.pcap"
    pcap.write(path, [packet.udp4("10.0.0.1", "10.0.0.2", 1, n, b"x" * n) for n in range(40)])
    _, out, _ = bench(capsys, program, "--pcap", str(path), "--packets", "3", *QUICK, "--json")
    said = json.loads(out)
    assert said["packets"] == 3 and all(len(str(s["ns"])) and s["ns"] > 0 for s in said["subjects"])


def test_a_capture_without_packets(capsys, program, tmp_path):
    path = tmp_path / "none.pcap"
    pcap.write(path, [])
    status, _, err = bench(capsys, program, "--pcap", str(path), *QUICK)
    assert status == 2 and "no packets" in err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--data", "0x1"], "odd number"),
        (["--prog", "other"], "no program 'other'"),
        (["--engine", "warp"], "warp"),
        (["--rounds", "0"], "rounds"),
    ],
)
def test_what_it_does_not_take(capsys, program, args, words):
    status, _, err = bench(capsys, program, *args)
    assert status == 2 and words in err


def test_a_faulting_program_says_why_it_was_not_timed(capsys, tmp_path):
    path = tmp_path / "bad.s"
    path.write_text("r2 = *(u32 *)(r1 + 0)\nr0 = *(u8 *)(r2 + 1000)\nexit\n")
    status, out, _ = bench(capsys, str(path), "--engine", "interp", "--rounds", "1")
    assert status == 0 and "skipped: interpreter: " in out


def test_instructions_on_memory_are_for_other_machines_too(capsys, tmp_path, monkeypatch):
    peer = tmp_path / "peer"
    peer.write_text("#!/bin/sh\nwhile read word rest; do\n"
                    '[ "$word" = load ] && echo "ok 5" || echo "ok 7 $((rest * 10))"\ndone\n')  # fmt: skip
    peer.chmod(0o755)
    monkeypatch.setenv("OSMIA_PEER_RBPF", str(peer))
    path = tmp_path / "seven.s"
    path.write_text("r0 = 7\nexit\n")
    _, out, _ = bench(capsys, str(path), "--rounds", "2", "--sample-ms", "0.01",
                      "--engine", "interp", "--engine", "peers", "--json")  # fmt: skip
    rbpf = json.loads(out)["subjects"][-1]
    assert rbpf["name"] == "rbpf JIT" and rbpf["ns"] == 10.0 and rbpf["compile_ns"] == 5
