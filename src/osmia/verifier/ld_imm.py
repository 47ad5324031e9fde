"""The 64-bit constant load and what it may stand for: a map, a map's value, a kernel variable, a function.

Source: ``check_ld_imm`` in kernel/bpf/verifier.c of Linux 6.18.  Maps and variables were found by ``resolve``.
"""

from __future__ import annotations

from errno import EINVAL

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.kernel.uapi import MAP_TYPE

if not cython.compiled:
    from osmia.isa.consts import (
        BPF_PSEUDO_BTF_ID,
        BPF_PSEUDO_FUNC,
        BPF_PSEUDO_MAP_IDX_VALUE,
        BPF_PSEUDO_MAP_VALUE,
    )  # fmt: skip
    from osmia.verifier.bounds import set_const
    from osmia.verifier.consts import BASE_TYPE_MASK, CONST_PTR_TO_MAP, PTR_TO_FUNC, PTR_TO_MAP_VALUE, PTR_TO_MEM
    from osmia.verifier.env import Env
    from osmia.verifier.insn import VInsn
    from osmia.verifier.marks import check_reg_arg, known_zero_of, mark_reg_unknown
    from osmia.verifier.regs import Reg, known_value

DST_OP = 1
M32 = 0xFFFFFFFF
_ARENA = MAP_TYPE["arena"]


def check_ld_imm(env: Env, insn: VInsn) -> None:
    """What the load leaves in its register.  Does not step over the second slot.  Raises Rejected."""
    if (insn.code & 0x18) != 0x18:
        raise env.reject(EINVAL, "ld-imm", "invalid BPF_LD_IMM insn\n")
    if insn.off != 0:
        raise env.reject(EINVAL, "reserved-fields", "BPF_LD_IMM64 uses reserved fields\n")
    check_reg_arg(env, insn.dst, DST_OP)
    regs = env.state.regs()
    if insn.src == 0:
        regs[insn.dst] = _constant(env, insn)
        return
    reg = known_zero_of(regs[insn.dst])
    if insn.src == BPF_PSEUDO_BTF_ID:
        _point_to_kernel(insn, reg)
    elif insn.src == BPF_PSEUDO_FUNC:
        _point_to_function(env, insn, reg)
    elif not _point_to_map(env, insn, reg):
        mark_reg_unknown(env, regs, insn.dst)
        return
    regs[insn.dst] = reg


def _constant(env: Env, insn: VInsn) -> Reg:
    """The number of both slots' immediates."""
    second = env.insns[insn.idx + 1]
    low = insn.imm & M32
    high = second.imm & M32
    reg = known_value(high << 32 | low)
    reg.precise = not env.bpf_capable
    return reg


def _point_to_kernel(insn: VInsn, reg: Reg) -> None:
    """A kernel variable or function, as ``resolve`` typed it."""
    reg.type = insn.btf_reg_type
    if (reg.type & BASE_TYPE_MASK) == PTR_TO_MEM:
        reg.mem_size = insn.mem_size
    else:
        reg.btf = insn.btf
        reg.btf_id = insn.btf_id


def _point_to_function(env: Env, insn: VInsn, reg: Reg) -> None:
    """A static function of the program, to be called back."""
    number = env.find_subprog(env.insn_idx + insn.imm + 1)
    if not env.program.func_info:
        raise env.reject(EINVAL, "callback-btf", "missing btf func_info\n")
    subprog = env.subprogs[number]
    if subprog.linkage != 0:
        raise env.reject(EINVAL, "callback-linkage", "callback function not static\n")
    reg.type = PTR_TO_FUNC
    reg.subprogno = number


def _point_to_map(env: Env, insn: VInsn, reg: Reg) -> bool:
    """A map or its only value; False for an arena's address, which is any number."""
    found = insn.map
    reg.map = found
    if insn.src != BPF_PSEUDO_MAP_VALUE and insn.src != BPF_PSEUDO_MAP_IDX_VALUE:
        reg.type = CONST_PTR_TO_MAP
        return True
    if found is not None and found.type == _ARENA:
        return False
    reg.type = PTR_TO_MAP_VALUE
    if env.rules.offset_in_var_off:
        set_const(reg, insn.map_off)
    else:
        reg.off = insn.map_off
    return True
