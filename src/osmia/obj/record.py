"""A linked program as one JSON record: what BPF_PROG_LOAD would get, kernel symbols by name.

The record holds no descriptors: a map load's imm is the map's number in ``maps``, and inner templates are maps of
their own in front of the map that has them.  Bytes are hexadecimal; fields with their default value are left out.
"""

from __future__ import annotations

from typing import Any, Final

from osmia.isa import Insn, encode
from osmia.isa.consts import BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE
from osmia.isa.insn import ByteOrder
from osmia.obj import sections
from osmia.obj.model import Collection, MapSpec, Program

_PREFIXES: Final = {
    "trace_raw_tp": ("btf_trace_", "typedef"),
    "lsm_mac": ("bpf_lsm_", "func"),
    "lsm_cgroup": ("bpf_lsm_", "func"),
    "trace_iter": ("bpf_iter_", "func"),
}
"""Where the kernel's BTF has the target of an attach type: prefix of the name, kind of the type."""
NAME_ROOM: Final = 15


def records(collection: Collection) -> list[dict[str, Any]]:
    """One record for each program that is loaded by default."""
    order: ByteOrder = "big" if collection.byteorder == "big" else "little"
    return [record(p, order) for p in collection.programs.values() if p.autoload]


def record(program: Program, order: ByteOrder = "little") -> dict[str, Any]:
    """The record of one program.  ``order`` is the byte order of its instructions and BTF."""
    maps, numbers = _all_maps(program.maps)
    insns = encode(_renumbered(program, numbers), order)
    made = {"name": program.name, "prog_type": program.prog_type, "insns_hex": insns.hex()}
    return {**made, **{key: value for key, value in _optional(program, order, maps).items() if value}}


def _optional(program: Program, order: ByteOrder, maps: list[dict[str, Any]]) -> dict[str, Any]:
    """What is written only when it says something."""
    kind = program.expected_attach_type
    return {
        "expected_attach_type": int(kind) if kind.isdigit() else kind,
        **attach_btf(program),
        "maps": maps,
        "license": "" if program.license == "GPL" else program.license,
        "flags": program.flags,
        "prog_name": program.name[:NAME_ROOM],
        "btf_hex": program.btf.encode(order).hex() if program.btf else "",
        "func_info": [[f.insn, f.type_id] for f in program.func_info],
        "line_info": [[x.insn, x.file_off, x.line_off, x.line_col] for x in program.line_info],
        "relocs": [{"insn": x.insn, "name": x.name, "kind": x.kind} for x in program.externs if x.kind != "addr"],
    }


def attach_btf(program: Program) -> dict[str, str]:
    """The name and kind of the type in the kernel's BTF that the program attaches to; empty for most programs."""
    if program.prog_type == "struct_ops" and "." in program.attach_target:
        return {"attach_btf": program.attach_target.split(".")[0], "attach_btf_kind": "struct"}
    row = sections.find(program.section)
    if row is None or not row.attaches_by_btf or not program.attach_target:
        return {}
    prefix, kind = _PREFIXES.get(program.expected_attach_type, ("", "func"))
    name = prefix + program.attach_target.rsplit(":", 1)[-1]
    return {"attach_btf": name, **({"attach_btf_kind": kind} if kind != "func" else {})}


def _all_maps(specs: list[MapSpec]) -> tuple[list[dict[str, Any]], list[int]]:
    """The maps with their inner templates in front of them, and the new number of each of ``specs``."""
    out: list[dict[str, Any]] = []
    numbers = []
    for spec in specs:
        row = _map(spec)
        if spec.inner is not None:
            out.append(_map(spec.inner))
            row["inner"] = len(out) - 1
        numbers.append(len(out))
        out.append(row)
    return out, numbers


def _map(spec: MapSpec) -> dict[str, Any]:
    made = {"type": spec.type, "key": spec.key_size, "value": spec.value_size, "entries": spec.max_entries}
    optional = {
        "flags": spec.flags,
        "btf_key": spec.btf_key_type_id,
        "btf_value": spec.btf_value_type_id,
        "init_hex": spec.data.hex() if spec.data and spec.type == "array" and spec.has_content else "",
        "freeze": spec.frozen,
        "extra": spec.map_extra,
        "name": spec.name[:NAME_ROOM],
        "vmlinux_value": spec.btf_vmlinux_value_type,
    }
    return {**made, **{key: value for key, value in optional.items() if value}}


def _renumbered(program: Program, numbers: list[int]) -> list[Insn]:
    loads = (BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE)
    return [
        insn._replace(imm=numbers[insn.imm])
        if insn.is_wide and insn.src_reg in loads and 0 <= insn.imm < len(numbers)
        else insn
        for insn in program.insns
    ]
