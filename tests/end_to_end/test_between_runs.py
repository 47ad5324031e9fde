"""User space reads and writes a map between a program's runs on either CPU: the same answers here and in the kernel."""

from __future__ import annotations

import os
import random
import struct

import pytest
from end_to_end import judge

import osmia
from osmia import live
from osmia.cc import installed_compilers
from osmia.errors import MapError
from osmia.live.maps import LiveMap, possible_cpus
from osmia.maps import Map, commands

WHY_NOT = live.available() or (None if installed_compilers() else "no C compiler with the BPF target")
pytestmark = [pytest.mark.live, pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))]
SEED = int(os.environ.get("OSMIA_SEED", "1"))
STEPS = 30
TYPES = ("ARRAY", "HASH", "LRU_HASH", "PERCPU_HASH", "LRU_PERCPU_HASH", "PERCPU_ARRAY")
SOURCE = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct {
        __uint(type, BPF_MAP_TYPE_%s); __uint(max_entries, %d); __type(key, __u32); __type(value, __u64);
} m SEC(".maps");
SEC("xdp") int test(struct xdp_md *ctx)
{
        unsigned char *d = (void *)(long)ctx->data;
        __u32 h = 1;

        if (d + 40 > (unsigned char *)(long)ctx->data_end)
                return 0;
        for (int i = 14; i < 30; i += 2) {
                __u32 k = d[i] & 15;
                __u64 v = d[i + 1], *p;

                switch (d[i + 1] & 3) {
                case 0: h = h * 31 + bpf_map_update_elem(&m, &k, &v, d[i] >> 6); break;
                case 1: h = h * 31 + bpf_map_delete_elem(&m, &k); break;
                default: p = bpf_map_lookup_elem(&m, &k); h = p ? h * 31 + (*p += v) : h * 7;
                }
        }
        return h;
}
char LICENSE[] SEC("license") = "GPL";
"""


def answer(operation, *arguments: object) -> object:
    try:
        return operation(*arguments)
    except MapError as error:
        return error.errno


def user_space(chance: random.Random, ours: Map, theirs: LiveMap) -> tuple[object, object]:
    """One command of bpf(2) on both maps."""
    key, value = struct.pack("=I", chance.randrange(16)), chance.randbytes(theirs.value_size)
    flags, what = chance.randrange(3), chance.randrange(4)
    if what == 0:
        return answer(commands.update_elem, ours, key, value, flags), answer(theirs.update, key, value, flags)
    if what == 1:
        return answer(commands.delete_elem, ours, key), answer(theirs.__delitem__, key)
    if what == 2:
        return answer(commands.lookup_elem, ours, key), answer(theirs.__getitem__, key)
    return answer(commands.lookup_and_delete_elem, ours, key), answer(theirs.take, key)


@pytest.mark.parametrize("entries", [4, 9])
@pytest.mark.parametrize("kind", TYPES)
def test_the_same_answers(kind, entries):
    compiled = osmia.compile(SOURCE % (kind, entries)).raw
    for seed in range(SEED, SEED + 3):
        chance, collection = random.Random(f"{kind} {entries} {seed}"), osmia.Collection(compiled, cpus=possible_cpus())
        world = osmia.World(cpus=possible_cpus())
        ours, mine = collection["test"].load(world=world), collection.maps["m"]
        with collection["test"].load("live") as theirs:
            for step in range(STEPS):
                world.cpu, packet = chance.randrange(world.cpus), chance.randbytes(64)
                if chance.random() < 0.5:
                    with judge.on_cpu(world.cpu):
                        got = ours.run(data=packet).retval, theirs.run(data=packet).retval
                else:
                    with judge.on_cpu(0):  # where ours does the commands of bpf(2)
                        got = user_space(chance, mine, theirs.maps["m"])
                assert got[0] == got[1], (seed, step)
            assert list(judge.contents(mine)) == list(judge.kernel_contents(theirs.maps["m"])), seed
