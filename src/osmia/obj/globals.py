"""Global variables as maps: .data, .rodata, .bss (and .data.x, .rodata.x, .bss.x) are arrays of one element.

Names and flags are libbpf's (internal_map_name, bpf_object__init_internal_map).
"""

from __future__ import annotations

import re
from typing import Final

from osmia.btf import Btf, Datasec, Var
from osmia.btf.types import STATIC
from osmia.kernel.uapi import BPF_OBJ_NAME_LEN, MAP_FLAGS
from osmia.obj import elf as e
from osmia.obj.model import MapSpec
from osmia.obj.parts import GLOBAL_DATA, Parts, Role

MAX_BSS: Final = 64 << 20
_ROOM: Final = BPF_OBJ_NAME_LEN - 1
_NOT_ALLOWED: Final = re.compile(r"[^A-Za-z0-9_.]")


def map_name(object_name: str, section: str, role: Role = Role.DATA) -> str:
    """The name of the map of a data section: at most 15 bytes, as much as fits of the object's name in front.

    >>> map_name("my_object_name", ".rodata"), map_name("my_object_name", ".bss"), map_name("x", ".data.hot")
    ('my_objec.rodata', 'my_objec.bss', '.data.hot')
    """
    suffix = min(max(7, len(section)), _ROOM)
    prefix = 0 if "." in section[1:] or role is Role.PERCPU else _ROOM - suffix
    return _NOT_ALLOWED.sub("_", object_name[:prefix] + section[:suffix])


def data_maps(parts: Parts, object_name: str) -> dict[int, MapSpec]:
    """The maps of the data sections by section number; empty sections have none."""
    return {s.number: _data_map(parts, s, object_name) for s in parts.with_role(*GLOBAL_DATA) if s.size}


def _data_map(parts: Parts, section: e.Section, object_name: str) -> MapSpec:
    role = parts.roles[section.number]
    name = map_name(object_name, section.name, role)
    data = parts.elf.contents(section) if role is not Role.BSS else None
    spec = internal_map(parts.btf, name, section.name, section.size, read_only=role is Role.RODATA)
    spec.data = data if data is not None else bytes(_bounded(parts, section))
    if role is Role.PERCPU:
        spec.type, spec.flags, spec.mmapable = "percpu_array", 0, False
    return spec


def _bounded(parts: Parts, section: e.Section) -> int:
    """A .bss costs nothing in the file, so its size may be anything."""
    if section.size > MAX_BSS:
        raise parts.fail(f"{section.size} bytes of zeroes; at most {MAX_BSS} are believed", section)
    return section.size


def internal_map(btf: Btf | None, name: str, section: str, size: int, *, read_only: bool) -> MapSpec:
    """A one-element array for a data section; its value type is the section's DATASEC where BTF has it."""
    value_id = (btf.find(section) or 0) if btf else 0
    spec = MapSpec(name, "array", 4, size, 1, section=section, btf=btf, btf_value_type_id=value_id, frozen=read_only)
    spec.mmapable = bool(btf and value_id and _visible(btf, value_id))
    chosen = {"rdonly_prog": read_only, "mmapable": spec.mmapable}
    spec.flags = sum(MAP_FLAGS[flag] for flag, wanted in chosen.items() if wanted)
    return spec


def _visible(btf: Btf, datasec_id: int) -> bool:
    """User space may map the section when one variable is neither static nor hidden."""
    datasec = btf.type(datasec_id)
    if not isinstance(datasec, Datasec):
        return False
    found = (btf.type(v.type_id) for v in datasec.vars)
    return any(isinstance(var, Var) and var.linkage != STATIC for var in found)
