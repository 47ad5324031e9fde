"""The recorder: a kernel that is played by the verifier is recorded as the profile it judges by; and the real one."""

import os

import pytest

from osmia.errors import UsageError
from osmia.kernel import profile
from osmia.kernel.uapi import ATTACH_TYPES, MAP_TYPES
from osmia.live import available
from osmia.live.prog import kernel_btf as running_types
from osmia.live.record import maps
from osmia.live.record.asker import Answer, LiveAsker, gather
from osmia.live.record.caps import needed, without_any
from osmia.live.record.facts import (
    Facts,
    last_helper,
    outline,
    probe_context,
    probe_helpers,
    runs,
    sign_extension,
    type_name,
)
from osmia.live.record.file import compose, place
from osmia.live.record.kfuncs import may_call, written
from osmia.live.record.shapes import Shape
from osmia.obj.model import MapSpec, Program
from osmia.verifier.judge import judge, kernel_btf, powers

live = pytest.mark.skipif(available() is not None, reason="no bpf(2)")


class Judged:
    """A kernel that is played by the verifier."""

    def __init__(self, kernel):
        self.kernel, self.btf, self.asked = kernel, kernel_btf(kernel), 0
        self.release = kernel

    def ask(self, batch):
        self.asked += len(batch)
        return [self.answer(q) for q in batch]

    def answer(self, q):
        program = Program("p", q.prog_type, list(q.insns), license=q.license)
        program.flags = q.flags
        program.expected_attach_type = ATTACH_TYPES[q.attach] if q.attach else ""
        program.maps = [MapSpec("m", MAP_TYPES[m.type], m.key, m.value, m.entries, m.flags, m.extra) for m in q.maps]
        verdict = judge(program, self.kernel, powers(caps=q.caps), log_level=q.level or 1)
        return Answer(verdict.errno, verdict.log, verdict.where)


def one(asker, probe):
    return gather(asker, [probe])[0]


@pytest.mark.parametrize("kernel", ["5.10", "6.18"])
@pytest.mark.parametrize("kind", ["xdp", "socket_filter", "sk_lookup"])
def test_a_judge_is_recorded_as_it_judges(kernel, kind):
    asker, row = Judged(kernel), profile.load(kernel)
    attach = "sk_lookup" if kind == "sk_lookup" else ""
    known = row.shape(kind, attach)
    shape, facts, _ = one(asker, outline(Shape(kind, ATTACH_TYPES.index(attach or ATTACH_TYPES[0]))))
    assert (facts.errno, facts.sleepable) == (0, known.sleepable)
    assert facts.returns == ("{}..{}".format(*known.returns) if known.returns else "")
    helpers = one(asker, probe_helpers(shape, facts.value))
    listed = row.helper_set(known.helpers)
    from osmia.kernel.helpers import helper_by_id

    assert helpers == {
        ("!" if said == "refused" else "") + helper_by_id(n).name.removeprefix("bpf_") for n, said in listed.items()
    }
    (extends,) = gather(asker, [sign_extension(shape, facts.value)])
    assert extends == ("cpu-v4" in row.features)
    rows = [line.replace(" cap=bpf", "") for line in row.sections[f"ctx {known.ctx}"]]
    found = [str(r) for r in one(asker, probe_context(shape, facts.value, extends))]
    if not extends:  # a kernel without such loads can't say which of them it would refuse
        rows = [line.removesuffix(" unsigned") for line in rows]
    assert sorted(found) == sorted(rows)


def test_what_a_judge_knows_of_maps():
    for kernel in ("5.10", "6.18"):
        rows = {row.split()[0]: row for row in profile.load(kernel).sections["maps"]}
        for name in ("hash", "array", "stack_trace", "queue", "cgroup_storage"):
            assert one(Judged(kernel), maps.probe_map(name)) == rows.get(name, "")
    assert one(Judged("5.10"), maps.probe_map("bloom_filter")) == ""


def test_numbers_and_capabilities():
    asker = Judged("6.18")
    assert one(asker, last_helper(Shape("xdp"), 0)) == 211 and one(Judged("5.10"), last_helper(Shape("xdp"), 0)) == 155
    assert one(asker, needed(Shape("xdp"), 0)) == ("bpf", "net_admin")
    assert one(asker, needed(Shape("kprobe"), 0)) == ("bpf", "perfmon")
    facts = Facts(helpers=frozenset({"map_lookup_elem", "spin_lock", "trace_printk"}))
    assert one(asker, without_any(Shape("socket_filter"), facts)) == {"spin_lock", "trace_printk"}


def test_probes_share_rounds():
    asked = []

    class Counting(Judged):
        def ask(self, batch):
            asked.append(len(batch))
            return super().ask(batch)

    gather(Counting("6.18"), (outline(Shape(kind)) for kind in ("xdp", "kprobe", "sched_cls", "tracepoint")))
    assert len(asked) == 4 and asked[0] == 16


def test_offsets_as_runs():
    cells = {("r", 4, "SCALAR_VALUE"): [0, 4, 8, 12, 20], ("w", 4, ""): [40, 8, 8]}
    assert [str(row) for row in runs(cells)] == [
        "r 4 0..12+4 SCALAR_VALUE",
        "r 4 20 SCALAR_VALUE",
        "w 4 8",
        "w 4 40",
    ]


@pytest.mark.parametrize(
    ("printed", "name"),
    [
        ("scalar", "SCALAR_VALUE"),
        ("inv", "SCALAR_VALUE"),
        ("-1", "SCALAR_VALUE"),
        ("sock_or_null", "PTR_TO_SOCKET|PTR_MAYBE_NULL"),
        ("trusted_ptr_or_null_task_struct", "PTR_TO_BTF_ID|PTR_TRUSTED|PTR_MAYBE_NULL task_struct"),
        ("rdonly_buf_or_null", "PTR_TO_BUF|MEM_RDONLY|PTR_MAYBE_NULL"),
    ],
)
def test_types_of_registers(printed, name):
    assert type_name(printed) == name


def test_where_a_release_belongs():
    assert place("6.18.44-vendor") == ("6.18", "6.18")
    assert (
        place("6.6.0") == ("6.6", "6.1") and place("9.9.1-rc1") == ("9.9", "7.2") and place("4.19") == ("4.19", "5.10")
    )
    with pytest.raises(UsageError, match="version"):
        place("linux")


def test_a_recording_of_a_known_kernel_says_nothing(tmp_path):
    whole = {key: rows for key, rows in profile.recorded("6.18").items() if key not in ("head", "features")}
    path = tmp_path / "same.txt"
    path.write_text(compose("6.18.1", whole))
    assert "[" not in path.read_text().partition("release")[2]
    assert profile.load(str(path)).kfuncs.keys() == profile.load("6.18").kfuncs.keys()


def test_functions_in_words():
    lines = written(
        {"bpf_a": frozenset({"xdp", "tc"}), "bpf_b": frozenset({"tc", "xdp"}), "bpf_c": frozenset()},
        {"bpf_a": frozenset({"acquire", "ret_null"}), "bpf_b": frozenset(), "bpf_c": frozenset()},
    )
    assert lines == ["bpf_a: acquire ret_null: tc xdp", "bpf_b: -: as bpf_a", "bpf_c: -: -"]


# -- the running kernel


@live
def test_a_sample_of_the_running_kernel():
    """What the shipped profile says, where it was recorded from this very kernel."""
    row = profile.load("6.18")
    if row.release != os.uname().release:
        pytest.skip("another kernel was recorded")
    asker = LiveAsker()
    for kind in ("xdp", "cgroup_sysctl", "syscall"):
        shape, facts, _ = one(asker, outline(Shape(kind)))
        known = row.shape(kind)
        assert (facts.errno, facts.sleepable) == (0, known.sleepable)
        rows = one(asker, probe_context(shape, facts.value, True))
        assert [str(r) for r in rows] == row.sections[f"ctx {known.ctx}"]
    assert one(asker, maps.probe_map("hash")) in row.sections["maps"]


@live
def test_functions_of_the_running_kernel():
    btf = running_types()
    from osmia.btf import Func

    task = btf.find("bpf_task_acquire", Func)
    found = one(LiveAsker(), may_call([(Shape("xdp"), 0), (Shape("socket_filter"), 0)], task or 0))
    assert [shape.type for shape, _ in found] == (["xdp"] if task else [])


def test_shipped_types_hold_what_programs_name():
    from osmia.btf import Func, Struct, Typedef

    for kernel in profile.names():
        btf = kernel_btf(kernel)
        assert btf.find("task_struct", Struct) and btf.find("btf_trace_sched_switch", Typedef)
        assert btf.find("vfs_read", Func) and btf.find("bpf_lsm_file_open", Func)
        missing = [name for name in profile.load(kernel).kfuncs if not btf.find(name, Func)]
        assert not missing, (kernel, missing)


def test_witnesses_tell_behaviours_apart():
    """A kernel that is played by the verifier with one behaviour changed is told by that behaviour."""
    from osmia.live.record.witness import answered, differing, read, toggled

    plain = profile.load("6.18")
    assert len(read()) > 40

    class Other:
        release, btf, asked = "6.18", kernel_btf("6.18"), 0

        def __init__(self, kernel):
            self.verdicts = [judge(w.program, kernel) for w in read()]

        def ask(self, batch):
            assert len(batch) == len(self.verdicts)
            return [Answer(v.errno, v.log, v.where) for v in self.verdicts]

    assert differing(Other(plain), plain) == []
    for name in ("cpu-v4", "may-goto"):
        assert differing(Other(toggled(plain, name)), plain) == [f"-{name}"]
    assert answered(Answer(22, "", "map")) == (-1, "")
