"""The Python face of a map: keys and values as Python values, through the same rules as bpf(2).

With BTF, keys and values follow their types (``maps.values``).  Without, 1, 2, 4 and 8 bytes are unsigned integers in
the machine's byte order and other sizes are bytes; either is taken when writing.  Per-CPU values are lists with one
item per CPU; a single value sets all of them.  Queues and stacks are read by iterating and ``pop_value``; their key
is None.  Values of prog_array and maps of maps are the programs and maps themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from osmia.errors import MapError, UsageError
from osmia.maps import commands
from osmia.maps.values import ORDER, View, number_bytes, plain, read_value, write_value

if TYPE_CHECKING:
    from osmia.maps.base import Map

INDEXED = (
    *("array", "percpu_array", "prog_array", "perf_event_array", "array_of_maps"),
    *("devmap", "cpumap", "xskmap"),
)
OBJECTS = ("prog_array", "array_of_maps", "hash_of_maps")
KEYLESS = ("queue", "stack", "bloom_filter")
RECORDS = ("ringbuf", "user_ringbuf", "perf_event_array")
SHOWN = 4
"""Elements that a repr shows."""


def to_bytes(m: Map, value: Any, size: int, type_id: int) -> bytes:
    """A key or value as bytes.  Raises UsageError when it does not fit."""
    if type_id and m.spec.btf is not None:
        data = bytearray(max(size, m.spec.btf.size_of(type_id)))
        write_value(m.spec.btf, type_id, value, data)
        return bytes(data[:size])
    if isinstance(value, int):
        return number_bytes(value, size)
    if isinstance(value, str):
        value = value.encode() + b"\0" * (size - len(value.encode()))
    if not isinstance(value, bytes | bytearray | memoryview | View) or len(bytes(value)) != size:
        raise UsageError(f"map {m.name} takes {size} bytes here, not {value!r}")
    return bytes(value)


def from_bytes(m: Map, data: bytes, type_id: int, key: bytes | None = None) -> Any:
    """A key or value as Python sees it.  With ``key``, assignments to its fields write the value back."""
    if not (type_id and m.spec.btf is not None):
        return int.from_bytes(data, ORDER) if len(data) in (1, 2, 4, 8) else data
    room = bytearray(data)

    def commit() -> None:
        commands.update_elem(m, key, bytes(room))

    return read_value(m.spec.btf, type_id, room, 0, commit if key is not None else None)


def key_bytes(m: Map, key: Any) -> bytes | None:
    """A key as bytes; None for maps without keys."""
    if m.key_size == 0:
        return None
    return to_bytes(m, key, int(m.key_size), m.spec.btf_key_type_id)


def key_value(m: Map, data: bytes) -> Any:
    """A key as Python sees it: hashable."""
    if m.type in INDEXED:
        return int.from_bytes(data, ORDER)
    return from_bytes(m, data, m.spec.btf_key_type_id)


def _per_cpu(m: Map) -> bool:
    return "percpu" in m.type


def value_bytes(m: Map, value: Any) -> bytes:
    """A value as bpf(2) takes it."""
    size, type_id = int(m.value_size), m.spec.btf_value_type_id
    if not _per_cpu(m):
        return to_bytes(m, value, size, type_id)
    values = list(value) if isinstance(value, list | tuple) else [value] * int(m.cpus)
    if len(values) != m.cpus:
        raise UsageError(f"map {m.name} takes {m.cpus} values, one per CPU, not {len(values)}")
    stride = (size + 7) & ~7
    return b"".join(to_bytes(m, v, size, type_id).ljust(stride, b"\0") for v in values)


def value_of(m: Map, data: bytes, key: bytes | None) -> Any:
    """A value as Python sees it."""
    type_id = m.spec.btf_value_type_id
    if not _per_cpu(m):
        return from_bytes(m, data, type_id, key)
    stride = (int(m.value_size) + 7) & ~7
    return [from_bytes(m, data[at : at + int(m.value_size)], type_id) for at in range(0, len(data), stride)]


def get(m: Map, key: Any) -> Any:
    """``m[key]``.  Raises MapError (ENOENT where there is no such element)."""
    raw = key_bytes(m, key)
    if m.type not in OBJECTS:
        return value_of(m, commands.lookup_elem(m, raw), raw)
    with m.guard:
        found = m.get_object(_address(m, raw))
    if found is None:
        raise MapError(2, f"lookup of map {m.name}")
    return found


def _address(m: Map, key: bytes | None) -> int:
    return commands._key(m, key, "lookup")


def put(m: Map, key: Any, value: Any, flags: int = 0) -> None:
    """``m[key] = value``.  Raises MapError."""
    raw = key_bytes(m, key)
    if m.type not in OBJECTS:
        commands.update_elem(m, raw, value_bytes(m, value), flags)
        return
    commands._writable(m, "update")
    with m.guard:
        bad = m.put_object(_address(m, raw), value, flags)
    if bad:
        raise commands.fail(m, bad, "update")


def remove(m: Map, key: Any) -> None:
    """``del m[key]``.  Raises MapError."""
    commands.delete_elem(m, key_bytes(m, key))


def contains(m: Map, key: Any) -> bool:
    """``key in m``."""
    try:
        get(m, key)
    except MapError as e:
        if e.errno == 2:
            return False
        raise
    return True


def keys(m: Map) -> Iterator[Any]:
    """All keys, as they are when iteration begins; none for maps without keys."""
    if m.type in KEYLESS or m.type in RECORDS:
        return
    commands._readable(m, "listing")
    for key in m.raw_keys():
        if m.type not in OBJECTS or _there(m, key):
            yield key_value(m, key)


def _there(m: Map, key: bytes) -> bool:
    with m.guard:
        return m.get_object(_address(m, key)) is not None


def items(m: Map) -> Iterator[tuple[Any, Any]]:
    """Keys with values; keys that went meanwhile are left out.  Keyless maps give positions."""
    if m.type in ("queue", "stack"):
        for i, data in enumerate(m.contents()):
            yield i, value_of(m, data, None)
        return
    for key in keys(m):
        if key in m:
            yield key, get(m, key)


def describe(m: Map) -> str:
    """``<counts: hash of 8 bytes by 4, 2 of 1024: {1: 5, 2: 7}>``"""
    by = f" by {m.key_size}" if m.key_size else ""
    what = f"{m.type} of {m.value_size} bytes{by}" if m.value_size else m.type
    head = f"<{m.name or 'map'}: {what}, {len(m)} of {m.max_entries}"
    if m.type in RECORDS:
        return f"<{m.name or 'map'}: {m.type}, {len(m)} records waiting>"
    if m.flags & 0x10:  # write-only: even a repr may not look
        return head + ">"
    shown = [f"{k!r}: {v!r}" for k, v in islice(items(m), SHOWN)]
    more = ", …" if len(m) > SHOWN else ""
    return f"{head}: {{{', '.join(shown)}{more}}}>" if shown else head + ">"


def to_json(m: Map) -> dict[str, Any]:
    """Name, type, sizes and contents; keys become text where they are no numbers."""
    rows = [] if m.type in RECORDS else [{"key": plain(k), "value": _json_value(v)} for k, v in items(m)]
    return {
        **{"name": m.name, "type": m.type, "key_size": int(m.key_size), "value_size": int(m.value_size)},
        **{"max_entries": int(m.max_entries), "flags": int(m.flags), "frozen": bool(m.frozen)},
        "elements": rows,
    }


def _json_value(value: Any) -> Any:
    return plain(value) if isinstance(value, View | int | str | bytes | list | float) else getattr(value, "name", "")
