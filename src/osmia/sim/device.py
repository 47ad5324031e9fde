"""Network devices, and the ``sk_buff`` of a packet on one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from osmia import raw
from osmia.sim.embodied import Embodied

if TYPE_CHECKING:
    from osmia.sim.kmem import Kmem
    from osmia.sim.kobject import KObject

ETH_LEN = 14
HEADROOM = 64
IFF_UP, IFF_BROADCAST, IFF_LOOPBACK, IFF_RUNNING, IFF_MULTICAST = 0x1, 0x2, 0x8, 0x40, 0x1000
ARPHRD_ETHER, ARPHRD_LOOPBACK = 1, 772
PACKET_HOST = 0
CHECKSUM_UNNECESSARY = 1
NETREG_REGISTERED = 1


@dataclass(eq=False)
class NetDevice(Embodied):
    """A device; ``sent`` are the frames it took."""

    name: str
    ifindex: int
    mtu: int = 1500
    mac: bytes = bytes(6)
    sent: list[bytes] = field(default_factory=list, repr=False)

    @property
    def loopback(self) -> bool:
        """Whether what is sent comes back."""
        return self.name == "lo"

    def _make(self, kmem: Kmem) -> KObject:
        made = kmem.new("struct net_device", name=self.name)
        flags = IFF_UP | IFF_RUNNING | (IFF_LOOPBACK if self.loopback else IFF_BROADCAST | IFF_MULTICAST)
        made.try_update(
            ifindex=self.ifindex, mtu=self.mtu, flags=flags, hard_header_len=ETH_LEN, addr_len=6,
            type=ARPHRD_LOOPBACK if self.loopback else ARPHRD_ETHER, reg_state=NETREG_REGISTERED,
            dev_addr=kmem.data(self.mac, f"{self.name} address"), num_rx_queues=1, num_tx_queues=1,
            real_num_tx_queues=1, real_num_rx_queues=1,
        )  # fmt: skip
        return made


def sk_buff(kmem: Kmem, frame: bytes, device: NetDevice, *, pulled: bool = True) -> KObject:
    """The ``struct sk_buff`` of a frame that came in on a device; ``pulled``: past the Ethernet header, as the
    receive path has it after ``eth_type_trans``.  Free it with ``free_skb``.
    """
    size = (HEADROOM + len(frame) + 63) // 64 * 64
    head = kmem.allocate(size, "packet buffer")
    raw.write(head + HEADROOM, frame)
    start = ETH_LEN if pulled and len(frame) >= ETH_LEN else 0
    network = HEADROOM + min(ETH_LEN, len(frame))
    made = kmem.new("struct sk_buff", len=len(frame) - start)
    made.try_update(
        dev=device.kobject, head=head, data=head + HEADROOM + start, tail=HEADROOM + len(frame), end=size,
        mac_header=HEADROOM, network_header=network, transport_header=network + _ip_header(frame), mac_len=ETH_LEN,
        protocol=int.from_bytes(frame[12:14], kmem.order), pkt_type=PACKET_HOST, ip_summed=CHECKSUM_UNNECESSARY,
        skb_iif=device.ifindex, truesize=size + 256, users={"refs": {"counter": 1}},
    )  # fmt: skip
    return made


def _ip_header(frame: bytes) -> int:
    """The length of the IP header behind the Ethernet header; 0 where it is another protocol."""
    version = frame[ETH_LEN] >> 4 if len(frame) > ETH_LEN else 0
    ip = frame[12:14] in (b"\x08\x00", b"\x86\xdd")
    return 0 if not ip else (frame[ETH_LEN] & 15) * 4 if version == 4 else 40


def free_skb(kmem: Kmem, skb: KObject) -> None:
    """Free an ``sk_buff`` of ``sk_buff`` with its data."""
    kmem.free(int(skb["head"]))
    kmem.free(skb)
