"""Atomic instructions: read-modify-write, load-acquire, store-release (RFC 9669 section 5.3).

Source: ``check_atomic`` and what it calls, kernel/bpf/verifier.c of Linux 6.18.
"""

from __future__ import annotations

from errno import EACCES, EINVAL
from typing import Any

try:
    import cython
except ImportError:
    from osmia._cy import cython


if not cython.compiled:
    from osmia.isa.consts import (
        BPF_ADD,
        BPF_AND,
        BPF_CMPXCHG,
        BPF_FETCH,
        BPF_LOAD_ACQ,
        BPF_OR,
        BPF_STORE_REL,
        BPF_XCHG,
        BPF_XOR,
    )  # fmt: skip
    from osmia.verifier.consts import BPF_READ, BPF_WRITE, PTR_TO_ARENA, PTR_TO_CTX, PTR_TO_FLOW_KEYS
    from osmia.verifier.env import Env
    from osmia.verifier.insn import VInsn
    from osmia.verifier.marks import check_reg_arg
    from osmia.verifier.memory import (
        access_size,
        check_load_mem,
        check_mem_access,
        check_store_reg,
        is_pkt_pointer,
        is_pointer_value,
        is_sk_pointer,
        save_aux_ptr_type,
    )  # fmt: skip

SRC_OP, DST_OP = 0, 1


def check_atomic(env: Env, insn: VInsn) -> None:
    """What an atomic instruction does to the current state.  Raises Rejected."""
    op = insn.imm
    plain = op & ~BPF_FETCH
    if (
        plain == BPF_ADD
        or plain == BPF_AND
        or plain == BPF_OR
        or plain == BPF_XOR
        or op == BPF_XCHG
        or op == BPF_CMPXCHG
    ):
        _check_rmw(env, insn)
        return
    if op == BPF_LOAD_ACQ and env.rules.atomic_load_store:
        _check_load(env, insn)
        return
    if op == BPF_STORE_REL and env.rules.atomic_load_store:
        _check_store(env, insn)
        return
    text = f"BPF_ATOMIC uses invalid atomic opcode {op & 0xFFFFFFFF:02x}\n"
    raise env.reject(EINVAL, "atomic-opcode", text)


def check_xadd(env: Env, insn: VInsn) -> None:
    """The one atomic instruction there was before 5.12: adding, of 4 or 8 bytes (``check_xadd``)."""
    size = access_size(insn.code)
    if size < 4 or insn.imm != 0:
        raise env.reject(EINVAL, "reserved-fields", "BPF_XADD uses reserved fields\n")
    check_reg_arg(env, insn.src, SRC_OP)
    check_reg_arg(env, insn.dst, SRC_OP)
    _check_no_leak(env, insn.src)
    if not _may_be_atomic(env, insn.dst):
        regs = env.state.regs()
        reg = regs[insn.dst]
        text = f"BPF_XADD stores into R{insn.dst} {env.type_str(reg.type)} is not allowed\n"
        raise env.reject(EACCES, "atomic-pointer", text, reg=insn.dst, found=env.type_str(reg.type))
    idx = env.insn_idx
    check_mem_access(env, idx, insn.dst, insn.off, size, BPF_READ, -1, True, False)
    check_mem_access(env, idx, insn.dst, insn.off, size, BPF_WRITE, -1, True, False)


def _check_rmw(env: Env, insn: VInsn) -> None:
    size = access_size(insn.code)
    if size < 4:
        raise env.reject(EINVAL, "atomic-size", "invalid atomic operand size\n")
    check_reg_arg(env, insn.src, SRC_OP)
    check_reg_arg(env, insn.dst, SRC_OP)
    if insn.imm == BPF_CMPXCHG:
        check_reg_arg(env, 0, SRC_OP)
        _check_no_leak(env, 0)
    _check_no_leak(env, insn.src)
    if not _may_be_atomic(env, insn.dst):
        raise _not_allowed(env, insn.dst, "stores into")
    load_reg = -1
    if insn.imm & BPF_FETCH:
        load_reg = 0 if insn.imm == BPF_CMPXCHG else insn.src
        check_reg_arg(env, load_reg, DST_OP)
    idx = env.insn_idx
    check_mem_access(env, idx, insn.dst, insn.off, size, BPF_READ, -1, True, False)
    if load_reg >= 0:
        check_mem_access(env, idx, insn.dst, insn.off, size, BPF_READ, load_reg, True, False)
    regs = env.state.regs()
    reg = regs[insn.dst]
    if reg.type == PTR_TO_ARENA:
        save_aux_ptr_type(env, PTR_TO_ARENA, False)
    check_mem_access(env, idx, insn.dst, insn.off, size, BPF_WRITE, -1, True, False)


def _check_no_leak(env: Env, regno: int) -> None:
    if is_pointer_value(env, regno):
        raise env.reject(EACCES, "leak-into-mem", f"R{regno} leaks addr into mem\n", reg=regno)


def _check_load(env: Env, insn: VInsn) -> None:
    check_load_mem(env, insn, True, False, False, "atomic_load")
    if not _may_be_atomic(env, insn.src):
        raise _not_allowed(env, insn.src, "loads from")


def _check_store(env: Env, insn: VInsn) -> None:
    check_store_reg(env, insn, True)
    if not _may_be_atomic(env, insn.dst):
        raise _not_allowed(env, insn.dst, "stores into")


def _may_be_atomic(env: Env, regno: int) -> bool:
    """Does the register point to plain memory, not to something whose accesses are rewritten?"""
    regs = env.state.regs()
    reg = regs[regno]
    type = reg.type
    return not (type == PTR_TO_CTX or type == PTR_TO_FLOW_KEYS or is_pkt_pointer(type) or is_sk_pointer(type))


def _not_allowed(env: Env, regno: int, what: str) -> Any:
    regs = env.state.regs()
    reg = regs[regno]
    text = f"BPF_ATOMIC {what} R{regno} {env.type_str(reg.type)} is not allowed\n"
    return env.reject(EACCES, "atomic-pointer", text, reg=regno, found=env.type_str(reg.type))
