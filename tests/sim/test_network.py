"""Frames on their way through XDP, tc, cgroups and sockets."""

import pytest

import osmia
from osmia.errors import UsageError
from osmia.sim import packet

FRAME = packet.udp4("127.0.0.1", "127.0.0.1", 4000, 9999, b"hello")


def attached(world, prog_type, text, hook):
    made = osmia.Program(text, prog_type, name=hook.replace("/", "_")).load(world=world)
    world.attach(made, hook)
    return made


@pytest.mark.parametrize(
    ("xdp", "tc", "action", "ran"),
    [
        (1, 0, "XDP_DROP", 1), (2, 2, "TC_ACT_SHOT", 2), (2, 0, "keep 9", 3), (2, -1, "keep 9", 3),
        (2, 7, "TC_ACT_REDIRECT", 2), (0, 0, "XDP_ABORTED", 1), (77, 0, "unknown 77", 1),
    ],
)  # fmt: skip
def test_the_first_that_objects_ends_the_way(xdp, tc, action, ran):
    world = osmia.World()
    attached(world, "xdp", f"r0 = {xdp}\nexit", "xdp/lo")
    attached(world, "sched_cls", f"r0 = {tc}\nexit", "tc/lo")
    attached(world, "socket_filter", "r0 = 9\nexit", "socket")
    got = world.receive("lo", FRAME)
    assert (got.action, len(got.results), got.passed) == (action, ran, ran == 3)


def test_only_the_devices_own_programs_run():
    world = osmia.World()
    attached(world, "xdp", "r0 = 1\nexit", "xdp/eth0")
    assert world.receive("lo", FRAME).passed and not world.receive("eth0", FRAME).passed


def test_xdp_changes_what_the_next_one_sees():
    world = osmia.World()
    attached(world, "xdp", "r6 = *(u32 *)(r1 + 0)\n*(u8 *)(r6 + 0) = 0x55\nr0 = 2\nexit", "xdp/lo")
    attached(world, "sched_cls", "r2 = *(u32 *)(r1 + 76)\nr0 = *(u8 *)(r2 + 0)\nr0 &= 3\nexit", "tc/lo")
    got = world.receive("lo", FRAME)
    assert got.frame[0] == 0x55 and got.results[1].retval == 0x55 & 3


def test_xdp_tx_sends_back():
    world = osmia.World()
    attached(world, "xdp", "r0 = 3\nexit", "xdp/eth0")
    assert world.receive("eth0", FRAME).action == "XDP_TX" and world.device("eth0").sent == [FRAME]


def test_a_redirect_names_its_target():
    world = osmia.World()
    text = "r1 = 2\nr2 = 0\ncall 23\nexit"
    assert osmia.Program(text, "xdp").load(world=world).run(data=FRAME).redirect == (2, 0)


@pytest.mark.parametrize(("prog_type", "hook"), [("xdp", "xdp/lo"), ("sched_cls", "tc/lo")])
def test_a_redirected_frame_leaves_by_the_other_device(prog_type, hook):
    world = osmia.World()
    attached(world, prog_type, "r1 = 2\nr2 = 0\ncall 23\nexit", hook)
    got = world.receive("lo", FRAME)
    assert not got.passed and "REDIRECT" in got.action and world.device("eth0").sent == [FRAME]


def test_redirects_do_not_go_round_for_ever():
    world = osmia.World()
    attached(world, "sched_cls", "r1 = 1\nr2 = 1\ncall 23\nexit", "tc/lo")  # into lo's ingress again
    assert world.receive("lo", FRAME).action == "TC_ACT_REDIRECT"


def test_a_dropped_datagram_gets_no_answer():
    world = osmia.World()
    made = attached(world, "xdp", "r0 = 1\nexit", "xdp/lo")
    runs = []
    made.observer = lambda _, result: runs.append(len(result.data))
    world.do("udp 9 hello")
    assert runs == [47]
    world.detach(made)
    world.do("udp 9 hello")
    assert runs == [47] and [len(f) for f in world.device("lo").sent] == [47, 47, 75]


def test_egress_sees_what_leaves():
    world = osmia.World()
    attached(world, "sched_cls", "r0 = 2\nexit", "tcx/egress")
    world.do("udp 9 hello")
    assert world.device("lo").sent == []


def test_skb_fields_follow_the_frame():
    world = osmia.World()
    text = "r0 = *(u32 *)(r1 + 16)\nr2 = *(u32 *)(r1 + 40)\nr2 <<= 16\nr0 |= r2\nexit"
    seen = attached(world, "sched_cls", text, "tc")
    world.receive("eth0", FRAME)
    result = seen.run(data=FRAME)
    assert result.retval & 0xFFFF == 0x0008 and result.retval >> 16 == 1


def test_packets_are_not_fired():
    world = osmia.World()
    attached(world, "xdp", "r0 = 2\nexit", "xdp/lo")
    with pytest.raises(UsageError, match="receive"):
        world.fire("xdp/lo")


@pytest.mark.parametrize("frame", [b"", b"x", bytes(13), bytes(14), FRAME[:20], FRAME[:35], b"\xff" * 2000])
def test_odd_frames_are_frames(frame):
    world = osmia.World()
    attached(world, "socket_filter", "r0 = *(u32 *)(r1 + 0)\nexit", "socket")
    attached(world, "kprobe", "r0 = 0\nexit", "kprobe/ip_rcv")
    attached(world, "kprobe", "r0 = 0\nexit", "kprobe/__netif_receive_skb_core")
    assert world.receive("lo", frame).passed


def test_a_clone_leaves_and_the_frame_goes_on():
    world = osmia.World()
    text = "r2 = 2\nr3 = 0\ncall 13\nr0 = 0\nexit"
    attached(world, "sched_cls", text, "tc/lo")
    assert world.receive("lo", FRAME).passed and world.device("eth0").sent == [FRAME]
