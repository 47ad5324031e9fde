"""Maps as the verifier sees them: sizes, flags and constant content; one object is one map, compared by identity."""

from __future__ import annotations

from typing import Any

from osmia.kernel.uapi import MAP_FLAGS, MAP_TYPES
from osmia.obj.model import MapSpec

KERNEL_FLAGS = dict.fromkeys(("devmap", "devmap_hash"), MAP_FLAGS["rdonly_prog"])
"""What the kernel adds to a map's flags: a device map's values are the kernel's own numbers (``dev_map_init_map``)."""


class VMap:
    """A map that the program uses.  ``type`` is its number; ``frozen`` content may be read as constants.

    ``record`` holds the special fields of the value (timers, locks, kptrs …) that BTF describes, or None.  A
    ``template`` has no template itself, for the kernel makes no such map, and no name: that is not kept of it.
    """

    def __init__(self, spec: MapSpec, template: bool = False) -> None:
        self.spec = spec
        self.name = "" if template else spec.name[:15]
        self.type = MAP_TYPES.index(spec.type)
        self.key_size = spec.key_size
        self.value_size = spec.value_size
        self.max_entries = spec.max_entries
        self.flags = spec.flags | KERNEL_FLAGS.get(spec.type, 0)
        self.extra = spec.map_extra
        self.frozen = spec.frozen
        self.data = spec.data
        self.inner: VMap | None = VMap(spec.inner, True) if spec.inner and not template else None
        self.record: Any = None

    def __repr__(self) -> str:
        return f"<VMap {self.name!r} ks={self.key_size} vs={self.value_size}>"
