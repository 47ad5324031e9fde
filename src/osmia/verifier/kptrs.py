"""Kernel pointers in map values and allocated objects: loads, stores, and bpf_kptr_xchg.

(``check_map_kptr_access``, ``map_kptr_match_type``, ``process_kptr_func`` in kernel/bpf/verifier.c, ``btf_parse_kptr``
in kernel/bpf/btf.c; Linux 6.18.)
"""

from __future__ import annotations

from errno import EACCES, EINVAL

from osmia.btf import Btf, Struct
from osmia.verifier import consts as c
from osmia.verifier.btf_access import in_rcu_cs
from osmia.verifier.call_meta import CallMeta
from osmia.verifier.env import Env
from osmia.verifier.errors import Rejected
from osmia.verifier.fields import has_btf, object_record, reg_btf_record
from osmia.verifier.kernel_types import kernel_btf
from osmia.verifier.map_record import Field, Record
from osmia.verifier.marks import known_zero_of, next_id
from osmia.verifier.refs import invalid_reg, release_reference_nomark
from osmia.verifier.regions import check_ptr_off_reg_fixed
from osmia.verifier.regs import Reg, pointer
from osmia.verifier.text import btf_type_name, reg_type_str
from osmia.words import s32, s64

UNREF, REF, PERCPU, UPTR = "kptr_untrusted", "kptr", "percpu_kptr", "uptr"
"""The tags of such pointers in BTF."""
DESTROYED = frozenset(("task_struct", "cgroup", "bpf_cpumask", "bpf_crypto_ctx"))
"""Structs of the kernel's that a map may own: the kernel knows how to let go of them."""
RCU_PROTECTED = DESTROYED
LDX, ST, STX, MEM = 1, 2, 3, 0x60
_U64 = 0xFFFFFFFFFFFFFFFF


def target(env: Env, field: Field) -> tuple[Btf, int]:
    """What the pointer leads to: the kernel's struct of that name, else the program's own."""
    btf = field.btf
    assert btf is not None  # every pointer field has the BTF it was found in
    kernel = kernel_btf(env)
    name = getattr(btf.type(field.type_id), "name", "")
    found = kernel.find(name, type(btf.type(field.type_id)))
    return (kernel, found) if found is not None else (btf, field.type_id)


def may_be_owned(env: Env, field: Field) -> bool:
    """Does the kernel know how to let go of what the pointer leads to?"""
    btf, btf_id = target(env, field)
    return btf is not env.vmlinux or getattr(btf.type(btf_id), "name", "") in DESTROYED


def find_kptr(record: Record | None, offset: int) -> Field | None:
    """The pointer at that offset."""
    if record is None:
        return None
    return next((field for field in record.fields if field.tag and field.offset == offset), None)


def access_kptr(env: Env, insn_idx: int, regno: int, off: int, value_regno: int) -> bool:
    """An instruction on the pointer at ``off`` of the value behind R``regno``; False: there is no pointer.

    Bounds and size were judged before (``check_map_access``).  Raises Rejected.
    """
    reg = env.state.regs()[regno]
    field = find_kptr(reg_btf_record(env, reg), s32((off + reg.value) & _U64)) if not reg.mask else None
    if field is None:
        return False
    check_map_kptr_access(env, insn_idx, value_regno, field)
    return True


def check_map_kptr_access(env: Env, insn_idx: int, value_regno: int, field: Field) -> None:
    """Loads give the pointer, untrusted; stores are for pointers that nobody owns.  Raises Rejected."""
    insn = env.insns[insn_idx]
    kind = insn.code & 7
    if insn.code & 0xE0 != MEM:
        text = "kptr in map can only be accessed using BPF_MEM instruction mode\n"
        raise env.reject(EACCES, "kptr-mode", text)
    if kind != LDX and field.tag in (REF, PERCPU):
        raise env.reject(EACCES, "kptr-store", "store to referenced kptr disallowed\n")
    if kind != LDX and field.tag == UPTR:
        raise env.reject(EACCES, "kptr-store", "store to uptr disallowed\n")
    if kind == LDX:
        env.state.regs()[value_regno] = _loaded(env, field, env.state.regs()[value_regno])
    elif kind == STX:
        value = env.state.regs()[value_regno]
        if not is_null(value):
            check_match(env, field, value, value_regno, EACCES)
    elif insn.imm:
        text = f"BPF_ST imm must be 0 when storing to kptr at off={field.offset}\n"
        raise env.reject(EACCES, "kptr-immediate", text)


def is_null(reg: Reg) -> bool:
    """Is it the number 0?"""
    return reg.type == c.SCALAR_VALUE and reg.mask == 0 and reg.value == 0


def _loaded(env: Env, field: Field, before: Reg) -> Reg:
    """The register that such a pointer is loaded into."""
    reg = known_zero_of(before)
    btf, btf_id = target(env, field)
    if field.tag == UPTR:
        found = btf.type(btf_id)
        reg.type, reg.mem_size = c.PTR_TO_MEM | c.PTR_MAYBE_NULL, found.size if isinstance(found, Struct) else 0
    else:
        reg.type, reg.btf, reg.btf_id = c.PTR_TO_BTF_ID | _load_flags(env, field, btf, btf_id), btf, btf_id
    reg.id = next_id(env)
    return reg


def _load_flags(env: Env, field: Field, btf: Btf, btf_id: int) -> int:
    """How far a loaded pointer may be trusted: under RCU, while the kernel keeps the object that long."""
    kernel = btf is env.vmlinux
    protected = not kernel or getattr(btf.type(btf_id), "name", "") in RCU_PROTECTED
    if not (field.tag == PERCPU or (field.tag == REF and protected)) or not in_rcu_cs(env):
        return c.PTR_MAYBE_NULL | c.PTR_UNTRUSTED
    flags = c.PTR_MAYBE_NULL | c.MEM_RCU
    if field.tag == PERCPU:
        flags |= c.MEM_PERCPU
    elif not kernel:
        flags |= c.MEM_ALLOC
    record = None if kernel else object_record(env, btf, btf_id)
    if record is not None and (record.has("list_node") or record.has("rb_node")):
        flags |= c.NON_OWN_REF
    return flags


def check_match(env: Env, field: Field, reg: Reg, regno: int, errno: int) -> None:
    """May the pointer in R``regno`` be stored in the field?  Raises Rejected with ``errno``."""
    btf, btf_id = target(env, field)
    kernel = reg.btf is env.vmlinux
    allowed = c.PTR_MAYBE_NULL | (c.PTR_TRUSTED | c.MEM_RCU if kernel else c.MEM_ALLOC)
    if kernel and field.tag == UNREF:
        allowed |= c.PTR_UNTRUSTED
    if not kernel and field.tag == PERCPU:
        allowed |= c.MEM_PERCPU
    is_btf = reg.type & c.BASE_TYPE_MASK == c.PTR_TO_BTF_ID
    name = ""
    if is_btf and not reg.type & ~c.BASE_TYPE_MASK & ~allowed:
        name = btf_type_name(reg.btf, reg.btf_id)
        try:
            check_ptr_off_reg_fixed(env, reg, regno, True)
        except Rejected as no:
            no.errno = errno
            raise
        if types_match(env, reg, btf, btf_id, field.tag != UNREF):
            return
    wanted = btf_type_name(btf, btf_id)
    expected = reg_type_str(c.PTR_TO_BTF_ID) + wanted
    if field.tag == UNREF:
        expected += f" or {reg_type_str(c.PTR_TO_BTF_ID | c.PTR_UNTRUSTED)}{wanted}"
    text = f"invalid kptr access, R{regno} type={reg_type_str(reg.type)}{name} expected={expected}\n"
    raise env.reject(errno, "kptr-type", text, reg=regno, expected=wanted, found=name)


def types_match(env: Env, reg: Reg, btf: Btf, btf_id: int, strict: bool) -> bool:
    """Does the register lead to that struct, or (unless ``strict``) to one that has it where the register points?"""
    from osmia.verifier.kfunc_types import struct_ids_match  # which needs the helpers' arguments, and they kptrs

    return reg.btf is btf and struct_ids_match(env, btf, reg.btf_id, reg.off + s64(reg.value), btf_id, strict)


def process_kptr_func(env: Env, regno: int, meta: CallMeta) -> None:
    """R``regno`` as the place of the pointer that bpf_kptr_xchg exchanges.  Raises Rejected."""
    reg = env.state.regs()[regno]
    if reg.type & c.BASE_TYPE_MASK == c.PTR_TO_MAP_VALUE:
        map = reg.map
        assert map is not None  # the register is a map value
        if not has_btf(map):
            text = f"map '{map.name}' has to have BTF in order to use bpf_kptr_xchg\n"
            raise env.reject(EINVAL, "field-no-btf", text, reg=regno)
        meta.map = map
    if reg.mask:
        text = f"R{regno} doesn't have constant offset. kptr has to be at the constant offset\n"
        raise env.reject(EINVAL, "field-variable-offset", text, reg=regno)
    record = reg_btf_record(env, reg)
    if record is None or not record.has("kptr"):
        raise env.reject(EINVAL, "field-missing", f"R{regno} has no valid kptr\n", reg=regno)
    at = s32((reg.off + reg.value) & _U64)
    field = find_kptr(record, at)
    if field is None or field.tag == UPTR:
        raise env.reject(EACCES, "field-offset", f"off={at} doesn't point to kptr\n", reg=regno)
    if field.tag not in (REF, PERCPU):
        raise env.reject(EACCES, "kptr-unreferenced", f"off={at} kptr isn't referenced kptr\n", reg=regno)
    meta.kptr_field = field


def release_into_map(env: Env, ref_obj_id: int) -> bool:
    """The reference goes to the map, and registers that hold it with it; per-CPU objects stay readable under RCU."""
    if not release_reference_nomark(env.state, ref_obj_id):
        return False
    in_rcu = in_rcu_cs(env)
    for frame in env.state.frames:
        for i, reg in enumerate(frame.regs):
            if reg.ref_obj_id == ref_obj_id:
                frame.regs[i] = _given(env, reg, in_rcu)
        for i, slot in enumerate(frame.stack):
            if slot.type_at(7) == c.STACK_SPILL and slot.spilled.ref_obj_id == ref_obj_id:
                frame.stack[i] = slot.with_spilled(_given(env, slot.spilled, in_rcu))
    return True


def _given(env: Env, reg: Reg, in_rcu: bool) -> Reg:
    if not (in_rcu and reg.type & c.MEM_ALLOC and reg.type & c.MEM_PERCPU):
        return invalid_reg(env)
    kept = reg.copy()
    kept.ref_obj_id = 0
    kept.type = kept.type & ~c.MEM_ALLOC | c.MEM_RCU
    return kept


def exchanged(env: Env, meta: CallMeta, flags: int) -> Reg:
    """What bpf_kptr_xchg returns: the pointer that was there, without ids."""
    btf, btf_id = target(env, meta.kptr_field)
    reg = pointer(c.PTR_TO_BTF_ID | flags)
    reg.btf, reg.btf_id = btf, btf_id
    if btf is not env.vmlinux:
        reg.type |= c.MEM_ALLOC | (c.MEM_PERCPU if meta.kptr_field.tag == PERCPU else 0)
    return reg
