#!/usr/bin/env python3
"""Write examples/packets.pcap: a handful of frames of ordinary kinds for the packet examples.

python examples/make_packets.py [FILE]
"""

from __future__ import annotations

import sys
from pathlib import Path

from osmia.sim import packet, pcap


def frames() -> list[bytes]:
    """The ordinary kinds, and DNS and closed-port traffic over loopback."""
    dns = packet.udp4("10.0.0.1", "10.0.0.53", 40000, 53, packet.DNS_QUERY)
    closed = [packet.udp4("10.0.0.1", "10.0.0.2", 40000 + n, 9999, b"x" * n * 40) for n in range(1, 4)]
    return [*packet.samples(), dns, *closed]


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("packets.pcap")
    print(f"{pcap.write(target, frames())} packets in {target}")
