"""``osmia run`` and ``osmia run --on live``: the examples say the same, and maps look the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from osmia import live
from osmia.cc import installed_compilers
from osmia.cli.main import main

EXAMPLES = Path(__file__).parents[2] / "examples"
WHY_NOT = live.available() or (None if installed_compilers() else "no C compiler with the BPF target")
pytestmark = [pytest.mark.live, pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))]

EVERY_MAP = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#define MAP(name, kind, entries) struct { __uint(type, BPF_MAP_TYPE_##kind); __uint(max_entries, entries); \\
        __type(key, __u32); __type(value, struct value); } name SEC(".maps")
#define KEYLESS(name, kind) struct { __uint(type, BPF_MAP_TYPE_##kind); __uint(max_entries, 4); \\
        __type(value, __u32); } name SEC(".maps")
enum color { RED, GREEN };
struct value { __u32 n; enum color color; char text[8]; };
MAP(array, ARRAY, 3);
MAP(hash, HASH, 3);
MAP(lru, LRU_HASH, 8);
KEYLESS(queue, QUEUE);
KEYLESS(stack, STACK);
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 5000); } ring SEC(".maps");
struct inner { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u32); };
struct inner inside SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); __uint(max_entries, 3); __type(key, __u32);
         __array(values, struct inner); } outer SEC(".maps") = { .values = { [1] = &inside } };
int next(struct xdp_md *);
struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, 3); __uint(key_size, 4);
         __array(values, int(struct xdp_md *)); } jumps SEC(".maps") = { .values = { [2] = (void *)&next } };
__u64 sum = 3;
SEC("xdp") int next(struct xdp_md *ctx) { sum += 4; return XDP_DROP; }
SEC("xdp") int start(struct xdp_md *ctx)
{
        struct value v = {.n = 7, .color = GREEN, .text = "seven"}, *p;
        __u32 key = 2, one = 1, *n;
        void *map = bpf_map_lookup_elem(&outer, &one);
        bpf_map_update_elem(&array, &key, &v, 0);
        bpf_map_update_elem(&hash, &key, &v, 0);
        bpf_map_update_elem(&lru, &key, &v, 0);
        bpf_map_push_elem(&queue, &key, 0);
        bpf_map_push_elem(&queue, &one, 0);
        bpf_map_push_elem(&stack, &key, 0);
        bpf_map_push_elem(&stack, &one, 0);
        bpf_ringbuf_output(&ring, &v, sizeof(v), 0);
        key = 0;
        if (map && (n = bpf_map_lookup_elem(map, &key)))
                *n = 9;
        bpf_tail_call(ctx, &jumps, 2);
        return XDP_ABORTED;
}
char LICENSE[] SEC("license") = "GPL";
"""


def run(capsys, where: str, *arguments: object) -> dict:
    assert main(["run", "--json", "--on", where, *map(str, arguments)]) == 0
    return json.loads(capsys.readouterr().out)


def maps(said: dict) -> dict:
    """By name, with elements in order."""
    kept = ("type", "key_size", "value_size", "max_entries", "elements", "records")
    made = {m["name"]: {k: m[k] for k in kept if k in m} for m in said["maps"]}
    for m in made.values():
        m["elements"].sort(key=lambda row: str(row["key"]))
    return made


def counts(said: dict) -> list:
    return [{k: p.get(k) for k in ("program", "hook", "runs", "actions", "retvals")} for p in said["programs"]]


def verdicts(said: dict) -> list:
    return [(row["number"], row["retval"], row["action"]) for row in said["packets"]]


@pytest.mark.parametrize(
    ("name", "arguments"), [("xdp_filter", ()), ("subprogs", ()), ("tailcall", ("-p", "classify")), ("tailcall", ())]
)
def test_examples(capsys, name, arguments):
    call = (EXAMPLES / f"{name}.bpf.c", "--pcap", EXAMPLES / "packets.pcap", "--map-dump", *arguments)
    here, there = run(capsys, "vm", *call), run(capsys, "live", *call)
    assert counts(here) == counts(there) and counts(here)[0]["runs"] > 5
    assert maps(here) == maps(there)
    assert verdicts(here) == verdicts(there) and len(verdicts(here)) == counts(here)[0]["runs"]


def test_every_kind_of_map_looks_the_same(capsys, tmp_path):
    source = tmp_path / "maps.bpf.c"
    source.write_text(EVERY_MAP)
    call = (source, "-p", "start", "--data", bytes(range(64)).hex(), "--map-dump")
    here, there = run(capsys, "vm", *call), run(capsys, "live", *call)
    assert counts(here) == counts(there) and counts(here)[0]["actions"] == {"XDP_DROP": 1}
    ours, theirs = maps(here), maps(there)
    assert {name: ours[name] for name in theirs} == theirs  # live, only the maps that the programs refer to
    value = {"n": 7, "color": "GREEN", "text": "seven"}
    assert ours["array"]["elements"][2] == {"key": 2, "value": value}
    assert ours["hash"]["elements"] == [{"key": 2, "value": value}]
    assert [row["value"] for row in ours["queue"]["elements"]] == [2, 1]
    assert [row["value"] for row in ours["stack"]["elements"]] == [1, 2]
    assert ours["ring"]["records"] == ["0700000001000000736576656e000000"] and ours["ring"]["max_entries"] == 8192
    assert ours["jumps"]["elements"] == [{"key": 2, "value": "next"}]
    assert ours["outer"]["elements"] == [{"key": 1, "value": "inside"}]


def test_tracing_programs_say_that_they_can_only_be_attached(capsys):
    assert main(["run", "--on", "live", str(EXAMPLES / "unlink.bpf.c"), "-p", "report_unlink"]) != 0
    assert "only attached" in capsys.readouterr().err


def test_acts_need_a_world(capsys):
    assert main(["run", "--on", "live", str(EXAMPLES / "xdp_filter.bpf.c"), "--do", "touch a"]) == 2
    assert "simulated world" in capsys.readouterr().err
