"""Every load and store, by what the address register points to.

Source: ``check_mem_access``, ``check_load_mem``, ``check_store_reg`` and ``save_aux_ptr_type`` in kernel/bpf/verifier.c
of Linux 6.18.  Who may leak pointers (CAP_PERFMON) may store them anywhere.
"""

from __future__ import annotations

from errno import EACCES, EINVAL
from typing import Any

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.verifier.attach_lsm import retval_range
from osmia.verifier.btf_access import check_ptr_to_btf_access, check_ptr_to_map_access
from osmia.verifier.kptrs import access_kptr
from osmia.verifier.sock import may_read

if not cython.compiled:
    from osmia.verifier.bounds import reg_bounds_sanity_check, reg_bounds_sync
    from osmia.verifier.consts import (
        BASE_TYPE_MASK,
        BPF_READ,
        BPF_WRITE,
        CONST_PTR_TO_MAP,
        MEM_RDONLY,
        NOT_INIT,
        PTR_MAYBE_NULL,
        PTR_TO_ARENA,
        PTR_TO_BTF_ID,
        PTR_TO_BUF,
        PTR_TO_CTX,
        PTR_TO_FLOW_KEYS,
        PTR_TO_MAP_KEY,
        PTR_TO_MAP_VALUE,
        PTR_TO_MEM,
        PTR_TO_PACKET,
        PTR_TO_PACKET_META,
        PTR_TO_SOCK_COMMON,
        PTR_TO_SOCKET,
        PTR_TO_STACK,
        PTR_TO_TCP_SOCK,
        PTR_TO_TP_BUFFER,
        PTR_TO_XDP_SOCK,
        PTR_UNTRUSTED,
        SCALAR_VALUE,
    )  # fmt: skip
    from osmia.verifier.ctx import check_ctx_access
    from osmia.verifier.env import Env
    from osmia.verifier.insn import VInsn
    from osmia.verifier.loaded import coerce_loaded, loaded_scalar
    from osmia.verifier.map_data import map_constant
    from osmia.verifier.marks import check_frame_reg_arg, known_zero_of, next_id
    from osmia.verifier.regions import (
        ACCESS_DIRECT,
        check_buffer_access,
        check_flow_keys_access,
        check_map_access,
        check_map_access_type,
        check_mem_region_access,
        check_packet_access,
        check_ptr_alignment,
        check_ptr_off_reg,
        check_ptr_off_reg_fixed,
        check_tp_buffer_access,
        may_access_direct_pkt_data,
    )  # fmt: skip
    from osmia.verifier.regs import Reg, unknown_value
    from osmia.verifier.stack import check_stack_read, check_stack_write
    from osmia.verifier.stack_range import check_stack_access_within_bounds

SRC_OP, DST_OP_NO_MARK = 0, 2


def check_load_mem(
    env: Env, insn: VInsn, strict_alignment_once: bool, is_ldsx: bool, allow_trust_mismatch: bool, ctx: str
) -> None:
    """``dst = *(size *)(src + off)``.  Raises Rejected."""
    regs = env.state.regs()
    check_frame_reg_arg(env, regs, insn.src, SRC_OP)
    check_frame_reg_arg(env, regs, insn.dst, DST_OP_NO_MARK)
    reg = regs[insn.src]
    size = access_size(insn.code)
    check_mem_access(
        env, env.insn_idx, insn.src, insn.off, size, BPF_READ, insn.dst, strict_alignment_once, is_ldsx
    )  # fmt: skip
    save_aux_ptr_type(env, reg.type, allow_trust_mismatch)
    reg = regs[insn.dst]
    reg_bounds_sanity_check(env, reg, ctx)


def check_store_reg(env: Env, insn: VInsn, strict_alignment_once: bool) -> None:
    """``*(size *)(dst + off) = src``.  Raises Rejected."""
    regs = env.state.regs()
    check_frame_reg_arg(env, regs, insn.src, SRC_OP)
    check_frame_reg_arg(env, regs, insn.dst, SRC_OP)
    reg = regs[insn.dst]
    size = access_size(insn.code)
    check_mem_access(env, env.insn_idx, insn.dst, insn.off, size, BPF_WRITE, insn.src, strict_alignment_once, False)
    save_aux_ptr_type(env, reg.type, False)


def access_size(code: int) -> int:
    """Bytes that a load or store of this opcode moves."""
    field = code & 0x18
    if field == 0x18:
        return 8
    return 4 >> (field >> 3)


def save_aux_ptr_type(env: Env, type: int, allow_trust_mismatch: bool) -> None:
    """An instruction that was rewritten for one kind of pointer can't serve another on another path."""
    insn = env.insns[env.insn_idx]
    before = insn.ptr_type
    if before == NOT_INIT:
        insn.ptr_type = type
    elif before != type and not (_mismatch_ok(type) and _mismatch_ok(before)):
        if not (allow_trust_mismatch and _is_mem_or_btf(type) and _is_mem_or_btf(before)):
            text = "same insn cannot be used with different pointers\n"
            raise env.reject(EINVAL, "pointer-type-mismatch", text)
        flags = (type | before) & (PTR_UNTRUSTED | MEM_RDONLY)
        mem = (type & BASE_TYPE_MASK) == PTR_TO_MEM or (before & BASE_TYPE_MASK) == PTR_TO_MEM
        insn.ptr_type = (PTR_TO_MEM if mem else PTR_TO_BTF_ID) | flags


def _mismatch_ok(type: int) -> bool:
    base = type & BASE_TYPE_MASK
    return not (base == PTR_TO_CTX or base == PTR_TO_BTF_ID or base == PTR_TO_ARENA or is_sk_pointer(base))


def _is_mem_or_btf(type: int) -> bool:
    base = type & BASE_TYPE_MASK
    return base == PTR_TO_MEM or base == PTR_TO_BTF_ID


def is_sk_pointer(type: int) -> bool:
    """Does it point to a socket, without flags?"""
    return type == PTR_TO_SOCKET or type == PTR_TO_SOCK_COMMON or type == PTR_TO_TCP_SOCK or type == PTR_TO_XDP_SOCK


def is_pkt_pointer(type: int) -> bool:
    """Does it point into a packet or its metadata?"""
    base = type & BASE_TYPE_MASK
    return base == PTR_TO_PACKET or base == PTR_TO_PACKET_META


def is_pointer_value(env: Env, regno: int) -> bool:
    """Must the register's value be kept from the program's owner?"""
    if env.allow_ptr_leaks:
        return False
    regs = env.state.regs()
    reg = regs[regno]
    return reg.type != SCALAR_VALUE


def check_mem_access(
    env: Env, insn_idx: int, regno: int, off: int, size: int, t: int, value_regno: int, strict_alignment_once: bool,
    is_ldsx: bool,
) -> None:  # fmt: skip
    """May ``size`` bytes (1, 2, 4, 8) at R``regno`` + ``off`` be read or written (``t``: BPF_READ or BPF_WRITE)?

    A read goes into R``value_regno``, which is changed, or (-1) nowhere; a write takes its value from there, or (-1)
    stores what is not known.  Raises Rejected or Unsupported.
    """
    regs = env.state.regs()
    reg = regs[regno]
    check_ptr_alignment(env, reg, off, size, strict_alignment_once)
    off += reg.off
    type = reg.type
    if type == PTR_TO_STACK:
        check_stack_access_within_bounds(env, regno, off, size, t)
        if t == BPF_WRITE:
            check_stack_write(env, regno, off, size, value_regno, insn_idx)
            return
        check_stack_read(env, regno, off, size, value_regno)
        if value_regno >= 0:
            coerce_loaded(env, regs, value_regno, size, is_ldsx)
        return
    if type == PTR_TO_MAP_VALUE:
        _access_map_value(env, insn_idx, regno, off, size, t, value_regno, is_ldsx)
        return
    if type == PTR_TO_CTX:
        _access_ctx(env, insn_idx, regno, off, size, t, value_regno, is_ldsx)
        return
    if is_pkt_pointer(type):
        if t == BPF_WRITE and not may_access_direct_pkt_data(env, None, t):
            raise env.reject(EACCES, "packet-write", "cannot write into packet\n", reg=regno)
        if t == BPF_WRITE and value_regno >= 0 and is_pointer_value(env, value_regno):
            raise env.reject(EACCES, "leak-into-packet", f"R{value_regno} leaks addr into packet\n", reg=value_regno)
        check_packet_access(env, regno, off, size, False)
    elif not _access_rare(env, reg, regno, off, size, t, value_regno):
        if t == BPF_READ and value_regno >= 0:
            coerce_loaded(env, regs, value_regno, size, is_ldsx)
        return
    if t == BPF_READ and value_regno >= 0:
        regs[value_regno] = loaded_scalar(env, size, is_ldsx)


def _access_rare(env: Env, reg: Reg, regno: int, off: int, size: int, t: int, value_regno: int) -> bool:
    """The other pointers.  True when a read gives a scalar of which nothing is known; else it was put in place."""
    type = reg.type
    base = type & BASE_TYPE_MASK
    if type == PTR_TO_MAP_KEY:
        if t == BPF_WRITE:
            raise env.reject(EACCES, "map-key-write", f"write to change key R{regno} not allowed\n", reg=regno)
        key_of = reg.map
        assert key_of is not None
        check_mem_region_access(env, regno, off, size, key_of.key_size, False)
    elif base == PTR_TO_MEM:
        _access_mem(env, reg, regno, off, size, t, value_regno)
    elif type == PTR_TO_FLOW_KEYS:
        if t == BPF_WRITE and value_regno >= 0 and is_pointer_value(env, value_regno):
            text = f"R{value_regno} leaks addr into flow keys\n"
            raise env.reject(EACCES, "leak-into-flow-keys", text, reg=value_regno)
        check_flow_keys_access(env, off, size)
    elif is_sk_pointer(type):
        _access_sock(env, reg, regno, off, size, t)
    elif type == PTR_TO_TP_BUFFER:
        check_tp_buffer_access(env, reg, regno, off, size)
    elif base == PTR_TO_BTF_ID and not type & PTR_MAYBE_NULL:
        check_ptr_to_btf_access(env, regno, off, size, t, value_regno)
        return False
    elif type == CONST_PTR_TO_MAP:
        check_ptr_to_map_access(env, regno, off, size, t, value_regno)
        return False
    elif base == PTR_TO_BUF:
        if type & MEM_RDONLY and t == BPF_WRITE:
            raise _read_only(env, reg, regno)
        check_buffer_access(env, reg, regno, off, size)
    elif type != PTR_TO_ARENA:
        raise _invalid(env, reg, regno)
    return True


def _invalid(env: Env, reg: Reg, regno: int) -> Any:
    text = f"R{regno} invalid mem access '{env.type_str(reg.type)}'\n"
    return env.reject(EACCES, "invalid-mem-access", text, reg=regno, found=env.type_str(reg.type))


def _read_only(env: Env, reg: Reg, regno: int) -> Any:
    text = f"R{regno} cannot write into {env.type_str(reg.type)}\n"
    return env.reject(EACCES, "read-only", text, reg=regno, found=env.type_str(reg.type))


def _access_map_value(
    env: Env, insn_idx: int, regno: int, off: int, size: int, t: int, value_regno: int, is_ldsx: bool
) -> None:
    """A map's value.  Of a map that can't change any more, what is read is known."""
    if t == BPF_WRITE and value_regno >= 0 and is_pointer_value(env, value_regno):
        raise env.reject(EACCES, "leak-into-map", f"R{value_regno} leaks addr into map\n", reg=value_regno)
    check_map_access_type(env, regno, off, size, t)
    check_map_access(env, regno, off, size, False, ACCESS_DIRECT)
    regs = env.state.regs()
    reg = regs[regno]
    found = reg.map
    assert found is not None
    if found.record is not None and access_kptr(env, insn_idx, regno, off, value_regno):
        return
    if t == BPF_WRITE or value_regno < 0:
        return
    if found.frozen and reg.mask == 0:
        constant = map_constant(env, found, off + reg.smin, size, is_ldsx, regs[value_regno])
        if constant is not None:
            regs[value_regno] = constant
            coerce_loaded(env, regs, value_regno, size, is_ldsx)
            return
    regs[value_regno] = loaded_scalar(env, size, is_ldsx)


def _access_mem(env: Env, reg: Reg, regno: int, off: int, size: int, t: int, value_regno: int) -> None:
    """Memory of a known size; where it is read-only and untrusted, loads that fail give zero, so any will do."""
    if reg.type & PTR_MAYBE_NULL:
        raise _invalid(env, reg, regno)
    if t == BPF_WRITE and reg.type & MEM_RDONLY:
        raise _read_only(env, reg, regno)
    if t == BPF_WRITE and value_regno >= 0 and is_pointer_value(env, value_regno):
        raise env.reject(EACCES, "leak-into-mem", f"R{value_regno} leaks addr into mem\n", reg=value_regno)
    if not (reg.type & MEM_RDONLY and reg.type & PTR_UNTRUSTED):
        check_mem_region_access(env, regno, off, size, reg.mem_size, False)


def _access_sock(env: Env, reg: Reg, regno: int, off: int, size: int, t: int) -> None:
    if t == BPF_WRITE:
        raise _read_only(env, reg, regno)
    if reg.smin < 0:
        text = f"R{regno} min value is negative, either use unsigned index or do a if (index >=0) check.\n"
        raise env.reject(EACCES, "negative-offset", text, reg=regno)
    if not may_read(reg.type, off, size):
        text = f"R{regno} invalid {env.type_str(reg.type)} access off={off} size={size}\n"
        raise env.reject(EACCES, "sock-access", text, reg=regno)


CTX_AS_IT_IS = frozenset(
    (
        *("kprobe", "tracepoint", "raw_tracepoint", "raw_tracepoint_writable", "tracing", "lsm", "struct_ops"),
        *("syscall", "cgroup_device", "lirc_mode2", "netfilter"),
    )
)
"""Program types whose context is read as it lies there: accesses are not rewritten, so a pointer to it may be moved."""
SYSCALL_CTX_SIZE = 0xFFFF
"""The most bytes that a syscall program's context may have."""


def _ctx_offset(env: Env, reg: Reg, regno: int, off: int, size: int) -> int:
    """How far the pointer to the context was moved, at most; the context of syscall programs is plain memory."""
    if env.prog_type == "syscall":
        check_mem_region_access(env, regno, off, size, SYSCALL_CTX_SIZE, False)
    else:
        check_ptr_off_reg_fixed(env, reg, regno, env.prog_type in CTX_AS_IT_IS)
    return reg.umax


def _access_ctx(
    env: Env, insn_idx: int, regno: int, off: int, size: int, t: int, value_regno: int, is_ldsx: bool
) -> None:
    """A field of the context: a number, or a pointer of the type that the field has."""
    if t == BPF_WRITE and value_regno >= 0 and is_pointer_value(env, value_regno):
        raise env.reject(EACCES, "leak-into-ctx", f"R{value_regno} leaks addr into ctx\n", reg=value_regno)
    regs = env.state.regs()
    if env.rules.offset_in_var_off:
        off += _ctx_offset(env, regs[regno], regno, off, size)
    else:
        check_ptr_off_reg(env, regs[regno], regno)
    field = check_ctx_access(env, insn_idx, off, size, t, is_ldsx)
    if t == BPF_WRITE or value_regno < 0:
        return
    if field.type == SCALAR_VALUE:
        if field.returned and (returned := retval_range(env)) is not None:
            regs[value_regno] = in_s32_range(env, returned[0], returned[1])
            coerce_loaded(env, regs, value_regno, size, is_ldsx)
        else:
            regs[value_regno] = loaded_scalar(env, size, is_ldsx)
        return
    reg = known_zero_of(regs[value_regno])
    if field.type & PTR_MAYBE_NULL:
        reg.id = next_id(env)
    if (field.type & BASE_TYPE_MASK) == PTR_TO_BTF_ID:
        reg.btf = field.btf
        reg.btf_id = field.btf_id
        reg.ref_obj_id = field.ref_obj_id
    reg.type = field.type
    regs[value_regno] = reg


def in_s32_range(env: Env, low: int, high: int) -> Reg:
    """An unknown number between two (``__mark_reg_s32_range``)."""
    reg = unknown_value(not env.bpf_capable)
    reg.s32_min, reg.s32_max, reg.smin, reg.smax = low, high, low, high
    reg_bounds_sync(env, reg)
    return reg
