"""Maps as text and JSON, of the machine and of the running kernel alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from osmia.errors import MapError
from osmia.live.ringbuf import consume
from osmia.maps import Map, face
from osmia.maps.perf import PerfEventArray
from osmia.maps.ringbuf import Ringbuf
from osmia.maps.values import ORDER, View, plain
from osmia.obj.model import Program

if TYPE_CHECKING:
    from osmia.live.maps import LiveMap

SHOWN, DUMPED = 256, 64
"""Elements of a map, and bytes of a record, that people get to see."""


def elements(m: Any) -> Iterator[tuple[Any, Any]]:
    """Keys and values, by BTF type where the map has one.  The values of a queue in the kernel are taken out."""
    if isinstance(m, Map):
        yield from () if m.type in face.RECORDS else face.items(m)
    elif m.spec.type in ("queue", "stack"):
        yield from enumerate(_live_value(m, data) for data in _taken(m))
    elif m.spec.type not in (*face.RECORDS, *face.KEYLESS):
        yield from _live_elements(m)


def _taken(m: LiveMap) -> Iterator[bytes]:
    with suppress(MapError):  # ENOENT
        while True:
            yield m.take()


def _live_elements(m: LiveMap) -> Iterator[tuple[Any, Any]]:
    """Programs and maps by name, for those that the object file put there: bpf(2) tells their ids."""
    indexed = m.spec.type in face.INDEXED
    for key in list(m):
        shown = int.from_bytes(key, ORDER) if indexed else face.from_bytes(cast(Map, m), key, m.spec.btf_key_type_id)
        with suppress(MapError):  # ENOENT: an empty slot, or one that went meanwhile
            value = _live_value(m, m[key])
            yield shown, m.spec.values.get(shown, value) if m.spec.type in face.OBJECTS else value


def _live_value(m: LiveMap, data: bytes) -> Any:
    """A value as Python sees it, or the list of all CPUs' values."""
    size, per_cpu = m.spec.value_size, "percpu" in m.spec.type
    values = [data[at : at + size] for at in range(0, len(data), (size + 7) & ~7)] if per_cpu else [data]
    made = [face.from_bytes(cast(Map, m), value, m.spec.btf_value_type_id) for value in values]
    return made if per_cpu else made[0]


def records(m: Any) -> list[bytes]:
    """The records that wait in a ring buffer or perf array; they are taken out."""
    if not isinstance(m, Map):
        return list(consume(m)) if m.spec.type == "ringbuf" else []
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


def _live_json(m: LiveMap) -> dict[str, Any]:
    """In the form of ``face.to_json``."""
    spec = m.spec
    sizes = {"key_size": spec.key_size, "value_size": spec.value_size, "max_entries": spec.max_entries}
    rows = [{"key": plain(k), "value": face._json_value(v)} for k, v in elements(m)]
    made = {"name": m.name, "type": spec.type, **sizes, "flags": spec.flags, "frozen": spec.frozen, "elements": rows}
    return {**made, "records": [r.hex() for r in records(m)]} if spec.type in face.RECORDS else made
