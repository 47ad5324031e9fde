"""Packets really built: Ethernet, IPv4, IPv6, UDP, TCP and ICMP headers with their lengths and checksums.

>>> packet = udp4("127.0.0.1", "127.0.0.1", 4000, 9999, b"hello")
>>> len(packet), packet[:14].hex(), packet[-5:]
(47, '0000000000000000000000000800', b'hello')
"""

from __future__ import annotations

import ipaddress
import struct

from osmia.errors import UsageError

ETH_LEN, IP_LEN, UDP_LEN = 14, 20, 8
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
ETH_P_IP, ETH_P_ARP, ETH_P_IPV6 = 0x0800, 0x0806, 0x86DD
NO_MAC = bytes(6)


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071) of ``data``.

    >>> hex(checksum(bytes.fromhex("0001f203f4f5f6f7")))
    '0x220d'
    """
    padded = data + bytes(len(data) % 2)
    total: int = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def address(text: str) -> bytes:
    """The bytes of an IPv4 or IPv6 address.  Raises UsageError."""
    try:
        return bytes(ipaddress.ip_address(text).packed)
    except ValueError as e:
        raise UsageError(str(e)) from None


def ethernet(payload: bytes, ethertype: int = ETH_P_IP, src: bytes = NO_MAC, dst: bytes = NO_MAC) -> bytes:
    """An Ethernet frame."""
    return dst + src + struct.pack(">H", ethertype) + payload


def ipv4(src: str, dst: str, protocol: int, payload: bytes, *, ident: int = 0, ttl: int = 64, tos: int = 0) -> bytes:
    """An IPv4 packet with don't-fragment set, as Linux sends."""
    ends = address(src) + address(dst)
    head = struct.pack(">BBHHHBBH", 0x45, tos, IP_LEN + len(payload), ident, 0x4000, ttl, protocol, 0)
    total = checksum(head + ends)
    return head[:10] + struct.pack(">H", total) + ends + payload


def ipv6(src: str, dst: str, protocol: int, payload: bytes, *, hops: int = 64) -> bytes:
    """An IPv6 packet."""
    return struct.pack(">IHBB", 6 << 28, len(payload), protocol, hops) + address(src) + address(dst) + payload


def _pseudo(src: str, dst: str, protocol: int, size: int) -> bytes:
    ends = address(src) + address(dst)
    return ends + (struct.pack(">BBH", 0, protocol, size) if len(ends) == 8 else struct.pack(">II", size, protocol))


def udp(src: str, dst: str, sport: int, dport: int, payload: bytes) -> bytes:
    """A UDP datagram with its checksum (0 is sent as 0xffff)."""
    size = UDP_LEN + len(payload)
    head = struct.pack(">HHHH", sport, dport, size, 0)
    total = checksum(_pseudo(src, dst, UDP, size) + head + payload) or 0xFFFF
    return head[:6] + struct.pack(">H", total) + payload


def tcp(
    src: str, dst: str, sport: int, dport: int, payload: bytes = b"", *, seq: int = 1, ack: int = 0, flags: int = 2
) -> bytes:
    """A TCP segment without options; ``flags`` are the header's (2: SYN)."""
    head = struct.pack(">HHIIBBHHH", sport, dport, seq, ack, 5 << 4, flags, 65535, 0, 0)
    total = checksum(_pseudo(src, dst, TCP, len(head) + len(payload)) + head + payload)
    return head[:16] + struct.pack(">H", total) + head[18:] + payload


def icmp4(kind: int, code: int, rest: int = 0, payload: bytes = b"") -> bytes:
    """An ICMP message."""
    head = struct.pack(">BBHI", kind, code, 0, rest)
    return head[:2] + struct.pack(">H", checksum(head + payload)) + head[4:] + payload


def udp4(src: str, dst: str, sport: int, dport: int, payload: bytes, *, ident: int = 0) -> bytes:
    """A whole frame: Ethernet, IPv4, UDP."""
    return ethernet(ipv4(src, dst, UDP, udp(src, dst, sport, dport, payload), ident=ident))


def unreachable4(datagram: bytes, *, code: int = 3) -> bytes:
    """The frame with which a host refuses an IPv4 datagram (ICMP type 3; code 3: no such port)."""
    src, dst = (str(ipaddress.ip_address(datagram[at : at + 4])) for at in (16, 12))
    answer = icmp4(3, code, payload=datagram[: 576 - IP_LEN - 8])
    return ethernet(ipv4(src, dst, ICMP, answer, tos=0xC0))


DNS_QUERY = struct.pack(">6H", 0x1234, 0x0100, 1, 0, 0, 0) + b"\7example\0" + struct.pack(">2H", 1, 1)
"""Who is example, in IPv4?  (RFC 1035)"""


def samples() -> list[bytes]:
    """A few ordinary frames for programs that are run without any: UDP, TCP SYN, ping, ARP, UDP over IPv6."""
    mine, yours = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
    a, b, a6, b6 = "10.0.0.1", "10.0.0.2", "fd00::1", "fd00::2"
    arp = struct.pack(">HHBBH", 1, ETH_P_IP, 6, 4, 1) + mine + address(a) + NO_MAC + address(b)
    return [
        ethernet(ipv4(a, b, UDP, udp(a, b, 4000, 9999, b"hello"), ident=1), ETH_P_IP, mine, yours),
        ethernet(ipv4(a, b, TCP, tcp(a, b, 40000, 80), ident=2), ETH_P_IP, mine, yours),
        ethernet(ipv4(a, b, ICMP, icmp4(8, 0, 0x00010001, bytes(range(48))), ident=3), ETH_P_IP, mine, yours),
        ethernet(arp, ETH_P_ARP, mine, b"\xff" * 6),
        ethernet(ipv6(a6, b6, UDP, udp(a6, b6, 4000, 53, DNS_QUERY)), ETH_P_IPV6, mine, yours),
    ]
