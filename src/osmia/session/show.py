"""Maps as text and JSON, of the machine and of the running kernel alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from osmia.maps import Map, face
from osmia.maps.perf import PerfEventArray
from osmia.maps.ringbuf import Ringbuf
from osmia.maps.values import View
from osmia.obj.model import Program

SHOWN, DUMPED = 256, 64
"""Elements of a map, and bytes of a record, that people get to see."""


def elements(m: Any) -> Iterator[tuple[Any, Any]]:
    """Keys and values, by BTF type where the map has one."""
    if isinstance(m, Map):
        yield from () if m.type in face.RECORDS else face.items(m)
        return
    for key in m:  # a LiveMap: bytes
        spec = m.spec
        yield face.from_bytes(m, key, spec.btf_key_type_id), face.from_bytes(m, m[key], spec.btf_value_type_id)


def records(m: Any) -> list[bytes]:
    """The records that wait in a ring buffer or perf array; they are taken out."""
    if isinstance(m, Ringbuf):
        return list(m.consume())
    return [sample.data for sample in m.events()] if isinstance(m, PerfEventArray) else []


def lines(maps: Mapping[str, Any]) -> Iterator[str]:
    """A heading for each map, and a line for each record, or element that is not just zeros."""
    for name, m in maps.items():
        if m.spec.type in face.RECORDS:
            found = records(m)
            yield f"{name}: {m.spec.type}, {len(found)} records"
            yield from _cut([f"  {len(r)} bytes: {_dump(r)}" for r in found])
            continue
        rows = [f"  {k!r}: {_text(v)}" for k, v in elements(m) if not _zero(v)]
        yield f"{name}: {m.spec.type}, {len(rows)} of {m.spec.max_entries} in use"
        yield from _cut(rows)


def _cut(rows: list[str]) -> Iterator[str]:
    yield from rows[:SHOWN]
    if len(rows) > SHOWN:
        yield f"  … and {len(rows) - SHOWN} more"


def _dump(data: bytes) -> str:
    """Hexadecimal digits, and what of it can be read."""
    text = "".join(chr(b) if 32 <= b < 127 else "." for b in data[:DUMPED])
    return f"{data[:DUMPED].hex(' ', -4)}{' …' if len(data) > DUMPED else ''}  {text}"


def _text(value: Any) -> str:
    """Programs and maps by name, everything else as Python writes it."""
    return str(value.name) if isinstance(value, Map | Program) else repr(value)


def _zero(value: Any) -> bool:
    """Whether nothing was ever written there: an array's untouched elements say nothing."""
    if isinstance(value, list):
        return all(_zero(v) for v in value)
    return value == 0 or (isinstance(value, bytes | View) and not any(bytes(value)))


def to_json(maps: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The maps for scripts."""
    return [_map_json(m) if isinstance(m, Map) else _live_json(m) for m in maps.values()]


def _map_json(m: Map) -> dict[str, Any]:
    made = face.to_json(m)
    return {**made, "records": [r.hex() for r in records(m)]} if m.type in face.RECORDS else made


def _live_json(m: Any) -> dict[str, Any]:
    rows = [{"key": key.hex(), "value": m[key].hex()} for key in m]
    return {"name": m.name, "type": m.spec.type, "max_entries": m.spec.max_entries, "elements": rows}
