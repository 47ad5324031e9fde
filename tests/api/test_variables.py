"""Global variables and typed records from Python."""

import pytest

import osmia
from osmia.errors import Unavailable, UsageError

C = """#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
struct event { int pid; char comm[16]; enum { READ = 1, WRITE } what; };
typedef struct event event_t;
const volatile int limit = 10;
const volatile char name[8] = "cat";
const volatile struct { int lo, hi; } range = { 1, 2 };
int level = 3;
__u64 hits;
event_t *unused;
static struct event kept = { .what = WRITE };
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } rb SEC(".maps");
SEC("xdp") int f(struct xdp_md *c)
{
	hits += level;
	kept.pid = limit + range.hi;
	kept.comm[0] = name[0];
	bpf_ringbuf_output(&rb, &kept, sizeof kept, 0);
	return limit;
}
char l[] SEC("license") = "GPL";
"""


@pytest.fixture
def collection():
    try:
        return osmia.compile(C)
    except Unavailable as e:
        pytest.skip(str(e))


def test_variables_before_and_after_loading(collection):
    v = collection.variables
    assert {name: v[name] for name in ("limit", "name", "level", "hits")} == {
        "limit": 10, "name": "cat", "level": 3, "hits": 0,
    }  # fmt: skip
    v["limit"], v["name"], v["level"], v["range"] = 2, "ls", 5, {"lo": 0, "hi": 40}
    v["range"].hi += 1
    program = collection.load("f")
    assert program.run(data=bytes(64), repeat=3).retval == 2
    assert v["hits"] == 15 and v["limit"] == 2
    assert [(e.pid, e.comm, str(e.what)) for e in map(event(collection), collection.maps["rb"].consume())] == (
        [(43, "l", "WRITE")] * 3
    )
    v["hits"] = 0
    program.run(data=bytes(64))
    assert v["hits"] == 5


def event(collection):
    return lambda record: collection.decode("struct event", record)


@pytest.mark.parametrize(("name", "value", "words"), [
    ("nope", 1, "no variable 'nope' .*limit"), ("limit", "x", "no value of int"), ("limit", 1 << 40, "fit|range|bits"),
    ("name", "much too long", "long|fit|bytes"), ("range", {"mid": 1}, "mid"),
])  # fmt: skip
def test_what_does_not_fit(collection, name, value, words):
    with pytest.raises(UsageError, match=words):
        collection.variables[name] = value


def test_constants_stay_once_loaded(collection):
    collection.load("f")
    with pytest.raises(UsageError, match="limit is const"):
        collection.variables["limit"] = 3


def test_records_by_type(collection):
    record = (7).to_bytes(4, "little") + b"ls".ljust(16, b"\0") + (1).to_bytes(4, "little")
    for name in ("struct event", "event", "event_t"):
        found = collection.decode(name, record)
        assert (found.pid, found.comm, str(found.what)) == (7, "ls", "READ")
    with pytest.raises(UsageError, match="too few"):
        collection.decode("struct event", b"short")
    for name in ("struct nope", "union event", "", "struct "):
        with pytest.raises(UsageError, match="no type"):
            collection.decode(name, record)
