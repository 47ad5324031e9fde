"""Creation: the same errnos as the running kernel's, for random and for edge attributes."""

import os

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from maps import realmap

from osmia.kernel.uapi import MAP_FLAGS, MAP_TYPE
from osmia.maps.check import check_name
from osmia.maps.create import TYPES, adjust, refusal
from osmia.obj.model import MapSpec

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(realmap.unavailable()), reason=str(realmap.unavailable()))]

CPUS = realmap.possible_cpus()
SIZES = st.sampled_from([0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 31, 64, 260, 261, 511, 4096, 32767, 32768, 32769, 1 << 20])
BIG = st.sampled_from([(4 << 20) - d for d in (0, 1, 47, 48, 49, 52, 53, 296, 297, 4096)] + [1 << 31, (1 << 32) - 1])
ENTRIES = st.sampled_from([0, 1, 2, 3, 7, 8, 64, 100, 4096, 4097, 8192, 12288])
FLAG_BITS = [MAP_FLAGS[n] for n in MAP_FLAGS if n not in ("token_fd", "vtype_btf_obj_fd", "path_fd")]
FLAGS = st.lists(st.sampled_from(FLAG_BITS), max_size=3).map(lambda bits: sum(set(bits)))
UNSUPPORTED = ("array_of_maps", "hash_of_maps")


def asked(spec: MapSpec, inner_fd: int = 0) -> int:
    fd = realmap.create(spec, inner_fd)
    if fd >= 0:
        os.close(fd)
        return 0
    return -fd


PLAIN = st.sampled_from([t for t in TYPES if t not in UNSUPPORTED])


@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(PLAIN, SIZES, SIZES | BIG, ENTRIES, FLAGS, st.sampled_from([0, 0, 0, 1, 15, 16]), st.sampled_from([0, 0, 1]))
@example("lru_hash", 4, 8, 3, MAP_FLAGS["no_common_lru"], 0, 0)
@example("hash", 4, 8, 1 << 28, MAP_FLAGS["no_prealloc"], 0, 0)
@example("hash", 4, 8, (1 << 31) + 1, MAP_FLAGS["no_prealloc"], 0, 0)
def test_random_attributes(type_, key, value, entries, flags, extra, numa):
    spec = MapSpec("m", type_, key, value, entries, flags, extra, numa_node=numa)
    if entries * (key + value) > 1 << 27 and "percpu" not in type_ and refusal(spec, CPUS) == 0:
        return  # memory, not rules
    if type_ == "cpumap":
        spec.max_entries = min(entries, 2)
    assert asked(spec) == refusal(spec, CPUS), spec


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(PLAIN, st.data())
def test_nearly_right_attributes(type_, data):
    keyless = type_ in ("queue", "stack", "bloom_filter", "ringbuf")
    key = 0 if keyless else 8 if type_ == "lpm_trie" else 4
    value = 0 if type_ == "ringbuf" else 4
    flags = MAP_FLAGS["no_prealloc"] if type_ == "lpm_trie" else 0
    spec = MapSpec("m", type_, key, value, 4096, flags)
    field = data.draw(st.sampled_from(["flags", "flags", "flags", "key_size", "value_size", "max_entries"]))
    setattr(spec, field, data.draw(FLAGS if field == "flags" else SIZES | BIG if field == "value_size" else SIZES))
    if type_ == "cpumap":
        spec.max_entries = min(spec.max_entries, 2)  # the limit is the kernel's CONFIG_NR_CPUS
    if spec.value_size * spec.max_entries > 1 << 27:
        spec.max_entries = 1 if type_ != "ringbuf" else 4096
    assert asked(spec) == refusal(spec, CPUS), spec


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(UNSUPPORTED),
    st.sampled_from(sorted(TYPES)),
    st.sampled_from([0, 4]),
    st.sampled_from([4, 8]),
    FLAGS,
    FLAGS,
)
def test_maps_of_maps(outer, inner, key, value, flags, inner_flags):
    template = MapSpec("i", inner, 4, 4, 2 if inner == "cpumap" else 4096, inner_flags)
    if inner in ("queue", "stack", "bloom_filter", "ringbuf"):
        template.key_size = 0
    if inner == "ringbuf":
        template.value_size = 0
    if inner == "lpm_trie":
        template.flags |= MAP_FLAGS["no_prealloc"]
        template.key_size = 8
    base = MapSpec("b", "array", 4, 4, 1)
    fd = realmap.create(template, realmap.create(base) if inner in UNSUPPORTED else 0)
    template.inner = base if inner in UNSUPPORTED else None
    if fd < 0:
        assert -fd == refusal(template, CPUS), template
        return
    spec = MapSpec("o", outer, key, value, 3, flags, inner=template)
    try:
        assert asked(spec, fd) == refusal(spec, CPUS), spec
    finally:
        os.close(fd)


@pytest.mark.parametrize("name", ["", "a", "a.b_C9", "x" * 15, "a-b", "a b", "é", "a/b"])
def test_names(name):
    assert asked(MapSpec(name, "array", 4, 4, 1)) == check_name(name)


def test_libbpf_sizes_are_accepted():
    for wanted in (1, 4095, 4096, 4097, 10000):
        assert asked(adjust(MapSpec("r", "ringbuf", max_entries=wanted), CPUS)) == 0


def test_every_type_is_known():
    assert set(TYPES) <= set(MAP_TYPE)
