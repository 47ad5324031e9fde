"""Maps from Python: items by key, BTF types, per-CPU lists, repr, JSON, typed errors."""

import contextlib
import errno
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osmia.btf import Array, Btf, Enum, Int, Member, Struct, Typedef, Union
from osmia.btf.types import CHAR, SIGNED, EnumValue
from osmia.errors import MapError, MissingBody, OsmiaError, UsageError
from osmia.kernel.uapi import MAP_FLAGS, MAP_TYPES, MAP_TYPES_6_18
from osmia.maps import TYPES, create, create_all
from osmia.obj.model import MapSpec


def typed_spec(type_="hash", entries=8):
    btf = Btf()
    u32, s16 = btf.add(Int("unsigned int", 4)), btf.add(Int("short", 2, SIGNED))
    u8, char = btf.add(Int("unsigned char", 1)), btf.add(Int("char", 1, SIGNED))
    name, mac = btf.add(Array(char, u32, 16)), btf.add(Array(u8, u32, 6))
    color = btf.add(Enum("color", 4, (EnumValue("RED", 0), EnumValue("BLUE", 7))))
    point = btf.add(Struct("point", 8, (Member("x", s16, 0), Member("y", s16, 16), Member("c", color, 32))))
    inner = btf.add(Union("", 4, (Member("word", u32, 0), Member("half", s16, 0))))
    bits = (Member("low", u32, 320, 3), Member("high", u32, 323, 5))
    members = (Member("hits", u32, 0), Member("name", name, 32), Member("mac", mac, 160), Member("at", point, 224))
    value = btf.add(Struct("value", 44, (*members, Member("", inner, 288), *bits), True))
    alias = btf.add(Typedef("value_t", value))
    assert CHAR
    return MapSpec("typed", type_, 4, 44, entries, btf=btf, btf_key_type_id=u32, btf_value_type_id=alias)


def test_fields_read_and_write_through_the_map():
    m = create(typed_spec())
    m[1] = {"hits": 5, "name": "cat", "mac": [1, 2, 3], "at": {"x": -2, "c": "BLUE"}, "low": 5, "high": 31, "half": -1}
    v = m[1]
    assert (v.hits, v.name, list(v.mac), v.at.x, v.at.c, str(v.at.c)) == (5, "cat", [1, 2, 3, 0, 0, 0], -2, 7, "BLUE")
    assert (v.low, v.high, v.word) == (5, 31, 0xFFFF)
    m[1].hits += 1
    m[1].at.y = 300
    m[1].mac[5] = 0xFF
    m[1].low = 2
    assert (m[1].hits, m[1].at.y, list(m[1].mac), m[1].low, m[1].high) == (6, 300, [1, 2, 3, 0, 0, 255], 2, 31)
    assert v.hits == 5, "what was read before is a copy"
    assert m[1] == {**{"hits": 6, "name": "cat", "mac": [1, 2, 3, 0, 0, 255], "low": 2, "high": 31},
                    **{"at": {"x": -2, "y": 300, "c": "BLUE"}, "word": 65535, "half": -1}}  # fmt: skip
    assert "name: 'cat'" in repr(m[1]) and "BLUE (7)" in repr(m)


def test_values_of_every_kind_are_taken():
    m = create(typed_spec())
    m[1] = bytes(range(44))
    assert bytes(m[1]) == bytes(range(44))
    m[2] = m[1]
    assert m[2] == m[1]
    m[3] = (7, "dog")
    assert (m[3].hits, m[3].name) == (7, "dog")
    assert sorted(m) == [1, 2, 3] and len(m) == 3 and 2 in m and 9 not in m and m.get(9) is None
    del m[2]
    assert 2 not in m


@pytest.mark.parametrize("value", ["text", 5, {"nope": 1}, {"hits": "x"}, {"hits": 1 << 32}, {"hits": 1.5}, b"short",
                                   {"low": 8}, {"mac": [0] * 7}, {"name": "x" * 17}, {"at": 3}, [0] * 99])  # fmt: skip
def test_values_that_do_not_fit(value):
    with pytest.raises(UsageError):
        create(typed_spec())[1] = value


def test_unknown_fields_are_named():
    m = create(typed_spec())
    m[1] = {}
    with pytest.raises(AttributeError, match="no field 'nope'; known: hits, name"):
        _ = m[1].nope
    with pytest.raises(UsageError, match="no field"):
        m[1].nope = 1
    with pytest.raises(IndexError):
        _ = m[1].mac[6]


def test_per_cpu_values_are_lists():
    m = create(typed_spec("percpu_hash"), cpus=3)
    m[1] = [{"hits": n} for n in (1, 2, 3)]
    assert [v.hits for v in m[1]] == [1, 2, 3]
    m[2] = {"hits": 9}
    assert [v.hits for v in m[2]] == [9, 9, 9]
    with pytest.raises(UsageError, match="3 values, one per CPU"):
        m[1] = [{}]


def test_without_types_small_values_are_numbers():
    m = create(MapSpec("plain", "hash", 4, 8, 4))
    m[1] = 5
    m[b"\2\0\0\0"] = b"abcdefgh"
    m[3] = -1
    assert dict(m.items()) == {1: 5, 2: int.from_bytes(b"abcdefgh", "little"), 3: (1 << 64) - 1}
    assert repr(create(MapSpec("c", "array", 4, 8, 2))) == "<c: array of 8 bytes by 4, 2 of 2: {0: 0, 1: 0}>"
    with pytest.raises(UsageError):
        m[1 << 32] = 0


@pytest.mark.parametrize("type_", sorted(TYPES))
def test_every_type_has_a_repr_and_json(type_):
    spec = MapSpec("m", type_, 4, 4, 4, inner=MapSpec("i", "array", 4, 4, 1))
    if type_ in ("queue", "stack", "bloom_filter", "ringbuf"):
        spec.key_size = 0
    if type_ == "ringbuf":
        spec.value_size, spec.max_entries = 0, 4096
    if type_ == "lpm_trie":
        spec.key_size, spec.flags = 8, MAP_FLAGS["no_prealloc"]
    m = create(spec)
    assert repr(m).startswith(f"<m: {type_}")
    assert json.loads(json.dumps(m.to_json()))["type"] == type_
    assert m.regions()[0].owner is m and m.regions() is not None
    assert bool(m)


@pytest.mark.parametrize("name", sorted(set(MAP_TYPES[1:MAP_TYPES_6_18]) - set(TYPES)))
def test_types_without_a_body_say_so(name):
    m = create(MapSpec("m", name, 4, 4, 1))
    assert name in repr(m) and m.to_json()["type"] == name and len(m.regions()) == 1
    for use in (lambda: m[0], lambda: list(m), lambda: m.__setitem__(0, 0), lambda: m.lookup(m.address, 0)):
        with pytest.raises(MissingBody, match=name):
            use()


def test_unknown_types_are_refused():
    with pytest.raises(UsageError, match="unknown map type 'nope'"):
        create(MapSpec("m", "nope"))


@pytest.mark.parametrize("name", MAP_TYPES[1:MAP_TYPES_6_18])
@pytest.mark.parametrize("size", [-1, 1 << 32, 0xFFFFFFFF])
def test_no_size_breaks_creation(name, size):
    for field in ("key_size", "value_size", "max_entries"):
        spec = MapSpec("m", name, 4, 4, 1)
        setattr(spec, field, size)
        if field != "max_entries" or size in (-1, 1 << 32):
            with pytest.raises(MapError):
                create(spec)


def test_errors_carry_the_errno():
    m = create(MapSpec("m", "array", 4, 8, 2))
    for action, number in ((lambda: m[2], errno.ENOENT), (lambda: m.__setitem__(2, 0), errno.E2BIG),
                           (lambda: m.__delitem__(0), errno.EINVAL)):  # fmt: skip
        with pytest.raises(MapError) as e:
            action()
        assert e.value.errno == number


def test_initial_contents_and_freezing():
    rodata = MapSpec(".rodata", "array", 4, 8, 1, data=b"abc", frozen=True)
    inner = MapSpec("inner", "array", 4, 4, 1)
    outer = MapSpec("outer", "array_of_maps", 4, 4, 2, inner=inner, values={1: "inner"})
    progs = MapSpec("progs", "prog_array", 4, 4, 2, values={0: "later"})
    program = object()
    made = create_all([outer, rodata, inner, progs], programs={"later": program})
    assert made[".rodata"][0] == int.from_bytes(b"abc\0\0\0\0\0", "little")
    with pytest.raises(MapError) as e:
        made[".rodata"][0] = 1
    assert e.value.errno == errno.EPERM
    assert made["outer"][1] is made["inner"] and list(made["outer"]) == [1]
    assert made["progs"][0] is program and made["progs"].program(0) is program and made["progs"].program(9) is None
    with pytest.raises(UsageError, match="wants map 'gone'"):
        create(MapSpec("o", "array_of_maps", 4, 4, 2, inner=inner, values={1: "gone"}))


def test_libbpf_sizes():
    assert create(MapSpec("e", "perf_event_array", 4, 4, 0), cpus=3).max_entries == 3
    assert create(MapSpec("r", "ringbuf", 0, 0, 5000)).max_entries == 8192


NUMBERS = st.sampled_from([0, 1, 3, 4, 8, 100, 4096, 1 << 20, (1 << 32) - 1, 1 << 33, -1])


@settings(max_examples=200)
@given(st.sampled_from(MAP_TYPES), NUMBERS, NUMBERS, NUMBERS, st.integers(0, 1 << 20), st.integers(1, 4))
def test_any_spec_makes_a_map_or_a_typed_error(type_, key, value, entries, flags, cpus):
    if key * entries > 1 << 24 or value * entries > 1 << 24:
        entries = min(entries, 4)
    try:
        m = create(MapSpec("m", type_, key, value, entries, flags), cpus=cpus)
    except OsmiaError:
        return
    assert m.type == type_


@settings(max_examples=150)
@given(st.sampled_from(["array", "hash", "lru_hash", "lpm_trie", "queue", "percpu_array", "prog_array"]), st.data())
def test_any_key_and_value_end_in_a_typed_error(type_, data):
    simple = (st.none(), st.integers(), st.binary(max_size=12), st.text(max_size=5), st.floats())
    junk = st.one_of(*simple, st.lists(st.integers()))
    key_size = 0 if type_ == "queue" else 8 if type_ == "lpm_trie" else 4
    m = create(MapSpec("m", type_, key_size, 4, 3, MAP_FLAGS["no_prealloc"] if type_ == "lpm_trie" else 0), cpus=2)
    key, value = data.draw(junk), data.draw(junk)
    for action in (lambda: m[key], lambda: m.__setitem__(key, value), lambda: m.__delitem__(key), lambda: key in m):
        with contextlib.suppress(OsmiaError):
            action()


@pytest.mark.parametrize(("kind", "sizes", "words"), [
    ("hash", (4, 4, 0), "max_entries is missing"), ("hash", (0, 4, 1), "key's size"), ("array", (8, 4, 1), "not 8"),
    ("lru_hash", (4, 0, 1), "value's size"), ("ringbuf", (0, 4, 4096), "must be 0"), ("queue", (4, 4, 1), "no keys"),
])  # fmt: skip
def test_the_commonest_reasons_for_einval_are_named(kind, sizes, words):
    with pytest.raises(MapError, match=words) as caught:
        create(MapSpec("m", kind, *sizes))
    assert str(caught.value).startswith(f"create {kind} map m") and str(caught.value).endswith(": EINVAL")
