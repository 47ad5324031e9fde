"""``Executable.run_many``: the same as one run a packet, in every engine."""

import struct
from array import array

import pytest

import osmia
from osmia.errors import BudgetExceeded, Fault, RecordError, Unavailable, UsageError
from osmia.isa import macros as m
from osmia.sim import batch, packet, pcap
from osmia.vm.jit import llvm

ENGINES = [("interp", True), ("interp", False), ("jit", True), ("jit", False)]
UDP = packet.udp4("10.0.0.1", "10.0.0.2", 4000, 53, b"x" * 22)

LENGTH = """
r2 = *(u32 *)(r1 + 0)
r3 = *(u32 *)(r1 + 4)
r0 = r3
r0 -= r2
exit
"""
FIRST_BYTE = """
r2 = *(u32 *)(r1 + 0)
r3 = *(u32 *)(r1 + 4)
r4 = r2
r4 += 1
r0 = 0
if r4 > r3 goto +2
r0 = *(u8 *)(r2 + 0)
*(u8 *)(r2 + 0) = 255
exit
"""


def jit_or_skip(engine):
    if engine == "jit":
        try:
            llvm.binding()
        except Unavailable as e:
            pytest.skip(str(e))


@pytest.fixture(params=ENGINES, ids=lambda p: f"{p[0]}-{'checked' if p[1] else 'trusted'}")
def load(request):
    engine, checked = request.param
    jit_or_skip(engine)

    def made(source, kind="xdp", **options):
        program = source if isinstance(source, osmia.Program) else osmia.Program(source, kind)
        return program.load(engine=engine, checked=checked, **options)

    made.engine, made.checked = engine, checked
    return made


def test_every_packet_has_its_own_result(load):
    packets = [bytes([n]) * (14 + 3 * n) for n in range(100)]
    made = load(LENGTH).run_many(packets)
    assert isinstance(made.retvals, array) and made.retvals.typecode == "I"
    assert list(made.retvals) == [len(p) for p in packets] and len(made) == 100
    assert made.native == (load.engine == "jit") and made.duration_ns > 0
    assert made.insns == (500 if load.checked or load.engine == "interp" else 0)


def test_verdicts_are_counted_by_name(load):
    made = load(FIRST_BYTE).run_many([bytes([n % 3]) * 20 for n in range(90)] + [bytes([77]) * 20])
    assert made.counts == {"XDP_ABORTED": 30, "XDP_DROP": 30, "XDP_PASS": 30, "unknown 77": 1}
    assert "XDP_PASS 30" in repr(made)


def test_packets_are_kept_as_they_left_and_given_ones_stay(load):
    packets = [bytes([n]) * 20 for n in range(1, 50)]
    made = load(FIRST_BYTE).run_many(packets, keep=True)
    assert made.packets == [b"\xff" + p[1:] for p in packets] and packets[0] == b"\x01" * 20
    assert load(FIRST_BYTE).run_many(packets).packets is None


GROWS = """
r6 = r1
r2 = 1000
call 65
r7 = r0
r1 = r6
r2 = -8
call 44
r0 |= r7
exit
"""


def test_packets_that_grow_are_kept_whole(load, monkeypatch):
    monkeypatch.setattr(batch, "SPARE", 1500)  # room for the first of them only
    frames = [bytes([n]) * 60 for n in range(5)]
    made = load(GROWS).run_many(frames, keep=True)
    assert list(made.retvals) == [0] * 5
    assert [(len(p), p[8:68], p[68:]) for p in made.packets] == [(1068, f, bytes(1000)) for f in frames]


def test_threads_share_the_packets(load):
    packets = [bytes([n & 255]) * (14 + n % 50) for n in range(1000)]
    made = load(LENGTH).run_many(packets, threads=3, keep=True)
    assert list(made.retvals) == [len(p) for p in packets] and made.packets == packets
    assert made.threads == (3 if load.engine == "jit" else 1)


def test_more_threads_than_packets(load):
    assert list(load(LENGTH).run_many([UDP], threads=8).retvals) == [len(UDP)]
    assert len(load(LENGTH).run_many([], threads=8)) == 0


def test_a_buffer_with_offsets(load):
    made = load(LENGTH).run_many((b"a" * 100, [0, 20, 50, 50, 100]))
    assert list(made.retvals) == [20, 30, 0, 50]
    assert len(load(LENGTH).run_many((b"", []))) == 0


@pytest.mark.parametrize("offsets", [[0, 101], [5, 3], [-1, 4]])
def test_offsets_must_lie_in_the_buffer(load, offsets):
    with pytest.raises(UsageError, match="offsets"):
        load(LENGTH).run_many((bytes(100), offsets))


@pytest.mark.parametrize("order", "<>")
def test_a_capture(load, tmp_path, order):
    path = tmp_path / "a.pcap"
    frames = [UDP, bytes(60), b"", bytes(1500)]
    head = struct.pack(f"{order}IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    path.write_bytes(head + b"".join(struct.pack(f"{order}IIII", 0, 0, len(f), len(f)) + f for f in frames))
    assert list(load(LENGTH).run_many(path).retvals) == [len(f) for f in frames]
    assert list(load(LENGTH).run_many(str(path), threads=2).retvals) == [len(f) for f in frames]
    assert [f.data for f in pcap.read(path)] == frames


@pytest.mark.parametrize("cut", [1, 30, 60])
def test_a_damaged_capture_says_where(tmp_path, cut):
    path = tmp_path / "a.pcap"
    pcap.write(path, [UDP, UDP])
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(RecordError, match="byte"):
        osmia.Program(LENGTH, "xdp").load().run_many(path)


def test_no_capture(tmp_path):
    (tmp_path / "x").write_bytes(b"not at all")
    for path, error in ((tmp_path / "x", RecordError), (tmp_path / "none", UsageError)):
        with pytest.raises(error):
            osmia.Program(LENGTH, "xdp").load().run_many(path)


def test_what_are_no_packets():
    loaded = osmia.Program(LENGTH, "xdp").load()
    with pytest.raises(UsageError, match="bytes"):
        loaded.run_many([1, 2])
    with pytest.raises(UsageError, match="thread"):
        loaded.run_many([], threads=0)
    with pytest.raises(UsageError, match="takes no packets"):
        osmia.Program("r0 = 0\nexit", "kprobe").load().run_many([b"x"])


BEYOND = """
r2 = *(u32 *)(r1 + 0)
r0 = *(u8 *)(r2 + 40)
exit
"""


def test_a_fault_ends_its_packet_alone(load):
    if not load.checked:
        pytest.skip("nothing is checked")
    sizes = [60, 20, 60, 40, 41]
    program = osmia.Program(BEYOND, "xdp", name="beyond", section="xdp")
    made = load(program).run_many([bytes([7]) * s for s in sizes], keep=True)
    assert list(made.retvals) == [7, 0, 7, 0, 7] and made.faulted == 2
    assert [(index, type(error)) for index, error in made.faults] == [(1, Fault), (3, Fault)]
    error = made.faults[0][1]
    assert error.pc == 1 and error.program == "beyond" and "behind the end of packet" in str(error)
    assert made.counts == {"unknown 7": 3, "fault": 2} and [len(p) for p in made.packets] == [60, 0, 60, 0, 41]
    assert made.to_json()["faults"][0]["packet"] == 1


def test_a_short_packet_after_a_long_one_is_short(load):
    """What a look-up opened for one packet is closed for the next."""
    if not load.checked:
        pytest.skip("nothing is checked")
    made = load(BEYOND).run_many([bytes(60), bytes(20)] * 50)
    assert made.faulted == 50


def test_each_packet_has_its_own_budget(load):
    if not load.checked:
        pytest.skip("nothing is counted")
    source = FIRST_BYTE.replace("exit", "if r0 == 200 goto -1\nexit")
    made = load(source, budget=1_200_000).run_many([bytes([n]) * 20 for n in (1, 200, 2, 200, 3)])
    assert list(made.retvals) == [1, 0, 2, 0, 3]
    assert [(i, type(e)) for i, e in made.faults] == [(1, BudgetExceeded), (3, BudgetExceeded)]


def test_more_instructions_than_one_grant_of_fuel(load):
    insns = [m.BPF_MOV64_IMM(0, 0), m.BPF_ALU64_IMM(0, 0, 1), m.BPF_JMP_IMM(0xA0, 0, 1_000_000, -2), m.BPF_EXIT_INSN()]
    if load.engine == "interp" and not batch.__file__.endswith(".so"):
        pytest.skip("two million instructions of an interpreter in Python")
    made = load(osmia.Program(insns, "xdp")).run_many([UDP, UDP])
    assert list(made.retvals) == [1_000_000] * 2
    assert made.insns in (2 * 2_000_002, 0) and (made.insns == 0) == (load.engine == "jit" and not load.checked)


def test_hundred_faults_are_kept_and_all_are_counted(load):
    if not load.checked:
        pytest.skip("nothing is checked")
    made = load(BEYOND).run_many([bytes(20)] * 250, threads=2)
    assert made.faulted == 250 and len(made.faults) == batch.KEPT_FAULTS
    assert [index for index, _ in made.faults] == sorted(index for index, _ in made.faults)


def test_socket_buffers(load):
    source = "r0 = *(u32 *)(r1 + 16)\nexit"  # __sk_buff.protocol
    made = load(source, "sched_cls").run_many([UDP, UDP[:12] + b"\x86\xdd" + UDP[14:], UDP])
    assert list(made.retvals) == [0x0008, 0xDD86, 0x0008]


def test_contexts_are_as_fresh_for_every_packet(load):
    source = "r0 = *(u32 *)(r1 + 8)\n*(u32 *)(r1 + 8) = 5\nexit"  # __sk_buff.mark
    assert list(load(source, "sched_cls").run_many([UDP] * 3).retvals) == [0, 0, 0]


def test_a_python_helper_sees_the_packet_of_its_run(load):
    program = osmia.compile(
        """
        #include "vmlinux.h"
        #include <bpf/bpf_helpers.h>
        char LICENSE[] SEC("license") = "GPL";
        SEC("xdp") int prog(struct xdp_md *ctx)
        {
            char head[4] = {};
            bpf_xdp_load_bytes(ctx, 2, head, 2);
            bpf_printk("%d", head[0]);
            return head[1];
        }
        """
    )["prog"]
    world = osmia.World()
    made = load(program, world=world).run_many([bytes([0, 0, n, n + 1]) + bytes(16) for n in range(5)])
    assert list(made.retvals) == [1, 2, 3, 4, 5]
    assert [line.text for line in world.pipe.lines] == ["0", "1", "2", "3", "4"]


def test_auto_goes_over_to_native_code(monkeypatch):
    jit_or_skip("jit")
    from osmia.vm.jit import tiers

    loaded = osmia.Program(LENGTH, "xdp").load(engine="auto")
    for name in ("HOT", "HOT_UNCOMPILED"):
        monkeypatch.setattr(tiers, name, 1)
    loaded = osmia.Program(LENGTH + "\n", "xdp").load(engine="auto")
    count = 3000
    made = loaded.run_many([UDP] * count)
    assert list(made.retvals) == [len(UDP)] * count
    assert loaded.machine.settle(60) and loaded.run_many([UDP]).native
