"""The parts of the world that no program is needed for: packets, hooks, records, the pipe's lines, captures."""

import contextlib
import io
import platform
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osmia.errors import OsmiaError, RecordError, UsageError
from osmia.sim import Hook, TraceLine, World, events, packet, pcap
from osmia.sim.result import action_name

dpkt = pytest.importorskip("dpkt")


def test_packets_are_what_a_parser_expects():
    for frame in packet.samples():
        parsed = dpkt.ethernet.Ethernet(frame)
        assert bytes(parsed) == frame
    ip = dpkt.ethernet.Ethernet(packet.udp4("127.0.0.1", "127.0.0.1", 4000, 9999, b"hello")).data
    checksums = ip.sum, ip.data.sum
    ip.sum = ip.data.sum = 0  # dpkt works them out again
    rebuilt = dpkt.ip.IP(bytes(ip))
    assert (rebuilt.sum, rebuilt.data.sum) == checksums


def test_the_refusal_of_a_datagram_has_a_kernels_length():
    frame = packet.udp4("127.0.0.1", "127.0.0.1", 4000, 9, b"hello")
    answer = packet.unreachable4(frame[14:])
    assert (len(frame), len(answer)) == (47, 75)
    icmp = dpkt.ethernet.Ethernet(answer).data.data
    assert (icmp.type, icmp.code) == (3, 3)


@pytest.mark.parametrize(
    ("name", "hook"),
    [
        ("kprobe/do_unlinkat", ("kprobe", "do_unlinkat")), ("?kretprobe/f+0x10", ("kretprobe", "f")),
        ("ksyscall/unlinkat", ("kprobe", "__x64_sys_unlinkat")),
        ("tp/syscalls/sys_enter_openat", ("tracepoint", "syscalls/sys_enter_openat")),
        ("raw_tracepoint/sched_switch", ("raw_tp", "sched_switch")),
        ("tp_btf/sched_switch", ("tp_btf", "sched_switch")),
        ("fentry.s/do_unlinkat", ("fentry", "do_unlinkat")), ("xdp.frags", ("xdp", "")), ("xdp/lo", ("xdp", "lo")),
        ("tc/ingress", ("tc", "")), ("tcx/egress", ("tc_egress", "")), ("classifier", ("tc", "")),
        ("cgroup_skb/egress", ("cgroup_skb_egress", "")), ("kprobe do_unlinkat", ("kprobe", "do_unlinkat")),
    ],
)  # fmt: skip
def test_hook_names(name, hook):
    assert Hook.parse(name) == Hook(*hook)


def test_patterns_and_unknown_kinds():
    assert Hook.parse("kprobe.multi/vfs_*").matches(Hook("kprobe", "vfs_read"))
    assert not Hook.parse("kprobe/vfs_read").matches(Hook("kprobe", "vfs_write"))
    assert not Hook("xdp", "lo").matches(Hook("xdp", "eth0")) and Hook("xdp").matches(Hook("xdp", "eth0"))
    with pytest.raises(UsageError, match="kprobe"):
        Hook.parse("nosuch/thing")


def test_pipe_lines_have_the_kernels_columns():
    line = TraceLine("unlink", 80, 0, "...21", 4_096_156_000, "KPROBE ENTRY pid = 80")
    assert str(line) == "          unlink-80      [000] ...21     4.096156: bpf_trace_printk: KPROBE ENTRY pid = 80"
    world = World()
    world.trace("ends itself\n")
    assert world.pipe.read().endswith("ends itself\n\n") and world.pipe.read() == ""


def test_syscall_records():
    world = World()
    enter = events.record(world.kmem, "syscalls/sys_enter_openat", 7, [], {"dfd": -100, "filename": 0x1000, "flags": 2})
    assert len(enter) == 64
    pid, number, dfd, name = struct.unpack_from("=iqQQ", enter, 4)
    assert (pid, number, dfd, name) == (7, 257, (1 << 64) - 100, 0x1000)
    left = events.record(world.kmem, "syscalls/sys_exit_openat", 7, [], {"ret": -2})
    assert struct.unpack_from("=qq", left, 8) == (257, -2)
    with pytest.raises(UsageError, match="no field"):
        events.record(world.kmem, "syscalls/sys_enter_openat", 7, [], {"nope": 1})


def test_records_from_btf_carry_their_strings():
    world = World()
    data = events.record(world.kmem, "sched/sched_process_exec", 9, [], {"filename": "/bin/ls", "pid": 9, "old_pid": 9})
    loc, pid, old = struct.unpack_from("=Iii", data, 8)
    assert (pid, old) == (9, 9)
    assert data[loc & 0xFFFF :][: loc >> 16] == b"/bin/ls\0"
    with pytest.raises(UsageError, match="no tracepoint"):
        events.record(world.kmem, "a/b", 9, [], {"x": 1})


def test_action_names():
    assert [action_name("xdp", n) for n in (0, 4, 9)] == ["XDP_ABORTED", "XDP_REDIRECT", "unknown 9"]
    assert action_name("sched_cls", 2) == "TC_ACT_SHOT" and action_name("kprobe", 0) is None
    assert action_name("socket_filter", 0) == "drop"


def test_captures_round_trip(tmp_path):
    frames = [pcap.Frame(1.5, b"a" * 60), pcap.Frame(2.25, bytes(1))]
    assert pcap.write(tmp_path / "x.pcap", frames) == 2
    assert pcap.read(tmp_path / "x.pcap") == frames
    writer = dpkt.pcapng.Writer((tmp_path / "y.pcapng").open("wb"))
    writer.writepkt(b"b" * 60, 3.0)
    writer.close()
    assert [f.data for f in pcap.read(tmp_path / "y.pcapng")] == [b"b" * 60]


def good_pcap():
    out = io.BytesIO()
    writer = dpkt.pcap.Writer(out)
    for n in range(3):
        writer.writepkt(bytes([n]) * 20, n)
    return out.getvalue()


@pytest.mark.parametrize("time", [-1.0, 1e12, float("inf")])
def test_a_time_that_no_capture_holds(tmp_path, time):
    with pytest.raises(RecordError, match="packet 2: its time"):
        pcap.write(tmp_path / "out.pcap", [b"x", pcap.Frame(time, b"y")])


def test_a_cut_capture_says_where():
    data = good_pcap()
    with pytest.raises(RecordError) as e:
        pcap.read(data[:-5], "x.pcap")
    assert (e.value.place.file, e.value.place.offset) == ("x.pcap", 24 + 2 * 36)


@given(st.binary(max_size=200), st.integers(0, 150), st.binary(max_size=8))
def test_any_bytes_end_in_packets_or_a_record_error(noise, at, patch):
    good = good_pcap()
    mutated = good[:at] + patch + good[at + len(patch) :]
    for data in (noise, b"\x0a\x0d\x0d\x0a" + noise, good[:24] + noise, mutated, good[:at]):
        try:
            for frame in pcap.read(data):
                assert isinstance(pcap.summary(frame.data), str)
        except OsmiaError as e:
            assert isinstance(e, RecordError)


@given(st.text(max_size=30))
def test_any_script_and_hook_end_in_a_usage_error_or_work(text):
    for act in (lambda: World().do(text), lambda: Hook.parse(text)):
        with contextlib.suppress(UsageError):
            act()


def test_acts_leave_no_memory_behind():
    world = World()
    seen = []

    class Watcher:
        """Attached everywhere, so that every argument is really made."""

        def __init__(self):
            self.world = world

        def run_on(self, context):
            seen.append(world.task.kobject.comm)

    for hook in ("kprobe/*", "kretprobe/*", "tracepoint/*", "raw_tp/*", "fentry/*", "fexit/*", "tp_btf/*"):
        world.attach(Watcher(), hook)
    world.do("touch a; cat a; rm a; mkdir d; rmdir d; write f x; udp 9 hello; exec; sleep 1; getpgid 1")
    kept = {id(r) for r in world.memory}
    world.do("touch a; cat a; rm a; mkdir d; rmdir d; write f x; udp 9 hello; exec; sleep 1; getpgid 1")
    assert {r.name for r in world.memory if id(r) not in kept} == set()
    assert b"touch" in seen and b"udp" in seen and len(seen) > 200


def test_files_behave():
    world = World()
    results = []

    class Watcher:
        def __init__(self):
            self.world = world

        def run_on(self, context):
            number, ret = struct.unpack_from("=qq", context.result().ctx, 8)
            results.append((number, ret))

    world.attach(Watcher(), "tracepoint/syscalls/sys_exit_*")
    calls = {name: number for name, (number, _) in events.SYSCALLS.items()}

    def answers(script, call):
        results.clear()
        world.do(script)
        return [ret for number, ret in results if number == calls[call]]

    assert answers("rm missing; touch f; rm f", "unlinkat") == [-2, 0]
    assert answers("mkdir d; mkdir d; rm d; rmdir d; rmdir d", "mkdir") == [0, -17]
    assert answers("mkdir e; touch e/f; rmdir e; rm e/f; rmdir e; touch g; rmdir g", "rmdir") == [-39, 0, -20]
    assert answers("cat missing; cat /etc/hosts", "openat") == [-2, 3]
    assert answers("write h hello world; cat h", "read") == [12, 0]


def test_a_system_calls_own_arguments_reach_its_program():
    import osmia

    world = osmia.World()
    arm = platform.machine() == "aarch64"
    first, *others = (0, 16, 24, 272) if arm else (112, 96, 56, 112)  # pt_regs.di, .dx, .r10; x0, x2, x3, orig_x0
    path = f"r1 = *(u64 *)(r1 + {first})\nr3 = *(u64 *)(r1 + {{}})\n"  # of the entry function, then the user's
    minus = (-100) & 0xFFFFFFFFFFFFFFFF
    for at, want in zip((first, *others), (minus, 3, 4, minus), strict=True):
        source = path.format(at) + "r0 = r3\nexit"
        executable = osmia.Program(source, "kprobe", section="ksyscall/openat", name="own").load(world=world)
        world.attach(executable)
        assert world.fire("ksyscall/openat", args=[-100, "/etc/passwd", 3, 4])[-1].r0 == want
    with pytest.raises(UsageError, match="at most 6"):
        world.fire("ksyscall/openat", args=range(7))


def test_contexts_by_their_fields():
    import osmia

    port = osmia.Program("r0 = *(u32 *)(r1 + 24)\nexit", "cgroup_sock_addr")
    assert port.load().run(ctx={"user_port": 80}).r0 == 80
    assert port.load().run().r0 == 0 and len(port.load().run().ctx) == 72
    sample = 288 if platform.machine() == "aarch64" else 184
    for kind, size in (("sock_ops", 224), ("perf_event", sample), ("cgroup_sysctl", 8), ("raw_tracepoint", 96)):
        assert len(osmia.Program("r0 = 1\nexit", kind).load().run().ctx) == size
    wrong = {
        "cgroup_sock_addr": {"user_prt": 1}, "xdp": {"data": 1}, "sched_cls": {"marc": 1}, "tracepoint": {"x": 1},
        "socket_filter": {"mark": "x"}, "cgroup_skb": {"prog_type": 1},
    }  # fmt: skip
    for kind, fields in wrong.items():
        with pytest.raises(UsageError):
            osmia.Program("r0 = 1\nexit", kind).load().run(ctx=fields)
