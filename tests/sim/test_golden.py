"""The world's trace pipe equals a real kernel's: every line recorded in a 6.1 guest, times, pids and load aside."""

import json
import platform
import re
from pathlib import Path

import pytest

import osmia
from osmia.errors import Unavailable

HERE = Path(__file__).parent
EXAMPLES = HERE.parent.parent / "examples"
PROBES = HERE / "progs" / "probes.bpf.c"


def rows(name):
    return [json.loads(line) for line in (HERE / "golden" / name).read_text().splitlines()]


def masked(line):
    """Without what differs from run to run: pids, time, and whether the scheduler happened to want the CPU."""
    line = re.sub(r"^( *)(\S+)-\d+ *(\[\d+\]) (.).(.{3}) +\d+\.\d+:", r"\1\2-PID \3 \4.\5 TIME:", line)
    return re.sub(r"pid \d+", "pid PID", line)


@pytest.fixture(scope="module")
def compiled():
    made = {}

    def get(path):
        if path not in made:
            try:
                made[path] = osmia.compile(path, btf=osmia.World().btf)
            except Unavailable as e:
                pytest.skip(str(e))
        return made[path]

    return get


def traced(program, hook, acts):
    world = osmia.World()
    world.attach(program.load(world=world), hook)
    world.do(acts)
    return str(world.pipe).splitlines()


@pytest.mark.parametrize("row", rows("kprobes-6.1.jsonl"), ids=lambda row: row["program"])
def test_the_examples_print_what_a_kernel_prints(row, compiled):
    program = compiled(EXAMPLES / f"{row['example']}.bpf.c")[row["program"]]
    hook = row["hook"].removesuffix(".constprop.0")  # gcc's name for the function in that kernel's image
    assert [masked(x) for x in traced(program, hook, row["acts"])] == [masked(x) for x in row["trace"]]


@pytest.mark.parametrize("row", rows("probes-6.1.jsonl"), ids=lambda row: row["program"])
def test_every_kind_of_hook_prints_what_a_kernel_prints(row, compiled):
    program = compiled(PROBES)[row["program"]]
    assert [masked(x) for x in traced(program, None, row["acts"])] == [masked(x) for x in row["trace"]]


def test_the_other_machine_prints_the_same(monkeypatch):
    """arm64's registers in every place where x86-64's were recorded (on arm64: the other way round)."""
    other = "x86_64" if platform.machine() == "aarch64" else "aarch64"
    monkeypatch.setattr(platform, "machine", lambda: other)
    try:
        made = [osmia.compile(path, btf=osmia.World().btf) for path in (EXAMPLES / "unlink.bpf.c", PROBES)]
    except Unavailable as e:
        pytest.skip(str(e))
    programs = {program.name: program for collection in made for program in collection.programs.values()}
    for row in rows("probes-6.1.jsonl") + [r for r in rows("kprobes-6.1.jsonl") if r["program"] in programs]:
        hook = row["hook"].removesuffix(".constprop.0") if "example" in row else None
        lines = traced(programs[row["program"]], hook, row["acts"])
        assert [masked(x) for x in lines] == [masked(x) for x in row["trace"]], row["program"]
    opens = osmia.compile(EXAMPLES / "opens.bpf.c", btf=osmia.World().btf)["count_open"]
    assert [line.partition(": bpf_trace_printk: ")[2] for line in traced(opens, None, "cat a")] == ["cat opens a"]


def test_the_mask_leaves_the_rest_alone():
    line = "              rm-80      [000] .N.21     2.017950: bpf_trace_printk: dentry a of 1 bytes"
    assert masked(line) == "              rm-PID [000] ...21 TIME: bpf_trace_printk: dentry a of 1 bytes"
