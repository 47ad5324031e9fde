"""The profile of 6.18: what its tables say, how profiles inherit, and samples put to the running kernel."""

import json
import os
import random
import sys
from pathlib import Path

import pytest

from osmia.errors import InternalError, UsageError
from osmia.isa import consts as c
from osmia.isa import encode
from osmia.isa.macros import BPF_EXIT_INSN, BPF_LDX_MEM, BPF_MOV64_IMM, BPF_STX_MEM
from osmia.kernel import features, profile
from osmia.kernel.helpers import HELPERS, helper_by_name
from osmia.kernel.uapi import ATTACH_TYPES, PROG_TYPE
from osmia.live import available, syscall
from osmia.verifier import consts
from osmia.verifier.rules import Rules

live = pytest.mark.skipif(available() is not None, reason="no bpf(2)")
FACTS = Path(os.environ.get("OSMIA_ORACLE", Path(__file__).parents[3] / "shared/oracle")) / "data/6.18.json"
SIZES = {1: c.BPF_B, 2: c.BPF_H, 4: c.BPF_W, 8: c.BPF_DW}


@pytest.fixture
def p():
    return profile.load("6.18")


def test_xdp(p):
    shape = p.shape("xdp")
    assert shape.errno == 0 and shape.sleepable == "no" and shape.returns is None and not shape.btf_ctx
    assert shape.ctx_access(0, 4, False).type == "PTR_TO_PACKET"
    assert shape.ctx_access(12, 4, False).type == "SCALAR_VALUE"
    assert shape.ctx_access(0, 8, False) is None
    assert shape.ctx_access(12, 4, True) is None
    assert shape.ctx_access(4, 4, False, signed=True) is None  # pointers have no sign
    assert shape.ctx_access(20, 4, False) is None and p.shape("xdp", "xdp_devmap").ctx_access(20, 4, False)


def test_null_and_btf_types(p):
    assert p.shape("sock_ops").ctx_access(184, 8, False).type == "PTR_TO_SOCKET | PTR_MAYBE_NULL"
    task = p.shape("tracing", "trace_iter", "task").ctx_access(8, 8, False)
    assert (task.type, task.btf) == ("PTR_TO_BTF_ID | PTR_TRUSTED | PTR_MAYBE_NULL", "task_struct")


def test_ranges(p):
    assert p.shape("cgroup_skb").returns == (0, 1)
    assert p.shape("cgroup_skb", "cgroup_inet_egress").returns == (0, 3)
    assert p.shape("cgroup_sock_addr", "cgroup_udp4_recvmsg").returns == (1, 1)
    assert p.shape("kprobe", "trace_kprobe_session").returns == (0, 1)
    assert p.shape("lsm", "lsm_mac").returns_by_rule


def test_shapes_that_do_not_load(p):
    assert p.shape("cgroup_skb", "xdp").errno == 22
    assert p.shape("lirc_mode2").errno == 22
    assert p.shape("tracing", "trace_iter", "nothing").errno == 22
    assert p.shape("struct_ops", "10", "tcp_congestion_ops.10").errno == 524


def test_struct_ops_members_go_by_number(p):
    shape = p.shape("struct_ops", "", "tcp_congestion_ops.ssthresh")
    assert shape.ctx_access(0, 8, False).btf == "tcp_sock"
    assert shape.sleepable == "may"


def test_contexts_that_only_btf_knows(p):
    shape = p.shape("tracing", "trace_fentry", "vfs_read")
    assert shape.ctx_by_rule and shape.believed and shape.returns == (0, 0)


def test_helpers(p):
    ids = {h.name.removeprefix("bpf_"): h.id for h in HELPERS}
    xdp = p.shape("xdp")
    assert xdp.helper(ids["xdp_adjust_head"]) == "offered"
    assert xdp.helper(ids["copy_from_user"]) == "sleepable"
    assert xdp.helper(ids["skb_store_bytes"]) == "unknown"
    assert p.shape("tracing", "trace_raw_tp", "sched_switch").helper(ids["d_path"]) == "refused"
    assert p.shape("tracing", "trace_fexit").helper(ids["get_func_ret"]) == "offered"
    assert p.shape("lsm", "lsm_cgroup").helper(ids["get_func_ret"]) == "unknown"
    assert p.helper_cap(ids["trace_printk"], "xdp") == "perfmon"
    assert p.helper_cap(ids["skc_to_tcp_sock"], "syscall") == ""
    assert p.helper_cap(ids["spin_lock"], "xdp") == "bpf"


def test_capabilities_and_limits(p):
    assert p.caps("xdp") == ("bpf", "net_admin")
    assert p.caps("kprobe") == ("bpf", "perfmon")
    assert p.limit("max_insns") == 1_000_000
    assert p.shape("cgroup_skb").ctx_access(76, 4, False).cap == "bpf"


def test_every_type_is_one_of_the_verifier_s(p):
    names = {word for lines in p.tables["text"].values() for line in lines for word in line.replace("|", " ").split()}
    words = {n for n in names if n.startswith(("PTR_", "MEM_", "SCALAR_"))}
    assert words and all(hasattr(consts, word) for word in words)


def test_every_row_parses(p):
    for kind, attach, target in list(p.tables["shapes"]):
        shape = p.shape(kind, "" if attach == "*" else attach, "" if target == "*" else target)
        if not shape.errno:
            assert shape.ctx_by_rule or p.context(shape.ctx)
            assert f"helpers {shape.helpers}" in p.tables["text"]


def test_a_child_says_only_what_differs(p, tmp_path, monkeypatch):
    for name in ("5.10", "6.1", "6.12", "6.18"):
        (tmp_path / f"{name}.txt").write_text((profile.DATA / f"{name}.txt").read_text("utf-8"))
    (tmp_path / "6.17.txt").write_text(
        "parent 6.18\n[features]\n+data-symbols\n[limits]\nmax_cpus 2\n"
        "[shapes]\nxdp * * ctx=xdp helpers=few returns=1..2\n"
        "-netfilter netfilter *\n[helpers few]\nlike xdp\n- map_lookup_elem\n"
    )
    monkeypatch.setattr(profile, "DATA", tmp_path)
    child = profile._build("6.17", profile._sections("6.17"))
    assert child.features >= {"data-symbols"} and child.version == (6, 17)
    assert child.limit("max_cpus") == 2 and child.limit("max_insns") == 1_000_000
    assert child.shape("xdp").returns == (1, 2)
    assert child.shape("xdp").helper(1) == "unknown" and child.shape("xdp").helper(2) == "offered"
    assert child.shape("netfilter", "netfilter").errno == 22 and p.shape("netfilter", "netfilter").errno == 0


def test_features_go_by_version():
    row = features._parse("late 6.1..6.12 0123abcd What it does")
    assert [row.holds(v) for v in ((5, 10), (6, 1), (6, 6), (6, 12))] == [False, True, True, False]
    assert features._parse("set config - It is configured").holds((9, 9)) is False
    assert features.changed(frozenset(), ["+data-symbols"]) == {"data-symbols"}
    with pytest.raises(InternalError, match="nonsense"):
        features.changed(frozenset(), ["+nonsense"])


def test_rules_are_made_of_the_table():
    none, one = Rules(()), Rules({"data-symbols"})
    assert not any(getattr(none, row.attribute) for row in features.features().values())
    assert [row.name for row in features.features().values() if getattr(one, row.attribute)] == ["data-symbols"]


def test_every_feature_is_asked_for():
    """By name, or as one of a family of flags."""
    room = Path(profile.__file__).parents[1]
    code = "".join(path.read_text("utf-8") for path in room.rglob("*.py") if path.name != "rules.py")
    rows = features.features().values()
    assert [row.name for row in rows if row.attribute not in code and row.name not in code] == []


def test_unknown_kernels():
    with pytest.raises(UsageError, match=r"6\.18"):
        profile.load("2.4")


# -- the running kernel


def loads(shape_row, insns):
    kind, attach, sleepable = shape_row
    flags = 16 if sleepable else 0
    attr = syscall.ProgAttr(
        PROG_TYPE[kind], encode(insns, sys.byteorder), "GPL", "", flags, 0, ATTACH_TYPES.index(attach)
    )
    try:
        fd, _ = syscall.prog_load(attr)
    except syscall.KernelError:
        return False
    os.close(fd)
    return True


@live
def test_samples_of_the_context_against_the_kernel(p):
    rng = random.Random(os.environ.get("OSMIA_SEED", "ctx"))
    kinds = [k for k in p.tables["shapes"] if k[2] == "*" and k[0] not in ("tracing", "lsm", "struct_ops")]
    for _ in range(int(os.environ.get("OSMIA_PROGRAMS", "2000"))):
        kind, attach, _ = rng.choice(kinds)
        attach = ATTACH_TYPES[0] if attach == "*" else attach
        shape = p.shape(kind, attach)
        size, off = rng.choice((1, 2, 4, 8)), rng.randrange(-8, 240)
        off -= off % size if rng.random() < 0.8 else 0
        value = shape.returns[0] if shape.returns else 0
        end = [BPF_MOV64_IMM(0, value), BPF_EXIT_INSN()]
        where = (kind, attach, shape.sleepable == "must")
        assert loads(where, [BPF_LDX_MEM(SIZES[size], 6, 1, off), *end]) == bool(shape.ctx_access(off, size, False))
        body = [BPF_MOV64_IMM(2, 1), BPF_STX_MEM(SIZES[size], 1, 2, off), *end]
        assert loads(where, body) == bool(shape.ctx_access(off, size, True)), (where, off, size)


@pytest.mark.skipif(not FACTS.exists(), reason="no recorded facts")
def test_a_second_recording_says_the_same(p):
    facts = json.loads(FACTS.read_text())
    for label, number in facts["helpers"]["by_variant"].items():
        row = facts["prog_types"][label]
        if row["prog_type"] == "struct_ops":
            continue
        target = row.get("attach_btf", "").removeprefix("bpf_iter_").removeprefix("btf_trace_")
        shape = p.shape(row["prog_type"], row.get("attach", ""), target)
        known = {n for ids in facts["helpers"]["sets"][number].values() for n in ids}
        assert {h.id for h in HELPERS if shape.helper(h.id) != "unknown"} == known, label


def test_helper_names_are_known(p):
    for section, lines in p.tables["text"].items():
        if section.startswith("helpers "):
            for line in lines:
                for word in line.split()[1:] if line[0] in "+-!" else ():
                    assert helper_by_name(f"bpf_{word}")
