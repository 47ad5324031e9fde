"""Special fields as arguments: which record a pointer's object has, and pointers to a map value's timer.

(``reg_btf_record``, ``check_map_field_pointer``, ``process_timer_func`` in kernel/bpf/verifier.c; Linux 6.18.)
"""

from __future__ import annotations

from errno import EINVAL

from osmia.btf import Btf
from osmia.verifier import consts as c
from osmia.verifier.call_meta import CallMeta
from osmia.verifier.env import Env
from osmia.verifier.map_record import BadRecord, Record
from osmia.verifier.maps import VMap
from osmia.verifier.regs import Reg
from osmia.verifier.struct_meta import struct_metas
from osmia.words import s64

_U64 = 0xFFFFFFFFFFFFFFFF


def has_btf(map: VMap) -> bool:
    """Was the map made with BTF of its keys and values?"""
    spec = map.spec
    return spec.btf is not None and bool(spec.btf_key_type_id or spec.btf_value_type_id)


def reg_btf_record(env: Env, reg: Reg) -> Record | None:
    """The special fields of the map value or allocated object that a register points to."""
    if reg.type & c.BASE_TYPE_MASK == c.PTR_TO_MAP_VALUE:
        map = reg.map
        found: Record | None = map.record if map is not None else None
        return found
    if reg.type & c.BASE_TYPE_MASK == c.PTR_TO_BTF_ID and reg.type & c.MEM_ALLOC:
        return object_record(env, reg.btf, reg.btf_id)
    return None


def may_point_to_lock(env: Env, reg: Reg) -> bool:
    """Has what the register points to, which is not null, a lock?  Such pointers keep their id."""
    type, base = reg.type, reg.type & c.BASE_TYPE_MASK
    if type != c.PTR_TO_MAP_VALUE and base != c.PTR_TO_BTF_ID:
        return False
    record = reg_btf_record(env, reg)
    return record is not None and record.has_lock


def object_record(env: Env, btf: Btf, btf_id: int) -> Record | None:
    """The special fields of a struct of the program's own (``btf_find_struct_meta``)."""
    return None if btf is env.vmlinux else metas_of(env, btf).get(btf_id)


def metas_of(env: Env, btf: Btf) -> dict[int, Record]:
    """The special fields of all its structs."""
    known: dict[int, tuple[Btf, dict[int, Record]]] = env.room.setdefault("struct metas", {})
    found = known.get(id(btf))
    if found is None:
        try:
            found = btf, struct_metas(btf)
        except BadRecord:  # BPF_BTF_LOAD said so
            found = btf, {}
        known[id(btf)] = found
    return found[1]


def offset_of(record: Record | None, kind: str) -> int:
    """Where the one field of that kind lies; -1: nowhere."""
    if record is None:
        return -1
    return next((field.offset for field in record.fields if field.kind == kind), -1)


def place_of(reg: Reg) -> int:
    """The constant offset of a pointer in its object."""
    return s64((reg.off + reg.value) & _U64)


def check_map_field_pointer(env: Env, regno: int, kind: str) -> None:
    """Does R``regno``, a map value, point to the field of that kind ("timer", "wq", "task_work")?  Raises Rejected."""
    reg = env.state.regs()[regno]
    map = reg.map
    assert map is not None  # the register is a map value
    name = f"bpf_{kind}"
    if reg.mask:
        text = f"R{regno} doesn't have constant offset. {name} has to be at the constant offset\n"
        raise env.reject(EINVAL, "field-variable-offset", text, reg=regno)
    if not has_btf(map):
        text = f"map '{map.name}' has to have BTF in order to use {name}\n"
        raise env.reject(EINVAL, "field-no-btf", text, reg=regno)
    at = offset_of(map.record, kind)
    if at < 0:
        raise env.reject(EINVAL, "field-missing", f"map '{map.name}' has no valid {name}\n", reg=regno)
    if at != place_of(reg):
        text = f"off {place_of(reg)} doesn't point to 'struct {name}' that is at {at}\n"
        raise env.reject(EINVAL, "field-offset", text, reg=regno, expected=at, found=place_of(reg))


def process_timer_func(env: Env, regno: int, meta: CallMeta) -> None:
    """R``regno`` as a timer; the call's map is the one it lies in.  Raises Rejected."""
    check_map_field_pointer(env, regno, "timer")
    reg = env.state.regs()[regno]
    meta.map, meta.map_uid = reg.map, reg.map_uid
