"""From a MapSpec to a map: what libbpf adjusts, what the kernel refuses, and the first contents."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from osmia.errors import MapError, UsageError
from osmia.kernel.uapi import MAP_TYPE, MAP_TYPES
from osmia.maps import commands
from osmia.maps.array import Array, PercpuArray
from osmia.maps.base import Map
from osmia.maps.bloom import BloomFilter
from osmia.maps.bodiless import Bodiless
from osmia.maps.check import PAGE_SIZE, check_create, why_not
from osmia.maps.dev import DevMap, DevMapHash
from osmia.maps.hash import Hash, PercpuHash
from osmia.maps.lpm import LpmTrie
from osmia.maps.lru import LruHash, LruPercpuHash
from osmia.maps.objects import MAPS_OF_MAPS, ArrayOfMaps, HashOfMaps, ProgArray, check_template
from osmia.maps.perf import PerfEventArray
from osmia.maps.queue import Queue, Stack
from osmia.maps.ringbuf import Ringbuf
from osmia.obj.model import MapSpec

TYPES: dict[str, type[Map]] = {
    "array": Array,
    "percpu_array": PercpuArray,
    "hash": Hash,
    "percpu_hash": PercpuHash,
    "lru_hash": LruHash,
    "lru_percpu_hash": LruPercpuHash,
    "prog_array": ProgArray,
    "array_of_maps": ArrayOfMaps,
    "hash_of_maps": HashOfMaps,
    "perf_event_array": PerfEventArray,
    "ringbuf": Ringbuf,
    "queue": Queue,
    "stack": Stack,
    "bloom_filter": BloomFilter,
    "lpm_trie": LpmTrie,
    "devmap": DevMap,
    "devmap_hash": DevMapHash,
    "cpumap": DevMap,
    "xskmap": DevMap,
}
"""The class of every type that has a body; the other types of ``kernel.uapi.MAP_TYPES`` are Bodiless."""


def adjust(spec: MapSpec, cpus: int) -> MapSpec:
    """What libbpf changes before it asks the kernel: entries of perf_event_array, sizes of ring buffers."""
    if spec.type == "perf_event_array" and not spec.max_entries:
        return replace(spec, max_entries=cpus)
    if spec.type in ("ringbuf", "user_ringbuf"):
        return replace(spec, max_entries=ring_size(spec.max_entries))
    return spec


def ring_size(wanted: int) -> int:
    """The next size that the kernel takes: a page times a power of two.  What no size can be stays."""
    if wanted <= 0 or wanted > 0x80000000:
        return wanted
    return max(PAGE_SIZE, 1 << (wanted - 1).bit_length())


def refusal(spec: MapSpec, cpus: int = 1) -> int:
    """0, or the errno (positive) of creating exactly this map, templates included."""
    bad = check_create(spec, cpus)
    if not bad and spec.type in MAPS_OF_MAPS:
        bad = (spec.inner is not None and check_create(spec.inner, cpus)) or check_template(spec.inner)
    return bad


def create(spec: MapSpec, *, cpus: int = 1, maps: Iterable[Map] = (), id: int = 0) -> Map:
    """One map with its first contents.  ``maps`` are those that ``spec.values`` may name.

    Raises MapError with the kernel's errno, UsageError for a type that Linux does not know.  A type without a
    body here raises MissingBody when it is used.  Programs of a prog_array wait for ``ProgArray.bind``.
    """
    if spec.type not in MAP_TYPE or spec.type == "unspec":
        raise UsageError(f"map {spec.name}: unknown map type {spec.type!r}; known: {', '.join(MAP_TYPES[1:])}")
    spec = adjust(spec, cpus)
    bad = refusal(spec, cpus)
    if bad:
        why = why_not(spec) if bad == errno.EINVAL else ""
        raise MapError(bad, f"create {spec.type} map {spec.name}{f' ({why})' if why else ''}")
    made = TYPES.get(spec.type, Bodiless)(spec, cpus, id)
    _fill(made, {m.name: m for m in maps})
    return made


def _fill(m: Map, by_name: Mapping[str, Map]) -> None:
    """Data of global sections, inner maps by name; then the freeze."""
    spec = m.spec
    if spec.data is not None:
        if spec.type != "array" or len(spec.data) > m.value_size:
            raise MapError(errno.EINVAL, f"{len(spec.data)} bytes of data for {spec.type} map {m.name}")
        commands.update_elem(m, bytes(4), spec.data.ljust(int(m.value_size), b"\0"))
    if isinstance(m, ArrayOfMaps | HashOfMaps):
        for slot, name in spec.values.items():
            if name not in by_name:
                raise UsageError(f"map {m.name} wants map {name!r} in slot {slot}; known: {', '.join(by_name)}")
            m[slot] = by_name[name]
    m.frozen = spec.frozen


def create_all(specs: Iterable[MapSpec], *, cpus: int = 1, programs: Mapping[str, Any] | None = None) -> dict[str, Map]:
    """The maps of a collection by name, those inside others first; maps with ``autocreate`` off are left out."""
    wanted = sorted((s for s in specs if s.autocreate), key=lambda s: s.type in MAPS_OF_MAPS)
    ids = count(1)
    made: dict[str, Map] = {}
    for spec in wanted:
        made[spec.name] = m = create(spec, cpus=cpus, maps=tuple(made.values()), id=next(ids))
        if programs and isinstance(m, ProgArray):
            m.bind(dict(programs))
    return made
