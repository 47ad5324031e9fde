"""The words of a packet's state, which contexts, helpers and native code share.

``P_…`` are offsets in bytes, each of a u64 word; ``packetwords.pxd`` holds the same numbers for compiled modules (a
test compares them).

- kind: 0 none, 1 xdp_md, 2 __sk_buff; low, high: the buffer; start, end: the packet; meta: where its metadata begin
- mac, network: the headers of a socket buffer; ctx: the context's address; version: counts the moves
"""

from __future__ import annotations

PACKET = tuple("kind low high start end meta mac network ctx version".split())
OFFSETS = {name: 8 * index for index, name in enumerate(PACKET)}
"""Offset by name."""

P_KIND, P_LOW, P_HIGH, P_START, P_END, P_META, P_MAC, P_NETWORK, P_CTX, P_VERSION = OFFSETS.values()
