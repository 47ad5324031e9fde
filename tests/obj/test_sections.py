"""Section names: libbpf's table, prefixes, targets, and errors that help."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osmia.errors import LinkError
from osmia.kernel.uapi import ATTACH_TYPES, PROG_TYPES
from osmia.obj.sections import TABLE, Target, find, parse


def test_the_table_has_libbpfs_116_rows_and_known_types():
    assert len(TABLE) == 116 == len({str(row) for row in TABLE})
    assert {row.prog_type for row in TABLE} <= set(PROG_TYPES)
    assert {row.attach_type for row in TABLE} - {""} <= set(ATTACH_TYPES)
    assert all(row.sleepable == (row.name == "syscall" or ".s" in row.name[-2:]) for row in TABLE)


@pytest.mark.parametrize(
    ("section", "prog_type", "attach_type", "flags", "target"),
    [
        ("xdp", "xdp", "xdp", 0, Target()),
        ("xdp.frags/devmap", "xdp", "xdp_devmap", 0x20, Target()),
        ("socket", "socket_filter", "", 0, Target()),
        ("kprobe/do_unlinkat", "kprobe", "", 0, Target("do_unlinkat", "do_unlinkat")),
        ("kprobe/f+0x10", "kprobe", "", 0, Target("f+0x10", "f", offset=16)),
        ("kretprobe/f.isra.0+08", "kprobe", "", 0, Target("f.isra.0+08", "f.isra.0", offset=8)),
        ("tp/sched/sched_switch", "tracepoint", "", 0,
         Target("sched/sched_switch", "sched_switch", category="sched")),
        ("raw_tp.w/x", "raw_tracepoint_writable", "", 0, Target("x", "x")),
        ("uprobe.s//bin/sh:main+4", "kprobe", "", 0x10, Target("/bin/sh:main+4", "main", binary="/bin/sh", offset=4)),
        ("usdt/libc.so:libc:setjmp", "kprobe", "", 0,
         Target("libc.so:libc:setjmp", "setjmp", binary="libc.so", provider="libc")),
        ("fentry.s/nf:f", "tracing", "trace_fentry", 0x10, Target("nf:f", "f", module="nf")),
        ("lsm/file_open", "lsm", "lsm_mac", 0, Target("file_open", "file_open")),
        ("iter/task", "tracing", "trace_iter", 0, Target("task", "task")),
        ("struct_ops/init", "struct_ops", "", 0, Target("init", "init")),
        ("tcx/ingress", "sched_cls", "tcx_ingress", 0, Target()),
        ("netkit/peer", "sched_cls", "netkit_peer", 0, Target()),
        ("cgroup/connect4", "cgroup_sock_addr", "cgroup_inet4_connect", 0, Target()),
        ("kprobe.multi/tcp_*", "kprobe", "trace_kprobe_multi", 0, Target("tcp_*", "tcp_*")),
        ("uprobe.multi/libc:mal*", "kprobe", "trace_uprobe_multi", 0, Target("libc:mal*", "mal*", binary="libc")),
    ],
)  # fmt: skip
def test_names_and_their_targets(section, prog_type, attach_type, flags, target):
    found = parse(section)
    row = found.definition
    assert (row.prog_type, row.attach_type, row.flags, found.target) == (prog_type, attach_type, flags, target)
    assert found.autoload


def test_a_question_mark_switches_loading_off():
    assert not parse("?xdp").autoload
    assert parse("?xdp").definition is parse("xdp").definition


@pytest.mark.parametrize("section", ["", "?", "foo", "xdp/foo", "kprobex", "tcx", "cgroup", "socket1", "xdpX"])
def test_other_names_mean_nothing(section):
    assert find(section) is None
    with pytest.raises(LinkError, match="means no program type"):
        parse(section)


@pytest.mark.parametrize(
    ("section", "miss"),
    [("xpd", "xdp"), ("kprob/f", "kprobe+"), ("cgroup/conect4", "cgroup/connect4"), ("tracepont/a/b", "tracepoint+"),
     ("xdp/mine", "xdp"), ("tcx", "tcx/ingress")],
)  # fmt: skip
def test_near_misses_are_listed(section, miss):
    with pytest.raises(LinkError) as e:
        parse(section)
    assert miss in e.value.reason.split("did you mean ")[1].rstrip("?").split(", ")


@pytest.mark.parametrize("section", ["tp/x", "kprobe/a+b", "kprobe/a b", "usdt/a:b", "uprobe/main", "fentry/a:b:c"])
def test_a_wrong_target_shows_the_form(section):
    with pytest.raises(LinkError, match="expected"):
        parse(section)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30) | st.builds(str.__add__, st.sampled_from([r.name for r in TABLE]), st.text(max_size=9)))
def test_any_name_parses_or_says_why(section):
    try:
        assert find(section) is parse(section).definition
    except LinkError as e:
        assert e.place.section is not None


def test_an_offset_beyond_reason():
    with pytest.raises(LinkError, match="is no target of kprobe"):
        parse("kprobe/f+" + "9" * 5000)
