"""What ``osmia emit`` writes is what the kernel holds afterwards (``bpftool prog dump xlated``), rewriting aside.

Calls and map loads are the exception: the kernel puts addresses and ids there, and so only their kind is compared, and
where calls of functions go.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from osmia import cc, live
from osmia.cc import CPUS, installed_compilers
from osmia.cli.main import main
from osmia.inputs import load
from osmia.isa import Insn, decode
from osmia.isa import consts as c

BPFTOOL = shutil.which("bpftool") or shutil.which("/usr/sbin/bpftool")
WHY_NOT = live.available() or (None if installed_compilers() else "no C compiler with the BPF target")
pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT)),
    pytest.mark.skipif(BPFTOOL is None, reason="no bpftool"),
]
CALL = c.BPF_JMP | c.BPF_CALL
HEAD = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
char LICENSE[] SEC("license") = "GPL";
"""
SOURCES = {
    "arithmetic": """
static __u32 table[8] = {3, 1, 4, 1, 5, 9, 2, 6};
volatile __u64 start = 5;
SEC("socket") int test(struct __sk_buff *skb)
{
        __u64 h = start;
        #pragma clang loop unroll(disable)
        for (int i = 0; i < 20; i++) {
                h = (h ^ table[h & 7]) * 0x100000001b3ULL;
                h ^= (__s64)h >> 17;
                switch (h & 7) {
                case 0: h += 11; break;
                case 1: h -= (__s16)h; break;
                case 3: h ^= __builtin_bswap32(h);
                case 5: h = -h; break;
                }
        }
        return h ^ h >> 32;
}""",
    "functions": """
static __noinline __u64 twice(__u64 x) { return x * 2 + (x >> 60); }
static __noinline __u64 four(__u64 x) { return twice(twice(x) | 1) ^ x; }
__noinline int all(__u32 a, __u32 b) { return a > b ? four(a) - b : four(b) + twice(a); }
SEC("xdp") int test(struct xdp_md *ctx) { return all(bpf_get_prandom_u32(), 7); }""",
    "callbacks": """
struct {
        __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 4); __type(key, __u32); __type(value, __u32);
} hash SEC(".maps");
static long turn(void *map, __u32 *key, __u32 *value, __u64 *sum)
{
        *sum += *key;
        return *sum > 40 && *value;
}
SEC("tc") int test(struct __sk_buff *skb)
{
        __u64 sum = 1;
        long turns = bpf_for_each_map_elem(&hash, turn, &sum, 0);
        return sum + turns;
}""",
    "stack": """
struct pair { __u32 a; __s16 b; __s8 c; __u8 d; };
volatile __u8 seed = 3;
SEC("socket") int test(struct __sk_buff *skb)
{
        volatile struct pair pairs[4] = {};
        int sum = 0;
        for (int i = 0; i < 4; i++) {
                pairs[i] = (struct pair){seed * i, -seed, seed - 5, i};
                sum += pairs[i].a ^ pairs[i].b ^ pairs[i].c << pairs[i].d;
        }
        return sum;
}""",
}


def emitted(path: Path, capsys) -> list[Insn]:
    assert main(["emit", str(path)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    return decode(bytes.fromhex(json.loads(line)["insns_hex"]))


def held(path: Path, place: Path) -> list[Insn]:
    """The instructions that the kernel has after loading."""
    (program,) = load(path).programs.values()
    with live.load(program) as loaded:
        facts = dict(line.split(":\t") for line in Path(f"/proc/self/fdinfo/{loaded.fd}").read_text().splitlines())
        command = [BPFTOOL, "prog", "dump", "xlated", "id", facts["prog_id"], "file", str(place)]
        subprocess.run(command, check=True, capture_output=True)
    return decode(place.read_bytes())


def comparable(insns: list[Insn]) -> list[object]:
    made: list[object] = []
    for pc, insn in enumerate(insns):
        if pc and insns[pc - 1].is_wide and insns[pc - 1].src_reg:
            made.append("second slot")
        elif insn.is_wide and insn.src_reg:
            made.append(("load", insn.dst_reg, insn.src_reg))
        elif insn.code == CALL and insn.src_reg == c.BPF_PSEUDO_CALL:
            made.append(insn.src_reg)
        else:
            made.append("helper" if insn.code == CALL else insn)
    return made


def local_calls(insns: list[Insn], moved: bool) -> list[int]:
    """Where calls go; the kernel keeps that in ``off``."""
    calls = [(pc, insn) for pc, insn in enumerate(insns) if insn.code == CALL and insn.src_reg == c.BPF_PSEUDO_CALL]
    return [pc + 1 + (insn.off if moved else insn.imm) for pc, insn in calls]


@pytest.mark.parametrize("cpu", CPUS)
@pytest.mark.parametrize("name", SOURCES)
def test_emitted_is_what_the_kernel_holds(name, cpu, tmp_path, capsys):
    path = tmp_path / f"{name}.bpf.o"
    path.write_bytes(cc.compile(HEAD + SOURCES[name], cpu=cpu))
    ours, theirs = emitted(path, capsys), held(path, tmp_path / "xlated")
    assert comparable(ours) == comparable(theirs)
    assert local_calls(ours, moved=False) == local_calls(theirs, moved=True)
    assert len(ours) > 10
