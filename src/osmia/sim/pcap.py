"""Packet captures: pcap and pcapng in, pcap out."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from osmia.errors import InputError, RecordError, UsageError

ETHERNET, RAW_IP, LINUX_SLL = 1, 101, 113
MAGIC = {
    b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\x3c\x4d": ">",
}  # fmt: skip
"""How a classic pcap begins, and its byte order: times in micro- or nanoseconds."""
_PCAPNG = b"\x0a\x0d\x0d\x0a"
_HEADER, _RECORD = 24, 16
MAX_FRAME = 1 << 18


class Frame(NamedTuple):
    """One captured packet; ``time`` in seconds."""

    time: float
    data: bytes


def read(source: str | Path | bytes, name: str = "<pcap>") -> list[Frame]:
    """The packets of a pcap or pcapng file, or of its bytes.  Raises RecordError that says where it is damaged."""
    if not isinstance(source, bytes):
        name = str(source)
        try:
            source = Path(source).read_bytes()
        except (OSError, ValueError) as e:
            raise UsageError(getattr(e, "strerror", None) or str(e), file=name) from None
    try:
        return list(_frames(source))
    except InputError as e:
        raise e.at(file=name) from None


def _frames(data: bytes) -> Iterator[Frame]:
    import dpkt

    if data[:4] in MAGIC:
        _check(data, MAGIC[data[:4]])
    elif data[:4] != _PCAPNG:
        raise RecordError("neither pcap nor pcapng", offset=0)
    try:
        for time, packet in dpkt.pcap.UniversalReader(io.BytesIO(data)):
            yield Frame(float(time), bytes(packet))
    except Exception as e:  # a damaged file makes dpkt raise almost anything
        raise RecordError(f"damaged capture: {type(e).__name__}: {e}") from None


def _check(data: bytes, order: str) -> None:
    """Walk the records of a classic pcap, which dpkt would cut short without a word."""
    if len(data) < _HEADER:
        raise RecordError("the file header is cut off", offset=len(data))
    at = _HEADER
    while at < len(data):
        if len(data) - at < _RECORD:
            raise RecordError("a record's header is cut off", offset=at)
        size = struct.unpack_from(f"{order}I", data, at + 8)[0]
        if size > MAX_FRAME or at + _RECORD + size > len(data):
            raise RecordError(f"a record of {size} bytes where {len(data) - at - _RECORD} are left", offset=at)
        at += _RECORD + size


def write(path: str | Path, frames: Iterable[Frame | bytes]) -> int:
    """Write an Ethernet pcap with times in nanoseconds; bare bytes get rising times.  Returns how many."""
    import dpkt

    count = 0
    try:
        with Path(path).open("wb") as file:
            writer: Any = dpkt.pcap.Writer(file, snaplen=MAX_FRAME, nano=True, linktype=ETHERNET)
            for count, frame in enumerate(frames, 1):
                time, data = frame if isinstance(frame, Frame) else (count / 1000, frame)
                writer.writepkt(data, time)
    except OSError as e:
        raise UsageError(e.strerror or str(e), file=str(path)) from None
    except (struct.error, OverflowError, ValueError):
        raise RecordError(f"packet {count}: its time, {time} s, does not fit into a pcap", file=str(path)) from None
    return count


def summary(data: bytes) -> str:
    """A packet in a few words, for people: "10.0.0.1:4000 > 10.0.0.2:9999 UDP"."""
    import dpkt

    try:
        inner = dpkt.ethernet.Ethernet(data).data
    except Exception:  # dpkt's parsers raise many kinds on odd packets
        return "not Ethernet"
    if isinstance(inner, dpkt.ip.IP | dpkt.ip6.IP6):
        return _ip(inner)
    return type(inner).__name__ if not isinstance(inner, bytes) else f"EtherType {data[12:14].hex()}"


def _ip(packet: Any) -> str:
    from ipaddress import ip_address

    ends = [str(ip_address(packet.src)), str(ip_address(packet.dst))]
    above = packet.data
    if hasattr(above, "sport"):
        wrap = "[{}]:{}" if ":" in ends[0] else "{}:{}"
        ends = [wrap.format(e, p) for e, p in zip(ends, (above.sport, above.dport), strict=True)]
    kind = type(above).__name__ if not isinstance(above, bytes) else f"protocol {packet.p}"
    return f"{ends[0]} > {ends[1]} {kind}"
