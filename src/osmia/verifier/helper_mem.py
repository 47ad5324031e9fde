"""Memory that a helper or function is handed: a pointer and how many bytes it may touch there.

Source: ``check_helper_mem_access``, ``check_mem_size_reg``, ``check_mem_reg`` in kernel/bpf/verifier.c of Linux 6.18.
"""

from __future__ import annotations

from errno import EACCES
from typing import Any

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.verifier.btf_access import check_ptr_to_btf_access
from osmia.verifier.call_meta import CallMeta
from osmia.verifier.memory import CTX_AS_IT_IS, SYSCALL_CTX_SIZE

if not cython.compiled:
    from osmia.verifier.backtrack import mark_chain_precision
    from osmia.verifier.consts import (
        BASE_TYPE_MASK,
        BPF_MAX_VAR_SIZ,
        BPF_READ,
        BPF_WRITE,
        MEM_RDONLY,
        PTR_MAYBE_NULL,
        PTR_TO_BTF_ID,
        PTR_TO_BUF,
        PTR_TO_CTX,
        PTR_TO_MAP_KEY,
        PTR_TO_MAP_VALUE,
        PTR_TO_MEM,
        PTR_TO_PACKET,
        PTR_TO_PACKET_META,
        PTR_TO_STACK,
        SCALAR_VALUE,
    )  # fmt: skip
    from osmia.verifier.env import Env
    from osmia.verifier.memory import check_mem_access
    from osmia.verifier.nulls import ptr_not_null_reg
    from osmia.verifier.regions import (
        ACCESS_HELPER,
        check_buffer_access,
        check_map_access,
        check_map_access_type,
        check_mem_region_access,
        check_packet_access,
    )  # fmt: skip
    from osmia.verifier.regs import Reg
    from osmia.verifier.stack_range import INDIRECT, check_stack_range_initialized


def check_helper_mem_access(
    env: Env, regno: int, access_size: int, access_type: int, zero_size_allowed: bool, meta: Any
) -> None:
    """May a helper read or write (BPF_READ, BPF_WRITE) ``access_size`` bytes behind R``regno``?

    ``meta`` is the call's, or None: see ``check_stack_range_initialized``.  Raises Rejected.
    """
    regs = env.state.regs()
    reg = regs[regno]
    base = reg.type & BASE_TYPE_MASK
    if not env.rules.helper_access_by_kind:
        if base == PTR_TO_STACK:
            check_stack_range_initialized(env, regno, reg.off, access_size, zero_size_allowed, INDIRECT, meta)
            return
        access_type = BPF_WRITE if meta is not None and meta.raw_mode else BPF_READ
    write = access_type == BPF_WRITE
    if base == PTR_TO_STACK:
        check_stack_range_initialized(env, regno, reg.off, access_size, zero_size_allowed, access_type, meta)
        return
    if base == PTR_TO_MAP_VALUE:
        check_map_access_type(env, regno, reg.off, access_size, access_type)
        check_map_access(env, regno, reg.off, access_size, zero_size_allowed, ACCESS_HELPER)
        return
    if base == PTR_TO_PACKET or base == PTR_TO_PACKET_META:
        check_packet_access(env, regno, reg.off, access_size, zero_size_allowed)
        return
    if base == PTR_TO_MAP_KEY:
        key_of = reg.map
        assert key_of is not None
        if write:
            raise _read_only(env, reg, regno)
        check_mem_region_access(env, regno, reg.off, access_size, key_of.key_size, False)
        return
    if base == PTR_TO_MEM:
        if write and reg.type & MEM_RDONLY:
            raise _read_only(env, reg, regno)
        check_mem_region_access(env, regno, reg.off, access_size, reg.mem_size, zero_size_allowed)
        return
    if base == PTR_TO_BUF:
        if write and reg.type & MEM_RDONLY:
            raise _read_only(env, reg, regno)
        check_buffer_access(env, reg, regno, reg.off, access_size)
        return
    if base == PTR_TO_BTF_ID:
        check_ptr_to_btf_access(env, regno, reg.off, access_size, BPF_READ, -1)
        return
    if base == PTR_TO_CTX and env.prog_type == "syscall" and env.rules.offset_in_var_off:
        check_mem_region_access(env, regno, 0, access_size, SYSCALL_CTX_SIZE, zero_size_allowed)
        return
    if base == PTR_TO_CTX and env.prog_type in CTX_AS_IT_IS and not env.rules.offset_in_var_off:
        _access_ctx(env, regno, access_size, access_type, zero_size_allowed)
        return
    if zero_size_allowed and access_size == 0 and _is_null(reg):
        return
    text = f"R{regno} type={env.type_str(reg.type)} expected=fp\n"
    raise env.reject(EACCES, "helper-memory", text, reg=regno, expected="fp", found=env.type_str(reg.type))


def _read_only(env: Env, reg: Reg, regno: int) -> Any:
    text = f"R{regno} cannot write into {env.type_str(reg.type)}\n"
    return env.reject(EACCES, "read-only", text, reg=regno, found=env.type_str(reg.type))


def _access_ctx(env: Env, regno: int, access_size: int, access_type: int, zero_size_allowed: bool) -> None:
    """A context whose size is not known before the program runs: only its last byte is asked for."""
    if access_size == 0:
        if zero_size_allowed:
            return
        raise env.reject(EACCES, "zero-size", "")
    check_mem_access(env, env.insn_idx, regno, access_size - 1, 1, access_type, -1, False, False)


def _is_null(reg: Reg) -> bool:
    return reg.type == SCALAR_VALUE and reg.mask == 0 and reg.value == 0


def check_mem_size_reg(
    env: Env, reg: Reg, regno: int, access_type: int, zero_size_allowed: bool, meta: Any
) -> None:  # fmt: skip
    """A size in R``regno`` (``reg``) of the memory behind the register before it.  Raises Rejected."""
    meta.msize_max_value = reg.umax
    call = meta if reg.mask == 0 else None
    if reg.smin < 0:
        text = f"R{regno} min value is negative, either use unsigned or 'var &= const'\n"
        raise env.reject(EACCES, "size-negative", text, reg=regno)
    if reg.umin == 0 and not env.rules.zero_size_told:
        check_helper_mem_access(env, regno - 1, 0, access_type, zero_size_allowed, call)
    elif reg.umin == 0 and not zero_size_allowed:
        text = f"R{regno} invalid zero-sized read: u64=[{reg.umin},{reg.umax}]\n"
        raise env.reject(EACCES, "zero-size", text, reg=regno)
    if reg.umax >= BPF_MAX_VAR_SIZ:
        text = f"R{regno} unbounded memory access, use 'var &= const' or 'if (var < const)'\n"
        raise env.reject(EACCES, "size-unbounded", text, reg=regno)
    check_helper_mem_access(env, regno - 1, reg.umax, access_type, zero_size_allowed, call)
    mark_chain_precision(env, regno)


def check_mem_reg(env: Env, reg: Reg, regno: int, mem_size: int) -> None:
    """May ``mem_size`` bytes behind R``regno`` (``reg``) be read and written?  Null is fine, too.  Raises Rejected."""
    if _is_null(reg):
        return
    regs = env.state.regs()
    if reg.type & PTR_MAYBE_NULL:
        regs[regno] = ptr_not_null_reg(reg)
    check_helper_mem_access(env, regno, mem_size, BPF_READ, True, None)
    written = None
    if not env.rules.helper_access_by_kind:
        written = CallMeta(0)
        written.raw_mode = True
    check_helper_mem_access(env, regno, mem_size, BPF_WRITE, True, written)
    regs[regno] = reg
