"""The words of a packet's state, which contexts, helpers and native code share.

``P_…`` are offsets in bytes, each of a u64 word; ``packetwords.pxd`` holds the same numbers for compiled modules (a
test compares them).  ``packetstate`` works on them.

- kind: 0 none (a context that is no packet: the words up to network are 0), 1 xdp_md, 2 __sk_buff
- low, high: the buffer, head room and tail room included; start, end: the data that the program sees
- meta: metadata lie in [meta, start); mac, network: the headers of a socket buffer
- ctx, size: the context's bytes; behind those of a packet lies a copy of them as they were at first
- version: counts the moves
- room: bytes of the buffer, at least high - low; lowest: how far down the packet has begun since it was placed
- given: what the next packet of a batch does not change, bits of ``packetstate``
- ahead: bytes of metadata in front of each packet that is placed
- sums: 0 where no checksum is known to be right (CHECKSUM_NONE), or how many are (CHECKSUM_UNNECESSARY)
- transport: the header of a tunnel that a program made, or 0; encapsulated: 1 for a packet that a program put into one
"""

from __future__ import annotations

PACKET = (
    *"kind low high start end meta mac network ctx version size room".split(),
    *"lowest given ahead sums transport encapsulated".split(),
)
OFFSETS = {name: 8 * index for index, name in enumerate(PACKET)}
"""Offset by name."""

(
    P_KIND, P_LOW, P_HIGH, P_START, P_END, P_META, P_MAC, P_NETWORK, P_CTX, P_VERSION, P_SIZE, P_ROOM, P_LOWEST,
    P_GIVEN, P_AHEAD, P_SUMS, P_TRANSPORT, P_ENCAPSULATED,
) = OFFSETS.values()  # fmt: skip
