"""struct_ops: variables of ``.struct_ops`` and ``.struct_ops.link`` are maps whose members are programs.

Source: tools/lib/bpf/libbpf.c, init_struct_ops_maps, bpf_object__collect_st_ops_relos, bpf_map__init_kern_struct_ops.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from osmia.btf import Btf, Datasec, FuncProto, Member, Ptr, Struct
from osmia.btf.core_spec import essential_name
from osmia.errors import BtfError
from osmia.kernel.uapi import MAP_FLAGS
from osmia.obj import elf as e
from osmia.obj.model import MapSpec
from osmia.obj.parts import Function, Parts, Role

PREFIX = "bpf_struct_ops_"
MAX_SIZE = 1 << 20


@dataclass(eq=False, slots=True)
class Operations:
    """One variable: its map, its struct, and the functions by member number."""

    spec: MapSpec
    struct: Struct
    section: e.Section
    offset: int
    functions: dict[int, Function] = field(default_factory=dict)

    @property
    def target_name(self) -> str:
        """The kernel's struct: the name without a ``___flavour``."""
        return essential_name(self.struct.name)


@dataclass(frozen=True, slots=True)
class Attachment:
    """What a struct_ops program is for: "struct.member" and the member's number in the kernel's struct."""

    target: str
    member: int


def collect(parts: Parts) -> list[Operations]:
    """Every struct_ops variable in the file's order.  Raises LinkError with section and offset."""
    found = [ops for section in parts.with_role(Role.STRUCT_OPS) for ops in _in_section(parts, section)]
    for section in parts.with_role(Role.STRUCT_OPS):
        inside = sorted((ops for ops in found if ops.section is section), key=lambda ops: ops.offset)
        for reloc in parts.elf.relocations(section):
            _assign(parts, section, reloc, inside)
    return found


def _in_section(parts: Parts, section: e.Section) -> list[Operations]:
    btf = parts.btf
    number = btf.find(section.name, Datasec) if btf else None
    if btf is None or number is None:
        raise parts.fail("struct_ops are defined by BTF, and there is none (compile with -g)", section)
    datasec = btf.type(number)
    assert isinstance(datasec, Datasec)
    return [_operations(parts, btf, section, slot.type_id, slot.offset) for slot in datasec.vars]


def _operations(parts: Parts, btf: Btf, section: e.Section, var_id: int, offset: int) -> Operations:
    var = btf.type(var_id)
    try:
        struct = btf.type(btf.resolve(getattr(var, "type_id", 0)))
    except BtfError as error:
        raise parts.fail(f"{var.name!r}: {error.reason}", section, offset) from None
    data = parts.elf.contents(section)
    if not isinstance(struct, Struct) or not struct.name or offset + struct.size > len(data):
        raise parts.fail(f"{var.name!r} is no variable of a named struct within the section", section, offset)
    flags = MAP_FLAGS["link"] if section.name.endswith(".link") else 0
    spec = MapSpec(var.name, "struct_ops", 4, struct.size, 1, flags, section=section.name.removeprefix("?"), btf=btf)
    spec.data = data[offset : offset + struct.size]
    spec.autocreate = not section.name.startswith("?")
    spec.btf_vmlinux_value_type = PREFIX + essential_name(struct.name)
    return Operations(spec, struct, section, offset)


def _assign(parts: Parts, section: e.Section, reloc: e.Reloc, inside: list[Operations]) -> None:
    """``inside``: the section's variables, sorted by offset."""
    at = bisect_right(inside, reloc.offset, key=lambda ops: ops.offset) - 1
    ops = inside[at] if at >= 0 and reloc.offset - inside[at].offset < inside[at].struct.size else None
    if ops is None or parts.btf is None:
        raise parts.fail("a relocation outside every struct_ops variable", section, reloc.offset)
    bit = (reloc.offset - ops.offset) * 8
    number = next((i for i, m in enumerate(ops.struct.members) if m.bit_offset == bit), None)
    if number is None or not _is_func_ptr(parts.btf, ops.struct.members[number]):
        raise parts.fail(f"{ops.spec.name!r}: a function where no function pointer is", section, reloc.offset)
    symbol = parts.elf.symbols[reloc.symbol]
    function = parts.function_at(symbol.section, symbol.value // 8) if symbol.value % 8 == 0 else None
    if function is None or parts.is_subprog(function):
        member = ops.struct.members[number].name
        raise parts.fail(f"{ops.spec.name!r}: member {member!r} is set to no program", section, reloc.offset)
    ops.functions[number] = function
    ops.spec.values[number] = function.name


def _is_func_ptr(btf: Btf, member: Member) -> bool:
    pointer = btf.type(btf.resolve(member.type_id))
    return isinstance(pointer, Ptr) and isinstance(btf.type(btf.resolve(pointer.type_id)), FuncProto)


def attach(parts: Parts, found: list[Operations], target: Btf | None) -> dict[Function, Attachment]:
    """What each program is for; with a target the maps get the kernel's size and layout.

    Raises LinkError where the kernel's struct lacks what the program sets, or has it otherwise.
    """
    attachments: dict[Function, Attachment] = {}
    for ops in found:
        numbers = _fit(parts, ops, target) if target and ops.spec.autocreate else None
        for number, function in ops.functions.items():
            kernel_number = number if numbers is None else numbers.get(number)
            if kernel_number is None:
                continue
            made = Attachment(f"{ops.target_name}.{ops.struct.members[number].name}", kernel_number)
            if attachments.setdefault(function, made) != made:
                reason = f"{function.name!r} is both {attachments[function].target} and {made.target}"
                raise parts.fail(reason, ops.section, ops.offset)
    return attachments


def _fit(parts: Parts, ops: Operations, target: Btf) -> dict[int, int]:
    """Lay the value out as the kernel has it; the answer maps our member numbers to the kernel's."""
    name, local = ops.target_name, parts.btf
    value_id, struct_id = target.find(PREFIX + name, Struct), target.find(name, Struct)
    if value_id is None or struct_id is None or local is None:
        raise parts.fail(f"the target has no struct_ops {name!r}", ops.section, ops.offset)
    value, struct = target.type(value_id), target.type(struct_id)
    assert isinstance(value, Struct) and isinstance(struct, Struct)
    base = next((m.bit_offset // 8 for m in value.members if m.type_id == struct_id), None)
    if base is None:
        raise parts.fail(f"the target's {PREFIX}{name} does not hold a {name}", ops.section, ops.offset)
    if value.size > MAX_SIZE:
        raise parts.fail(f"the target's {PREFIX}{name} has {value.size} bytes", ops.section, ops.offset)
    members, data, numbers = {m.name: i for i, m in enumerate(struct.members)}, bytearray(value.size), {}
    for number, member in enumerate(ops.struct.members):
        mine = _bytes_of(local, ops, member)
        if member.name in members:
            numbers[number] = members[member.name]
            theirs = struct.members[members[member.name]]
            _copy(parts, ops, member, target, theirs, mine, data, base)
        elif any(mine):
            raise parts.fail(f"{ops.spec.name!r}: the target's {name} has no {member.name!r}", ops.section, ops.offset)
    ops.spec.data, ops.spec.value_size = bytes(data), value.size
    return numbers


def _bytes_of(local: Btf, ops: Operations, member: Member) -> bytes:
    start = member.bit_offset // 8
    return (ops.spec.data or b"")[start : start + local.size_of(member.type_id)]


def _copy(
    parts: Parts, ops: Operations, member: Member, target: Btf, theirs: Member, mine: bytes, data: bytearray, base: int
) -> None:
    assert parts.btf
    here, there = parts.btf.type(parts.btf.resolve(member.type_id)), target.type(target.resolve(theirs.type_id))
    same = type(here) is type(there) and not member.bitfield_size and not theirs.bitfield_size
    if not same or (not isinstance(here, Ptr) and len(mine) != target.size_of(theirs.type_id)):
        reason = f"{ops.spec.name!r}: member {member.name!r} has another type in the target"
        raise parts.fail(reason, ops.section, ops.offset)
    if not isinstance(here, Ptr):
        at = base + theirs.bit_offset // 8
        data[at : at + len(mine)] = mine
