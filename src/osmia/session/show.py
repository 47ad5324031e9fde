"""Maps as text and JSON, of the machine and of the running kernel alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from osmia.maps import Map, face
from osmia.maps.values import View

SHOWN = 256
"""Elements of a map that people get to see."""


def elements(m: Any) -> Iterator[tuple[Any, Any]]:
    """Keys and values, by BTF type where the map has one."""
    if isinstance(m, Map):
        yield from () if m.type in face.RECORDS else face.items(m)
        return
    for key in m:  # a LiveMap: bytes
        spec = m.spec
        yield face.from_bytes(m, key, spec.btf_key_type_id), face.from_bytes(m, m[key], spec.btf_value_type_id)


def lines(maps: Mapping[str, Any]) -> Iterator[str]:
    """A heading for each map, and a line for each element that is not just zeros."""
    for name, m in maps.items():
        rows = [(k, v) for k, v in elements(m) if not _zero(v)]
        yield f"{name}: {m.spec.type}, {len(rows)} of {m.spec.max_entries} in use"
        yield from (f"  {k!r}: {v!r}" for k, v in rows[:SHOWN])
        if len(rows) > SHOWN:
            yield f"  … and {len(rows) - SHOWN} more"


def _zero(value: Any) -> bool:
    """Whether nothing was ever written there: an array's untouched elements say nothing."""
    if isinstance(value, list):
        return all(_zero(v) for v in value)
    return value == 0 or (isinstance(value, bytes | View) and not any(bytes(value)))


def to_json(maps: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The maps for scripts."""
    return [face.to_json(m) if isinstance(m, Map) else _live_json(m) for m in maps.values()]


def _live_json(m: Any) -> dict[str, Any]:
    rows = [{"key": key.hex(), "value": m[key].hex()} for key in m]
    return {"name": m.name, "type": m.spec.type, "max_entries": m.spec.max_entries, "elements": rows}
