"""bpf(2) itself: programs, maps, refusals and what is left open afterwards."""

from __future__ import annotations

import errno
import gc
import struct
from pathlib import Path

import pytest

from osmia import live
from osmia.errors import KernelError, MapError, Unavailable, UsageError
from osmia.isa import consts as c
from osmia.isa import macros as m
from osmia.live import syscall
from osmia.live.maps import LiveMap, possible_cpus
from osmia.obj.model import Extern, MapSpec, Program

WHY_NOT = live.available()
needs_kernel = pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))
pytestmark = pytest.mark.live
RETURN_2 = [m.BPF_MOV64_IMM(0, 2), m.BPF_EXIT_INSN()]


def program(insns, prog_type="xdp", **more):
    return Program("live_test", prog_type, list(insns), license="GPL", **more)


def descriptors():
    gc.collect()
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@needs_kernel
def test_load_and_run():
    with live.load(program(RETURN_2), log_level=1) as loaded:
        result = loaded.test_run(b"x" * 60, repeat=100)
    assert (result.retval, result.data) == (2, b"x" * 60) and "processed 2 insns" in loaded.log


@needs_kernel
def test_a_refusal_carries_errno_and_log():
    before = descriptors()
    with pytest.raises(KernelError) as caught:
        live.load(program([m.BPF_EXIT_INSN()], maps=[MapSpec("m", "array", 4, 8, 1)]))
    assert caught.value.errno == errno.EACCES and "R0 !read_ok" in caught.value.log
    assert descriptors() == before


@needs_kernel
def test_the_errno_is_that_of_the_program_and_not_of_a_log_that_overflows(monkeypatch):
    whole = syscall.prog_load
    monkeypatch.setattr(syscall, "prog_load", lambda attr, log_level=0, room=None: whole(attr, log_level, 128))
    with pytest.raises(KernelError) as caught:
        live.load(program([m.BPF_MOV64_REG(6, 1)] * 40 + [m.BPF_MOV64_REG(0, 7), m.BPF_EXIT_INSN()]))
    assert caught.value.errno == errno.EACCES and len(caught.value.log) == 127


@needs_kernel
def test_programs_that_cannot_be_test_run_say_524():
    probe = program([m.BPF_MOV64_IMM(0, 0), m.BPF_EXIT_INSN()], "kprobe")
    with live.load(probe) as loaded, pytest.raises(KernelError, match="524"):
        loaded.test_run()


@needs_kernel
@pytest.mark.parametrize("size", [60, 64, 1500])
def test_xdp_packets_are_linear(size):
    lengths = [m.BPF_LDX_MEM(c.BPF_W, 2, 1, 0), m.BPF_LDX_MEM(c.BPF_W, 0, 1, 4), m.BPF_ALU64_REG(c.BPF_SUB, 0, 2)]
    with live.load(program([*lengths, m.BPF_EXIT_INSN()])) as loaded:
        assert loaded.test_run(bytes(size)).retval == size


@needs_kernel
def test_a_context_goes_in_and_comes_out():
    insns = [m.BPF_LDX_MEM(c.BPF_W, 0, 1, 8), m.BPF_ST_MEM(c.BPF_W, 1, 8, 77), m.BPF_EXIT_INSN()]
    ctx = struct.pack("=3I", 0, 0, 5).ljust(192, b"\0")
    with live.load(program(insns, "sched_cls")) as loaded:
        result = loaded.test_run(ctx=ctx)
    assert result.retval == 5 and struct.unpack_from("=I", result.ctx, 8) == (77,)


@needs_kernel
def test_maps_of_a_program():
    spec = MapSpec("counts", "array", 4, 8, 2)
    insns = [
        m.BPF_ST_MEM(c.BPF_W, 10, -4, 1), *m.BPF_LD_MAP_FD(1, 0), m.BPF_MOV64_REG(2, 10),
        m.BPF_ALU64_IMM(c.BPF_ADD, 2, -4), m.BPF_EMIT_CALL(1), m.BPF_JMP_IMM(c.BPF_JEQ, 0, 0, 3),
        m.BPF_MOV64_IMM(1, 3), m.BPF_STX_XADD(c.BPF_DW, 0, 1, 0), m.BPF_LDX_MEM(c.BPF_DW, 0, 0, 0), m.BPF_EXIT_INSN(),
    ]  # fmt: skip
    key = struct.pack("=I", 1)
    with LiveMap(spec) as counts, live.load(program(insns, maps=[spec]), [counts]) as loaded:
        counts[key] = struct.pack("=Q", 10)
        assert loaded.test_run().retval == 13
        assert struct.unpack("=Q", counts[key]) == (13,)


@needs_kernel
def test_data_sections():
    spec = MapSpec("t.rodata", "array", 4, 8, 1, flags=0x80, data=struct.pack("=Q", 41), frozen=True)
    insns = [*m.BPF_LD_MAP_VALUE(1, 0, 0), m.BPF_LDX_MEM(c.BPF_DW, 0, 1, 0), m.BPF_EXIT_INSN()]
    with live.load(program(insns, maps=[spec])) as loaded:
        assert loaded.test_run().retval == 41
        with pytest.raises(MapError) as caught:
            loaded.maps[0][bytes(4)] = bytes(8)
    assert caught.value.errno == errno.EPERM


@needs_kernel
def test_map_operations_have_the_kernels_errnos():
    with LiveMap(MapSpec("h", "hash", 4, 4, 2)) as table:
        table[b"aaaa"] = b"1111"
        table.update(b"bbbb", b"2222", 1)
        assert sorted(table) == [b"aaaa", b"bbbb"] and table[b"bbbb"] == b"2222"
        for action, number in (
            (lambda: table.update(b"aaaa", b"3333", 1), errno.EEXIST),
            (lambda: table.update(b"cccc", b"3333", 2), errno.ENOENT),
            (lambda: table.update(b"cccc", b"3333"), errno.E2BIG),
            (lambda: table[b"cccc"], errno.ENOENT),
            (lambda: table[b"too long"], errno.EINVAL),
            (lambda: table.update(b"aaaa", b"1"), errno.EINVAL),
        ):
            with pytest.raises(MapError) as caught:
                action()
            assert caught.value.errno == number
        del table[b"aaaa"]
        assert list(table) == [b"bbbb"]


@needs_kernel
def test_per_cpu_and_inner_maps():
    with LiveMap(MapSpec("p", "percpu_array", 4, 4, 1)) as table:
        assert len(table[bytes(4)]) == 8 * possible_cpus()
    inner = MapSpec("inner", "array", 4, 4, 1)
    with LiveMap(MapSpec("outer", "array_of_maps", 4, 4, 1, inner=inner)) as outer, LiveMap(inner) as one:
        outer[bytes(4)] = struct.pack("=i", one.fd)


@needs_kernel
def test_kernel_functions_and_variables_by_name():
    insns = [m.BPF_CALL_KFUNC(0, 0), m.BPF_CALL_KFUNC(0, 0), m.BPF_MOV64_IMM(0, 7), m.BPF_EXIT_INSN()]
    externs = [Extern(0, "bpf_rcu_read_lock"), Extern(1, "bpf_rcu_read_unlock")]
    with live.load(program(insns, externs=externs)) as loaded:
        assert loaded.test_run().retval == 7
    insns = [*m.BPF_LD_BTF_ID(1, 0), *RETURN_2]
    try:
        live.load(program(insns, externs=[Extern(0, "runqueues", "var")])).close()
    except KernelError as error:  # a kernel without CONFIG_KALLSYMS_ALL knows the name and no address
        assert "kernel symbol 'runqueues'" in error.log
    with pytest.raises(UsageError, match="no_such_thing"):
        live.load(program(insns, externs=[Extern(0, "no_such_thing", "var")]))


@needs_kernel
def test_nothing_stays_open():
    before = descriptors()
    for _ in range(5):
        live.load(program(RETURN_2, maps=[MapSpec("m", "array", 4, 8, 1)])).test_run()
        with live.load(program(RETURN_2)):
            pass
    with pytest.raises(KernelError):
        LiveMap(MapSpec("bad", "array", 3, 8, 1))
    assert descriptors() == before


def test_wrong_names_are_usage_errors():
    with pytest.raises(UsageError, match="no map type"):
        LiveMap(MapSpec("m", "nonsense", 4, 4, 1))
    with pytest.raises(UsageError, match="no program type"):
        live.load(program(RETURN_2, "nonsense"), [])
    with pytest.raises(UsageError, match="map 3"):
        live.load(program([*m.BPF_LD_MAP_FD(1, 3), *RETURN_2]), [])


def test_a_machine_without_bpf(monkeypatch):
    monkeypatch.setattr(syscall.platform, "machine", lambda: "pdp11")
    assert "pdp11" in live.available()
    with pytest.raises(Unavailable):
        live.load(program(RETURN_2))


def test_a_kernel_that_forbids_it(monkeypatch):
    monkeypatch.setattr(syscall, "raw", lambda command, attr: -errno.EPERM)
    assert "EPERM" in live.available()
    with pytest.raises(KernelError):
        live.load(program(RETURN_2))
