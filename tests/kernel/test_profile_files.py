"""Files of profiles: what a child says of its parent, what is damaged, kernels in between, two kernels side by side."""

import random
from itertools import pairwise

import pytest

from osmia.errors import OsmiaError, RecordError, UsageError
from osmia.kernel import profile
from osmia.kernel.compare import compare, helpers, shapes
from osmia.kernel.features import parse_version
from osmia.kernel.profile_file import helper_set, merged
from osmia.kernel.since import since
from osmia.kernel.types import types_of
from osmia.kernel.uapi import ATTACH_TYPES, MAP_TYPES
from osmia.live.record import text

KERNELS = profile.names()
SMALL = """\
# a file
parent 6.18
version 6.18
release 6.18.9-vendor

[features]
-data-symbols

[limits]
max_cpus 2

[shapes]
xdp * * ctx=xdp helpers=few returns=1..2
-netfilter netfilter *

[helpers few]
like xdp
- map_lookup_elem

[ctx xdp]
w 4 0
"""


def written(tmp_path, words):
    path = tmp_path / "mine.txt"
    path.write_bytes(words if isinstance(words, bytes) else words.encode())
    return str(path)


def whole(name):
    return {key: rows for key, rows in profile.recorded(name).items() if key not in ("head", "features")}


@pytest.mark.parametrize("name", KERNELS)
def test_every_row_of_a_shipped_profile_is_read(name):
    made = profile.checked(profile.load(name))
    assert made.version == parse_version(name) and made.features and not made.interpolated
    assert made.limit("max_insns") == 1_000_000 and made.shape("xdp").helper(1) == "offered"


@pytest.mark.parametrize("name", KERNELS)
def test_types_are_shipped(name):
    assert types_of(name)[:2] == b"\x9f\xeb"


@pytest.mark.parametrize(("old", "new"), [(a, b) for a in KERNELS for b in KERNELS])
def test_a_delta_gives_the_child_back(old, new):
    parent, child = whole(old), whole(new)
    made = merged(parent, text.delta(parent, child))
    for name, rows in child.items():
        if name.startswith("helpers "):
            assert helper_set(made, name[8:]) == helper_set(child, name[8:]), name
        else:
            assert sorted(made[name]) == sorted(rows), name


def test_a_delta_of_nothing_is_nothing():
    assert text.delta(whole("6.18"), whole("6.18")) == {}


def test_a_recorded_file(tmp_path):
    made = profile.load(written(tmp_path, SMALL))
    assert (made.version, made.release) == ((6, 18), "6.18.9-vendor")
    assert made.limit("max_cpus") == 2 and made.limit("max_insns") == 1_000_000
    assert made.shape("xdp").returns == (1, 2) and made.shape("netfilter", "netfilter").errno == 22
    assert made.shape("xdp").helper(1) == "unknown" and made.shape("xdp").helper(2) == "offered"
    assert made.shape("xdp").ctx_access(0, 4, True) and made.shape("xdp").ctx_access(0, 4, False)
    assert made.types == "6.18"


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("parent 6.18", "parent 4.2", 2, "no profile"),
        ("parent 6.18", "pardon 6.18", 2, "no line of a profile"),
        ("version 6.18", "version six", 3, "no version"),
        ("[limits]", "[limit]", 9, "no section"),
        ("[limits]", "[features]", 9, "twice"),
        ("-data-symbols", "-flux-capacitor", 7, "no behaviour"),
        ("-data-symbols", "data-symbols", 7, "no behaviour"),
        ("max_cpus 2", "max_cpus two", 10, "no name with a number"),
        ("returns=1..2", "returns=1...2", 13, "means nothing"),
        ("helpers=few", "helpers=many", 13, "no section [helpers many]"),
        ("helpers=few", "helpers", 13, "means nothing"),
        ("-netfilter netfilter *", "-netfilter nothing *", 14, "has not"),
        ("like xdp", "like few", 17, "built on this one"),
        ("like xdp", "likes xdp", 17, "no row of a set"),
        ("- map_lookup_elem", "- map_find_elem", 18, "no helper is called"),
        ("w 4 0", "w 3 0", 21, "no field of a context"),
        ("w 4 0", "w 4 zero", 21, "no field of a context"),
        ("w 4 0", "w 4 0 scalar", 21, "no type"),
        ("w 4 0", "w 4 0\n[kfuncs]\nbpf_f: acquire", 23, "no kernel function"),
        ("w 4 0", "w 4 0\n[kfuncs]\nbpf_f: -: as bpf_g", 23, "no function"),
        ("w 4 0", "w 4 0\n[maps]\nhash flags=loud", 23, "no map type"),
        ("w 4 0", "w 4 0\n[maps]\nmash", 23, "no map type"),
    ],
)
def test_a_damaged_row_is_told_with_its_line(tmp_path, old, new, line, words):
    path = written(tmp_path, SMALL.replace(old, new, 1))
    with pytest.raises(RecordError) as caught:
        profile.load(path)
    assert caught.value.place.file == path and caught.value.place.line == line
    assert words in str(caught.value)


def test_bytes_that_are_no_text(tmp_path):
    with pytest.raises(RecordError, match="UTF-8") as caught:
        profile.load(written(tmp_path, SMALL.encode() + b"\n\xff\xfe\n"))
    assert caught.value.place.line == 23


def test_files_that_are_no_profile(tmp_path):
    for words in ("", "# nothing\n", "[limits]\nmax_cpus 2\n"):
        with pytest.raises(RecordError):
            profile.load(written(tmp_path, words))
        profile.load.cache_clear()
    with pytest.raises(RecordError, match="can't be read"):
        profile.load("./no/such/file.txt")


def test_any_damage_is_a_typed_error(tmp_path):
    rng = random.Random("damage")
    source = (profile.DATA / "6.18.txt").read_bytes()
    for number in range(150):
        data = bytearray(source if number % 2 else SMALL.encode())
        for _ in range(rng.choice((1, 1, 3, 20))):
            at = rng.randrange(len(data) + 1) - 1 if data else 0
            data = data or bytearray(b"\n")
            match rng.randrange(4):
                case 0:
                    data[at] = rng.randrange(256)
                case 1:
                    del data[at : at + rng.randrange(200)]
                case 2:
                    data[at:at] = bytes(rng.choices(b"-+=:!.,[] \n0189azAZ_\0", k=rng.randrange(1, 9)))
                case 3:
                    data[at:at] = data[rng.randrange(len(data)) :][:40]
        path = tmp_path / f"{number}.txt"
        path.write_bytes(data)
        try:
            made = profile.load(str(path))
        except OsmiaError:
            continue
        compare(profile.load("6.18"), made)


# -- kernels in between


def test_a_version_in_between():
    made = profile.load("6.6")
    older, newer = profile.load("6.1"), profile.load("6.12")
    assert made.interpolated == "6.1" and made.version == (6, 6) and made.types == "6.1"
    assert older.features < made.features | older.features
    assert set(older.kfuncs) <= set(made.kfuncs) and "bpf_iter_num_new" in made.kfuncs
    assert "bpf_iter_num_new" not in older.kfuncs and "bpf_iter_num_new" in newer.kfuncs
    assert set(older.maps) <= set(made.maps)


def test_nothing_too_new_in_between():
    for name in ("5.15", "5.19", "6.3", "6.9", "6.15", "7.0"):
        made = profile.checked(profile.load(name))
        older = profile.load(made.interpolated)
        for kfunc in set(made.kfuncs) - set(older.kfuncs):
            assert since("kfunc", kfunc) <= made.version
        for kind in set(made.maps) - set(older.maps):
            assert since("map", kind) <= made.version
        known = {word for shape in shapes(older).values() for word in helpers(shape)}
        for word in {word for shape in shapes(made).values() for word in helpers(shape)} - known:
            assert since("helper", word) <= made.version


def test_versions_beyond_the_recorded_ones():
    for name in ("4.19", "5.9", "7.3", "99.0"):
        with pytest.raises(UsageError, match=r"6\.18"):
            profile.load(name)


MODULES = (
    *("bbr_", "dctcp_", "bpf_ct_", "bpf_skb_ct_", "bpf_xdp_ct_", "scx_bpf_", "bpf_iter_scx_", "bpf_qdisc_"),
    *("bpf_kfree_skb", "bpf_skb_get_hash", "bpf_get_fsverity_digest", "bpf_verify_pkcs7_signature", "crash_kexec"),
)
"""Functions that some recorded kernels have in modules, or were built without."""


def test_the_table_of_versions_agrees_with_the_recorded_kernels():
    """What a recorded kernel has and the one before has not came in between; the rest is a matter of configuration."""
    for older, newer in pairwise(KERNELS):
        for kind, facts in (("kfunc", "kfuncs"), ("map", "maps")):
            old, new = (set(getattr(profile.load(name), facts)) for name in (older, newer))
            for name in new - old:
                version = since(kind, name)
                assert version is None or version <= parse_version(newer), name
                assert version is None or parse_version(older) < version or name.startswith(MODULES), name


def test_names_in_the_table_are_known():
    from osmia.kernel.since import _rows

    for kind, name in _rows():
        assert kind not in ("map", "attach") or name in (MAP_TYPES if kind == "map" else ATTACH_TYPES)


# -- side by side


def test_what_came_and_went():
    groups = {group.title: group for group in compare(profile.load("5.10"), profile.load("6.18"))}
    assert "loop" in groups["helpers"].came and "loop" not in groups["helpers"].gone
    assert "syscall/cgroup_inet_ingress" in groups["kinds of programs"].came
    assert "bpf_task_acquire" in groups["kernel functions"].came
    assert any(row.startswith("arena") for row in groups["map types"].came)
    back = {group.title: group for group in compare(profile.load("6.18"), profile.load("5.10"))}
    assert set(back["helpers"].gone) == set(groups["helpers"].came)
    assert compare(profile.load("6.18"), profile.load("6.18")) == []
