"""Packets through the simulated stack: XDP, then tc, then sockets, with the kernel's functions on the way.

Which function sees what, and when, follows net/core/dev.c (__netif_receive_skb_core) and net/ipv4 of 6.1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from osmia import raw
from osmia.sim import packet
from osmia.sim.device import ETH_LEN, NetDevice, free_skb, sk_buff
from osmia.sim.hooks import Hook

if TYPE_CHECKING:
    from osmia.sim.kobject import KObject
    from osmia.sim.result import Result
    from osmia.sim.world import World
    from osmia.vm.context import Context

TC_GOES_ON = frozenset((0, 1, 3, 0xFFFFFFFF))
XDP_PASS, XDP_TX = 2, 3
BPF_F_INGRESS = 1
MAX_HOPS = 8  # XMIT_RECURSION_LIMIT


@dataclass
class Reception:
    """What became of a frame.  ``action`` is the verdict that ended its way, or of the last program that passed it."""

    frame: bytes
    device: str
    action: str | None = None
    passed: bool = True
    results: list[Result] = field(default_factory=list)


def receive(world: World, device: NetDevice, frame: bytes) -> Reception:
    """Let a frame come in; every program on its way runs."""
    got = Reception(frame, device.name)
    with world.running(None, softirq=True), _Skb(world, device, frame) as skb:
        _function(world, "__netif_receive_skb_core", lambda: [skb.pointer(), 0, 0])
        _through(world, got, Hook("xdp", device.name), lambda retval: retval == XDP_PASS)
        if got.passed:
            _event(world, "net/netif_receive_skb", skb)
            _through(world, got, Hook("tc", device.name), lambda retval: retval in TC_GOES_ON)
        if got.passed:
            _to_sockets(world, got, device)
            _to_protocols(world, skb, got.frame)
        elif got.results[-1].prog_type == "xdp" and got.results[-1].retval == XDP_TX:
            device.sent.append(got.frame)
        else:
            _redirect(world, got)
    return got


def _redirect(world: World, got: Reception) -> None:
    """Bring a redirected frame to the other device."""
    last = got.results[-1]
    if last.redirect is not None and "REDIRECT" in (last.action or ""):
        forward(world, last.redirect[0], last.redirect[1], got.frame)


def forward(world: World, ifindex: int, flags: int, frame: bytes) -> bool:
    """Send a frame to a device, or into its receive path; False where there is none.

    A frame that has gone round too often is dropped, as the kernel counts.
    """
    target = next((d for d in world.devices.values() if d.ifindex == ifindex), None)
    if target is None or world.hops >= MAX_HOPS:
        return target is not None
    world.hops += 1
    try:
        if flags & BPF_F_INGRESS:
            receive(world, target, frame)
        else:
            transmit(world, target, frame)
    finally:
        world.hops -= 1
    return True


def transmit(world: World, device: NetDevice, frame: bytes) -> bool:
    """Send a frame out of a device; loopback receives it again.  Whether it arrived, or left the machine."""
    out = Reception(frame, device.name)
    with _Skb(world, device, frame, pulled=False) as skb:
        _function(world, "__dev_queue_xmit", lambda: [skb.kobject, 0])
        _through(world, out, Hook("tc_egress", device.name), lambda retval: retval in TC_GOES_ON)
        if not out.passed:
            return False
        _event(world, "net/net_dev_queue", skb)
        _function(world, "dev_hard_start_xmit", lambda: [skb.kobject, device.kobject, 0, 0])
        if device.loopback:
            _function(world, "loopback_xmit", lambda: [skb.kobject, device.kobject])
    device.sent.append(out.frame)
    return receive(world, device, out.frame).passed if device.loopback else True


def send_udp(world: World, port: int, payload: bytes, *, source: int) -> None:
    """A datagram to 127.0.0.1, where nobody listens: the answer is an ICMP "port unreachable"."""
    lo, here = world.device("lo"), "127.0.0.1"
    frame = packet.udp4(here, here, source, port, payload, ident=world.prandom_u32() & 0xFFFF)
    if transmit(world, lo, frame):
        transmit(world, lo, packet.unreachable4(frame[ETH_LEN:]))


class _Skb:
    """The frame's ``sk_buff``, made when something asks for it and freed at the end."""

    def __init__(self, world: World, device: NetDevice, frame: bytes, *, pulled: bool = True) -> None:
        self.world, self.device, self.frame, self.pulled = world, device, frame, pulled
        self._made: KObject | None = None
        self._pointer = 0

    @property
    def kobject(self) -> KObject:
        """The ``struct sk_buff``."""
        if self._made is None:
            self._made = sk_buff(self.world.kmem, self.frame, self.device, pulled=self.pulled)
        return self._made

    def pointer(self) -> int:
        """The address of a local variable that holds the skb's address (``struct sk_buff **``)."""
        if not self._pointer:
            self._pointer = self.world.kmem.allocate(8, "local variable pskb")
            raw.st64(self._pointer, self.kobject.address)
        return self._pointer

    def __enter__(self) -> _Skb:
        return self

    def __exit__(self, *_: object) -> None:
        if self._made is not None:
            free_skb(self.world.kmem, self._made)
        if self._pointer:
            self.world.kmem.free(self._pointer)


def _function(world: World, name: str, args: Callable[[], list[Any]], ret: int = 0) -> None:
    """A kernel function is entered and left; its arguments are made only when somebody watches."""
    if any(world.attached(Hook(kind, name)) for kind in ("kprobe", "kretprobe", "fentry", "fexit")):
        world.call(name, args(), lambda: ret)


def _event(world: World, name: str, skb: _Skb) -> None:
    short = name.partition("/")[2]
    if world.attached(Hook("tracepoint", name)):
        world.fire(Hook("tracepoint", name), skbaddr=skb.kobject, len=skb.kobject["len"], name=skb.device.name)
    for kind in ("raw_tp", "tp_btf"):
        if world.attached(Hook(kind, short)):
            world.fire(Hook(kind, short), args=[skb.kobject])


def _through(world: World, got: Reception, event: Hook, goes_on: Callable[[int], bool]) -> None:
    """Run a hook's programs in turn until one ends the frame's way; each sees what the last one left."""
    for attached in world.attached(event):
        context = _context(world, attached.executable.program.prog_type, got)
        result = world.run_all(event, [attached], context)[0]
        got.results.append(result)
        got.frame = got.frame if result.data is None else result.data
        got.action, got.passed = result.action, goes_on(result.retval)
        if not got.passed:
            return


def _context(world: World, prog_type: str, got: Reception) -> Callable[[], Context]:
    from osmia.sim import contexts

    return lambda: contexts.of_packet(world, prog_type, got.frame, world.device(got.device))


def _to_sockets(world: World, got: Reception, device: NetDevice) -> None:
    """Every socket filter sees the frame, whatever the others say; a cgroup may drop it."""
    for attached in world.attached(Hook("socket", device.name)):
        context = _context(world, "socket_filter", got)
        got.results += world.run_all(Hook("socket", device.name), [attached], context)
        got.action = got.results[-1].action
    _through(world, got, Hook("cgroup_skb", device.name), lambda retval: bool(retval & 1))


def _to_protocols(world: World, skb: _Skb, frame: bytes) -> None:
    if frame[12:14] != b"\x08\x00" or len(frame) < ETH_LEN + packet.IP_LEN:
        return
    _function(world, "ip_rcv", lambda: [skb.kobject, skb.device.kobject, 0, skb.device.kobject])
    handler = {packet.UDP: "udp_rcv", packet.ICMP: "icmp_rcv", packet.TCP: "tcp_v4_rcv"}.get(frame[ETH_LEN + 9])
    if handler:
        _function(world, handler, lambda: [skb.kobject])
