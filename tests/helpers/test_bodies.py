"""Bodies without a kernel beside them: loops, callbacks, rings, tasks, locks, probe reads, prints."""

import errno
import struct

import pytest
from helpers.bench import Bench

from osmia.errors import Fault
from osmia.maps import create
from osmia.obj.model import MapSpec, Program
from osmia.raw import ld32, ld64, read, st32, st64, write
from osmia.vm.host import BareHost, BareTask
from osmia.vm.packet import SkbContext, XdpContext


def test_loop_counts_and_stops():
    bench, seen = Bench(), []
    bench.machine.callbacks[7] = lambda i, ctx, *_: seen.append((i, ctx)) or i == 3
    assert bench.call("bpf_loop", 10, 7, 99, 0) == 4 and seen == [(0, 99), (1, 99), (2, 99), (3, 99)]
    assert bench.call("bpf_loop", 2, 7, 0, 0) == 2 and bench.call("bpf_loop", 0, 7, 0, 0) == 0
    assert bench.call("bpf_loop", 10, 7, 0, 1) == -errno.EINVAL
    assert bench.call("bpf_loop", (1 << 23) + 1, 7, 0, 0) == (1 << 32) - errno.E2BIG  # as inlined by the verifier


@pytest.mark.parametrize("type_", ["array", "percpu_array", "hash", "percpu_hash", "lru_hash", "lru_percpu_hash"])
def test_for_each_sees_every_element(type_):
    m = create(MapSpec("m", type_, 4, 8, 5), cpus=2)
    for key in range(5):
        m[key] = key * 10
    bench, seen = Bench(m), {}

    def callback(map_, key, value, ctx, _):
        assert map_ == m.address and ctx == 5 and bench.memory.check(key, 4, False)
        assert not bench.memory.check(key, 4, True) and bench.memory.check(value, 8, True)
        seen[ld32(key)] = ld64(value)
        return 0

    bench.machine.callbacks[1] = callback
    assert bench.call("bpf_for_each_map_elem", m.address, 1, 5, 0) == 5
    assert seen == {key: key * 10 for key in range(5)}
    bench.machine.callbacks[1] = lambda *a: 1
    assert bench.call("bpf_for_each_map_elem", m.address, 1, 5, 0) == 1
    assert bench.call("bpf_for_each_map_elem", m.address, 1, 5, 1) == -errno.EINVAL


def test_elements_deleted_on_the_way_are_not_seen():
    m = create(MapSpec("m", "hash", 4, 8, 8))
    for key in range(8):
        m[key] = key
    bench = Bench(m)
    bench.machine.callbacks[1] = lambda map_, key, *a: [m.__delitem__(k) for k in list(m) if k != ld32(key)] and 0
    assert bench.call("bpf_for_each_map_elem", m.address, 1, 0, 0) == 1


def test_ring_buffer_records():
    m = create(MapSpec("r", "ringbuf", 0, 0, 4096))
    bench = Bench(m)
    sample = bench.call("bpf_ringbuf_reserve", m.address, 12, 0)
    write(sample, b"hello world!")
    assert bench.memory.check(sample, 12, True) and not bench.memory.check(sample, 13, False)
    assert list(m.consume()) == [], "a record that is being written holds the others up"
    data = bench.room(b"second")
    assert bench.call("bpf_ringbuf_output", m.address, data.address, 6, 0) == 0
    assert bench.call("bpf_ringbuf_query", m.address, 0) == 24 + 16
    bench.call("bpf_ringbuf_submit", sample, 0)
    assert not bench.memory.check(sample, 1, False), "submitted memory is out of reach"
    with pytest.raises(Fault, match="no reserved record"):
        bench.call("bpf_ringbuf_submit", sample, 0)
    assert list(m.consume()) == [b"hello world!", b"second"] and m.wakeups == 1
    assert [bench.call("bpf_ringbuf_query", m.address, q) for q in range(5)] == [0, 4096, 40, 40, 0]
    gone = bench.call("bpf_ringbuf_reserve", m.address, 8, 0)
    bench.call("bpf_ringbuf_discard", gone, 0)
    assert list(m.consume()) == [] and m.consumer == m.producer
    assert bench.call("bpf_ringbuf_reserve", m.address, 8, 1) == 0
    assert bench.call("bpf_ringbuf_output", m.address, data.address, 6, 4) == -errno.EINVAL


def test_ring_buffer_is_full_one_byte_early_and_wraps():
    m = create(MapSpec("r", "ringbuf", 0, 0, 4096))
    bench = Bench(m)
    data = bench.room(bytes(range(256)) * 17)
    assert bench.call("bpf_ringbuf_output", m.address, data.address, 4096 - 8, 0) == -errno.EAGAIN
    assert bench.call("bpf_ringbuf_output", m.address, data.address, 4096 - 16, 0) == 0
    assert bench.call("bpf_ringbuf_output", m.address, data.address, 1, 0) == -errno.EAGAIN
    assert len(list(m.consume())) == 1
    for size in (1, 100, 1000, 2000, 3000, 4080) * 3:
        assert bench.call("bpf_ringbuf_output", m.address, data.address, size, 0) == 0
        assert list(m.consume()) == [bytes(data)[:size]]


@pytest.mark.parametrize(("flags", "woken"), [(0, 1), (1, 0), (2, 1), (3, 1)])
def test_wakeups(flags, woken):
    m = create(MapSpec("r", "ringbuf", 0, 0, 4096))
    m.output(Bench().room(b"x").address, 1, flags)
    assert m.wakeups == woken


def test_dynptrs():
    m = create(MapSpec("r", "ringbuf", 0, 0, 4096))
    bench = Bench(m)
    ptr, data = bench.room(16), bench.room(b"0123456789abcdef")
    assert bench.call("bpf_ringbuf_reserve_dynptr", m.address, 10, 0, ptr.address) == 0
    assert bench.call("bpf_dynptr_write", ptr.address, 4, data.address, 6, 0) == 0
    assert bench.call("bpf_dynptr_write", ptr.address, 5, data.address, 6, 0) == -errno.E2BIG
    at = bench.call("bpf_dynptr_data", ptr.address, 0, 10)
    assert read(at, 10) == b"\0\0\0\x00012345"
    assert bench.call("bpf_dynptr_data", ptr.address, 1, 10) == 0
    bench.call("bpf_ringbuf_submit_dynptr", ptr.address, 0)
    assert list(m.consume()) == [b"\0\0\0\x00012345"]
    assert bench.call("bpf_dynptr_read", data.address, 1, ptr.address, 0, 0) == -errno.EINVAL
    assert bench.call("bpf_dynptr_from_mem", data.address, 16, 0, ptr.address) == 0
    out = bench.room(4)
    assert bench.call("bpf_dynptr_read", out.address, 4, ptr.address, 12, 0) == 0 and bytes(out) == b"cdef"
    assert bench.call("bpf_dynptr_from_mem", data.address, 16, 1, ptr.address) == -errno.EINVAL
    assert ld64(ptr.address) == 0
    assert bench.call("bpf_ringbuf_reserve_dynptr", m.address, 5000, 0, ptr.address) == -errno.EINVAL
    bench.call("bpf_ringbuf_discard_dynptr", ptr.address, 0)


def test_perf_events():
    m = create(MapSpec("e", "perf_event_array", 4, 4, 0), cpus=2)
    bench = Bench(m, host=BareHost(cpu=1, cpus=2))
    data = bench.room(b"x" * 100)

    def output(flags):
        return bench.call("bpf_perf_event_output", bench.ctx.address, m.address, flags, data.address, 100)

    assert output(0xFFFFFFFF) == -errno.ENOENT, "nobody has opened a buffer"
    m.open(pages=1)
    assert output(0xFFFFFFFF) == output(1) == 0
    assert output(0) == -errno.EOPNOTSUPP and output(2) == -errno.E2BIG and output(1 << 32) == -errno.EINVAL
    assert [(s.cpu, s.data) for s in m.events()] == [(1, b"x" * 100)] * 2
    results = [output(1) for _ in range(40)]
    assert results.count(-errno.ENOSPC) == m.lost == 40 - results.count(0) > 0


def test_perf_events_with_packet():
    m = create(MapSpec("e", "perf_event_array", 4, 4, 0)).open()
    bench = Bench(m, ctx=XdpContext(bytes(range(60))))
    bench.env.program = Program("p", "xdp", [])
    data = bench.room(b"meta")
    args = (bench.ctx.address, m.address)
    assert bench.call("bpf_perf_event_output", *args, 10 << 32 | 0xFFFFFFFF, data.address, 4) == 0
    assert bench.call("bpf_perf_event_output", *args, 61 << 32, data.address, 4) == -errno.EFAULT
    assert bench.call("bpf_perf_event_output", *args, 1 << 60, data.address, 4) == -errno.EINVAL
    assert [s.data for s in m.events()] == [b"meta" + bytes(range(10))]


def test_the_current_task():
    task = BareTask(pid=12, tgid=10, uid=1000, gid=100, comm=b"a-rather-long-name", address=0x1234)
    bench = Bench(host=BareHost(task=task))
    assert bench.call("bpf_get_current_pid_tgid") == 10 << 32 | 12
    assert bench.call("bpf_get_current_uid_gid") == 100 << 32 | 1000
    assert bench.call("bpf_get_current_task") == bench.call("bpf_get_current_task_btf") == 0x1234
    room = bench.room(b"\xff" * 20)
    bench.call("bpf_get_current_comm", room.address, 20)
    assert bytes(room) == b"a-rather-long-n" + bytes(5)
    bench.call("bpf_get_current_comm", room.address, 4)
    assert bytes(room)[:4] == b"a-r\0"


def test_time_goes_on():
    bench = Bench()
    times = [bench.call(f"bpf_{name}") for name in ("ktime_get_ns", "ktime_get_boot_ns", "ktime_get_coarse_ns")]
    assert times == sorted(set(times))
    assert bench.call("bpf_jiffies64") == bench.host.now // 4_000_000
    assert bench.call("bpf_get_prandom_u32") != bench.call("bpf_get_prandom_u32")


def test_probe_reads_tell_kernel_from_user():
    from osmia.memory import Region
    from osmia.raw import Buffer

    bench = Bench()
    user = Buffer.of(b"user text\0")
    bench.memory.add(Region("user page", user.address, user.size, kind="user"))
    out = bench.room(b"\xff" * 16)
    assert bench.call("bpf_probe_read_user_str", out.address, 16, user.address) == 10
    assert bytes(out) == b"user text\0" + b"\xff" * 6
    assert bench.call("bpf_probe_read_user", out.address, 4, user.address) == 0
    assert bench.call("bpf_probe_read_kernel", out.address, 4, user.address) == -errno.ERANGE
    assert bytes(out)[:5] == b"\0\0\0\0 "
    assert bench.call("bpf_probe_read", out.address, 4, user.address) == 0
    assert bench.call("bpf_probe_read_user", out.address, 4, out.address) == -errno.EFAULT
    assert bench.call("bpf_probe_read_kernel", out.address, 4, out.address + 14) == -errno.ERANGE
    assert bench.call("bpf_probe_read_kernel", out.address, 4, (1 << 64) - 4096) == -errno.EFAULT
    assert bench.call("bpf_probe_read_kernel_str", out.address, 3, bench.room(b"abcdef\0").address) == 3
    assert bytes(out)[:3] == b"ab\0"


def test_locks_tell_misuse():
    bench = Bench()
    room = bench.room(8)
    bench.call("bpf_spin_lock", room.address)
    with pytest.raises(Fault, match="taken already"):
        bench.call("bpf_spin_lock", room.address)
    bench.call("bpf_spin_unlock", room.address)
    with pytest.raises(Fault, match="not taken"):
        bench.call("bpf_spin_unlock", room.address)


def test_printing():
    bench = Bench()
    text, fmt = bench.room(b"world\0"), bench.room(b"hello %s %d %x\0")
    assert bench.call("bpf_trace_printk", fmt.address, 15, text.address, -5, 255) == len("hello world -5 ff")
    assert bench.call("bpf_trace_printk", fmt.address, 14, 0, 0, 0) == -errno.EINVAL, "no NUL within the size"
    four = bench.room(b"%d%d%d%d\0")
    assert bench.call("bpf_trace_printk", four.address, 9, 1, 2, 3) == -errno.EINVAL, "three arguments at most"
    args = bench.room(struct.pack("<4Q", 1, 2, 3, 4))
    assert bench.call("bpf_trace_vprintk", four.address, 9, args.address, 32) == 4
    assert bench.call("bpf_trace_vprintk", four.address, 9, args.address, 31) == -errno.EINVAL
    assert bench.host.lines == ["hello world -5 ff", "1234"]
    out = bench.room(b"\xff" * 8)
    assert bench.call("bpf_snprintf", out.address, 3, four.address, args.address, 32) == 5
    assert bytes(out) == b"12\0" + b"\xff" * 5
    assert bench.call("bpf_snprintf", 0, 0, four.address, args.address, 32) == 5


def test_a_bad_string_prints_as_nothing():
    bench = Bench()
    fmt = bench.room(b"[%s] [%pks] [%pI4] [%5s]\0")
    args = bench.room(struct.pack("<4Q", 0, 8, 16, 24))
    bench.call("bpf_trace_vprintk", fmt.address, 25, args.address, 32)
    assert bench.host.lines == ["[] [] [0.0.0.0] [     ]"]


def test_symbols_come_from_the_host():
    bench = Bench()
    bench.host.symbol = lambda address: ("do_unlinkat", 0x10, 0x200) if address == 0x1010 else None
    fmt = bench.room(b"%ps %pS %pB %pS\0")
    args = bench.room(struct.pack("<4Q", 0x1010, 0x1010, 0x1010, 0x99))
    bench.call("bpf_trace_vprintk", fmt.address, 16, args.address, 32)
    assert bench.host.lines == ["do_unlinkat do_unlinkat+0x10/0x200 do_unlinkat+0x10/0x200 0x99"]


def test_redirects_are_told_to_the_host():
    devices = create(MapSpec("d", "devmap", 4, 4, 4))
    devices[2] = 7
    bench = Bench(devices, ctx=XdpContext(bytes(60)))
    bench.env.program = Program("p", "xdp", [])
    assert bench.call("bpf_redirect", 3, 0) == 4 and bench.host.redirected == (3, 0)
    assert bench.call("bpf_redirect_map", devices.address, 2, 0) == 4 and bench.host.redirected == (7, 0)
    assert bench.call("bpf_redirect_map", devices.address, 1, 2) == 2
    assert bench.call("bpf_redirect_map", devices.address, 9, 0) == 0
    assert bench.call("bpf_redirect_map", devices.address, 2, 4) == 0
    bench = Bench(ctx=SkbContext(bytes(60)))
    assert bench.call("bpf_redirect", 3, 1) == 7 and bench.host.redirected == (3, 1)
    assert bench.call("bpf_clone_redirect", bench.ctx.address, 5, 0) == 0
    assert bench.env.scratch["clones"] == [(5, 0, bytes(60))]


def test_inner_maps_are_reached_by_their_handle():
    inner = create(MapSpec("i", "array", 4, 8, 2))
    outer = create(MapSpec("o", "array_of_maps", 4, 4, 2, inner=inner.spec))
    by_name = create(MapSpec("h", "hash_of_maps", 8, 4, 2, inner=inner.spec))
    bench = Bench(outer, by_name)
    outer[1] = inner  # after the machine was made: the memory must become known
    by_name[5] = inner
    key = bench.room(struct.pack("<Q", 1))
    handle = bench.call("bpf_map_lookup_elem", outer.address, key.address)
    assert handle == inner.address
    value = bench.call("bpf_map_lookup_elem", handle, key.address)
    st64(value, 77)
    st32(key.address, 5)
    assert inner[1] == 77 and bench.call("bpf_map_lookup_elem", by_name.address, key.address) == handle
    assert bench.call("bpf_map_lookup_elem", outer.address, key.address) == 0


def test_per_cpu_values():
    m = create(MapSpec("c", "percpu_hash", 4, 8, 2), cpus=2)
    bench = Bench(m, host=BareHost(cpu=1, cpus=2))
    key, value = bench.room(bytes(4)), bench.room(struct.pack("<Q", 9))
    assert bench.call("bpf_map_update_elem", m.address, key.address, value.address, 0) == 0
    assert m[0] == [0, 9]
    assert ld64(bench.call("bpf_map_lookup_percpu_elem", m.address, key.address, 1)) == 9
    assert bench.call("bpf_map_lookup_percpu_elem", m.address, key.address, 2) == 0


def test_traced_functions_and_namespaces():
    from osmia.vm.context import Context

    bench = Bench(ctx=Context(struct.pack("<3Q", 11, 22, 33)))
    out = bench.room(8)
    for attach, count in (("trace_fentry", 3), ("trace_fexit", 2)):
        bench.env.program = Program("p", "tracing", [], expected_attach_type=attach)
        assert bench.call("bpf_get_func_arg_cnt", bench.ctx.address) == count
        assert bench.call("bpf_get_func_arg", bench.ctx.address, 1, out.address) == 0 and ld64(out.address) == 22
        assert bench.call("bpf_get_func_arg", bench.ctx.address, count, out.address) == -errno.EINVAL
    assert bench.call("bpf_get_func_ret", bench.ctx.address, out.address) == 0 and ld64(out.address) == 33
    assert bench.call("bpf_get_ns_current_pid_tgid", 4, 5, out.address, 8) == 0
    assert (ld32(out.address), ld32(out.address + 4)) == (1, 1)
    assert bench.call("bpf_get_ns_current_pid_tgid", 4, 5, out.address, 4) == -errno.EINVAL


def test_samples_beside_kernel_objects():
    from osmia.errors import MissingBody

    m = create(MapSpec("e", "perf_event_array", 4, 4, 0)).open()
    bench = Bench(m)
    data = bench.room(b"abc")
    for name in ("bpf_skb_output", "bpf_xdp_output"):
        assert bench.call(name, 8, m.address, 0xFFFFFFFF, data.address, 3) == 0
        with pytest.raises(MissingBody, match=name):
            bench.call(name, 8, m.address, 1 << 32, data.address, 3)
