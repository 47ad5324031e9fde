"""The structs of a program's own BTF that have fields of the kernel's: what objects of them can do.

BPF_BTF_LOAD looks at them all, and keeps a table (``btf_parse_struct_metas``, ``btf_check_and_fixup_fields`` in
kernel/bpf/btf.c; Linux 6.18).
"""

from __future__ import annotations

from errno import E2BIG, EFAULT, EINVAL, ELOOP

from osmia.btf import Btf, Ptr, Struct, Volatile
from osmia.verifier.map_record import IN_OBJECTS, NODES, BadRecord, MayOwn, Record, RecordParser, find_kptr

OBJECT_MARKS = ("bpf_spin_lock", "bpf_list_head", "bpf_list_node", "bpf_rb_root", "bpf_rb_node", "bpf_refcount")
"""Structs that make those with a member of them objects; ``bpf_res_spin_lock`` is not among them."""
PAGE = 4096
ROOTS, NODE_KINDS = frozenset(NODES), frozenset(NODES.values())


def struct_metas(
    btf: Btf,
    may_own: MayOwn | None = None,
    kinds: frozenset[str] = IN_OBJECTS,
    each_level: bool = True,
    chains: bool = False,
) -> dict[int, Record]:
    """Every struct with such a member, by type id, with its fields.  Raises BadRecord with the errno of the load.

    ``kinds`` and ``each_level`` as of ``RecordParser``; ``chains`` as of ``check_owned``.
    """
    marks = {btf.find(name, Struct) for name in OBJECT_MARKS} - {None}
    marks |= {i for i in btf.ids(Ptr, Volatile) if _is_kptr(btf, i)}
    if not marks:
        return {}
    parser = RecordParser(btf, kinds, may_own, each_level)
    table: dict[int, Record] = {}
    for type_id in btf.ids(Struct):
        found = btf.type(type_id)
        if isinstance(found, Struct) and any(member.type_id in marks for member in found.members):
            record = parser.parse(type_id, found.size)
            if record is None:
                raise BadRecord(EFAULT)
            table[type_id] = record
    for record in table.values():
        check_owned(record, table, chains)
    if chains:
        check_circles(table)
    return table


def _is_kptr(btf: Btf, type_id: int) -> bool:
    try:
        return find_kptr(btf, btf.type(type_id), 0, IN_OBJECTS) is not None
    except BadRecord:
        return False


def check_owned(record: Record, table: dict[int, Record], chains: bool) -> None:
    """What lists and trees hold are objects, and nothing comes to own itself.  Raises BadRecord.

    A struct that is both held and holding may only hold what holds nothing; with ``chains`` that is not asked.
    """
    for field in record.fields:
        if field.kind not in ROOTS:
            continue
        held = table.get(field.type_id)
        if held is None:
            raise BadRecord(EFAULT)
        if not chains and record.kinds & NODE_KINDS and held.kinds & ROOTS:
            raise BadRecord(ELOOP)


def check_circles(table: dict[int, Record]) -> None:
    """Nothing owns itself, over however many others.  Raises BadRecord."""
    holds = {i: {f.type_id for f in record.fields if f.kind in ROOTS} for i, record in table.items()}
    while holds:
        ends = {i for i, held in holds.items() if not held & holds.keys()}
        if not ends:
            raise BadRecord(ELOOP)
        holds = {i: held for i, held in holds.items() if i not in ends}


def check_uptr(btf: Btf, type_id: int, is_kernel: bool) -> None:
    """A pointer to the user's memory leads to a struct of the program's own, of one page at most.  Raises BadRecord."""
    found = btf.type(type_id)
    size = found.size if isinstance(found, Struct) else 0
    if is_kernel or not size:
        raise BadRecord(EINVAL)
    if size > PAGE:
        raise BadRecord(E2BIG)
