"""``Variables``: the global variables of a collection by name, as user space sets and reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from osmia.errors import UsageError
from osmia.maps.values import fields_of, read_value, write_value

if TYPE_CHECKING:
    from osmia.btf.layout import Field
    from osmia.obj.model import MapSpec
    from osmia.sim.mapset import MapSet


class Variables(Mapping[str, Any]):
    """The variables in .data, .rodata, .bss and .kconfig: ``variables["limit"] = 3``, ``variables["hits"]``.

    Before a program is loaded, all of them can be set; afterwards those that are not const.  Values are as in
    ``maps``: numbers, text, structs with fields.  Raises UsageError for names and values that do not fit.
    """

    def __init__(self, maps: MapSet) -> None:
        self._maps = maps
        self._places = {field.path: (spec, field) for spec in maps.specs.values() for field in _fields(spec)}

    def _place(self, name: str) -> tuple[MapSpec, Field]:
        if name not in self._places:
            raise UsageError(f"no variable {name!r} (there: {', '.join(self._places) or 'none'})")
        return self._places[name]

    def __getitem__(self, name: str) -> Any:
        spec, field = self._place(name)
        if self._maps.lives(spec):
            return self._maps.of(spec)[0][name]
        data = bytearray(_room(spec))

        def commit() -> None:
            spec.data = bytes(data)

        assert spec.btf is not None
        return read_value(spec.btf, field.type_id, data, field.bit_offset // 8, commit)

    def __setitem__(self, name: str, value: Any) -> None:
        spec, field = self._place(name)
        if not self._maps.lives(spec):
            data = bytearray(_room(spec))
            assert spec.btf is not None
            write_value(spec.btf, field.type_id, value, data, field.bit_offset // 8)
            spec.data = bytes(data)
        elif spec.frozen:
            raise UsageError(f"{name} is const: it can be set before a program is loaded, not any more")
        else:
            self._maps.of(spec)[0][name] = value

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __repr__(self) -> str:
        return f"<Variables: {', '.join(self._places) or 'none'}>"


def _fields(spec: MapSpec) -> list[Field]:
    """The variables of one section; none without BTF."""
    if spec.data is None or spec.btf is None or not spec.btf_value_type_id:
        return []
    return list(fields_of(spec.btf, spec.btf_value_type_id))


def _room(spec: MapSpec) -> bytes:
    return (spec.data or b"").ljust(spec.value_size, b"\0")
